"""Bases of all pages about one invoice: which one it is, for whom, and what it is called."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from billing.choices import FileKind, InvoiceType
from billing.invoice_selectors import issued_by, received_by
from billing.models import Invoice
from billing.views.invoices import LIST, OWN_LIST
from portal.core.permissions import Permission
from portal.core.views import Crumb, PortalView


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


def name_within(invoice: Invoice) -> str:
    """The same within a sentence, where not every language writes it large."""
    if not invoice.is_issued:
        return _("invoice without a number")
    if invoice.type == InvoiceType.CREDIT_NOTE:
        return _("credit note %(number)s") % {"number": invoice.number}
    return _("invoice %(number)s") % {"number": invoice.number}


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
