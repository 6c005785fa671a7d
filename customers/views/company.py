"""Settings » Company: about the account acted in, also while switched."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.views.readiness import seller_sign
from customers.audit_labels import missed_changes
from customers.branding import logo_url
from customers.forms.company import CompanyForm
from customers.models import Company, Customer
from customers.services import company as services
from portal.core.colours import DEFAULT_COLOUR
from portal.core.permissions import Permission
from portal.core.views import Crumb, FormPage


class CompanyEdit(FormPage):
    """Address and language; for those who have customers, also brand and service."""

    permission = Permission.SETTINGS
    template_name = "customers/company_form.html"
    submit_label = gettext_lazy("Save")

    def title(self) -> str:
        return _("Company")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Settings"))]

    def cancel_url(self) -> str:
        return self.url("start")

    def customer(self) -> Customer:
        return Customer.objects.get(pk=self.actor.customer.pk)

    def build_form(self, data: Any = None, files: Any = None) -> CompanyForm:
        customer = self.customer()
        return CompanyForm(
            data,
            files,
            customer=customer,
            company=Company.objects.filter(customer=customer).first(),
            has_brand=self.actor.can(Permission.COMMERCE),
        )

    def form_context(self, form: CompanyForm) -> dict[str, Any]:
        return {
            "subtitle": form.customer.name,
            "customer": form.customer,
            "logo_url": logo_url(form.company),
            "default_colour": DEFAULT_COLOUR,
            **self.invoicing(form.customer),
        }

    def invoicing(self, customer: Customer) -> dict[str, Any]:
        """Whether it can invoice, for those who have customers."""
        if not self.actor.can(Permission.COMMERCE):
            return {}
        return {
            "readiness": seller_sign(customer),
            "seller_url": self.url("billing:seller"),
        }

    def save(self, form: CompanyForm) -> str:
        services.update_company(
            customer=form.customer,
            values=form.values(),
            expected_version=form.cleaned_data["version"],
            logo=form.cleaned_data.get("logo"),
            removes_logo=form.cleaned_data.get("remove_logo", False),
            by=self.actor,
        )
        return self.url("customers:company")

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            form.data = form.data.copy()
            form.data["version"] = str(self.customer().version)
            late = self.customer().version - form.cleaned_data["version"]
            kwargs["stale"] = missed_changes(
                self.customer(), reader=self.request.reach.own, count=late
            )
        return super().render_form(form, **kwargs)
