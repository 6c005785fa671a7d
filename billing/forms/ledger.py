"""What narrows a ledger, and the period of a statement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.choices import EntryKind
from billing.models import LedgerEntry
from portal.core.forms import PortalForm
from portal.core.periods import ONE_DAY, start_of_day

# Days are read in any zone, so the first and the last of all have no neighbour.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9999, 12, 30)


def begin_of(day: date) -> datetime:
    """When ``day`` begins where the reader is."""
    day = min(max(day, FIRST_DAY), LAST_DAY)
    return start_of_day(day, timezone.get_current_timezone_name())


def end_of(day: date) -> datetime:
    """When ``day`` is over where the reader is."""
    return begin_of(min(day, LAST_DAY - ONE_DAY) + ONE_DAY)


def day_input() -> forms.DateInput:
    return forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class EntryFilter(django_filters.FilterSet):
    """A ledger by words, kind, invoice, and days in the reader's time zone."""

    q = django_filters.CharFilter(label=_("Description"), method="search")
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=EntryKind.choices, empty_label=_("All kinds")
    )
    since = django_filters.DateFilter(
        label=_("From"), method="filter_since", widget=day_input()
    )
    until = django_filters.DateFilter(
        label=_("Until"), method="filter_until", widget=day_input()
    )

    invoice = django_filters.CharFilter(
        label=_("Number of the invoice"), field_name="invoice__number"
    )

    class Meta:
        model = LedgerEntry
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[LedgerEntry], name: str, value: str
    ) -> QuerySet[LedgerEntry]:
        return queryset.filter(
            Q(description__icontains=value) | Q(reference__icontains=value)
        )

    def filter_since(
        self, queryset: QuerySet[LedgerEntry], name: str, value: date
    ) -> QuerySet[LedgerEntry]:
        return queryset.filter(at__gte=begin_of(value))

    def filter_until(
        self, queryset: QuerySet[LedgerEntry], name: str, value: date
    ) -> QuerySet[LedgerEntry]:
        """The day named is still part of it."""
        return queryset.filter(at__lt=end_of(value))


class StatementForm(PortalForm):
    """The first and the last day of a statement; the present month unless said."""

    first = forms.DateField(label=_("From"), widget=day_input())
    last = forms.DateField(label=_("Until"), widget=day_input())

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        today = timezone.localdate()
        month = today.replace(day=1)
        kwargs.setdefault("initial", {"first": month, "last": today})
        is_sent = data is not None and ("first" in data or "last" in data)
        super().__init__(data if is_sent else None, auto_id="statement-%s", **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            raise ValidationError(
                _("The statement would end before it begins."), code="order"
            )
        return cleaned

    @property
    def period(self) -> tuple[date, date]:
        """The days it is for, both included; the form is valid or was not sent."""
        values = self.cleaned_data if self.is_bound else self.initial
        return values["first"], values["last"]
