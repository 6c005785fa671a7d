"""Crediting an invoice: choose what, see what comes of it, then issue."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.forms.credit_notes import CANCEL, CreditForm
from billing.invoicing.content import thaw
from billing.services import corrections, credit_notes
from billing.services.corrections import Correction
from billing.views.invoice_pages import IssuedPage, name_of
from billing.views.invoice_said import said
from portal.core import submissions
from portal.core.money import ZERO, format_money
from portal.core.views import Crumb, FormPage, add_refusal, clean_token

FORM, PREVIEW = "_form_page.html", "billing/credit_notes/preview.html"
REFUSAL = "billing/credit_notes/refused.html"
# What the preview carries on top of what was chosen.
_OWN = {"csrfmiddlewaretoken", "form_token", "confirmed", "edit"}


class CreditNew(IssuedPage, FormPage):
    """Two steps at one address: the choice, then a preview that asks whether to issue it."""

    correction: Correction | None = None

    def title(self) -> str:
        number = self.invoice.number or name_of(self.invoice)
        return _("Credit note on %(number)s") % {"number": number}

    def breadcrumbs(self) -> list[Crumb]:
        crumb = Crumb(name_of(self.invoice), self.cancel_url())
        return [*super().breadcrumbs(), crumb]

    def cancel_url(self) -> str:
        return self.invoice_url(self.invoice)

    @cached_property
    def refusal(self) -> str:
        return corrections.refusal(self.invoice)

    def build_form(self, data: Any = None, files: Any = None) -> CreditForm:
        assert not self.refusal
        return CreditForm(
            data,
            document=thaw(self.invoice.content).document,
            left=corrections.left_of(self.invoice),
            is_whole=self.request.GET.get("how") == CANCEL,
        )

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        if self.refusal:
            return self.refused()
        return super().get(request, **kwargs)

    def post(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        if self.refusal and "confirmed" not in request.POST:
            return self.refused()
        token = clean_token(request.POST.get("form_token", ""))
        if "confirmed" in request.POST:
            if self.refusal:  # perhaps the second click, after which nothing is left
                key = submissions.key_of(token, request.POST)
                url = submissions.result_url(key, person_id=request.user.pk)
                return self.redirect(url or self.cancel_url())
            return super().post(request)
        form = self.build_form(request.POST)
        if "edit" in request.POST:
            return self.render_form(form, token=token, is_dirty=True)
        if form.is_valid():
            try:
                self.correction = corrections.preview(
                    invoice=self.invoice,
                    wanted=form.wanted,
                    reason=form.cleaned_data["reason"],
                    is_reissued=form.is_reissued,
                )
            except ValidationError as error:
                add_refusal(form, error)
        status = 200 if self.correction else 422
        return self.render_form(form, token=token, status=status, is_dirty=True)

    def refused(self) -> HttpResponse:
        context = self.page_context(refusal=self.refusal, cancel_url=self.cancel_url())
        return render(self.request, REFUSAL, context)

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        is_shown = self.correction is not None
        self.template_name = PREVIEW if is_shown else FORM
        self.submit_label = (
            gettext_lazy("Issue the credit note")
            if is_shown
            else gettext_lazy("Preview")
        )
        return super().render_form(form, **kwargs)

    def form_context(self, form: Any) -> dict[str, Any]:
        if self.correction is None:
            return {"subtitle": self.invoice.account.customer.name}
        return {
            "subtitle": self.invoice.account.customer.name,
            # How it is settled is told by the consequences.
            "said": said(self.correction.note.content, is_open=False),
            "tiles": self.tiles(self.correction),
            "consequences": self.consequences(self.correction),
            "carried": [
                (name, value)
                for name, values in self.request.POST.lists()
                if name not in _OWN
                for value in values
            ],
        }

    def tiles(self, correction: Correction) -> list[dict[str, Any]]:
        money = self.money
        tiles = [
            {
                "label": _("Credit note"),
                "value": money(correction.total),
                "icon": "receipt-text",
            }
        ]
        if correction.replacement is not None:
            gross = correction.replacement.content.document.totals.gross
            tile = {"label": _("New invoice"), "icon": "replace", "value": money(gross)}
            return [*tiles, tile]
        kind = "danger" if correction.gives_back < 0 else ""
        return [
            *tiles,
            {
                "label": _("The balance changes by"),
                "value": money(correction.gives_back),
                "icon": "wallet",
                "kind": kind,
            },
        ]

    def consequences(self, correction: Correction) -> list[str]:
        number = {"number": self.invoice.number}
        if correction.replacement is not None:
            return [
                _("A credit note for all of invoice %(number)s is issued.") % number,
                _("A new invoice replaces it, and payments move over to it."),
                _("Both get numbers of their own and are e-mailed like invoices."),
            ]
        found = []
        taken_off = correction.total - max(correction.gives_back, ZERO)
        if taken_off > 0:
            text = _(
                "%(amount)s is taken off what is to be paid on invoice %(number)s."
            )
            found.append(text % {"amount": self.money(taken_off), **number})
        if correction.gives_back > 0:
            text = _("The customer's balance rises by %(amount)s.")
            found.append(text % {"amount": self.money(correction.gives_back)})
        if correction.gives_back < 0:
            text = _(
                "%(amount)s that the invoice had taken over returns to the balance."
            )
            found.append(text % {"amount": self.money(-correction.gives_back)})
        if correction.is_whole:
            found.append(_("Invoice %(number)s is cancelled.") % number)
        found.append(_("A credit note cannot be changed or undone."))
        return found

    def money(self, amount: Any) -> str:
        return format_money(amount, self.invoice.currency)

    def save(self, form: CreditForm) -> str:
        token = clean_token(self.request.POST.get("form_token", ""))
        issued = credit_notes.issue(
            invoice=self.invoice,
            wanted=form.wanted,
            reason=form.cleaned_data["reason"],
            token=submissions.key_of(token, self.request.POST),
            is_reissued=form.is_reissued,
            by=self.actor,
        )
        return self.invoice_url(issued.replacement or issued.note)

    def success_message(self, form: CreditForm) -> str:
        return _("Credit note issued.")
