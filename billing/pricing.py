"""What something costs at every level between a customer and the system owner; no queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.models import BillingAccount, Tax
from billing.taxes import Convert
from billing.types import BillTypeRules, rules_of
from portal.core.money import ZERO, round_money
from rateplans.choices import BillingPeriod, Feature, Occurs
from rateplans.models import RatePlan
from rateplans.pricing import EffectivePlan


@dataclass(frozen=True, slots=True)
class Level:
    """An account on the way up: who owes its provider by which plan, as of its own today."""

    account: BillingAccount
    plan: EffectivePlan
    today: date
    taxes: tuple[Tax, ...]  # those the customer is liable for
    language: str

    @property
    def currency(self) -> str:
        return self.account.currency

    @property
    def rules(self) -> BillTypeRules:
        return rules_of(self.account.bill_type)

    @property
    def period(self) -> BillingPeriod:
        return BillingPeriod(self.plan.value("billing_period"))

    @property
    def path(self) -> str:
        path: str = self.account.customer.path
        return path


@dataclass(frozen=True, slots=True)
class LevelPrice:
    """A net price at one level, not rounded, in the currency of the level's account.

    ``plan`` says it; None where the price of the level above is passed through, or, at the
    top, where nothing has a price.
    """

    level: Level
    amount: Decimal
    plan: RatePlan | None


def price_down(
    levels: Sequence[Level],
    feature: Feature,
    occurs: Occurs,
    number_class_id: int | None,
    convert: Convert,
) -> list[LevelPrice]:
    """The price at each of ``levels``, which run from the top down to the customer.

    A plan without a price of its own, set or inherited, passes the one above through
    (design 4); above the first level nobody is owed anything.
    """
    found: list[LevelPrice] = []
    for level in levels:
        own = level.plan.price(feature, occurs, number_class_id)
        if own is not None:
            assert own.plan is not None  # a price always stands in some plan
            amount = convert(own.value, own.plan.currency, level.currency)
            found.append(LevelPrice(level, amount, own.plan))
        elif found:
            above = found[-1]
            amount = convert(above.amount, above.level.currency, level.currency)
            found.append(LevelPrice(level, amount, None))
        else:
            found.append(LevelPrice(level, ZERO, None))
    return found


def for_months(
    price: Decimal, months: Fraction, quantity: int, currency: str
) -> Decimal:
    """``quantity`` times a monthly price for a number of months, rounded once."""
    exact = price * quantity * months.numerator / months.denominator
    return round_money(exact, currency)
