"""Charges of a customer and of a rate plan: lists and forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from billing.choices import ChargePeriod
from billing.filters import ChargeFilter
from billing.forms.charges import IMMEDIATELY, ChargeForm
from billing.models import BillingAccount, Charge
from billing.services import charge_rows
from billing.views.charge_cells import (
    due_cell,
    next_cell,
    plan_facts,
    price_cell,
    status_cell,
)
from billing.views.losses import losses_of_charge
from billing.views.parts import account_of
from portal.core.display import format_day
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.row_pages import OneRow, RowEditPage
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, FormPage, ListPage, PortalView
from rateplans.models import RatePlan
from rateplans.views.parts import EDIT as PLAN_EDIT
from rateplans.views.parts import LIST as PLAN_LIST

EDIT = "billing:charge-edit"


class OfCustomer:
    """Mixed into pages about the charges of a customer directly below."""

    permission = Permission.COMMERCE
    list_name = "customers:customer-charges"
    create_name = "billing:customer-charge-create"

    @cached_property
    def account(self: Any) -> BillingAccount:
        accounts = BillingAccount.objects.select_related("customer")
        return get_object_or_404(
            accounts,
            customer=self.kwargs["pk"],
            provider=self.actor.customer.pk,
        )

    def place(self) -> dict[str, Any]:
        """What the charges are on, as the service and queries name it."""
        return {"account": self.account}

    def currency(self) -> str:
        return self.account.currency

    def today(self) -> Any:
        return local_date(self.account.customer.time_zone)

    def crumbs(self: Any) -> list[Crumb]:
        customer = self.account.customer
        return [
            Crumb(_("Customers"), self.url("customers:customer-list")),
            Crumb(customer.name, self.url("customers:customer-detail", pk=customer.pk)),
        ]


class OfPlan:
    """Mixed into pages about the charges of one of the account's own rate plans."""

    permission = Permission.COMMERCE
    list_name = "billing:plan-charges"
    create_name = "billing:plan-charge-create"

    @cached_property
    def plan(self: Any) -> RatePlan:
        plans = RatePlan.objects.filter(owner=self.actor.customer.pk)
        return get_object_or_404(plans, pk=self.kwargs["pk"])

    def place(self) -> dict[str, Any]:
        return {"plan": self.plan}

    def currency(self) -> str:
        return self.plan.currency

    def today(self: Any) -> Any:
        return local_date(account_of(self).time_zone)

    def crumbs(self: Any) -> list[Crumb]:
        return plan_crumbs(self, self.plan)


def plan_crumbs(view: PortalView, plan: RatePlan) -> list[Crumb]:
    return [
        Crumb(_("Rate plans"), view.url(PLAN_LIST)),
        Crumb(plan.name, view.url(PLAN_EDIT, pk=plan.pk)),
    ]


class ChargeList(ListPage):
    table_id = "charges"
    default_sort = "name"
    filterset_class = ChargeFilter
    place: Any
    crumbs: Any
    list_name: str
    create_name: str

    def title(self) -> str:
        return _("Charges")

    def breadcrumbs(self) -> Sequence[Crumb]:
        crumbs: list[Crumb] = self.crumbs()
        return crumbs

    def get_queryset(self) -> QuerySet[Charge]:
        return Charge.objects.filter(**self.place(), owner=self.actor.customer.pk)

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda c: c.name, sort="name", narrow=True),
            Column("price", _("Price"), price_cell, align="end", narrow=True),
            Column("due", _("Due"), due_cell, narrow=True),
            Column(
                "from", _("From"), lambda c: format_day(c.starts_on), sort="starts_on"
            ),
            Column("next", _("Next due"), next_cell, narrow=True),
            Column("status", _("Status"), status_cell, narrow=True),
        )

    def row_url(self, row: Charge) -> str:
        return self.url(EDIT, pk=row.pk)

    def create_url(self) -> str:
        return self.url(self.create_name, pk=self.kwargs["pk"])

    def page_actions(self) -> Sequence[dict[str, str]]:
        return (
            {
                "label": _("New"),
                "url": self.create_url(),
                "icon": "plus",
                "shortcut": "n",
            },
        )

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return super().get(request)


class CustomerChargeList(OfCustomer, ChargeList):
    """Shown as a tab of the customer's page: customers.views.charges."""

    def empty(self) -> Empty:
        return Empty(
            icon="receipt-text",
            title=_("No charge yet"),
            text=_(
                "A charge is an extra item for this customer: once or every month, quarter"
                " or year, such as an installation or the rental of a router."
            ),
            action_url=self.create_url(),
            action_label=_("Add the first charge"),
        )


class ChargeFormPage(FormPage):
    permission = Permission.COMMERCE
    template_name = "billing/charge_form.html"

    def warn_of_losses(self, charge: Charge) -> None:
        for text in losses_of_charge(charge):
            messages.warning(self.request, text)


