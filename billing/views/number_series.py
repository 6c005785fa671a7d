"""Settings » Number series: how the account numbers the documents that it issues."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import InvoiceType
from billing.forms.invoices import SeriesForm
from billing.services import invoice_series
from billing.views.parts import account_of
from portal.core.permissions import Permission
from portal.core.views import Crumb, FormPage


class SeriesEdit(FormPage):
    """Prefix, year, width and where counting goes on; for those with customers."""

    permission = Permission.SETTINGS
    template_name = "billing/invoices/series.html"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.actor.require(Permission.COMMERCE)
        return super().dispatch(request, *args, **kwargs)

    def title(self) -> str:
        return _("Number series")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Settings")), Crumb(_("Invoicing"), self.url("billing:seller"))]

    def cancel_url(self) -> str:
        return self.url("billing:seller")

    def build_form(self, data: Any = None, files: Any = None) -> SeriesForm:
        issuer = account_of(self)
        present = invoice_series.present_series(issuer)
        initial = {
            f"{kind}_{name}": getattr(present[kind], name)
            for kind in InvoiceType
            for name in invoice_series.FIELDS
        }
        year = timezone.localdate().year
        return SeriesForm(
            data,
            initial=initial,
            next_numbers=invoice_series.next_numbers(issuer, year),
            next_counts=invoice_series.next_counts(issuer, year),
        )

    def form_context(self, form: Any) -> dict[str, Any]:
        return {"subtitle": account_of(self).name}

    def save(self, form: SeriesForm) -> str:
        invoice_series.update_series(
            issuer=account_of(self), values=form.values(), by=self.actor
        )
        return self.url("billing:number-series")
