"""Where the columns of rows stand, and how texts are broken to stay within them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from django.utils.translation import gettext as _

from billing.documents import fonts
from billing.documents.figures import Figures
from billing.documents.paper import MARGIN_LEFT, Paper
from billing.invoicing.content import Content, Row, Section
from portal.core.money import ZERO

POINT = 25.4 / 72  # millimetres
SIZE = 8.5  # points, as the tables of document.css
SMALL = 7.5
GAP = 4.0  # millimetres
LONGEST_TAX = 40.0
SHORTEST_TAX = 18.0
MOST_LINES = 6  # of a text that Pango breaks
TOLERANCE = 0.1  # of rounding
SHORTEST_TEXT = 48.0  # before taxes have to do with less


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns stand, in millimetres from the left; None for one not needed."""

    text: float
    text_end: float
    amount_end: float
    date: float | None
    quantity_end: float | None
    tax: float | None
    tax_end: float

    @property
    def text_width(self) -> float:
        return self.text_end - self.text

    @property
    def tax_width(self) -> float:
        return 0.0 if self.tax is None else self.tax_end - self.tax


def width_of(text: str, font: str = fonts.REGULAR, size: float = SIZE) -> float:
    """In millimetres; a good guess where only Pango knows."""
    if fonts.is_plain(text):
        return float(fonts.fixed(font).stringWidth(text, size)) * POINT
    return fonts.guessed_ems(text, font) * size * POINT


def days_of(row: Row, figures: Figures) -> str:
    if row.period:
        return figures.days(row.period)
    return figures.day(row.day) if row.day else ""


def payments_of(content: Content) -> Section | None:
    """The payments of the period as rows of a list; None where there are none."""
    if not content.payments:
        return None
    rows = tuple(Row(each.text, each.amount, day=each.day) for each in content.payments)
    return Section(payments_title(content), sum((row.net for row in rows), ZERO), rows)


def payments_title(content: Content) -> str:
    """What stands beside the sums: where a balance is shown, it tells what changed that."""
    if content.deductions is None or content.balance is not None:
        return _("Payments in this period")
    return _("Payments of earlier invoices")


def columns_of(
    sections: Sequence[Section], total: Decimal, figures: Figures, paper: Paper
) -> Columns:
    """As wide as what stands in them; the text takes what is left."""
    rows = [row for section in sections for row in section.rows]
    amounts = [
        total,
        *(section.net for section in sections),
        *(row.net for row in rows),
    ]
    # No sum on the way is wider than that of all above zero, or of all below.
    widest = {
        figures.amount(sum((each for each in amounts if each > 0), ZERO)),
        figures.amount(sum((each for each in amounts if each < 0), ZERO)),
    }
    labels = column_labels(figures)
    end = paper.right - max(
        *(width_of(text, fonts.BOLD) for text in widest),
        width_of(labels["amount"], size=SMALL),
    )
    counted = 0.0
    if any(row.quantity != 1 for row in rows):
        counts = {figures.number(row.quantity) for row in rows}
        counted = _widest(counts, labels["quantity"])
    text, date = MARGIN_LEFT, None
    days = {days_of(row, figures) for row in rows} - {""}
    if days:
        date = text
        text += _widest(days, labels["date"]) + GAP
    tax, tax_end = None, end - GAP
    if taxes := {tax for row in rows for tax in tax_lines(row.taxes)}:
        others = GAP + counted if counted else 0.0
        room = tax_end - GAP - others - text - SHORTEST_TEXT
        wanted = _widest(taxes, labels["tax"])
        longest = max(SHORTEST_TAX, min(LONGEST_TAX, room))
        if wanted > longest:  # more only where no text has to give way
            spare = room + SHORTEST_TEXT - max(width_of(row.text) for row in rows)
            longest = max(longest, min(spare, 2 * LONGEST_TAX))
        tax = end = tax_end - min(wanted, longest)
    quantity_end = None
    if counted:
        quantity_end = end - GAP
        end = quantity_end - counted
    return Columns(text, end - GAP, paper.right, date, quantity_end, tax, tax_end)


def _widest(texts: Iterable[str], label: str) -> float:
    return max(*map(width_of, texts), width_of(label, size=SMALL))


def column_labels(figures: Figures) -> dict[str, str]:
    return {
        "date": _("Date"),
        "text": _("Description"),
        "quantity": _("Quantity"),
        "tax": _("Tax"),
        "amount": _("Net (%(currency)s)") % {"currency": figures.currency},
    }


def tax_lines(taxes: str) -> list[str]:
    """Each tax of a row, its figure kept beside its sign; `invoicing.items` joins them."""
    return [tax.replace(" %", "\u00a0%") for tax in taxes.split(", ") if tax]


def wrapper(width: float) -> Callable[[str], tuple[str, ...]]:
    """Breaks texts at ``width``; what a list says over and over is broken once."""
    return cache(lambda text: wrapped(text, width))


def tax_wrapper(width: float) -> Callable[[str], tuple[str, ...]]:
    """Breaks the taxes of a row, each into lines of its own."""

    @cache
    def wrap(taxes: str) -> tuple[str, ...]:
        broken = (wrapped(tax, width) for tax in tax_lines(taxes))
        return tuple(line for lines in broken for line in lines)

    return wrap


def wrapped(text: str, width: float) -> tuple[str, ...]:
    """The lines of a text within ``width`` millimetres.

    One for Pango stays whole; empty lines after it are the room it is given.
    """
    wanted = width_of(text)
    if wanted <= width + TOLERANCE:
        return (text,)
    if not fonts.is_plain(text):
        return (text, *[""] * min(math.ceil(wanted / width) - 1, MOST_LINES - 1))
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer) <= width + TOLERANCE:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width)
        lines.extend(full)
    return (*lines, line)


def _pieces(word: str, width: float) -> list[str]:
    """A word without a blank for a whole line is broken anywhere."""
    pieces = [""]
    for character in word:
        if pieces[-1] and width_of(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
