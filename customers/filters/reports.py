"""What the reports can be narrowed to."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.db.models import F, Func, QuerySet, TextField, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.audit_groups import Span
from customers.audit_labels import action_choices
from customers.mail_kinds import KINDS
from customers.visibility import done_by
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail


class EmailFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Recipient or subject"), method="search")
    status = django_filters.ChoiceFilter(
        label=_("Status"), choices=EmailStatus.choices, empty_label=_("All")
    )
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=list(KINDS.items()), empty_label=_("All kinds")
    )

    class Meta:
        model = OutgoingEmail
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[OutgoingEmail], name: str, value: str
    ) -> QuerySet[OutgoingEmail]:
        recipients = Func(
            F("to"),
            Value(" "),
            function="array_to_string",
            output_field=TextField(),
        )
        queryset = queryset.alias(recipients=recipients)
        return queryset.filter(recipients__icontains=value) | queryset.filter(
            subject__icontains=value
        )


class EventFilter(django_filters.FilterSet):
    """The log by person, action, customer, object and day in the reader's time zone."""

    person = django_filters.CharFilter(label=_("Person"), method="filter_person")
    action = django_filters.ChoiceFilter(
        label=_("Action"), choices=action_choices(), empty_label=_("All actions")
    )
    customer = django_filters.CharFilter(
        label=_("Customer"), field_name="customer_name", lookup_expr="icontains"
    )
    object = django_filters.CharFilter(
        label=_("Object"), field_name="object_name", lookup_expr="icontains"
    )
    since = django_filters.DateFilter(
        label=_("From"),
        method="filter_since",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    until = django_filters.DateFilter(
        label=_("Until"),
        method="filter_until",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )

    # Where the log shows many events as one, this is the way to each.
    span = django_filters.CharFilter(
        label=_("Part of the log"), method="filter_span", widget=forms.HiddenInput
    )

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def filter_span(
        self, queryset: QuerySet[AuditEvent], name: str, value: str
    ) -> QuerySet[AuditEvent]:
        span = Span.parse(value)
        return queryset.none() if span is None else span.narrow(queryset)

    def filter_person(
        self, queryset: QuerySet[AuditEvent], name: str, value: str
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(done_by(value, reader=self.request.reach.own))

    def filter_since(
        self, queryset: QuerySet[AuditEvent], name: str, value: date
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(at__gte=_midnight(value))

    def filter_until(
        self, queryset: QuerySet[AuditEvent], name: str, value: date
    ) -> QuerySet[AuditEvent]:
        """The day named is still part of it."""
        if value == date.max:
            return queryset
        return queryset.filter(at__lt=_midnight(value + timedelta(days=1)))


def _midnight(day: date) -> datetime:
    """When ``day`` begins in the active time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
