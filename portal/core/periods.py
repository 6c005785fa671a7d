"""Days, months and periods: half-open ranges of local days, pro rata by days (design 4)."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.utils import timezone

ONE_DAY = timedelta(days=1)


def local_date(zone: str, at: datetime | None = None) -> date:
    """The day it is, or was ``at``, where clocks show the time of ``zone``."""
    return timezone.localtime(at, ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str) -> datetime:
    """The instant ``day`` begins in ``zone``, also where clocks change at midnight.

    In UTC: a local time that does not exist, or comes twice, equals nothing in Python.
    """
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def period_of(day: date, months: int) -> tuple[date, date]:
    """The calendar month, quarter or year (1, 3 or 12 ``months``) that ``day`` is in."""
    begin = date(day.year, (day.month - 1) // months * months + 1, 1)
    end: date = begin + relativedelta(months=months)
    return begin, end


def months_in(begin: date, end: date) -> Fraction:
    """How many months the days from ``begin`` until before ``end`` make up.

    A day counts as its share of its own month, so whole months are exactly whole whether
    they have 28 days or 31.
    """
    total = Fraction(0)
    day = begin
    while day < end:
        length = monthrange(day.year, day.month)[1]
        next_month = day.replace(day=1) + timedelta(days=length)
        until = min(next_month, end)
        total += Fraction((until - day).days, length)
        day = until
    return total


def occurrence(anchor: date, months: int, index: int) -> date:
    """The ``index``-th time, from 0, of something due every ``months`` from ``anchor`` on.

    Always counted from the anchor: what is due on the 31st comes on the last day of shorter
    months and on the 31st again afterwards.
    """
    found: date = anchor + relativedelta(months=months * index)
    return found
