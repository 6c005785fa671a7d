"""What somebody is told who sells something for less than it costs: a warning, no refusal."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from billing.choices import ChargePeriod
from billing.models import Charge, Product
from billing.product_pricing import ProductPrice
from billing.selectors import Rates
from billing.views.parts import due_text
from portal.core.money import format_price


def loss_text(price: Decimal, cost: Decimal, currency: str, period: str) -> str:
    """ "You pay €5.00 monthly for this yourself ..."; "" where nothing is lost."""
    if price >= cost:
        return ""
    text = _("You pay %(cost)s for this yourself, and sell it for %(price)s.")
    return text % {
        "cost": due_text(format_price(cost, currency), period),
        "price": format_price(price, currency),
    }


def losses_of_charge(charge: Charge) -> list[str]:
    said = loss_text(charge.amount, charge.buy, charge.currency, charge.period)
    return [said] if said else []


def losses_of_product(product: Product) -> list[str]:
    """At its usual price."""
    found = [
        loss_text(
            product.create_fee, product.create_buy, product.currency, ChargePeriod.ONCE
        )
    ]
    if product.period:
        found.append(
            loss_text(
                product.period_fee,
                product.period_buy,
                product.currency,
                product.period,
            )
        )
    return [text for text in found if text]


def losses_on_plan(
    product: Product, price: ProductPrice, own: ProductPrice | None, *, rates: Rates
) -> list[str]:
    """At a plan's ``price``; ``own`` is that of the plan's owner, None for its own product.

    Raises ValidationError where a currency has no rate.
    """
    currency = price.level.currency
    if own is None:
        costs, paid_in = (product.create_buy, product.period_buy), product.currency
    else:
        costs, paid_in = (own.create, own.period), own.level.currency
    once, again = (round(rates.convert(cost, paid_in, currency), 9) for cost in costs)
    found = [loss_text(price.create, once, currency, ChargePeriod.ONCE)]
    if product.period:
        found.append(loss_text(price.period, again, currency, product.period))
    return [text for text in found if text]
