"""Whether all of a document is likely to fit on one page.

Reckoned from the sizes in document.css, since to lay a document out and find that it takes a
second page costs as long as to draw it. What is laid out is looked at all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from billing.documents.columns import (
    Columns,
    payments_of,
    tax_wrapper,
    width_of,
    wrapper,
)
from billing.documents.front import deducted_lines
from billing.documents.paper import MARGIN_LEFT, Paper
from billing.invoicing.content import Content

# Millimetres.
LETTERHEAD = {"A4": 99.0, "letter": 93.0}
TABLE_HEAD = 5.4
LINE = 4.6
SUM = 5.5
WIDE_LINE = 5.8  # of sums and of payments
TOTAL = 7.4
QR = 32.0
SMALL_LINE = 4.2
# Where the reckoning is that far off, laying it out decides.
TOLERANCE = 2.0
MOST_ROWS = 30


@dataclass(frozen=True, slots=True)
class Spacing:
    """The white between things; ``name`` is the class of document.css."""

    name: str
    titles: float  # with what one looks for first
    heading: float
    cell: float  # above and below the text of a row
    settlement: float
    between: float  # the parts below the table


ROOMY = Spacing("is-roomy", 41, 7.5, 1.1, 4, 6)
TIGHT = Spacing("is-tight", 35.5, 6.7, 0.7, 2.5, 4)


def spacing_for(content: Content, columns: Columns, paper: Paper) -> Spacing | None:
    """How all may fit on one page, if it may; ``columns`` are those of the rows."""
    if sum(len(section.rows) for section in content.sections) > MOST_ROWS:
        return None
    room = paper.bottom - LETTERHEAD[paper.name]
    if _wanted(content, columns, paper, ROOMY) <= room - TOLERANCE / 2:
        return ROOMY
    if _wanted(content, columns, paper, TIGHT) <= room + TOLERANCE:
        return TIGHT
    return None


def _wanted(
    content: Content, columns: Columns, paper: Paper, spacing: Spacing
) -> float:
    parts = (_payment(content), _movements(content), _note(content, paper))
    return (
        spacing.titles
        + _table(content, columns, spacing)
        + _sums(content, spacing)
        + sum(spacing.between + part for part in parts if part)
    )


def _table(content: Content, columns: Columns, spacing: Spacing) -> float:
    wrap, wrap_taxes = wrapper(columns.text_width), tax_wrapper(columns.tax_width)
    wanted = TABLE_HEAD
    for section in content.sections:
        if not section.rows:
            wanted += LINE + spacing.cell
            continue
        wanted += spacing.heading + (SUM if len(content.sections) > 1 else 0)
        for row in section.rows:
            lines = max(len(wrap(row.text)), len(wrap_taxes(row.taxes)))
            wanted += lines * LINE + spacing.cell
    has_days = any(row.day for section in content.sections for row in section.rows)
    return wanted + (LINE + 1.5 if has_days or content.payments else 0)


def _sums(content: Content, spacing: Spacing) -> float:
    plain = len(content.taxes) + bool(content.taxes) + deducted_lines(content)
    gross = content.document.totals.gross
    is_due_apart = content.total_due is not None and content.total_due != gross
    return spacing.settlement + plain * WIDE_LINE + (1 + is_due_apart) * TOTAL


def _payment(content: Content) -> float:
    document = content.document
    payment = document.payment
    asks = payment is not None and document.totals.payable > 0
    if not asks and not document.terms:
        return 0
    lines = 1 + asks + math.ceil(len(document.terms) / 80)
    if asks and payment is not None:
        told = (
            payment.holder,
            payment.iban,
            payment.bic,
            payment.account,
            payment.bank,
            payment.bank_code,
            payment.mandate,
            payment.creditor,
            payment.reference,
        )
        lines += sum(map(bool, told))
    return max(QR if content.qr else 0, lines * LINE + 2.5)


def _movements(content: Content) -> float:
    movements = payments_of(content)
    if movements is None:
        return 0
    return LINE + 1 + len(movements.rows) * WIDE_LINE


def _note(content: Content, paper: Paper) -> float:
    note = content.document.note
    if not note:
        return 0
    width = paper.right - MARGIN_LEFT
    lines = sum(
        math.ceil(max(1, width_of(part, size=8) / width)) for part in note.split("\n")
    )
    return lines * SMALL_LINE
