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
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _

from billing.forms.ledger import EntryFilter, StatementForm, begin_of, end_of
from billing.models import BillingAccount, LedgerEntry
from billing.statement import (
    balance_before,
    entries_of,
    exact_money,
    lines_between,
    who_booked,
    with_causes,
)
from billing.views.account_parts import amount_cell, kind_cell, overview
from portal.core.csv import stream_csv
from portal.core.display import format_day, format_moment
from portal.core.money import format_price
from portal.core.periods import ONE_DAY
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, ListPage, PortalView


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
            overview=lambda: overview(self.account),
            statement_form=StatementForm(),
            statement_url=self.statement_url(),
            **context,
        )

    def get_queryset(self) -> QuerySet[LedgerEntry]:
        return with_causes(entries_of(self.account))

    def columns(self) -> Sequence[Column]:
        return (
            Column("text", _("Description"), description_cell),
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


def description_cell(entry: LedgerEntry) -> SafeString:
    """What was booked and, where a customer below got it, which."""
    text = format_html("<bdi>{}</bdi>", entry.description)
    cause = getattr(entry, "cause", None)
    if cause is None:
        return text
    return format_html('{}<bdi class="cell-sub">{}</bdi>', text, cause)


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
                entry.description,
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


class EntryView(AccountView):
    """All there is to know of one entry."""

    template_name = "billing/entry.html"
    entry_argument = "pk"

    @cached_property
    def entry(self) -> LedgerEntry:
        entries = with_causes(entries_of(self.account)).select_related(
            "person__customer", "charge", "product", "reverses", "reversed_by"
        )
        return get_object_or_404(entries, pk=self.kwargs[self.entry_argument])

    def title(self) -> str:
        return self.entry.description

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        entry = self.entry
        context = self.page_context(
            entry=entry,
            subtitle=entry.get_kind_display(),
            amount=amount_cell(entry.amount, self.account.currency),
            facts=self.facts(),
            sums=self.sums(),
            links=self.links(),
            **self.more(),
        )
        return render(request, self.template_name, context)

    def more(self) -> dict[str, Any]:
        """What only some readers see."""
        return {}

    def sums(self) -> list[dict[str, Any]]:
        """From the net price over the taxes to the amount."""
        entry, currency = self.entry, self.account.currency
        taxes = [
            {
                "label": part.name,
                "html": amount_cell(part.amount, currency),
                "help": f"{part.rate.normalize():f} %" if part.rate else "",
            }
            for part in entry.taxes.all()
        ]
        return [
            {"label": _("Net"), "html": amount_cell(entry.net, currency)},
            *taxes,
            {
                "label": _("Amount"),
                "html": format_html(
                    "<strong>{}</strong>", amount_cell(entry.amount, currency)
                ),
            },
            {
                "label": _("Balance after it"),
                "html": amount_cell(entry.balance_after, currency),
                "help": ""
                if entry.is_on_balance
                else _("The entry stands beside the balance, which it left as it was."),
            },
        ]

    def facts(self) -> list[dict[str, Any]]:
        entry = self.entry
        facts = [
            ("at", format_moment(entry.at)),
            ("created_at", format_moment(entry.created_at)),
            ("kind", entry.get_kind_display()),
            ("customer", getattr(entry, "cause", None)),
            ("person", self.who(entry)),
            ("acting_as_name", entry.acting_as_name),
            ("quantity", entry.quantity),
            ("reference", entry.reference),
            ("feature", entry.get_feature_display()),
            ("charge", entry.charge or ""),
            ("product", entry.product or ""),
            ("period_start", self._period()),
            ("original_amount", self._original()),
        ]
        labels = {
            "acting_as_name": _("Acting as"),
            "customer": _("Customer"),
            "period_start": _("Period"),
        }
        always = {"at", "created_at", "kind", "person"}
        return [
            {"label": labels.get(name) or _label(name), "value": value}
            for name, value in facts
            if value or name in always
        ]

    def _period(self) -> str:
        entry = self.entry
        if entry.period_start is None or entry.period_end is None:
            return ""
        last = entry.period_end - ONE_DAY
        return f"{format_day(entry.period_start)} – {format_day(last)}"

    def _original(self) -> str:
        entry = self.entry
        if entry.original_amount is None or entry.exchange_rate is None:
            return ""
        return _("%(amount)s at %(rate)s") % {
            "amount": format_price(entry.original_amount, entry.original_currency),
            "rate": f"{entry.exchange_rate.normalize():f}",
        }

    def links(self) -> list[dict[str, str]]:
        """The entry that it takes back, or that takes it back."""
        entry = self.entry
        found = []
        if entry.reverses is not None:
            found.append((_("Takes back"), entry.reverses))
        if (reversal := getattr(entry, "reversed_by", None)) is not None:
            found.append((_("Taken back by"), reversal))
        return [
            {
                "label": label,
                "text": other.description,
                "when": format_moment(other.at),
                "url": self.entry_url(other),
            }
            for label, other in found
        ]


def _label(name: str) -> str:
    field = LedgerEntry._meta.get_field(name)
    return capfirst(str(field.verbose_name))  # type: ignore[union-attr]


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


class OwnEntry(OwnAccountView, EntryView):
    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Account"), self.account_url())]
