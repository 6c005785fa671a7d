"""Reads of rate plans that more than one place needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import Case, Count, Q, QuerySet, Value, When

from portal.core.scope import scopes_disabled
from rateplans.choices import CustomName, CustomReach, Sharing
from rateplans.models import (
    CustomSetting,
    PlanFeature,
    PlanMarkup,
    PlanPrice,
    RatePlan,
)
from rateplans.pricing import (
    EffectivePlan,
    by_plan_features,
    by_plan_markups,
    by_plan_prices,
)
from rateplans.settings import ROWS

# More plans than any sensible chain has; services refuse cycles, this ends one anyway.
LONGEST_CHAIN = 64


def chain_sql(first: str) -> str:
    """``WITH RECURSIVE chain (start_id, plan_id, place)``: plans and what they inherit from.

    ``first`` selects its first rows; each goes on to the plan that its plan inherits from.
    "Your own rate plan" is looked up now: whichever plan the owner's account is on.
    """
    return f"""
WITH RECURSIVE chain (start_id, plan_id, place) AS (
    {first}
    UNION ALL
    SELECT chain.start_id,
           CASE WHEN plan.inherits_own THEN account.plan_id ELSE plan.base_id END,
           chain.place + 1
    FROM chain
    JOIN rateplans_rateplan plan ON plan.id = chain.plan_id
    LEFT JOIN billing_billingaccount account
           ON plan.inherits_own AND account.customer_id = plan.owner_id
    WHERE chain.place < {LONGEST_CHAIN}
      AND CASE WHEN plan.inherits_own THEN account.plan_id ELSE plan.base_id END
          IS NOT NULL
)"""


_FIRST = "SELECT id, id, 0 FROM rateplans_rateplan WHERE id = ANY(%s)"
_CHAINS = f"""{chain_sql(_FIRST)}
SELECT start_id, plan_id FROM chain ORDER BY start_id, place
"""
# The other way round: whoever takes anything from a plan, near or far.
_HEIRS = """
WITH RECURSIVE heirs (plan_id) AS (
    SELECT unnest(%s::bigint[])
    UNION
    SELECT plan.id
    FROM heirs
    JOIN (rateplans_rateplan plan
          LEFT JOIN billing_billingaccount account
                 ON plan.inherits_own AND account.customer_id = plan.owner_id)
      ON plan.base_id = heirs.plan_id OR account.plan_id = heirs.plan_id
)
SELECT plan_id FROM heirs
"""


def assignable_plans(*, owner_id: int, ancestor_ids: list[int]) -> QuerySet[RatePlan]:
    """Plans a reseller may put customers on: its own, and those shared from above (D 3.2).

    ``ancestor_ids`` runs from the root down to the reseller's parent. Own plans come first,
    each group by name; archived plans are left out.
    """
    is_shared = Case(When(owner_id=owner_id, then=Value(0)), default=Value(1))
    return (
        _all_plans()
        .filter(
            Q(owner_id=owner_id) | _shared_from(ancestor_ids),
            archived_at=None,
        )
        .select_related("dial_plan")
        .order_by(is_shared, "name", "pk")
    )


def inheritable_plans(*, owner_id: int, ancestor_ids: list[int]) -> QuerySet[RatePlan]:
    """Plans a reseller may base its own ones on: its own, and shared ones that may be."""
    return assignable_plans(owner_id=owner_id, ancestor_ids=ancestor_ids).filter(
        Q(owner_id=owner_id) | Q(may_be_inherited=True)
    )


def listed_plans(*, owner_id: int, ancestor_ids: list[int]) -> QuerySet[RatePlan]:
    """A reseller's own plans, archived ones too, and those it may put customers on."""
    shared = _shared_from(ancestor_ids) & Q(archived_at=None)
    return _all_plans().filter(Q(owner_id=owner_id) | shared)


def _all_plans() -> QuerySet[RatePlan]:
    with scopes_disabled():  # shared plans belong to accounts above the tenant
        return RatePlan.objects.all()


def _shared_from(ancestor_ids: list[int]) -> Q:
    shared = Q(share=Sharing.RECURSIVE, owner_id__in=ancestor_ids)
    if ancestor_ids:
        shared |= Q(share=Sharing.DIRECT, owner_id=ancestor_ids[-1])
    return shared


def chain_ids(plan_ids: Iterable[int]) -> dict[int, list[int]]:
    """For each plan its own id and those of the plans it inherits from, nearest first."""
    chains: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS, [sorted(set(plan_ids))])
        for start_id, plan_id in cursor.fetchall():
            chains.setdefault(start_id, []).append(plan_id)
    return chains


