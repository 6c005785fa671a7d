"""What takes off what is to be paid of an invoice, and what its status is by that.

Callers hold the lock of the account: `held_account`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from billing import invoice_statuses as statuses
from billing.choices import InvoiceStatus, InvoiceType, OverdueLock
from billing.models import BillingAccount, Invoice, Payment, Settlement
from portal.core.money import ZERO
from portal.core.periods import local_date
from portal.core.tasks import announce

FOLLOW_LOCK = "customers.jobs.follow_overdue_lock"


def held_account(account_id: int) -> BillingAccount:
    """The account, held until the transaction ends: one at a time settles or credits."""
    return (
        BillingAccount.objects.select_for_update(of=("self",), no_key=True)
        .select_related("customer", "provider")
        .get(pk=account_id)
    )


def open_invoices(account: BillingAccount) -> QuerySet[Invoice]:
    """What is still to be paid, oldest first."""
    return Invoice.objects.filter(
        account=account.pk,
        type=InvoiceType.INVOICE,
        status__in=statuses.OPEN,
        payable__gt=F("settled"),
    ).order_by("due_on", "pk")


def settle(
    invoice: Invoice,
    amount: Decimal,
    *,
    payment: Payment | None = None,
    credit_note: Invoice | None = None,
) -> Settlement | None:
    """Take ``amount`` off, at most what is open; None if nothing is."""
    amount = min(amount, invoice.payable - invoice.settled)
    if amount <= 0:
        return None
    settlement = Settlement.objects.create(
        invoice=invoice, amount=amount, payment=payment, credit_note=credit_note
    )
    invoice.settled += amount
    invoice.save(update_fields=["settled"])
    return settlement


def undo(settlements: Iterable[Settlement]) -> list[Invoice]:
    """Put it back to what is to be paid; the invoices as they are then."""
    found = []
    now = timezone.now()
    for settlement in settlements:
        settlement.undone_at = now
        settlement.save(update_fields=["undone_at"])
        invoice = Invoice.objects.get(pk=settlement.invoice_id)
        invoice.settled -= settlement.amount
        invoice.save(update_fields=["settled"])
        found.append(invoice)
    return found


def holding(payment: Payment) -> QuerySet[Settlement]:
    """What a payment settles now."""
    return Settlement.objects.filter(payment=payment, undone_at=None)


def surplus_of(payment: Payment) -> Decimal:
    """What of a payment settles nothing: it is on the balance."""
    if payment.is_reversed:
        return ZERO
    return payment.amount - sum((each.amount for each in holding(payment)), ZERO)


def follow(invoice: Invoice, zone: str, *, is_refused: bool = False) -> None:
    """Set the status that what is open now asks for, where the table allows it.

    ``is_refused``: a payment came back. What waits to be sent keeps its status: sending
    gives the next.
    """
    wanted = _wanted(invoice, zone, is_refused=is_refused)
    if wanted != invoice.status and statuses.may_follow(invoice.status, wanted):
        invoice.status = wanted
        invoice.save(update_fields=["status"])


def _wanted(invoice: Invoice, zone: str, *, is_refused: bool) -> str:
    present = InvoiceStatus(invoice.status)
    if present not in {*statuses.UNPAID, InvoiceStatus.PAID}:
        return present
    if invoice.settled >= invoice.payable:
        return InvoiceStatus.PAID
    if is_refused:
        return InvoiceStatus.PAYMENT_REFUSED
    if present != InvoiceStatus.PAID:
        return present
    return unpaid_status(invoice, zone)


def unpaid_status(invoice: Invoice, zone: str) -> InvoiceStatus:
    """Due, or overdue from its first overdue day on, where the customer is."""
    first = invoice.first_overdue_day
    if first and local_date(zone) >= first:
        return InvoiceStatus.OVERDUE
    return InvoiceStatus.DUE


def announce_settled(account: BillingAccount) -> None:
    """Whoever is locked because an invoice is overdue may owe nothing now."""
    if account.overdue_lock != OverdueLock.NONE:
        transaction.on_commit(partial(announce, FOLLOW_LOCK, account.pk))
