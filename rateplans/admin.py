"""Rate plans and number classes in the Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.core.actor import TenantRow
from portal.core.admin_base import EditableAdmin
from rateplans.models import NumberClass, RatePlan


@admin.register(RatePlan)
class RatePlanAdmin(EditableAdmin):
    """Every plan of the system; one that accounts are on cannot be deleted."""

    noun = "plan"
    list_display = (
        "name",
        "owner",
        "currency",
        "bill_type",
        "billing_period",
        "share",
        "archived_at",
        "updated_at",
    )
    list_filter = (
        "share",
        "bill_type",
        "billing_period",
        "contract",
        ("archived_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    related_search = ("owner",)
    search_fields = ("name", "description")
    search_help_text = _("The name of a plan, or of the account it belongs to.")
    autocomplete_fields = ("owner",)
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("owner", "name", "description", "share", "archived_at")}),
        (
            _("Billing"),
            {
                "fields": (
                    *("currency", "bill_type", "billing_period", "bill_defer"),
                    *("contract", "due_days", "overdue_days"),
                )
            },
        ),
        (
            _("Invoices"),
            {"fields": ("send_invoices", "invoice_format", "invoice_detail")},
        ),
        (
            _("Telephony"),
            {
                "fields": (
                    *("call_maximum", "concurrent_calls", "bulk_calls"),
                    *("callerid_in_external", "dial_plan"),
                )
            },
        ),
        (_("History"), {"fields": ("created_at", "updated_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Customers are on it because of whose it is: the owner never changes."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "owner"] if obj else fields

    def account_of(self, request: Any, obj: Any) -> TenantRow:
        owner: TenantRow = obj.owner
        return owner

    def autocomplete_label(self, obj: RatePlan) -> str:
        return f"{obj.name} ({obj.owner.name})"


@admin.register(NumberClass)
class NumberClassAdmin(EditableAdmin):
    noun = "number_class"
    list_display = ("name", "rank", "description")
    search_fields = ("name", "description")
