"""Giving customers features and taking them away, with all that costs at every level.

A feature is charged for in the transaction that makes it: sign-up fee and the rest of the
running period, by the customer's plan and by that of every account above (D 1.3, 3.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.models import BilledFeature, BillingAccount
from billing.pricing import Level
from billing.selectors import count_features, load_levels
from billing.services.credit import maximum_refusal, shortage_refusal
from billing.services.fee_lines import (
    FeatureItem,
    FeeLine,
    begin_billing,
    label_of,
    lines_for_new,
)
from billing.services.periods import close_account
from billing.services.refunds import refunds
from portal.core.actor import Actor
from portal.core.money import ZERO
from portal.core.scope import scopes_disabled
from rateplans.choices import Feature
from rateplans.settings import NO_LIMIT


@transaction.atomic
def add_features(
    customer: Any,
    items: Sequence[FeatureItem],
    *,
    by: Actor,
    came_from: Any = None,
    price_seen: Decimal | None = None,
) -> None:
    """Begin to bill ``items``, which ``customer`` has just been given.

    ``came_from`` is the account above that held the numbers among them until now: whoever
    had those below it already pays for them. ``price_seen`` is the total at ``customer``'s
    own level that whoever asked for them was shown; None where nobody was shown one.
    Raises ValidationError, code ``forbidden`` or ``maximum`` if a plan does not allow it,
    ``price_changed`` if they come to another total than the one seen, ``credit`` or
    ``provider`` if somebody's credit does not reach; at ``credit_limit`` if it is that of a
    customer whose account is among ``items``.
    """
    if not items:
        return
    levels, now = locked_levels(customer)
    everybody, below = levels_outside(levels, None), levels_outside(levels, came_from)
    counts = count_features(levels, {item.feature for item in items})
    if came_from is not None:
        _end([item for item in items if item.feature == Feature.NUMBER], now)
    postings: list[ledger.Posting] = []
    own_total = ZERO
    for (feature, number_class_id), group in _grouped(items):
        gaining = below if feature == Feature.NUMBER else everybody
        refuse_above_maximum(levels, gaining, feature, len(group), counts, customer, by)
        rows = begin_billing(customer.pk, group, now)
        lines = lines_for_new(
            levels,
            feature,
            number_class_id,
            len(group),
            label_of(group),
            counts,
            gaining,
        )
        own_total += _total_at(customer, lines)
        object_id = group[0].object_id if len(group) == 1 else None
        postings += (
            line.debit(keys.added_fee(line.kind, rows[0].pk), object_id=object_id)
            for line in lines
        )
        for path in gaining:
            counts[path][feature] = counts[path].get(feature, 0) + len(group)
    if price_seen is not None and price_seen != own_total:
        raise ValidationError(
            _("The price has changed meanwhile: look at it and save again."),
            code="price_changed",
        )
    try:
        ledger.post(postings, by=by, within_limits=True, at=now)
    except ledger.CreditError as error:
        is_new = any(item.feature == Feature.ACCOUNT for item in items)
        raise shortage_refusal(error, levels, by=by, is_new=is_new) from error


@transaction.atomic
def remove_features(
    customer: Any, items: Sequence[FeatureItem], *, by: Actor, goes_to: Any = None
) -> None:
    """Stop billing ``items`` of ``customer``; who has a plan that refunds gets days back.

    ``goes_to`` is the account above that holds them from now on (numbers); it and those
    above it go on paying.
    """
    levels, now = locked_levels(customer)
    losing = levels_outside(levels, goes_to)
    with scopes_disabled():  # the rows are those of what was handed in
        leaving = [
            row
            for item in items
            for row in BilledFeature.objects.filter(
                feature=item.feature, object_id=item.object_id, ended_at=None
            )
        ]  # without what was never billed: made before there were fees
    back = refunds(levels, losing, leaving)
    ledger.post(
        (refund.posting() for refund in back), by=by, within_limits=False, at=now
    )
    _end(items, now)
    if goes_to is not None:
        begin_billing(goes_to.pk, leaving, now)


def locked_levels(customer: Any) -> tuple[list[Level], datetime]:
    """The accounts of the chain, locked in the order of their ids, up to date, and now.

    Now is read once, under the locks: near midnight the day that is charged and the time
    that the next period counts by must not be two days.
    """
    held = hold_chain(customer)
    now = timezone.now()
    levels = load_levels(customer, at=now)
    due = [level for level in levels if level.account.billed_until <= level.today]
    for level in due:
        # What a late run has not charged yet is charged for what there was until now.
        close_account(level.account.pk, on=level.today)
    assert held == len(levels)
    return (load_levels(customer, at=now) if due else levels), now


def hold_chain(customer: Any) -> int:
    """Lock the accounts of the chain in the order of their ids; how many there are."""
    with scopes_disabled():  # every account above is charged too
        accounts = BillingAccount.objects.filter(
            customer__in=[*customer.ancestor_ids, customer.pk]
        )
        rows = accounts.select_for_update(of=("self",), no_key=True).order_by("pk")
        return len(rows)


def levels_outside(levels: Sequence[Level], holder: Any) -> set[str]:
    """The paths of the levels that ``holder`` is not within; all of them for no holder."""
    return {
        level.path
        for level in levels
        if holder is None or not holder.path.startswith(level.path)
    }


def refuse_above_maximum(
    levels: Sequence[Level],
    gaining: set[str],
    feature: Feature,
    quantity: int,
    counts: dict[str, dict[Feature, int]],
    customer: Any,
    by: Actor,
) -> None:
    """Raise ValidationError where ``quantity`` more are more than a plan allows (D 3.4)."""
    for level in reversed(levels):
        # Whoever acts from above is judged by the plans above the customer's (D 7.5).
        is_own = level.path == customer.path
        if level.path not in gaining or (is_own and by.home.path != customer.path):
            continue
        maximum = level.plan.maximum(feature).value
        present = counts[level.path].get(feature, 0)
        if maximum != NO_LIMIT and present + quantity > maximum:
            raise maximum_refusal(level, feature, maximum=maximum, by=by)


def _total_at(customer: Any, lines: Iterable[FeeLine]) -> Decimal:
    own = (line.gross for line in lines if line.level.path == customer.path)
    return sum(own, ZERO)


def _grouped(
    items: Iterable[FeatureItem],
) -> list[tuple[tuple[Feature, int | None], list[FeatureItem]]]:
    def kind(item: FeatureItem) -> tuple[str, int]:
        return str(item.feature), item.number_class_id or 0

    groups = []
    for _kind, members in groupby(sorted(items, key=kind), key=kind):
        group = list(members)
        groups.append(((group[0].feature, group[0].number_class_id), group))
    return groups


def _end(items: Sequence[FeatureItem], now: Any) -> None:
    for feature, group in groupby(
        sorted(items, key=lambda item: item.feature), key=lambda item: item.feature
    ):
        with scopes_disabled():  # a number may come from an account above
            BilledFeature.objects.filter(
                feature=feature,
                object_id__in=[item.object_id for item in group],
                ended_at=None,
            ).update(ended_at=now)
