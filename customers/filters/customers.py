"""What the customer list can be narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billing.models import out_of_credit
from customers.choices import CustomerKind, Lock
from customers.models import Customer
from customers.selectors import matching_names
from rateplans.choices import BillType
from rateplans.models import RatePlan
from rateplans.selectors import assignable_plans

ACTIVE, LOCKED, DELETED = "active", "locked", "deleted"
LOW, OUT = "low", "out"


def _own_plans(request: Any) -> QuerySet[RatePlan]:
    account = request.reach.account
    return assignable_plans(owner_id=account.pk, ancestor_ids=account.ancestor_ids)


class CustomerFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or account number"), method="search")
    reach = django_filters.ChoiceFilter(
        label=_("Levels"),
        choices=[("all", _("All levels"))],
        empty_label=_("Direct only"),
        method="widen",
    )
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[
            (ACTIVE, _("Active")),
            (LOCKED, _("Locked")),
            (LOW, _("Low balance")),
            (OUT, _("Out of credit")),
            (DELETED, _("Deleted")),
        ],
        empty_label=_("All but deleted"),
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(
        label=_("Type"), choices=CustomerKind.choices, empty_label=_("All types")
    )
    plan = django_filters.ModelChoiceFilter(
        label=_("Rate plan"),
        field_name="account__plan",
        queryset=_own_plans,
        empty_label=_("All plans"),
    )
    bill_type = django_filters.ChoiceFilter(
        label=_("Billing type"),
        field_name="account__bill_type",
        choices=BillType.choices,
        empty_label=_("All billing types"),
    )

    class Meta:
        model = Customer
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """Direct, living customers unless something else is asked for."""
        values = self.form.cleaned_data
        account = self.request.reach.account
        if values.get("reach") != "all":
            queryset = queryset.filter(parent=account)
            if values.get("plan") or values.get("status") in {LOW, OUT}:
                # Says the same once more for the indexes that begin with the provider.
                queryset = queryset.filter(account__provider=account)
        if values.get("status") != DELETED:
            queryset = queryset.filter(deleted_at=None)
        filtered: QuerySet[Customer] = super().filter_queryset(queryset)
        return filtered

    def search(
        self, queryset: QuerySet[Customer], name: str, value: str
    ) -> QuerySet[Customer]:
        return matching_names(queryset, value)

    def widen(
        self, queryset: QuerySet[Customer], name: str, value: str
    ) -> QuerySet[Customer]:
        return queryset  # `filter_queryset` leaves the narrowing out

    def filter_status(
        self, queryset: QuerySet[Customer], name: str, value: str
    ) -> QuerySet[Customer]:
        conditions = {
            ACTIVE: Q(lock=Lock.NONE),
            LOCKED: ~Q(lock=Lock.NONE),
            LOW: Q(account__low_since__isnull=False),
            OUT: out_of_credit("account__"),
            DELETED: Q(deleted_at__isnull=False),
        }
        return queryset.filter(conditions[value])
