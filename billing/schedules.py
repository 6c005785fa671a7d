"""When a charge is due; no queries (D 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count

from billing.choices import ChargePeriod
from billing.models import Charge
from portal.core.periods import occurrence


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due on ``starts_on`` and every ``months`` from there, counted from that day always.

    0 ``months`` is once. ``number`` ends it after so many times, ``ends_on`` before that day.
    """

    starts_on: date
    months: int
    number: int | None = None
    ends_on: date | None = None

    def days(self) -> Iterator[date]:
        """Every day it is due, in order; without an end if the schedule has none."""
        for index in count():
            day = occurrence(self.starts_on, self.months, index)
            if self._is_over(index, day):
                return
            yield day

    def _is_over(self, index: int, day: date) -> bool:
        most = self.number if self.months else 1
        return (most is not None and index >= most) or (
            self.ends_on is not None and day >= self.ends_on
        )

    def due(self, *, since: date, until: date) -> list[date]:
        """The days from ``since`` to ``until``, both included."""
        found = []
        for day in self.days():
            if day > until:
                break
            if day >= since:
                found.append(day)
        return found

    def first_after(self, last: date) -> date | None:
        """The next time after ``last``; None if there is none."""
        return next((day for day in self.days() if day > last), None)

    def index_of(self, day: date) -> int:
        """How many times come before the one due on ``day``."""
        return next(index for index, each in enumerate(self.days()) if each == day)

    def has(self, index: int) -> bool:
        """Whether there is a time with so many before it."""
        return not self._is_over(index, occurrence(self.starts_on, self.months, index))

    def period_from(self, day: date) -> tuple[date, date] | None:
        """The days that the time due on ``day`` pays for; None for something paid once."""
        if not self.months:
            return None
        for index in count():
            if occurrence(self.starts_on, self.months, index) >= day:
                return day, occurrence(self.starts_on, self.months, index + 1)
        raise AssertionError("unreachable")

    def has_ended(self, day: date) -> bool:
        """Whether ``day`` comes after all that it pays for, or after its last day."""
        ends = [self.ends_on] if self.ends_on else []
        if self.months and self.number is not None:
            ends.append(occurrence(self.starts_on, self.months, self.number))
        return any(day >= end for end in ends)

    def before_the_first(self) -> tuple[date, date]:
        """The period that ends where the first one begins."""
        return occurrence(self.starts_on, self.months, -1), self.starts_on


def schedule_of(charge: Charge) -> Schedule:
    return Schedule(
        charge.starts_on,
        ChargePeriod(charge.period).months,
        charge.number,
        charge.ends_on,
    )
