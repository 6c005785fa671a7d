"""Commerce » Customers: the list and its export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.services.maxima import refusal_of_another
from billing.types import rules_of
from customers.choices import CustomerKind
from customers.filters.customers import CustomerFilter
from customers.models import Customer
from customers.selectors import (
    attention_counts,
    customers_below,
    with_residents,
)
from customers.views.attention import attention_links
from customers.views.parts import (
    status_pill,
)
from portal.core.csv import stream_csv
from portal.core.display import format_day
from portal.core.money import format_money
from portal.core.permissions import Permission
from portal.core.tables import BulkAction, Column, Empty, Table
from portal.core.urls import with_query
from portal.core.views import ListPage
from rateplans.choices import Feature


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
        """Customers whose credit needs somebody, with the way to them.

        Not over a list that was searched or turned: counting would cost more than the list.
        """
        if self.request.GET:
            return []
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
            Column("kind", _("Type"), lambda c: str(CustomerKind(c.kind).label)),
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
                _("Credit limit"),
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

    @cached_property
    def create_refusal(self) -> str:
        """Why rate plans allow no more customers; empty if they do (D 3.4)."""
        account = self.request.reach.account
        return refusal_of_another(account, Feature.ACCOUNT, by=self.actor)

    def page_actions(self) -> Sequence[dict[str, str]]:
        export = self.url("customers:customer-export")
        new = {
            "label": _("New"),
            "url": self.url("customers:customer-new"),
            "icon": "plus",
            "shortcut": "n",
        }
        return (
            {"refusal": self.create_refusal} if self.create_refusal else new,
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
            action_url=""
            if self.create_refusal
            else self.url("customers:customer-new"),
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
