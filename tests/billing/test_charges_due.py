"""What charges are due when, and that each time is posted once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing.choices import ChargePeriod
from billing.models import (
    BillingAccount,
    Charge,
    ExchangeRate,
    LedgerEntry,
    Tax,
    TaxLiability,
)
from billing.schedules import Schedule
from billing.services.accounts import update_account
from billing.services.charges import accounts_with_due_charges, charge_due
from customers.models import Customer
from customers.services import tree
from portal.core.actor import system_actor
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from rateplans.models import RatePlan
from tests.race import race
from tests.world import World, build_world


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(text) for text in texts]


# --- The days -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        # once
        (Schedule(date(2026, 1, 31), 0), ["2026-01-31"]),
        (Schedule(date(2026, 1, 31), 0, number=5), ["2026-01-31"]),
        (Schedule(date(2025, 12, 31), 0), []),
        # from the 31st: the last day of shorter months, and the 31st again
        (
            Schedule(date(2026, 1, 31), 1),
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
        ),
        # leap day
        (Schedule(date(2024, 2, 29), 12), ["2026-02-28"]),
        # quarterly
        (Schedule(date(2025, 11, 15), 3), ["2026-02-15"]),
        # n times, counted from the beginning
        (Schedule(date(2025, 12, 1), 1, number=3), ["2026-01-01", "2026-02-01"]),
        (Schedule(date(2025, 10, 1), 1, number=3), []),
        # until, exclusive
        (
            Schedule(date(2026, 1, 10), 1, ends_on=date(2026, 3, 10)),
            ["2026-01-10", "2026-02-10"],
        ),
        (
            Schedule(date(2026, 1, 10), 1, ends_on=date(2026, 3, 11)),
            ["2026-01-10", "2026-02-10", "2026-03-10"],
        ),
        # not before it begins
        (Schedule(date(2026, 5, 1), 1), []),
    ],
)
def test_days_from_january_to_april(schedule: Schedule, expected: list[str]) -> None:
    found = schedule.due(since=date(2026, 1, 1), until=date(2026, 4, 30))
    assert found == days(*expected)


@pytest.mark.parametrize(
    ("day", "period"),
    [
        ("2026-01-31", ("2026-01-31", "2026-02-28")),
        ("2026-02-28", ("2026-02-28", "2026-03-31")),
    ],
)
def test_a_time_pays_for_the_days_until_the_next(
    day: str, period: tuple[str, str]
) -> None:
    schedule = Schedule(date(2026, 1, 31), 1)
    assert schedule.period_from(date.fromisoformat(day)) == tuple(days(*period))


# --- Posting --------------------------------------------------------------------------


@pytest.fixture
def everywhere() -> Any:
    with scopes_disabled():  # accounts of several tenants are looked at
        yield


def charge_on(customer: Customer, **values: Any) -> Charge:
    """Ten euros a month on ``customer`` from 15 January 2026 on."""
    fields: dict[str, Any] = {
        "owner": customer.parent,
        "account": customer.account,
        "name": "Router rental",
        "amount": Decimal(10),
        "currency": "EUR",
        "period": ChargePeriod.MONTHLY,
        "starts_on": date(2026, 1, 15),
    }
    fields |= values
    return Charge.objects.create(next_on=fields["starts_on"], **fields)


def charge_on_plan(plan: RatePlan, **values: Any) -> Charge:
    charge = charge_on(values.pop("of"), **({"account": None, "plan": plan} | values))
    Charge.objects.filter(pk=charge.pk).update(next_on=None)
    return charge


def since(customer: Customer, day: date) -> None:
    BillingAccount.objects.filter(customer=customer).update(charges_from=day)


def entries(customer: Customer) -> list[tuple[str, str, str]]:
    """(day, description, amount) of all that was charged, oldest first."""
    found = LedgerEntry.objects.filter(account=customer.account).order_by("pk")
    return [
        (
            local_date(customer.time_zone, entry.at).isoformat()
            if entry.period_start is None
            else entry.period_start.isoformat(),
            entry.description,
            f"{entry.amount.normalize():f}",
        )
        for entry in found
    ]


def test_what_is_due_is_posted_once_however_late_and_often(
    world: World, everywhere: Any
) -> None:
    charge_on(world.gamma)
    account = world.gamma.account
    assert accounts_with_due_charges(date(2026, 1, 14)) == []
    assert accounts_with_due_charges(date(2026, 3, 20)) == [account.pk]
    assert charge_due(account.pk, on=date(2026, 3, 20)) == 3
    assert charge_due(account.pk, on=date(2026, 3, 20)) == 0
    assert accounts_with_due_charges(date(2026, 3, 20)) == []
    assert charge_due(account.pk, on=date(2026, 4, 15)) == 1
    assert entries(world.gamma) == [
        ("2026-01-15", "Router rental, 2026-01-15 – 2026-02-14", "-10"),
        ("2026-02-15", "Router rental, 2026-02-15 – 2026-03-14", "-10"),
        ("2026-03-15", "Router rental, 2026-03-15 – 2026-04-14", "-10"),
        ("2026-04-15", "Router rental, 2026-04-15 – 2026-05-14", "-10"),
    ]


def test_only_the_customers_own_level_pays(world: World, everywhere: Any) -> None:
    charge_on(world.gamma)
    charge_due(world.gamma.account.pk, on=date(2026, 1, 15))
    assert entries(world.beta) == entries(world.acme) == []


def test_credit_limits_do_not_stop_what_is_due(world: World, everywhere: Any) -> None:
    charge_on(world.gamma, amount=Decimal(999))
    assert charge_due(world.gamma.account.pk, on=date(2026, 1, 15)) == 1
    world.gamma.account.refresh_from_db()
    assert world.gamma.account.balance == -999


@pytest.mark.parametrize(
    ("values", "amounts"),
    [
        ({"period": ChargePeriod.ONCE}, ["-10"]),
        ({"period": ChargePeriod.ONCE, "quantity": 3}, ["-30"]),
        ({"number": 2}, ["-10", "-10"]),
        ({"ends_on": date(2026, 2, 15)}, ["-10"]),
        ({"period": ChargePeriod.QUARTERLY}, ["-10", "-10"]),
        ({"period": ChargePeriod.ANNUALLY}, ["-10"]),
        ({"ended_at": timezone.now()}, []),
        ({"amount": Decimal("0.005")}, ["-0.01"] * 5),
        ({"amount": Decimal("0.004")}, []),
    ],
)
def test_times_and_amounts_until_the_end_of_may(
    world: World, everywhere: Any, values: dict[str, Any], amounts: list[str]
) -> None:
    charge_on(world.gamma, **values)
    charge_due(world.gamma.account.pk, on=date(2026, 5, 31))
    assert [amount for *_rest, amount in entries(world.gamma)] == amounts
    assert accounts_with_due_charges(date(2026, 5, 31)) == []


def test_taxes_need_the_customer_liable_and_the_charge_ticked(
    world: World, everywhere: Any
) -> None:
    vat = Tax.objects.create(owner=world.beta, name="VAT", rate=Decimal(19))
    fund = Tax.objects.create(owner=world.beta, name="Fund", rate=Decimal(1))
    other = Tax.objects.create(owner=world.beta, name="Other", rate=Decimal(2))
    for tax in (vat, other):
        TaxLiability.objects.create(account=world.gamma.account, tax=tax)
    charge_on(world.gamma).taxes.set([vat, fund])
    charge_due(world.gamma.account.pk, on=date(2026, 1, 15))
    entry = LedgerEntry.objects.get()
    assert [(tax.name, tax.amount) for tax in entry.taxes.all()] == [
        ("VAT", Decimal("-1.90"))
    ]
    assert (entry.net, entry.amount) == (-10, Decimal("-11.90"))


def test_another_currency_is_converted_with_the_rate_of_the_day_or_the_last_before(
    world: World, everywhere: Any
) -> None:
    ExchangeRate.objects.create(currency="USD", on=date(2026, 1, 9), rate="1.25")
    ExchangeRate.objects.create(currency="USD", on=date(2026, 2, 15), rate="1.6")
    charge_on(world.gamma, currency="USD")
    charge_due(world.gamma.account.pk, on=date(2026, 2, 20))
    found = LedgerEntry.objects.order_by("pk")
    assert [
        (
            entry.amount,
            entry.original_amount,
            entry.original_currency,
            entry.exchange_rate,
        )
        for entry in found
    ] == [
        (Decimal(-8), Decimal(-10), "USD", Decimal("0.8")),
        (Decimal("-6.25"), Decimal(-10), "USD", Decimal("0.625")),
    ]


def test_without_a_rate_nothing_is_posted_and_it_stays_due(
    world: World, everywhere: Any
) -> None:
    charge_on(world.gamma, currency="USD")
    account = world.gamma.account
    with pytest.raises(ValidationError):
        charge_due(account.pk, on=date(2026, 1, 15))
    assert accounts_with_due_charges(date(2026, 1, 15)) == [account.pk]


@pytest.mark.parametrize(
    ("bill_type", "count", "balance"),
    [
        (BillType.PREPAID, 1, -10),
        (BillType.POSTPAID, 1, -10),
        (BillType.PREPAID_CALLS, 1, 0),
        (BillType.NONE, 0, 0),
    ],
)
def test_billing_types(
    world: World, everywhere: Any, bill_type: BillType, count: int, balance: int
) -> None:
    charge_on(world.gamma)
    account = world.gamma.account
    BillingAccount.objects.filter(pk=account.pk).update(bill_type=bill_type)
    assert charge_due(account.pk, on=date(2026, 1, 20)) == count
    assert accounts_with_due_charges(date(2026, 1, 20)) == []
    account.refresh_from_db()
    assert account.balance == balance


def test_deleted_customers_are_charged_nothing(world: World, everywhere: Any) -> None:
    charge_on(world.gamma)
    Customer.objects.filter(pk=world.gamma.pk).update(deleted_at=timezone.now())
    assert accounts_with_due_charges(date(2026, 5, 1)) == []
    assert charge_due(world.gamma.account.pk, on=date(2026, 5, 1)) == 0


def test_days_while_a_customer_was_deleted_are_not_charged_when_it_is_back(
    world: World, everywhere: Any
) -> None:
    rental = charge_on(world.gamma)
    charge_on(world.gamma, name="Work", period="once", starts_on=date(2026, 3, 1))
    charge_on_plan(world.beta_plan, of=world.gamma, name="Support")
    since(world.gamma, date(2026, 1, 1))
    account, by = world.gamma.account, system_actor(world.beta)
    with time_machine.travel("2026-01-20T12:00Z", tick=False):
        charge_due(account.pk)
        tree.delete_customer(customer=world.gamma, by=by)
    with time_machine.travel("2026-05-15T12:00Z", tick=False):
        tree.undelete_customer(customer=world.gamma, by=by)
        charge_due(account.pk)
    assert [(name, day) for day, name, _amount in sorted(entries(world.gamma))] == [
        ("Router rental, 2026-01-15 – 2026-02-14", "2026-01-15"),
        ("Support, 2026-01-15 – 2026-02-14", "2026-01-15"),
        ("Work", "2026-03-01"),
        ("Router rental, 2026-05-15 – 2026-06-14", "2026-05-15"),
        ("Support, 2026-05-15 – 2026-06-14", "2026-05-15"),
    ]
    rental.refresh_from_db()
    assert rental.next_on == date(2026, 6, 15)


def test_who_is_restored_the_same_day_misses_nothing(
    world: World, everywhere: Any
) -> None:
    charge_on(world.gamma)
    account, by = world.gamma.account, system_actor(world.beta)
    with time_machine.travel("2026-01-20T12:00Z", tick=False):
        tree.delete_customer(customer=world.gamma, by=by)  # what is due is charged
        tree.undelete_customer(customer=world.gamma, by=by)
        assert charge_due(account.pk) == 0
    assert len(entries(world.gamma)) == 1


# --- Charges of plans -----------------------------------------------------------------


def test_a_plans_charge_reaches_all_on_it_and_on_plans_that_inherit_it(
    world: World, everywhere: Any
) -> None:
    charge_on_plan(world.root_plan, of=world.acme)
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    RatePlan.objects.filter(pk=world.beta_plan.pk).update(base=world.acme_plan)
    for customer in (world.acme, world.rival, world.beta, world.gamma):
        since(customer, date(2026, 1, 1))
    due = accounts_with_due_charges(date(2026, 1, 15))
    four = (world.acme, world.beta, world.gamma, world.rival)
    assert due == sorted(customer.account.pk for customer in four)
    assert [charge_due(pk, on=date(2026, 1, 15)) for pk in due] == [1, 1, 1, 1]
    assert [charge_due(pk, on=date(2026, 1, 15)) for pk in due] == [0, 0, 0, 0]
    assert accounts_with_due_charges(date(2026, 1, 15)) == []
    assert accounts_with_due_charges(date(2026, 2, 15)) == due


@pytest.mark.parametrize(
    ("period", "joined", "expected"),
    [
        # whoever came before pays every time, later ones from then on
        (ChargePeriod.MONTHLY, "2026-01-01", ["2026-01-15", "2026-02-15"]),
        (ChargePeriod.MONTHLY, "2026-01-15", ["2026-01-15", "2026-02-15"]),
        (ChargePeriod.MONTHLY, "2026-01-16", ["2026-02-15"]),
        (ChargePeriod.MONTHLY, "2026-03-01", []),
        # once: on its day, or on the day one comes
        (ChargePeriod.ONCE, "2026-01-01", ["2026-01-15"]),
        (ChargePeriod.ONCE, "2026-02-10", ["2026-02-10"]),
        (ChargePeriod.ONCE, "2026-03-01", []),
    ],
)
def test_who_joins_a_plan_later_pays_from_then_on(
    world: World,
    everywhere: Any,
    period: ChargePeriod,
    joined: str,
    expected: list[str],
) -> None:
    charge_on_plan(world.beta_plan, of=world.gamma, period=period)
    since(world.gamma, date.fromisoformat(joined))
    account = world.gamma.account
    due = accounts_with_due_charges(date(2026, 2, 20))
    assert due == ([account.pk] if expected else [])
    assert charge_due(account.pk, on=date(2026, 2, 20)) == len(expected)
    assert [day for day, *_rest in entries(world.gamma)] == expected
    assert charge_due(account.pk, on=date(2026, 2, 20)) == 0


def test_once_is_once_also_for_who_leaves_the_plan_and_comes_back(
    world: World, everywhere: Any
) -> None:
    charge_on_plan(world.beta_plan, of=world.gamma, period=ChargePeriod.ONCE)
    since(world.gamma, date(2026, 1, 1))
    assert charge_due(world.gamma.account.pk, on=date(2026, 1, 20)) == 1
    since(world.gamma, date(2026, 4, 1))
    assert accounts_with_due_charges(date(2026, 4, 2)) == []
    assert charge_due(world.gamma.account.pk, on=date(2026, 4, 2)) == 0


def test_an_inherited_charge_bears_the_taxes_of_who_gets_the_money(
    world: World, everywhere: Any
) -> None:
    """Root cannot tick Acme's tax: whether that applies to charges, it says itself."""
    charge_on_plan(world.root_plan, of=world.acme)
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    since(world.beta, date(2026, 1, 1))
    TaxLiability.objects.create(account=world.beta.account, tax=world.acme_tax)
    charge_due(world.beta.account.pk, on=date(2026, 1, 15))
    assert LedgerEntry.objects.get().amount == Decimal("-11.90")


