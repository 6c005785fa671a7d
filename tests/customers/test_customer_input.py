"""What may be typed, or posted by hand, into the forms that make customers."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from html import escape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from billing.models import BillingAccount, Tax
from customers.models import Customer, DialPlan, Number, Person, Region, Role
from portal.core.scope import scopes_disabled, subtree
from rateplans.models import RatePlan
from tests.customers.test_create_customer import _create
from tests.pages import entries_of, errors_of
from tests.world import World

NAMES = [
    "🍕 Pizza",
    "مخبز دلتا",
    "Cafe\u0301 De\u0301lta",
    "می\u200cخواهم",
    "<script>alert('x')</script>",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("https://evil.test";"x")',
    "{{ settings.SECRET_KEY }} {% now 'Y' %}",
    "%s %(name)s {0}",
    'O\'Brien "the" \\',
    "x" * 120,
]


def _url(world: World, page: str = "new/normal/") -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{page}"


def _new(client: Client, world: World, **changes: Any) -> Any:
    """Create Delta, a normal customer without an administrator, but for ``changes``."""
    entries = _least(world) | {"name": "Delta", "email": "a@b.test"}
    return client.post(_url(world), entries | changes)


def _least(world: World) -> dict[str, Any]:
    """The least that a form about a customer must send; opening the page takes longer."""
    amounts = dict.fromkeys(("credit_limit", "low_balance", "auto_topup"), "0.00")
    return amounts | {
        "form_token": str(uuid4()),
        "plan": world.acme_plan.pk,
        "bill_type": "postpaid",
        "currency": "EUR",
        "payment_type": "manual",
        "lock": "none",
        "time_zone": "Europe/Berlin",
    }


def _delta() -> Customer:
    with scopes_disabled():
        return Customer.objects.select_related("account").get(name="Delta")


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


# --- Names ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_any_readable_name_is_kept_escaped_and_exported_harmlessly(
    world: World, ann: Client, name: str
) -> None:
    response = _new(ann, world, name=name)
    assert response.status_code == 302
    with scopes_disabled():
        customer = Customer.objects.get(parent=world.acme, name=name)
    for page in (
        response["Location"],
        _url(world, ""),
        _url(world, f"{customer.pk}/edit/"),
        _url(world, f"{customer.pk}/history/"),
        _url(world, f"{customer.pk}/delete/"),
        f"/a/{world.acme.pk}/search/?q={name[:3]}",
    ):
        text = ann.get(page).content.decode()
        assert "<script>alert" not in text, page
        if "/search/" not in page:
            assert escape(name) in text, page
    exported = ann.get(_url(world, "export/")).getvalue().decode("utf-8-sig")
    cells = [row[0] for row in csv.reader(io.StringIO(exported))]
    (cell,) = [cell for cell in cells if cell.removeprefix("'") == name]
    # A signed number calculates nothing; everything else of the kind gets a quote.
    assert cell == (f"'{name}" if name[0] in "=@" else name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Enter the customer's name."),
        ("   ", "Enter the customer's name."),
        ("\u200b\u200b", "Enter a name with at least one letter or digit."),
        ("!?", "Enter a name with at least one letter or digit."),
        ("x" * 121, "Ensure this value has at most 120 characters (it has 121)."),
        ("a\x07b", "Remove the invisible control characters from the name."),
        ("a\u202eb", "Remove the invisible control characters from the name."),
        ("Be\u200bta", "Remove the invisible control characters from the name."),
        ("a\x00b", "Null characters are not allowed."),
        ("[Beta Voice]", "A name cannot begin with a square bracket."),
        (
            "\ufdfa" * 120,
            "Write the name with fewer signs that stand for whole words.",
        ),
    ],
)
def test_unreadable_name_is_refused_and_the_rest_is_kept(
    world: World, ann: Client, name: str, message: str
) -> None:
    response = _new(ann, world, name=name, description="typed", credit_limit="12,50")
    assert message in errors_of(response)["name"]
    form = response.context["form"]
    assert form["description"].value() == "typed"
    assert form["credit_limit"].value() == "12,50"
    with scopes_disabled():
        assert Customer.objects.filter(parent=world.acme).count() == 1


# --- E-mail addresses -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a@b.test", "a@b.test"),
        (" a@b.test ; c@d.test ", "a@b.test, c@d.test"),
        ("a@b.test\nc@d.test", "a@b.test, c@d.test"),
        (
            " ".join(f"a{n}@b.test" for n in range(5)),
            ", ".join(f"a{n}@b.test" for n in range(5)),
        ),
    ],
)
def test_one_to_five_addresses_are_kept(
    world: World, ann: Client, typed: str, kept: str
) -> None:
    assert _new(ann, world, email=typed).status_code == 302
    assert _delta().email == kept


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "This field is required."),
        ("nonsense", "“nonsense” is not an e-mail address."),
        ("a@b.test, c@", "“c@” is not an e-mail address."),
        ("<script>@b.test", "“<script>@b.test” is not an e-mail address."),
        (
            " ".join(f"a{n}@b.test" for n in range(6)),
            "Enter at most 5 e-mail addresses.",
        ),
    ],
)
def test_wrong_addresses_are_refused(
    world: World, ann: Client, typed: str, message: str
) -> None:
    response = _new(ann, world, email=typed)
    assert errors_of(response) == {"email": [message]}
    assert "<script>@" not in response.content.decode()


@pytest.mark.parametrize("field", ["email", "person_emails"])
def test_over_long_address_is_refused(world: World, ann: Client, field: str) -> None:
    entries = {"has_administrator": "on", field: f"{'x' * 500}@b.test"}
    assert set(errors_of(_new(ann, world, **entries))) >= {field}


# --- Amounts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0", "0"),
        ("50", "50"),
        ("12.50", "12.5"),
        ("12,50", "12.5"),
        (" 1 000,00 ", "1000"),
        ("+7", "7"),
        ("0.010000", "0.01"),
        ("999999999999", "999999999999"),
    ],
)
def test_amount_is_read_as_people_write_it(
    world: World, ann: Client, typed: str, kept: str
) -> None:
    assert _new(ann, world, credit_limit=typed).status_code == 302
    assert _delta().account.credit_limit == Decimal(kept)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "-1",
        "-0.01",
        "0.0000001",
        "0.001",
        "1e9",
        "1E9",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "1,234.50",
        "1.234,50",
        "12,5,0",
        "--5",
        "0x10",
        "٣",
        "²",
        "5 €",
        "1_000",
        "9" * 13,
        "9" * 500,
        "\0",
        "<script>",
    ],
)
def test_what_is_no_amount_is_refused_at_the_field(
    world: World, ann: Client, typed: str
) -> None:
    response = _new(ann, world, credit_limit=typed)
    assert set(errors_of(response)) == {"credit_limit"}
    assert response.context["form"]["credit_limit"].value() == typed


@pytest.mark.parametrize(
    ("currency", "typed", "is_kept"),
    [
        ("JPY", "0.5", False),
        ("JPY", "500", True),
        ("JPY", "500.00", True),
        ("KWD", "0.001", True),
        ("KWD", "0.0001", False),
        ("EUR", "0.001", False),
    ],
)
def test_amount_fits_its_currency(
    world: World, ann: Client, currency: str, typed: str, is_kept: bool
) -> None:
    response = _new(ann, world, currency=currency, credit_limit=typed)
    if is_kept:
        assert response.status_code == 302
        assert _delta().account.credit_limit == Decimal(typed)
    else:
        assert errors_of(response) == {
            "credit_limit": [f"{currency} does not have that many decimal places."]
        }


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        (("plan", ""), None),
        (("plan", "9"), None),
        (("none", ""), -1),
        (("number", "0"), 0),
        (("number", "7,5"), Decimal("7.5")),
    ],
)
def test_limit_is_the_plans_none_or_a_number(
    world: World, ann: Client, parts: tuple[str, str], kept: Any
) -> None:
    first, second = parts
    response = _new(ann, world, call_maximum_0=first, call_maximum_1=second)
    assert response.status_code == 302
    assert _delta().account.call_maximum == kept


@pytest.mark.parametrize(
    "parts",
    [
        ("number", ""),
        ("number", "-1"),
        ("number", "x"),
        ("all", "1"),
        ("number", "0.001"),
    ],
)
def test_limit_without_a_number_is_refused(
    world: World, ann: Client, parts: tuple[str, str]
) -> None:
    first, second = parts
    response = _new(ann, world, call_maximum_0=first, call_maximum_1=second)
    assert set(errors_of(response)) == {"call_maximum"}


# --- Numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("telephone", "030 901820", "+4930901820"),  # Acme is in Germany
        ("fax", "+1 (212) 555-0123", "+12125550123"),
        ("callerid", "+49 30 901820", "+4930901820"),
    ],
)
def test_telephone_number_is_kept_as_e164(
    world: World, ann: Client, field: str, typed: str, kept: str
) -> None:
    assert _new(ann, world, **{field: typed}).status_code == 302
    assert getattr(_delta(), field) == kept


@pytest.mark.parametrize("field", ["telephone", "fax", "callerid"])
@pytest.mark.parametrize("typed", ["abc", "+", "+49", "+" + "9" * 30, "<b>"])
def test_what_is_no_telephone_number_is_refused(
    world: World, ann: Client, field: str, typed: str
) -> None:
    assert set(errors_of(_new(ann, world, **{field: typed}))) == {field}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("voicemail_days", "0"),
        ("voicemail_days", "3651"),
        ("voicemail_maximum", "1.5"),
        ("due_days", "-1"),
        ("due_days", "9" * 30),
        ("affiliate_percentage", "101"),
        ("concurrent_calls", "100001"),
    ],
)
def test_number_out_of_range_is_refused(
    world: World, ann: Client, field: str, typed: str
) -> None:
    entries = {field: typed}
    if field == "concurrent_calls":
        entries = {f"{field}_0": "number", f"{field}_1": typed}
    assert set(errors_of(_new(ann, world, **entries))) == {field}


# --- What was never offered -------------------------------------------------------------


@pytest.mark.parametrize(
    "plan", ["root_plan", "beta_plan", "rival_plan", "0", "x", "²"]
)
def test_foreign_plan_posted_by_hand_is_refused(
    world: World, ann: Client, plan: str
) -> None:
    value = getattr(world, plan).pk if hasattr(world, plan) else plan
    response = _new(ann, world, plan=value)
    assert errors_of(response) == {
        "plan": ["Choose one of your rate plans or one shared with you."]
    }


@pytest.mark.parametrize("plan", ["acme_plan", "shared_plan"])
def test_own_and_shared_plans_are_offered(world: World, ann: Client, plan: str) -> None:
    chosen = getattr(world, plan)
    assert _new(ann, world, plan=chosen.pk).status_code == 302
    assert _delta().account.plan == chosen


def test_own_plans_come_first_and_the_first_is_chosen(
    world: World, ann: Client
) -> None:
    form = ann.get(_url(world)).context["form"]
    groups = [
        (str(group), [pk for pk, _name in plans])
        for group, plans in form.fields["plan"].choices
    ]
    assert groups == [
        ("Your rate plans", [world.acme_plan.pk]),
        ("Shared with you", [world.shared_plan.pk]),
    ]
    assert form["plan"].value() == world.acme_plan.pk
    assert form["currency"].value() == "EUR"
    assert form["bill_type"].value() == "postpaid"


@pytest.mark.parametrize("owner", ["rival", "root"])
def test_foreign_tax_posted_by_hand_is_refused(
    world: World, ann: Client, owner: str
) -> None:
    with scopes_disabled():
        tax = Tax.objects.create(owner=getattr(world, owner), name="Levy")
    response = _new(ann, world, taxes=[str(world.acme_tax.pk), str(tax.pk)])
    assert set(errors_of(response)) == {"taxes"}
    with scopes_disabled():
        assert not Customer.objects.filter(name="Delta").exists()


@pytest.mark.parametrize("number", ["100002", "999", "1"])
def test_affiliate_is_found_among_the_own_customers_only(
    world: World, ann: Client, number: str
) -> None:
    """Rival's account number with the root, nobody's, and the root's own."""
    share = {"affiliate_type": "revenue", "affiliate_percentage": "5"}
    response = _new(ann, world, affiliate=number, **share)
    assert errors_of(response) == {
        "affiliate": ["None of your customers has this account number."]
    }
    assert _new(ann, world, affiliate="100001", **share).status_code == 302
    assert _delta().account.affiliate == world.beta


