"""What is done to one invoice: approve, send, set the status by hand, try again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import keys
from billing.choices import InvoiceStatus
from billing.forms.credit_notes import CANCEL
from billing.forms.invoices import StatusForm
from billing.forms.payments import WriteOffForm
from billing.invoice_statuses import BY_HAND
from billing.models import Invoice
from billing.services import (
    collecting,
    corrections,
    invoice_again,
    invoice_status,
    payments_by_hand,
)
from billing.views import invoices
from billing.views.drawing import say_drawn_again
from billing.views.invoice_pages import IssuedPage, name_of, name_within
from portal.core import submissions
from portal.core.views import ConfirmPage, Crumb, PortalView, clean_token


class InvoiceAct(IssuedPage, PortalView):
    """POST: base of the buttons of an invoice's page."""

    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        rows = Invoice.objects.filter(issuer=self.actor.customer.pk, pk=pk)
        invoice = get_object_or_404(rows.defer("content"))
        self.act(rows)
        return self.redirect(self.invoice_url(invoice))

    def act(self, rows: QuerySet[Invoice]) -> None:
        raise NotImplementedError


class InvoiceApprove(InvoiceAct):
    def act(self, rows: QuerySet[Invoice]) -> None:
        invoices.approve(self, rows)


class InvoiceUnapprove(InvoiceAct):
    def act(self, rows: QuerySet[Invoice]) -> None:
        invoices.take_back(self, rows)


class InvoiceSend(InvoiceAct):
    def act(self, rows: QuerySet[Invoice]) -> None:
        invoices.send(self, rows)


class InvoiceDraw(InvoiceAct):
    """Have the files made that could not be."""

    def act(self, rows: QuerySet[Invoice]) -> None:
        say_drawn_again(self.request, rows, by=self.actor)


class InvoiceCharge(InvoiceAct):
    def act(self, rows: QuerySet[Invoice]) -> None:
        try:
            collecting.charge_again(invoice=rows.get(), by=self.actor)
        except ValidationError as error:
            messages.error(self.request, " ".join(error.messages))
            return
        messages.success(
            self.request,
            _(
                "The card is charged again; in a few minutes the status shows the result."
            ),
        )


class InvoiceAgain(IssuedPage):
    """POST: issue an invoice that was held back."""

    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        rows = self.get_queryset().select_related("account__customer")
        invoice = get_object_or_404(rows, pk=pk)
        try:
            found = invoice_again.try_again(invoice=invoice, by=self.actor)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self.redirect(self.invoice_url(invoice))
        if found is None:
            messages.info(
                request,
                _(
                    "There is nothing left to invoice here: another invoice already"
                    " has it."
                ),
            )
            return self.redirect(self.list_url())
        if found.is_issued:
            messages.success(
                request, _("%(name)s is issued.") % {"name": name_of(found)}
            )
        else:
            messages.error(request, _("It is still held back."))
        return self.redirect(self.invoice_url(found))


