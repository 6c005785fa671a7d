"""Changing customers: what may change, who sees it, and nobody overwrites unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from time_machine import travel

from billing.models import BillingAccount, Tax
from customers.choices import Lock
from customers.models import Customer, Person
from customers.services import tree
from customers.services.customers import create_normal, update_customer
from customers.services.locks import set_lock
from customers.services.switching import pseudo_person
from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import Contract, Sharing
from rateplans.models import RatePlan
from tests.books import give
from tests.race import race
from tests.world import World, build_world


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    with subtree(world.acme):
        yield world


def _update(world: World, **changes: Any) -> Customer:
    customer = changes.pop("customer", world.beta)
    arguments: dict[str, Any] = {
        "customer": customer,
        "values": {},
        "account": {},
        "expected_version": Customer.objects.get(pk=customer.pk).version,
        "by": world.actor(world.ann),
    }
    return update_customer(**arguments | changes)


def _refusal(change: Callable[[], Any]) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refusal:
        change()
    return {
        field: [str(error.code) for error in errors]
        for field, errors in refusal.value.error_dict.items()
    }


# --- What changes, and what is written down ---------------------------------------------


def test_customer_and_account_change_together(inside: World) -> None:
    _update(
        inside,
        values={"name": " Beta   Voice GmbH ", "address_city": "Köln"},
        account={"credit_limit": Decimal("12.50"), "due_days": 30},
        taxes=[inside.acme_tax],
    )
    beta = Customer.objects.select_related("account").get(pk=inside.beta.pk)
    assert (beta.name, beta.address_city) == ("Beta Voice GmbH", "Köln")
    assert (beta.account.credit_limit, beta.account.due_days) == (Decimal("12.50"), 30)
    event = AuditEvent.objects.get(action="customer.updated")
    changes = {change.field: (change.old, change.new) for change in event.changes.all()}
    assert changes == {
        "name": ("Beta Voice", "Beta Voice GmbH"),
        "address_city": ("", "Köln"),
        "credit_limit": ("0.000000", "12.50"),
        "due_days": ("", "30"),
        "taxes": ("", "VAT"),
    }


def test_saving_without_a_change_leaves_no_trace(inside: World) -> None:
    before = inside.beta.version
    _update(inside, values={"name": "Beta Voice"}, account={"credit_limit": Decimal(0)})
    assert Customer.objects.get(pk=inside.beta.pk).version == before
    assert not AuditEvent.objects.filter(action="customer.updated").exists()


def test_every_change_counts_the_version(inside: World) -> None:
    versions = [inside.beta.version]
    for change in (
        {"values": {"fax": "+4930901820"}},
        {"account": {"bill_ref": "K-1"}},
        {"taxes": [inside.acme_tax]},
    ):
        versions.append(_update(inside, **change).version)
    assert versions == [1, 2, 3, 4]
    assert Customer.objects.get(pk=inside.beta.pk).version == 4


def test_renaming_renames_the_pseudo_person(inside: World) -> None:
    person = pseudo_person(inside.beta)
    _update(inside, values={"name": "Beta Two"})
    assert Person.objects.get(pk=person.pk).username == "[Beta Two]"


def test_name_may_change_in_nothing_but_its_case(inside: World) -> None:
    assert _update(inside, values={"name": "BETA voice"}).name == "BETA voice"


def test_two_customers_may_swap_names_in_three_steps(inside: World) -> None:
    pseudo_person(inside.beta)
    pseudo_person(inside.gamma)
    _update(inside, values={"name": "Somebody"})
    _update(inside, customer=inside.gamma, values={"name": "Beta Voice"})
    _update(inside, values={"name": "Gamma Bakery"})
    names = Person.objects.filter(is_pseudo=True).values_list("username", flat=True)
    assert set(names) == {"[Gamma Bakery]", "[Beta Voice]"}


def test_emptied_account_number_becomes_the_next_one(inside: World) -> None:
    assert _update(inside, values={"account_number": ""}).account_number == "100002"


def test_reason_goes_with_the_lock(inside: World) -> None:
    _update(inside, values={"lock": Lock.CALLS, "lock_reason": "unpaid"})
    assert _update(inside, values={"lock": Lock.NONE}).lock_reason == ""


# --- Refusals ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": "Rival Phones"}, "name", "taken"),
        ({"name": "ＡＣＭＥ telecom"}, "name", "taken"),
        ({"name": ""}, "name", "blank"),
        ({"email": "a@b.test, nonsense"}, "email", "invalid_email"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "time_zone"),
    ],
)
def test_value_is_refused_at_its_field_and_nothing_changes(
    inside: World, values: dict[str, Any], field: str, code: str
) -> None:
    change = {"values": {"fax": "+4930901820"} | values}
    assert _refusal(lambda: _update(inside, **change)) == {field: [code]}
    beta = Customer.objects.get(pk=inside.beta.pk)
    assert (beta.fax, beta.name, beta.version) == ("", "Beta Voice", 1)


def test_number_of_a_sibling_is_refused(inside: World) -> None:
    delta = create_normal(
        parent=inside.acme,
        values={"name": "Delta", "email": "d@d.test"},
        account={"plan": inside.acme_plan},
        by=inside.actor(inside.ann),
    )
    change = {"customer": delta, "values": {"account_number": "100001"}}
    assert _refusal(lambda: _update(inside, **change)) == {"account_number": ["taken"]}


def test_refused_account_leaves_the_customer_as_it_was(inside: World) -> None:
    change = {
        "values": {"name": "Beta Two"},
        "account": {"credit_limit": Decimal("0.001")},
    }
    assert _refusal(lambda: _update(inside, **change)) == {
        "credit_limit": ["minor_unit"]
    }
    assert Customer.objects.get(pk=inside.beta.pk).name == "Beta Voice"


def test_refused_tax_leaves_everything_as_it_was(world: World) -> None:
    with scopes_disabled():
        foreign = Tax.objects.create(owner=world.rival, name="Levy", is_shared=True)
    with subtree(world.acme):
        change = {"values": {"name": "Beta Two"}, "taxes": [foreign]}
        assert set(_refusal(lambda: _update(world, **change))) == {"taxes"}
        assert Customer.objects.get(pk=world.beta.pk).name == "Beta Voice"


@pytest.mark.parametrize(
    ("balance", "currency", "is_refused"),
    [
        ("0", "USD", False),
        ("5", "USD", True),
        ("-0.01", "JPY", True),
        ("5", "EUR", False),
    ],
)
def test_currency_is_fixed_once_there_are_entries(
    inside: World, balance: str, currency: str, is_refused: bool
) -> None:
    give(inside.beta, balance)
    change = {"account": {"currency": currency}}
    if is_refused:
        assert _refusal(lambda: _update(inside, **change)) == {"currency": ["booked"]}
    else:
        assert _update(inside, **change).account.currency == currency


def test_limits_must_fit_the_new_currency(inside: World) -> None:
    _update(inside, account={"credit_limit": Decimal("12.50")})
    change = {"account": {"currency": "JPY"}}
    assert _refusal(lambda: _update(inside, **change)) == {
        "credit_limit": ["minor_unit"]
    }


def test_customer_cannot_be_its_own_affiliate(inside: World) -> None:
    share = {"affiliate": inside.beta, "affiliate_type": "revenue"}
    assert _refusal(lambda: _update(inside, account=share)) == {
        "affiliate": ["affiliate"]
    }


# --- Who may ----------------------------------------------------------------------------


@pytest.mark.parametrize("customer", ["root", "acme", "rival"])
def test_only_customers_below_are_changed(world: World, customer: str) -> None:
    target = getattr(world, customer)
    with scopes_disabled(), pytest.raises(PermissionDenied):
        _update(world, customer=target, values={"fax": "+4930901820"})
    with scopes_disabled():
        assert Customer.objects.get(pk=target.pk).fax == ""


def test_grandchild_may_be_changed_from_above(inside: World) -> None:
    assert _update(inside, customer=inside.gamma, values={"bulk_calls": 3}).version == 2


@pytest.mark.parametrize("person", ["uli", "gil"])
def test_role_without_commerce_changes_nobody(world: World, person: str) -> None:
    actor = world.actor(getattr(world, person), world.acme)
    with subtree(world.acme), pytest.raises(PermissionDenied):
        _update(world, by=actor)


# --- Plans ------------------------------------------------------------------------------


def _plan(owner: Customer, **values: Any) -> RatePlan:
    with scopes_disabled():
        return RatePlan.objects.create(
            owner=owner, name="Special", currency="EUR", **values
        )


@pytest.mark.parametrize(
    ("owner", "values", "is_offered"),
    [
        ("acme", {}, True),
        ("acme", {"archived_at": datetime(2026, 1, 1, tzinfo=UTC)}, False),
        ("root", {}, False),
        ("root", {"share": Sharing.DIRECT}, True),
        ("root", {"share": Sharing.RECURSIVE}, True),
        (
            "root",
            {
                "share": Sharing.RECURSIVE,
                "archived_at": datetime(2026, 1, 1, tzinfo=UTC),
            },
            False,
        ),
        ("beta", {"share": Sharing.RECURSIVE}, False),
        ("rival", {"share": Sharing.RECURSIVE}, False),
    ],
)
def test_plan_is_the_resellers_own_or_shared_with_it(
    world: World, owner: str, values: dict[str, Any], is_offered: bool
) -> None:
    plan = _plan(getattr(world, owner), **values)
    with subtree(world.acme):
        if is_offered:
            assert _update(world, account={"plan": plan}).account.plan == plan
        else:
            assert _refusal(lambda: _update(world, account={"plan": plan})) == {
                "plan": ["plan"]
            }


@pytest.mark.parametrize(
    ("share", "is_offered"), [(Sharing.DIRECT, False), (Sharing.RECURSIVE, True)]
)
def test_plan_shared_directly_stops_one_level_down(
    world: World, share: Sharing, is_offered: bool
) -> None:
    plan = _plan(world.root, share=share)
    change = {"customer": world.gamma, "account": {"plan": plan}}
    with subtree(world.acme):
        if is_offered:
            assert _update(world, **change).account.plan == plan
        else:
            assert _refusal(lambda: _update(world, **change)) == {"plan": ["plan"]}


@pytest.mark.parametrize(
    "change", [{"share": Sharing.NO}, {"archived_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_plan_taken_away_later_goes_on_for_who_has_it(
    world: World, change: dict[str, Any]
) -> None:
    with subtree(world.acme):
        _update(world, account={"plan": world.shared_plan})
        with scopes_disabled():
            RatePlan.objects.filter(pk=world.shared_plan.pk).update(**change)
        updated = _update(
            world, account={"plan": world.shared_plan, "credit_limit": Decimal(5)}
        )
        assert updated.account.plan == world.shared_plan
        other = {"customer": world.gamma, "account": {"plan": world.shared_plan}}
        assert _refusal(lambda: _update(world, **other)) == {"plan": ["plan"]}


# --- Minimum contract -------------------------------------------------------------------


def test_contract_counts_from_the_beginning_of_the_customer(inside: World) -> None:
    Customer.objects.filter(pk=inside.beta.pk).update(
        created_at=datetime(2026, 1, 31, 12, tzinfo=UTC)
    )
    with travel(datetime(2026, 7, 1, tzinfo=UTC)):
        _update(inside, account={"contract": Contract.ONE_MONTH})
        account = BillingAccount.objects.get(customer=inside.beta)
        assert account.contract_ends_on == date(2026, 2, 28)
        _update(inside, account={"contract": Contract.NONE})
        account.refresh_from_db()
        assert account.contract_ends_on is None


@pytest.mark.parametrize(
    ("now", "runs"),
    [
        # The contract ends on 1 July; midnight in Kiritimati is 10:00 UTC the day before.
        ("2026-06-30T09:59", True),
        ("2026-06-30T10:00", False),
    ],
)
def test_contract_ends_at_the_customers_midnight(
    inside: World, now: str, runs: bool
) -> None:
    Customer.objects.filter(pk=inside.beta.pk).update(time_zone="Pacific/Kiritimati")
    BillingAccount.objects.filter(customer=inside.beta).update(
        contract_ends_on=date(2026, 7, 1)
    )
    beta = Customer.objects.get(pk=inside.beta.pk)
    with travel(datetime.fromisoformat(now).replace(tzinfo=UTC), tick=False):
        assert tree.contract_is_running(beta) is runs


# --- Stale forms ------------------------------------------------------------------------


def test_version_that_is_past_is_refused(inside: World) -> None:
    seen = inside.beta.version
    _update(inside, values={"address_city": "Bonn"})
    with pytest.raises(StaleError):
        _update(inside, values={"address_city": "Köln"}, expected_version=seen)
    assert Customer.objects.get(pk=inside.beta.pk).address_city == "Bonn"


def test_version_that_never_was_is_refused(inside: World) -> None:
    for version in (0, -1, 99, 10**12):
        with pytest.raises(StaleError):
            _update(inside, expected_version=version)


@pytest.mark.parametrize("action", ["lock", "delete"])
def test_other_actions_make_an_open_form_stale(inside: World, action: str) -> None:
    by = inside.actor(inside.ann)
    if action == "lock":
        set_lock(customer=inside.gamma, lock=Lock.BOTH, reason="", by=by)
    else:
        tree.delete_customer(customer=inside.gamma, by=by)
    with pytest.raises(StaleError):
        _update(inside, customer=inside.gamma, expected_version=1)


@pytest.mark.django_db(transaction=True)
def test_two_saving_at_once_overwrite_nothing() -> None:
    world = build_world()

    def save(city: str) -> Customer:
        with subtree(world.acme):
            return _update(world, values={"address_city": city}, expected_version=1)

    cities = ["Bonn", "Köln", "Trier"]
    results = race(*[lambda city=city: save(city) for city in cities])
    saved = [result for result in results if isinstance(result, Customer)]
    assert [type(result) for result in results].count(StaleError) == 2, results
    with scopes_disabled():
        beta = Customer.objects.get(pk=world.beta.pk)
    assert (beta.address_city, beta.version) == (saved[0].address_city, 2)


@pytest.mark.django_db(transaction=True)
def test_locking_while_somebody_saves_keeps_both() -> None:
    world = build_world()

    def save() -> Any:
        with subtree(world.acme):
            return _update(world, values={"address_city": "Bonn"}, expected_version=1)

    def lock() -> Any:
        with subtree(world.acme):
            return set_lock(
                customer=world.beta,
                lock=Lock.CALLS,
                reason="unpaid",
                by=world.actor(world.ann),
            )

    saved, locked = race(save, lock)
    with scopes_disabled():
        beta = Customer.objects.get(pk=world.beta.pk)
    assert isinstance(locked, Customer), locked
    assert (beta.lock, beta.lock_reason) == (Lock.CALLS, "unpaid")
    if isinstance(saved, StaleError):  # the lock came first: the form is shown again
        assert (beta.address_city, beta.version) == ("", 2)
    else:
        assert (beta.address_city, beta.version) == ("Bonn", 3)
