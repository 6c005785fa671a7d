"""Rate plans, their prices and number classes in the Django admin."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.core.admin_base import (
    EditableAdmin,
    ReadOnlyAdmin,
    ServiceAdmin,
    actor_of,
)
from rateplans.models import (
    CustomSetting,
    NumberClass,
    PlanFeature,
    PlanMarkup,
    PlanPrice,
    RatePlan,
)
from rateplans.services import plans
from rateplans.settings import SECTIONS

_SETTINGS: Any = [(each.title, {"fields": [*chain(*each.rows)]}) for each in SECTIONS]


@admin.register(RatePlan)
class RatePlanAdmin(ServiceAdmin):
    """Every plan of the system; one that accounts are on cannot be deleted."""

    list_display = (
        "name",
        "owner",
        "currency",
        "bill_type",
        "billing_period",
        "share",
        "offered_at_signup",
        "archived_at",
        "updated_at",
    )
    list_filter = (
        "share",
        "offered_at_signup",
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
    autocomplete_fields = ("owner", "base")
    readonly_fields = ("archived_at", "created_at", "updated_at")
    actions = ("archive", "bring_back")
    fieldsets = (
        (None, {"fields": ("owner", "name", "description", "archived_at")}),
        (
            _("Inheritance and sharing"),
            {
                "fields": (
                    *("base", "inherits_own", "may_be_inherited", "share"),
                    "offered_at_signup",
                )
            },
        ),
        *_SETTINGS,
        (_("History"), {"fields": ("created_at", "updated_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Customers are on it because of whose it is: the owner never changes."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "owner"] if obj else fields

    def autocomplete_label(self, obj: RatePlan) -> str:
        return f"{obj.name} ({obj.owner.name})"

    def deletion_refusals(self, obj: RatePlan) -> list[str]:
        return plans.deletion_refusals(obj)

    def save_model(
        self, request: HttpRequest, obj: RatePlan, form: Any, change: bool
    ) -> None:
        by = actor_of(request)
        entered = form.cleaned_data
        if change:
            values = {name: entered[name] for name in form.changed_data}
            plans.update_plan(plan=obj, values=values, by=by)
        else:
            values = {name: entered[name] for name in plans.FIELDS if name in entered}
            obj.pk = plans.create_plan(owner=obj.owner, values=values, by=by).pk

    def delete_model(self, request: HttpRequest, obj: RatePlan) -> None:
        plans.delete_plan(plan=obj, by=actor_of(request))

    @admin.action(description=_("Archive: offer it to nobody any more"))
    def archive(self, request: HttpRequest, queryset: QuerySet[RatePlan]) -> None:
        rows = queryset.filter(archived_at=None)
        self._set_archived(request, rows, gettext("Archived"), is_archived=True)

    @admin.action(description=_("Bring archived ones back"))
    def bring_back(self, request: HttpRequest, queryset: QuerySet[RatePlan]) -> None:
        rows = queryset.exclude(archived_at=None)
        self._set_archived(request, rows, gettext("Brought back"), is_archived=False)

    def _set_archived(
        self,
        request: HttpRequest,
        queryset: QuerySet[RatePlan],
        done: str,
        *,
        is_archived: bool,
    ) -> None:
        by = actor_of(request)

        def change(plan: RatePlan) -> None:
            plans.set_archived(plan=plan, is_archived=is_archived, by=by)

        self.do_for_each(request, queryset, change, done=done)


class PartAdmin(ReadOnlyAdmin):
    """What a plan charges, adds or allows; the pages of the plan write it."""

    related_search = ("plan",)
    search_help_text = _("The name of a plan, or of the account it belongs to.")
    ordering = ("-pk",)


@admin.register(PlanPrice)
class PlanPriceAdmin(PartAdmin):
    list_display = ("plan", "feature", "number_class", "occurs", "amount", "valid")
    list_filter = ("feature", "occurs", "number_class")
    list_select_related = ("plan", "number_class")


@admin.register(PlanMarkup)
class PlanMarkupAdmin(PartAdmin):
    list_display = ("plan", "kind", "markup", "margin", "valid")
    list_filter = ("kind",)
    list_select_related = ("plan",)


@admin.register(PlanFeature)
class PlanFeatureAdmin(PartAdmin):
    list_display = ("plan", "feature", "maximum", "included")
    list_filter = ("feature",)
    list_select_related = ("plan",)


@admin.register(NumberClass)
class NumberClassAdmin(EditableAdmin):
    noun = "number_class"
    list_display = ("name", "rank", "description")
    search_fields = ("name", "description")


@admin.register(CustomSetting)
class CustomSettingAdmin(ReadOnlyAdmin):
    """Mails in resellers' own words; they are written on the pages of the plan."""

    list_display = ("plan", "owner", "name", "language_name", "reach", "created_at")
    list_filter = ("name", "language", "reach")
    list_select_related = ("plan__owner",)
    ordering = ("-pk",)
    related_search = ("plan",)
    search_fields = ("value",)
    search_help_text = _("The name of the plan, or words of the text.")

    @admin.display(description=_("account"))
    def owner(self, obj: CustomSetting) -> str:
        return str(obj.plan.owner)

    @admin.display(description=_("language"))
    def language_name(self, obj: CustomSetting) -> str:
        return obj.language_name or gettext("All languages")
