"""Commerce » Receivables, and statements of open invoices for a customer and its provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from billing.models import BillingAccount, Invoice
from billing.receivables import (
    AGES,
    DAYS_30,
    DAYS_60,
    DAYS_90,
    MOST_SHOWN,
    NOT_DUE,
    OLDER,
    OpenInvoice,
    Statement,
    receivables_of,
    statement_of,
    sums_by_currency,
)
from billing.views.account_parts import amount_cell
from billing.views.invoice_cells import status_pill
from portal.core.csv import stream_csv
from portal.core.display import format_day
from portal.core.money import format_money, round_money
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.urls import with_query
from portal.core.views import Crumb, ListPage, PortalView

LIST = "billing:receivables"
LABELS = {
    NOT_DUE: gettext_lazy("Not due yet"),
    DAYS_30: gettext_lazy("1–30 days"),
    DAYS_60: gettext_lazy("31–60 days"),
    DAYS_90: gettext_lazy("61–90 days"),
    OLDER: gettext_lazy("Over 90 days"),
}


class ReceivableFilter(django_filters.FilterSet):
    """Those who owe something, by name and by how late the oldest of it is."""

    q = django_filters.CharFilter(label=gettext_lazy("Customer"), method="search")
    age = django_filters.ChoiceFilter(
        label=gettext_lazy("Age"),
        choices=[(age, LABELS[age]) for age in AGES],
        empty_label=gettext_lazy("Any age"),
        method="filter_age",
    )

    class Meta:
        model = BillingAccount
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[BillingAccount], name: str, value: str
    ) -> QuerySet[BillingAccount]:
        customers = self.request.reach.customers_named(value)
        return queryset.filter(customer__in=customers.order_by().values("pk"))

    def filter_age(
        self, queryset: QuerySet[BillingAccount], name: str, value: str
    ) -> QuerySet[BillingAccount]:
        return queryset.filter(**{f"{value}__gt": 0})


class Receivables(ListPage):
    """What all customers owe, by age."""

    permission = Permission.COMMERCE
    template_name = "billing/receivables/list.html"
    table_id = "receivables"
    default_sort = "customer"
    filterset_class = ReceivableFilter

    def title(self) -> str:
        return _("Receivables")

    def get_queryset(self) -> QuerySet[BillingAccount]:
        customer: Any = self.actor.customer
        today = local_date(customer.time_zone)
        return receivables_of(customer, on=today)

    def page_context(self, **context: Any) -> dict[str, Any]:
        # Summed by the template only: the table alone does not show it.
        return super().page_context(sums=self.sums, **context)

    def sums(self) -> list[dict[str, Any]]:
        """One row of tiles for each currency."""
        found = sums_by_currency(self.get_queryset())
        return [
            {"tiles": age_tiles(sums["owed"], sums, currency, url=self.url(LIST))}
            for currency, sums in sorted(found.items())
        ]

    def columns(self) -> Sequence[Column]:
        return (
            Column(
                "customer", _("Customer"), _customer, sort="customer__name", narrow=True
            ),
            *(Column(age, str(LABELS[age]), _part(age), align="end") for age in AGES),
            Column("owed", _("Open"), _part("owed"), align="end", narrow=True),
        )

    def row_url(self, row: BillingAccount) -> str:
        return self.url("billing:customer-open-items", pk=row.customer_id)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return [
            {
                "label": _("Export"),
                "url": with_query(
                    self.url("billing:receivables-export"), self.request.GET
                ),
                "icon": "download",
                "follows": "filters",
            }
        ]

    def empty(self) -> Empty:
        return Empty(
            icon="party-popper",
            title=_("Nobody owes you anything"),
            text=_("The open invoices of your customers will be listed here."),
        )


def age_tiles(
    total: Decimal, sums: dict[str, Any], currency: str, *, url: str = ""
) -> list[dict[str, Any]]:
    """What is open in all, and of which age; leading into the list at ``url``, if any."""
    tiles: list[dict[str, Any]] = [
        {"label": _("Open"), "value": format_money(total, currency), "icon": "wallet"}
    ]
    for age in AGES:
        late = age != NOT_DUE and sums[age]
        tiles.append(
            {
                "label": str(LABELS[age]),
                "value": format_money(sums[age], currency),
                "url": f"{url}?age={age}" if url and sums[age] else "",
                "kind": ("danger" if age in {DAYS_90, OLDER} else "warning")
                if late
                else "",
            }
        )
    return tiles


def _customer(row: BillingAccount) -> SafeString:
    return format_html(
        '<bdi>{}</bdi><span class="cell-sub">{}</span>',
        row.customer.name,
        row.customer.account_number,
    )


def _part(name: str) -> Any:
    def cell(row: Any) -> SafeString | str:
        amount = getattr(row, name)
        return amount_cell(amount, row.currency) if amount else "–"

    return cell


class ReceivablesExport(Receivables):
    def get(self, request: Any) -> HttpResponseBase:
        filterset = ReceivableFilter(
            request.GET, queryset=self.get_queryset(), request=request
        )
        header = [
            _("Customer"),
            _("Account number"),
            _("Currency"),
            *(str(LABELS[age]) for age in AGES),
            _("Open"),
        ]
        rows = filterset.qs.order_by("customer__name", "pk")
        return stream_csv("receivables.csv", header, _rows(rows))


def _rows(accounts: QuerySet[BillingAccount]) -> Iterator[Sequence[object]]:
    for row in accounts.iterator(chunk_size=500):
        yield (
            row.customer.name,
            row.customer.account_number,
            row.currency,
            *(round_money(getattr(row, age), row.currency) for age in AGES),
            round_money(row.owed, row.currency),  # type: ignore[attr-defined]
        )


class OpenItems(PortalView):
    """Base of the statements: open invoices with their ages, and payments."""

    template_name = "billing/receivables/statement.html"
    shown_to_customer = False

    @cached_property
    def account(self) -> BillingAccount:
        raise NotImplementedError

    @cached_property
    def statement(self) -> Statement:
        return statement_of(self.account, shown_to_customer=self.shown_to_customer)

    def invoice_url(self, invoice: Invoice) -> str:
        raise NotImplementedError

    def export_url(self) -> str:
        raise NotImplementedError

    def more(self) -> dict[str, Any]:
        return {}

    def title(self) -> str:
        return _("Open items")

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return render(request, self.template_name, self.context())

    def context(self) -> dict[str, Any]:
        statement, currency = self.statement, self.account.currency
        return self.page_context(
            tiles=age_tiles(statement.total, statement.by_age, currency),
            invoices=[
                {
                    "url": self.invoice_url(each.invoice),
                    "number": each.invoice.number,
                    "about": _about(each),
                    "open": format_money(each.invoice.open, currency),
                    "status": status_pill(each.invoice),
                }
                for each in statement.open[:MOST_SHOWN]
            ],
            nothing_open=self.nothing_open(),
            left_out=max(0, len(statement.open) - MOST_SHOWN),
            payments=[
                {
                    "url": self.payment_url(each.pk),
                    "day": format_day(each.received_on),
                    "method": each.get_method_display(),
                    "reference": each.reference,
                    "amount": format_money(each.amount, currency),
                    "is_reversed": each.is_reversed,
                }
                for each in statement.payments
            ],
            export_url=self.export_url(),
            **self.more(),
        )

    def payment_url(self, pk: int) -> str:
        return ""

    def nothing_open(self) -> str:
        return _("All invoices are paid.")


def _about(each: OpenInvoice) -> str:
    """Its days, how late it is, and of which amount the rest is still open."""
    invoice = each.invoice
    parts = []
    if invoice.issued_on:
        parts.append(_("dated %(day)s") % {"day": format_day(invoice.issued_on)})
    if invoice.due_day:
        parts.append(_("due %(day)s") % {"day": format_day(invoice.due_day)})
    if each.late > 0:
        text = ngettext("%(count)d day late", "%(count)d days late", each.late)
        parts.append(text % {"count": each.late})
    if invoice.settled:
        payable = format_money(invoice.payable, invoice.currency)
        parts.append(_("left of %(payable)s") % {"payable": payable})
    return " · ".join(parts)


class OpenItemsExport(OpenItems):
    """The same as CSV: invoices, then payments."""

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        customer = self.account.customer
        name = slugify(customer.name) or str(customer.pk)
        today = local_date(customer.time_zone)
        header = [
            _("Kind"),
            pgettext("document", "Number"),
            _("Date"),
            _("Due on"),
            _("Days late"),
            _("Amount"),
            _("Open"),
            _("Currency"),
            _("State"),
        ]
        return stream_csv(f"open-items-{name}-{today}.csv", header, self.rows())

    def rows(self) -> Iterator[Sequence[object]]:
        currency = self.account.currency
        for each in self.statement.open:
            invoice = each.invoice
            yield (
                _("Invoice"),
                invoice.number,
                invoice.issued_on,
                invoice.due_day,
                max(0, each.late),
                round_money(invoice.payable, currency),
                round_money(invoice.open, currency),
                currency,
                invoice.get_status_display(),
            )
        for payment in self.statement.payments:
            yield (
                _("Payment"),
                payment.reference,
                payment.received_on,
                None,
                None,
                round_money(payment.amount, currency),
                None,
                currency,
                pgettext("payment", "Taken back")
                if payment.is_reversed
                else _("Booked"),
            )


class OfCustomer(OpenItems):
    """What a customer owes, for its provider."""

    permission = Permission.COMMERCE

    @cached_property
    def account(self) -> BillingAccount:
        accounts = BillingAccount.objects.filter(provider=self.actor.customer.pk)
        return get_object_or_404(
            accounts.select_related("customer"), customer=self.kwargs["pk"]
        )

    def breadcrumbs(self) -> list[Crumb]:
        customer = self.account.customer
        return [
            Crumb(_("Receivables"), self.url(LIST)),
            Crumb(customer.name, self.url("customers:customer-detail", pk=customer.pk)),
        ]

    def invoice_url(self, invoice: Invoice) -> str:
        return self.url("billing:invoice-detail", pk=invoice.pk)

    def payment_url(self, pk: int) -> str:
        return self.url("billing:payment-detail", pk=pk)

    def export_url(self) -> str:
        return self.url(
            "billing:customer-open-items-export", pk=self.account.customer_id
        )

    def more(self) -> dict[str, Any]:
        customer = self.account.customer
        return {
            "subtitle": customer.name,
            "pay_url": self.url("billing:payment-new", pk=customer.pk),
        }


class CustomerOpenItems(OfCustomer):
    pass


class CustomerOpenItemsExport(OfCustomer, OpenItemsExport):
    pass


class OfOwn(OpenItems):
    """What an account owes its provider, for its own people."""

    permission = Permission.REPORTS
    shown_to_customer = True

    @cached_property
    def account(self) -> BillingAccount:
        accounts = BillingAccount.objects.select_related("customer")
        return get_object_or_404(accounts, customer=self.actor.customer.pk)

    def invoice_url(self, invoice: Invoice) -> str:
        return self.url("billing:own-invoice-detail", pk=invoice.pk)

    def export_url(self) -> str:
        return self.url("billing:own-open-items-export")


class OwnOpenItems(OfOwn):
    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        if not BillingAccount.objects.filter(customer=self.actor.customer.pk).exists():
            return self.without_account()
        return super().get(request)

    def without_account(self) -> HttpResponse:
        """The system owner owes nobody."""
        empty = Empty(
            icon="party-popper",
            title=_("You owe nothing"),
            text=_("The system owner has no account with anybody."),
        )
        context = self.page_context(empty=empty)
        return render(self.request, "_empty_page.html", context)


class OwnOpenItemsExport(OfOwn, OpenItemsExport):
    pass
