"""A customer's invoices as its provider sees them, and mailing one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from billing.forms.invoices import CustomerInvoiceFilter
from billing.models import Invoice
from billing.types import rules_of
from billing.views.invoice_pages import IssuedPage
from billing.views.invoices import IssuedInvoices
from customers.services import invoice_mails
from customers.views.customer_pages import CustomerPage
from portal.core.tables import BulkAction, Empty
from portal.core.views import Crumb


class CustomerInvoices(IssuedInvoices, CustomerPage):
    """What one's own customer was invoiced; the tab beside its account."""

    template_name = "customers/customer_invoices.html"
    filterset_class = CustomerInvoiceFilter
    tab = "invoices"

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return super().get(request)

    def title(self) -> str:
        return CustomerPage.title(self)

    def breadcrumbs(self) -> list[Crumb]:
        return CustomerPage.breadcrumbs(self)

    def get_queryset(self) -> QuerySet[Invoice]:
        return super().get_queryset().filter(account__customer=self.customer)

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(new_url=self.new_url(), **context)

    def new_url(self) -> str:
        """Where one is made; empty where the account has none, or is another's customer."""
        account = self.customer.account
        is_ours = account.provider_id == self.actor.customer.pk
        if not (is_ours and rules_of(account.bill_type).has_invoices_on_request):
            return ""
        return self.url("billing:invoice-new", pk=self.customer.pk)

    def bulk_actions(self) -> Sequence[BulkAction]:
        return ()  # the list over all customers has them

    def empty(self) -> Empty:
        return Empty(
            icon="receipt-text",
            title=_("No invoices yet"),
            text=_("The invoices of this customer will be listed here."),
            action_url=self.new_url(),
            action_label=_("Invoice now"),
        )


class InvoiceMail(IssuedPage):
    """POST: mail an invoice, for the first time or once more."""

    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        rows = self.get_queryset().select_related("account__customer", "issuer")
        invoice = get_object_or_404(rows.defer(None), pk=pk)
        try:
            email = invoice_mails.mail_again(invoice=invoice, by=self.actor)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            to = ", ".join(email.to)
            messages.success(request, _("It is on its way to %(to)s.") % {"to": to})
        return self.redirect(self.invoice_url(invoice))