@pytest.mark.parametrize(
    "role",
    ["System owner", "0", "x", "9" * 30],
    ids=["mightier", "none", "text", "huge"],
)
def test_role_beyond_the_own_rights_posted_by_hand_is_refused(
    world: World, ann: Client, role: str
) -> None:
    found = Role.objects.filter(name=role).first()
    value = found.pk if found else role
    response = _new(
        ann, world, has_administrator="on", person_username="d", person_role=value
    )
    assert set(errors_of(response)) == {"person_role"}
    with scopes_disabled():
        assert not Person.objects.filter(username="d").exists()


def test_not_even_the_root_is_offered_a_second_system_owner(world: World) -> None:
    url = f"/a/{world.root.pk}/commerce/customers/new/normal/"
    form = world.client(world.olga).get(url).context["form"]
    offered = set(form.fields["person_role"].queryset.values_list("name", flat=True))
    assert offered == {"Reseller", "Administrator", "User"}


@pytest.mark.parametrize(
    ("field", "model"), [("region", Region), ("dial_plan", DialPlan)]
)
def test_missing_region_or_dial_plan_is_refused(
    world: World, ann: Client, field: str, model: Any
) -> None:
    row = model.objects.create(name="North")
    assert _new(ann, world, **{field: row.pk}).status_code == 302
    assert getattr(_delta(), field) == row
    response = _new(ann, world, name="Epsilon", **{field: row.pk + 1})
    assert set(errors_of(response)) == {field}


