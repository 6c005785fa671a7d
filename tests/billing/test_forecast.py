"""What the account page says of the next fees is what the run then charges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.html import strip_tags

from billing.choices import ChargePeriod
from billing.models import (
    BillingAccount,
    Charge,
    ExchangeRate,
    LedgerEntry,
    Tax,
    TaxLiability,
)
from billing.services.charges import charge_due
from billing.services.forecast import Forecast, forecast
from billing.services.periods import close_accounts
from customers.models import Customer
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, BillType, Feature, Occurs
from rateplans.models import NumberClass
from tests.billing.tariffs import add, item, permit, price, set_account
from tests.books import give
from tests.world import World

NOON = "2026-11-22T12:00:00+01:00"
DAY = date(2026, 12, 1)


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled(), time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def gamma(world: World) -> Customer:
    """Has two lines at 12.50 a month each, and is charged again on 1 December."""
    price(world.beta_plan, "12.50")
    for customer in (world.acme, world.beta, world.gamma):
        set_account(
            customer,
            credit_limit=1000,
            fees_from=date(2026, 1, 1),
            billed_until=DAY,
            charges_from=date(2026, 1, 1),
            bill_type=BillType.NONE,
        )
    add(world.gamma, item(1), item(2))
    for customer in (world.acme, world.beta, world.gamma):
        set_account(customer, bill_type=BillType.PREPAID)
    return world.gamma


def account_of(customer: Customer) -> BillingAccount:
    return BillingAccount.objects.select_related("customer", "plan").get(
        customer=customer
    )


def foreseen(customer: Customer) -> Forecast:
    found = forecast(account_of(customer))
    assert found is not None
    return found


def liable(customer: Customer, tax: Tax) -> None:
    TaxLiability.objects.create(account=customer.account, tax=tax)


def charge(customer: Customer, starts_on: date, **more: Any) -> Charge:
    values = {
        "owner": customer.parent,
        "account": customer.account,
        "name": "Router",
        "amount": Decimal(10),
        "currency": "EUR",
        "period": ChargePeriod.MONTHLY,
        "starts_on": starts_on,
        "next_on": starts_on,
    }
    return Charge.objects.create(**(values | more))


def run(customer: Customer, day: date) -> list[Decimal]:
    """Charge as the hourly run does; all it ever posted, with taxes."""
    account = customer.account
    close_accounts([account.pk], on=day)
    charge_due(account.pk, on=day)
    rows = LedgerEntry.objects.filter(account=account).order_by("pk")
    return [-row.amount for row in rows]


@pytest.mark.parametrize(
    ("period", "billed_until", "months"),
    [
        (BillingPeriod.MONTHLY, DAY, 1),
        (BillingPeriod.QUARTERLY, DAY, 1),  # what is left of the quarter
        (BillingPeriod.QUARTERLY, date(2027, 1, 1), 3),
        (BillingPeriod.ANNUALLY, DAY, 1),
        (BillingPeriod.ANNUALLY, date(2027, 1, 1), 12),
    ],
)
@pytest.mark.parametrize(("included", "paid"), [(0, 2), (1, 1), (2, 0)])
@pytest.mark.parametrize(("rate", "factor"), [(0, "1"), (19, "1.19")])
def test_what_is_said_is_what_the_run_charges(
    world: World,
    gamma: Customer,
    period: BillingPeriod,
    billed_until: date,
    months: int,
    included: int,
    paid: int,
    rate: int,
    factor: str,
) -> None:
    world.beta_plan.billing_period = period
    world.beta_plan.save()
    permit(world.beta_plan, included=included)
    set_account(gamma, billed_until=billed_until)
    if rate:
        liable(gamma, world.acme_tax)
    coming = foreseen(gamma)
    exact = Decimal("12.50") * paid * months * Decimal(factor)
    assert coming.day == billed_until
    assert coming.total == exact.quantize(Decimal("0.01"), "ROUND_HALF_UP")
    assert coming.balance_after == -coming.total
    assert LedgerEntry.objects.count() == 0  # looking posts nothing
    assert account_of(gamma).billed_until == billed_until
    charged = run(gamma, billed_until)
    assert sum(charged) == coming.total
    assert len(charged) == len(coming.lines) == bool(paid)
    assert account_of(gamma).balance == coming.balance_after


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"starts_on": date(2026, 12, 1)}, ["11.90"]),
        ({"starts_on": date(2026, 12, 2)}, []),
        ({"starts_on": date(2026, 10, 25)}, ["11.90", "11.90"]),  # 25 November, too
        ({"starts_on": date(2026, 11, 25), "ends_on": date(2026, 11, 26)}, ["11.90"]),
        ({"starts_on": date(2026, 11, 25), "quantity": 3}, ["35.70"]),
        ({"starts_on": DAY, "ended_at": NOON}, []),
        ({"starts_on": DAY, "period": ChargePeriod.ONCE}, ["11.90"]),
        ({"starts_on": date(2026, 9, 1), "period": ChargePeriod.ANNUALLY}, ["11.90"]),
    ],
)
@pytest.mark.parametrize("is_of_plan", [False, True])
def test_charges_due_by_the_day_are_among_it(
    world: World,
    gamma: Customer,
    values: dict[str, Any],
    expected: list[str],
    is_of_plan: bool,
) -> None:
    liable(gamma, world.acme_tax)
    if is_of_plan:
        values = values | {"account": None, "plan": world.beta_plan, "next_on": None}
        set_account(gamma, charges_from=values["starts_on"])
    charge(gamma, **values).taxes.add(world.acme_tax)
    coming = foreseen(gamma)
    amounts = [Decimal("29.75"), *map(Decimal, expected)]
    assert [each.line.gross for each in coming.lines] == amounts
    assert coming.taxes == {"VAT": sum(each.line.tax for each in coming.lines)}
    assert LedgerEntry.objects.count() == 0
    assert run(gamma, DAY) == amounts


def test_charge_of_a_plan_that_was_posted_is_not_said_again(
    world: World, gamma: Customer
) -> None:
    once = {"period": ChargePeriod.ONCE, "account": None, "plan": world.beta_plan}
    charge(gamma, starts_on=date(2026, 11, 1), next_on=None, **once)
    assert foreseen(gamma).total == 35
    charge_due(gamma.account.pk, on=date(2026, 11, 22))
    assert foreseen(gamma).total == 25


def test_delayed_billing_says_sign_up_fees_too(world: World, gamma: Customer) -> None:
    price(world.beta_plan, 5, occurs=Occurs.SIGNUP)
    Customer.objects.filter(pk=gamma.pk).update(created_at="2026-11-02T12:00Z")
    set_account(gamma, fees_from=DAY)
    coming = foreseen(gamma)
    assert [each.line.gross for each in coming.lines] == [25, 10]
    assert run(gamma, DAY) == [25, 10]


def test_customers_below_and_classes_of_numbers_count(
    world: World, gamma: Customer
) -> None:
    """Beta pays for what is in its whole subtree, at its own prices only."""
    gold = NumberClass.objects.create(name="Gold")
    price(world.acme_plan, 4)
    price(world.acme_plan, 7, Feature.NUMBER, number_class=gold)
    set_account(world.beta, bill_type=BillType.NONE)
    add(world.beta, item(3), *(item(n, Feature.NUMBER, gold) for n in (4, 5)))
    set_account(world.beta, bill_type=BillType.PREPAID)
    coming = foreseen(world.beta)
    assert {each.thing: each.line.gross for each in coming.lines} == {
        "Telephone line × 3": 12,
        "Number Gold × 2": 14,
    }
    assert sorted(run(world.beta, DAY)) == [12, 14]


def test_price_of_the_day_counts(world: World, gamma: Customer) -> None:
    price(world.acme_plan, 3, until=DAY)
    price(world.acme_plan, 4, since=DAY)
    assert foreseen(world.beta).total == 8
    assert run(world.beta, DAY) == [8]


@pytest.mark.parametrize("bill_type", [BillType.EXTERNAL, BillType.NONE])
def test_billing_types_without_fees_say_nothing(
    gamma: Customer, bill_type: BillType
) -> None:
    set_account(gamma, bill_type=bill_type)
    assert forecast(account_of(gamma)) is None


def test_plans_without_periods_say_nothing(world: World, gamma: Customer) -> None:
    world.beta_plan.billing_period = BillingPeriod.INDEFINITE
    world.beta_plan.save()
    charge(gamma, starts_on=DAY)
    assert forecast(account_of(gamma)) is None


def test_deleted_customers_are_charged_nothing(gamma: Customer) -> None:
    Customer.objects.filter(pk=gamma.pk).update(deleted_at=NOON)
    assert forecast(account_of(gamma)) is None
    assert run(gamma, DAY) == []


@pytest.mark.parametrize(
    ("bill_type", "balance", "limit", "missing"),
    [
        (BillType.PREPAID, "17.50", 0, "7.50"),
        (BillType.PREPAID, "25.00", 0, "0"),
        (BillType.PREPAID, "24.99", 0, "0.01"),
        (BillType.PREPAID, "17.50", 5, "2.50"),
        (BillType.PREPAID, "17.50", 10, "0"),
        (BillType.PREPAID, "-50", 10, "65"),
        (BillType.POSTPAID, "0", 20, "5"),
        (BillType.PREPAID_CALLS, "17.50", 0, "0"),  # beside the balance
    ],
)
def test_what_the_credit_does_not_cover_is_said(
    gamma: Customer, bill_type: BillType, balance: str, limit: int, missing: str
) -> None:
    set_account(gamma, bill_type=bill_type, credit_limit=limit)
    account = give(gamma, balance)
    coming = foreseen(gamma)
    assert coming.missing == Decimal(missing)
    close_accounts([account.pk], on=DAY)
    account = account_of(gamma)
    assert account.balance == coming.balance_after
    if coming.missing:
        assert account.balance == -limit - coming.missing


# ------------------------------------------------------------------------------- the page


def own(world: World) -> tuple[Client, str]:
    return world.client(world.gil), f"/a/{world.gamma.pk}/reports/account/"


def providers(world: World) -> tuple[Client, str]:
    url = f"/a/{world.beta.pk}/commerce/customers/{world.gamma.pk}/account/"
    return world.client(world.ben), url


READERS = pytest.mark.parametrize("reader", [own, providers])
SHORT = "will take the balance to -€7.50, €7.50 beyond the credit limit"


def tile_of(page: Any) -> dict[str, Any]:
    tile: dict[str, Any]
    [tile] = [
        each
        for each in page.context["overview"]()["tiles"]
        if each["label"] == "Next fees"
    ]
    return tile


@READERS
def test_page_shows_amount_and_what_it_is_made_of(
    world: World, gamma: Customer, reader: Any
) -> None:
    liable(gamma, world.acme_tax)
    price(world.acme_plan, "9.99")  # what Beta pays itself is nobody's below
    client, url = reader(world)
    page = client.get(url)
    shown = page.content.decode()
    assert tile_of(page)["value"] == "€29.75"
    assert tile_of(page)["detail"] == "on 2026-12-01, taxes included"
    for text in ("What is charged on 2026-12-01", "Telephone line × 2", "€4.75"):
        assert text in shown, text
    assert "9.99" not in shown
    assert "19.98" not in shown
    assert "beyond the credit limit" not in shown


@READERS
def test_page_warns_where_the_credit_is_short(
    world: World, gamma: Customer, reader: Any
) -> None:
    client, url = reader(world)
    set_account(gamma, credit_limit=0)
    give(gamma, "17.50")
    page = client.get(url)
    assert SHORT in strip_tags(page.content.decode())
    assert tile_of(page)["kind"] == "warning"
    give(gamma, "7.50")
    page = client.get(url)
    assert "beyond the credit limit" not in page.content.decode()
    assert tile_of(page)["kind"] == ""


def test_page_says_what_stands_beside_the_balance(
    world: World, gamma: Customer
) -> None:
    set_account(gamma, bill_type=BillType.PREPAID_CALLS)
    client, url = own(world)
    assert "kept apart from the balance" in client.get(url).content.decode()


@pytest.mark.parametrize("bill_type", [BillType.EXTERNAL, BillType.NONE])
def test_page_of_an_account_without_fees_says_none(
    world: World, gamma: Customer, bill_type: BillType
) -> None:
    set_account(gamma, bill_type=bill_type)
    client, url = own(world)
    page = client.get(url)
    assert tile_of(page)["value"] == "None"
    assert "What is charged on" not in page.content.decode()


def test_page_of_an_account_that_has_no_rate_yet_says_the_day(
    world: World, gamma: Customer
) -> None:
    set_account(gamma, currency="USD")
    client, url = own(world)
    page = client.get(url)
    assert tile_of(page)["value"] == "2026-12-01"
    assert "What is charged on" not in page.content.decode()
    ExchangeRate.objects.create(
        currency="USD", on=date(2026, 11, 1), rate=Decimal("1.2")
    )
    assert tile_of(client.get(url))["value"] == "$30.00"


@READERS
@pytest.mark.parametrize("count", [1, 4])
def test_queries_do_not_grow_with_what_is_charged(
    world: World,
    gamma: Customer,
    reader: Any,
    count: int,
    django_assert_max_num_queries: Any,
) -> None:
    gold = NumberClass.objects.create(name="Gold")
    price(world.beta_plan, 7, Feature.NUMBER, number_class=gold)
    liable(gamma, world.acme_tax)
    set_account(gamma, bill_type=BillType.NONE)
    add(gamma, *(item(n, Feature.NUMBER, gold) for n in range(10, 10 + count)))
    set_account(gamma, bill_type=BillType.PREPAID)
    for place in range(count):
        charge(gamma, starts_on=DAY, name=f"Own {place}").taxes.add(world.acme_tax)
        of_plan = charge(
            gamma,
            starts_on=DAY,
            name=f"Plan {place}",
            account=None,
            plan=world.beta_plan,
            next_on=None,
        )
        of_plan.taxes.add(world.acme_tax)
    client, url = reader(world)
    client.get(url)
    with django_assert_max_num_queries(30):
        page = client.get(url)
    assert f"Own {count - 1}" in page.content.decode()
    assert f"Plan {count - 1}" in page.content.decode()
