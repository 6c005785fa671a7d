"""One invoice: what it says, its files, what happened to it; for both who may see it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from billing.choices import FileKind, InvoiceStatus, InvoiceType
from billing.invoice_selectors import issued_by, received_by
from billing.invoice_statuses import (
    BY_HAND,
    MAILED_WITHIN,
    OPEN,
)
from billing.invoicing.content import Content, thaw
from billing.models import Invoice, LedgerEntry, Payment, Settlement
from billing.services import (
    collecting,
    corrections,
    invoice_again,
    invoice_files,
    payments_by_hand,
)
from billing.views.account_parts import amount_cell
from billing.views.invoice_cells import figures, period_text, status_pill
from billing.views.invoice_said import said
from billing.views.invoices import LIST, OWN_LIST
from billing.views.readiness import gap_url
from portal.core.display import format_day, format_moment
from portal.core.money import format_money
from portal.core.permissions import Permission
from portal.core.views import Crumb, PortalView

# So many entries of the ledger are listed; the ledger itself has them all.
MOST_ENTRIES = 10


# What happened to payments and other documents that the history of an invoice tells too.
TOLD_OF_OTHERS = (
    "credit_note.issued",
    "invoice.issued",
    "payment.recorded",
    "payment.written_off",
)


class InvoicePage(PortalView):
    """Base of the pages about one invoice, whoever looks at it."""

    def get_queryset(self) -> QuerySet[Invoice]:
        raise NotImplementedError

    def list_url(self) -> str:
        raise NotImplementedError

    def invoice_url(self, invoice: Invoice) -> str:
        raise NotImplementedError

    def file_url(self, kind: FileKind) -> str:
        raise NotImplementedError

    @cached_property
    def invoice(self) -> Invoice:
        rows = self.get_queryset().select_related(
            "account__customer", "issuer", "corrects", "replaces", "replaced_by"
        )
        others = ("corrects", "replaces", "replaced_by")
        rows = rows.defer(None).defer(*(f"{other}__content" for other in others))
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def title(self) -> str:
        return name_of(self.invoice)

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Invoices"), self.list_url())]


def name_of(invoice: Invoice) -> str:
    """What an invoice is called in a title or a link."""
    if not invoice.is_issued:
        return _("Invoice without a number")
    if invoice.type == InvoiceType.CREDIT_NOTE:
        return _("Credit note %(number)s") % {"number": invoice.number}
    return _("Invoice %(number)s") % {"number": invoice.number}


def outcome(invoice: Invoice) -> str:
    """Why nothing of an invoice is to be paid any more, in a sentence; "" if it may be."""
    if invoice.status == InvoiceStatus.SUPERSEDED:
        return _("A new invoice replaces this one. Nothing is to be paid on this one.")
    if invoice.status == InvoiceStatus.CANCELLED:
        return _("This invoice is cancelled. Nothing is to be paid on it.")
    return ""


class IssuedPage(InvoicePage):
    """Base for who issued it."""

    permission = Permission.COMMERCE

    def get_queryset(self) -> QuerySet[Invoice]:
        return issued_by(self.actor.customer)

    def list_url(self) -> str:
        return self.url(LIST)

    def invoice_url(self, invoice: Invoice) -> str:
        return self.url("billing:invoice-detail", pk=invoice.pk)

    def file_url(self, kind: FileKind) -> str:
        return self.url(f"billing:invoice-{kind}", pk=self.invoice.pk)


class ReceivedPage(InvoicePage):
    """Base for whose invoice it is; before it was sent there is none."""

    permission = Permission.REPORTS

    def get_queryset(self) -> QuerySet[Invoice]:
        return received_by(self.actor.customer)

    def list_url(self) -> str:
        return self.url(OWN_LIST)

    def invoice_url(self, invoice: Invoice) -> str:
        return self.url("billing:own-invoice-detail", pk=invoice.pk)

    def file_url(self, kind: FileKind) -> str:
        return self.url(f"billing:own-invoice-{kind}", pk=self.invoice.pk)


class InvoiceView(InvoicePage):
    """Base of the page itself."""

    template_name = "billing/invoices/invoice.html"

    def get(self, request: Any, pk: int) -> HttpResponse:
        context = self.page_context(
            invoice=self.invoice,
            status=status_pill(self.invoice),
            tiles=figures(self.invoice, notes=self.notes, settled_on=self.settled_on()),
            files=self.files(),
            said=self.said(),
            facts=self.facts(),
            outcome=outcome(self.invoice),
            relations=self.relations(),
            settlements=self.settlements(),
            entries=self.entries(),
            **self.more(),
        )
        return render(request, self.template_name, context)

    @cached_property
    def content(self) -> Content | None:
        return thaw(self.invoice.content) if self.invoice.is_issued else None

    def is_shown(self, other: Invoice) -> bool:
        """Whether the reader may know another document."""
        return True

    def said(self) -> dict[str, Any] | None:
        """What the document says; None before there is one."""
        if self.content is None:
            return None
        return said(self.content, is_open=self.invoice.open > 0)

    def more(self) -> dict[str, Any]:
        """What only some readers see."""
        return {}

    def entry_url(self, entry: LedgerEntry) -> str:
        raise NotImplementedError

    def ledger_url(self) -> str:
        raise NotImplementedError

    def files(self) -> list[dict[str, Any]]:
        """Each form it has; who asks for one that is not made yet waits a moment."""
        if not self.invoice.is_issued:
            return []
        made = dict(self.invoice.files.values_list("kind", "created_at"))
        icons = {FileKind.PDF: "file-text"}
        return [
            {
                "label": str(kind.label),
                "icon": icons.get(kind, "file-code"),
                "url": self.file_url(kind),
                "state": _("created %(time)s") % {"time": format_moment(made[kind])}
                if kind in made
                else self._waiting(kind),
                "name": invoice_files.file_name(self.invoice, kind),
            }
            for kind in FileKind
        ]

    def _waiting(self, kind: FileKind) -> str:
        if self.invoice.is_undrawable:
            return _("could not be created so far")
        if self.invoice.drawn_at is None:
            return _("being created; downloading it now may take a few seconds")
        return _("created when you download it")

    def facts(self) -> list[dict[str, Any]]:
        invoice, document = self.invoice, self.content and self.content.document
        facts = [
            (_("Customer"), invoice.account.customer.name),
            (_("Date"), invoice.issued_on and format_day(invoice.issued_on)),
            (_("Period"), period_text(invoice.period_start, invoice.period_end)),
            (_("Occasion"), invoice.get_occasion_display()),
            (_("Number for this customer"), invoice.customer_number),
            (_("Detail"), invoice.get_detail_display()),
            (_("Format"), invoice.get_format_display()),
            (_("Time zone"), self.content and self.content.time_zone),
            (
                _("Billing reference"),
                self.content and self.content.customer_reference,
            ),
            (_("Buyer's reference"), document and document.buyer_reference),
            (_("Order number"), document and document.order_reference),
        ]
        always = {_("Customer"), _("Period"), _("Occasion")}
        return [
            {"label": label, "value": value}
            for label, value in facts
            if value or label in always
        ]

    @cached_property
    def notes(self) -> list[Invoice]:
        """The credit notes on it, as far as the reader may see them."""
        return list(self.get_queryset().filter(corrects=self.invoice).order_by("pk"))

    def relations(self) -> list[dict[str, Any]]:
        """The documents that correct or replace it, or that it does."""
        invoice = self.invoice
        found = [
            (_("Corrects"), invoice.corrects),
            (_("Replaces"), invoice.replaces),
            *((_("Credited by"), note) for note in self.notes),
            (_("Replaced by"), self.replacement),
        ]
        return [
            {
                "label": label,
                "text": name_of(other),
                "url": self.invoice_url(other),
                "amount": format_money(other.total, other.currency),
            }
            for label, other in found
            if other is not None and self.is_shown(other)
        ]

    @property
    def replacement(self) -> Invoice | None:
        found: Invoice | None = getattr(self.invoice, "replaced_by", None)
        return found

    @cached_property
    def settling(self) -> list[Settlement]:
        """What settles it now: payments and credit notes."""
        rows = Settlement.objects.filter(invoice=self.invoice, undone_at=None)
        rows = rows.select_related("payment", "credit_note")
        return list(rows.defer("credit_note__content").order_by("pk"))

    def settled_on(self) -> date | None:
        """The day of the last payment."""
        days = [row.payment.received_on for row in self.settling if row.payment]
        return max(days, default=None)

    def settlements(self) -> list[dict[str, Any]]:
        """What was paid, and what credit notes took off."""
        return [
            {
                "text": self._source(row),
                "url": self._source_url(row),
                "amount": self.money(row.amount),
            }
            for row in self.settling
        ]

    def _source(self, row: Settlement) -> str:
        if row.credit_note is not None:
            if not self.is_shown(row.credit_note):
                return str(row.credit_note.get_type_display())
            return name_of(row.credit_note)
        assert row.payment is not None
        return _("%(method)s, %(day)s") % {
            "method": row.payment.get_method_display(),
            "day": format_day(row.payment.received_on),
        }

    def _source_url(self, row: Settlement) -> str:
        note = row.credit_note
        if row.payment is not None:
            return self.payment_url(row.payment)
        if note is None or not self.is_shown(note):
            return ""
        return self.invoice_url(note)

    def payment_url(self, payment: Payment) -> str:
        """The page of a payment, for who may open it; else ""."""
        return ""

    def entries(self) -> dict[str, Any] | None:
        """The entries of the ledger that stand on it, the newest first."""
        rows = LedgerEntry.objects.filter(
            account=self.invoice.account_id, invoice=self.invoice
        )
        found = list(rows.order_by("-pk")[: MOST_ENTRIES + 1])
        if not found:
            return None
        return {
            "rows": [
                {
                    "text": entry.description,
                    "url": self.entry_url(entry),
                    "when": format_moment(entry.at),
                    "amount": amount_cell(entry.amount, self.invoice.currency),
                }
                for entry in found[:MOST_ENTRIES]
            ],
            "all_url": f"{self.ledger_url()}?invoice={self.invoice.number}"
            if len(found) > MOST_ENTRIES
            else "",
        }

    def money(self, amount: Any) -> str:
        return format_money(amount, self.invoice.currency)


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

    def is_shown(self, other: Invoice) -> bool:
        return other.is_sent

    def entry_url(self, entry: LedgerEntry) -> str:
        return self.url("billing:entry-detail", pk=entry.pk)

    def ledger_url(self) -> str:
        return self.url("billing:account")
