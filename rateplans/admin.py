"""Rate plans and number classes in the Django admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
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
    readonly_fields = ("archived_at", "created_at", "updated_at")
    actions = ("archive", "bring_back")
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

    @admin.action(description=_("Archive: offer it to nobody any more"))
    def archive(self, request: HttpRequest, queryset: QuerySet[RatePlan]) -> None:
        self._set_archived(
            request,
            queryset.filter(archived_at=None),
            timezone.now(),
            gettext("Archived"),
        )

    @admin.action(description=_("Bring archived ones back"))
    def bring_back(self, request: HttpRequest, queryset: QuerySet[RatePlan]) -> None:
        self._set_archived(
            request,
            queryset.exclude(archived_at=None),
            None,
            gettext("Brought back"),
        )

    def _set_archived(
        self,
        request: HttpRequest,
        queryset: QuerySet[RatePlan],
        moment: datetime | None,
        done: str,
    ) -> None:
        def change(plan: RatePlan) -> None:
            changes = {"archived_at": (plan.archived_at, moment)}
            plan.archived_at = moment
            plan.save(update_fields=["archived_at", "updated_at"])
            self.record("updated", request, plan, changes)

        self.do_for_each(request, queryset, change, done=done)


@admin.register(NumberClass)
class NumberClassAdmin(EditableAdmin):
    noun = "number_class"
    list_display = ("name", "rank", "description")
    search_fields = ("name", "description")