def test_region_is_asked_for_only_where_there_are_regions(
    world: World, ann: Client
) -> None:
    fields = ann.get(_url(world)).context["form"].fields
    assert not {"region", "dial_plan", "prefix"} & set(fields)
    assert _new(ann, world, region="1", dial_plan="1", prefix="7").status_code == 302
    assert (_delta().region, _delta().prefix) == (None, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bill_type", "barter"),
        ("payment_type", "gold"),
        ("currency", "XXX"),
        ("currency", "eur"),
        ("lock", "everything"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("country", "XX"),
        ("language", "tlh"),
        ("contract", "9_year"),
        ("invoice_format", "doc"),
        ("send_invoices", "maybe"),
        ("affiliate_type", "all"),
    ],
)
def test_choice_that_was_never_offered_is_refused(
    world: World, ann: Client, field: str, value: str
) -> None:
    assert set(errors_of(_new(ann, world, **{field: value}))) == {field}


def test_fields_that_are_not_on_the_form_change_nothing(
    world: World, ann: Client
) -> None:
    response = _new(
        ann,
        world,
        parent=world.rival.pk,
        path="1.",
        kind="residential",
        balance="1000000",
        provider=world.rival.pk,
        contract_ends_on="2020-01-01",
        account_counter="1",
        deleted_at="2020-01-01",
        id=world.rival.pk,
    )
    assert response.status_code == 302
    delta = _delta()
    assert (delta.parent, delta.kind) == (world.acme, "normal")
    assert (delta.account.balance, delta.account.provider) == (0, world.acme)
    assert delta.deleted_at is None


