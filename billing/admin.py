"""Accounts and taxes in the Django admin; nothing here can move a balance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import BillingAccount, Tax, TaxLiability
from portal.core.actor import TenantRow
from portal.core.admin_base import EditableAdmin, ReadOnlyAdmin, ReadOnlyInline
from portal.core.money import format_money


class LiabilityInline(ReadOnlyInline):
    model = TaxLiability
    fields = ("tax",)
    verbose_name_plural = _("taxes liable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("tax")


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnlyAdmin):
    """What customers and their parents owe each other."""

    list_display = (
        "customer",
        "provider",
        "plan",
        "bill_type",
        "balance_shown",
        "credit_shown",
        "payment_type",
    )
    list_filter = ("bill_type", "payment_type")
    list_select_related = ("customer", "provider", "plan")
    ordering = ("-pk",)
    related_search = ("customer", "provider")
    search_help_text = _("The customer, or whose customer it is.")
    inlines = (LiabilityInline,)

    @admin.display(description=_("balance"))
    def balance_shown(self, obj: BillingAccount) -> str:
        return format_money(obj.balance, obj.currency)

    @admin.display(description=_("credit limit"))
    def credit_shown(self, obj: BillingAccount) -> str:
        return format_money(obj.credit_limit, obj.currency)


@admin.register(Tax)
class TaxAdmin(EditableAdmin):
    """Taxes; one that accounts are liable for cannot be deleted."""

    noun = "tax"
    list_display = ("name", "owner", "rate", "amount", "liable", "is_shared")
    list_filter = ("liable", "is_shared")
    list_select_related = ("owner",)
    related_search = ("owner",)
    search_fields = ("name",)
    autocomplete_fields = ("owner",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Accounts are liable because of whose it is: the owner never changes."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "owner"] if obj else fields

    def account_of(self, request: Any, obj: Any) -> TenantRow:
        owner: TenantRow = obj.owner
        return owner


@admin.register(TaxLiability)
class TaxLiabilityAdmin(ReadOnlyAdmin):
    """Which account is liable for which tax."""

    list_display = ("account", "tax")
    list_select_related = ("account__customer", "tax")
    ordering = ("-pk",)
    related_search = ("account", "tax")
