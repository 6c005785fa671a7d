"""What a provider books by hand on a customer's account, and takes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.calls_at_once import calls_bought_with
from billing.choices import EntryKind
from billing.forms.transactions import ReversalForm, TransactionForm
from billing.models import BillingAccount, LedgerEntry
from billing.services import transactions
from billing.services.forecast import forecast
from billing.types import rules_of
from billing.views.account_parts import account_tiles
from billing.views.call_parts import more_calls
from portal.core import submissions
from portal.core.money import format_price
from portal.core.permissions import Permission
from portal.core.views import ConfirmPage, Crumb, FormPage, clean_token


class OfOwnCustomer(FormPage):
    """Base of what is booked on the account of a customer directly below."""

    permission = Permission.COMMERCE

    @cached_property
    def account(self) -> BillingAccount:
        accounts: QuerySet[BillingAccount] = BillingAccount.objects.filter(
            provider=self.actor.customer.pk
        )
        return get_object_or_404(
            accounts.select_related("customer", "plan"), customer=self.kwargs["pk"]
        )

    def breadcrumbs(self) -> list[Crumb]:
        customer = self.account.customer
        return [
            Crumb(_("Customers"), self.url("customers:customer-list")),
            Crumb(customer.name, self.url("customers:customer-detail", pk=customer.pk)),
            Crumb(_("Account"), self.account_url()),
        ]

    def account_url(self) -> str:
        return self.url("customers:customer-account", pk=self.account.customer_id)

    def entry_url(self, entry: LedgerEntry) -> str:
        return self.url(
            "customers:customer-entry", pk=self.account.customer_id, entry=entry.pk
        )

    def cancel_url(self) -> str:
        return self.account_url()


class TransactionNew(OfOwnCustomer):
    template_name = "billing/transaction_form.html"
    focuses_first = True
    submit_label = gettext_lazy("Book it")

    def title(self) -> str:
        return _("New transaction")

    def form_context(self, form: Any) -> dict[str, Any]:
        rules = rules_of(self.account.bill_type)
        return {
            "subtitle": self.account.customer.name,
            "tiles": account_tiles(self.account, forecast(self.account)),
            "is_debit_apart": not rules.transactions_move_balance,
            "is_without_balance": not rules.uses_balance,
        }

    def build_form(self, data: Any = None, files: Any = None) -> TransactionForm:
        return TransactionForm(
            data,
            account=self.account,
            taxes=transactions.liable_taxes(self.account),
            maximum=transactions.maximum_of(self.actor),
        )

    def save(self, form: TransactionForm) -> str:
        values = form.cleaned_data
        token = clean_token(self.request.POST.get("form_token", ""))
        transactions.post_transaction(
            account=self.account,
            kind=EntryKind(values["kind"]),
            amount=values["amount"],
            reason=values["reason"],
            is_tax_free=values.get("is_tax_free", True),
            ignores_limit=values["ignores_limit"],
            key=submissions.key_of(token, self.request.POST),
            by=self.actor,
        )
        return self.account_url()

    def success_message(self, form: TransactionForm) -> str:
        return _("Booked.")


class EntryReverse(OfOwnCustomer, ConfirmPage):
    submit_label = gettext_lazy("Take back")

    @cached_property
    def entry(self) -> LedgerEntry:
        entries = LedgerEntry.objects.filter(account=self.account)
        return get_object_or_404(
            entries.select_related("reversed_by"), pk=self.kwargs["entry"]
        )

    def title(self) -> str:
        return _("Take back %(entry)s") % {"entry": self.entry.description}

    def breadcrumbs(self) -> list[Crumb]:
        entry = self.entry
        crumb = Crumb(entry.description, self.entry_url(entry))
        return [*super().breadcrumbs(), crumb]

    def cancel_url(self) -> str:
        return self.entry_url(self.entry)

    def consequences(self) -> Sequence[str]:
        amount = format_price(-self.entry.amount, self.account.currency)
        moves = (
            _("%(amount)s are booked, with the same taxes the other way round.")
            if self.entry.is_on_balance
            else _("%(amount)s are listed beside the balance, taxes included.")
        )
        return (
            moves % {"amount": amount},
            *self.call_time_lost(),
            *self.calls_lost(),
            _("Both entries stay in the ledger, each with a link to the other."),
            _("It goes through even if it takes the balance below the credit limit."),
            _("What you owe your own provider for the same thing stays."),
        )

    def call_time_lost(self) -> Iterator[str]:
        time = transactions.call_time_of(self.entry)
        if time is None:
            return
        if minutes := time.remaining // 60:
            yield ngettext(
                "%(minutes)d minute of call time is taken away.",
                "%(minutes)d minutes of call time are taken away.",
                minutes,
            ) % {"minutes": minutes}
        if time.remaining < time.seconds:
            yield _(
                "A part of the call time was used already; it is paid back all the same."
            )

    def calls_lost(self) -> Iterator[str]:
        calls = calls_bought_with(self.entry)
        if calls is None:
            return
        if calls.charge is None:
            text = _("What was bought with it is taken away: %(calls)s.")
        else:
            text = _(
                "What was bought stays until its recurring charge ends: %(calls)s."
            )
        yield text % {"calls": more_calls(calls.type, calls.calls)}

    def form_context(self, form: Any) -> dict[str, Any]:
        refusal = ""
        if not transactions.may_reverse(self.entry, self.account, by=self.actor):
            refusal = _(
                "This entry cannot be taken back: it was before, or its kind does not"
                " allow it. Book a correction instead."
            )
        return super().form_context(form) | {"refusal": refusal}

    def build_form(self, data: Any = None, files: Any = None) -> ReversalForm:
        return ReversalForm(data)

    def save(self, form: ReversalForm) -> str:
        reversal = transactions.reverse_entry(
            entry=self.entry,
            account=self.account,
            reason=form.cleaned_data["reason"],
            by=self.actor,
        )
        return self.entry_url(reversal)

    def success_message(self, form: ReversalForm) -> str:
        return _("Taken back.")
