"""Booking the sure lines of a bank statement: what that will be, how far it is, stop."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_htmx.http import HttpResponseClientRefresh

from billing.choices import ImportLineState as State
from billing.services import import_booking
from billing.views.import_parts import ImportPage, progress_of
from portal.core.forms import PortalForm
from portal.core.money import format_money
from portal.core.views import ConfirmPage, Crumb


class ImportBook(ImportPage, ConfirmPage):
    """Books all lines that are sure, after saying how many and how much that is."""

    is_danger = False
    submit_label = gettext_lazy("Book them")

    def title(self) -> str:
        return _("Book the sure payments")

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(self.source.file_name, self.source_url())]

    def cancel_url(self) -> str:
        return self.source_url()

    def build_form(self, data: Any = None, files: Any = None) -> PortalForm:
        return PortalForm(data)

    @cached_property
    def sums(self) -> list[tuple[str, int, Decimal]]:
        """What is sure, by currency: how many lines, and what they come to."""
        rows = self.source.lines.filter(state=State.EXACT).order_by()
        counted = rows.values_list("invoice__currency").annotate(
            Count("pk"), Sum("amount")
        )
        return sorted(counted)

    def form_context(self, form: Any) -> dict[str, Any]:
        refusal = "" if self.sums else _("No line is sure: decide each one yourself.")
        if self.source.is_booking:
            refusal = _("They are being booked already.")
        return super().form_context(form) | {"refusal": refusal}

    def consequences(self) -> Sequence[str]:
        count = sum(each[1] for each in self.sums)
        return [
            ngettext(
                "%(count)d payment is recorded: %(sums)s.",
                "%(count)d payments are recorded: %(sums)s.",
                count,
            )
            % {
                "count": count,
                "sums": ", ".join(
                    format_money(amount, currency)
                    for currency, _count, amount in self.sums
                ),
            },
            _("Each pays the invoice that it names, in full."),
            _(
                "Any invoice paid another way in the meantime is left for you to"
                " decide."
            ),
            _("Each payment can be taken back on its own page."),
        ]

    def save(self, form: PortalForm) -> str:
        import_booking.begin(source=self.source, by=self.actor)
        return self.source_url()

    def success_message(self, form: PortalForm) -> str:
        if self.imports().get(pk=self.source.pk).is_booking:
            return _("Booking goes on: this page shows how far it is.")
        count = self.source.lines.filter(state=State.BOOKED).count()
        return ngettext(
            "%(count)d line of this statement is booked.",
            "%(count)d lines of this statement are booked.",
            count,
        ) % {"count": count}


class ImportStop(ImportPage):
    """POST: have workers leave a statement after the line they are at."""

    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        import_booking.stop(source=self.source, by=self.actor)
        messages.info(request, _("Booking stops. What is booked stays."))
        return self.redirect(self.source_url())


class ImportProgress(ImportPage):
    """The part of a statement's page that asks for itself while its lines are booked."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: Any, pk: int) -> HttpResponse:
        if not self.source.is_booking:
            # The lines below and the figures above have changed, too.
            return HttpResponseClientRefresh()
        context = {"progress": progress_of(self.source)}
        return render(request, "billing/payment_imports/_progress.html", context)
