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
from portal.core.periods import period_of
from rateplans.choices import BillingPeriod, Feature, Occurs
from rateplans.models import RatePlan
from rateplans.pricing import EffectivePlan

RATE_PLACES = Decimal("1e-10")


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
    top, where nothing has a price. ``said`` is the price as its plan says it, wherever in the
    chain that is, before any conversion.
    """

    level: Level
    amount: Decimal
    plan: RatePlan | None
    said: Decimal = ZERO
    said_currency: str = ""

    @property
    def is_converted(self) -> bool:
        return bool(self.said) and self.said_currency != self.level.currency

    @property
    def rate(self) -> Decimal:
        """How much of the account's currency one unit of the plan's was taken for."""
        return (self.amount / self.said).quantize(RATE_PLACES)


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
        above = found[-1] if found else None
        found.append(price_at(level, above, feature, occurs, number_class_id, convert))
    return found


def price_at(
    level: Level,
    above: LevelPrice | None,
    feature: Feature,
    occurs: Occurs,
    number_class_id: int | None,
    convert: Convert,
) -> LevelPrice:
    """One step of `price_down`: the price at ``level``, with that of the level above it."""
    own = level.plan.price(feature, occurs, number_class_id)
    if own is not None:
        assert own.plan is not None  # a price always stands in some plan
        amount = convert(own.value, own.plan.currency, level.currency)
        return LevelPrice(level, amount, own.plan, own.value, own.plan.currency)
    if above is not None:
        amount = convert(above.amount, above.level.currency, level.currency)
        return LevelPrice(level, amount, None, above.said, above.said_currency)
    return LevelPrice(level, ZERO, None)


def next_period(billed_until: date, period: BillingPeriod) -> tuple[date, date]:
    """From the first day not charged to the end of the calendar period it is in.

    A plan without end charges nothing, but its days pass month by month: a customer put on
    another plan later does not pay for them.
    """
    return billed_until, period_of(billed_until, period.months or 1)[1]


def for_months(
    price: Decimal, months: Fraction, quantity: int, currency: str
) -> Decimal:
    """``quantity`` times a monthly price for a number of months, rounded once."""
    exact = price * quantity * months.numerator / months.denominator
    return round_money(exact, currency)
