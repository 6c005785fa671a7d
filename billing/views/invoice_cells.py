"""How invoices read in lists and at the head of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.choices import InvoiceStatus, InvoiceType
from billing.models import Invoice
from portal.core.display import format_day
from portal.core.money import format_money
from portal.core.periods import ONE_DAY
from portal.core.pills import pill
from portal.core.tables import Column

_TONES: dict[str, tuple[str, str]] = {
    InvoiceStatus.PENDING: ("warning", "octagon-pause"),
    InvoiceStatus.QUEUED: ("info", "file-search"),
    InvoiceStatus.APPROVED: ("info", "file-check"),
    InvoiceStatus.DUE: ("neutral", "clock"),
    InvoiceStatus.OVERDUE: ("danger", "circle-alert"),
    InvoiceStatus.PAID: ("success", "check"),
    InvoiceStatus.PAYMENT_REFUSED: ("danger", "ban"),
    InvoiceStatus.PREPAID: ("success", "check"),
    InvoiceStatus.SUPERSEDED: ("neutral", "replace"),
    InvoiceStatus.CANCELLED: ("neutral", "x"),
}


def status_pill(invoice: Invoice) -> SafeString:
    kind, icon = _TONES[invoice.status]
    label = str(invoice.get_status_display())
    if invoice.type == InvoiceType.CREDIT_NOTE and invoice.status == InvoiceStatus.PAID:
        label = _("Credited")
    return pill(kind, label, icon)


def number_cell(invoice: Invoice) -> SafeString:
    """The number; below it the days it is for, and that it is a credit note."""
    number = invoice.number or _("No number yet")
    about = period_text(invoice.period_start, invoice.period_end)
    if invoice.type == InvoiceType.CREDIT_NOTE:
        about = f"{invoice.get_type_display()} · {about}"
    return format_html('{}<span class="cell-sub">{}</span>', number, about)


def period_text(first: date, end: date) -> str:
    """The days of a period; a single one once."""
    last = end - ONE_DAY
    if first == last:
        return format_day(first)
    return f"{format_day(first)} – {format_day(last)}"


def columns(*, with_customer: bool, is_dated: bool) -> Sequence[Column]:
    """What lists of invoices tell.

    The order of dates is the one in which they were made: without a number there is no date
    yet. ``is_dated``: only some days are asked for, so all have one, and the index of dates
    leads to them.
    """
    customer = (Column("customer", _("Customer"), _customer, narrow=True),)
    return (
        Column(
            "number", _("Number and period"), number_cell, sort="number", narrow=True
        ),
        *(customer if with_customer else ()),
        Column(
            "date",
            _("Date"),
            _issued_on,
            sort="issued_on" if is_dated else "id",
            narrow=True,
        ),
        Column("due", _("Due"), _due_on),
        Column("total", _("Total"), _total, sort="total", align="end", narrow=True),
        Column("open", _("Open"), _open, align="end"),
        Column("status", _("Status"), status_pill, narrow=True),
    )


def _customer(invoice: Invoice) -> SafeString:
    return format_html("<bdi>{}</bdi>", invoice.account.customer.name)


def _issued_on(invoice: Invoice) -> str:
    return format_day(invoice.issued_on) if invoice.issued_on else "–"


def _due_on(invoice: Invoice) -> str:
    return format_day(invoice.due_on) if invoice.due_on else "–"


def _total(invoice: Invoice) -> SafeString:
    return money(invoice.total, invoice)


def _open(invoice: Invoice) -> SafeString | str:
    is_owed = invoice.is_issued and invoice.open
    return money(invoice.open, invoice) if is_owed else "–"


def money(amount: object, invoice: Invoice) -> SafeString:
    return format_html(
        '<span class="amount">{}</span>',
        format_money(amount, invoice.currency),  # type: ignore[arg-type]
    )


def figures(invoice: Invoice) -> list[dict[str, Any]]:
    """Total, what is open, and when it is due, for _components/tiles.html."""
    tiles: list[dict[str, Any]] = [
        {
            "label": _("Total"),
            "value": _money(invoice, invoice.total),
            "icon": "receipt-text",
            "detail": _("%(net)s net, %(tax)s taxes")
            % {"net": _money(invoice, invoice.net), "tax": _money(invoice, invoice.tax)}
            if invoice.tax
            else _("without taxes"),
        }
    ]
    if invoice.payable and invoice.is_issued:
        paid = invoice.settled and _("%(amount)s of %(payable)s settled") % {
            "amount": _money(invoice, invoice.settled),
            "payable": _money(invoice, invoice.payable),
        }
        tiles.append(
            {
                "label": _("Open"),
                "value": _money(invoice, invoice.open),
                "icon": "wallet",
                "detail": paid
                or _("of %(payable)s to be paid")
                % {"payable": _money(invoice, invoice.payable)},
            }
        )
    if invoice.due_on:
        late = invoice.status == InvoiceStatus.OVERDUE
        tiles.append(
            {
                "label": _("Due"),
                "value": format_day(invoice.due_on),
                "icon": "calendar-clock",
                "kind": "danger" if late else "",
                "detail": _("overdue from %(day)s on")
                % {"day": format_day(invoice.overdue_on)}
                if invoice.overdue_on
                else "",
            }
        )
    return tiles


def _money(invoice: Invoice, amount: Decimal) -> str:
    return format_money(amount, invoice.currency)
