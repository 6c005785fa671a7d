"""Reads of rate plans that more than one place needs."""

from django.db.models import Case, Q, QuerySet, Value, When

from portal.core.scope import scopes_disabled
from rateplans.choices import Sharing
from rateplans.models import RatePlan


def assignable_plans(*, owner_id: int, ancestor_ids: list[int]) -> QuerySet[RatePlan]:
    """Plans a reseller may put customers on: its own, and those shared from above (D 3.2).

    ``ancestor_ids`` runs from the root down to the reseller's parent. Own plans come first,
    each group by name; archived plans are left out.
    """
    shared = Q(share=Sharing.RECURSIVE, owner_id__in=ancestor_ids)
    if ancestor_ids:
        shared |= Q(share=Sharing.DIRECT, owner_id=ancestor_ids[-1])
    with scopes_disabled():  # shared plans belong to accounts above the tenant
        plans = RatePlan.objects.all()
    is_shared = Case(When(owner_id=owner_id, then=Value(0)), default=Value(1))
    return (
        plans.filter(Q(owner_id=owner_id) | shared, archived_at=None)
        .select_related("dial_plan")
        .order_by(is_shared, "name", "pk")
    )
