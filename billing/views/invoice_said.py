"""What an invoice says, as pages show it: the frozen content in the reader's formats.

Its own texts stay in the invoice's language; days and amounts are written as the reader does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.documents import front
from billing.documents.columns import payments_title
from billing.documents.figures import Figures
from billing.einvoice.record import DocumentType
from billing.invoicing.content import Content, Row, Section
from portal.core.display import format_day, format_days
from portal.core.money import format_money

# So many rows of a section stand on a page; the document has them all.
MOST_ROWS = 100


def said(
    content: Content, *, is_open: bool = True, is_own: bool = False
) -> dict[str, Any]:
    """What billing/invoices/_said.html shows; how to pay only while something ``is_open``.

    ``is_own``: for whom the invoice is to; the document speaks to nobody else.
    """
    if not is_own:
        content = _not_to_reader(content)
    document = content.document
    figures = Figures(get_language() or "en", document.currency)
    is_credited = document.type is DocumentType.CREDIT_NOTE
    return {
        "title": _("What is credited") if is_credited else _("What is invoiced"),
        "sections": [_section(each, figures) for each in content.sections],
        "sums": front.sums(content, figures, day=format_day),
        "remarks": front.vat_remarks(content, figures),
        "pay": _how_to_pay(content, figures) if is_open else [],
        "movements_title": payments_title(content),
        "movements": [
            {
                "day": format_day(each.day),
                "text": each.text,
                "amount": figures.amount(each.amount),
            }
            for each in content.payments
        ],
        "balance": None
        if content.balance is None
        else format_money(content.balance, document.currency),
        "note": document.note,
    }


def _not_to_reader(content: Content) -> Content:
    """Without "your" in what is said of the customer's balance."""
    if content.deductions is None:
        return content
    with translation.override(content.language):
        plain = {
            _("Charged to your balance"): _("Charged to the balance"),
            _("Credited to your balance"): _("Credited to the balance"),
            _("Stays on your balance"): _("Stays on the balance"),
        }
    return replace(
        content,
        deductions=tuple(
            replace(each, text=plain.get(each.text, each.text))
            for each in content.deductions
        ),
    )


def _section(section: Section, figures: Figures) -> dict[str, Any]:
    shown = section.rows[:MOST_ROWS]
    return {
        "title": section.title,
        "net": figures.amount(section.net),
        "rows": [_row(each, figures) for each in shown],
        "more": len(section.rows) - len(shown),
    }


def _row(row: Row, figures: Figures) -> dict[str, str]:
    quantity = f"× {figures.number(row.quantity)}" if row.quantity != 1 else ""
    about = (quantity, _when(row), row.taxes)
    return {
        "text": row.text,
        "about": " · ".join(part for part in about if part),
        "net": figures.amount(row.net),
    }


def _when(row: Row) -> str:
    if row.period is not None:
        return format_days(row.period.first, row.period.last)
    return format_day(row.day) if row.day else ""


def _how_to_pay(content: Content, figures: Figures) -> list[dict[str, str]]:
    document = content.document
    if document.totals.payable <= 0:
        return []
    facts = front.payment_details(document.payment)
    shown = [{"label": fact.label, "value": fact.text} for fact in facts]
    if document.terms:
        shown.append({"label": _("Terms"), "value": document.terms})
    return shown
