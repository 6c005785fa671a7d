"""Commerce » Customers: the list, one customer, its people and its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.models import BillingAccount
from billing.types import rules_of
from customers.audit_labels import describe
from customers.choices import Lock
from customers.emails import LOGIN_DETAILS
from customers.filters.customers import CustomerFilter
from customers.models import Customer, Person
from customers.selectors import (
    attention_counts,
    customers_below,
    latest_email,
    with_residents,
)
from customers.services.tree import deletion_refusals
from customers.views.attention import attention_links
from customers.views.parts import (
    account_items,
    address_items,
    balance_tiles,
    mail_state,
    settings_items,
    status_pill,
    telephony_items,
)
from customers.wizards.checks import warnings
from portal.core.csv import stream_csv
from portal.core.display import format_day
from portal.core.models import AuditEvent
from portal.core.money import format_money
from portal.core.permissions import Permission
from portal.core.reveal import take_shown_once
from portal.core.tables import BulkAction, Column, Empty, Table
from portal.core.urls import account_url, row_id, with_query
from portal.core.views import Crumb, ListPage, PortalView


class CustomerList(ListPage):
    """The customers below the account, the direct ones first of all."""

    permission = Permission.COMMERCE
    template_name = "customers/customer_list.html"
    table_id = "customers"
    default_sort = "name"
    filterset_class = CustomerFilter

    def title(self) -> str:
        return _("Customers")

    def page_context(self, **context: Any) -> dict[str, Any]:
        # Counted by the template only: the table alone does not show it.
        return super().page_context(attention=self.attention, **context)

    def attention(self) -> list[dict[str, str]]:
        """Customers whose credit needs somebody, with the way to them."""
        url = self.url("customers:customer-list")
        return attention_links(url, attention_counts(self.actor.customer))

    def get_queryset(self) -> QuerySet[Customer]:
        customers = customers_below(self.actor)
        order = self.request.GET.get("sort", "").lstrip("-")
        if order in {"balance", "credit"} and not self.is_wide:
            # The account's own provider leads into the index that is in this order.
            customers = customers.filter(account__provider=self.actor.customer.pk)
        return customers.select_related("account__plan")

    def table(self, queryset: QuerySet[Customer], *, is_filtered: bool) -> Table:
        return super().table(with_residents(queryset), is_filtered=is_filtered)

    @property
    def is_wide(self) -> bool:
        return self.request.GET.get("reach") == "all"

    def columns(self) -> Sequence[Column]:
        # Over the whole subtree only these two orders have an index to follow.
        by_account = "" if self.is_wide else "account__{}"
        return (
            Column("name", _("Name"), name_cell, sort="sort_key", narrow=True),
            Column(
                "number",
                _("Account number"),
                lambda c: c.account_number,
                sort="" if self.is_wide else "account_number",
            ),
            Column("kind", _("Type"), lambda c: c.get_kind_display()),
            Column("plan", _("Rate plan"), lambda c: c.account.plan.name),
            Column(
                "balance",
                _("Balance"),
                balance_cell,
                sort=by_account.format("balance"),
                align="end",
                narrow=True,
            ),
            Column(
                "credit",
                _("Credit"),
                credit_cell,
                sort=by_account.format("credit_limit"),
                align="end",
            ),
            Column("status", _("Status"), status_pill, narrow=True),
            Column(
                "created",
                _("Created"),
                lambda c: format_day(c.created_at),
                sort="created_at",
            ),
            Column("actions", "", switch_cell, align="end", narrow=True),
        )

    def row_url(self, row: Customer) -> str:
        return self.url("customers:customer-detail", pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        export = self.url("customers:customer-export")
        return (
            {
                "label": _("New"),
                "url": self.url("customers:customer-new"),
                "icon": "plus",
                "shortcut": "n",
            },
            {
                "label": _("Export CSV"),
                "url": with_query(export, self.request.GET),
                "icon": "download",
                "follows": "filters",
            },
        )

    def empty(self) -> Empty:
        return Empty(
            icon="users",
            title=_("Your customers will be listed here"),
            text=_(
                "Create the first one: it gets an account on one of your rate plans, and you"
                " can switch into it to add people, lines and numbers."
            ),
            action_url=self.url("customers:customer-new"),
            action_label=_("Create your first customer"),
        )

    def bulk_actions(self) -> Sequence[BulkAction]:
        return (
            BulkAction(
                "lock",
                _("Lock"),
                "lock",
                confirm=_(
                    "Lock the ticked customers out of the web interface and calls?"
                ),
                danger=True,
            ),
            BulkAction("unlock", _("Unlock"), "lock-open"),
            BulkAction("export", _("Export CSV"), "download", is_download=True),
        )

    def bulk_url(self) -> str:
        return with_query(self.url("customers:customer-bulk"), self.request.GET)


class CustomerExport(CustomerList):
    """The list as it is filtered, as CSV."""

    def get(self, request: Any) -> HttpResponseBase:
        filterset = self.filterset_class(
            request.GET, queryset=self.get_queryset(), request=request
        )
        return export_customers(filterset.qs.order_by("sort_key", "pk"))


def export_customers(customers: QuerySet[Customer]) -> StreamingHttpResponse:
    """A download of customers, read from the database as it is sent."""
    header = [
        _("Name"),
        _("Account number"),
        _("Type"),
        _("Rate plan"),
        _("Billing type"),
        _("Currency"),
        _("Balance"),
        _("Credit limit"),
        _("Locked"),
        _("Billing e-mail"),
        _("City"),
        _("Country"),
        _("Created"),
    ]
    return stream_csv("customers.csv", header, _export_rows(customers))


def _export_rows(customers: QuerySet[Customer]) -> Iterator[Sequence[object]]:
    for customer in customers.iterator(chunk_size=2000):
        account = customer.account
        yield (
            customer.name,
            customer.account_number,
            customer.get_kind_display(),
            account.plan.name,
            account.get_bill_type_display(),
            account.currency,
            account.balance,
            account.credit_limit,
            customer.get_lock_display(),
            customer.email,
            customer.address_city,
            customer.country,
            customer.created_at.isoformat(timespec="seconds"),
        )


def name_cell(customer: Any) -> SafeString | str:
    """The name; below the number that is a residential customer's, whose it is."""
    if not customer.resident:
        return str(customer.name)
    return format_html(
        '{}<bdi class="cell-sub">{}</bdi>', customer.name, customer.resident
    )


