"""What the periods of an account charge: which days, which features, which prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError

from billing.models import ExchangeRate
from billing.services.periods import close_account, close_accounts
from customers.models import Customer
from customers.services.tree import delete_customer, undelete_customer
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, BillType, Feature, Occurs
from rateplans.models import NumberClass
from tests.billing.tariffs import (
    add,
    balance,
    entries,
    item,
    permit,
    price,
    remove,
    set_account,
)
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # accounts of several tenants are looked at
        yield


def _zone(customer: Customer, zone: str) -> None:
    customer.time_zone = zone
    customer.save(update_fields=["time_zone"])


def _open(world: World, until: str, zone: str = "Europe/Berlin") -> Customer:
    """Gamma, charged until the day ``until``; nobody's limit is in the way."""
    for customer in (world.acme, world.beta, world.gamma):
        set_account(
            customer,
            credit_limit=10_000,
            fees_from=date(2020, 1, 1),
            billed_until=date.fromisoformat(until),
        )
        _zone(customer, zone)
    return world.gamma


@pytest.mark.parametrize(
    ("zone", "at", "until", "cost"),
    [
        # 31 a month: 1 a day in months of 31 days.
        ("Europe/Berlin", "2026-01-01T12:00Z", "2026-02-01", "31.00"),
        ("Europe/Berlin", "2026-01-31T12:00Z", "2026-02-01", "1.00"),
        ("Europe/Berlin", "2026-02-15T12:00Z", "2026-03-01", "15.50"),  # 14 of 28
        ("Europe/Berlin", "2024-02-29T12:00Z", "2024-03-01", "1.07"),  # 1 of 29
        ("Europe/Berlin", "2026-04-30T12:00Z", "2026-05-01", "1.03"),  # 1 of 30
        ("Europe/Berlin", "2026-03-29T00:30Z", "2026-04-01", "3.00"),  # clocks change
        ("Europe/Berlin", "2026-10-25T00:30Z", "2026-11-01", "7.00"),
        # The last minutes of the day before, in UTC.
        ("Europe/Berlin", "2026-01-30T23:30Z", "2026-02-01", "1.00"),
        ("Pacific/Kiritimati", "2026-01-30T09:59Z", "2026-02-01", "2.00"),
        ("Pacific/Kiritimati", "2026-01-30T10:00Z", "2026-02-01", "1.00"),
        ("Pacific/Pago_Pago", "2026-02-01T10:30Z", "2026-02-01", "1.00"),
        # To the end of the quarter or year that was begun.
        ("Europe/Berlin", "2026-02-15T12:00Z", "2026-04-01", "46.50"),
        ("Europe/Berlin", "2024-02-29T12:00Z", "2025-01-01", "311.07"),
    ],
)
def test_new_feature_pays_the_rest_of_its_period(
    world: World, zone: str, at: str, until: str, cost: str
) -> None:
    gamma = _open(world, until, zone)
    price(world.beta_plan, 31)
    with time_machine.travel(at, tick=False):
        add(gamma, item(1))
    assert entries(gamma, "net", "period_end") == [
        (-Decimal(cost), date.fromisoformat(until))
    ]


@pytest.mark.parametrize(
    ("period", "until", "day", "ends", "costs"),
    [
        (BillingPeriod.MONTHLY, "2026-01-01", "2025-12-31", "2026-01-01", []),
        (BillingPeriod.MONTHLY, "2026-01-01", "2026-01-01", "2026-02-01", [10]),
        (BillingPeriod.MONTHLY, "2026-01-01", "2026-01-31", "2026-02-01", [10]),
        (BillingPeriod.MONTHLY, "2024-02-01", "2024-03-01", "2024-04-01", [10, 10]),
        (
            BillingPeriod.MONTHLY,
            "2025-11-01",
            "2026-02-28",
            "2026-03-01",
            [10, 10, 10, 10],
        ),
        (BillingPeriod.QUARTERLY, "2026-01-01", "2026-04-01", "2026-07-01", [30, 30]),
        (BillingPeriod.ANNUALLY, "2024-01-01", "2025-01-01", "2026-01-01", [120, 120]),
        # A plan that was changed within a period: from its end on, to the next one's end.
        (BillingPeriod.QUARTERLY, "2026-02-01", "2026-02-01", "2026-04-01", [20]),
        (BillingPeriod.ANNUALLY, "2026-10-01", "2026-10-01", "2027-01-01", [30]),
        (BillingPeriod.INDEFINITE, "2026-01-01", "2026-03-15", "2026-04-01", []),
    ],
)
def test_every_period_begun_is_charged_once(
    world: World,
    period: BillingPeriod,
    until: str,
    day: str,
    ends: str,
    costs: list[int],
) -> None:
    gamma = _open(world, "2100-01-01")
    price(world.beta_plan, 10)
    world.beta_plan.billing_period = period
    world.beta_plan.save()
    with time_machine.travel("2023-06-01T12:00Z", tick=False):
        set_account(gamma, billed_until=date(2023, 6, 1))
        set_account(gamma, bill_type=BillType.NONE)
        add(gamma, item(1))
    account = set_account(
        gamma, billed_until=date.fromisoformat(until), bill_type=BillType.PREPAID
    )
    on = date.fromisoformat(day)
    for _twice in range(2):
        close_account(account.pk, on=on)
    found = entries(gamma, "net", "is_on_balance")
    assert found == [(Decimal(-cost), True) for cost in costs]
    account.refresh_from_db()
    assert account.billed_until == date.fromisoformat(ends)


