"""Charging the recurring fees of accounts, period by period (design 4).

An account's ``billed_until`` is the first day no fee was charged for. Closing charges for the
next period what there was when it began, and moves that day on, in one transaction: a run
that is repeated, late or killed gives one result.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from billing import ledger
from billing.models import BillingAccount
from billing.pricing import Level, LevelPrice, price_down
from billing.selectors import Rates, load_levels
from billing.services.fee_lines import (
    FeeLine,
    recurring_line,
    signup_line,
)
from portal.core.actor import Actor, system_actor
from portal.core.periods import period_of, start_of_day
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, Feature, Occurs
from rateplans.models import NumberClass

# What a period charges, oldest first; the plan's included ones are the first of a kind.
_COUNTS = """
SELECT feature, number_class_id, count(*), min(id)
FROM (
    SELECT billed.id, billed.feature, billed.number_class_id, billed.started_at,
           row_number() OVER (PARTITION BY billed.feature
                              ORDER BY billed.started_at, billed.id) AS place
    FROM customers_customer customer
    JOIN billing_billedfeature billed ON billed.customer_id = customer.id
    WHERE customer.path >= %(path)s COLLATE "C"
      AND customer.path < %(path)s || ':' COLLATE "C"
      AND billed.started_at < %(at)s
      AND (billed.ended_at IS NULL OR billed.ended_at >= %(at)s)
      AND (customer.deleted_at IS NULL OR customer.deleted_at >= %(at)s)
) counted
JOIN unnest(%(features)s::text[], %(included)s::int[]) AS free (feature, included)
  USING (feature)
WHERE place > included
  AND (%(since)s::timestamptz IS NULL OR started_at >= %(since)s)
GROUP BY feature, number_class_id
ORDER BY feature, number_class_id
"""


def next_period(billed_until: date, period: BillingPeriod) -> tuple[date, date]:
    """From the first day not charged to the end of the calendar period it is in.

    A plan without end charges nothing, but its days pass month by month: a customer put on
    another plan later does not pay for them.
    """
    return billed_until, period_of(billed_until, period.months or 1)[1]


@transaction.atomic
def close_account(
    account_id: int, *, on: date | None = None, by: Actor | None = None
) -> int:
    """Charge every period that has begun by the day ``on``, the account's today by default.

    Returns how many were charged. Running it again does nothing.
    """
    with scopes_disabled():  # the nightly run goes over all trees
        account = (
            BillingAccount.objects.select_for_update(of=("self",), no_key=True)
            .select_related("customer")
            .get(pk=account_id)
        )
        if account.customer.deleted_at is not None:
            return 0
        zone = account.customer.time_zone
        day = on or timezone.localdate(timezone=ZoneInfo(zone))
        closed = 0
        while account.billed_until <= day:
            _close_one(account, by=by or system_actor(account.customer))
            closed += 1
    return closed


def _close_one(account: BillingAccount, *, by: Actor) -> None:
    begin = account.billed_until
    zone = account.customer.time_zone
    at = start_of_day(begin, zone)
    levels = load_levels(account.customer, at=at)
    level = levels[-1]
    begin, end = next_period(begin, level.period)
    lines = list(_lines(levels, (begin, end), at))
    if account.fees_from == begin and level.rules.has_monthly_fees:
        lines += _delayed_signups(levels, at)
    ledger.post(
        (
            line.debit(f"{line.kind}:{begin}:{line.feature}:{number_class or ''}")
            for line, number_class in lines
            if line.gross
        ),
        by=by,
        within_limits=False,
        at=at,
    )
    account.billed_until = end
    account.save(update_fields=["billed_until"])


def _lines(
    levels: list[Level], period: tuple[date, date], at: datetime
) -> Iterable[tuple[FeeLine, int | None]]:
    level = levels[-1]
    if not level.rules.has_monthly_fees or level.period == BillingPeriod.INDEFINITE:
        return
    if level.account.fees_from > period[0]:
        return
    rates = Rates(level.today)
    for feature, number_class, quantity in _counted(level, at):
        price = _price(levels, feature, Occurs.RECURRING, number_class, rates)
        if price.amount:
            label = _label(quantity, number_class)
            yield (
                recurring_line(price, feature, quantity, label, period, rates),
                number_class,
            )


def _delayed_signups(
    levels: list[Level], at: datetime
) -> list[tuple[FeeLine, int | None]]:
    """Sign-up fees of what was added while billing was delayed and is still there."""
    level = levels[-1]
    rates = Rates(level.today)
    opened = level.account.customer.created_at
    found: list[tuple[FeeLine, int | None]] = []
    for feature, number_class, quantity in _counted(level, at, since=opened):
        price = _price(levels, feature, Occurs.SIGNUP, number_class, rates)
        if price.amount:
            label = _label(quantity, number_class)
            line = signup_line(price, feature, quantity, label, rates)
            found.append((line, number_class))
    return found


def _counted(
    level: Level, at: datetime, since: datetime | None = None
) -> list[tuple[Feature, int | None, int]]:
    """(feature, number class, how many cost something) at and below the level."""
    included = {feature: level.plan.included(feature).value for feature in Feature}
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTS,
            {
                "path": level.path,
                "at": at,
                "since": since,
                "features": [str(feature) for feature in included],
                "included": list(included.values()),
            },
        )
        return [(Feature(row[0]), row[1], row[2]) for row in cursor.fetchall()]


def _price(
    levels: list[Level],
    feature: Feature,
    occurs: Occurs,
    number_class: int | None,
    rates: Rates,
) -> LevelPrice:
    return price_down(levels, feature, occurs, number_class, rates.convert)[-1]


def _label(quantity: int, number_class: int | None) -> str:
    name = NumberClass.objects.get(pk=number_class).name if number_class else ""
    times = f"× {quantity}" if quantity > 1 else ""
    return f"{name} {times}".strip()
