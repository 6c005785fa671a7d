"""Commerce » Payments: what came in, recording it, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from billing import keys
from billing.forms.payments import (
    PaymentFilter,
    PaymentForm,
    PaymentReversalForm,
)
from billing.models import Invoice, Payment
from billing.payment_selectors import payments_to, with_settlements
from billing.services import payments, settlements
from billing.types import rules_of
from billing.views.account_parts import amount_cell, credit_tiles
from billing.views.transactions import OfOwnCustomer
from portal.core import submissions
from portal.core.display import format_day, format_moment
from portal.core.money import ZERO, format_money
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.pills import pill
from portal.core.tables import Column, Empty
from portal.core.urls import row_id
from portal.core.views import ConfirmPage, Crumb, ListPage, PortalView, clean_token

LIST = "billing:payment-list"
# So many open invoices stand in the choice; the oldest are paid first anyway.
MOST_INVOICES = 100


def state_pill(payment: Payment) -> SafeString:
    if payment.is_reversed:
        return pill("danger", pgettext("payment", "Taken back"), "undo-2")
    return pill("success", _("Booked"), "check")


class PaymentList(ListPage):
    """What customers paid, the newest first."""

    permission = Permission.COMMERCE
    table_id = "payments"
    default_sort = "-booked"
    filterset_class = PaymentFilter

    def title(self) -> str:
        return _("Payments")

    def get_queryset(self) -> QuerySet[Payment]:
        return payments_to(self.actor.customer)

    def columns(self) -> Sequence[Column]:
        return (
            Column("customer", _("Customer"), _customer, narrow=True),
            Column(
                "day", _("Received on"), _received_on, sort="received_on", narrow=True
            ),
            Column("method", _("Method"), _method),
            Column("reference", _("Reference"), _reference),
            Column("settled", _("On invoices"), _settled, align="end"),
            Column(
                "amount", _("Amount"), _amount, sort="amount", align="end", narrow=True
            ),
            Column("state", _("State"), state_pill, narrow=True),
            Column("booked", _("Booked"), _booked, sort="id"),
        )

    def row_url(self, row: Payment) -> str:
        return self.url("billing:payment-detail", pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return [
            {
                "label": _("Bank statements"),
                "url": self.url("billing:import-list"),
                "icon": "file-spreadsheet",
            }
        ]

    def empty(self) -> Empty:
        return Empty(
            icon="hand-coins",
            title=_("No payments yet"),
            text=_(
                "Record one on the page of a customer or an invoice, or import a"
                " bank statement."
            ),
        )


def _customer(payment: Payment) -> SafeString:
    return format_html("<bdi>{}</bdi>", payment.account.customer.name)


def _received_on(payment: Payment) -> str:
    return format_day(payment.received_on)


def _method(payment: Payment) -> str:
    return str(payment.get_method_display())


def _reference(payment: Payment) -> SafeString:
    return format_html("<bdi>{}</bdi>", payment.reference or "–")


def _settled(payment: Payment) -> SafeString:
    return amount_cell(payment.settled, payment.currency)  # type: ignore[attr-defined]


def _amount(payment: Payment) -> SafeString:
    return amount_cell(payment.amount, payment.currency)


def _booked(payment: Payment) -> str:
    return format_moment(payment.created_at)


class OfPayment(PortalView):
    """Base of the pages about one payment to the account."""

    permission = Permission.COMMERCE

    @cached_property
    def payment(self) -> Payment:
        rows = with_settlements(payments_to(self.actor.customer))
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Payments"), self.url(LIST))]

    def name(self) -> str:
        payment = self.payment
        amount = {"amount": format_money(payment.amount, payment.currency)}
        if payment.is_write_off:
            return _("Write-off of %(amount)s") % amount
        return _("Payment of %(amount)s") % amount

    def payment_url(self) -> str:
        return self.url("billing:payment-detail", pk=self.payment.pk)


class PaymentDetail(OfPayment):
    """What a payment is, and what it settles."""

    def title(self) -> str:
        return self.name()

    def get(self, request: Any, pk: int) -> HttpResponse:
        payment = self.payment
        customer = payment.account.customer
        context = self.page_context(
            payment=payment,
            state=state_pill(payment),
            subtitle=customer.name,
            customer_url=self.url("customers:customer-detail", pk=customer.pk),
            facts=self.facts(),
            shares=self.shares(),
            events=self.request.reach.history(payment),
            reverse_url=""
            if payment.is_reversed
            else self.url("billing:payment-reverse", pk=payment.pk),
        )
        return render(request, "billing/payments/payment.html", context)

    def facts(self) -> list[dict[str, Any]]:
        payment = self.payment
        facts = [
            (_("Customer"), payment.account.customer.name),
            (_("Received on"), format_day(payment.received_on)),
            (_("Method"), payment.get_method_display()),
            (_("Reference"), payment.reference),
            (_("Note"), payment.note),
            (_("Recorded"), format_moment(payment.created_at)),
            (_("Recorded by"), payment.person_name or _("The system")),
        ]
        if payment.reversed_at is not None:
            facts += [
                (pgettext("payment", "Taken back"), format_moment(payment.reversed_at)),
                (
                    pgettext("payment", "Taken back by"),
                    payment.reversed_by_name or _("The system"),
                ),
                (_("Reason"), payment.reversal_reason),
            ]
        return [{"label": label, "value": value} for label, value in facts]

    def shares(self) -> list[dict[str, Any]]:
        """Where the money went: invoices that it settles, and the balance."""
        payment = self.payment
        found = [
            {
                "text": row.invoice.number,
                "url": self.url("billing:invoice-detail", pk=row.invoice_id),
                "amount": format_money(row.amount, payment.currency),
                "is_undone": row.undone_at is not None,
            }
            for row in payment.settlements.all()
        ]
        settled = payment.settled  # type: ignore[attr-defined]
        surplus = ZERO if payment.is_reversed else payment.amount - settled
        if surplus:
            found.append(
                {
                    "text": _("Balance"),
                    "url": self.url(
                        "customers:customer-account", pk=payment.account.customer_id
                    ),
                    "amount": format_money(surplus, payment.currency),
                    "is_undone": False,
                }
            )
        return found


class PaymentReverse(OfPayment, ConfirmPage):
    """Takes a payment back: it came back, or never was."""

    submit_label = pgettext_lazy("payment", "Take back")

    def title(self) -> str:
        payment = self.payment
        amount = format_money(payment.amount, payment.currency)
        return _("Take back the payment of %(amount)s") % {"amount": amount}

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(self.name(), self.payment_url())]

    def cancel_url(self) -> str:
        return self.payment_url()

    def build_form(self, data: Any = None, files: Any = None) -> PaymentReversalForm:
        return PaymentReversalForm(data, is_write_off=self.payment.is_write_off)

    def form_context(self, form: Any) -> dict[str, Any]:
        refusal = (
            _("It has already been taken back.") if self.payment.is_reversed else ""
        )
        return super().form_context(form) | {"refusal": refusal}

    def consequences(self) -> Sequence[str]:
        payment = self.payment
        settled = payment.settled  # type: ignore[attr-defined]
        numbers = ", ".join(
            row.invoice.number
            for row in payment.settlements.all()
            if row.undone_at is None
        )
        surplus = payment.amount - settled
        found = []
        if settled:
            text = _("%(amount)s is owed again on %(numbers)s.")
            amount = format_money(settled, payment.currency)
            found.append(text % {"amount": amount, "numbers": numbers})
        if surplus:
            text = _("The balance drops by %(amount)s, even beyond the credit limit.")
            found.append(text % {"amount": format_money(surplus, payment.currency)})
        if surplus and rules_of(payment.account.bill_type).has_topup_invoices:
            found.append(_("A credit note cancels the invoice of the top-up."))
        return found

    def save(self, form: PaymentReversalForm) -> str:
        payments.reverse_payment(
            payment=self.payment,
            reason=form.cleaned_data["reason"],
            is_refused=form.is_refused,
            by=self.actor,
        )
        return self.payment_url()

    def success_message(self, form: PaymentReversalForm) -> str:
        return pgettext("payment", "Taken back.")


class PaymentNew(OfOwnCustomer):
    """Records a payment of a customer; ``?invoice=`` names the one it is for."""

    template_name = "billing/payments/new.html"
    focuses_first = True
    submit_label = gettext_lazy("Record payment")

    def title(self) -> str:
        return _("Record a payment")

    def form_context(self, form: Any) -> dict[str, Any]:
        account = self.account
        owed = sum((invoice.open for invoice in self.invoices), ZERO)
        tile = {
            "label": _("Open invoices"),
            "value": format_money(owed, account.currency),
            "icon": "receipt-text",
        }
        return {
            "subtitle": account.customer.name,
            "tiles": [tile, *credit_tiles(account)],
        }

    @cached_property
    def invoices(self) -> list[Invoice]:
        found = list(
            settlements.open_invoices(self.account).defer("content")[:MOST_INVOICES]
        )
        # The one that one comes from is offered, however many are older.
        if self.asked and self.asked not in {invoice.pk for invoice in found}:
            found += settlements.open_invoices(self.account).filter(pk=self.asked)
        return found

    @cached_property
    def asked(self) -> int | None:
        return row_id(self.request.GET.get("invoice", ""))

    def build_form(self, data: Any = None, files: Any = None) -> PaymentForm:
        asked = next((each for each in self.invoices if each.pk == self.asked), None)
        initial: dict[str, Any] = {
            "received_on": local_date(self.account.provider.time_zone)
        }
        if asked is not None:
            initial |= {
                "invoice": str(asked.pk),
                "amount": asked.open,
                "reference": asked.number,
            }
        return PaymentForm(
            data, account=self.account, invoices=self.invoices, initial=initial
        )

    def save(self, form: PaymentForm) -> str:
        token = clean_token(self.request.POST.get("form_token", ""))
        key = keys.manual(submissions.key_of(token, self.request.POST))
        payment = payments.record_payment(
            account=self.account,
            received=form.received,
            key=key,
            by=self.actor,
            invoice=form.wanted,
        )
        return self.url("billing:payment-detail", pk=payment.pk)

    def success_message(self, form: PaymentForm) -> str:
        return _("Payment recorded.")

    def cancel_url(self) -> str:
        if self.asked and self.asked in {invoice.pk for invoice in self.invoices}:
            return self.url("billing:invoice-detail", pk=self.asked)
        return self.account_url()
