"""Commerce » Products, and their prices in the account's own rate plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.filters import OfferFilter, ProductFilter
from billing.forms.products import (
    FIXED,
    INHERITED,
    MARKUP,
    PlanProductForm,
    ProductForm,
)
from billing.models import Product, ProductException
from billing.product_selectors import products_to_price
from billing.services import products
from billing.services.charge_rows import taxes_of, tickable_taxes
from billing.views.charges import OfPlan, plan_crumbs
from billing.views.parts import account_of, own_currency
from portal.core.money import format_price, plain_amount
from portal.core.permissions import Permission
from portal.core.pills import pill
from portal.core.row_pages import RowConfirmPage, RowEditPage, RowFormPage
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, FormPage, ListPage
from rateplans.views.parts import plan_tabs

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
            Column("type", _("Type"), lambda p: p.get_type_display()),
            Column(
                "price",
                _("Price"),
                once_cell,
                sort="create_fee",
                align="end",
                narrow=True,
            ),
            Column("recurring", _("Recurring"), recurring_cell, align="end"),
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


def once_cell(product: Product) -> SafeString | str:
    if not product.create_fee:
        return ""
    price = format_price(product.create_fee, product.currency)
    return format_html('<span class="amount">{}</span>', price)


def recurring_cell(product: Product) -> SafeString | str:
    if not product.period:
        return ""
    return format_html(
        '<span class="amount">{}</span> {}',
        format_price(product.period_fee, product.currency),
        product.get_period_display(),
    )


def status_cell(product: Product) -> SafeString:
    if product.archived_at is not None:
        return pill("neutral", _("Archived"), "archive")
    return pill("success", _("On offer"))


class ProductFormPage(RowFormPage):
    permission = Permission.COMMERCE
    template_name = "billing/charge_form.html"
    list_title = gettext_lazy("Products")
    list_url = LIST

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
        products.create_product(
            owner=account_of(self),
            values=form.values(),
            taxes=form.cleaned_data["taxes"],
            by=self.actor,
        )
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
            "minutes": self.row.amount // 60 or None,
            "taxes": taxes_of(self.row),
        }
        return self.product_form(data, initial)

    def save(self, form: ProductForm) -> str:
        products.update_product(
            product=self.row,
            values=form.values(),
            taxes=form.cleaned_data["taxes"],
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
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


# --- Prices in a plan -----------------------------------------------------------------


class PlanProducts(OfPlan, ListPage):
    """Every product that customers on the plan may buy, with its price there."""

    template_name = "billing/plan_list.html"
    table_id = "plan-products"
    default_sort = "name"
    filterset_class = OfferFilter

    def title(self) -> str:
        return self.plan.name

    def breadcrumbs(self) -> list[Crumb]:
        return plan_crumbs(self, self.plan)[:1]

    def get_queryset(self) -> QuerySet[Product]:
        return products_to_price(account_of(self))

    @cached_property
    def exceptions(self) -> dict[int, ProductException]:
        rows = ProductException.objects.filter(plan=self.plan)
        return {row.product_id: row for row in rows}

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda p: p.name, sort="name", narrow=True),
            Column("type", _("Type"), lambda p: p.get_type_display()),
            Column("price", _("Price on this plan"), self.price_cell, narrow=True),
        )

    def price_cell(self, product: Product) -> str:
        row = self.exceptions.get(product.pk)
        return exception_text(row, product, self.plan.currency)

    def row_url(self, row: Product) -> str:
        return self.url("billing:plan-product", pk=self.plan.pk, product=row.pk)

    def empty(self) -> Empty:
        return Empty(
            icon="package",
            title=_("No product to price yet"),
            text=_("Products that your customers may buy are listed here."),
            action_url=self.url("billing:product-create"),
            action_label=_("Add the first product"),
        )

    def page_context(self, **context: Any) -> dict[str, Any]:
        subtitle = _("What customers on %(name)s pay, where it is not the usual price.")
        return super().page_context(
            subtitle=subtitle % {"name": self.plan.name},
            tabs=plan_tabs(self, self.plan, "products"),
            **context,
        )

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return super().get(request)


def exception_text(
    row: ProductException | None, product: Product, currency: str
) -> str:
    """A plan's own price in words: "€5.00 once, €1.00 monthly", "+10 % + €0.50"."""
    if row is None:
        return _("the usual price")
    period = product.get_period_display() if product.period else ""
    if row.uses_markups:
        parts = [_markup_text(row.create_markup, row.create_margin, currency)]
        if period:
            text = _markup_text(row.period_markup, row.period_margin, currency)
            parts.append(f"{period}: {text}")
        return ", ".join(parts)
    parts = [format_price(row.create_fee, currency)]
    if period:
        parts.append(f"{period}: {format_price(row.period_fee, currency)}")
    return ", ".join(parts)


def _markup_text(percent: Any, margin: Any, currency: str) -> str:
    sign = "+" if percent >= 0 else ""
    text = _("%(percent)s %%") % {"percent": f"{sign}{plain_amount(percent, places=0)}"}
    return f"{text} + {format_price(margin, currency)}" if margin else text


class PlanProduct(OfPlan, FormPage):
    """The price of one product on the plan."""

    template_name = "billing/charge_form.html"

    @cached_property
    def product(self) -> Product:
        offered = products_to_price(account_of(self))
        return get_object_or_404(offered, pk=self.kwargs["product"])

    @cached_property
    def present(self) -> ProductException | None:
        rows = ProductException.objects.filter(plan=self.plan, product=self.product)
        return rows.first()

    def title(self) -> str:
        return self.product.name

    def breadcrumbs(self) -> list[Crumb]:
        return [
            *plan_crumbs(self, self.plan),
            Crumb(_("Products"), self.cancel_url()),
        ]

    def cancel_url(self) -> str:
        return self.url("billing:plan-products", pk=self.plan.pk)

    def build_form(self, data: Any = None, files: Any = None) -> PlanProductForm:
        initial: dict[str, Any] = {"price": INHERITED}
        if row := self.present:
            names = products.EXCEPTION_FIELDS[1:]
            initial = {name: getattr(row, name) or None for name in names}
            initial["price"] = MARKUP if row.uses_markups else FIXED
        inherits = bool(self.plan.base_id or self.plan.inherits_own)
        return PlanProductForm(
            data,
            initial=initial,
            currency=self.plan.currency,
            recurs=bool(self.product.period),
            passes=_("As the plan that this one inherits from says")
            if inherits
            else _("The usual price"),
        )

    def save(self, form: PlanProductForm) -> str:
        products.set_exception(
            plan=self.plan, product=self.product, values=form.values(), by=self.actor
        )
        return self.cancel_url()
