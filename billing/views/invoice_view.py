"""One invoice as all see it who may: what it says, its files, its payments, its entries."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from billing.choices import FileKind, InvoiceStatus
from billing.invoicing.content import Content, thaw
from billing.models import Invoice, LedgerEntry, Payment, Settlement
from billing.services import invoice_files
from billing.views.account_parts import amount_cell
from billing.views.invoice_cells import figures, period_text, status_pill
from billing.views.invoice_pages import InvoicePage, name_of
from billing.views.invoice_said import said
from portal.core.display import format_day, format_moment
from portal.core.money import ZERO, format_money

# So many entries of the ledger are listed; the ledger itself has them all.
MOST_ENTRIES = 10


class InvoiceView(InvoicePage):
    """Base of the page itself."""

    template_name = "billing/invoices/invoice.html"
    is_own = False  # whether the reader is who is invoiced

    def get(self, request: Any, pk: int) -> HttpResponse:
        context = self.page_context(
            invoice=self.invoice,
            status=status_pill(self.invoice),
            tiles=figures(
                self.invoice,
                notes=self.notes,
                settled_on=self.settled_on(),
                written_off=self.written_off(),
            ),
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
        return said(self.content, is_open=self.invoice.open > 0, is_own=self.is_own)

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
        payments = [row.payment for row in self.settling if row.payment]
        days = [each.received_on for each in payments if not each.is_write_off]
        return max(days, default=None)

    def written_off(self) -> Decimal:
        """What of the settled sum will never be paid."""
        rows = (
            row for row in self.settling if row.payment and row.payment.is_write_off
        )
        return sum((row.amount for row in rows), ZERO)

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


def outcome(invoice: Invoice) -> str:
    """Why nothing of an invoice is to be paid any more, in a sentence; "" if it may be."""
    if invoice.status == InvoiceStatus.SUPERSEDED:
        return _("A new invoice replaces this one. Nothing is to be paid on this one.")
    if invoice.status == InvoiceStatus.CANCELLED:
        return _("This invoice is cancelled. Nothing is to be paid on it.")
    return ""
