"""An account and its ledger: balance, entries, statement; Reports » Account.

The provider's view of the same is in customers.views.accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

from billing.forms.ledger import EntryFilter, StatementForm, begin_of, end_of
from billing.models import BillingAccount, LedgerEntry
from billing.statement import (
    balance_before,
    entries_of,
    exact_money,
    lines_between,
    told_to_customer,
    who_booked,
    with_causes,
)
from billing.views.account_parts import amount_cell, kind_cell, overview
from portal.core.csv import stream_csv
from portal.core.display import format_moment
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.views import ListPage, PortalView


class AccountView(PortalView):
    """Base of the pages about one account, whoever looks at it."""

    @property
    def account(self) -> BillingAccount:
        raise NotImplementedError

    def account_url(self) -> str:
        """The page with the account's ledger."""
        raise NotImplementedError

    def entry_url(self, entry: LedgerEntry) -> str:
        raise NotImplementedError

    def statement_url(self) -> str:
        raise NotImplementedError

    def invoices_url(self) -> str:
        """The list of the account's invoices; empty where the reader has none."""
        raise NotImplementedError

    def invoice_url(self, entry: LedgerEntry) -> str:
        """The page of the invoice that an entry stands on; empty if it is not shown."""
        raise NotImplementedError

    def description(self, entry: LedgerEntry) -> str:
        """What was booked, as the reader may know it."""
        return entry.description

    def who(self, entry: LedgerEntry) -> str:
        return who_booked(entry, reader=self.actor.home)


class LedgerList(AccountView, ListPage):
    """The account with its running ledger, newest entries first."""

    table_id = "ledger"
    default_sort = "-time"
    filterset_class = EntryFilter

    def page_context(self, **context: Any) -> dict[str, Any]:
        # Worked out by the template only: the table alone does not show it.
        return super().page_context(
            overview=lambda: overview(self.account, self.invoices_url()),
            statement_form=StatementForm(),
            statement_url=self.statement_url(),
            **context,
        )

    def get_queryset(self) -> QuerySet[LedgerEntry]:
        return with_causes(entries_of(self.account))

    def columns(self) -> Sequence[Column]:
        return (
            Column("text", _("Description"), self.description_cell),
            Column(
                "time",
                _("Time"),
                lambda entry: format_moment(entry.at),
                sort="id",
                narrow=True,
            ),
            Column("kind", _("Kind"), kind_cell),
            Column("net", _("Net"), self._amount("net"), align="end"),
            Column("tax", _("Tax"), self._amount("tax"), align="end"),
            Column(
                "amount", _("Amount"), self._amount("amount"), align="end", narrow=True
            ),
            Column(
                "balance",
                _("Balance"),
                self._amount("balance_after"),
                align="end",
                narrow=True,
            ),
            Column("who", _("Person"), self.who_cell),
        )

    def _amount(self, name: str) -> Any:
        currency = self.account.currency
        return lambda entry: (
            amount_cell(value, currency) if (value := getattr(entry, name)) else "–"
        )

    def description_cell(self, entry: LedgerEntry) -> SafeString:
        """What was booked and, where a customer below got it, which."""
        text = format_html("<bdi>{}</bdi>", self.description(entry))
        cause = getattr(entry, "cause", None)
        if cause is None:
            return text
        return format_html('{}<bdi class="cell-sub">{}</bdi>', text, cause)

    def who_cell(self, entry: LedgerEntry) -> SafeString:
        return format_html("<bdi>{}</bdi>", self.who(entry))

    def row_url(self, row: LedgerEntry) -> str:
        return self.entry_url(row)

    def empty(self) -> Empty:
        return Empty(
            icon="scroll-text",
            title=_("No entries yet"),
            text=_("Fees, purchases, calls and payments will be listed here."),
        )


class StatementView(AccountView):
    """The entries of some days as CSV, between the balances before and after them."""

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        form = StatementForm(request.GET)
        if form.is_bound and not form.is_valid():
            for error in form.errors.values():
                messages.error(request, " ".join(map(str, error)))
            return self.redirect(self.account_url())
        first, last = form.period
        name = slugify(self.account.customer.name) or str(self.account.customer_id)
        return stream_csv(
            f"statement-{name}-{first}-{last}.csv",
            [
                _("Time"),
                _("Kind"),
                _("Description"),
                _("Customer"),
                _("Reference"),
                _("Quantity"),
                _("Net"),
                _("Tax"),
                _("Amount"),
                _("Moves the balance"),
                _("Balance"),
                _("Currency"),
                _("Person"),
            ],
            self.rows(first, last),
        )

    def rows(self, first: date, last: date) -> Iterator[Sequence[object]]:
        account = self.account
        currency = account.currency
        begin, end = begin_of(first), end_of(last)
        balance = balance_before(account, begin)
        yield self._total(begin, _("Opening balance"), balance)
        for line in lines_between(account, begin, end, opening=balance):
            entry, balance = line.entry, line.balance
            yield (
                entry.at,
                entry.get_kind_display(),
                self.description(entry),
                getattr(entry, "cause", None) or account.customer.name,
                entry.reference,
                entry.quantity,
                exact_money(entry.net, currency),
                exact_money(entry.tax, currency),
                exact_money(entry.amount, currency),
                entry.is_on_balance,
                exact_money(balance, currency),
                currency,
                self.who(entry),
            )
        yield self._total(end, _("Closing balance"), balance)

    def _total(self, at: Any, label: str, balance: Decimal) -> Sequence[object]:
        currency = self.account.currency
        amount = exact_money(balance, currency)
        return (at, label, *[""] * 8, amount, currency, "")


class OwnAccountView(AccountView):
    """Base of the pages about the account one is in."""

    permission = Permission.REPORTS

    @cached_property
    def account(self) -> BillingAccount:
        accounts = BillingAccount.objects.select_related("customer", "plan")
        return get_object_or_404(accounts, customer=self.actor.customer.pk)

    def account_url(self) -> str:
        return self.url("billing:account")

    def entry_url(self, entry: LedgerEntry) -> str:
        return self.url("billing:entry-detail", pk=entry.pk)

    def statement_url(self) -> str:
        return self.url("billing:statement")

    def invoices_url(self) -> str:
        return self.url("billing:own-invoice-list")

    def invoice_url(self, entry: LedgerEntry) -> str:
        invoice = entry.invoice
        if invoice is None or not invoice.is_sent:
            return ""
        return self.url("billing:own-invoice-detail", pk=invoice.pk)

    def description(self, entry: LedgerEntry) -> str:
        return told_to_customer(entry)


class OwnAccount(OwnAccountView, LedgerList):
    template_name = "billing/account.html"

    def title(self) -> str:
        return _("Account")

    def get(self, request: Any) -> HttpResponseBase:
        if not BillingAccount.objects.filter(customer=self.actor.customer.pk).exists():
            return render(request, "_empty_page.html", self.bare_context())
        return super().get(request)

    def bare_context(self) -> dict[str, Any]:
        empty = Empty(
            icon="landmark",
            title=_("The system owner has no account"),
            text=_(
                "It stands at the top: it is the bank of the resellers below, and owes"
                " nobody."
            ),
        )
        return PortalView.page_context(self, empty=empty)


class OwnStatement(OwnAccountView, StatementView):
    pass
