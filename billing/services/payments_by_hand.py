"""What people say of an invoice: that it is paid, that it is not, that it never will be.

All of that is kept as payments, so an invoice's status never says other than the sums.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import invoice_statuses as statuses
from billing import keys, ledger
from billing.choices import EntryKind, PaymentMethod
from billing.models import BillingAccount, Invoice, LedgerEntry, Payment
from billing.services import payments, settlements
from billing.services.payments import (
    ON_INVOICES,
    Received,
    record_payment,
    reverse_payment,
)
from billing.services.transactions import held_by_provider, refuse_above_maximum
from portal.core.actor import Actor
from portal.core.money import format_money, has_minor_unit_precision
from portal.core.periods import local_date
from portal.core.permissions import Permission

WRITTEN_OFF = "payment.written_off"


def settle_by_hand(*, invoice: Invoice, by: Actor) -> Payment | None:
    """Book what is open of an invoice as paid today; None if nothing is.

    For whoever only wants to say that it is paid: the payment can be taken back.
    """
    with transaction.atomic():
        account = settlements.held_account(invoice.account_id)
        invoice = Invoice.objects.get(pk=invoice.pk)
        if invoice.open <= 0 or invoice.status not in statuses.OPEN:
            return None
        count = invoice.settlements.count()
        received = Received(
            amount=invoice.open,
            method=PaymentMethod.OTHER,
            on=local_date(account.customer.time_zone),
            reference=invoice.number,
        )
        key = f"hand:{invoice.pk}:{count}"
        return record_payment(
            account=account, received=received, key=key, by=by, invoice=invoice
        )


def reverse_by_hand(*, invoice: Invoice, reason: str, by: Actor) -> list[Payment]:
    """Take back all payments that settle an invoice: none of it was paid after all.

    What was written off stays so.
    """
    found = (
        Payment.objects.filter(
            settlements__invoice=invoice.pk,
            settlements__undone_at=None,
            reversed_at=None,
        )
        .exclude(method=PaymentMethod.WRITE_OFF)
        .order_by("pk")
    )
    with transaction.atomic():
        return [
            reverse_payment(payment=each, reason=reason, is_refused=True, by=by)
            for each in found.select_related("account__customer")
        ]


@transaction.atomic
def write_off(
    *, invoice: Invoice, amount: Decimal, reason: str, key: str, by: Actor
) -> Payment:
    """Settle ``amount`` of an invoice, at most what is open, by money that never came.

    The documents, the charges and their taxes stay as they are; `payments.reverse_payment`
    takes it back. The same ``key`` is booked once. Raises ValidationError by field.
    """
    by.require(Permission.COMMERCE)
    if invoice.issuer_id != by.customer.pk:
        raise PermissionDenied
    held_by_provider(invoice.account, by)
    account = settlements.held_account(invoice.account_id)
    present = Payment.objects.filter(account=account, key=key).first()
    if present is not None:
        return present
    invoice = Invoice.objects.get(pk=invoice.pk)
    _check_write_off(invoice, amount, reason)
    refuse_above_maximum(amount, account, by)
    received = Received(
        amount=amount,
        method=PaymentMethod.WRITE_OFF,
        on=local_date(account.customer.time_zone),
        reference=invoice.number,
        note=reason,
    )
    payment = payments.new_payment(account, received, key, by)
    settlements.settle(invoice, amount, payment=payment)
    settlements.follow(invoice, account.customer.time_zone)
    _book_write_off(payment, invoice, account, by)
    payments.record(WRITTEN_OFF, payment, account, by)
    settlements.announce_settled(account)
    return payment


def may_write_off(invoice: Invoice) -> bool:
    """Whether something is open of what a customer was asked to pay."""
    return invoice.open > 0 and invoice.status in statuses.UNPAID


def _check_write_off(invoice: Invoice, amount: Decimal, reason: str) -> None:
    if not may_write_off(invoice):
        raise ValidationError(_("Nothing of this invoice is open."), code="not_open")
    errors: dict[str, ValidationError] = {}
    if not reason.strip():
        errors["reason"] = ValidationError(_("Say why it is written off."))
    if amount <= 0:
        errors["amount"] = ValidationError(_("Enter an amount above 0."), code="sign")
    elif not has_minor_unit_precision(amount, invoice.currency):
        errors["amount"] = ValidationError(
            _("%(currency)s has no amounts as small as this."),
            code="minor_unit",
            params={"currency": invoice.currency},
        )
    elif amount > invoice.open:
        errors["amount"] = ValidationError(
            _("Only %(open)s is open."),
            code="too_much",
            params={"open": format_money(invoice.open, invoice.currency)},
        )
    if errors:
        raise ValidationError(errors)


def _book_write_off(
    payment: Payment, invoice: Invoice, account: BillingAccount, by: Actor
) -> None:
    """Beside the balance, which the debt left when it was invoiced."""
    key = keys.payment_part(payment.pk, ON_INVOICES)
    with translation.override(account.customer.spoken_language()):
        text = _("Write-off of invoice %(number)s") % {"number": invoice.number}
    posting = ledger.credit(
        account.pk,
        key,
        EntryKind.WRITE_OFF,
        payment.amount,
        text,
        is_on_balance=False,
        reference=payment.reference[:100],
    )
    ledger.post([posting], by=by, within_limits=False)
    # On this invoice at once: the next one is not to tell of it.
    LedgerEntry.objects.filter(account=account, key=key).update(invoice=invoice)
