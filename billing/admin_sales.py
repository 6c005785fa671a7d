"""Charges, products and exchange rates in the Django admin, to look at.

They are changed on the portal's own pages, whose services know what was charged already.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import (
    CallTime,
    Charge,
    ExchangeRate,
    ExtraCalls,
    Product,
    ProductException,
)
from portal.core.admin_base import ReadOnlyAdmin, ReadOnlyInline
from portal.core.money import format_price


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ReadOnlyAdmin):
    """How much of each currency one euro bought, day by day."""

    list_display = ("currency", "on", "rate")
    list_filter = ("currency",)
    date_hierarchy = "on"
    ordering = ("-on", "currency")
    search_fields = ("currency",)


@admin.register(Charge)
class ChargeAdmin(ReadOnlyAdmin):
    """Extra items on customers and on rate plans."""

    list_display = (
        "name",
        "owner",
        "customer",
        "plan",
        "price_shown",
        "quantity",
        "period",
        "next_on",
        "ended_at",
    )
    list_filter = ("period", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("owner", "account__customer", "plan")
    ordering = ("-pk",)
    related_search = ("owner",)
    search_fields = ("name",)
    search_help_text = _("The name of a charge, or who gets the money.")

    @admin.display(description=_("customer"))
    def customer(self, obj: Charge) -> str:
        return str(obj.account.customer) if obj.account else ""

    @admin.display(description=_("price"))
    def price_shown(self, obj: Charge) -> str:
        return format_price(obj.amount, obj.currency)


class ProductExceptionInline(ReadOnlyInline):
    model = ProductException
    fields = ("plan", "uses_markups", "create_fee", "period_fee")


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    """What resellers sell besides calls."""

    list_display = (
        "name",
        "owner",
        "type",
        "price_shown",
        "period",
        "recurring_shown",
        "reach",
        "archived_at",
    )
    list_filter = (
        "type",
        "period",
        "reach",
        ("archived_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("owner",)
    ordering = ("-pk",)
    related_search = ("owner",)
    search_fields = ("name", "description")
    search_help_text = _("The name of a product, or who sells it.")
    inlines = (ProductExceptionInline,)

    @admin.display(description=_("price"))
    def price_shown(self, obj: Product) -> str:
        return format_price(obj.create_fee, obj.currency)

    @admin.display(description=_("recurring price"))
    def recurring_shown(self, obj: Product) -> str:
        return format_price(obj.period_fee, obj.currency) if obj.period else ""


@admin.register(ProductException)
class ProductExceptionAdmin(ReadOnlyAdmin):
    """Prices of products in rate plans."""

    list_display = (
        "product",
        "plan",
        "uses_markups",
        "create_fee",
        "create_markup",
        "create_margin",
    )
    list_filter = ("uses_markups",)
    list_select_related = ("product", "plan")
    ordering = ("-pk",)
    related_search = ("product", "plan")


@admin.register(CallTime)
class CallTimeAdmin(ReadOnlyAdmin):
    """Seconds that accounts bought, and what is left of them."""

    list_display = ("customer", "seconds", "remaining", "expires_on")
    list_select_related = ("account__customer",)
    date_hierarchy = "expires_on"
    ordering = ("-pk",)
    related_search = ("account",)

    @admin.display(description=_("customer"))
    def customer(self, obj: CallTime) -> str:
        return str(obj.account.customer)


@admin.register(ExtraCalls)
class ExtraCallsAdmin(ReadOnlyAdmin):
    """Calls at once that accounts bought, and what pays for them."""

    list_display = ("customer", "type", "calls", "charge")
    list_filter = ("type",)
    list_select_related = ("account__customer", "charge")
    ordering = ("-pk",)
    related_search = ("account",)

    @admin.display(description=_("customer"))
    def customer(self, obj: ExtraCalls) -> str:
        return str(obj.account.customer)