class ChargeCreate(ChargeFormPage):
    focuses_first = True
    place: Any
    crumbs: Any
    currency: Any
    today: Any
    list_name: str

    def title(self) -> str:
        return _("New charge")

    def breadcrumbs(self) -> list[Crumb]:
        return [*self.crumbs(), Crumb(_("Charges"), self.cancel_url())]

    def cancel_url(self) -> str:
        return self.url(self.list_name, pk=self.kwargs["pk"])

    def build_form(self, data: Any = None, files: Any = None) -> ChargeForm:
        taxes = charge_rows.tickable_taxes(account_of(self))
        initial = {
            "currency": self.currency(),
            "quantity": 1,
            "period": ChargePeriod.MONTHLY,
            "starts_on": self.today(),
            "taxes": [tax for tax in taxes if tax.applies_charges],
        }
        return ChargeForm(
            data,
            initial=initial,
            taxes=taxes,
            may_be_immediate="account" in self.place(),
        )

    def save(self, form: ChargeForm) -> str:
        self.warn_of_losses(self.add(form))
        return self.cancel_url()

    def add(self, form: ChargeForm) -> Charge:
        values = form.values()
        is_immediate = values["period"] == IMMEDIATELY
        if is_immediate:
            values |= {"period": ChargePeriod.ONCE, "starts_on": self.today()}
        values["starts_on"] = values["starts_on"] or self.today()
        return charge_rows.add_charge(
            values=values,
            taxes=form.cleaned_data["taxes"],
            is_immediate=is_immediate,
            by=self.actor,
            **self.place(),
        )

    def success_message(self, form: ChargeForm) -> str:
        if form.cleaned_data["period"] == IMMEDIATELY:
            return _("Charged.")
        return _("The charge is added. It is charged when it is due.")


class CustomerChargeCreate(OfCustomer, ChargeCreate):
    pass


class OwnCharge(OneRow):
    """Mixed into a page about one charge that the account gets the money of."""

    related = ("account__customer", "owner", "plan", "product")

    def rows(self: Any) -> QuerySet[Charge]:
        return Charge.objects.filter(owner=self.actor.customer.pk)

    def list_place(self: Any) -> str:
        row = self.row
        if row.account_id is not None:
            return str(
                self.url("customers:customer-charges", pk=row.account.customer_id)
            )
        return str(self.url("billing:plan-charges", pk=row.plan_id))

    def crumbs(self: Any) -> list[Crumb]:
        row = self.row
        if row.plan is not None:
            crumbs = plan_crumbs(self, row.plan)
        else:
            customer = row.account.customer
            crumbs = [
                Crumb(_("Customers"), self.url("customers:customer-list")),
                Crumb(
                    customer.name,
                    self.url("customers:customer-detail", pk=customer.pk),
                ),
            ]
        return [*crumbs, Crumb(_("Charges"), self.list_place())]


class ChargeEdit(OwnCharge, RowEditPage, ChargeFormPage):
    state_fields = charge_rows.FIELDS

    def title(self) -> str:
        return str(self.row)

    def breadcrumbs(self) -> list[Crumb]:
        return self.crumbs()

    def cancel_url(self) -> str:
        return self.list_place()

    def build_form(self, data: Any = None, files: Any = None) -> ChargeForm:
        initial = self.initial() | {"taxes": charge_rows.taxes_of(self.row)}
        return ChargeForm(
            data,
            initial=initial,
            taxes=charge_rows.possible_taxes(self.row),
            is_charged=self.row.entries.exists(),
        )

    def save(self, form: ChargeForm) -> str:
        self.warn_of_losses(self.update(form))
        return self.cancel_url()

    def update(self, form: ChargeForm) -> Charge:
        return charge_rows.update_charge(
            charge=self.row,
            values=form.values(),
            taxes=form.cleaned_data["taxes"],
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )

    def form_context(self, form: Any) -> dict[str, Any]:
        return {"facts": self.facts(), "steps": list(self.steps())}

    def facts(self) -> list[dict[str, Any]]:
        row = self.row
        if row.plan is not None:
            return plan_facts(row, today=local_date(account_of(self).time_zone))
        return [
            {"label": _("Status"), "html": status_cell(row)},
            {"label": _("Due"), "value": due_cell(row)},
            {"label": _("Next due"), "value": next_cell(row)},
            {
                "label": _("Product"),
                "value": row.product.name if row.product else "",
            },
        ]

    def steps(self) -> Sequence[dict[str, Any]]:
        if self.row.ended_at is not None:
            return ()
        steps: list[dict[str, Any]] = []
        if self.row.account_id is not None and self.row.next_on is not None:
            steps.append(
                {
                    "title": _("Charge now"),
                    "text": _("What is due, or the days until it is due first."),
                    "icon": "receipt-text",
                    "label": _("Charge now"),
                    "url": self.url("billing:charge-now", pk=self.row.pk),
                }
            )
        steps.append(
            {
                "title": _("End"),
                "text": _("It is charged no more; what was charged stays."),
                "icon": "circle-stop",
                "label": _("End"),
                "url": self.url("billing:charge-end", pk=self.row.pk),
                "is_danger": True,
            }
        )
        return steps
