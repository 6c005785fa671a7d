"""What a change of a plan would change for those who are on it, before it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.text import capfirst

from portal.core.scope import scopes_disabled
from rateplans.choices import Feature, MarkupKind, Sharing
from rateplans.models import NumberClass, RatePlan
from rateplans.pricing import EffectivePlan
from rateplans.selectors import count_customers, effective_plans, heir_ids
from rateplans.settings import DEFAULTS
from rateplans.wording import (
    code_label,
    limit_text,
    markup_text,
    number_classes,
    price_label,
    price_text,
    setting_label,
    setting_text,
)

# Copied to the account when it is opened: a change is for new customers only.
OF_NEW_CUSTOMERS = frozenset({"bill_type", "contract", "bill_defer"})
# What an account or a customer may set itself; who does is not concerned.
_OVERRIDES = {
    "due_days": Q(accounts__due_days=None),
    "send_invoices": Q(accounts__send_invoices=None),
    "invoice_format": Q(accounts__invoice_format=""),
    "invoice_detail": Q(accounts__invoice_detail=""),
    "call_maximum": Q(accounts__call_maximum=None),
    "concurrent_calls": Q(accounts__customer__concurrent_calls=None),
    "bulk_calls": Q(accounts__customer__bulk_calls=None),
    "callerid_in_external": Q(accounts__customer__callerid_in_external=None),
    "dial_plan": Q(accounts__customer__dial_plan=None),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that would be different for ``customers`` of them."""

    label: str
    old: str
    new: str
    customers: int


@dataclass(frozen=True, slots=True)
class _Difference:
    name: str  # the setting, or empty
    label: str
    old: str
    new: str


class _Undone(Exception):
    """Raised to take back what was only tried."""


def effects(plan: RatePlan, change: Callable[[], Any], *, on: date) -> list[Effect]:
    """What ``change``, a call of a service, would change on the day ``on`` and for how many.

    It is made and taken back, so it is exactly what saving does. Empty if nobody is on the
    plan or on one that inherits from it. Raises what the service raises.
    """
    customers = {pk: n for pk, n in count_customers(heir_ids(plan.pk)).items() if n}
    before = effective_plans(customers, on=on)
    after: dict[int, EffectivePlan] = {}
    try:
        with transaction.atomic():
            change()
            after = effective_plans(customers, on=on)
            raise _Undone
    except _Undone:
        pass

    @cache
    def concerned(setting: str) -> dict[int, int]:
        where = _OVERRIDES.get(setting)
        return customers if where is None else count_customers(customers, where=where)

    classes = number_classes()
    totals: Counter[_Difference] = Counter()
    for pk in customers:
        for difference in _differences(before[pk], after[pk], classes):
            totals[difference] += concerned(difference.name)[pk]
    return [
        Effect(each.label, each.old, each.new, number)
        for each, number in totals.items()
        if number
    ]


@dataclass(frozen=True, slots=True)
class Kept:
    """Who uses a plan although it is not opened to them, or not any more.

    ``customers`` of resellers are on it themselves; ``plans`` of resellers inherit from it,
    and so many ``heirs`` are the customers on those, and on what inherits from them.
    """

    customers: int = 0
    plans: int = 0
    heirs: int = 0


def kept(plan: RatePlan, *, share: str, may_be_inherited: bool) -> Kept:
    """Who would go on using a plan that is opened so far and no further."""
    theirs = Q(base=plan.pk) & ~Q(owner=plan.owner_id)
    if may_be_inherited and share == Sharing.DIRECT:
        theirs &= ~Q(owner__parent=plan.owner_id)
    if may_be_inherited and share == Sharing.RECURSIVE:
        plan_ids = []
    else:
        with scopes_disabled():  # plans of resellers below who inherited it
            found = RatePlan.objects.filter(theirs, owner__deleted_at=None)
            plan_ids = list(found.order_by().values_list("pk", flat=True))
    heirs = sum(count_customers(heir_ids(*plan_ids)).values()) if plan_ids else 0
    return Kept(count_kept(plan, share), len(plan_ids), heirs)


def count_kept(plan: RatePlan, share: str) -> int:
    """How many customers stay on a plan that their provider could not choose any more."""
    theirs = ~Q(accounts__provider=F("owner"))
    if share == Sharing.RECURSIVE:
        return 0
    if share == Sharing.DIRECT:
        theirs &= ~Q(accounts__provider__parent=F("owner"))
    return count_customers([plan.pk], where=theirs)[plan.pk]


def _differences(
    old: EffectivePlan, new: EffectivePlan, classes: dict[int, NumberClass]
) -> Iterator[_Difference]:
    for name in DEFAULTS:
        was, becomes = old.setting(name), new.setting(name)
        if was.value == becomes.value or name in OF_NEW_CUSTOMERS:
            continue
        texts = [
            setting_text(
                name,
                each.value,
                each.plan.currency if each.plan else plan.plan.currency,
            )
            for each, plan in ((was, old), (becomes, new))
        ]
        yield _Difference(name, capfirst(setting_label(name)), *texts)
    yield from _of_prices(old, new, classes)
    for kind in MarkupKind:
        texts = [
            markup_text(
                each.markup(kind).value,
                (each.markup(kind).plan or each.plan).currency,
            )
            for each in (old, new)
        ]
        if texts[0] != texts[1]:
            yield _Difference("", str(kind.label), *texts)
    yield from _of_permissions(old, new)


def _of_prices(
    old: EffectivePlan, new: EffectivePlan, classes: dict[int, NumberClass]
) -> Iterator[_Difference]:
    keys = dict.fromkeys(
        key
        for effective in (old, new)
        for plan in effective.chain
        for key in effective.prices.get(plan.pk, {})
    )
    for feature, number_class_id, occurs in keys:
        texts = [
            price_text(each.price(feature, occurs, number_class_id))  # type: ignore[arg-type]
            for each in (old, new)
        ]
        if texts[0] != texts[1]:
            label = price_label((feature, number_class_id, occurs), classes)
            yield _Difference("", label, *texts)


def _of_permissions(old: EffectivePlan, new: EffectivePlan) -> Iterator[_Difference]:
    for feature in Feature:
        maxima = [limit_text(each.maximum(feature).value) for each in (old, new)]
        if maxima[0] != maxima[1]:
            yield _Difference("", code_label(f"maximum:{feature}"), *maxima)
        included = [str(each.included(feature).value) for each in (old, new)]
        if included[0] != included[1]:
            label = code_label(f"included:{feature}")
            yield _Difference("", label, *included)
