"""What the lists of people, lines, numbers and mailboxes can be narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from customers.models import (
    Mailbox,
    Number,
    Person,
    Role,
    SortKey,
    TelephoneLine,
)
from rateplans.models import NumberClass

ENABLED = [("yes", _("Enabled")), ("no", _("Not enabled"))]
FREE, IN_USE = "free", "in_use"
ACTIVE, INVITED, BLOCKED = "active", "invited", "blocked"


def _digits(text: str) -> str:
    """The digits of a number as one types it; a leading zero is the national way."""
    return "".join(char for char in text if char in "0123456789").lstrip("0")


class PersonFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name, user name or e-mail"), method="search")
    role = django_filters.ModelChoiceFilter(
        label=_("Role"),
        queryset=lambda request: Role.objects.filter(
            people__customer=request.actor.customer.pk, people__is_pseudo=False
        ).distinct(),
        empty_label=_("All roles"),
    )
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[
            (ACTIVE, _("Active")),
            (INVITED, _("No password yet")),
            (BLOCKED, _("May not log in")),
        ],
        empty_label=_("All"),
        method="filter_status",
    )

    class Meta:
        model = Person
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Person], name: str, value: str
    ) -> QuerySet[Person]:
        for word in value.split():
            queryset = queryset.filter(search_key__contains=SortKey(Value(word)))
        return queryset

    def filter_status(
        self, queryset: QuerySet[Person], name: str, value: str
    ) -> QuerySet[Person]:
        may = Q(is_active=True, role__may_login=True)
        has_none = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        conditions: dict[str, Any] = {
            ACTIVE: may & ~has_none,
            INVITED: may & has_none,
            BLOCKED: ~may,
        }
        return queryset.filter(conditions[value])


class LineFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label=_("Name, user name, extension or number"), method="search"
    )
    is_enabled = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=ENABLED,
        empty_label=_("All"),
        method="filter_enabled",
    )

    class Meta:
        model = TelephoneLine
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[TelephoneLine], name: str, value: str
    ) -> QuerySet[TelephoneLine]:
        wanted = (
            Q(name__icontains=value)
            | Q(username__icontains=value)
            | Q(extension__startswith=value)
        )
        if digits := _digits(value):
            wanted |= Q(
                pk__in=Number.objects.filter(
                    customer=self.request.actor.customer.pk, number__contains=digits
                ).values("line")
            )
        return queryset.filter(wanted)

    def filter_enabled(
        self, queryset: QuerySet[TelephoneLine], name: str, value: str
    ) -> QuerySet[TelephoneLine]:
        return queryset.filter(is_enabled=value == "yes")


class NumberFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label=_("Digits, area or description"), method="search"
    )
    number_class = django_filters.ModelChoiceFilter(
        label=_("Class"),
        queryset=NumberClass.objects.all(),
        empty_label=_("All classes"),
    )
    use = django_filters.ChoiceFilter(
        label=_("Use"),
        choices=[(FREE, _("Free")), (IN_USE, _("In use"))],
        empty_label=_("Free and in use"),
        method="filter_use",
    )

    class Meta:
        model = Number
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Number], name: str, value: str
    ) -> QuerySet[Number]:
        wanted = Q(area__icontains=value) | Q(description__icontains=value)
        if digits := _digits(value):
            wanted |= Q(number__contains=digits)
        return queryset.filter(wanted)

    def filter_use(
        self, queryset: QuerySet[Number], name: str, value: str
    ) -> QuerySet[Number]:
        is_free = Q(line=None, mailbox=None)
        return queryset.filter(is_free if value == FREE else ~is_free)


class MailboxFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name, number or e-mail"), method="search")
    is_enabled = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=ENABLED,
        empty_label=_("All"),
        method="filter_enabled",
    )

    class Meta:
        model = Mailbox
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Mailbox], name: str, value: str
    ) -> QuerySet[Mailbox]:
        return queryset.filter(
            Q(name__icontains=value)
            | Q(box_number__contains=value)
            | Q(emails__icontains=value)
        )

    def filter_enabled(
        self, queryset: QuerySet[Mailbox], name: str, value: str
    ) -> QuerySet[Mailbox]:
        return queryset.filter(is_enabled=value == "yes")