# --- Since when -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "values", "begins_anew"),
    [
        (BillType.PREPAID, {"credit_limit": Decimal(5)}, False),
        (BillType.PREPAID, {"bill_type": BillType.POSTPAID}, False),
        (BillType.NONE, {"bill_type": BillType.PREPAID}, True),
        (BillType.PREPAID, {"plan": "shared_plan"}, True),
    ],
)
def test_a_plans_charges_are_due_from_the_day_one_is_put_on_it(
    world: World, everywhere: Any, before: BillType, values: Any, begins_anew: bool
) -> None:
    account, long_ago = world.gamma.account, date(2020, 1, 1)
    BillingAccount.objects.filter(pk=account.pk).update(
        bill_type=before, charges_from=long_ago
    )
    account.refresh_from_db()
    if "plan" in values:
        values = {"plan": world.shared_plan}
    update_account(account=account, values=values, taxes=None)
    account.refresh_from_db()
    today = local_date(world.gamma.time_zone)
    assert account.charges_from == (today if begins_anew else long_ago)


def test_charges_of_the_old_parent_end_when_a_customer_moves(
    world: World, everywhere: Any
) -> None:
    charge = charge_on(world.gamma)
    # What was due before would have to be settled.
    with time_machine.travel("2025-12-20T12:00Z", tick=False):
        tree.move_customer(
            customer=world.gamma,
            parent=world.rival,
            plan=world.rival_plan,
            by=world.actor(world.olga),
        )
    charge.refresh_from_db()
    assert charge.ended_at is not None
    assert accounts_with_due_charges(date(2026, 5, 1)) == []


