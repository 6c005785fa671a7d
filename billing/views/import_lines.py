"""One line of a bank statement, which somebody decides about."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import ImportLineState as State
from billing.forms.payment_imports import LEAVE, OTHER, LineForm
from billing.import_problems import problem_text
from billing.import_suggestions import find_target, suggestions_for
from billing.models import PaymentImportLine
from billing.services import import_booking
from billing.views.import_parts import ImportPage, line_amount
from portal.core.display import format_day
from portal.core.views import ConfirmPage, Crumb


class ImportLineEdit(ImportPage, ConfirmPage):
    """What becomes of one line that is not sure."""

    template_name = "billing/payment_imports/line.html"
    is_danger = False
    submit_label = gettext_lazy("Save")

    @cached_property
    def line(self) -> PaymentImportLine:
        rows = self.source.lines.select_related("invoice__account__customer")
        return get_object_or_404(rows, pk=self.kwargs["row"])

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        if self.line.payment_id is not None:
            return redirect(self.url("billing:payment-detail", pk=self.line.payment_id))
        return super().get(request, **kwargs)

    def title(self) -> str:
        return _("Line %(number)d of the file %(file)s") % {
            "number": self.line.number,
            "file": self.source.file_name,
        }

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(self.source.file_name, self.source_url())]

    def cancel_url(self) -> str:
        return f"{self.source_url()}?state={State.OPEN}"

    def build_form(self, data: Any = None, files: Any = None) -> LineForm:
        suggestions = suggestions_for(
            self.line, customers=self.request.reach.customers_named
        )
        return LineForm(data, suggestions=suggestions)

    def form_context(self, form: Any) -> dict[str, Any]:
        refusal = import_booking.refusal(self.line)
        facts = self.facts(with_problem=not refusal)
        return super().form_context(form) | {"refusal": refusal, "facts": facts}

    def facts(self, *, with_problem: bool) -> list[dict[str, str]]:
        """What the bank says, and why it is not sure unless that is said already."""
        line = self.line
        shown = [
            {"label": _("Day"), "value": format_day(line.day) if line.day else ""},
            {"label": _("Amount"), "html": line_amount(line)},
            {"label": _("Payer"), "value": line.payer},
            {"label": _("Reference text"), "value": line.text},
        ]
        problem = problem_text(line.problem)
        if with_problem and problem:
            shown.append({"label": _("Reason"), "value": problem})
        return shown

    def save(self, form: LineForm) -> str:
        values = form.cleaned_data
        if values["target"] == LEAVE:
            import_booking.leave_out(line=self.line, by=self.actor)
            return self.cancel_url()
        wanted = values["other"] if values["target"] == OTHER else values["target"]
        account, invoice = find_target(
            wanted, owner=self.actor.customer, is_typed=values["target"] == OTHER
        )
        import_booking.book_line(
            line=self.line, account=account, invoice=invoice, by=self.actor
        )
        return self.cancel_url()

    def success_message(self, form: LineForm) -> str:
        return _("Done.")
