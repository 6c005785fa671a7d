"""One invoice: what who issued it can do and may know, and what its customer sees."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import InvoiceStatus, InvoiceType
from billing.invoice_statuses import BY_HAND, MAILED_WITHIN, OPEN
from billing.models import Invoice, LedgerEntry, Payment
from billing.services import collecting, corrections, invoice_again, payments_by_hand
from billing.views.invoice_pages import IssuedPage, ReceivedPage
from billing.views.invoice_said import said
from billing.views.invoice_view import InvoiceView
from billing.views.readiness import gap_url
from portal.core.display import format_moment
from portal.core.permissions import Permission

# What happened to payments and other documents that the history of an invoice tells too.
TOLD_OF_OTHERS = (
    "credit_note.issued",
    "invoice.issued",
    "payment.recorded",
    "payment.written_off",
)


class InvoiceDetail(IssuedPage, InvoiceView):
    """For who issued it: with what can be done, and who did what before."""

    def entry_url(self, entry: LedgerEntry) -> str:
        return self.url(
            "customers:customer-entry",
            pk=self.invoice.account.customer_id,
            entry=entry.pk,
        )

    def ledger_url(self) -> str:
        return self.url(
            "customers:customer-account", pk=self.invoice.account.customer_id
        )

    def said(self) -> dict[str, Any] | None:
        """Of one that is held back, what it would say."""
        if self.invoice.is_issued:
            return super().said()
        content = invoice_again.would_say(self.invoice)
        return said(content, is_open=False) if content else None

    def more(self) -> dict[str, Any]:
        invoice = self.invoice
        customer = invoice.account.customer
        return {
            "subtitle": customer.name,
            "customer_url": self.url("customers:customer-detail", pk=customer.pk),
            "gaps": self.gaps(),
            "can_approve": invoice.status == InvoiceStatus.QUEUED,
            "is_approved": invoice.status == InvoiceStatus.APPROVED,
            "can_charge": collecting.may_charge_again(invoice),
            "can_write_off": payments_by_hand.may_write_off(invoice),
            "can_set": bool(BY_HAND[InvoiceStatus(invoice.status)])
            and invoice.type == InvoiceType.INVOICE
            and invoice.status not in {InvoiceStatus.QUEUED, InvoiceStatus.APPROVED},
            "pay_url": self.pay_url(),
            "credit_url": self.credit_url(),
            "undrawn": self.undrawn(),
            "mail": self.mail(),
            "events": self.history(),
        }

    def history(self) -> list[dict[str, Any]]:
        """What happened to it; and what was paid on it, credited, or issued instead."""
        others = [*self.notes, self.replacement]
        related: dict[Model, str] = {
            other: self.invoice_url(other) for other in others if other is not None
        }
        for row in self.settling:
            if row.payment is not None:
                related[row.payment] = self.payment_url(row.payment)
        history: list[dict[str, Any]] = self.request.reach.history(
            self.invoice, related=related, actions=TOLD_OF_OTHERS
        )
        return history

    def pay_url(self) -> str:
        """Where a payment of it is recorded; "" if nothing of it is open."""
        invoice = self.invoice
        if invoice.open <= 0 or invoice.status not in OPEN:
            return ""
        url = self.url("billing:payment-new", pk=invoice.account.customer_id)
        return f"{url}?invoice={invoice.pk}"

    def credit_url(self) -> str:
        """Where a credit note on it is made; "" if it cannot be."""
        if corrections.refusal(self.invoice):
            return ""
        return self.url("billing:invoice-credit", pk=self.invoice.pk)

    def payment_url(self, payment: Payment) -> str:
        return self.url("billing:payment-detail", pk=payment.pk)

    def gaps(self) -> list[dict[str, str]]:
        """Why it is held back; each with the way to the field that mends it."""
        return [
            {
                "text": gap["text"],
                "url": gap_url(
                    gap["side"],
                    gap["field"],
                    account=self.actor.customer.pk,
                    customer=self.invoice.account.customer_id,
                )
                if gap["field"]
                else "",
            }
            for gap in self.invoice.gaps
        ]

    def undrawn(self) -> dict[str, str] | None:
        """That its files could not be made; why, for who looks after the system."""
        invoice = self.invoice
        if not invoice.is_undrawable:
            return None
        said = _("Its files could not be created. The next attempt is at %(time)s.")
        is_told = self.actor.can(Permission.SYSTEM)
        return {
            "text": said % {"time": format_moment(invoice.draw_due_at)},
            "detail": invoice.draw_error if is_told else "",
        }

    def mail(self) -> dict[str, Any] | None:
        """Whether it was mailed, and that it can be once more."""
        invoice = self.invoice
        if not invoice.is_sent:
            return None
        is_old = (
            timezone.now() - (invoice.sent_at or invoice.created_at) > MAILED_WITHIN
        )
        if invoice.mailed_at:
            text = _("E-mailed %(time)s") % {"time": format_moment(invoice.mailed_at)}
        elif invoice.status in {InvoiceStatus.CANCELLED, InvoiceStatus.SUPERSEDED}:
            text = _("Not e-mailed: it was corrected first")
        elif not invoice.is_sent_to_customer:
            text = _("Not e-mailed: this customer does not get invoices by e-mail")
        elif not invoice.account.customer.email:
            text = _("Not e-mailed: this customer has no e-mail address")
        elif is_old:
            text = _(
                "Not e-mailed: older invoices are e-mailed only when you ask for it"
            )
        elif invoice.is_undrawable:
            text = _("Will be e-mailed once its files are created")
        else:
            text = _("Will be e-mailed in a moment")
        return {
            "text": text,
            "label": _("E-mail again") if invoice.mailed_at else _("E-mail now"),
        }


class OwnInvoice(ReceivedPage, InvoiceView):
    """For whose invoice it is."""

    is_own = True

    def is_shown(self, other: Invoice) -> bool:
        return other.is_sent

    def entry_url(self, entry: LedgerEntry) -> str:
        return self.url("billing:entry-detail", pk=entry.pk)

    def ledger_url(self) -> str:
        return self.url("billing:account")
