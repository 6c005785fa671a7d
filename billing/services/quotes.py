"""What something would cost a customer now, for its page to show beforehand; posts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Sum

from billing.models import BilledFeature, BillingAccount
from billing.pricing import Level, price_down
from billing.selectors import Rates, count_features, load_levels
from billing.services.accounts import first_days
from billing.services.fee_lines import (
    FeatureItem,
    FeeLine,
    chargeable,
    lines_for_new,
)
from billing.services.fees import (
    hold_chain,
    levels_outside,
    locked_levels,
    refuse_above_maximum,
)
from billing.services.refunds import refunds
from portal.core.actor import Actor
from portal.core.money import ZERO
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, Feature, Occurs
from rateplans.selectors import effective_plan

Counts = dict[str, dict[Feature, int]]


@dataclass(frozen=True, slots=True)
class Wish:
    """So many more of a feature."""

    feature: Feature
    quantity: int = 1
    number_class_id: int | None = None


@dataclass(frozen=True)
class Quote:
    """What wishes come to at the customer's own level."""

    level: Level | None  # None: the system owner, who pays nobody
    lines: list[FeeLine] = field(default_factory=list)
    monthly: Decimal = ZERO  # net, from the next period on
    refusal: ValidationError | None = None
    due: Decimal = ZERO  # what late runs have left, charged first

    @property
    def total(self) -> Decimal:
        return sum((line.gross for line in self.lines), ZERO)

    @property
    def balance_after(self) -> Decimal:
        assert self.level is not None
        moves = self.level.rules.transactions_move_balance
        return self.level.account.balance - (self.total if moves else ZERO)

    @property
    def missing(self) -> Decimal:
        """By how much the credit falls short; 0 if it reaches."""
        assert self.level is not None
        moves = self.level.rules.transactions_move_balance
        return self.level.account.missing_for(self.total) if moves else ZERO


def quote_features(
    customer: Any, wishes: Sequence[Wish], *, by: Actor, came_from: Any = None
) -> Quote:
    """What ``customer`` would pay for ``wishes``, or why a plan refuses them."""
    levels = load_levels(customer)
    counts = count_features(levels, {wish.feature for wish in wishes})
    return _quote(levels, counts, wishes, customer, by, came_from)


def quote_each(
    customer: Any, wishes: Sequence[Wish], *, by: Actor, came_from: Any = None
) -> list[Quote]:
    """One quote for each of ``wishes``, as if it were the only one."""
    levels = load_levels(customer)
    counts = count_features(levels, {wish.feature for wish in wishes})
    return [_quote(levels, counts, [wish], customer, by, came_from) for wish in wishes]


def quote_new_customer(
    parent: Any, values: dict[str, Any], wishes: Sequence[Wish], *, by: Actor
) -> Quote:
    """What a customer not made yet would pay for its account and ``wishes``.

    ``values`` are those of the account, at least ``plan``, and its time zone.
    """
    level = level_of_newcomer(parent, values)
    levels = [*load_levels(parent), level]
    everything = [Wish(Feature.ACCOUNT), *wishes]
    counts = count_features(levels, {wish.feature for wish in everything})
    return _quote(levels, counts, everything, level.account.customer, by, None)


def level_of_newcomer(parent: Any, values: dict[str, Any]) -> Level:
    """The level of a customer below ``parent`` that is not made yet; nothing is saved."""
    zone = values.get("time_zone") or parent.time_zone
    today = local_date(zone)
    plan = effective_plan(values["plan"], on=today)
    fees_from, billed_until = first_days(plan, today)
    newcomer = type(parent)(parent=parent, path=f"{parent.path}0.", time_zone=zone)
    account = BillingAccount(
        customer=newcomer,
        provider=parent,
        plan=values["plan"],
        currency=values.get("currency") or plan.plan.currency,
        bill_type=values.get("bill_type") or plan.value("bill_type"),
        credit_limit=values.get("credit_limit") or ZERO,
        fees_from=fees_from,
        billed_until=billed_until,
    )
    return Level(account, plan, today, tuple(values.get("taxes") or ()), "")


def quote_removal(customer: Any, item: FeatureItem, *, goes_to: Any = None) -> Quote:
    """What ``customer`` would get back, and is charged before; positive amounts."""
    levels = load_levels(customer)
    if not levels:
        return Quote(None)
    if all(level.account.billed_until > level.today for level in levels):
        return _removal(levels, item, goes_to)
    # What comes back is a part of what is charged before: it is charged for a moment.
    with transaction.atomic():
        hold_chain(customer)
        own = levels[-1].account
        newest = own.entries.aggregate(newest=Max("pk"))["newest"] or 0
        levels, _now = locked_levels(customer)
        booked = own.entries.filter(pk__gt=newest).aggregate(total=Sum("amount"))
        quote = _removal(levels, item, goes_to, due=-(booked["total"] or ZERO))
        transaction.set_rollback(True)
    return quote


def _removal(
    levels: Sequence[Level], item: FeatureItem, goes_to: Any, *, due: Decimal = ZERO
) -> Quote:
    own = levels[-1]
    losing = levels_outside(levels, goes_to) & {own.path}
    with scopes_disabled():  # the row is the customer's own, and handed in
        leaving = list(
            BilledFeature.objects.filter(
                feature=item.feature, object_id=item.object_id, ended_at=None
            )
        )
    back = [each.line for each in refunds(levels, losing, leaving)]
    return Quote(own, back, due=due)


def _quote(
    levels: Sequence[Level],
    present: Counts,
    wishes: Iterable[Wish],
    customer: Any,
    by: Actor,
    came_from: Any,
) -> Quote:
    if not levels:
        return Quote(None)
    own = levels[-1]
    counts = {path: dict(features) for path, features in present.items()}
    outside = levels_outside(levels, came_from)
    lines: list[FeeLine] = []
    monthly = ZERO
    refusal: ValidationError | None = None
    for wish in wishes:
        try:
            refuse_above_maximum(
                levels, outside, wish.feature, wish.quantity, counts, customer, by
            )
            lines += lines_for_new(
                levels,
                wish.feature,
                wish.number_class_id,
                wish.quantity,
                f"× {wish.quantity}" if wish.quantity > 1 else "",
                counts,
                outside & {own.path},
            )
            monthly += _monthly(levels, wish, counts)
        except ValidationError as error:
            refusal = refusal or error
        for path in outside:
            counts[path][wish.feature] = (
                counts[path].get(wish.feature, 0) + wish.quantity
            )
    return Quote(own, lines, monthly, refusal)


def _monthly(levels: Sequence[Level], wish: Wish, counts: Counts) -> Decimal:
    own = levels[-1]
    if own.period == BillingPeriod.INDEFINITE or not own.rules.has_monthly_fees:
        return ZERO
    rates = Rates(own.today)
    prices = price_down(
        levels, wish.feature, Occurs.RECURRING, wish.number_class_id, rates.convert
    )
    before = counts[own.path].get(wish.feature, 0)
    return prices[-1].amount * chargeable(own, wish.feature, wish.quantity, before)
