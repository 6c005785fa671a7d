"""How to violate each constraint of charges, products and exchange rates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from billing.models import (
    CallTime,
    Charge,
    ExchangeRate,
    ExtraCalls,
    Product,
    ProductException,
)
from tests.world import World


def _charge(world: World, **values: Any) -> None:
    fields: dict[str, Any] = {
        "owner": world.acme,
        "account": world.beta.account,
        "name": "Rental",
        "amount": 1,
        "currency": "EUR",
        "starts_on": date(2026, 1, 1),
    }
    Charge.objects.create(**(fields | values))


def _product(world: World, **values: Any) -> Product:
    fields = {"owner": world.acme, "name": "Phone", "currency": "EUR"}
    return Product.objects.create(**(fields | values))


def _bad_product(world: World, **values: Any) -> None:
    _product(world, **values)


def _two_products(world: World) -> None:
    for name in ("Phone", "PHONE"):
        _product(world, name=name)


def _exception(world: World, times: int = 1, **values: Any) -> None:
    product = _product(world)
    for _time in range(times):
        ProductException.objects.create(plan=world.acme_plan, product=product, **values)


def _rate(times: int = 1, **values: Any) -> None:
    fields = {"currency": "USD", "on": date(2026, 1, 1), "rate": 1}
    for _time in range(times):
        ExchangeRate.objects.create(**(fields | values))


def _call_time(world: World) -> None:
    CallTime.objects.create(
        account=world.beta.account,
        seconds=60,
        remaining=61,
        expires_on=date(2026, 2, 1),
    )


def _extra_calls(world: World) -> None:
    ExtraCalls.objects.create(account=world.beta.account, type="call_time", calls=60)


SALES: dict[str, Callable[[World], None]] = {
    "charge_is_on_a_customer_or_a_plan": lambda w: _charge(w, plan=w.acme_plan),
    "charge_is_not_negative": lambda w: _charge(w, amount=-1),
    "charge_ends_after_it_starts": lambda w: _charge(w, ends_on=date(2026, 1, 1)),
    "charge_number_is_positive": lambda w: _charge(w, number=0),
    "product_name_once_per_owner": _two_products,
    "product_is_not_negative": lambda w: _bad_product(w, create_fee=-1),
    "product_recurs_with_a_period": lambda w: _bad_product(w, period_fee=1),
    "call_time_does_not_recur": lambda w: _bad_product(
        w, type="call_time", period="monthly"
    ),
    "product_gives_some_calls": lambda w: _bad_product(w, type="calls_out"),
    "extra_calls_are_some": _extra_calls,
    "product_exception_once_per_plan": lambda w: _exception(w, times=2),
    "product_exception_makes_no_negative_price": lambda w: _exception(w, create_fee=-1),
    "call_time_is_not_overused": _call_time,
    "rate_once_per_day": lambda w: _rate(times=2),
    "rate_is_positive": lambda w: _rate(rate=0),
    "rate_is_not_of_the_euro": lambda w: _rate(currency="EUR"),
}