def test_late_run_counts_what_there_was_when_each_period_began(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.beta_plan, 10)
    with time_machine.travel("2026-01-31T22:59:59Z", tick=False):
        add(gamma, item(1))  # 10 a month for the last of 31 days
    account = set_account(gamma)
    with time_machine.travel("2026-01-31T22:59:59.9Z", tick=False):
        assert close_account(account.pk) == 0
    with time_machine.travel("2026-01-31T23:00Z", tick=False):
        add(gamma, item(2))  # which closes February first, in Berlin begun just now
        remove(gamma, item(1))
    with time_machine.travel("2026-03-01T12:00Z", tick=False):
        add(gamma, item(3))
    assert entries(gamma, "net", "period_start", "quantity") == [
        (Decimal("-0.32"), date(2026, 1, 31), 1),
        (Decimal("-10.00"), date(2026, 2, 1), 1),
        (Decimal("-10.00"), date(2026, 2, 1), 1),
        (Decimal("-10.00"), date(2026, 3, 1), 1),
        (Decimal("-10.00"), date(2026, 3, 1), 1),
    ]


def test_price_of_a_period_is_that_of_its_first_day(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.beta_plan, 10, until=date(2026, 3, 1))
    price(world.beta_plan, 12, since=date(2026, 3, 1), until=date(2026, 4, 2))
    price(world.beta_plan, 99, since=date(2026, 4, 2))
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, item(1))
    close_account(set_account(gamma).pk, on=date(2026, 4, 30))
    assert [net for (net,) in entries(gamma, "net")][1:] == [-10, -12, -12]


@pytest.mark.parametrize(
    ("bill_type", "charged", "on_balance"),
    [
        (BillType.PREPAID, True, True),
        (BillType.PREPAID_INVOICES, True, True),
        (BillType.PREPAID_CALLS, True, False),
        (BillType.POSTPAID, True, True),
        (BillType.EXTERNAL, False, False),
        (BillType.NONE, False, False),
    ],
)
def test_billing_type_says_what_fees_do(
    world: World, bill_type: BillType, charged: bool, on_balance: bool
) -> None:
    gamma = _open(world, "2026-02-01")
    set_account(gamma, bill_type=bill_type)
    price(world.beta_plan, 31)
    price(world.beta_plan, 5, occurs=Occurs.SIGNUP)
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, item(1))
    close_account(set_account(gamma).pk, on=date(2026, 2, 1))
    expected = [("signup", -5), ("recurring", -1), ("recurring", -31)]
    assert entries(gamma, "kind", "net", "is_on_balance") == [
        (kind, net, on_balance) for kind, net in expected if charged
    ]
    assert balance(gamma) == (-37 if charged and on_balance else 0)


def test_delayed_billing_charges_everything_when_the_period_begins(
    world: World,
) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.beta_plan, 31)
    price(world.beta_plan, 5, occurs=Occurs.SIGNUP)
    gamma.created_at = "2026-01-15T12:00Z"
    gamma.save(update_fields=["created_at"])
    account = set_account(gamma, fees_from=date(2026, 2, 1))
    with time_machine.travel("2026-01-15T12:00Z", tick=False):
        add(gamma, item(1), item(2), item(3))
        remove(gamma, item(2))
    assert entries(gamma, "net") == []
    close_account(account.pk, on=date(2026, 3, 1))
    found = entries(gamma, "kind", "net", "quantity", "period_start")
    assert found == [
        ("recurring", -62, 2, date(2026, 2, 1)),
        ("signup", -10, 2, None),
        ("recurring", -62, 2, date(2026, 3, 1)),
    ]


