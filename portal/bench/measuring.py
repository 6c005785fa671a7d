"""Times pages in this very process: middleware, queries and templates, no network."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext

from portal.bench.databases import using

WARM_UP = 5
# A visit sends one request, with rows of its own; what it needs was prepared before.
Visit = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A page that is measured. ``status`` is what its visits must answer."""

    name: str
    visits: Iterator[Visit]
    status: int = 200
    is_list: bool = False

    @property
    def is_page(self) -> bool:
        """Whether it shows something; else it saves, and redirects to a page."""
        return self.status == 200


@dataclass(slots=True)
class Figures:
    """Milliseconds of server time, one for each request, and queries of one of them."""

    queries: int = 0
    times: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return percentile(self.times, 50)

    @property
    def p95(self) -> float:
        return percentile(self.times, 95)


@dataclass(frozen=True, slots=True)
class Side:
    """The same scenario in one of the databases."""

    database: BaseDatabaseWrapper
    scenario: Scenario


class WrongAnswerError(Exception):
    """A page answered something else than it does when it works."""


def measure(sides: Sequence[Side], repetitions: int) -> list[Figures]:
    """Visit the page so many times in each database, in turns.

    Raises WrongAnswerError if it does not work.
    """
    figures = [Figures() for _side in sides]
    gc.freeze()  # what is there already need not be looked through again each time
    try:
        for side, found in zip(sides, figures, strict=True):
            with using(side.database):
                for _round in range(WARM_UP):
                    _visit(side.scenario)
                found.queries = _count_queries(side.scenario)
        gc.freeze()  # nor what the first visits have left for all
        for _round in range(repetitions):
            for side, found in zip(sides, figures, strict=True):
                with using(side.database):
                    found.times.append(_visit(side.scenario))
    finally:
        gc.unfreeze()
    return figures


def percentile(times: list[float], share: int) -> float:
    """The time that ``share`` percent of ``times`` do not exceed (nearest rank)."""
    ordered = sorted(times)
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]


def _visit(scenario: Scenario) -> float:
    """Milliseconds that one visit took."""
    visit = next(scenario.visits)
    gc.collect()  # the rubbish of one request must not be carried out in the next
    begin = perf_counter()
    response = visit()
    end = perf_counter()
    if response.status_code != scenario.status:
        raise WrongAnswerError(
            f"{scenario.name}: {response.status_code} instead of {scenario.status}"
        )
    return (end - begin) * 1000


def _count_queries(scenario: Scenario) -> int:
    with CaptureQueriesContext(connection) as captured:
        _visit(scenario)
    return len(captured)
