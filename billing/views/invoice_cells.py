"""How invoices read in lists and at the head of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing.choices import InvoiceStatus, InvoiceType
from billing.invoice_statuses import UNPAID
from billing.models import Invoice
from portal.core.display import format_day, format_days
from portal.core.money import ZERO, format_money
from portal.core.periods import ONE_DAY, local_date
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

# Settled or not, nothing of these is to be paid any more.
CLOSED = frozenset({InvoiceStatus.CANCELLED, InvoiceStatus.SUPERSEDED})


def status_pill(invoice: Invoice) -> SafeString:
    kind, icon = _TONES[invoice.status]
    label = str(invoice.get_status_display())
    if invoice.type == InvoiceType.CREDIT_NOTE and invoice.status == InvoiceStatus.PAID:
        label = _("Credited")
    return pill(kind, label, icon)


def number_cell(invoice: Invoice) -> SafeString:
    """The number; below it the days it is for, and that it is a credit note."""
    number = invoice.number or pgettext("invoice", "No number yet")
    about = period_text(invoice.period_start, invoice.period_end)
    if invoice.type == InvoiceType.CREDIT_NOTE:
        about = f"{invoice.get_type_display()} · {about}"
    return format_html('{}<span class="cell-sub">{}</span>', number, about)


def period_text(first: date, end: date) -> str:
    """The days of a period, whose ``end`` is the day after the last."""
    return format_days(first, end - ONE_DAY)


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
        Column("due", _("Due"), _due_on, in_cards=True),
        Column("total", _("Total"), _total, sort="total", align="end", narrow=True),
        Column("open", _("Open"), _open, align="end", in_cards=True),
        Column("status", _("Status"), status_pill, narrow=True),
    )


def _customer(invoice: Invoice) -> SafeString:
    return format_html("<bdi>{}</bdi>", invoice.account.customer.name)


def _issued_on(invoice: Invoice) -> str:
    return format_day(invoice.issued_on) if invoice.issued_on else "–"


def _due_on(invoice: Invoice) -> str:
    day = invoice.due_day
    return format_day(day) if day and invoice.status not in CLOSED else ""


def _total(invoice: Invoice) -> SafeString:
    return money(invoice.total, invoice)


def _open(invoice: Invoice) -> SafeString | str:
    is_owed = invoice.is_issued and invoice.open
    return money(invoice.open, invoice) if is_owed else ""


def money(amount: object, invoice: Invoice) -> SafeString:
    return format_html(
        '<span class="amount">{}</span>',
        format_money(amount, invoice.currency),  # type: ignore[arg-type]
    )


def figures(
    invoice: Invoice,
    *,
    notes: Sequence[Invoice] = (),
    settled_on: date | None = None,
    written_off: Decimal = ZERO,
) -> list[dict[str, Any]]:
    """What a document comes to and what is still to be done, for _components/tiles.html.

    ``notes`` are the credit notes on it; ``settled_on`` is the day of the last payment;
    ``written_off`` is what of the settled sum nobody paid.
    """
    tiles = [_total_tile(invoice)]
    if invoice.type == InvoiceType.CREDIT_NOTE or not invoice.is_issued:
        return tiles
    if notes:
        tiles.append(_credited_tile(invoice, notes))
    if invoice.status in CLOSED:
        return tiles
    if invoice.open:
        tiles += [_open_tile(invoice), *_due_tile(invoice)]
    elif invoice.settled:
        tiles.append(_settled_tile(invoice, settled_on, written_off))
    return tiles


def _total_tile(invoice: Invoice) -> dict[str, Any]:
    parts = {"net": _money(invoice, invoice.net), "tax": _money(invoice, invoice.tax)}
    return {
        "label": _("Total"),
        "value": _money(invoice, invoice.total),
        "icon": "receipt-text",
        "detail": _("%(net)s net, %(tax)s tax") % parts if invoice.tax else _("no tax"),
    }


def _credited_tile(invoice: Invoice, notes: Sequence[Invoice]) -> dict[str, Any]:
    detail = (
        notes[0].number
        if len(notes) == 1
        else ngettext("%(count)d credit note", "%(count)d credit notes", len(notes))
        % {"count": len(notes)}
    )
    return {
        "label": _("Credited"),
        "value": _money(invoice, sum((note.total for note in notes), ZERO)),
        "icon": "undo-2",
        "detail": detail,
    }


def _open_tile(invoice: Invoice) -> dict[str, Any]:
    payable = _money(invoice, invoice.payable)
    if invoice.settled:
        settled = {"amount": _money(invoice, invoice.settled), "payable": payable}
        detail = _("%(amount)s of %(payable)s settled") % settled
    elif invoice.payable != invoice.total:
        detail = _("%(payable)s was payable") % {"payable": payable}
    else:
        detail = _("nothing paid yet")
    return {
        "label": _("Open"),
        "value": _money(invoice, invoice.open),
        "icon": "wallet",
        "detail": detail,
    }


def _settled_tile(
    invoice: Invoice, settled_on: date | None, written_off: Decimal
) -> dict[str, Any]:
    said = []
    if settled_on:
        said.append(_("on %(day)s") % {"day": format_day(settled_on)})
    if written_off:
        amount = _money(invoice, written_off)
        said.append(_("%(amount)s written off") % {"amount": amount})
    return {
        "label": _("Settled"),
        "value": _money(invoice, invoice.settled),
        "icon": "circle-check",
        "detail": " · ".join(said),
    }


def _due_tile(invoice: Invoice) -> list[dict[str, Any]]:
    """When it is, or was, to be paid; none of an invoice that names no day."""
    if not invoice.due_day:
        return []
    is_late = _is_late(invoice)
    said = []
    if invoice.first_overdue_day:
        text = _("overdue since %(day)s") if is_late else _("overdue from %(day)s")
        said.append(text % {"day": format_day(invoice.first_overdue_day)})
    if invoice.due_on and invoice.due_on != invoice.due_day:
        text = _("%(day)s on the document")
        said.append(text % {"day": format_day(invoice.due_on)})
    return [
        {
            "label": _("Due"),
            "value": format_day(invoice.due_day),
            "icon": "calendar-clock",
            "kind": "danger" if is_late else "",
            "detail": " · ".join(said),
        }
    ]


def _is_late(invoice: Invoice) -> bool:
    """Whether its first overdue day has come, also where the status tells something else."""
    if invoice.status == InvoiceStatus.OVERDUE:
        return True
    first = invoice.first_overdue_day
    if first is None or invoice.status not in UNPAID:
        return False
    return first <= local_date(invoice.account.customer.time_zone)


def _money(invoice: Invoice, amount: Decimal) -> str:
    return format_money(amount, invoice.currency)
