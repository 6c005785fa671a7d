"""Changing who pays for whom while a run is late: what was due is charged as things were.

It is the middle of March, and nothing was charged since January. A line costs each level
less than the one below, and other amounts at Rival and by other plans.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from billing.models import BillingAccount, Charge, ExchangeRate
from billing.services import runs
from customers.models import Customer
from customers.services import tree
from customers.services.customers import update_customer
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from rateplans.models import RatePlan
from tests.billing.tariffs import add, balance, entries, item, price, set_account
from tests.books import give
from tests.customers.features import url_of
from tests.pages import errors_of, send
from tests.race import race
from tests.world import World

JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in range(1, 5))


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():  # accounts of several tenants are looked at
        yield


def _lay(world: World, time_machine: Any) -> None:
    """Gamma has a line since January; February and March are not charged."""
    for plan, amount in (
        (world.root_plan, 1),
        (world.acme_plan, 10),
        (world.beta_plan, 20),
        (world.rival_plan, 77),
    ):
        price(plan, amount)
    for customer in (world.acme, world.beta, world.gamma, world.rival):
        set_account(customer, fees_from=JANUARY, billed_until=FEBRUARY)
        set_account(customer, credit_limit=Decimal(1000), bill_type=BillType.POSTPAID)
    time_machine.move_to("2026-01-31T23:00+01:00", tick=False)
    add(world.gamma, item(1))
    time_machine.move_to("2026-03-15T12:00+01:00", tick=False)


@pytest.fixture
def late(world: World, time_machine: Any) -> World:
    _lay(world, time_machine)
    return world


def _settle(world: World) -> None:
    """Pay in what will be due of Beta: its balance has to be level for a move."""
    with transaction.atomic():
        runs.charge_all_due()
        due = balance(world.beta)
        transaction.set_rollback(True)
    give(world.beta, -due)


def _move(world: World, **changes: Any) -> Customer:
    arguments: dict[str, Any] = {
        "customer": world.beta,
        "parent": world.rival,
        "plan": world.rival_plan,
        "by": world.actor(world.olga),
    }
    Customer.objects.filter(pk=world.rival.pk).update(account_number="200000")
    return tree.move_customer(**arguments | changes)


def _charged(customer: Customer) -> list[tuple[date, Decimal]]:
    """(first day, net) of what was charged since February."""
    rows = entries(customer, "period_start", "net")
    return [row for row in rows if row[0] and row[0] >= FEBRUARY]


def _both(net: int) -> list[tuple[date, Decimal]]:
    return [(FEBRUARY, Decimal(-net)), (MARCH, Decimal(-net))]


def _edit(world: World, customer: Customer, **account: Any) -> None:
    taxes = account.pop("taxes", None)
    update_customer(
        customer=customer,
        values={},
        account=account,
        taxes=taxes,
        expected_version=Customer.objects.get(pk=customer.pk).version,
        by=world.actor(world.olga),
    )


# --- Moving -----------------------------------------------------------------------------


def test_periods_before_a_move_are_paid_by_those_who_were_above(late: World) -> None:
    _settle(late)
    _move(late)
    runs.charge_all_due()
    assert _charged(late.acme) == _both(1)
    assert _charged(late.beta) == _both(10)
    assert _charged(late.gamma) == _both(20)
    assert _charged(late.rival) == []
    for customer in (late.acme, late.beta, late.gamma, late.rival):
        assert set_account(customer).billed_until == APRIL


def test_periods_after_a_move_are_paid_by_those_who_are_above(
    late: World, time_machine: Any
) -> None:
    _settle(late)
    _move(late)
    time_machine.move_to("2026-04-02T12:00+02:00", tick=False)
    runs.charge_all_due()
    assert _charged(late.acme) == _both(1)
    assert _charged(late.beta)[2:] == [(APRIL, Decimal(-77))]
    assert _charged(late.gamma)[2:] == [(APRIL, Decimal(-20))]
    assert _charged(late.rival) == [(APRIL, Decimal(-1))]


def test_price_that_is_passed_through_is_the_old_parents(late: World) -> None:
    """Whoever is far below is charged by the plans of all above, too."""
    late.beta_plan.prices.all().delete()
    _settle(late)
    _move(late)
    assert _charged(late.gamma) == _both(10)


def test_charges_that_were_due_are_not_lost_by_a_move(late: World) -> None:
    own = Charge.objects.create(
        owner=late.acme,
        account=set_account(late.beta, charges_from=JANUARY),
        name="Rack",
        amount=Decimal(5),
        currency="EUR",
        starts_on=date(2026, 2, 10),
        next_on=date(2026, 2, 10),
    )
    Charge.objects.create(
        owner=late.acme,
        plan=late.acme_plan,
        name="Care",
        amount=Decimal(3),
        currency="EUR",
        starts_on=date(2026, 2, 11),
    )
    _settle(late)
    _move(late)
    runs.charge_all_due()
    found = entries(late.beta, "kind", "net")
    assert [net for kind, net in found if kind == "charge"] == [
        Decimal(-5),
        Decimal(-3),
    ]
    own.refresh_from_db()
    assert own.next_on is None


def test_credit_does_not_stop_what_is_due_before_a_move(late: World) -> None:
    for customer in (late.acme, late.gamma):
        set_account(customer, credit_limit=Decimal(0))
    _settle(late)
    _move(late)
    assert _charged(late.gamma) == _both(20)


def test_what_is_due_must_be_settled_before_a_move(late: World) -> None:
    with pytest.raises(ValidationError) as caught:
        _move(late)
    assert "-€20.32" in caught.value.messages[0].replace("−", "-")
    assert balance(late.beta) == Decimal("-0.32")  # nothing is left of what was tried
    assert _charged(late.acme) == []
    give(late.beta, "20.32")
    _move(late)
    assert balance(late.beta) == 0
    assert _charged(late.beta) == _both(10)


def test_move_is_refused_where_what_is_due_cannot_be_charged(late: World) -> None:
    RatePlan.objects.filter(pk=late.beta_plan.pk).update(currency="USD")
    answer = send(
        late.client(late.olga),
        url_of(late.root, "customer-move", pk=late.beta.pk),
        parent_name="Rival Phones",
        plan_name="Rival basic",
    )
    [text] = errors_of(answer)["__all__"]
    assert "must be charged first" in text
    assert "USD" in text
    assert f'href="/a/{late.root.pk}/commerce/' in text  # where rates are entered
    assert _charged(late.acme) == []
    late.beta.refresh_from_db()
    assert late.beta.parent_id == late.acme.pk
    ExchangeRate.objects.create(currency="USD", on=JANUARY, rate=Decimal(2))
    Customer.objects.filter(pk=late.rival.pk).update(account_number="200000")
    _settle(late)
    _move(late)
    assert _charged(late.gamma) == _both(10)


@pytest.mark.django_db(transaction=True)
def test_move_beside_a_late_run_charges_each_period_once(
    world: World, time_machine: Any
) -> None:
    _lay(world, time_machine)
    _settle(world)

    def run() -> Any:
        return runs.charge_all_due()

    def move() -> Any:
        with scopes_disabled():
            return _move(world)

    results = race(run, move, run)
    assert not [each for each in results if isinstance(each, Exception)], results
    assert results[0].failed == results[2].failed == 0
    assert _charged(world.acme) == _both(1)
    assert _charged(world.beta) == _both(10)
    assert _charged(world.gamma) == _both(20)
    assert _charged(world.rival) == []


# --- Another plan -----------------------------------------------------------------------


def test_periods_before_another_plan_are_charged_by_the_old_one(
    late: World, time_machine: Any
) -> None:
    price(late.shared_plan, 50)
    _edit(late, late.beta, plan=late.shared_plan)
    assert _charged(late.beta) == _both(10)
    time_machine.move_to("2026-04-02T12:00+02:00", tick=False)
    runs.charge_all_due()
    assert _charged(late.beta)[2:] == [(APRIL, Decimal(-50))]


def test_customers_below_are_charged_by_the_old_plan_too(late: World) -> None:
    late.beta_plan.prices.all().delete()
    price(late.shared_plan, 50)
    _edit(late, late.beta, plan=late.shared_plan)
    runs.charge_all_due()
    assert _charged(late.gamma) == _both(10)


def test_periods_without_fees_stay_without(late: World) -> None:
    set_account(late.gamma, bill_type=BillType.NONE)
    _edit(late, late.gamma, bill_type=BillType.POSTPAID)
    runs.charge_all_due()
    assert _charged(late.gamma) == []


def test_periods_bear_the_taxes_of_their_time(late: World) -> None:
    late.acme_tax.applies_features = True
    late.acme_tax.save()
    _edit(late, late.beta, taxes=[late.acme_tax])
    assert entries(late.beta, "amount")[1:] == [(Decimal(-10),)] * 2


def test_what_changes_no_price_charges_nothing(late: World) -> None:
    _edit(late, late.beta, credit_limit=Decimal(5), plan=late.acme_plan, taxes=[])
    assert _charged(late.beta) == []


def test_plan_is_kept_where_what_is_due_cannot_be_charged(late: World) -> None:
    RatePlan.objects.filter(pk=late.acme_plan.pk).update(currency="USD")
    with pytest.raises(ValidationError) as caught:
        _edit(late, late.beta, plan=late.shared_plan)
    assert caught.value.code == "no_rate"
    account = BillingAccount.objects.get(customer=late.beta)
    assert account.plan_id == late.acme_plan.pk
    assert account.billed_until == FEBRUARY
    assert timezone.localdate() > MARCH
