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
from billing.documents.columns import (
    POINT,
    SIZE,
    SMALL,
    TOLERANCE,
    Columns,
    column_labels,
    days_of,
    width_of,
)
from billing.documents.figures import Figures
from billing.documents.listing import Entry, Kind, Page
from billing.documents.palette import Palette
from billing.documents.paper import MARGIN_BOTTOM, MARGIN_LEFT, MARGIN_TOP, Paper

GRID = 4.6  # millimetres from line to line
HEAD = 11.0  # millimetres of title and column heads, above the list
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
    lines: int = 1


def capacity(paper: Paper) -> float:
    """How many lines of the grid a page takes."""
    return (paper.height - MARGIN_TOP - MARGIN_BOTTOM - HEAD) / GRID


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
        sheet.head(page.payments)
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

    def head(self, payments: str) -> None:
        columns, labels = self.columns, column_labels(self.figures)
        self._colour(INK)
        title = payments or _("Details")
        self._text(title, MARGIN_LEFT, 0, font=fonts.BOLD, size=11)
        heads = [
            (labels["date"], columns.date, False),
            (labels["text"], columns.text, False),
        ]
        if payments:
            heads.append((self._amount_label(), columns.amount_end, True))
        else:
            heads += [
                (labels["quantity"], columns.quantity_end, True),
                (labels["tax"], columns.tax, False),
                (labels["amount"], columns.amount_end, True),
            ]
        self._colour(self.palette.ink)
        top = HEAD - GRID - 0.6
        for label, x, is_right in heads:
            if x is not None:
                self._text(label, x, top, size=SMALL, is_right=is_right)
        self._rule(HEAD - 0.6, self.palette.ink, 0.6)

    def entry(self, entry: Entry) -> None:
        top = HEAD + entry.top * GRID
        match entry.kind:
            case Kind.ROW:
                self._row(entry, top)
                self._counted(entry, top)
                self._amount(entry.amount, top, fonts.REGULAR)
            case Kind.PAYMENT:
                self._row(entry, top)
                self._amount(entry.amount, top, fonts.REGULAR)
            case Kind.PAYMENTS:
                self._payments_heading(entry, top)
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
        self._lines(entry.texts, columns.text, top, columns.text_width)
        self._rule(top + (entry.height - 0.06) * GRID, LINE, 0.25)

    def _counted(self, entry: Entry, top: float) -> None:
        """How many of what a row is for, and its taxes."""
        row, columns = entry.row, self.columns
        assert row is not None
        if columns.quantity_end is not None:
            count = self.figures.number(row.quantity)
            self._text(count, columns.quantity_end, top, is_right=True)
        if columns.tax is not None:
            self._colour(MUTED)
            self._lines(entry.taxes, columns.tax, top, columns.tax_width)
            self._colour(INK)

    def _payments_heading(self, entry: Entry, top: float) -> None:
        """With a head of its own: what stands below is no net amount."""
        drop = (entry.height - 1.2) * GRID
        self._colour(INK)
        self._within(
            entry.texts[0],
            MARGIN_LEFT,
            top + drop,
            self.columns.text_end - MARGIN_LEFT,
            font=fonts.BOLD,
        )
        self._colour(self.palette.ink)
        self._text(
            self._amount_label(),
            self.columns.amount_end,
            top + drop,
            size=SMALL,
            is_right=True,
        )
        self._rule(top + (entry.height - 0.12) * GRID, self.palette.ink, 0.6)

    def _amount_label(self) -> str:
        return _("Amount (%(currency)s)") % {"currency": self.figures.currency}

    def _heading(self, entry: Entry, top: float) -> None:
        title = entry.texts[0]
        if entry.kind is Kind.CONTINUED:
            title = _("%(title)s (continued)") % {"title": title}
        drop = entry.height - 1.2
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

    def _lines(
        self, texts: Sequence[str], left: float, top: float, width: float
    ) -> None:
        """Lines of a text; one for Pango comes first and takes the room of all."""
        for at, text in enumerate(texts):
            if not text:
                continue
            if fonts.is_plain(text):
                self._within(text, left, top + at * GRID, width)
            else:
                lines = 1
                while texts[at + lines : at + lines + 1] == ("",):
                    lines += 1
                self.placed.append(
                    Placed(left, top + at * GRID, width, text, lines=lines)
                )

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
        if width_of(text, font) > width + TOLERANCE:
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
