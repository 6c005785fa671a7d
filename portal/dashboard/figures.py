"""What the start page of who runs customers is told by numbers; what reads much is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import PeriodRun
from billing.selectors import Rates, run_failures, sees_all_runs
from billing.services.checking import last_check
from billing.statement import revenue_by_month
from customers.choices import Lock
from customers.models import Customer
from customers.selectors import MANY_MATCHES, attention_counts
from customers.visibility import visible_emails
from portal.core.actor import Actor
from portal.core.models import EmailStatus
from portal.core.money import ZERO, format_money, round_money
from portal.core.periods import start_of_day
from portal.core.plots import Plot, Value, bar_plot

MONTHS = 12
KEPT_SECONDS = 300
RECENT_DAYS = 30  # mails that failed longer ago are history
_NEW_BY_MONTH = """
SELECT date_trunc('month', created_at AT TIME ZONE %s)::date, count(*)
FROM customers_customer WHERE parent_id = %s AND created_at >= %s GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many things need somebody; each count ends at `MANY_MATCHES` + 1.

    ``failed_fees`` are accounts that the last billing run could not charge.
    """

    out: int
    low: int
    locked: int
    failed_mails: int
    failed_fees: int
    is_run_stuck: bool
    last_run: int | None
    ledger_faults: int


def counts_for(actor: Actor) -> Counts:
    """What is wrong at and below the account; the books are the system owner's matter."""
    credit = attention_counts(actor.customer)
    living = Customer.objects.filter(parent=actor.customer.pk, deleted_at=None)
    since = timezone.now() - timedelta(days=RECENT_DAYS)
    failed = visible_emails(actor).filter(
        status=EmailStatus.FAILED, created_at__gte=since
    )
    run = PeriodRun.objects.order_by("-pk").first()
    failures = run_failures(actor).filter(run=run)
    is_operator = sees_all_runs(actor)
    return Counts(
        out=credit["out"],
        low=credit["low"],
        locked=_bounded(living.exclude(lock=Lock.NONE)),
        failed_mails=_bounded(failed),
        failed_fees=_bounded(failures) if run else 0,
        is_run_stuck=is_operator and run is not None and run.is_stuck,
        last_run=run.pk if run else None,
        ledger_faults=_ledger_faults() if is_operator else 0,
    )


def _ledger_faults() -> int:
    last = last_check()
    return last.faults if last else 0


def _bounded(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[: MANY_MATCHES + 1].count()


@dataclass(frozen=True, slots=True)
class Year:
    """The last twelve months: what customers were charged, net, and how many came."""

    months: tuple[date, ...]  # first days, oldest first
    revenue: tuple[Decimal, ...]
    new: tuple[int, ...]
    left_out: tuple[str, ...]  # currencies without an exchange rate


def year_of(actor: Actor, *, currency: str) -> Year:
    """The figures in ``currency``, some minutes old at most."""
    zone = timezone.get_current_timezone_name()
    today = timezone.localdate()
    key = f"dashboard:{actor.customer.pk}:{currency}:{zone}:{today}"
    year: Year | None = cache.get(key)
    if year is None:
        year = _year(actor, currency, zone, today)
        cache.set(key, year, KEPT_SECONDS)
    return year


def _year(actor: Actor, currency: str, zone: str, today: date) -> Year:
    this_month = today.replace(day=1)
    months = tuple(
        this_month - relativedelta(months=back) for back in reversed(range(MONTHS))
    )
    since = start_of_day(months[0], zone)
    revenue, left_out = _converted(
        revenue_by_month(actor.customer, since=since, zone=zone), currency, today
    )
    with connection.cursor() as cursor:
        cursor.execute(_NEW_BY_MONTH, [zone, actor.customer.pk, since])
        new: dict[date, int] = dict(cursor.fetchall())
    return Year(
        months=months,
        revenue=tuple(revenue.get(month, ZERO) for month in months),
        new=tuple(new.get(month, 0) for month in months),
        left_out=left_out,
    )


def _converted(
    rows: Iterable[tuple[date, str, Decimal]], currency: str, today: date
) -> tuple[dict[date, Decimal], tuple[str, ...]]:
    """All in one currency at today's rates: an overview, not a document."""
    rates = Rates(today)
    found: dict[date, Decimal] = {}
    left_out: set[str] = set()
    for month, code, amount in rows:
        try:
            value = rates.convert(amount, code, currency)
        except ValidationError:
            left_out.add(code)
            continue
        found[month] = found.get(month, ZERO) + value
    rounded = {month: round_money(value, currency) for month, value in found.items()}
    return rounded, tuple(sorted(left_out))


def revenue_plot(year: Year, currency: str) -> Plot:
    return bar_plot(
        [
            Value(
                date_format(month, "F Y"),
                amount,
                format_money(amount, currency),
                date_format(month, "M"),
            )
            for month, amount in zip(year.months, year.revenue, strict=True)
        ],
        id="revenue-plot",
        title=_("Revenue, net (%(currency)s)") % {"currency": currency},
        label_heading=_("Month"),
        value_heading=_("Revenue"),
    )


def new_plot(year: Year) -> Plot:
    return bar_plot(
        [
            Value(
                date_format(month, "F Y"),
                Decimal(count),
                str(count),
                date_format(month, "M"),
            )
            for month, count in zip(year.months, year.new, strict=True)
        ],
        is_whole=True,
        id="new-plot",
        title=_("New customers"),
        label_heading=_("Month"),
        value_heading=_("New customers"),
    )
