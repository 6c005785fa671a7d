"""A customer's account as its provider sees it: the tab beside its people and notes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from billing.models import BillingAccount, LedgerEntry
from billing.services.transactions import may_post, may_reverse
from billing.views.accounts import AccountView, LedgerList, StatementView
from billing.views.entries import EntryView
from customers.views.customer_pages import CustomerPage
from portal.core.views import Crumb, PortalView


class CustomerAccountView(AccountView, CustomerPage):
    """Base of the pages about the account of a customer below."""

    tab = "account"

    @property
    def account(self) -> BillingAccount:
        return self.customer.account

    def account_url(self) -> str:
        return self.url("customers:customer-account", pk=self.customer.pk)

    def entry_url(self, entry: LedgerEntry) -> str:
        return self.url("customers:customer-entry", pk=self.customer.pk, entry=entry.pk)

    def statement_url(self) -> str:
        return self.url("customers:customer-statement", pk=self.customer.pk)

    def invoices_url(self) -> str:
        if self.account.provider_id != self.actor.customer.pk:
            return ""
        return self.url("customers:customer-invoices", pk=self.customer.pk)

    def invoice_url(self, entry: LedgerEntry) -> str:
        invoice = entry.invoice
        if invoice is None or invoice.issuer_id != self.actor.customer.pk:
            return ""
        return self.url("billing:invoice-detail", pk=invoice.pk)


class CustomerAccount(CustomerAccountView, LedgerList):
    template_name = "customers/customer_account.html"

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return super().get(request)

    def page_context(self, **context: Any) -> dict[str, Any]:
        new_url = self.url("billing:transaction-new", pk=self.customer.pk)
        is_ours = may_post(self.account, by=self.actor)
        pay_url = self.url("billing:payment-new", pk=self.customer.pk)
        return super().page_context(
            new_url=new_url if is_ours else "",
            pay_url=pay_url if is_ours else "",
            open_url=self.url("billing:customer-open-items", pk=self.customer.pk),
            **context,
        )


class CustomerStatement(CustomerAccountView, StatementView):
    pass


class CustomerEntry(EntryView, CustomerAccountView):
    entry_argument = "entry"

    def page_context(self, **context: Any) -> dict[str, Any]:
        return PortalView.page_context(self, **context)  # about the entry: no tabs

    def breadcrumbs(self) -> list[Crumb]:
        return [
            *super().breadcrumbs(),
            Crumb(
                self.customer.name,
                self.url("customers:customer-detail", pk=self.customer.pk),
            ),
            Crumb(_("Account"), self.account_url()),
        ]

    def more(self) -> dict[str, Any]:
        if not may_reverse(self.entry, self.account, by=self.actor):
            return {}
        return {
            "reverse_url": self.url(
                "billing:entry-reverse", pk=self.customer.pk, entry=self.entry.pk
            )
        }
