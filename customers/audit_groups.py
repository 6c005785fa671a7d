"""Many events of one kind in a row, told as one: a run's invoices, a bank file's payments.

Nothing is left out: a group says how many events it is, and leads to each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from django.db.models import QuerySet

from portal.core.models import AuditEvent

# Fewer are told one by one.
LEAST = 5
# What follows within so much belongs together. Nobody clicks that fast; workers share a run
# with others' accounts, so that there may be minutes between two of one reseller's.
GAP_OF_PEOPLE = timedelta(seconds=10)
GAP_OF_THE_SYSTEM = timedelta(hours=1)
# So many events are looked at for one page at most.
MOST_READ = 20_000
_SPAN = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{0,18})-(\d{0,18})")


class Light(NamedTuple):
    """What of an event decides about its group."""

    pk: int
    action: str
    person: int | None
    acting_as: int | None
    customer: int | None
    at: datetime

    @property
    def key(self) -> tuple[str, int | None, int | None]:
        return (self.action, self.person, self.acting_as)

    @property
    def gap(self) -> timedelta:
        return GAP_OF_THE_SYSTEM if self.person is None else GAP_OF_PEOPLE


@dataclass(slots=True)
class Group:
    """Events of one action and one person, in the order in which they were read."""

    events: list[Light] = field(default_factory=list)

    @property
    def is_told_as_one(self) -> bool:
        return lines_of(len(self.events)) < len(self.events)

    @property
    def first(self) -> Light:
        return min(self.events)

    @property
    def last(self) -> Light:
        return max(self.events)

    @property
    def customers(self) -> int:
        return len({event.customer for event in self.events})

    def takes(self, event: Light) -> bool:
        return abs(self.events[-1].at - event.at) <= event.gap

    @property
    def span(self) -> Span:
        last = self.last
        return Span(self.first.pk, last.pk, last.person, last.acting_as)


def lines_of(count: int) -> int:
    """How many lines of the log a group of ``count`` events takes."""
    return count if count < LEAST else 1


class Span(NamedTuple):
    """Where the events of a group are in the log, and whose they are."""

    first: int
    last: int
    person: int | None
    acting_as: int | None

    def __str__(self) -> str:
        return f"{self.first}-{self.last}-{self.person or ''}-{self.acting_as or ''}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `str` has written; None if it is anything else."""
        found = _SPAN.fullmatch(text)
        if found is None:
            return None
        first, last, person, acting_as = found.groups()
        return cls(
            int(first),
            int(last),
            int(person) if person else None,
            int(acting_as) if acting_as else None,
        )

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return events.filter(
            pk__gte=self.first,
            pk__lte=self.last,
            person=self.person,
            acting_as=self.acting_as,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of the log, and whether there are events beyond the last one read."""

    groups: Sequence[Group]
    has_more: bool

    @property
    def oldest(self) -> int:
        return min(group.first.pk for group in self.groups)

    @property
    def newest(self) -> int:
        return max(group.last.pk for group in self.groups)


def page_of(events: QuerySet[AuditEvent], *, size: int) -> Page:
    """The first lines of ``events``, in the order that these are in: about ``size``.

    No group is begun after that many; those that were may grow. An event joins the group
    of its kind if it is near the last one of that, whatever else happened between them.
    """
    groups: list[Group] = []
    latest: dict[tuple[str, int | None, int | None], Group] = {}
    lines = 0
    for read, event in enumerate(_read(events)):
        group = latest.get(event.key)
        if group is None or not group.takes(event):
            group = Group()
        if read == MOST_READ or (lines >= size and not group.events):
            return Page(groups, has_more=True)
        if not group.events:
            groups.append(group)
            latest[event.key] = group
        lines -= lines_of(len(group.events))
        group.events.append(event)
        lines += lines_of(len(group.events))
    return Page(groups, has_more=False)


def _read(events: QuerySet[AuditEvent]) -> Iterator[Light]:
    """Bare rows, fetched as they are asked for: most pages need few."""
    rows = events.select_related(None).prefetch_related(None)
    fields = ("pk", "action", "person", "acting_as", "customer", "at")
    found = rows.values_list(*fields)[: MOST_READ + 1]
    for row in found.iterator(chunk_size=500):
        yield Light(*row)
