"""Long lists of rows, laid out by hand: an HTML table of thousands takes minutes.

This part is arithmetic: which lines stand on which page, with sums carried over from page to
page. `billing.documents.drawing` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from billing.invoicing.content import Row, Section
from portal.core.money import ZERO


class Kind(Enum):
    """What a line is; the value is how many lines of the grid it takes."""

    HEADING = 2.2
    CONTINUED = 1.6
    BROUGHT = 1.25  # forward, from the page before
    ROW = 1.0  # for each line of its text, and a little between rows
    FORWARD = 1.4  # to the next page
    SUM = 1.45
    TOTAL = 2.3


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list, or several where a row's text is long.

    ``top`` is its distance from the top of the list, in lines of the grid.
    """

    kind: Kind
    top: float
    amount: Decimal | None = None
    texts: tuple[str, ...] = ()
    row: Row | None = None


@dataclass(slots=True)
class Page:
    """What stands on one page, and how far it is filled."""

    entries: list[Entry] = field(default_factory=list)
    used: float = 0

    def add(
        self,
        kind: Kind,
        *,
        texts: tuple[str, ...] = (),
        amount: Decimal | None = None,
        row: Row | None = None,
    ) -> None:
        self.entries.append(Entry(kind, self.used, amount, texts, row))
        self.used += height(kind, texts)


BETWEEN = 0.12  # rows


def height(kind: Kind, texts: Sequence[str] = ()) -> float:
    """In lines of the grid."""
    return len(texts) + BETWEEN if kind is Kind.ROW else float(kind.value)


def pages(
    sections: Iterable[Section],
    *,
    capacity: float,
    wrap: Callable[[str], tuple[str, ...]],
    total: Decimal,
) -> list[Page]:
    """Lay out all sections that have rows; ``capacity`` is in lines of the grid.

    A heading is never left alone at the foot. Where a section goes on, its sum so far is
    carried over. Sections without rows say their sum, so that the list comes to ``total``.
    """
    layout = _Layout(capacity)
    for section in sections:
        layout.section(section, wrap)
    layout.close(total)
    return layout.pages


class _Layout:
    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self.pages = [Page()]

    @property
    def page(self) -> Page:
        return self.pages[-1]

    def _fits(self, lines: float) -> bool:
        return self.page.used + lines <= self.capacity

    def section(self, section: Section, wrap: Callable[[str], tuple[str, ...]]) -> None:
        closing = max(height(Kind.FORWARD), height(Kind.SUM))
        opening = height(Kind.HEADING) + closing + 2 if section.rows else closing
        if not self._fits(opening):
            self.pages.append(Page())
        if section.rows:
            self.page.add(Kind.HEADING, texts=(section.title,))
        carried = ZERO
        for row in section.rows:
            texts = wrap(row.text)
            if not self._fits(height(Kind.ROW, texts) + closing):
                self.page.add(Kind.FORWARD, amount=carried)
                self.pages.append(Page())
                self.page.add(Kind.CONTINUED, texts=(section.title,))
                self.page.add(Kind.BROUGHT, amount=carried)
            self.page.add(Kind.ROW, texts=texts, amount=row.net, row=row)
            carried += row.net
        self.page.add(Kind.SUM, texts=(section.title,), amount=section.net)

    def close(self, total: Decimal) -> None:
        if not self._fits(height(Kind.TOTAL)):
            self.pages.append(Page())
        self.page.add(Kind.TOTAL, amount=total)
