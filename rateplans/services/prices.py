"""Prices, mark-ups and permissions of rate plans; what was charged in the past stays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core import audit
from portal.core.actor import Actor
from portal.core.errors import StaleError
from portal.core.periods import ONE_DAY, local_date
from rateplans.choices import Feature, MarkupKind
from rateplans.models import PlanFeature, PlanMarkup, PlanPrice, RatePlan
from rateplans.pricing import Markup, PriceKey
from rateplans.selectors import effective_plan, own_plan
from rateplans.services.plans import locked_plan
from rateplans.settings import NO_LIMIT
from rateplans.spans import Span, changed
from rateplans.wording import markup_text, price_code

# Maximum and included of one feature; None is inherited.
Permission = tuple[int | None, int | None]


@transaction.atomic
def set_prices(
    *,
    plan: RatePlan,
    values: Mapping[PriceKey, Decimal | None],
    from_on: date,
    by: Actor,
    seen: str = "",
) -> None:
    """Charge ``values`` from the day ``from_on`` on; None is inherited from that day on.

    Changes that are planned for later stay planned. ``seen`` is the `state_of_prices` that
    the change was made from. Raises ValidationError, StaleError.
    """
    plan = _locked(plan, by=by, from_on=from_on, seen=seen)
    changes: dict[str, tuple[Any, Any]] = {}
    for (feature, number_class_id, occurs), amount in values.items():
        what = {
            "feature": feature,
            "number_class_id": number_class_id,
            "occurs": occurs,
        }
        rows = list(PlanPrice.objects.filter(plan=plan, **what))
        old, new = _replan(
            [(row, row.amount) for row in rows],
            from_on,
            amount,
            lambda span, what=what: PlanPrice(  # type: ignore[misc]
                plan=plan, **what, amount=span.value
            ),
            _set_amount,
        )
        if old != new:
            code = price_code((feature, number_class_id, occurs))
            changes[code] = (_amount(old, plan), _amount(new, plan))
    _record(plan, changes, from_on, by)


@transaction.atomic
def set_markups(
    *,
    plan: RatePlan,
    values: Mapping[str, Markup | None],
    from_on: date,
    by: Actor,
    seen: str = "",
) -> None:
    """Add ``values`` (by MarkupKind) to costs from ``from_on`` on; as `set_prices`."""
    plan = _locked(plan, by=by, from_on=from_on, seen=seen)
    changes: dict[str, tuple[Any, Any]] = {}
    for kind, markup in values.items():
        rows = list(PlanMarkup.objects.filter(plan=plan, kind=kind))
        old, new = _replan(
            [(row, Markup(row.markup, row.margin)) for row in rows],
            from_on,
            markup,
            lambda span, kind=kind: PlanMarkup(  # type: ignore[misc]
                plan=plan,
                kind=MarkupKind(kind),
                markup=span.value.percent,
                margin=span.value.margin,
            ),
            _set_markup,
        )
        if old != new:
            changes[f"markup:{kind}"] = (_markup(old, plan), _markup(new, plan))
    _record(plan, changes, from_on, by)


@transaction.atomic
def withdraw(*, plan: RatePlan, code: str, on: date, by: Actor) -> None:
    """Call off what was to change on the day ``on``: what holds the day before goes on.

    ``code`` names a price or mark-up as the audit log does. What is planned for later
    stays planned. Raises ValidationError, code ``not_planned``, if nothing changes then.
    """
    plan = _locked(plan, by=by, from_on=on, seen="")
    priced = {
        key: rows
        for key, rows in _by_price(plan).items()
        if price_code(key) == code and _is_planned(rows, on)
    }
    marked = [row for row in plan.markups.all() if f"markup:{row.kind}" == code]
    for key, rows in priced.items():
        amount = next((row.amount for row in rows if _holds_before(row, on)), None)
        set_prices(plan=plan, values={key: amount}, from_on=on, by=by)
    if _is_planned(marked, on):
        row = next((row for row in marked if _holds_before(row, on)), None)
        markup = Markup(row.markup, row.margin) if row else None
        kind = marked[0].kind
        set_markups(plan=plan, values={kind: markup}, from_on=on, by=by)
    elif not priced:
        raise ValidationError(_("This is not planned any more."), code="not_planned")


def _by_price(plan: RatePlan) -> dict[PriceKey, list[PlanPrice]]:
    found: dict[PriceKey, list[PlanPrice]] = {}
    for row in plan.prices.all():
        key = (row.feature, row.number_class_id, row.occurs)
        found.setdefault(key, []).append(row)
    return found


def _is_planned(rows: Iterable[PlanPrice | PlanMarkup], on: date) -> bool:
    """Whether something begins or ends on a day to come."""
    rows = list(rows)
    if not rows or on <= local_date(rows[0].plan.owner.time_zone):
        return False
    return any(on in (row.valid.lower, row.valid.upper) for row in rows)


def _holds_before(row: PlanPrice | PlanMarkup, on: date) -> bool:
    return on - ONE_DAY in row.valid


@transaction.atomic
def set_permissions(
    *, plan: RatePlan, values: Mapping[Feature, Permission], by: Actor, seen: str = ""
) -> None:
    """Say how many of each feature there may be and how many are free, from now on.

    Raises ValidationError at ``<feature>_maximum`` if the owner's own plan allows less.
    """
    plan = _locked(plan, by=by, from_on=None, seen=seen)
    _refuse_more_than_own(plan, values)
    changes: dict[str, tuple[Any, Any]] = {}
    for feature, (maximum, included) in values.items():
        row = PlanFeature.objects.filter(plan=plan, feature=feature).first()
        row = row or PlanFeature(plan=plan, feature=feature)
        was = (row.maximum, row.included)
        if was == (maximum, included):
            continue
        row.maximum, row.included = maximum, included
        row.clean_fields(exclude=["plan"])
        row.save()
        for name, old, new in zip(
            ("maximum", "included"), was, (maximum, included), strict=True
        ):
            if old != new:
                changes[f"{name}:{feature}"] = (old, new)
    _record(plan, changes, None, by)


def own_maxima(owner: Any) -> dict[Feature, int]:
    """How many of each feature the plan allows that ``owner`` is on; -1 for no limit."""
    plan = own_plan(owner.pk)
    if plan is None:  # the system owner is on none
        return dict.fromkeys(Feature, NO_LIMIT)
    effective = effective_plan(plan, on=local_date(owner.time_zone))
    return {feature: effective.maximum(feature).value for feature in Feature}


def state_of_prices(plan: RatePlan) -> str:
    """A short text that changes with any price, mark-up or permission of the plan."""
    rows: list[Any] = []
    for model in (PlanPrice, PlanMarkup, PlanFeature):
        found = model.objects.filter(plan=plan).order_by("pk")
        rows += found.values_list()
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:24]


def _locked(plan: RatePlan, *, by: Actor, from_on: date | None, seen: str) -> RatePlan:
    plan = locked_plan(plan, by=by)
    if seen and seen != state_of_prices(plan):
        raise StaleError
    if from_on is not None and from_on < local_date(plan.owner.time_zone):
        text = _("Choose today or a later day: what was charged stays as it was.")
        raise ValidationError({"from_on": ValidationError(text, code="past")})
    return plan


def _replan(
    rows: Iterable[tuple[Any, Any]],
    from_on: date,
    value: Any,
    make: Callable[[Span[Any]], Any],
    assign: Callable[[Any, Any], None],
) -> tuple[Any, Any]:
    """Bring the rows of one price to what they are with ``value`` from ``from_on`` on.

    Gives the value of that day before and after.
    """
    by_begin = {_begin(row): (row, value) for row, value in rows}
    spans = [
        Span(begin, row.valid.upper, amount)
        for begin, (row, amount) in by_begin.items()
    ]
    wanted = {span.begin: span for span in changed(spans, from_on, value)}
    old = next((span.value for span in spans if span.holds_on(from_on)), None)
    for begin, (row, _amount) in by_begin.items():
        if begin not in wanted:
            row.delete()
    # Deleted, then changed, then new: no two may hold on one day, not even for a moment.
    for span in wanted.values():
        if span.begin in by_begin:
            row, amount = by_begin[span.begin]
            if (row.valid.upper, amount) != (span.end, span.value):
                row.valid = (row.valid.lower, span.end)
                assign(row, span.value)
                row.clean_fields(exclude=["plan", "valid"])
                row.save()
    for span in wanted.values():
        if span.begin not in by_begin:
            row = make(span)
            row.valid = (span.begin, span.end)
            row.clean_fields(exclude=["plan", "valid"])
            row.save(force_insert=True)
    return old, value


def _begin(row: Any) -> date:
    begin: date | None = row.valid.lower
    return begin or date.min


def _set_amount(row: PlanPrice, amount: Decimal) -> None:
    row.amount = amount


def _set_markup(row: PlanMarkup, markup: Markup) -> None:
    row.markup, row.margin = markup.percent, markup.margin


def _amount(value: Decimal | None, plan: RatePlan) -> str | None:
    return None if value is None else f"{value.normalize():f} {plan.currency}"


def _markup(value: Markup | None, plan: RatePlan) -> str | None:
    return None if value is None else markup_text(value, plan.currency)


def _record(
    plan: RatePlan, changes: dict[str, tuple[Any, Any]], from_on: date | None, by: Actor
) -> None:
    if not changes:
        return
    if from_on is not None:
        changes = {"valid_from": (None, from_on.isoformat()), **changes}
    audit.record("plan.priced", plan, by=by, customer=plan.owner, changes=changes)


def _refuse_more_than_own(plan: RatePlan, values: Mapping[Feature, Permission]) -> None:
    """A reseller cannot grant what its own plan forbids (D 3.4)."""
    own = own_maxima(plan.owner)
    errors: dict[str, ValidationError] = {}
    for feature, (maximum, _included) in values.items():
        limit = own[feature]
        if maximum is None or limit == NO_LIMIT or NO_LIMIT < maximum <= limit:
            continue
        text = (
            ngettext(
                "Your own rate plan allows you %(count)d in all.",
                "Your own rate plan allows you %(count)d in all.",
                limit,
            )
            if limit
            else _("Your own rate plan does not allow this.")
        )
        errors[f"{feature}_maximum"] = ValidationError(
            text, code="own_plan", params={"count": limit}
        )
    if errors:
        raise ValidationError(errors)