def balance_cell(customer: Customer) -> SafeString | str:
    account = customer.account
    if not rules_of(account.bill_type).uses_balance:
        return "–"
    amount = format_money(account.balance, account.currency)
    if account.balance < 0:
        return format_html('<span class="amount is-negative">{}</span>', amount)
    return format_html('<span class="amount">{}</span>', amount)


def credit_cell(customer: Customer) -> SafeString | str:
    account = customer.account
    if not rules_of(account.bill_type).uses_balance:
        return "–"
    return format_html(
        '<span class="amount">{}</span>',
        format_money(account.credit_limit, account.currency),
    )


def switch_cell(customer: Customer) -> SafeString | str:
    if customer.is_deleted:
        return ""
    # The form itself stands once on the page; each button only names its customer.
    return format_html(
        '<button class="btn btn-sm btn-secondary" type="submit" form="switch-form"'
        ' name="customer" value="{}" aria-label="{}">{}</button>',
        customer.pk,
        _("Switch to %(name)s") % {"name": customer.name},
        _("Switch"),
    )


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


def _charges_tab(view: PortalView, customer: Customer) -> list[tuple[str, str, str]]:
    """What a customer of a customer is charged is that one's business."""
    if customer.parent_id != view.actor.customer.pk:
        return []
    return [("charges", _("Charges"), "customers:customer-charges")]


def customer_tabs(
    view: PortalView, customer: Customer, current: str
) -> list[dict[str, Any]]:
    pages = (
        ("overview", _("Overview"), "customers:customer-detail"),
        ("account", _("Account"), "customers:customer-account"),
        *_charges_tab(view, customer),
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
        context = self.page_context(
            tiles=balance_tiles(customer),
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
                    )
                },
                provider=BillingAccount.objects.filter(
                    customer=self.actor.customer.pk
                ).first(),
            ),
            account_items=account_items(account),
            settings_items=settings_items(customer),
            telephony_items=telephony_items(customer),
            address_items=address_items(customer),
            feature_tiles=feature_tiles(customer),
            secrets=take_shown_once(request, f"customer:{customer.pk}"),
            state=mail_state(self, customer, latest_email(customer, LOGIN_DETAILS)),
            deletion_refusals=deletion_refusals(customer)
            if customer.is_deleted
            else [],
            may_move=self.actor.can(Permission.SYSTEM),
        )
        return render(request, "customers/customer_detail.html", context)


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