# --- Residential ------------------------------------------------------------------------


def _residential(client: Client, world: World, **changes: Any) -> Any:
    entries = {
        "number": world.numbers[0].pk,
        "person_first_name": "Rosa",
        "person_last_name": "Reich",
        "email": "rosa@home.test",
    }
    url = _url(world, "new/residential/")
    return client.post(url, _least(world) | entries | changes)


@pytest.mark.parametrize("number", ["", "0", "x", "²", "9" * 30, "rivals", "in use"])
def test_number_that_is_not_free_is_refused(
    world: World, ann: Client, number: str
) -> None:
    with scopes_disabled():
        rivals = Number.objects.create(
            number="+4940555010",
            customer=world.rival,
            number_class=world.numbers[0].number_class,
        )
    values = {"rivals": rivals.pk, "in use": world.numbers[1].pk}
    if number == "in use":
        assert _residential(ann, world, number=world.numbers[1].pk).status_code == 302
    response = _residential(ann, world, number=values.get(number, number))
    assert set(errors_of(response)) == {"number"}
    assert response.context["form"]["person_last_name"].value() == "Reich"
    assert "+49 40" not in response.content.decode()  # whose number it is, stays there


@pytest.mark.parametrize("field", ["person_first_name", "person_last_name", "email"])
def test_residential_customer_needs_a_name_and_an_address(
    world: World, ann: Client, field: str
) -> None:
    assert set(errors_of(_residential(ann, world, **{field: ""}))) == {field}