class InvoiceSetStatus(IssuedPage, ConfirmPage):
    """The status by hand, where the table allows it (D 6.2)."""

    submit_label = gettext_lazy("Set status")
    is_danger = False

    def title(self) -> str:
        return _("Set the status of %(name)s") % {"name": name_within(self.invoice)}

    def breadcrumbs(self) -> list[Crumb]:
        crumb = Crumb(name_of(self.invoice), self.cancel_url())
        return [*super().breadcrumbs(), crumb]

    def cancel_url(self) -> str:
        return self.invoice_url(self.invoice)

    @cached_property
    def statuses(self) -> list[InvoiceStatus]:
        """What the table allows; Cancelled leads to the credit note that makes it so."""
        allowed = set(BY_HAND[InvoiceStatus(self.invoice.status)])
        if not corrections.refusal(self.invoice):
            allowed.add(InvoiceStatus.CANCELLED)
        return [status for status in InvoiceStatus if status in allowed]

    def build_form(self, data: Any = None, files: Any = None) -> StatusForm:
        day = None
        if InvoiceStatus.DUE in self.statuses:
            day = invoice_status.offered_overdue_day(self.invoice)
        return StatusForm(
            data,
            statuses=self.statuses,
            asks_reason=self.is_paid and bool(self.statuses),
            initial={"overdue_from": day},
        )

    @property
    def is_paid(self) -> bool:
        return self.invoice.status == InvoiceStatus.PAID

    def form_context(self, form: Any) -> dict[str, Any]:
        refusal = ""
        if not self.statuses:
            refusal = _("“%(status)s” cannot be changed by hand.") % {
                "status": self.invoice.get_status_display()
            }
        return super().form_context(form) | {"refusal": refusal}

    def consequences(self) -> Sequence[str]:
        texts = {
            InvoiceStatus.DUE: _(
                "Due: there is more time to pay. It is overdue from the day you choose,"
                " and reminders start again from that day. The document stays as it is."
            ),
            InvoiceStatus.OVERDUE: _("Overdue: as if its last day had passed."),
            InvoiceStatus.PAID: _(
                "Paid: a payment of what is open is booked as of today. To say how or"
                " when it was paid, record a payment instead."
            ),
            InvoiceStatus.PAYMENT_REFUSED: _(
                "Payment refused: what was paid is taken back and to be paid again."
            )
            if self.is_paid
            else _("Payment refused: the money was asked for and did not come."),
            InvoiceStatus.CANCELLED: _(
                "Cancelled: a credit note gives back all of it. You see what it says"
                " before it is issued."
            ),
        }
        return [texts[status] for status in self.statuses if status in texts]

    def save(self, form: StatusForm) -> str:
        status = form.cleaned_data["status"]
        if status == InvoiceStatus.CANCELLED:
            url = self.url("billing:invoice-credit", pk=self.invoice.pk)
            return f"{url}?how={CANCEL}"
        invoice_status.set_status(
            invoice=self.invoice,
            status=status,
            reason=form.cleaned_data.get("reason", ""),
            overdue_from=form.cleaned_data.get("overdue_from"),
            by=self.actor,
        )
        return self.cancel_url()

    def success_message(self, form: StatusForm) -> str:
        status = form.cleaned_data["status"]
        if status == InvoiceStatus.CANCELLED:
            return ""
        return _("The status is “%(status)s” now.") % {"status": status.label}


class InvoiceWriteOff(IssuedPage, ConfirmPage):
    """Writes off what of an invoice will never be paid."""

    submit_label = gettext_lazy("Write off")

    def title(self) -> str:
        return _("Write off %(name)s") % {"name": name_within(self.invoice)}

    def breadcrumbs(self) -> list[Crumb]:
        crumb = Crumb(name_of(self.invoice), self.cancel_url())
        return [*super().breadcrumbs(), crumb]

    def cancel_url(self) -> str:
        return self.invoice_url(self.invoice)

    def build_form(self, data: Any = None, files: Any = None) -> WriteOffForm:
        return WriteOffForm(data, invoice=self.invoice)

    def form_context(self, form: Any) -> dict[str, Any]:
        refusal = ""
        if not payments_by_hand.may_write_off(self.invoice):
            refusal = _("Nothing of this invoice is open.")
        return super().form_context(form) | {"refusal": refusal}

    def consequences(self) -> Sequence[str]:
        return [
            _("The amount is no longer owed: reminders and locks for it end."),
            _("The invoice, its charges and their taxes stay as they are."),
            _(
                "If money comes in after all, take the write-off back as you would a"
                " payment, then record what came."
            ),
        ]

    def save(self, form: WriteOffForm) -> str:
        token = clean_token(self.request.POST.get("form_token", ""))
        payments_by_hand.write_off(
            invoice=self.invoice,
            amount=form.cleaned_data["amount"],
            reason=form.cleaned_data["reason"],
            key=keys.manual(submissions.key_of(token, self.request.POST)),
            by=self.actor,
        )
        return self.cancel_url()

    def success_message(self, form: WriteOffForm) -> str:
        return _("Written off.")
