"""Settings » Invoicing: about the account acted in, also while switched."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from billing.forms.sellers import SellerForm
from billing.selectors import seller_of
from billing.services import sellers
from billing.views.parts import account_of
from billing.views.readiness import seller_sign
from portal.core.permissions import Permission
from portal.core.staleness import state_of
from portal.core.views import Crumb, FormPage


class SellerEdit(FormPage):
    """Who sells, where the money goes and how VAT is told; for those with customers."""

    permission = Permission.SETTINGS
    template_name = "billing/seller_form.html"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.actor.require(Permission.COMMERCE)
        return super().dispatch(request, *args, **kwargs)

    def title(self) -> str:
        return _("Invoicing")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Settings"))]

    def cancel_url(self) -> str:
        return self.url("start")

    def build_form(self, data: Any = None, files: Any = None) -> SellerForm:
        seller = seller_of(self.actor.customer)
        values = {name: getattr(seller, name) for name in sellers.FIELDS}
        seen = state_of(seller, sellers.FIELDS)
        return SellerForm(data, initial=values | {"seen": seen})

    def form_context(self, form: SellerForm) -> dict[str, Any]:
        customer = account_of(self)
        return {
            "subtitle": customer.name,
            "readiness": seller_sign(customer),
            "series_url": self.url("billing:number-series"),
            "taxes_url": self.url("billing:tax-list"),
            "company_url": self.url("customers:company"),
        }

    def save(self, form: SellerForm) -> str:
        sellers.update_seller(
            customer=account_of(self),
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.url("billing:seller")

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            seller = seller_of(self.actor.customer)
            form.data = form.data.copy()
            form.data["seen"] = state_of(seller, sellers.FIELDS)
            kwargs["stale"] = self.request.reach.missed_changes(seller)
        return super().render_form(form, **kwargs)
