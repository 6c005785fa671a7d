"""New » Normal or Residential, and editing: one form, one service call each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from billing.selectors import available_taxes
from customers.audit_labels import missed_changes
from customers.models import Customer, DialPlan, Region, SystemOptions
from customers.number_picker import picker_context
from customers.price_box import total_of
from customers.selectors import (
    assignable_roles,
    customers_below,
    free_numbers,
    name_is_taken,
    username_is_taken,
)
from customers.services import customers as services
from customers.services import residential
from customers.wizards.customer_form import CustomerForm
from customers.wizards.fields import Choices
from customers.wizards.forms import EditForm, NormalForm, ResidentialForm
from customers.wizards.plan_values import plan_values
from customers.wizards.typed import price_of_newcomer, sense_checks
from portal.core.money import ZERO
from portal.core.permissions import Permission
from portal.core.reveal import show_once
from portal.core.urls import row_id
from portal.core.views import Crumb, FormPage, PortalView
from rateplans.models import RatePlan
from rateplans.selectors import assignable_plans


class CustomerFormPage(FormPage):
    """What the three customer forms share: their choices and the plans' values."""

    permission = Permission.COMMERCE
    template_name = "customers/customer_form.html"

    def form_parent(self) -> Customer:
        """The reseller whose customer the form is about."""
        account: Customer = self.request.reach.account
        return account

    def choices(self) -> Choices:
        parent = self.form_parent()
        owner, above = parent.pk, parent.ancestor_ids
        return Choices(
            parent=parent,
            plans=list(assignable_plans(owner_id=owner, ancestor_ids=above)),
            taxes=available_taxes(owner_id=owner, ancestor_ids=above),
            regions=Region.objects.all(),
            dial_plans=DialPlan.objects.all(),
            has_prefixes=SystemOptions.current().customer_prefixes,
            # Nobody below the root gets its role, whatever the creating one has.
            roles=assignable_roles(self.actor, customer=parent).exclude(
                permissions__contains=[Permission.SYSTEM]
            ),
            free_numbers=free_numbers(parent),
            present_plan=self.present_plan(),
        )

    def present_plan(self) -> RatePlan | None:
        """The plan of the customer that the form is about, if it exists already."""
        return None

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Customers"), self.url("customers:customer-list"))]

    def form_context(self, form: CustomerForm) -> dict[str, Any]:
        plans = form.choices.effective
        return {"plan_values": {str(pk): plan_values(plans[pk]) for pk in plans}}


class CustomerCreatePage(CustomerFormPage):
    """The form carries the total that its page showed; the service compares it.

    A new page is told the price by its script. Whoever has none is asked again with it.
    """

    focuses_first = True
    form_class: type[CustomerForm]

    def price_seen(self) -> Decimal:
        """The total that the page showed; 0 as long as it showed none."""
        return total_of(self.request.POST.get("price_seen", "0"))

    def form_context(self, form: CustomerForm) -> dict[str, Any]:
        context, parent = super().form_context(form), self.form_parent()
        typed = form.data
        if not isinstance(typed, QueryDict):  # nothing was sent yet
            return context
        price = price_of_newcomer(parent, typed, by=self.actor)
        return context | sense_checks(parent, typed) | price

    def build_form(self, data: Any = None, files: Any = None) -> CustomerForm:
        return self.form_class(data, choices=self.choices())

    def breadcrumbs(self) -> list[Crumb]:
        return [
            *super().breadcrumbs(),
            Crumb(_("New"), self.url("customers:customer-new")),
        ]

    def cancel_url(self) -> str:
        return self.url("customers:customer-list")

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        if not self.choices().plans:
            return render(
                request,
                "customers/no_plan.html",
                self.page_context(back_url=self.cancel_url()),
            )
        return super().get(request, **kwargs)


class NormalCreate(CustomerCreatePage):
    form_class = NormalForm

    def title(self) -> str:
        return _("New normal customer")

    def save(self, form: NormalForm) -> str:
        customer = services.create_normal(
            parent=self.form_parent(),
            values=form.customer_values(),
            account=form.account_values(),
            taxes=form.tax_values(),
            administrator=form.administrator(),
            price_seen=self.price_seen(),
            by=self.actor,
        )
        return self.url("customers:customer-detail", pk=customer.pk)

    def success_message(self, form: NormalForm) -> str:
        return _("%(name)s is now your customer.") % {"name": form.cleaned_data["name"]}


class ResidentialCreate(CustomerCreatePage):
    form_class = ResidentialForm

    def title(self) -> str:
        return _("New residential customer")

    def save(self, form: ResidentialForm) -> str:
        made = residential.create_residential(
            parent=self.form_parent(),
            number=form.cleaned_data["number"],
            person=form.person(),
            values=form.customer_values(),
            account=form.account_values(),
            taxes=form.tax_values(),
            price_seen=self.price_seen(),
            by=self.actor,
        )
        show_once(
            self.request,
            f"customer:{made.customer.pk}",
            {
                str(_("SIP password")): made.line_password,
                str(_("Mailbox PIN")): made.mailbox_pin,
            },
        )
        return self.url("customers:customer-detail", pk=made.customer.pk)

    def success_message(self, form: ResidentialForm) -> str:
        return _("%(number)s is now your customer.") % {
            "number": form.cleaned_data["number"].number
        }

    def form_context(self, form: CustomerForm) -> dict[str, Any]:
        chosen = form["number"].value()
        return super().form_context(form) | picker_context(
            self.request, form.choices.free_numbers, chosen=str(chosen or "")
        )