def test_taken_login_is_said_at_the_number(world: World, ann: Client) -> None:
    with scopes_disabled():
        Person.objects.create(
            customer=world.rival,
            username=world.numbers[0].number,
            role=Role.objects.get(name="User"),
        )
    assert errors_of(_residential(ann, world)) == {
        "number": [
            "+49305550100 is already the name of a customer, a line or a person."
            " Choose another."
        ]
    }
    assert _residential(ann, world, number=world.numbers[1].pk).status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        {"digits": "²"},
        {"digits": "%"},
        {"digits": "0" * 5000},
        {"number_class": "²"},
        {"number_class": "9" * 5000},
        {"number_class": "x"},
        {"area": "\0"},
        {"area": "Berlin'; --"},
        {"number": "²"},
        {"number": "9" * 30},
    ],
)
def test_picker_takes_anything(
    world: World, ann: Client, query: dict[str, str]
) -> None:
    response = ann.get(_url(world, "new/numbers/"), query)
    assert response.status_code == 200


def test_picker_offers_the_own_free_numbers(world: World, ann: Client) -> None:
    with scopes_disabled():
        Number.objects.filter(pk=world.numbers[2].pk).update(customer=world.rival)

    def found(**query: str) -> list[str]:
        response = ann.get(_url(world, "new/numbers/"), query)
        return [number.number for number in response.context["options"]]

    assert found() == ["+49305550100", "+49305550101"]
    assert found(digits="0101") == ["+49305550101"]
    assert found(area="Berlin") == ["+49305550100", "+49305550101"]
    assert found(area="Hamburg") == []
    assert found(digits="0101", number=str(world.numbers[0].pk)) == [
        "+49305550100",  # the chosen one stays in sight
        "+49305550101",
    ]
    assert found(digits="0101", number=str(world.numbers[2].pk)) == ["+49305550101"]


# --- Without plans ----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["new/normal/", "new/residential/"])
def test_reseller_without_a_plan_is_told_what_to_do(world: World, page: str) -> None:
    with scopes_disabled():
        RatePlan.objects.exclude(pk=world.root_plan.pk).update(share="no")
        BillingAccount.objects.filter(plan=world.rival_plan).delete()
        RatePlan.objects.filter(pk=world.rival_plan.pk).delete()
    url = f"/a/{world.rival.pk}/commerce/customers/{page}"
    client = world.client(world.eve)
    response = client.get(url)
    assert response.status_code == 200
    assert "customers/no_plan.html" in {t.name for t in response.templates}
    entries = {"name": "Delta", "email": "a@b.test", "plan": world.acme_plan.pk}
    assert client.post(url, entries).status_code == 422


# --- An account number that means somebody else -----------------------------------------


@pytest.mark.parametrize("whose", ["rival", "root", "own"])
@pytest.mark.parametrize("page", ["", "edit/", "people/", "notes/", "lock/", "delete/"])
def test_customer_of_somebody_else_is_not_found(
    world: World, ann: Client, whose: str, page: str
) -> None:
    pk = (world.acme if whose == "own" else getattr(world, whose)).pk
    assert ann.get(_url(world, f"{pk}/{page}")).status_code == 404
    assert ann.post(_url(world, f"{pk}/{page}")).status_code in {404, 405}


def test_form_of_another_account_is_not_saved_here(world: World, ann: Client) -> None:
    """A page opened in one account and posted to another goes by the address."""
    entries = entries_of(ann.get(_url(world)), name="Delta", email="a@b.test")
    other = f"/a/{world.rival.pk}/commerce/customers/new/normal/"
    assert ann.post(other, entries).status_code == 404
    with subtree(world.acme):
        assert _create(world).parent == world.acme
