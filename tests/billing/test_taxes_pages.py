"""Commerce » Taxes: services and pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing import ledger
from billing.choices import EntryKind, TaxDefault
from billing.models import Charge, Product, Tax, TaxLiability
from billing.services import taxes
from billing.taxes import TaxPart
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from tests.billing.pages import labels_of, url_of
from tests.customers.features import (
    ODD_NAMES,
    actions_of,
    queries_of,
    refusals_of,
    without,
)
from tests.pages import entries_of, errors_of, send
from tests.world import World


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def make(world: World, **values: Any) -> Tax:
    with subtree(world.acme):
        return taxes.create_tax(
            owner=world.acme,
            values={"name": "Sales tax", "rate": Decimal(7)} | values,
            by=world.actor(world.ann),
        )


def liable_for(tax: Tax) -> set[str]:
    with scopes_disabled():  # whoever is liable, wherever it is
        return set(tax.liabilities.values_list("account__customer__name", flat=True))


# --- Services -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("liable", "now"),
    [
        (TaxDefault.NOBODY, set()),
        (TaxDefault.NEW, set()),
        (TaxDefault.ALL, {"Beta Voice"}),
    ],
)
def test_who_is_liable_when_a_tax_is_made(
    world: World, liable: TaxDefault, now: set[str]
) -> None:
    """Own customers only: neither those below them nor the account itself."""
    assert liable_for(make(world, liable=liable)) == now


def test_deleted_customers_do_not_become_liable(world: World) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(deleted_at=timezone.now())
    assert liable_for(make(world, liable=TaxDefault.ALL)) == set()


def test_all_become_liable_in_one_statement(world: World) -> None:
    tax = make(world, liable=TaxDefault.NOBODY)
    with CaptureQueriesContext(connection) as queries:
        assert taxes.make_everybody_liable(tax) == 1
        assert taxes.make_everybody_liable(tax) == 0
    assert len(queries) == 2


@pytest.mark.parametrize(
    ("before", "after", "becomes"),
    [("nobody", "all", True), ("nobody", "new", False), ("all", "all", False)],
)
def test_changing_the_default_to_all_makes_existing_customers_liable(
    world: World, before: str, after: str, becomes: bool
) -> None:
    tax = make(world, liable=before)
    with subtree(world.acme):
        TaxLiability.objects.filter(tax=tax).delete()
        taxes.update_tax(tax=tax, values={"liable": after}, by=world.actor(world.ann))
    assert (liable_for(tax) == {"Beta Voice"}) is becomes


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "vat"}, "name"),  # taken, in other letters
        ({"rate": Decimal(-1)}, "rate"),
        ({"rate": Decimal("100.1")}, "rate"),
        ({"rate": Decimal(0)}, "rate"),  # and no amount
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": Decimal("0.001")}, "amount"),
        ({"amount": Decimal("0.5"), "currency": "JPY"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"liable": "some"}, "liable"),
        ({"is_shared": True}, "is_shared"),
        ({"is_vat": True, "amount": Decimal(1)}, "is_vat"),
    ],
)
def test_what_a_tax_cannot_be(world: World, values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(world, **values)
    assert list(refusals_of(caught)) == [field]


@pytest.mark.parametrize(
    ("values", "is_vat"),
    [
        ({}, True),
        ({"is_vat": False}, False),  # a sales tax
        ({"amount": Decimal(1)}, False),  # a flat levy, whatever its rate
    ],
)
def test_a_pure_percentage_is_vat_unless_it_is_told_not_to_be(
    world: World, values: dict[str, Any], is_vat: bool
) -> None:
    assert make(world, **values).is_vat is is_vat


def test_vat_is_made_another_levy_before_it_gets_an_amount(world: World) -> None:
    tax = make(world)
    with subtree(world.acme):
        by = world.actor(world.ann)
        with pytest.raises(ValidationError) as caught:
            taxes.update_tax(tax=tax, values={"amount": Decimal(1)}, by=by)
        assert list(refusals_of(caught)) == ["is_vat"]
        values = {"amount": Decimal(1), "is_vat": False}
        taxes.update_tax(tax=Tax.objects.get(pk=tax.pk), values=values, by=by)
        event = AuditEvent.objects.get(action="tax.updated")
        changes = {each.field: (each.old, each.new) for each in event.changes.all()}
    assert changes["is_vat"] == ("yes", "no")


def test_the_system_owner_shares_a_tax(world: World) -> None:
    with subtree(world.root):
        tax = taxes.create_tax(
            owner=world.root,
            values={"name": "Fund", "rate": 1, "is_shared": True},
            by=world.actor(world.olga),
        )
    assert tax.is_shared
    assert liable_for(tax) == {"Acme Telecom", "Rival Phones"}


def test_services_need_right_and_account(world: World) -> None:
    weak = without(world.actor(world.ann), Permission.COMMERCE)
    for by in (weak, world.actor(world.eve)):
        with subtree(world.root):
            with pytest.raises(PermissionDenied):
                taxes.create_tax(
                    owner=world.acme, values={"name": "T", "rate": 1}, by=by
                )
            with pytest.raises(PermissionDenied):
                taxes.update_tax(tax=world.acme_tax, values={"rate": 1}, by=by)
            with pytest.raises(PermissionDenied):
                taxes.delete_tax(tax=world.acme_tax, by=by)


def test_update_from_an_old_state_overwrites_nothing(world: World) -> None:
    tax, by = world.acme_tax, world.actor(world.ann)
    seen = state_of(tax, taxes.FIELDS)
    with subtree(world.acme):
        taxes.update_tax(tax=tax, values={"rate": 20}, by=by)
        with pytest.raises(StaleError):
            taxes.update_tax(tax=tax, values={"rate": 21}, seen=seen, by=by)
    tax.refresh_from_db()
    assert tax.rate == 20
    assert actions_of(tax) == ["tax.updated"]


def _be_liable(world: World) -> None:
    TaxLiability.objects.create(account=world.beta.account, tax=world.acme_tax)


def _bear_charge(world: World) -> None:
    charge = Charge.objects.create(
        owner=world.acme,
        account=world.beta.account,
        name="Rental",
        currency="EUR",
        starts_on=timezone.localdate() + timedelta(days=1),
    )
    charge.taxes.add(world.acme_tax)


def _bear_product(world: World) -> None:
    product = Product.objects.create(owner=world.acme, name="Phone", currency="EUR")
    product.taxes.add(world.acme_tax)


def _be_posted(world: World) -> None:
    part = TaxPart(world.acme_tax.pk, "VAT", Decimal(19), Decimal("1.90"), is_vat=True)
    posting = ledger.debit(
        world.beta.account.pk, "k", EntryKind.DEBIT, Decimal(10), "x", taxes=[part]
    )
    ledger.post([posting], by=system_actor(world.acme), within_limits=False)


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (_be_liable, "1 customer is liable for it."),
        (_bear_charge, "1 charge bears it."),
        (_bear_product, "1 product bears it."),
        (_be_posted, "1 ledger entry states it."),
    ],
)
def test_a_tax_in_use_stays_and_says_who_uses_it(
    world: World, ann: Client, use: Any, sentence: str
) -> None:
    with subtree(world.acme):
        use(world)
        with pytest.raises(ValidationError) as caught:
            taxes.delete_tax(tax=world.acme_tax, by=world.actor(world.ann))
    assert refusals_of(caught) == {"": [sentence]}
    page = ann.get(url_of(world.acme, "tax-delete", pk=world.acme_tax.pk))
    assert sentence in page.context["refusal"]


# --- Pages ----------------------------------------------------------------------------


def test_the_list_shows_own_taxes_and_how_many_are_liable(
    world: World, ann: Client
) -> None:
    make(world, liable=TaxDefault.ALL)
    with scopes_disabled():
        Tax.objects.create(owner=world.rival, name="Foreign", rate=1)
    page = ann.get(url_of(world.acme, "tax-list"))
    assert labels_of(page) == ["Sales tax", "VAT"]
    cells = [cell for row in page.context["table"].rows for cell in row.cells]
    liable = [cell.html for cell in cells if cell.column.key == "customers"]
    assert liable == ["1", "0"]
    text = page.content.decode()
    assert "7 %" in text
    assert "everything" in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=sales", ["Sales tax"]),
        ("liable=nobody", []),
        ("sort=-rate", ["VAT", "Sales tax"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(
    world: World, ann: Client, query: str, names: list[str]
) -> None:
    make(world)
    assert labels_of(ann.get(f"{url_of(world.acme, 'tax-list')}?{query}")) == names


def test_the_list_costs_the_same_for_one_and_for_many(
    world: World, ann: Client
) -> None:
    url = url_of(world.acme, "tax-list")
    before = queries_of(ann, url)
    for number in range(5):
        make(world, name=f"Tax {number}")
    assert queries_of(ann, url) == before <= 30


def test_a_tax_is_made_on_its_page(world: World, ann: Client) -> None:
    url = url_of(world.acme, "tax-create")
    answer = send(
        ann,
        url,
        name="Fund",
        amount="0,25",
        is_vat=None,
        applies_calls=None,
        liable="all",
    )
    assert answer.url == url_of(world.acme, "tax-list")
    page = ann.get(answer.url)
    assert "1 customer is liable" in " ".join(map(str, page.context["messages"]))
    with subtree(world.acme):
        tax = Tax.objects.get(name="Fund")
    assert (tax.rate, tax.amount, tax.currency) == (0, Decimal("0.25"), "EUR")
    assert not tax.is_vat
    assert tax.applies_accounts
    assert not tax.applies_calls
    assert actions_of(tax) == ["tax.created"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u202egnp"}, "name"),
        ({"rate": "101"}, "rate"),
        ({"rate": "much"}, "rate"),
        ({"rate": "", "amount": ""}, "rate"),
        ({"amount": "0.001", "is_vat": ""}, "amount"),
        ({"amount": "1"}, "is_vat"),
        ({"currency": "XXX"}, "currency"),
    ],
)
def test_the_page_refuses_at_the_field(
    world: World, ann: Client, changes: dict[str, str], field: str
) -> None:
    entries = {"name": "Kept", "rate": "5"} | changes
    answer = send(ann, url_of(world.acme, "tax-create"), **entries)
    assert field in errors_of(answer)
    with subtree(world.acme):
        assert Tax.objects.count() == 1


def test_only_the_system_owner_is_asked_whether_to_share(
    world: World, ann: Client
) -> None:
    form = ann.get(url_of(world.acme, "tax-create")).context["form"]
    assert "is_shared" not in form.fields
    url = url_of(world.root, "tax-create")
    olga = world.client(world.olga)
    assert send(olga, url, name="Fund", rate="1", is_shared="on").status_code == 302
    with scopes_disabled():
        assert Tax.objects.get(name="Fund").is_shared


def test_edit_saves_and_delete_asks_first(world: World, ann: Client) -> None:
    tax = world.acme_tax
    url = url_of(world.acme, "tax-edit", pk=tax.pk)
    assert send(ann, url, rate="20").status_code == 302
    tax.refresh_from_db()
    assert tax.rate == 20
    with subtree(world.acme):
        TaxLiability.objects.all().delete()
    url = url_of(world.acme, "tax-delete", pk=tax.pk)
    assert ann.get(url).context["consequences"]
    assert send(ann, url).url == url_of(world.acme, "tax-list")
    assert actions_of(tax) == ["tax.deleted", "tax.updated"]


def test_edit_of_what_others_changed_shows_it(world: World, ann: Client) -> None:
    url = url_of(world.acme, "tax-edit", pk=world.acme_tax.pk)
    entries = entries_of(ann.get(url), rate="21")
    send(world.client(world.ann), url, rate="20")
    answer = ann.post(url, entries)
    assert answer.status_code == 422
    assert "Rate: 19.00 → 20.00" in answer.content.decode()
    assert ann.post(url, entries_of(answer)).status_code == 302


@pytest.mark.parametrize("page", ["tax-edit", "tax-delete"])
@pytest.mark.parametrize("owner", ["beta", "rival", "root"])
def test_taxes_of_others_are_not_found(
    world: World, ann: Client, page: str, owner: str
) -> None:
    with scopes_disabled():
        tax = Tax.objects.create(owner=getattr(world, owner), name="T", rate=1)
    url = url_of(world.acme, page, pk=tax.pk)
    assert ann.get(url).status_code == ann.post(url).status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rate=19&currency=EUR", ("€100.00 × 19 %", "€19.00", "€119.00")),
        (
            "rate=19&amount=1,50&currency=EUR",
            ("€100.00 × 19 % + €1.50", "€20.50", "€120.50"),
        ),
        ("amount=1.50&currency=EUR", ("€1.50", "€1.50", "€101.50")),
        ("rate=10&currency=JPY", ("¥100 × 10 %", "¥10", "¥110")),
        ("rate=much&currency=EUR", None),
        ("", None),
    ],
)
def test_the_example_follows_what_is_typed(
    world: World, ann: Client, query: str, expected: tuple[str, ...] | None
) -> None:
    page = ann.get(f"{url_of(world.acme, 'tax-example')}?{query}")
    example = page.context["example"]
    told = tuple(example[name] for name in ("steps", "tax", "gross") if example)
    assert told == (expected or ())


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_shown_as_text(world: World, ann: Client, name: str) -> None:
    tax = make(world, name=name)
    for url in (
        url_of(world.acme, "tax-list"),
        url_of(world.acme, "tax-edit", pk=tax.pk),
        url_of(world.acme, "tax-delete", pk=tax.pk),
    ):
        assert "<script>alert" not in ann.get(url).content.decode()
