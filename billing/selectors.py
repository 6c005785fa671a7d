"""Reads of billing data that more than one place needs."""

from django.db.models import Q, QuerySet

from billing.models import Tax
from portal.core.scope import scopes_disabled


def available_taxes(*, owner_id: int, ancestor_ids: list[int]) -> QuerySet[Tax]:
    """Taxes a reseller's customers may be liable for: its own, and those shared from above."""
    with scopes_disabled():  # shared taxes belong to accounts above the tenant
        taxes = Tax.objects.all()
    return taxes.filter(
        Q(owner_id=owner_id) | Q(is_shared=True, owner_id__in=ancestor_ids)
    ).order_by("name", "pk")