@pytest.mark.parametrize(
    ("included", "quantity", "now", "then"),
    [(0, 2, -2, -62), (1, 2, -1, -31), (2, 2, None, None), (5, 2, None, None)],
)
def test_included_ones_cost_nothing(
    world: World, included: int, quantity: int, now: int | None, then: int | None
) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.beta_plan, 31)
    permit(world.beta_plan, included=included)
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, *(item(number) for number in range(quantity)))
    close_account(set_account(gamma).pk, on=date(2026, 2, 1))
    assert entries(gamma, "net") == [(net,) for net in (now, then) if net]


def test_fees_count_at_every_level_above(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.root_plan, 31)
    price(world.acme_plan, 62)
    # Beta's plan has none: gamma pays what beta pays.
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, item(1))
        add(world.beta, item(2))
    ids = [set_account(each).pk for each in (world.acme, world.beta, world.gamma)]
    assert close_accounts(ids, on=date(2026, 2, 1)) == dict.fromkeys(ids, 1)
    for customer, nets in [
        (world.acme, [-1, -1, -62]),
        (world.beta, [-2, -2, -124]),
        (world.gamma, [-2, -62]),
    ]:
        assert entries(customer, "net") == [(net,) for net in nets]


def test_deleted_customers_are_not_charged_nor_counted(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.acme_plan, 31)
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, item(1))
    gamma.deleted_at = "2026-02-10T12:00Z"
    gamma.save(update_fields=["deleted_at"])
    for customer in (world.beta, gamma):
        close_account(set_account(customer).pk, on=date(2026, 3, 1))
    assert entries(gamma, "net") == [(-1,)]
    assert entries(world.beta, "net") == [(-1,), (-31,)]  # February, not March


def test_days_of_a_deleted_customer_cost_nothing_when_it_is_back(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.beta_plan, 28)
    world.beta_plan.refund_on_removal = True
    world.beta_plan.save()
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        set_account(gamma, bill_type=BillType.NONE)
        add(gamma, item(1))
        set_account(gamma, bill_type=BillType.PREPAID)
        delete_customer(customer=gamma, by=system_actor(world.beta))
    with time_machine.travel("2027-02-15T12:00Z", tick=False):
        undelete_customer(customer=gamma, by=system_actor(world.beta))
        close_account(gamma.account.pk)
        assert entries(gamma, "net", "period_start", "period_end") == [
            (-14, date(2027, 2, 15), date(2027, 3, 1))
        ]
    with time_machine.travel("2027-02-18T12:00Z", tick=False):
        remove(gamma, item(1))
    assert entries(gamma, "net")[1:] == [(10,)]
    assert set_account(gamma).billed_until == date(2027, 3, 1)


def test_prices_of_another_currency_are_converted_at_the_day(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    set_account(gamma, currency="USD")
    ExchangeRate.objects.create(
        currency="USD", on=date(2026, 1, 30), rate=Decimal("1.1")
    )
    ExchangeRate.objects.create(
        currency="USD", on=date(2026, 2, 1), rate=Decimal("1.2")
    )
    price(world.acme_plan, 31)  # in EUR; beta's plan passes it through
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, item(1))
    close_account(set_account(gamma).pk, on=date(2026, 2, 1))
    fields = ("net", "original_amount", "original_currency", "exchange_rate")
    assert entries(gamma, *fields) == [
        (Decimal("-1.10"), -1, "EUR", Decimal("1.1")),
        (Decimal("-37.20"), -31, "EUR", Decimal("1.2")),
    ]
    assert entries(world.beta, *fields)[0] == (-1, None, "", None)


def test_missing_rate_stops_the_account_and_nothing_is_charged(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    price(world.beta_plan, 31)
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, item(1))
    account = set_account(gamma, currency="USD")
    with pytest.raises(ValidationError, match="no exchange rate of USD"):
        close_account(account.pk, on=date(2026, 2, 1))
    account.refresh_from_db()
    assert account.billed_until == date(2026, 2, 1)


def test_numbers_are_charged_by_class_in_one_line_each(world: World) -> None:
    gamma = _open(world, "2026-02-01")
    normal = NumberClass.objects.get(name="Normal")
    gold = NumberClass.objects.create(name="Gold")
    price(world.beta_plan, 31, Feature.NUMBER, number_class=normal)
    price(world.beta_plan, 310, Feature.NUMBER, number_class=gold)
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        add(gamma, *(item(n, Feature.NUMBER, normal) for n in (1, 2)))
        add(gamma, item(3, Feature.NUMBER, gold))
    close_account(set_account(gamma).pk, on=date(2026, 2, 1))
    assert entries(gamma, "net", "quantity", "description")[2:] == [
        (-62, 2, "Number Normal × 2, 2026-02-01 – 2026-02-28"),
        (-310, 1, "Number Gold, 2026-02-01 – 2026-02-28"),
    ]
