"""Long lists of rows, laid out by hand: an HTML table of thousands takes minutes.

This part is arithmetic: which lines stand on which page, with sums carried over from page to
page. `billing.documents.drawing` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from billing.invoicing.content import Row, Section
from portal.core.money import ZERO

Wrap = Callable[[str], tuple[str, ...]]


class Kind(Enum):
    """What a line is."""

    HEADING = "heading"
    CONTINUED = "continued"
    BROUGHT = "brought forward"  # from the page before
    ROW = "row"
    FORWARD = "carried forward"  # to the next page
    SUM = "sum"
    TOTAL = "total"
    PAYMENTS = "payments"  # the heading of those, behind the total
    PAYMENT = "payment"


# In lines of the grid.
HEIGHTS = {
    Kind.HEADING: 2.2,
    Kind.CONTINUED: 1.6,
    Kind.BROUGHT: 1.25,
    Kind.FORWARD: 1.4,
    Kind.SUM: 1.45,
    Kind.TOTAL: 2.3,
    Kind.PAYMENTS: 3.6,
}
BETWEEN = 0.12  # rows
# So many rows stay together where a section ends on another page than it began.
KEPT = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list, or several where a row's texts are long.

    ``top`` is its distance from the top of the list, in lines of the grid.
    """

    kind: Kind
    top: float
    amount: Decimal | None = None
    texts: tuple[str, ...] = ()
    taxes: tuple[str, ...] = ()
    row: Row | None = None

    @property
    def height(self) -> float:
        return height(self.kind, self.texts, self.taxes)


@dataclass(slots=True)
class Page:
    """What stands on one page, and how far it is filled."""

    entries: list[Entry] = field(default_factory=list)
    used: float = 0
    payments: str = ""  # their title, where it holds nothing else

    def add(
        self,
        kind: Kind,
        *,
        texts: tuple[str, ...] = (),
        taxes: tuple[str, ...] = (),
        amount: Decimal | None = None,
        row: Row | None = None,
    ) -> None:
        entry = Entry(kind, self.used, amount, texts, taxes, row)
        self.entries.append(entry)
        self.used += entry.height


def height(kind: Kind, texts: Sequence[str] = (), taxes: Sequence[str] = ()) -> float:
    """In lines of the grid."""
    if kind in HEIGHTS:
        return HEIGHTS[kind]
    return max(len(texts), len(taxes)) + BETWEEN


def pages(
    sections: Sequence[Section],
    *,
    capacity: float,
    wrap: Wrap,
    wrap_taxes: Wrap,
    total: Decimal,
    payments: Section | None = None,
) -> list[Page]:
    """Lay out all sections; ``capacity`` is in lines of the grid.

    A heading is never left alone at the foot, nor a row or two, a sum or the total alone on
    a page of their own. Where a section goes on, its sum so far is carried over. Sections
    without rows say their sum, so that the list comes to ``total``. ``payments`` come last.
    """
    layout = _Layout(capacity)
    for at, section in enumerate(sections):
        laid = [
            _Laid(row, wrap(row.text), wrap_taxes(row.taxes)) for row in section.rows
        ]
        layout.section(section, laid, following=_following(sections[at + 1 :]))
    if sections:
        layout.close(total)
    if payments:
        layout.payments(payments, [_Laid(row, wrap(row.text)) for row in payments.rows])
    return layout.pages


def _following(rest: Sequence[Section]) -> float:
    """How many lines belong below a section's own sum."""
    lines = 0.0
    for section in rest:
        if section.rows:
            return lines
        lines += height(Kind.SUM)
    return lines + height(Kind.TOTAL)


@dataclass(frozen=True, slots=True)
class _Laid:
    """A row with its texts broken into lines."""

    row: Row
    texts: tuple[str, ...]
    taxes: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        return height(Kind.ROW, self.texts, self.taxes)


class _Layout:
    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self.pages = [Page()]

    @property
    def page(self) -> Page:
        return self.pages[-1]

    def section(
        self, section: Section, rows: Sequence[_Laid], *, following: float
    ) -> None:
        if rows:
            self._rows(section, rows, Kind.HEADING, Kind.ROW, following)
        elif not self._fits(height(Kind.SUM) + following):
            self.pages.append(Page())
        self.page.add(Kind.SUM, texts=(section.title,), amount=section.net)

    def close(self, total: Decimal) -> None:
        if not self._fits(height(Kind.TOTAL)):
            self.pages.append(Page())
        self.page.add(Kind.TOTAL, amount=total)

    def payments(self, section: Section, rows: Sequence[_Laid]) -> None:
        if not self.page.entries:
            self.page.payments = section.title
        self._rows(section, rows, Kind.PAYMENTS, Kind.PAYMENT, 0)
        if len(rows) > 1:
            self.page.add(Kind.SUM, texts=(section.title,), amount=section.net)

    def _fits(self, lines: float) -> bool:
        return self.page.used + lines <= self.capacity

    def _rows(
        self,
        section: Section,
        rows: Sequence[_Laid],
        heading: Kind,
        kind: Kind,
        following: float,
    ) -> None:
        end = height(Kind.SUM) + following
        if not self._fits(height(heading) + self._opening(rows, heading, end)):
            self._begin(heading, section.title)
        if not self.page.payments:  # its head says so
            self.page.add(heading, texts=(section.title,))
        carried, on_page = ZERO, 0
        for at, laid in enumerate(rows):
            if on_page and self._must_break(laid, rows[at : at + KEPT + 1], end):
                self.page.add(Kind.FORWARD, amount=carried)
                self._begin(heading, section.title)
                if not self.page.payments:
                    self.page.add(Kind.CONTINUED, texts=(section.title,))
                self.page.add(Kind.BROUGHT, amount=carried)
                on_page = 0
            self.page.add(
                kind,
                texts=laid.texts,
                taxes=laid.taxes,
                amount=laid.row.net,
                row=laid.row,
            )
            carried += laid.row.net
            on_page += 1

    def _begin(self, heading: Kind, title: str) -> None:
        if self.page.entries:
            self.pages.append(Page())
        if heading is Kind.PAYMENTS:
            self.page.payments = title

    def _opening(self, rows: Sequence[_Laid], heading: Kind, end: float) -> float:
        """What must stand below a heading: all of a short section, else its first rows."""
        if len(rows) <= KEPT + 1:
            whole = sum(laid.height for laid in rows) + end
            if height(heading) + whole <= self.capacity:
                return whole
        return sum(laid.height for laid in rows[:2]) + _closing()

    def _must_break(self, laid: _Laid, next_rows: Sequence[_Laid], end: float) -> bool:
        """Whether a row goes to the next page, and be it to keep the last ones company."""
        if not self._fits(laid.height + _closing()):
            return True
        if len(next_rows) > KEPT:
            return False
        last = sum(each.height for each in next_rows) + end
        fresh = height(Kind.CONTINUED) + height(Kind.BROUGHT) + last
        return not self._fits(last) and fresh <= self.capacity


def _closing() -> float:
    """What must fit below every row: the sum, or what is carried forward."""
    return max(height(Kind.FORWARD), height(Kind.SUM))