class CustomerEdit(CustomerFormPage):
    @cached_property
    def customer(self) -> Customer:
        below = customers_below(self.actor).select_related("parent", "account__plan")
        return get_object_or_404(below, pk=self.kwargs["pk"], deleted_at=None)

    def present_plan(self) -> RatePlan:
        return self.customer.account.plan

    def form_parent(self) -> Customer:
        parent = self.customer.parent
        assert parent is not None
        return parent

    def build_form(self, data: Any = None, files: Any = None) -> EditForm:
        customer = self.customer
        return EditForm(
            data, choices=self.choices(), customer=customer, account=customer.account
        )

    def title(self) -> str:
        return _("Edit %(name)s") % {"name": self.customer.name}

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(self.customer.name, self.cancel_url())]

    def cancel_url(self) -> str:
        return self.url("customers:customer-detail", pk=self.kwargs["pk"])

    def save(self, form: EditForm) -> str:
        services.update_customer(
            customer=self.customer,
            values=form.customer_values(),
            account=form.account_values(),
            taxes=form.tax_values(),
            expected_version=form.cleaned_data["version"],
            by=self.actor,
        )
        return self.cancel_url()

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            form.data = form.data.copy()
            self.customer.refresh_from_db(fields=["version"])
            form.data["version"] = str(self.customer.version)
            late = self.customer.version - form.cleaned_data["version"]
            kwargs["stale"] = missed_changes(
                self.customer, reader=self.request.reach.own, count=late
            )
        return super().render_form(form, **kwargs)


class CustomerNew(PortalView):
    """The first question: normal or residential."""

    permission = Permission.COMMERCE

    def title(self) -> str:
        return _("New customer")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Customers"), self.url("customers:customer-list"))]

    def get(self, request: Any) -> HttpResponse:
        choices = [
            {
                "title": _("Normal"),
                "icon": "building-2",
                "text": _(
                    "A business. It may have every service: people, lines, numbers,"
                    " mailboxes, and customers of its own."
                ),
                "creates": [
                    _("An account on one of your rate plans"),
                    _("Its first administrator, who gets login details by e-mail"),
                ],
                "url": self.url("customers:normal-create"),
                "label": _("New normal customer"),
            },
            {
                "title": _("Residential"),
                "icon": "house",
                "text": _(
                    "A household with one telephone number and a small set of features."
                    " Nothing is left to set up afterwards."
                ),
                "creates": [
                    _("An account named by the number"),
                    _("A telephone line, a mailbox and a person with that number"),
                ],
                "url": self.url("customers:residential-create"),
                "label": _("New residential customer"),
            },
        ]
        return render(
            request, "customers/customer_new.html", self.page_context(choices=choices)
        )


class NameCheck(PortalView):
    """Whether a name is free, while one types."""

    permission = Permission.COMMERCE

    def get(self, request: Any) -> HttpResponse:
        name = " ".join(request.GET.get("name", "").replace("\0", "").split())[:200]
        except_id = row_id(request.GET.get("except", ""))
        taken = bool(name) and name_is_taken(name, except_id=except_id)
        return render(
            request, "customers/_name_check.html", {"name": name, "taken": taken}
        )


class UsernameCheck(PortalView):
    permission = Permission.ADMINISTRATOR

    def get(self, request: Any) -> HttpResponse:
        name = request.GET.get("person_username", "").replace("\0", "").strip()[:150]
        taken = bool(name) and username_is_taken(name)
        return render(
            request, "customers/_name_check.html", {"name": name, "taken": taken}
        )


class NumberPicker(PortalView):
    """The reseller's free numbers that match, as radio buttons for the form."""

    permission = Permission.COMMERCE

    def get(self, request: Any) -> HttpResponse:
        context = picker_context(
            request,
            free_numbers(self.request.reach.account),
            chosen=request.GET.get("number", ""),
        )
        return render(request, "customers/_number_options.html", context)


class WarningCheck(PortalView):
    """Sense checks of what is being typed, and what it will cost; nothing is saved."""

    permission = Permission.COMMERCE

    def post(self, request: Any) -> HttpResponse:
        parent = request.reach.account
        context = sense_checks(parent, request.POST, balance=self.balance())
        if "version" not in request.POST:  # which only a customer has that exists
            context |= price_of_newcomer(parent, request.POST, by=self.actor)
        return render(request, "customers/_warnings.html", context)

    def balance(self) -> Decimal:
        """Of the customer that is being edited; a new one has none yet."""
        pk = row_id(self.request.GET.get("customer", "")) or 0
        below = customers_below(self.actor).filter(pk=pk).select_related("account")
        customer = below.first()
        return customer.account.balance if customer else ZERO
