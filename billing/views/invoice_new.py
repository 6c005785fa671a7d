"""“Invoice now”: what an invoice on request would say, and issuing it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from billing import keys
from billing.choices import FileKind, InvoiceOccasion
from billing.forms.invoices import IssueForm, UntilForm
from billing.models import Invoice
from billing.services import invoice_drafts, invoice_files, invoices
from billing.services.invoice_drafts import Draft
from billing.types import rules_of
from billing.views.invoice_cells import period_text
from billing.views.invoice_pages import name_of
from billing.views.invoice_said import said
from billing.views.readiness import untaxed_remark
from billing.views.transactions import OfOwnCustomer
from portal.core.money import format_money, format_price
from portal.core.periods import ONE_DAY, local_date
from portal.core.urls import day_of
from portal.core.views import Crumb, clean_token


class InvoiceNew(OfOwnCustomer):
    """The preview, which saves nothing, with the button that issues the same."""

    template_name = "billing/invoices/new.html"
    submit_label = gettext_lazy("Issue this invoice")

    def title(self) -> str:
        return _("Invoice now")

    def breadcrumbs(self) -> list[Crumb]:
        customer = self.account.customer
        return [
            Crumb(_("Customers"), self.url("customers:customer-list")),
            Crumb(customer.name, self.url("customers:customer-detail", pk=customer.pk)),
        ]

    def cancel_url(self) -> str:
        return self.url("customers:customer-detail", pk=self.account.customer_id)

    @cached_property
    def today(self) -> date:
        return local_date(self.account.customer.time_zone)

    @cached_property
    def until_form(self) -> UntilForm:
        """Up to which day: of the address, or of the page that was sent."""
        sent = self.request.GET if "last" in self.request.GET else None
        return UntilForm(sent, today=self.today, auto_id="until-%s")

    def last_day(self) -> date:
        """The day chosen; today if none is, or one that cannot be."""
        form = self.until_form
        if form.is_bound and form.is_valid():
            last: date = form.cleaned_data["last"]
            return last
        return self.today

    def build_form(self, data: Any = None, files: Any = None) -> IssueForm:
        form = IssueForm(data, today=self.today)
        form.initial["last"] = self.last_day()
        return form

    def form_context(self, form: Any) -> dict[str, Any]:
        last = self.last_day()
        if form.is_bound:  # what was sent is what is shown again
            last = day_of(str(form.data.get("last", ""))) or last
        draft, refusal = None, ""
        try:
            draft = invoice_drafts.preview(
                self.account, until=until_of(last, self.today)
            )
        except ValidationError as error:
            refusal = " ".join(error.messages)
        return {
            "subtitle": self.account.customer.name,
            "until_form": self.until_form,
            "refusal": refusal,
            "draft": draft,
            "is_possible": draft is not None and not (draft.is_empty or draft.waits),
            "untaxed": untaxed_remark(draft, account=self.actor.customer.pk)
            if draft and not draft.is_empty
            else None,
            "tiles": self.tiles(draft) if draft else [],
            "said": said(draft.content) if draft and not draft.is_empty else None,
            "pdf_url": f"{self.pdf_url()}?last={last.isoformat()}",
        }

    def pdf_url(self) -> str:
        return self.url("billing:invoice-preview", pk=self.account.customer_id)

    def tiles(self, draft: Draft) -> list[dict[str, Any]]:
        currency = self.account.currency
        document = draft.content.document
        rules = rules_of(self.account.bill_type)
        tiles: list[dict[str, Any]] = [
            {
                "label": _("Period"),
                "value": period_text(draft.span.begin, draft.span.end),
                "icon": "calendar",
                "detail": _("time zone %(zone)s") % {"zone": draft.content.time_zone},
            },
            {
                "label": _("Total"),
                "value": format_money(document.totals.gross, currency),
                "icon": "receipt-text",
                "detail": _("including %(amount)s from rounding")
                % {"amount": format_price(draft.residue, currency)}
                if draft.residue
                else _("as in the ledger"),
            },
            {
                "label": _("To pay"),
                "value": format_money(document.totals.payable, currency),
                "icon": "wallet",
                "detail": _("moves from the balance, which starts again at zero")
                if rules.resets_on_invoice
                else "",
            },
        ]
        return tiles

    def save(self, form: IssueForm) -> str:
        token = clean_token(self.request.POST.get("form_token", ""))
        self.made = invoices.issue(
            self.account.pk,
            occasion=InvoiceOccasion.REQUEST,
            key=keys.requested_invoice(token),
            by=self.actor,
            until=until_of(form.cleaned_data["last"], self.today),
        )
        if self.made is None:
            raise ValidationError(_("There is nothing left to invoice."), code="empty")
        return self.url("billing:invoice-detail", pk=self.made.pk)

    def success_message(self, form: Any) -> str:
        made: Invoice | None = self.made
        assert made is not None  # else nothing was saved
        if not made.is_issued:
            return _("The invoice is held back; this page says why.")
        return _("%(name)s is issued.") % {"name": name_of(made)}


class InvoicePreview(InvoiceNew):
    """The same as the PDF that would be made, with a mark across it."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        until = until_of(self.last_day(), self.today)
        try:
            draft = invoice_drafts.preview(self.account, until=until)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(self.back_url())
        if draft.is_empty:
            return redirect(self.back_url())
        with override(draft.content.language):
            data = invoice_files.preview(draft.content)
        return HttpResponse(
            data,
            content_type=invoice_files.CONTENT_TYPES[FileKind.PDF],
            headers={
                "Content-Disposition": 'inline; filename="preview.pdf"',
                "Cache-Control": "private, no-store",
            },
        )

    def back_url(self) -> str:
        return self.url("billing:invoice-new", pk=self.account.customer_id)


def until_of(last: date, today: date) -> date | None:
    """The day before which an invoice ends; None, up to this moment, if it is today."""
    return None if last >= today else last + ONE_DAY
