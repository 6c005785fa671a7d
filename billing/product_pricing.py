"""What a product costs at every level between its owner and a buyer; no queries (D 3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.models import Product, ProductException
from billing.pricing import RATE_PLACES, Level
from billing.taxes import Convert
from rateplans.models import RatePlan
from rateplans.pricing import Markup, marked_up


@dataclass(frozen=True, slots=True)
class ProductPrice:
    """Net prices of one at one level, not rounded, in the currency of its account.

    ``plan`` says them; None where those above, at the top the product's own, pass through.
    ``said`` is the one-off price as the plan or the product says it, before any conversion.
    """

    level: Level
    create: Decimal
    period: Decimal
    plan: RatePlan | None
    said: Decimal
    said_currency: str

    @property
    def rate(self) -> Decimal | None:
        """How much of the account's currency one unit was taken for; None if it is that."""
        if not self.said or self.said_currency == self.level.currency:
            return None
        return (self.create / self.said).quantize(RATE_PLACES)


def product_prices(
    product: Product,
    levels: Sequence[Level],
    exceptions: Mapping[int, ProductException],
    convert: Convert,
) -> list[ProductPrice]:
    """The price at each of ``levels``, from the owner's own customer down to the buyer.

    ``exceptions`` are those of the product by the id of their plan. A plan's own one counts
    first, then that of a plan it inherits from: a fixed price, or a mark-up and a margin on
    the price above.
    """
    found: list[ProductPrice] = []
    create, period, currency = (
        product.create_fee,
        product.period_fee,
        product.currency,
    )
    said, said_currency = create, currency
    for level in levels:
        create = convert(create, currency, level.currency)
        period = convert(period, currency, level.currency)
        currency = level.currency
        plan = next((plan for plan in level.plan.chain if plan.pk in exceptions), None)
        if plan is not None:
            rule = exceptions[plan.pk]
            if rule.uses_markups:
                create, period = (
                    _marked_up(cost, percent, margin, plan.currency, currency, convert)
                    for cost, percent, margin in (
                        (create, rule.create_markup, rule.create_margin),
                        (period, rule.period_markup, rule.period_margin),
                    )
                )
                said, said_currency = create, currency
            else:
                said, said_currency = rule.create_fee, plan.currency
                create = convert(rule.create_fee, plan.currency, currency)
                period = convert(rule.period_fee, plan.currency, currency)
        if not product.period:
            period = Decimal(0)
        found.append(ProductPrice(level, create, period, plan, said, said_currency))
    return found


def _marked_up(
    cost: Decimal,
    percent: Decimal,
    margin: Decimal,
    margin_currency: str,
    currency: str,
    convert: Convert,
) -> Decimal:
    return marked_up(cost, Markup(percent, convert(margin, margin_currency, currency)))
