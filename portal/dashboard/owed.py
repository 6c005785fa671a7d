"""What the start page tells of invoices: to whoever issued them, and to whoever pays them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.utils.translation import gettext as _

from billing.choices import ImportLineState, InvoiceStatus
from billing.invoice_days import due_day
from billing.invoice_selectors import counts_by_status, issued_by, received_by
from billing.invoice_statuses import UNPAID
from billing.models import Invoice, PaymentImportLine
from billing.views.account_parts import amount_cell
from billing.views.invoice_cells import status_pill
from customers.views.attention import count_text
from portal.core.display import format_day
from portal.core.money import format_money
from portal.core.permissions import Permission
from portal.core.views import PortalView

# So many open invoices stand on the start page of whoever is to pay them.
MOST_SHOWN = 5
# These wait for somebody who works for the seller.
WAITING = (
    InvoiceStatus.PAYMENT_REFUSED,
    InvoiceStatus.PENDING,
    InvoiceStatus.QUEUED,
    InvoiceStatus.APPROVED,
)


@dataclass(frozen=True, slots=True)
class Open:
    """How many invoices have something open, and how much, by currency."""

    count: int
    sums: tuple[tuple[str, Decimal], ...]

    def __str__(self) -> str:
        sums = " + ".join(format_money(amount, code) for code, amount in self.sums)
        return f"{count_text(self.count)} ({sums})"


def open_of(invoices: QuerySet[Invoice]) -> Open:
    """What is open of ``invoices``."""
    found = (
        invoices.filter(payable__gt=F("settled"))
        .order_by("currency")
        .values_list("currency")
        .annotate(count=Count("pk"), left=Sum(F("payable") - F("settled")))
    )
    rows = list(found)
    return Open(
        count=sum(count for _code, count, _amount in rows),
        sums=tuple((code, amount) for code, _count, amount in rows),
    )


def sellers_lines(view: PortalView) -> list[dict[str, str]]:
    """Invoices and payments that wait for somebody; one query for each kind."""
    issued = issued_by(view.actor.customer)
    overdue = open_of(issued.filter(status=InvoiceStatus.OVERDUE))
    counts = counts_by_status(issued, WAITING)
    url = view.url("billing:invoice-list")
    lines = [
        (
            overdue.count,
            "danger",
            "circle-alert",
            _("Overdue invoices: %(count)s"),
            str(overdue),
            InvoiceStatus.OVERDUE,
        ),
        (
            counts[InvoiceStatus.PAYMENT_REFUSED],
            "danger",
            "ban",
            _("Invoices whose payment was refused: %(count)s"),
            "",
            InvoiceStatus.PAYMENT_REFUSED,
        ),
        (
            counts[InvoiceStatus.PENDING],
            "warning",
            "octagon-pause",
            _("Invoices held back: %(count)s"),
            "",
            InvoiceStatus.PENDING,
        ),
        (
            counts[InvoiceStatus.QUEUED],
            "info",
            "file-search",
            _("Invoices to approve: %(count)s"),
            "",
            InvoiceStatus.QUEUED,
        ),
        (
            counts[InvoiceStatus.APPROVED],
            "info",
            "send",
            _("Approved invoices to send: %(count)s"),
            "",
            InvoiceStatus.APPROVED,
        ),
    ]
    found = [
        {
            "kind": kind,
            "icon": icon,
            "text": text % {"count": told or count_text(count)},
            "url": f"{url}?status={status}",
        }
        for count, kind, icon, text, told, status in lines
        if count
    ]
    return found + _bank_lines(view)


def _bank_lines(view: PortalView) -> list[dict[str, str]]:
    """Lines of bank statements that found no invoice; the way to theirs if it is one."""
    rows = (
        PaymentImportLine.objects.filter(
            # By the statements: each one's lines of a state are found by their index.
            source__owner=view.actor.customer.pk,
            state=ImportLineState.OPEN,
        )
        .order_by("source")
        .values_list("source")
        .annotate(count=Count("pk"))
    )
    sources = dict(rows)
    if not sources:
        return []
    url = view.url("billing:import-list")
    if len(sources) == 1:
        [source] = sources
        url = f"{view.url('billing:import-detail', pk=source)}?state=open"
    text = _("Payments on bank statements to match: %(count)s")
    return [
        {
            "kind": "info",
            "icon": "file-spreadsheet",
            "text": text % {"count": count_text(sum(sources.values()))},
            "url": url,
        }
    ]


def buyers_lines(view: PortalView) -> list[dict[str, str]]:
    """That the account itself has invoices to pay, for who may know of its money."""
    if not view.actor.can(Permission.REPORTS):
        return []
    unpaid = received_by(view.actor.customer).filter(status__in=UNPAID)
    overdue = open_of(unpaid.filter(status=InvoiceStatus.OVERDUE))
    if not overdue.count:
        return []
    return [
        {
            "kind": "danger",
            "icon": "receipt-text",
            "text": _("Your own overdue invoices: %(count)s") % {"count": overdue},
            "url": f"{view.url('billing:own-invoice-list')}?status=overdue",
        }
    ]


def to_pay(view: PortalView) -> dict[str, Any]:
    """The oldest open invoices of an account, for its own people (portal/_to_pay.html)."""
    unpaid = received_by(view.actor.customer).filter(
        status__in=UNPAID, payable__gt=F("settled")
    )
    rows = list(unpaid.order_by(due_day(), "pk")[: MOST_SHOWN + 1])
    if not rows:
        return {}
    return {
        "to_pay": _rows(view, rows[:MOST_SHOWN]),
        "to_pay_url": f"{view.url('billing:own-invoice-list')}?status=open",
        "has_more_to_pay": len(rows) > MOST_SHOWN,
    }


def _rows(view: PortalView, invoices: Iterable[Invoice]) -> Sequence[dict[str, Any]]:
    return [
        {
            "number": each.number,
            "url": view.url("billing:own-invoice-detail", pk=each.pk),
            "pill": status_pill(each),
            "about": _("due %(day)s") % {"day": format_day(each.due_day)}
            if each.due_day
            else "",
            "amount": amount_cell(each.open, each.currency),
        }
        for each in invoices
    ]
