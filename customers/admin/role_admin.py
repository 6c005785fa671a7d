"""Roles: permissions and menus to tick, saved by their service."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.models import Role
from customers.services import roles
from portal.core.admin_base import ServiceAdmin, actor_of
from portal.core.permissions import Menu, Permission


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    permissions = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=Permission.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    menus = forms.MultipleChoiceField(
        label=_("Menus"),
        choices=Menu.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Role
        fields = roles.FIELDS

    def _get_validation_exclusions(self) -> set[str]:
        """A default that is taken may be taken over, so its constraint must wait."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"default_for"}

    def validate_unique(self) -> None:
        super().validate_unique()
        for field, message in roles.role_refusals(self.instance).items():
            self.add_error(field, ValidationError(message, code="refused"))


@admin.register(Role)
class RoleAdmin(ServiceAdmin):
    """What people may do; the same roles for the whole system."""

    form = RoleForm
    list_display = (
        "name",
        "may_login",
        "may_use_api",
        "interface",
        "default_for",
        "people_count",
    )
    list_filter = ("may_login", "interface", "default_for")
    search_fields = ("name", "description")
    fieldsets = (
        (None, {"fields": ("name", "description", "default_for")}),
        (_("Logging in"), {"fields": ("may_login", "may_use_api", "interface")}),
        (
            _("What it opens"),
            {"fields": ("permissions", "menus", "transaction_maximum")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = (
            super().get_queryset(request).annotate(people_total=Count("people"))
        )
        return counted

    @admin.display(description=_("people"))
    def people_count(self, obj: Any) -> int:
        return int(obj.people_total)

    def deletion_refusals(self, obj: Role) -> list[str]:
        return roles.deletion_refusals(obj)

    def save_model(
        self, request: HttpRequest, obj: Role, form: Any, change: bool
    ) -> None:
        values = {name: getattr(obj, name) for name in roles.FIELDS}
        roles.save_role(role=obj, values=values, by=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        roles.delete_role(role=obj, by=actor_of(request))