def effective_plans(plan_ids: Iterable[int], *, on: date) -> dict[int, EffectivePlan]:
    """Plans with all they inherit, as of the day ``on``; six queries for any number."""
    chains = chain_ids(plan_ids)
    wanted = {plan_id for chain in chains.values() for plan_id in chain}
    with scopes_disabled():  # what is inherited belongs to accounts above the tenant
        rows = RatePlan.objects.select_related(*ROWS)
        plans = rows.prefetch_related("cos_timegroup__spans").in_bulk(wanted)
        valid = {"plan__in": wanted, "valid__contains": on}
        prices = by_plan_prices(PlanPrice.objects.filter(**valid))
        markups = by_plan_markups(PlanMarkup.objects.filter(**valid))
        features = by_plan_features(PlanFeature.objects.filter(plan__in=wanted))
    return {
        start_id: EffectivePlan(
            tuple(plans[plan_id] for plan_id in chain), prices, markups, features
        )
        for start_id, chain in chains.items()
    }


def effective_plan(plan: RatePlan, *, on: date) -> EffectivePlan:
    return effective_plans([plan.pk], on=on)[plan.pk]


class PlanBook:
    """Effective plans, each read once: for work that meets many accounts on few plans.

    Kept for a short piece of work only, since plans change.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[int, date], EffectivePlan] = {}

    def plan(self, plan_id: int, *, on: date) -> EffectivePlan:
        key = plan_id, on
        if key not in self._read:
            self._read[key] = effective_plans([plan_id], on=on)[plan_id]
        return self._read[key]


def own_plan(customer_id: int) -> RatePlan | None:
    """The plan that the account above put a customer on; None for the system owner."""
    with scopes_disabled():  # it belongs to an account above
        return RatePlan.objects.filter(accounts__customer=customer_id).first()


def own_settings(customer_id: int) -> EffectivePlan:
    """The settings of the plan that a customer is on, inherited ones too; no prices.

    The system's defaults for the system owner, who is on none. Three queries.
    """
    plan = own_plan(customer_id)
    if plan is None:
        return EffectivePlan(())
    chain = chain_ids([plan.pk])[plan.pk]
    with scopes_disabled():  # what is inherited belongs to accounts above the tenant
        plans = RatePlan.objects.in_bulk(chain)
    return EffectivePlan(tuple(plans[plan_id] for plan_id in chain))


def heir_ids(*plan_ids: int) -> list[int]:
    """The plans and every plan that inherits from one, over any number of steps."""
    with connection.cursor() as cursor:
        cursor.execute(_HEIRS, [list(plan_ids)])
        return sorted(row[0] for row in cursor.fetchall())


def count_customers(
    plan_ids: Iterable[int], *, where: Q | None = None
) -> dict[int, int]:
    """How many customers, deleted ones left out, are on each plan.

    ``where`` narrows it to some accounts, as seen from the plan: ``accounts__...``.
    """
    living = Q(accounts__isnull=False, accounts__customer__deleted_at=None)
    with scopes_disabled():  # a shared plan has customers of resellers, too
        return dict(
            RatePlan.objects.filter(pk__in=list(plan_ids))
            .annotate(customers=Count("accounts", filter=living & (where or Q())))
            .order_by()
            .values_list("pk", "customers")
        )


def inherited_customs(plan: RatePlan) -> list[tuple[CustomSetting, list[RatePlan]]]:
    """Custom settings that a plan takes from those it inherits from, by what they are for.

    Each comes with the way to it: the plans from ``plan`` to the one that says it. What
    a nearer plan says otherwise is left out.
    """
    chain = chain_ids([plan.pk])[plan.pk]
    with scopes_disabled():  # what is inherited belongs to accounts above the tenant
        plans = RatePlan.objects.in_bulk(chain)
        rows = list(CustomSetting.objects.filter(plan__in=chain).select_related("plan"))
    way = [plans[plan_id] for plan_id in chain]
    said: set[tuple[str, str]] = set()
    found = []
    # A text in one language goes before the same plan's text for all.
    rows.sort(key=lambda row: (chain.index(row.plan_id), not row.language, row.pk))
    for row in rows:
        is_for_all = row.reach == CustomReach.EVERYBODY
        is_heard = is_for_all or plans[row.plan_id].owner_id == plan.owner_id
        is_new = said.isdisjoint({(row.name, ""), (row.name, row.language)})
        if row.plan_id != plan.pk and is_heard and is_new:
            found.append((row, way[: chain.index(row.plan_id) + 1]))
        if is_for_all:
            said.add((row.name, row.language))
    names = list(CustomName)
    return sorted(found, key=lambda item: names.index(CustomName(item[0].name)))
