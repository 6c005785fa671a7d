"""Commerce » Products, and their prices in the account's own rate plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import CALL_TYPES, ProductType
from billing.filters import ProductFilter
from billing.forms.products import ProductForm
from billing.models import Product
from billing.services import products
from billing.services.charge_rows import taxes_of, tickable_taxes
from billing.views.call_parts import more_calls
from billing.views.losses import losses_of_product
from billing.views.parts import account_of, due_text, own_currency
from portal.core.money import format_price
from portal.core.permissions import Permission
from portal.core.pills import pill
from portal.core.row_pages import RowConfirmPage, RowEditPage, RowFormPage
from portal.core.tables import Column, Empty
from portal.core.views import ListPage

LIST = "billing:product-list"
EDIT = "billing:product-edit"


class ProductList(ListPage):
    permission = Permission.COMMERCE
    table_id = "products"
    default_sort = "name"
    filterset_class = ProductFilter

    def title(self) -> str:
        return _("Products")

    def get_queryset(self) -> QuerySet[Product]:
        return Product.objects.filter(owner=self.actor.customer.pk)

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda p: p.name, sort="name", narrow=True),
            Column("type", _("Type"), type_cell),
            Column(
                "price",
                _("Price"),
                once_cell,
                sort="create_fee",
                align="end",
                narrow=True,
            ),
            Column(
                "recurring", _("Recurring"), recurring_cell, align="end", narrow=True
            ),
            Column("reach", _("Offered to"), lambda p: p.get_reach_display()),
            Column("status", _("Status"), status_cell, narrow=True),
        )

    def row_url(self, row: Product) -> str:
        return self.url(EDIT, pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return (
            {
                "label": _("New"),
                "url": self.url("billing:product-create"),
                "icon": "plus",
                "shortcut": "n",
            },
        )

    def empty(self) -> Empty:
        return Empty(
            icon="package",
            title=_("Nothing to sell yet"),
            text=_(
                "Telephones, services, blocks of minutes: what you enter here your"
                " customers buy themselves at Actions » Purchase."
            ),
            action_url=self.url("billing:product-create"),
            action_label=_("Add the first product"),
        )


def type_cell(product: Product) -> str:
    """What one gives: calls at once with their number."""
    if product.type in CALL_TYPES:
        return more_calls(product.type, product.amount)
    return str(product.get_type_display())


def once_cell(product: Product) -> SafeString | str:
    if not product.create_fee:
        return ""
    price = format_price(product.create_fee, product.currency)
    return format_html('<span class="amount">{}</span>', price)


def recurring_cell(product: Product) -> SafeString | str:
    if not product.period:
        return ""
    price = format_price(product.period_fee, product.currency)
    return format_html(
        '<span class="amount">{}</span>', due_text(price, product.period)
    )


def status_cell(product: Product) -> SafeString:
    if product.archived_at is not None:
        return pill("neutral", _("Archived"), "archive")
    return pill("success", _("On offer"))


def amount_fields(product: Product) -> dict[str, int]:
    """How much it gives, in the field of its type."""
    if product.type == ProductType.CALL_TIME:
        return {"minutes": product.amount // 60}
    return {"calls": product.amount} if product.type in CALL_TYPES else {}


class ProductFormPage(RowFormPage):
    permission = Permission.COMMERCE
    template_name = "billing/charge_form.html"
    list_title = gettext_lazy("Products")
    list_url = LIST

    def warn_of_losses(self, product: Product) -> None:
        for text in losses_of_product(product):
            messages.warning(self.request, text)

    def product_form(self, data: Any, initial: dict[str, Any]) -> ProductForm:
        taxes = tickable_taxes(account_of(self))
        return ProductForm(data, initial=initial, taxes=taxes)


class ProductCreate(ProductFormPage):
    focuses_first = True

    def title(self) -> str:
        return _("New product")

    def build_form(self, data: Any = None, files: Any = None) -> ProductForm:
        fresh = Product(currency=own_currency(self))
        initial = {name: getattr(fresh, name) for name in products.FIELDS}
        for name in ("create_fee", "create_buy", "period_fee", "period_buy"):
            initial[name] = None
        taxes = tickable_taxes(account_of(self))
        initial["taxes"] = [tax for tax in taxes if tax.applies_products]
        return self.product_form(data, initial)

    def save(self, form: ProductForm) -> str:
        product = products.create_product(
            owner=account_of(self),
            values=form.values(),
            taxes=form.cleaned_data["taxes"],
            by=self.actor,
        )
        self.warn_of_losses(product)
        return self.url(LIST)

    def success_message(self, form: ProductForm) -> str:
        return _("The product is on offer.")


class OwnProduct:
    """Mixed into a page about one product of the account."""

    def rows(self: Any) -> QuerySet[Product]:
        return Product.objects.filter(owner=self.actor.customer.pk)


class ProductEdit(OwnProduct, RowEditPage, ProductFormPage):
    state_fields = products.FIELDS

    def title(self) -> str:
        return str(self.row)

    def build_form(self, data: Any = None, files: Any = None) -> ProductForm:
        initial = self.initial() | {
            **amount_fields(self.row),
            "taxes": taxes_of(self.row),
        }
        return self.product_form(data, initial)

    def save(self, form: ProductForm) -> str:
        product = products.update_product(
            product=self.row,
            values=form.values(),
            taxes=form.cleaned_data["taxes"],
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        self.warn_of_losses(product)
        return self.url(LIST)

    def form_context(self, form: Any) -> dict[str, Any]:
        row = self.row
        facts = [
            {"label": _("Status"), "html": status_cell(row)},
            {
                "label": _("Profit on one"),
                "value": format_price(row.create_fee - row.create_buy, row.currency),
            },
        ]
        if row.period:
            facts.append(
                {
                    "label": _("Recurring profit"),
                    "value": format_price(
                        row.period_fee - row.period_buy, row.currency
                    ),
                }
            )
        return {"facts": facts, "steps": [self.step()]}

    def step(self) -> dict[str, Any]:
        url = self.url("billing:product-archive", pk=self.row.pk)
        if self.row.archived_at is not None:
            return {
                "title": _("Offer again"),
                "text": _("Customers can buy it again."),
                "icon": "undo-2",
                "label": _("Offer again"),
                "url": url,
            }
        return {
            "title": _("Archive"),
            "text": _("It is offered no more; what was sold goes on."),
            "icon": "archive",
            "label": _("Archive"),
            "url": url,
            "is_danger": True,
        }


class ProductArchive(OwnProduct, RowConfirmPage):
    permission = Permission.COMMERCE
    list_title = gettext_lazy("Products")
    list_url = LIST
    edit_url = EDIT
    is_danger = False

    @property
    def is_archived(self) -> bool:
        return self.row.archived_at is not None

    @property
    def submit_label(self) -> str:
        return _("Offer again") if self.is_archived else _("Archive")

    def title(self) -> str:
        text = _("Offer %(name)s again") if self.is_archived else _("Archive %(name)s")
        return text % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        if self.is_archived:
            return (_("Customers can buy it again."),)
        return (
            _("Nobody can buy it any more."),
            _("Recurring charges of those who bought it go on."),
        )

    def save(self, form: forms.BaseForm) -> str:
        products.set_archived(
            product=self.row, is_archived=not self.is_archived, by=self.actor
        )
        return self.cancel_url()
