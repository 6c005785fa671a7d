"""Values that hold from one day to another; no queries.

Spans are half open: ``end`` is the first day that a value does not hold any more. Where there
is no span, nothing is set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    begin: date  # date.min: always
    end: date | None  # None: until it is changed
    value: T

    def holds_on(self, day: date) -> bool:
        return self.begin <= day and (self.end is None or day < self.end)


def changed(spans: Iterable[Span[T]], from_on: date, value: T | None) -> list[Span[T]]:
    """The spans, in order, once ``value`` holds from the day ``from_on`` on; None for nothing.

    It holds until the next day on which something was to change anyway: a change that was
    planned for later stays planned. What was before ``from_on`` is left as it was.
    """
    result: list[Span[T]] = []
    until: date | None = None
    for span in sorted(spans, key=lambda each: each.begin):
        if span.end is not None and span.end <= from_on:
            result.append(span)  # over by then
        elif span.begin > from_on:
            until = span.begin if until is None else min(until, span.begin)
            result.append(span)
        else:
            until = span.end
            if span.begin < from_on:
                result.append(replace(span, end=from_on))
    if value is not None:
        result.append(Span(from_on, until, value))
    return _joined(sorted(result, key=lambda each: each.begin))


def _joined(spans: list[Span[T]]) -> list[Span[T]]:
    """Spans that follow one another with the same value, as one."""
    result: list[Span[T]] = []
    for span in spans:
        if result and result[-1].end == span.begin and result[-1].value == span.value:
            result[-1] = replace(result[-1], end=span.end)
        else:
            result.append(span)
    return result