# --- At once --------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_post_each_time_once() -> None:
    world = build_world()
    with scopes_disabled():
        charge_on(world.gamma)
        charge_on_plan(world.beta_plan, of=world.gamma, name="Plan's")
        since(world.gamma, date(2026, 1, 1))
        account = world.gamma.account
    results = race(*[lambda: charge_due(account.pk, on=date(2026, 2, 20))] * 4)
    assert sorted(results) == [0, 0, 0, 4]
    with scopes_disabled():
        assert LedgerEntry.objects.count() == 4


@pytest.mark.parametrize(
    ("schedule", "day", "has_ended"),
    [
        (Schedule(date(2026, 1, 31), 1), date(2099, 1, 1), False),
        (Schedule(date(2026, 1, 31), 0), date(2099, 1, 1), False),
        (
            Schedule(date(2026, 1, 1), 1, ends_on=date(2026, 3, 10)),
            date(2026, 3, 9),
            False,
        ),
        (
            Schedule(date(2026, 1, 1), 1, ends_on=date(2026, 3, 10)),
            date(2026, 3, 10),
            True,
        ),
        # The third month is paid to its end.
        (Schedule(date(2026, 1, 1), 1, number=3), date(2026, 3, 31), False),
        (Schedule(date(2026, 1, 1), 1, number=3), date(2026, 4, 1), True),
        (Schedule(date(2026, 1, 31), 1, number=1), date(2026, 2, 27), False),
        (Schedule(date(2026, 1, 31), 1, number=1), date(2026, 2, 28), True),
    ],
)
def test_schedule_ends_after_what_its_last_time_pays_for(
    schedule: Schedule, day: date, has_ended: bool
) -> None:
    assert schedule.has_ended(day) is has_ended
