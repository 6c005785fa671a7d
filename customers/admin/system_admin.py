"""What the system owner sets up once for everybody, edited right here."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.models import DialPlan, Region, SystemOptions, TimeGroup, TimeSpan
from customers.models.system import DAY_MINUTES, clock_text
from portal.core import audit
from portal.core.admin_base import (
    BaseFormSet,
    BaseInline,
    EditableAdmin,
    ReadOnlyAdmin,
)

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")


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


class ClockField(forms.CharField):
    """A time of the day up to 24:00, kept as minutes since midnight."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput({"size": 5, "placeholder": "00:00"})
        super().__init__(max_length=5, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return clock_text(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Any:
        found = _CLOCK.fullmatch(super().clean(value))
        hours, minutes = map(int, found.groups()) if found else (0, 60)
        if minutes > 59 or hours * 60 + minutes > DAY_MINUTES:
            raise ValidationError(
                _("Enter a time from 00:00 to 24:00."), code="invalid"
            )
        return hours * 60 + minutes


class SpanForm(forms.ModelForm):  # type: ignore[type-arg]
    begins = ClockField(label=_("From"))
    ends = ClockField(label=_("To"))

    class Meta:
        model = TimeSpan
        fields = ("first_day", "last_day", "begins", "ends")


class Spans(BaseFormSet):
    """No moment is said twice, so that the times read as they are."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.instance
            for form in self.forms
            if (form.instance.pk or form.has_changed())
            and form not in self.deleted_forms
        ]
        self._refuse_unseen(kept)
        for one, other in combinations(kept, 2):
            if one.overlaps(other):
                raise ValidationError(
                    _("%(one)s and %(other)s overlap."),
                    code="overlap",
                    params={"one": one, "other": other},
                )

    def _refuse_unseen(self, kept: list[TimeSpan]) -> None:
        """Raise ValidationError for times that somebody else has added meanwhile."""
        shown = [form.instance.pk for form in self.forms if form.instance.pk]
        present = TimeSpan.objects.filter(group=self.instance.pk).exclude(pk__in=shown)
        for other in present if self.instance.pk else ():
            if any(one.overlaps(other) for one in kept):
                raise ValidationError(
                    _(
                        "Somebody else has added %(other)s meanwhile: load the page again."
                    ),
                    code="overlap",
                    params={"other": other},
                )


class SpanInline(BaseInline):
    model = TimeSpan
    form = SpanForm
    formset = Spans
    extra = 1
    min_num = 1
    validate_min = True


@admin.register(TimeGroup)
class TimeGroupAdmin(EditableAdmin):
    noun = "time_group"
    list_display = ("name", "times", "description")
    search_fields = ("name", "description")
    inlines = (SpanInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeGroup]:
        return super().get_queryset(request).prefetch_related("spans")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> TimeGroup | None:
        """Held while it is saved: two who add times one after the other see each other's."""
        group: TimeGroup | None = super().get_object(request, object_id, from_field)
        if group is not None and request.method == "POST":
            list(TimeGroup.objects.select_for_update().filter(pk=group.pk))
        return group

    @admin.display(description=TimeSpan._meta.verbose_name_plural)
    def times(self, obj: TimeGroup) -> str:
        return obj.times()

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """The times in words are one more thing that a change of the group tells."""
        group = TimeGroup.objects.get(pk=form.instance.pk)
        before = {"times": group.times() if change else ""}
        super().save_related(request, form, formsets, change)
        if changes := audit.differences(before, {"times": group.times()}):
            self.record("updated", request, group, changes)


@admin.register(TimeSpan)
class TimeSpanAdmin(ReadOnlyAdmin):
    """All spans of all groups; they are written on the page of their group."""

    list_display = ("__str__", "group")
    list_select_related = ("group",)
    related_search = ("group",)
    search_help_text = _("The name of a time group.")


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
