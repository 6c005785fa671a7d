"""One customer: its page, its people and its history."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from billing.invoicing.readiness import buyer_gaps, debit_gaps
from billing.models import BillingAccount, TaxLiability
from billing.selectors import seller_of
from billing.views.readiness import readiness_sign
from customers.audit_labels import describe
from customers.choices import Lock
from customers.mail_kinds import LOGIN_DETAILS
from customers.models import Customer, Person
from customers.selectors import (
    customers_below,
    latest_email,
)
from customers.services.tree import deletion_refusals
from customers.views.parts import (
    account_items,
    address_items,
    balance_tiles,
    buyer_items,
    mail_state,
    settings_items,
    status_pill,
    telephony_items,
)
from customers.wizards.checks import warnings
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.reveal import take_shown_once
from portal.core.urls import account_url, row_id
from portal.core.views import Crumb, PortalView
from rateplans.models import RatePlan


class CustomerPage(PortalView):
    """Base of the pages about one customer below: header, tabs, its row."""

    permission = Permission.COMMERCE
    tab: str

    @cached_property
    def customer(self) -> Customer:
        below = customers_below(self.actor).select_related(
            "parent", "account__plan__dial_plan", "region", "dial_plan"
        )
        return get_object_or_404(below, pk=self.kwargs["pk"])

    def title(self) -> str:
        return self.customer.name

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Customers"), self.url("customers:customer-list"))]

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(
            **customer_head(self, self.customer, self.tab), **context
        )


def customer_head(view: PortalView, customer: Customer, tab: str) -> dict[str, Any]:
    """What stands above every page about a customer (customers/_customer_page.html)."""
    return {
        "customer": customer,
        "status": status_pill(customer),
        "subtitle": _("%(kind)s customer · account %(number)s")
        % {"kind": customer.get_kind_display(), "number": customer.account_number},
        "is_locked": customer.lock != Lock.NONE,
        "tabs": customer_tabs(view, customer, tab),
    }


def _own_tabs(view: PortalView, customer: Customer) -> list[tuple[str, str, str]]:
    """What a customer of a customer is charged and invoiced is that one's business."""
    if customer.parent_id != view.actor.customer.pk:
        return []
    return [
        ("invoices", _("Invoices"), "customers:customer-invoices"),
        ("charges", _("Charges"), "customers:customer-charges"),
    ]


def customer_tabs(
    view: PortalView, customer: Customer, current: str
) -> list[dict[str, Any]]:
    pages = (
        ("overview", _("Overview"), "customers:customer-detail"),
        ("account", _("Account"), "customers:customer-account"),
        *_own_tabs(view, customer),
        ("people", _("People"), "customers:customer-people"),
        ("notes", _("Notes"), "customers:customer-notes"),
        ("history", _("History"), "customers:customer-history"),
    )
    return [
        {
            "label": label,
            "url": view.url(name, pk=customer.pk),
            "current": key == current,
        }
        for key, label, name in pages
    ]


class CustomerDetail(CustomerPage):
    """What a customer is, what it owes, and what happens next."""

    tab = "overview"

    def get(self, request: Any, pk: int) -> HttpResponse:
        customer, account = self.customer, self.customer.account
        seller = seller_of(self.actor.customer)
        liabilities = TaxLiability.objects.select_related("tax")
        prefetch_related_objects([account], Prefetch("liabilities", liabilities))
        context = self.page_context(
            tiles=balance_tiles(
                customer,
                account_url=self.url("customers:customer-account", pk=customer.pk),
                plan_url=self.plan_url(account.plan),
            ),
            warnings=warnings(
                plan=account.plan,
                values={
                    name: getattr(account, name)
                    for name in (
                        "bill_type",
                        "currency",
                        "credit_limit",
                        "low_balance",
                        "auto_topup",
                        "payment_type",
                        "bank_account_number",
                        "debited_iban",
                        "vat_treatment",
                    )
                },
                provider=BillingAccount.objects.filter(
                    customer=self.actor.customer.pk
                ).first(),
                balance=account.balance,
                taxes=[liable.tax for liable in account.liabilities.all()],
            ),
            account_items=account_items(account),
            settings_items=settings_items(customer),
            telephony_items=telephony_items(customer),
            address_items=address_items(customer),
            buyer_items=buyer_items(account),
            readiness=None
            if customer.is_deleted
            else readiness_sign(
                [
                    *buyer_gaps(account, customer, seller=seller),
                    *debit_gaps(account, seller),
                ],
                account=self.actor.customer.pk,
                customer=customer.pk,
            ),
            feature_tiles=feature_tiles(customer),
            secrets=take_shown_once(request, f"customer:{customer.pk}"),
            state=mail_state(self, customer, latest_email(customer, LOGIN_DETAILS)),
            deletion_refusals=deletion_refusals(customer)
            if customer.is_deleted
            else [],
            may_move=self.actor.can(Permission.SYSTEM),
        )
        return render(request, "customers/customer_detail.html", context)

    def plan_url(self, plan: RatePlan) -> str:
        """The page of the plan, if it is one's own: plans of others are theirs alone."""
        if plan.owner_id != self.actor.customer.pk:
            return ""
        return self.url("rateplans:plan-edit", pk=plan.pk)


def feature_tiles(customer: Customer) -> list[dict[str, Any]]:
    """How many of each feature the customer has; each leads to the page inside it."""
    people = Person.objects.filter(customer=customer, is_pseudo=False)
    features: tuple[tuple[str, QuerySet[Any], str, str], ...] = (
        (_("People"), people, "users", "person-list"),
        (_("Telephone lines"), customer.lines.all(), "phone", "line-list"),
        (_("Numbers"), customer.numbers.all(), "hash", "number-list"),
        (_("Mailboxes"), customer.mailboxes.all(), "voicemail", "mailbox-list"),
    )
    return [
        {
            "label": label,
            "value": rows.count(),
            "icon": icon,
            "url": ""
            if customer.is_deleted
            else account_url(customer.pk, f"customers:{page}"),
        }
        for label, rows, icon, page in features
    ]


class LoginMailState(CustomerPage):
    """The state of the login mail, asked for again while it is on its way."""

    tab = "overview"

    def get(self, request: Any, pk: int) -> HttpResponseBase:
        state = mail_state(
            self, self.customer, latest_email(self.customer, LOGIN_DETAILS)
        )
        return render(
            request,
            "customers/_mail_state.html",
            {"state": state, "customer": self.customer},
        )


class CustomerPeople(CustomerPage):
    """People for this customer, each with Switch (D 7.5)."""

    tab = "people"

    def get(self, request: Any, pk: int) -> HttpResponse:
        people = (
            Person.objects.filter(customer=self.customer, is_pseudo=False)
            .select_related("role")
            .order_by("username_key")[:500]
        )
        return render(
            request, "customers/customer_people.html", self.page_context(people=people)
        )


class CustomerHistory(CustomerPage):
    """Who changed what, with old and new values."""

    tab = "history"
    size = 30

    def get(self, request: Any, pk: int) -> HttpResponse:
        before = row_id(request.GET.get("before", ""))
        events = (
            AuditEvent.objects.filter(customer=self.customer)
            .select_related("person__customer")
            .prefetch_related("changes")
            .order_by("-pk")
        )
        if before is not None:
            events = events.filter(pk__lt=before)
        found = list(events[: self.size + 1])
        more = found[self.size - 1].pk if len(found) > self.size else None
        reader = request.reach.own
        context = self.page_context(
            events=[describe(event, reader=reader) for event in found[: self.size]],
            more=more,
        )
        return render(request, "customers/customer_history.html", context)
