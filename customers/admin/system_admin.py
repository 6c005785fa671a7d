"""What the system owner sets up once for everybody, edited right here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from customers.models import DialPlan, Region, SystemOptions
from portal.core.admin_base import EditableAdmin


@admin.register(Region)
class RegionAdmin(EditableAdmin):
    noun = "region"
    list_display = ("name", "description")
    search_fields = ("name", "description")


@admin.register(DialPlan)
class DialPlanAdmin(EditableAdmin):
    noun = "dial_plan"
    list_display = ("name", "description")
    search_fields = ("name", "description")


@admin.register(SystemOptions)
class SystemOptionsAdmin(EditableAdmin):
    """One row, which is always there."""

    noun = "system_options"
    list_display = (
        "__str__",
        "customer_prefixes",
        "person_email_required",
        "person_email_unique",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
