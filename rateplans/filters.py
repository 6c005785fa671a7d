"""What the list of rate plans can be narrowed to."""

from __future__ import annotations

import django_filters
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rateplans.choices import CustomName, Sharing
from rateplans.models import CustomSetting, RatePlan

ACTIVE, ARCHIVED = "active", "archived"
OFFERED, NOT_OFFERED = "offered", "not-offered"
OWN, SHARED = "own", "shared"


class PlanFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label=_("Name"), field_name="name", lookup_expr="icontains"
    )
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[(ACTIVE, _("Active")), (ARCHIVED, _("Archived"))],
        empty_label=_("All"),
        method="filter_status",
    )
    share = django_filters.ChoiceFilter(
        label=_("Shared"),
        choices=Sharing.choices,
        empty_label=_("All"),
        method="filter_share",
    )
    signup = django_filters.ChoiceFilter(
        label=_("At sign-up"),
        choices=[(OFFERED, _("Offered")), (NOT_OFFERED, _("Not offered"))],
        empty_label=_("All"),
        method="filter_signup",
    )
    whose = django_filters.ChoiceFilter(
        label=_("Whose"),
        choices=[(OWN, _("Your rate plans")), (SHARED, _("Shared with you"))],
        empty_label=_("All"),
        method="filter_whose",
    )

    class Meta:
        model = RatePlan
        fields: list[str] = []

    def filter_status(
        self, queryset: QuerySet[RatePlan], name: str, value: str
    ) -> QuerySet[RatePlan]:
        return queryset.filter(archived_at__isnull=value == ACTIVE)

    def filter_share(
        self, queryset: QuerySet[RatePlan], name: str, value: str
    ) -> QuerySet[RatePlan]:
        """Of one's own plans: how far others share theirs is not told."""
        return queryset.filter(owner=self.owner_id, share=value)

    def filter_signup(
        self, queryset: QuerySet[RatePlan], name: str, value: str
    ) -> QuerySet[RatePlan]:
        """Of one's own plans, as above."""
        return queryset.filter(owner=self.owner_id, offered_at_signup=value == OFFERED)

    def filter_whose(
        self, queryset: QuerySet[RatePlan], name: str, value: str
    ) -> QuerySet[RatePlan]:
        own = Q(owner=self.owner_id)
        return queryset.filter(own if value == OWN else ~own)

    @property
    def owner_id(self) -> int:
        account_id: int = self.request.reach.account.pk
        return account_id


class CustomFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label=_("Text"), field_name="value", lookup_expr="icontains"
    )
    name = django_filters.ChoiceFilter(
        label=_("What"), choices=CustomName.choices, empty_label=_("Everything")
    )
    language = django_filters.ChoiceFilter(
        label=_("Language"), choices=settings.LANGUAGES, empty_label=_("All languages")
    )

    class Meta:
        model = CustomSetting
        fields: list[str] = []
