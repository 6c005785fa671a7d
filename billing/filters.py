"""What the lists of taxes, exchange rates and products can be narrowed to."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billing.choices import TaxDefault
from billing.models import Tax


class TaxFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or description"), method="search")
    liable = django_filters.ChoiceFilter(
        label=_("Liable by default"), choices=TaxDefault.choices, empty_label=_("All")
    )

    class Meta:
        model = Tax
        fields: list[str] = []

    def search(self, queryset: QuerySet[Tax], name: str, value: str) -> QuerySet[Tax]:
        return queryset.filter(
            Q(name__icontains=value) | Q(description__icontains=value)
        )
