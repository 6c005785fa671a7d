"""Local days, calendar periods, and how many months some days are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from portal.core.periods import (
    local_date,
    months_in,
    occurrence,
    period_of,
    start_of_day,
)


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("Europe/Berlin", "2026-01-31T22:59:59", "2026-01-31"),
        ("Europe/Berlin", "2026-01-31T23:00:00", "2026-02-01"),
        ("Europe/Berlin", "2026-06-30T22:00:00", "2026-07-01"),  # summer time
        ("Pacific/Kiritimati", "2026-01-31T09:59:59", "2026-01-31"),  # UTC+14
        ("Pacific/Kiritimati", "2026-01-31T10:00:00", "2026-02-01"),
        ("Pacific/Pago_Pago", "2026-02-01T10:59:59", "2026-01-31"),  # UTC-11
        ("Pacific/Pago_Pago", "2026-02-01T11:00:00", "2026-02-01"),
        ("Asia/Kathmandu", "2026-01-31T18:14:59", "2026-01-31"),  # UTC+5:45
        ("Asia/Kathmandu", "2026-01-31T18:15:00", "2026-02-01"),
    ],
)
def test_local_date(zone: str, at: str, expected: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert local_date(zone, moment) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        ("2026-02-01", "Europe/Berlin", "2026-01-31T23:00:00"),
        ("2026-07-01", "Europe/Berlin", "2026-06-30T22:00:00"),
        ("2026-02-01", "Pacific/Kiritimati", "2026-01-31T10:00:00"),
        ("2026-02-01", "America/New_York", "2026-02-01T05:00:00"),
        # Midnight does not exist: the day begins at one.
        ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00:00"),
        # Midnight comes twice: the day begins at the first.
        ("2024-11-03", "America/Havana", "2024-11-03T04:00:00"),
        # The whole day does not exist.
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00"),
    ],
)
def test_start_of_day(day: str, zone: str, expected: str) -> None:
    moment = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert start_of_day(date.fromisoformat(day), zone) == moment


@pytest.mark.parametrize(
    ("day", "months", "begin", "end"),
    [
        ("2026-01-31", 1, "2026-01-01", "2026-02-01"),
        ("2024-02-29", 1, "2024-02-01", "2024-03-01"),
        ("2026-12-31", 1, "2026-12-01", "2027-01-01"),
        ("2026-03-31", 3, "2026-01-01", "2026-04-01"),
        ("2026-04-01", 3, "2026-04-01", "2026-07-01"),
        ("2026-12-31", 3, "2026-10-01", "2027-01-01"),
        ("2024-02-29", 12, "2024-01-01", "2025-01-01"),
    ],
)
def test_period_of(day: str, months: int, begin: str, end: str) -> None:
    expected = date.fromisoformat(begin), date.fromisoformat(end)
    assert period_of(date.fromisoformat(day), months) == expected


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("2026-01-01", "2026-02-01", Fraction(1)),  # 31 days
        ("2026-02-01", "2026-03-01", Fraction(1)),  # 28
        ("2024-02-01", "2024-03-01", Fraction(1)),  # 29
        ("2026-04-01", "2026-05-01", Fraction(1)),  # 30
        ("2026-01-31", "2026-02-01", Fraction(1, 31)),
        ("2026-02-15", "2026-03-01", Fraction(1, 2)),
        ("2024-02-15", "2024-03-01", Fraction(15, 29)),
        ("2026-04-16", "2026-05-01", Fraction(1, 2)),
        ("2026-02-15", "2026-04-16", Fraction(2)),
        ("2026-01-01", "2026-04-01", Fraction(3)),
        ("2026-01-01", "2027-01-01", Fraction(12)),
        ("2024-02-29", "2025-01-01", Fraction(10) + Fraction(1, 29)),
        ("2026-01-15", "2026-01-15", Fraction(0)),
        ("2026-01-15", "2026-01-01", Fraction(0)),
    ],
)
def test_months_in(begin: str, end: str, expected: Fraction) -> None:
    found = months_in(date.fromisoformat(begin), date.fromisoformat(end))
    assert found == expected


@pytest.mark.parametrize(
    ("anchor", "months", "index", "expected"),
    [
        ("2026-01-31", 1, 0, "2026-01-31"),
        ("2026-01-31", 1, 1, "2026-02-28"),
        ("2026-01-31", 1, 2, "2026-03-31"),
        ("2023-11-30", 3, 1, "2024-02-29"),
        ("2024-02-29", 12, 1, "2025-02-28"),
        ("2024-02-29", 12, 4, "2028-02-29"),
    ],
)
def test_occurrence(anchor: str, months: int, index: int, expected: str) -> None:
    found = occurrence(date.fromisoformat(anchor), months, index)
    assert found == date.fromisoformat(expected)
