"""What the pages of this app have in common."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from portal.core.urls import account_url


def portal_page(customer: Customer) -> str:
    """The customer's page in the portal, as its system owner's staff reach it."""
    if customer.is_root:
        return account_url(customer.pk, "start")
    root_id = customer.ancestor_ids[0]
    return account_url(root_id, "customers:customer-detail", pk=customer.pk)


class YesNoFilter(admin.SimpleListFilter):
    """Rows that fulfil a condition, and those that do not."""

    condition: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        if self.value() == "yes":
            return queryset.filter(self.condition)
        if self.value() == "no":
            return queryset.exclude(self.condition)
        return None
