"""Commerce » Rate plans » a plan » Products: what its customers pay for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.choices import ChargePeriod
from billing.filters import OfferFilter
from billing.forms.products import FIXED, INHERITED, MARKUP, PlanProductForm
from billing.models import Product, ProductException
from billing.pricing import Level
from billing.product_pricing import ProductPrice
from billing.product_selectors import load_product_prices, products_to_price
from billing.selectors import Rates, load_levels
from billing.services import products
from billing.services.quotes import level_of_newcomer
from billing.views.charges import OfPlan, plan_crumbs
from billing.views.losses import losses_on_plan
from billing.views.parts import account_of, due_text
from billing.views.products import type_cell
from portal.core.money import format_price, plain_amount
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, FormPage, ListPage
from rateplans.views.parts import plan_tabs, sources_of
from rateplans.wording import Sources


class OnPlan(OfPlan):
    """Mixed into pages about what customers on the plan pay for products."""

    @cached_property
    def newcomer(self: Any) -> Level:
        """A customer that is put on the plan today."""
        level: Level = level_of_newcomer(account_of(self), {"plan": self.plan})
        return level

    def prices_of(self: Any, offered: Iterable[Product]) -> dict[int, ProductPrice]:
        """What that customer pays; without those whose currency has no rate."""
        rates = Rates(self.newcomer.today)
        found = load_product_prices(offered, self.levels_of_plan(), rates=rates)
        return {pk: prices[-1] for pk, prices in found.items()}

    def levels_of_plan(self: Any) -> list[Level]:
        """From the top down to that customer."""
        return [*load_levels(account_of(self)), self.newcomer]


class PlanProducts(OnPlan, ListPage):
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

    @cached_property
    def prices(self) -> dict[int, ProductPrice]:
        """Of all products together, so that a longer list asks no more."""
        return self.prices_of(self.get_queryset())

    @cached_property
    def sources(self) -> Sources:
        return sources_of(account_of(self))

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda p: p.name, sort="name", narrow=True),
            Column("type", _("Type"), type_cell),
            Column("price", _("Price on this plan"), self.price_cell, narrow=True),
            Column("rule", _("Where it comes from"), self.rule_cell, narrow=True),
        )

    def price_cell(self, product: Product) -> SafeString | str:
        return price_text(product, self.prices.get(product.pk), self.plan.currency)

    def rule_cell(self, product: Product) -> str:
        if row := self.exceptions.get(product.pk):
            return rule_text(row, product, self.plan.currency)
        price = self.prices.get(product.pk)
        if price is None or price.plan is None:
            return _("the usual price")
        name = self.sources.name(price.plan, self.newcomer.plan.chain)
        return _("inherited from %(plan)s") % {"plan": name}

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
        subtitle = _("What customers on %(name)s pay for one, without taxes.")
        return super().page_context(
            subtitle=subtitle % {"name": self.plan.name},
            tabs=plan_tabs(self, self.plan, "products"),
            **context,
        )

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        return super().get(request)


def price_text(
    product: Product, price: ProductPrice | None, currency: str
) -> SafeString | str:
    """ "€80.00 once, €9.00 monthly" in the plan's currency."""
    if price is None:
        return _("No price: an exchange rate is missing")
    # Converted prices are shown to the places that prices are kept with.
    once, again = (
        format_price(round(amount, 9), currency)
        for amount in (price.create, price.period)
    )
    return format_html('<span class="amount">{}</span>', _told(once, again, product))


def rule_text(row: ProductException, product: Product, currency: str) -> str:
    """What the plan itself says: "set here", "+10 % + €0.50 once, -5 % monthly"."""
    if not row.uses_markups:
        return _("set here")
    once = _markup_text(row.create_markup, row.create_margin, currency)
    again = _markup_text(row.period_markup, row.period_margin, currency)
    return _told(once, again, product)


def _told(once: str, again: str, product: Product) -> str:
    if not product.period:
        return once
    once = due_text(once, ChargePeriod.ONCE)
    return f"{once}, {due_text(again, product.period)}"


def _markup_text(percent: Any, margin: Any, currency: str) -> str:
    sign = "+" if percent >= 0 else ""
    text = _("%(percent)s %%") % {"percent": f"{sign}{plain_amount(percent, places=0)}"}
    return f"{text} + {format_price(margin, currency)}" if margin else text


class PlanProduct(OnPlan, FormPage):
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
        for text in self.losses():
            messages.warning(self.request, text)
        return self.cancel_url()

    def losses(self) -> list[str]:
        """What to say if the plan's price is below what its owner pays, as they are now."""
        levels = self.levels_of_plan()
        rates = Rates(self.newcomer.today)
        prices = load_product_prices([self.product], levels, rates=rates)
        found = prices.get(self.product.pk)
        if found is None:
            return []
        is_own = self.product.owner_id == self.actor.customer.pk
        own = None if is_own or len(found) < 2 else found[-2]
        return losses_on_plan(self.product, found[-1], own, rates=rates)

    def form_context(self, form: Any) -> dict[str, Any]:
        price = self.prices_of([self.product]).get(self.product.pk)
        value = price_text(self.product, price, self.plan.currency)
        return {"facts": [{"label": _("Price on this plan"), "html": value}]}
