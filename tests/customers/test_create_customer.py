"""Making customers: what a new one gets, what is refused, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from time_machine import travel

from billing.models import BillingAccount, Tax
from customers.choices import CustomerKind, Lock
from customers.models import Customer, Mailbox, Number, Person, Role, TelephoneLine
from customers.services import tree
from customers.services.account_numbers import propose_account_number
from customers.services.customers import NewPerson, create_normal
from portal.core.actor import Actor
from portal.core.models import AuditEvent, OutgoingEmail
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import Contract
from tests.world import World

EVERYTHING = (
    Customer,
    BillingAccount,
    Person,
    TelephoneLine,
    Mailbox,
    Number,
    OutgoingEmail,
    AuditEvent,
)


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    """The world as Ann sees it, from Acme."""
    with subtree(world.acme):
        yield world


def _create(world: World, **changes: Any) -> Customer:
    arguments: dict[str, Any] = {
        "parent": world.acme,
        "values": {"name": "Delta Dental", "email": "office@delta.test"}
        | changes.pop("values", {}),
        "account": {"plan": world.acme_plan} | changes.pop("account", {}),
        "by": world.actor(world.ann),
    }
    return create_normal(**arguments | changes)


def _count() -> dict[str, int]:
    with scopes_disabled():
        return {model.__name__: model.objects.count() for model in EVERYTHING}


def _taxes(account: BillingAccount) -> list[str]:
    """Names of the taxes it is liable for, those of accounts above included."""
    return list(account.liabilities.values_list("tax__name", flat=True))


def _refusal(make: Callable[[], Any]) -> dict[str, list[str]]:
    """The codes of the refusal by field; nothing may be left of what was refused."""
    before = _count()
    with pytest.raises(ValidationError) as refusal:
        make()
    assert _count() == before
    return {
        field: [str(error.code) for error in errors]
        for field, errors in refusal.value.error_dict.items()
    }


# --- What a new customer is -----------------------------------------------------------


def test_normal_customer_has_its_place_number_and_account(inside: World) -> None:
    customer = _create(inside)
    customer.refresh_from_db()
    assert customer.kind == CustomerKind.NORMAL
    assert customer.path == f"{inside.acme.path}{customer.pk}."
    assert customer.account_number == "100002"  # Beta has 100001
    assert (customer.time_zone, customer.country) == ("Europe/Berlin", "DE")
    account = customer.account
    assert account.provider == inside.acme
    assert (account.currency, account.bill_type) == ("EUR", "postpaid")  # the plan's
    assert account.balance == 0
    assert _taxes(account) == ["VAT"]
    assert not Person.objects.filter(customer=customer).exists()


def test_first_administrator_is_mailed_a_link(inside: World) -> None:
    customer = _create(
        inside, administrator=NewPerson("dora@delta.test", "Dora", "Dent")
    )
    person = Person.objects.get(customer=customer)
    assert person.display_name == "Dora Dent"
    assert person.role.name == "Administrator"
    assert not person.has_usable_password()
    email = OutgoingEmail.objects.get(person=person)
    assert (email.kind, email.to) == ("login_details", ["office@delta.test"])


def test_customer_may_begin_as_a_reseller(inside: World) -> None:
    role = Role.objects.get(name="Reseller")
    customer = _create(inside, administrator=NewPerson("dora", role=role))
    assert Person.objects.get(customer=customer).role == role


def test_creation_is_written_down_with_what_was_set(inside: World) -> None:
    customer = _create(
        inside,
        values={"lock": Lock.WEB, "lock_reason": "unpaid"},
        account={"credit_limit": Decimal(50)},
    )
    event = AuditEvent.objects.get(action="customer.created", object_id=customer.pk)
    assert (event.person, event.source_ip) == (inside.ann, "192.0.2.1")
    assert (event.path, event.customer_name) == (customer.path, "Delta Dental")
    changes = {change.field: (change.old, change.new) for change in event.changes.all()}
    assert changes["name"] == ("", "Delta Dental")
    assert changes["lock"] == ("", "Web interface")
    assert changes["plan"] == ("", "Acme basic")
    assert changes["credit_limit"] == ("", "50")
    assert "fax" not in changes


@pytest.mark.parametrize(
    "person",
    ["olga", "ann", "ben"],
    ids=["from the root", "a level below", "two below"],
)
def test_each_level_creates_directly_below_itself(world: World, person: str) -> None:
    actor = world.actor(getattr(world, person))
    parent = actor.customer
    plans = {"olga": world.root_plan, "ann": world.acme_plan, "ben": world.beta_plan}
    with subtree(parent):
        customer = _create(
            world, parent=parent, account={"plan": plans[person]}, by=actor
        )
    assert customer.parent == parent
    assert customer.ancestor_ids == [*parent.ancestor_ids, parent.pk]


def test_tree_has_no_end(inside: World) -> None:
    parent = inside.gamma
    for level in range(40):
        parent = _create(
            inside,
            parent=parent,
            values={"name": f"Level {level}"},
            account={"plan": inside.shared_plan},
        )
    assert parent.depth == inside.gamma.depth + 40
    assert [row.pk for row in parent.ancestors()] == parent.ancestor_ids
    assert parent.is_below(inside.acme)
    assert not parent.is_below(inside.rival)


# --- Refusals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": " \t "}, "name", "blank"),
        ({"name": "\u200b"}, "name", "no_letter"),
        ({"name": "x" * 121}, "name", "max_length"),
        ({"name": "a\x07b"}, "name", "control"),
        ({"name": "[Beta]"}, "name", "bracket"),
        ({"name": "\ufdfa" * 120}, "name", "too_long"),
        ({"name": "Beta Voice"}, "name", "taken"),
        ({"name": "Rival Phones"}, "name", "taken"),
        ({"name": "Trunk Systems"}, "name", "taken"),
        ({"email": ""}, "email", "blank"),
        ({"email": "nonsense"}, "email", "invalid_email"),
        ({"email": ", ".join(f"a{n}@b.test" for n in range(6))}, "email", "too_many"),
        ({"account_number": "100001"}, "account_number", "taken"),
        ({"account_number": "9" * 21}, "account_number", "max_length"),
        ({"lock": "everything"}, "lock", "invalid_choice"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "time_zone"),
        ({"country": "XX"}, "country", "country"),
        ({"telephone": "12"}, "telephone", "invalid_number"),
        ({"telephone": "+49 30 901820"}, "telephone", "not_e164"),
        ({"callerid": "anonymous"}, "callerid", "invalid_number"),
        ({"concurrent_calls": -2}, "concurrent_calls", "min_value"),
        ({"bulk_calls": 10**9}, "bulk_calls", "max_value"),
        ({"voicemail_days": 0}, "voicemail_days", "min_value"),
        ({"prefix": "12a"}, "prefix", "invalid"),
    ],
)
def test_value_is_refused_at_its_field(
    inside: World, values: dict[str, Any], field: str, code: str
) -> None:
    assert _refusal(lambda: _create(inside, values=values)) == {field: [code]}


@pytest.mark.parametrize(
    ("account", "field", "code"),
    [
        ({"credit_limit": Decimal(-1)}, "credit_limit", "min_value"),
        ({"credit_limit": Decimal("0.0000001")}, "credit_limit", "max_decimal_places"),
        ({"credit_limit": Decimal("1e18")}, "credit_limit", "max_whole_digits"),
        ({"credit_limit": Decimal("NaN")}, "credit_limit", "invalid"),
        ({"credit_limit": Decimal("Infinity")}, "credit_limit", "invalid"),
        ({"credit_limit": Decimal("0.001")}, "credit_limit", "minor_unit"),
        (
            {"currency": "JPY", "low_balance": Decimal("0.5")},
            "low_balance",
            "minor_unit",
        ),
        ({"auto_topup": Decimal("0.001")}, "auto_topup", "minor_unit"),
        ({"call_maximum": Decimal("0.001")}, "call_maximum", "minor_unit"),
        ({"call_maximum": Decimal("-1.5")}, "call_maximum", "min_value"),
        ({"currency": "XXX"}, "currency", "invalid_currency"),
        ({"bill_type": "barter"}, "bill_type", "invalid_choice"),
        ({"due_days": 366}, "due_days", "max_value"),
        ({"affiliate_percentage": 101}, "affiliate_percentage", "max_value"),
    ],
)
def test_account_value_is_refused_at_its_field(
    inside: World, account: dict[str, Any], field: str, code: str
) -> None:
    assert _refusal(lambda: _create(inside, account=account)) == {field: [code]}


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "1"), ("EUR", "0.01"), ("KWD", "0.001")]
)
def test_smallest_amount_of_each_currency_is_accepted(
    inside: World, currency: str, amount: str
) -> None:
    customer = _create(
        inside, account={"currency": currency, "credit_limit": Decimal(amount)}
    )
    customer.account.refresh_from_db()
    assert customer.account.credit_limit == Decimal(amount)


def test_name_of_a_deleted_customer_stays_taken(inside: World) -> None:
    tree.delete_customer(customer=inside.gamma, by=inside.actor(inside.ann))
    refusal = _refusal(lambda: _create(inside, values={"name": "gamma  BAKERY"}))
    assert refusal == {"name": ["taken"]}


def test_same_account_number_at_another_reseller_is_fine(inside: World) -> None:
    assert inside.gamma.account_number == inside.beta.account_number == "100001"
    customer = _create(
        inside,
        parent=inside.beta,
        values={"account_number": "100002"},
        account={"plan": inside.beta_plan},
    )
    assert customer.account_number == "100002"


def test_unknown_field_is_a_mistake_in_the_code(inside: World) -> None:
    with pytest.raises(TypeError, match="path"):
        _create(inside, values={"path": "1."})
    with pytest.raises(TypeError, match="balance"):
        _create(inside, account={"balance": Decimal(5)})


# --- Who may --------------------------------------------------------------------------


@pytest.mark.parametrize("parent", ["root", "rival"])
def test_nobody_creates_above_or_beside_the_own_account(
    world: World, parent: str
) -> None:
    before = _count()
    with scopes_disabled(), pytest.raises(PermissionDenied):
        _create(world, parent=getattr(world, parent))
    assert _count() == before


def test_parent_out_of_scope_is_out_of_reach(inside: World) -> None:
    with pytest.raises(PermissionDenied):
        _create(inside, parent=inside.rival)


@pytest.mark.parametrize("person", ["uli", "gil"])
def test_role_without_commerce_creates_nothing(world: World, person: str) -> None:
    actor = world.actor(getattr(world, person))
    with subtree(actor.customer), pytest.raises(PermissionDenied):
        _create(world, parent=actor.customer, by=actor)


def test_role_without_administration_makes_customers_but_no_people(
    inside: World,
) -> None:
    everything = inside.actor(inside.ann)
    actor = Actor(
        customer=everything.customer,
        person=everything.person,
        permissions=everything.permissions - {Permission.ADMINISTRATOR},
    )
    before = _count()
    with pytest.raises(PermissionDenied):
        _create(inside, by=actor, administrator=NewPerson("dora"))
    assert _count() == before
    assert _create(inside, by=actor).name == "Delta Dental"


def test_nothing_is_created_below_a_deleted_customer(inside: World) -> None:
    tree.delete_customer(customer=inside.gamma, by=inside.actor(inside.ann))
    with pytest.raises(PermissionDenied):
        _create(inside, parent=inside.gamma)


# --- The first administrator ----------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "field", "code"),
    [
        (NewPerson("ANN@acme.test"), "person_username", "taken"),
        (NewPerson("eve @rival.test"), "person_username", "taken"),
        (NewPerson("[x]"), "person_username", "bracket"),
        (NewPerson("\uff3bBeta Voice\uff3d"), "person_username", "bracket"),
        (NewPerson("x" * 151), "person_username", "max_length"),
        (NewPerson("x", first_name="y" * 61), "person_first_name", "max_length"),
        (NewPerson("x", emails="nonsense"), "person_emails", "invalid_email"),
    ],
)
def test_refused_administrator_leaves_no_customer(
    inside: World, person: NewPerson, field: str, code: str
) -> None:
    refusal = _refusal(lambda: _create(inside, administrator=person))
    assert refusal == {field: [code]}


def test_nobody_gives_a_role_that_can_more_than_oneself(inside: World) -> None:
    owner = Role.objects.get(name="System owner")
    refusal = _refusal(
        lambda: _create(inside, administrator=NewPerson("dora", role=owner))
    )
    assert refusal == {"person_role": ["role"]}


def test_not_even_the_system_owner_makes_another_one_below(world: World) -> None:
    owner = Role.objects.get(name="System owner")
    with subtree(world.root):
        refusal = _refusal(
            lambda: _create(
                world,
                parent=world.root,
                account={"plan": world.root_plan},
                administrator=NewPerson("dora", role=owner),
                by=world.actor(world.olga),
            )
        )
    assert refusal == {"person_role": ["role"]}


# --- Taxes and affiliates -------------------------------------------------------------


@pytest.mark.parametrize(
    ("liable", "is_shared", "owner", "applies"),
    [
        ("all", False, "acme", True),
        ("new", False, "acme", True),
        ("nobody", False, "acme", False),
        ("all", True, "root", False),  # the reseller below decides for itself
        ("all", False, "rival", False),
    ],
)
def test_new_customers_are_liable_for_their_resellers_taxes(
    world: World, liable: str, is_shared: bool, owner: str, applies: bool
) -> None:
    with scopes_disabled():
        Tax.objects.create(
            owner=getattr(world, owner), name="Levy", liable=liable, is_shared=is_shared
        )
    with subtree(world.acme):
        customer = _create(world)
        assert ("Levy" in _taxes(customer.account)) is applies


def test_taxes_given_replace_the_default_ones(inside: World) -> None:
    with scopes_disabled():
        shared = Tax.objects.create(owner=inside.root, name="Levy", is_shared=True)
    assert _taxes(_create(inside, taxes=[shared]).account) == ["Levy"]
    second = _create(inside, values={"name": "Epsilon"}, taxes=[])
    assert _taxes(second.account) == []


@pytest.mark.parametrize(("owner", "is_shared"), [("rival", True), ("root", False)])
def test_foreign_tax_is_refused(world: World, owner: str, is_shared: bool) -> None:
    with scopes_disabled():
        tax = Tax.objects.create(
            owner=getattr(world, owner), name="Levy", is_shared=is_shared
        )
    with subtree(world.acme):
        assert set(_refusal(lambda: _create(world, taxes=[tax]))) == {"taxes"}


def test_affiliate_is_another_customer_of_the_same_reseller(inside: World) -> None:
    share = {"affiliate_type": "revenue", "affiliate_percentage": 5}
    customer = _create(inside, account={"affiliate": inside.beta, **share})
    assert customer.account.affiliate == inside.beta


@pytest.mark.parametrize("affiliate", ["root", "acme", "gamma", "rival"])
def test_affiliate_from_elsewhere_is_refused(world: World, affiliate: str) -> None:
    account = {
        "affiliate": getattr(world, affiliate),
        "affiliate_type": "profit",
        "affiliate_percentage": 5,
    }
    with subtree(world.acme):
        refusal = _refusal(lambda: _create(world, account=account))
    assert refusal == {"affiliate": ["affiliate"]}


def test_deleted_affiliate_is_refused(inside: World) -> None:
    by = inside.actor(inside.ann)
    epsilon = _create(inside, values={"name": "Epsilon"})
    account = {"affiliate": epsilon, "affiliate_type": "revenue"}
    tree.delete_customer(customer=epsilon, by=by)  # after the form had read it
    refusal = _refusal(lambda: _create(inside, account=account))
    assert refusal == {"affiliate": ["affiliate"]}


@pytest.mark.parametrize(
    "account",
    [{"affiliate_type": "revenue"}, {"affiliate_percentage": 5}],
)
def test_share_without_an_affiliate_is_refused(
    inside: World, account: dict[str, Any]
) -> None:
    refusal = _refusal(lambda: _create(inside, account=account))
    assert refusal == {"affiliate": ["required"]}


def test_affiliate_without_a_kind_of_share_is_refused(inside: World) -> None:
    account = {"affiliate": inside.beta, "affiliate_percentage": 5}
    refusal = _refusal(lambda: _create(inside, account=account))
    assert refusal == {"affiliate_type": ["required"]}


# --- Minimum contract -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "zone", "contract", "ends"),
    [
        ("2026-01-31T12:00", "UTC", Contract.ONE_MONTH, date(2026, 2, 28)),
        ("2028-01-31T12:00", "UTC", Contract.ONE_MONTH, date(2028, 2, 29)),
        ("2028-02-29T12:00", "UTC", Contract.ONE_YEAR, date(2029, 2, 28)),
        ("2026-08-31T12:00", "UTC", Contract.SIX_MONTHS, date(2027, 2, 28)),
        ("2026-06-30T12:00", "UTC", Contract.EIGHTEEN_MONTHS, date(2027, 12, 30)),
        # Already the 1st in Kiritimati, still the 30th in Los Angeles.
        (
            "2026-06-30T12:00",
            "Pacific/Kiritimati",
            Contract.ONE_MONTH,
            date(2026, 8, 1),
        ),
        (
            "2026-07-01T03:00",
            "America/Los_Angeles",
            Contract.ONE_MONTH,
            date(2026, 7, 30),
        ),
        # The hour before the clocks change.
        ("2026-03-29T00:30", "Europe/Berlin", Contract.THREE_MONTHS, date(2026, 6, 29)),
        ("2026-01-31T12:00", "UTC", Contract.NONE, None),
    ],
)
def test_contract_ends_on_the_customers_own_calendar(
    inside: World, created: str, zone: str, contract: Contract, ends: date | None
) -> None:
    moment = datetime.fromisoformat(created).replace(tzinfo=UTC)
    with travel(moment, tick=False):
        customer = _create(
            inside, values={"time_zone": zone}, account={"contract": contract}
        )
    assert customer.account.contract_ends_on == ends


def test_contract_left_to_the_plan_is_the_plans(inside: World) -> None:
    inside.acme_plan.contract = Contract.ONE_YEAR
    inside.acme_plan.save()
    created = _create(inside).account
    assert created.contract == ""
    assert created.contract_ends_on is not None
    assert created.contract_ends_on.year == timezone.now().year + 1
    none = {"contract": Contract.NONE}
    other = _create(inside, values={"name": "Epsilon"}, account=none).account
    assert other.contract_ends_on is None


# --- Account numbers ------------------------------------------------------------------


def test_numbers_go_up_and_step_over_what_was_given_by_hand(inside: World) -> None:
    _create(inside, values={"name": "A", "account_number": "100003"})
    assert propose_account_number(inside.acme) == "100002"
    given = [
        _create(inside, values={"name": name}).account_number
        for name in ("B", "C", "D")
    ]
    assert given == ["100002", "100004", "100005"]


def test_blank_account_number_means_the_next_one(inside: World) -> None:
    assert _create(inside, values={"account_number": "  "}).account_number == "100002"


def test_number_that_became_free_is_not_given_again(inside: World) -> None:
    by = inside.actor(inside.ann)
    first = _create(inside)
    tree.delete_customer(customer=first, by=by)
    tree.purge_customer(customer=first, by=by)
    assert _create(inside).account_number == "100003"


def test_proposal_passes_a_long_row_of_taken_numbers_in_few_queries(
    inside: World, django_assert_max_num_queries: Any
) -> None:
    Customer.objects.bulk_create(
        Customer(
            parent=inside.acme,
            path=f"{inside.acme.path}{9_000_000 + count}.",
            name=f"Bulk {count}",
            account_number=str(100_002 + count),
            email="a@b.test",
        )
        for count in range(1200)
    )
    with django_assert_max_num_queries(4):
        assert propose_account_number(inside.acme) == "101202"


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(numbers=st.lists(st.integers(100_001, 100_012).map(str), unique=True))
def test_proposal_is_the_first_number_nobody_has(
    inside: World, numbers: list[str]
) -> None:
    below = Customer.objects.filter(parent=inside.acme)
    below.exclude(pk=inside.beta.pk).delete()
    Customer.objects.bulk_create(
        Customer(
            parent=inside.acme,
            path=f"{inside.acme.path}{8_000_000 + int(number)}.",
            name=f"Bulk {number}",
            account_number=number,
            email="a@b.test",
        )
        for number in numbers
        if number != inside.beta.account_number
    )
    taken = set(below.values_list("account_number", flat=True))
    free = next(str(n) for n in range(100_001, 100_020) if str(n) not in taken)
    assert propose_account_number(inside.acme) == free
