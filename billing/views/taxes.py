"""Commerce » Taxes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.filters import TaxFilter
from billing.forms.taxes import TaxExampleForm, TaxForm
from billing.models import Tax
from billing.services import taxes
from billing.taxes import tax_parts
from billing.views.parts import account_of, own_currency
from portal.core.money import ZERO, format_money, plain_amount
from portal.core.permissions import Permission
from portal.core.pills import pill
from portal.core.row_pages import RowConfirmPage, RowEditPage, RowFormPage
from portal.core.tables import Column, Empty, Table
from portal.core.views import ListPage, PortalView
from rateplans.views.plans import MOST_COUNTED, customers_cell

LIST = "billing:tax-list"
EDIT = "billing:tax-edit"
EXAMPLE_PRICE = Decimal(100)
_LIABLE = """(
    SELECT count(*) FROM (
        SELECT 1 FROM billing_taxliability liability
        WHERE liability.tax_id = billing_tax.id
        LIMIT %s
    ) counted
)"""


class TaxList(ListPage):
    permission = Permission.COMMERCE
    table_id = "taxes"
    default_sort = "name"
    filterset_class = TaxFilter

    def title(self) -> str:
        return _("Taxes")

    def get_queryset(self) -> QuerySet[Tax]:
        return Tax.objects.filter(owner=self.actor.customer.pk)

    def table(self, queryset: QuerySet[Tax], *, is_filtered: bool) -> Table:
        customers = RawSQL(_LIABLE, [MOST_COUNTED + 1])
        rows = queryset.annotate(customers=customers)
        return super().table(rows, is_filtered=is_filtered)

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda tax: tax.name, sort="name", narrow=True),
            Column("rate", _("Rate"), rate_cell, sort="rate", align="end", narrow=True),
            Column("amount", _("Amount"), amount_cell, align="end", narrow=True),
            Column("kind", _("Kind"), kind_cell),
            Column("applies", _("Applies to"), applies_cell),
            Column(
                "liable", _("Liable by default"), lambda tax: tax.get_liable_display()
            ),
            Column(
                "customers",
                _("Customers liable"),
                customers_cell,
                align="end",
            ),
            Column("shared", _("Shared"), shared_cell),
        )

    def row_url(self, row: Tax) -> str:
        return self.url(EDIT, pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return (
            {
                "label": _("New"),
                "url": self.url("billing:tax-create"),
                "icon": "plus",
                "shortcut": "n",
            },
        )

    def empty(self) -> Empty:
        return Empty(
            icon="percent",
            title=_("No tax yet"),
            text=_(
                "A tax is added to what your customers pay: a percentage, an amount, or"
                " both. Make one and choose who is liable."
            ),
            action_url=self.url("billing:tax-create"),
            action_label=_("Add the first tax"),
        )


def percent(rate: Decimal) -> str:
    """A rate as people of the active language write it: "7.5 %"."""
    return _("%(rate)s %%") % {"rate": plain_amount(rate, places=0)}


def rate_cell(tax: Tax) -> str:
    return percent(tax.rate) if tax.rate else ""


def amount_cell(tax: Tax) -> str:
    return format_money(tax.amount, tax.currency) if tax.amount else ""


def kind_cell(tax: Tax) -> str:
    """Whether it stands in the VAT breakdown of invoices or as a surcharge beside it."""
    return _("VAT or GST") if tax.is_vat else _("Other levy")


def applies_cell(tax: Tax) -> str:
    switches = [name for name in taxes.FIELDS if name.startswith("applies_")]
    ticked = [name for name in switches if getattr(tax, name)]
    if len(ticked) == len(switches):
        return _("everything")
    fields: list[Any] = [Tax._meta.get_field(name) for name in ticked]
    return ", ".join(str(field.verbose_name) for field in fields) or _("nothing")


def shared_cell(tax: Tax) -> str:
    return pill("info", _("With everybody"), "share-2") if tax.is_shared else ""


class TaxFormPage(RowFormPage):
    permission = Permission.COMMERCE
    template_name = "billing/tax_form.html"
    list_title = gettext_lazy("Taxes")
    list_url = LIST

    def form_context(self, form: Any) -> dict[str, Any]:
        values = form.data if form.is_bound else form.initial
        return {"example": worked_example(TaxExampleForm(values))}


class TaxCreate(TaxFormPage):
    focuses_first = True

    def title(self) -> str:
        return _("New tax")

    def build_form(self, data: Any = None, files: Any = None) -> TaxForm:
        fresh = Tax(currency=own_currency(self))
        initial = {name: getattr(fresh, name) for name in taxes.FIELDS}
        initial |= {"rate": None, "amount": None}
        owner = account_of(self)
        return TaxForm(data, initial=initial, may_share=taxes.may_share(owner))

    def save(self, form: TaxForm) -> str:
        self.tax = taxes.create_tax(
            owner=account_of(self), values=form.values(), by=self.actor
        )
        return self.url(LIST)

    def success_message(self, form: TaxForm) -> str:
        count = self.tax.liabilities.count()
        return ngettext(
            "The tax is there, and %(count)d customer is liable for it.",
            "The tax is there, and %(count)d customers are liable for it.",
            count,
        ) % {"count": count}


class OwnTax:
    """Mixed into a page about one tax of the account."""

    def rows(self: Any) -> QuerySet[Tax]:
        return Tax.objects.filter(owner=self.actor.customer.pk)


class TaxEdit(OwnTax, RowEditPage, TaxFormPage):
    state_fields = taxes.FIELDS

    def title(self) -> str:
        return str(self.row)

    def build_form(self, data: Any = None, files: Any = None) -> TaxForm:
        may_share = taxes.may_share(account_of(self))
        return TaxForm(data, initial=self.initial(), may_share=may_share)

    def save(self, form: TaxForm) -> str:
        taxes.update_tax(
            tax=self.row,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.url(LIST)

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {
            "delete_url": self.url("billing:tax-delete", pk=self.row.pk)
        }


class TaxDelete(OwnTax, RowConfirmPage):
    permission = Permission.COMMERCE
    list_title = gettext_lazy("Taxes")
    list_url = LIST
    edit_url = EDIT
    submit_label = gettext_lazy("Delete")

    def title(self) -> str:
        return _("Delete %(name)s") % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        return (_("Nothing uses the tax; it is gone for good."),)

    def refusal(self) -> str:
        reasons = taxes.deletion_refusals(self.row)
        return " ".join([_("The tax is in use."), *reasons]) if reasons else ""

    def save(self, form: forms.BaseForm) -> str:
        taxes.delete_tax(tax=self.row, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: Any) -> str:
        return _("Deleted.")


class TaxExample(PortalView):
    """The worked example, asked for again while one types."""

    permission = Permission.COMMERCE

    def title(self) -> str:
        return _("Taxes")

    def get(self, request: Any) -> HttpResponse:
        example = worked_example(TaxExampleForm(request.GET))
        return render(request, "billing/_tax_example.html", {"example": example})


def worked_example(form: TaxExampleForm) -> dict[str, str]:
    """What the tax adds to a price of 100, step by step; empty if it cannot be told."""
    if not form.is_valid():
        return {}
    if not form.cleaned_data["rate"] and not form.cleaned_data["amount"]:
        return {}
    currency = form.cleaned_data["currency"]
    tax = Tax(
        pk=0,
        rate=form.cleaned_data["rate"] or ZERO,
        amount=form.cleaned_data["amount"] or ZERO,
        currency=currency,
    )
    parts = tax_parts(EXAMPLE_PRICE, [tax], currency=currency, convert=_unconverted)
    sum_of_taxes = parts[0].amount if parts else ZERO
    net = format_money(EXAMPLE_PRICE, currency)
    steps = [f"{net} × {percent(tax.rate)}"] if tax.rate else []
    if tax.amount:
        steps.append(format_money(tax.amount, currency))
    return {
        "net": net,
        "steps": " + ".join(steps),
        "tax": format_money(sum_of_taxes, currency),
        "gross": format_money(EXAMPLE_PRICE + sum_of_taxes, currency),
    }


def _unconverted(amount: Decimal, currency: str, wanted: str) -> Decimal:
    return amount
