"""What the lists of taxes, charges, exchange rates, products and runs are narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billing.choices import ProductType, TaxDefault
from billing.models import (
    Charge,
    ExchangeRate,
    PeriodRun,
    Product,
    RunFailure,
    Tax,
)
from billing.selectors import run_failures


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


ACTIVE, OVER = "active", "over"


class ChargeFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or description"), method="search")
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[(ACTIVE, _("Active")), (OVER, _("Charged or ended"))],
        empty_label=_("All"),
        method="filter_status",
    )

    class Meta:
        model = Charge
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Charge], name: str, value: str
    ) -> QuerySet[Charge]:
        return queryset.filter(
            Q(name__icontains=value) | Q(description__icontains=value)
        )

    def filter_status(
        self, queryset: QuerySet[Charge], name: str, value: str
    ) -> QuerySet[Charge]:
        is_over = Q(ended_at__isnull=False) | Q(account__isnull=False, next_on=None)
        return queryset.filter(is_over if value == OVER else ~is_over)


class RateFilter(django_filters.FilterSet):
    """The newest rate of each currency, or all of one currency."""

    currency = django_filters.CharFilter(
        label=_("Code of a currency, for all its rates"), lookup_expr="istartswith"
    )

    class Meta:
        model = ExchangeRate
        fields: list[str] = []

    def filter_queryset(
        self, queryset: QuerySet[ExchangeRate]
    ) -> QuerySet[ExchangeRate]:
        if self.form.cleaned_data.get("currency"):
            rates: QuerySet[ExchangeRate] = super().filter_queryset(queryset)
            return rates
        newest = (
            ExchangeRate.objects.order_by("currency", "-on")
            .distinct("currency")
            .values("pk")
        )
        return queryset.filter(pk__in=newest)


ON_OFFER, ARCHIVED = "offered", "archived"


class ProductFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or description"), method="search")
    type = django_filters.ChoiceFilter(
        label=_("Type"), choices=ProductType.choices, empty_label=_("All")
    )
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[(ON_OFFER, _("On offer")), (ARCHIVED, _("Archived"))],
        empty_label=_("All"),
        method="filter_status",
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Product], name: str, value: str
    ) -> QuerySet[Product]:
        # Of a product from above the description is not this reader's.
        own = Q(description__icontains=value, owner=self.request.actor.customer.pk)
        return queryset.filter(Q(name__icontains=value) | own)

    def filter_status(
        self, queryset: QuerySet[Product], name: str, value: str
    ) -> QuerySet[Product]:
        return queryset.filter(archived_at__isnull=value == ON_OFFER)


class OfferFilter(ProductFilter):
    """Of what is on offer only."""

    status = None


RUNNING, STOPPED, FAILED, DONE = "running", "stopped", "failed", "done"


class RunFilter(django_filters.FilterSet):
    """Runs by whom they failed at and how they ended, of those there for the reader."""

    q = django_filters.CharFilter(label=_("Customer that failed"), method="search")
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[
            (RUNNING, _("Running")),
            (STOPPED, _("Stopped")),
            (FAILED, _("Some accounts failed")),
            (DONE, _("Finished")),
        ],
        empty_label=_("All"),
        method="filter_status",
    )

    class Meta:
        model = PeriodRun
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[PeriodRun], name: str, value: str
    ) -> QuerySet[PeriodRun]:
        failures = run_failures(self.request.actor)
        found = failures.filter(account__customer__name__icontains=value)
        return queryset.filter(pk__in=found.values("run"))

    def filter_status(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        """``queryset`` is one of `billing.selectors.visible_runs`."""
        if value in (RUNNING, STOPPED):
            is_running = value == RUNNING
            return queryset.filter(finished_at=None, stopped_at__isnull=is_running)
        ended = queryset.filter(finished_at__isnull=False)
        if value == FAILED:
            return ended.filter(failed_here__gt=0)
        return ended.filter(failed_here=0)


class FailureFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Customer or reason"), method="search")

    class Meta:
        model = RunFailure
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[RunFailure], name: str, value: str
    ) -> QuerySet[RunFailure]:
        return queryset.filter(
            Q(account__customer__name__icontains=value) | Q(error__icontains=value)
        )
