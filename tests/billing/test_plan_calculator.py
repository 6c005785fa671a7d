"""The price calculator: every level the reader may see, with the rule behind each price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from billing.choices import ProductReach
from billing.models import (
    BillingAccount,
    ExchangeRate,
    Product,
    ProductException,
)
from customers.models import Person
from portal.core.scope import scopes_disabled
from rateplans.models import PlanPrice, RatePlan
from tests.billing.pages import url_of
from tests.customers.features import queries_of
from tests.world import World


def price(plan: RatePlan, amount: str, occurs: str = "recurring") -> None:
    with scopes_disabled():  # tests lay rows of every account
        PlanPrice.objects.create(
            plan=plan,
            feature="line",
            occurs=occurs,
            amount=Decimal(amount),
            valid=(date(2020, 1, 1), None),
        )


def change(plan: RatePlan, **values: Any) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=plan.pk).update(**values)


def lines_of(world: World, person: Person, plan: RatePlan, **query: Any) -> Any:
    url = url_of(person.customer, "plan-calculator", pk=plan.pk)
    page = world.client(person).get(url, {"feature": "line", **query})
    assert page.status_code == 200
    return [
        (line["name"], line["recurring"]["amount"], line["recurring"]["rule"])
        for line in page.context["lines"]
    ]


def test_a_reseller_sees_its_own_price_and_the_new_customers(world: World) -> None:
    price(world.root_plan, "1")
    price(world.acme_plan, "1.50")
    assert lines_of(world, world.ann, world.acme_plan) == [
        ("Acme Telecom", "€1.00", "set in Reseller standard"),
        ("", "€1.50", "set in Acme basic"),
    ]


def test_levels_down_to_a_customer_that_is_chosen(world: World) -> None:
    """Beta set no price: Gamma pays what Beta pays, passed through."""
    price(world.root_plan, "1")
    price(world.acme_plan, "1.50")
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.gamma).update(
            plan=world.shared_plan
        )
    found = lines_of(world, world.olga, world.shared_plan, customer=str(world.gamma.pk))
    assert found == [
        ("Acme Telecom", "€1.00", "set in Reseller standard"),
        ("Beta Voice", "€1.50", "set in Acme basic"),
        ("Gamma Bakery", "€1.50", "passed through from the level above"),
    ]


def test_what_an_account_above_pays_is_never_shown(world: World) -> None:
    price(world.root_plan, "0.77")
    found = lines_of(world, world.ben, world.beta_plan)
    assert [name for name, _amount, _rule in found] == ["Beta Voice", ""]
    # The price passes through, as one's own: that one pays it is nobody's secret.
    assert {rule for _name, _amount, rule in found} == {
        "passed through from the level above"
    }


def test_inherited_prices_name_plans_the_reader_may_know(world: World) -> None:
    change(world.acme_plan, inherits_own=True)
    with scopes_disabled():
        secret = RatePlan.objects.create(
            owner=world.root, name="Secret base", currency="EUR"
        )
    change(world.root_plan, base=secret)
    price(secret, "3")
    found = lines_of(world, world.ann, world.acme_plan)
    assert [rule for _name, _amount, rule in found] == [
        "set in Reseller standard",
        "inherited from Reseller standard",
    ]


def test_a_price_in_another_currency_tells_the_rate(world: World) -> None:
    price(world.root_plan, "2")
    change(world.acme_plan, currency="USD")
    ExchangeRate.objects.create(currency="USD", on=date(2020, 1, 1), rate="1.25")
    assert lines_of(world, world.ann, world.acme_plan)[1][1:] == (
        "$2.50",
        "passed through from the level above, converted: 1 EUR = 1.25 USD",
    )


def test_a_products_price_goes_down_the_chain(world: World) -> None:
    """The system owner sells to all; Acme's plan adds 50 % to what Acme pays."""
    with scopes_disabled():  # tests lay rows of every account
        product = Product.objects.create(
            owner=world.root,
            name="Desk phone",
            currency="EUR",
            create_fee=100,
            period="monthly",
            period_fee=2,
            reach=ProductReach.RECURSIVE,
        )
        ProductException.objects.create(
            plan=world.acme_plan,
            product=product,
            uses_markups=True,
            create_markup=50,
        )
    url = url_of(world.acme, "plan-calculator", pk=world.acme_plan.pk)
    page = world.client(world.ann).get(url, {"feature": f"product:{product.pk}"})
    told = [
        (line["once"]["amount"], line["recurring"]["amount"], line["once"]["rule"])
        for line in page.context["lines"]
    ]
    assert told == [
        ("€100.00", "€2.00 monthly", "the product's own price"),
        ("€150.00", "€2.00 monthly", "set in Acme basic"),
    ]


def test_a_missing_exchange_rate_is_said(world: World) -> None:
    price(world.root_plan, "2")
    change(world.acme_plan, currency="USD")
    url = url_of(world.acme, "plan-calculator", pk=world.acme_plan.pk)
    page = world.client(world.ann).get(url, {"feature": "line"})
    assert "There is no exchange rate of USD" in page.content.decode()


def test_nonsense_asked_for_is_not_answered_with_an_error(world: World) -> None:
    found = lines_of(
        world, world.ann, world.acme_plan, feature="rocket", customer="999999"
    )
    assert len(found) == 2


def test_the_calculator_takes_as_many_queries_for_five_customers(
    world: World,
) -> None:
    url = url_of(world.acme, "plan-calculator", pk=world.acme_plan.pk)
    ann = world.client(world.ann)
    before = queries_of(ann, url)
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.gamma).update(plan=world.acme_plan)
    assert queries_of(ann, url) == before <= 40
