"""Draws the pages of a long list with ReportLab, in the look of document.css.

Texts that letter after letter would spell wrongly (Arabic joins, Thai stacks) or that the face
lacks (Chinese) are not drawn: they are returned, for Pango to set at the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _

from billing.documents import fonts
from billing.documents.figures import Figures
from billing.documents.listing import Entry, Kind, Page, height
from billing.documents.palette import Palette
from billing.documents.paper import MARGIN_BOTTOM, MARGIN_LEFT, MARGIN_TOP, Paper
from billing.invoicing.content import Row, Section
from portal.core.money import ZERO

POINT = 25.4 / 72  # millimetres
GRID = 4.6  # millimetres from line to line
SIZE = 8.5  # points, as the tables of document.css
SMALL = 7.5
HEAD = 11.0  # millimetres of title and column heads, above the list
GAP = 4.0
LONGEST_TAX = 32.0
ASCENT, DESCENT = 0.935, 0.265  # of FiraGO, in ems

INK = "#1b1f24"
MUTED = "#5b6470"
LINE = "#d9dee3"


@dataclass(frozen=True, slots=True)
class Placed:
    """A text for Pango: millimetres from the left of the paper and the top of the list."""

    left: float
    top: float
    width: float
    text: str
    is_bold: bool = False
    is_small: bool = False


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


def capacity(paper: Paper) -> float:
    """How many lines of the grid a page takes."""
    return (paper.height - MARGIN_TOP - MARGIN_BOTTOM - HEAD) / GRID


def width_of(text: str, font: str = fonts.REGULAR, size: float = SIZE) -> float:
    """In millimetres."""
    return float(fonts.fixed(font).stringWidth(text, size)) * POINT


def days_of(row: Row, figures: Figures) -> str:
    if row.period:
        return figures.days(row.period)
    return figures.day(row.day) if row.day else ""


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
    right = paper.right
    # No sum on the way is wider than that of all above zero, or of all below.
    widest = {
        figures.amount(sum((each for each in amounts if each > 0), ZERO)),
        figures.amount(sum((each for each in amounts if each < 0), ZERO)),
    }
    labels = column_labels(figures)
    end = right - max(
        *(width_of(text, fonts.BOLD) for text in widest),
        width_of(labels["amount"], size=SMALL),
    )
    tax = None
    tax_end = end - GAP
    if taxes := {row.taxes for row in rows if row.taxes}:
        wanted = max(*map(width_of, taxes), width_of(labels["tax"], size=SMALL))
        tax = end = tax_end - min(wanted, LONGEST_TAX)
    quantity_end = None
    if any(row.quantity != 1 for row in rows):
        quantity_end = end - GAP
        counts = {figures.number(row.quantity) for row in rows}
        end = quantity_end - max(
            *map(width_of, counts), width_of(labels["quantity"], size=SMALL)
        )
    text = MARGIN_LEFT
    days = {days_of(row, figures) for row in rows}
    date = None
    if days != {""}:
        date = text
        text += max(map(width_of, days)) + GAP
    return Columns(text, end - GAP, right, date, quantity_end, tax, tax_end)


def column_labels(figures: Figures) -> dict[str, str]:
    return {
        "date": _("Date"),
        "text": _("Description"),
        "quantity": _("Quantity"),
        "tax": _("Tax"),
        "amount": _("Net (%(currency)s)") % {"currency": figures.currency},
    }


def wrapped(text: str, width: float) -> tuple[str, ...]:
    """The lines of a text within ``width`` millimetres; one for Pango stays whole."""
    if not fonts.is_plain(text) or width_of(text) <= width:
        return (text,)
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width_of(longer) <= width:
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


def draw(
    pages: Sequence[Page],
    columns: Columns,
    *,
    figures: Figures,
    palette: Palette,
    paper: Paper,
    fronts: int,
) -> tuple[bytes, list[list[Placed]]]:
    """The pages as PDF, and for each the texts that Pango must set.

    ``fronts`` pages come before these: the numbers of the pages go on from there.
    """
    from reportlab.pdfgen.canvas import Canvas

    fonts.fixed(fonts.REGULAR), fonts.fixed(fonts.BOLD)
    target = BytesIO()
    canvas = Canvas(
        target,
        pagesize=(paper.width / POINT, paper.height / POINT),
        invariant=True,
        initialFontName=fonts.REGULAR,
        pageCompression=1,
    )
    left_over = []
    for at, page in enumerate(pages, fronts + 1):
        sheet = _Sheet(canvas, columns, figures, palette, paper)
        sheet.head()
        for entry in page.entries:
            sheet.entry(entry)
        sheet.page_number(at, fronts + len(pages))
        left_over.append(sheet.placed)
        canvas.showPage()
    canvas.save()
    return target.getvalue(), left_over


class _Sheet:
    """One page being drawn; heights are millimetres below the top margin."""

    def __init__(
        self,
        canvas: Any,
        columns: Columns,
        figures: Figures,
        palette: Palette,
        paper: Paper,
    ) -> None:
        self.canvas = canvas
        self.columns = columns
        self.figures = figures
        self.palette = palette
        self.paper = paper
        self.placed: list[Placed] = []

    def head(self) -> None:
        columns, labels = self.columns, column_labels(self.figures)
        self._colour(INK)
        self._text(_("Details"), MARGIN_LEFT, 0, font=fonts.BOLD, size=11)
        self._colour(self.palette.ink)
        top = HEAD - GRID - 0.6
        for name, x, is_right in (
            ("date", columns.date, False),
            ("text", columns.text, False),
            ("quantity", columns.quantity_end, True),
            ("tax", columns.tax, False),
            ("amount", columns.amount_end, True),
        ):
            if x is not None:
                self._text(labels[name], x, top, size=SMALL, is_right=is_right)
        self._rule(HEAD - 0.6, self.palette.ink, 0.6)

    def entry(self, entry: Entry) -> None:
        top = HEAD + entry.top * GRID
        match entry.kind:
            case Kind.ROW:
                self._row(entry, top)
            case Kind.HEADING | Kind.CONTINUED:
                self._heading(entry, top)
            case Kind.FORWARD:
                self._sum(_("Carried forward"), entry, top + 0.2 * GRID)
            case Kind.BROUGHT:
                self._sum(_("Brought forward"), entry, top)
            case Kind.SUM:
                self._sum(entry.texts[0], entry, top + 0.1 * GRID, is_bold=True)
            case Kind.TOTAL:
                self._rule(top + 0.85 * GRID, INK, 0.9)
                self._sum(_("Total net"), entry, top + 1.05 * GRID, is_bold=True)

    def page_number(self, page: int, pages: int) -> None:
        """Where `.page-number` of document.css is."""
        self._colour(MUTED)
        text = _("Page %(page)s of %(pages)s") % {"page": page, "pages": pages}
        top = self.paper.bottom - MARGIN_TOP + 4.5
        self._text(text, self.paper.right, top, size=7, is_right=True)

    def _row(self, entry: Entry, top: float) -> None:
        row, columns = entry.row, self.columns
        assert row is not None
        # From left to right, as a reader's voice or a copy has it.
        if columns.date is not None:
            self._colour(MUTED)
            self._text(days_of(row, self.figures), columns.date, top)
        self._colour(INK)
        for at, text in enumerate(entry.texts):
            width = columns.text_end - columns.text
            self._within(text, columns.text, top + at * GRID, width)
        if columns.quantity_end is not None:
            count = self.figures.number(row.quantity)
            self._text(count, columns.quantity_end, top, is_right=True)
        if columns.tax is not None:
            self._colour(MUTED)
            self._within(row.taxes, columns.tax, top, columns.tax_end - columns.tax)
            self._colour(INK)
        self._amount(entry.amount, top, fonts.REGULAR)
        under = top + (len(entry.texts) + 0.06) * GRID
        self._rule(under, LINE, 0.25)

    def _heading(self, entry: Entry, top: float) -> None:
        title = entry.texts[0]
        if entry.kind is Kind.CONTINUED:
            title = _("%(title)s (continued)") % {"title": title}
        drop = height(entry.kind) - 1.2
        self._colour(INK)
        self._within(
            title,
            MARGIN_LEFT,
            top + drop * GRID,
            self.columns.text_end - MARGIN_LEFT,
            font=fonts.BOLD,
        )

    def _sum(
        self, text: str, entry: Entry, top: float, *, is_bold: bool = False
    ) -> None:
        font = fonts.BOLD if is_bold else fonts.REGULAR
        self._colour(INK if is_bold else MUTED)
        left = self.columns.text if self.columns.date is None else MARGIN_LEFT
        self._within(text, left, top, self.columns.text_end - left, font=font)
        self._amount(entry.amount, top, font)

    def _amount(self, amount: Decimal | None, top: float, font: str) -> None:
        assert amount is not None
        text = self.figures.amount(amount)
        self._text(text, self.columns.amount_end, top, font=font, is_right=True)

    def _within(
        self,
        text: str,
        left: float,
        top: float,
        width: float,
        *,
        font: str = fonts.REGULAR,
    ) -> None:
        """A text of a customer's or reseller's, in whatever script."""
        if not fonts.is_plain(text):
            is_bold = font == fonts.BOLD
            self.placed.append(Placed(left, top, width, text, is_bold))
            return
        if width_of(text, font) > width:
            while text and width_of(f"{text}…", font) > width:
                text = text[:-1].rstrip()
            text = f"{text}…"
        self._text(text, left, top, font=font)

    def _text(
        self,
        text: str,
        x: float,
        top: float,
        *,
        font: str = fonts.REGULAR,
        size: float = SIZE,
        is_right: bool = False,
    ) -> None:
        self.canvas.setFont(font, size)
        baseline = (GRID / POINT - (ASCENT + DESCENT) * size) / 2 + ASCENT * size
        y = (self.paper.height - MARGIN_TOP - top) / POINT - baseline
        write = self.canvas.drawRightString if is_right else self.canvas.drawString
        write(x / POINT, y, text)

    def _rule(self, top: float, colour: str, width: float) -> None:
        y = (self.paper.height - MARGIN_TOP - top) / POINT
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width)
        self.canvas.line(MARGIN_LEFT / POINT, y, self.paper.right / POINT, y)

    def _colour(self, colour: str) -> None:
        self.canvas.setFillColor(colour)
