"""What forms say of the periods to come is what a whole one costs, however long it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.services.periods import close_accounts
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, BillType, Feature
from tests.billing.tariffs import entries, price, set_account
from tests.customers.features import url_of
from tests.pages import send
from tests.world import World

NOON = "2026-12-22T12:00:00+01:00"
NEXT = date(2027, 1, 1)


@pytest.fixture
def priced(world: World, time_machine: Any) -> World:
    """Lines and numbers at 12.50 a month for Beta; a new year begins soon."""
    time_machine.move_to(NOON, tick=False)
    price(world.acme_plan, "12.50")
    number_class = world.numbers[0].number_class
    price(world.acme_plan, "12.50", Feature.NUMBER, number_class=number_class)
    for customer in (world.acme, world.beta):
        set_account(
            customer,
            credit_limit=1000,
            fees_from=date(2026, 1, 1),
            billed_until=NEXT,
            bill_type=BillType.PREPAID,
        )
    return world


PERIODS = pytest.mark.parametrize(
    ("period", "amount", "word"),
    [
        (BillingPeriod.MONTHLY, "12.50", "month"),
        (BillingPeriod.QUARTERLY, "37.50", "quarter"),
        (BillingPeriod.ANNUALLY, "150.00", "year"),
    ],
)


@PERIODS
def test_form_says_what_each_period_costs(
    priced: World, period: BillingPeriod, amount: str, word: str
) -> None:
    priced.acme_plan.billing_period = period
    priced.acme_plan.save()
    client, url = priced.client(priced.ben), url_of(priced.beta, "line-create")
    shown = client.get(url).content.decode()
    assert f"From 2027-01-01 on €{amount} a {word}, plus taxes." in " ".join(
        shown.split()
    )
    typed = {"name": "Desk", "username": "sip-desk"}
    assert send(client, url, **typed).status_code == 302
    with scopes_disabled():
        close_accounts([priced.beta.account.pk], on=NEXT)
    assert entries(priced.beta, "net")[-1:] == [(-Decimal(amount),)]


@PERIODS
def test_prices_of_numbers_say_what_each_period_costs(
    priced: World, period: BillingPeriod, amount: str, word: str
) -> None:
    priced.acme_plan.billing_period = period
    priced.acme_plan.save()
    url = url_of(priced.beta, "number-take")
    page = priced.client(priced.ben).get(url)
    prices = {row["name"]: row["recurring"] for row in page.context["class_prices"]}
    assert prices[priced.numbers[0].number_class.name] == f"€{amount}"
    assert f"A {word}, plus taxes" in page.content.decode()


def test_plan_without_periods_says_nothing(priced: World) -> None:
    priced.acme_plan.billing_period = BillingPeriod.INDEFINITE
    priced.acme_plan.save()
    page = priced.client(priced.ben).get(url_of(priced.beta, "line-create"))
    assert page.context["price"] is None
