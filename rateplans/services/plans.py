"""Rate plans: made, changed, archived, deleted. Prices have a service of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.money import ZERO, has_minor_unit_precision
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.staleness import refuse_stale
from portal.core.validators import validate_name
from rateplans.choices import Sharing
from rateplans.models import (
    CustomSetting,
    PlanFeature,
    PlanMarkup,
    PlanPrice,
    RatePlan,
)
from rateplans.selectors import chain_ids, count_customers, inheritable_plans, own_plan
from rateplans.services.holds import hold_plan
from rateplans.settings import DEFAULTS, ROWS

# What stands on the plan's own page, in the order of D 3.2.
FIELDS: tuple[str, ...] = (
    *("name", "description", "base", "inherits_own"),
    *("may_be_inherited", "share", "offered_at_signup", "currency"),
    *DEFAULTS,
)
_CONSTRAINTS = {
    "rate_plan_name_once_per_owner": "name",
    "rate_plan_archived_is_not_offered": "offered_at_signup",
}
# What a copy does not take over: whoever made it opens it when it is ready.
_NOT_COPIED = {
    "share": Sharing.NO,
    "may_be_inherited": False,
    "offered_at_signup": False,
}


@transaction.atomic
def create_plan(*, owner: Any, values: Mapping[str, Any], by: Actor) -> RatePlan:
    """Make a plan for the customers of ``owner``.

    ``values`` holds some of `FIELDS`, at least name and currency; what is missing is
    inherited. Raises ValidationError by field.
    """
    _require(owner, by)
    plan = RatePlan(owner=owner)
    _set(plan, values)
    _refuse_base(plan, kept_id=None)
    with refusals(RatePlan, _CONSTRAINTS):
        plan.save(force_insert=True)
    changes = audit.first_values(plan, FIELDS)
    audit.record("plan.created", plan, by=by, customer=owner, changes=changes)
    return plan


@transaction.atomic
def update_plan(
    *, plan: RatePlan, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> RatePlan:
    """Change a plan; who shares it less keeps the customers that are on it.

    ``seen`` is the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the plan is not as ``seen`` any more.
    """
    plan = locked_plan(plan, by=by)
    refuse_stale(plan, FIELDS, seen=seen)
    before = audit.snapshot(plan, FIELDS)
    base_id, currency = plan.base_id, plan.currency
    _set(plan, values)
    _refuse_base(plan, kept_id=base_id)
    if plan.currency != currency and has_prices(plan):
        raise ValidationError(
            {
                "currency": ValidationError(
                    _("The plan has prices in %(currency)s: it keeps its currency."),
                    code="priced",
                    params={"currency": currency},
                )
            }
        )
    with refusals(RatePlan, _CONSTRAINTS):
        plan.save()
    _refuse_cycle(plan)
    changes = audit.differences(before, audit.snapshot(plan, FIELDS))
    if changes:
        audit.record("plan.updated", plan, by=by, customer=plan.owner, changes=changes)
    return plan


@transaction.atomic
def copy_plan(*, plan: RatePlan, name: str, by: Actor) -> RatePlan:
    """A plan of the same owner that says the same from today on; open to nobody yet."""
    plan = locked_plan(plan, by=by)
    values = {field: getattr(plan, field) for field in FIELDS}
    copy = RatePlan(owner=plan.owner)
    _set(copy, values | _NOT_COPIED | {"name": name})
    with refusals(RatePlan, _CONSTRAINTS):
        copy.save(force_insert=True)
    today = local_date(plan.owner.time_zone)
    for model in (PlanPrice, PlanMarkup):
        _copy_rows(model.objects.filter(plan=plan), copy, since=today)
    _copy_rows(PlanFeature.objects.filter(plan=plan), copy)
    _copy_rows(CustomSetting.objects.filter(plan=plan), copy)
    _copy_rows(plan.product_exceptions.all(), copy)
    _copy_charges(plan, copy)
    changes = audit.first_values(copy, FIELDS)
    audit.record("plan.created", copy, by=by, customer=plan.owner, changes=changes)
    return copy


@transaction.atomic
def set_archived(*, plan: RatePlan, is_archived: bool, by: Actor) -> RatePlan:
    """Offer a plan to nobody any more, or again; who is on it stays on it.

    One that was offered at sign-up is so no more, not even if it is brought back.
    """
    plan = locked_plan(plan, by=by)
    if (plan.archived_at is not None) == is_archived:
        return plan
    before = audit.snapshot(plan, ["offered_at_signup"])
    plan.archived_at = timezone.now() if is_archived else None
    plan.offered_at_signup = False
    plan.save(update_fields=["archived_at", "offered_at_signup", "updated_at"])
    changes = audit.differences(before, audit.snapshot(plan, before))
    action = "plan.archived" if is_archived else "plan.brought_back"
    audit.record(action, plan, by=by, customer=plan.owner, changes=changes)
    return plan


@transaction.atomic
def delete_plan(*, plan: RatePlan, by: Actor) -> None:
    """Delete a plan that nobody is on and nothing inherits from, with its prices.

    One that somebody paid charges of stays, too: the books name them.
    Raises ValidationError, code ``in_use``, otherwise.
    """
    plan = locked_plan(plan, by=by)
    # Waits for whoever is being put on it (`hold_plan`), so that they are seen below.
    RatePlan.objects.select_for_update().get(pk=plan.pk)
    if reasons := deletion_refusals(plan):
        raise ValidationError(reasons, code="in_use")
    audit.record("plan.deleted", plan, by=by, customer=plan.owner)
    plan.delete()


def deletion_refusals(plan: RatePlan) -> list[str]:
    """Why a plan cannot be deleted; empty if it can."""
    living = count_customers([plan.pk])[plan.pk]
    with scopes_disabled():  # accounts and plans further down count as well
        everybody = RatePlan.objects.filter(pk=plan.pk, accounts__isnull=False).count()
        heirs = plan.heirs.count()
        booked = plan.charges.filter(entries__isnull=False).distinct().count()
    deleted = everybody - living
    texts = (
        ngettext(
            "%(count)d customer is on it.", "%(count)d customers are on it.", living
        )
        % {"count": living}
        if living
        else "",
        ngettext(
            "%(count)d deleted customer who can still be restored is on it.",
            "%(count)d deleted customers who can still be restored are on it.",
            deleted,
        )
        % {"count": deleted}
        if deleted
        else "",
        ngettext(
            "%(count)d rate plan inherits from it.",
            "%(count)d rate plans inherit from it.",
            heirs,
        )
        % {"count": heirs}
        if heirs
        else "",
        ngettext(
            "%(count)d charge of it stands in the books, which are kept.",
            "%(count)d charges of it stand in the books, which are kept.",
            booked,
        )
        % {"count": booked}
        if booked
        else "",
    )
    return [text for text in texts if text]


def has_prices(plan: RatePlan) -> bool:
    """Whether there are, were or will be amounts in the plan's currency."""
    return (
        plan.prices.exists()
        or plan.markups.exists()
        or plan.product_exceptions.exists()
    )


def locked_plan(plan: RatePlan, *, by: Actor) -> RatePlan:
    """The plan, with all of its owner's plans locked in the order of their ids.

    All of them, so that no two changes at once can make plans inherit in a circle.
    Raises PermissionDenied unless ``by`` may change it.
    """
    locked = {
        row.pk: row
        for row in RatePlan.objects.select_for_update(of=("self",), no_key=True)
        .filter(owner=plan.owner_id)
        .select_related("owner")
        .order_by("pk")
    }
    if plan.pk not in locked:
        raise RatePlan.DoesNotExist
    found = locked[plan.pk]
    _require(found.owner, by)
    return found


def _require(owner: Any, by: Actor) -> None:
    by.require(Permission.COMMERCE)
    if not owner.is_within(by.customer):
        raise PermissionDenied


def _set(plan: RatePlan, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(plan, name, value)
    if plan.inherits_own:
        plan.base = None
    plan.clean_fields(exclude=["owner", "base", *ROWS])
    errors: dict[str, ValidationError] = {}
    try:
        validate_name(plan.name)
    except ValidationError as error:
        errors["name"] = error
    for name in ("call_maximum", "auto_topup_target"):
        if not has_minor_unit_precision(getattr(plan, name) or ZERO, plan.currency):
            errors[name] = ValidationError(
                _("%(currency)s does not have that many decimal places."),
                code="minor_unit",
                params={"currency": plan.currency},
            )
    if errors:
        raise ValidationError(errors)


def _refuse_base(plan: RatePlan, *, kept_id: int | None) -> None:
    """What a plan may inherit from: the owner's own plans, and those opened to it."""
    owner = plan.owner
    if plan.inherits_own and own_plan(owner.pk) is None:
        raise ValidationError(
            {
                "base": ValidationError(
                    _("You are on no rate plan yourself."), code="own"
                )
            }
        )
    if plan.base_id is None or plan.base_id == kept_id:
        return
    offered = inheritable_plans(owner_id=owner.pk, ancestor_ids=owner.ancestor_ids)
    if not (offered.filter(pk=plan.base_id).exists() and hold_plan(plan.base_id)):
        raise ValidationError(
            {
                "base": ValidationError(
                    _("Choose one of your plans, or one that may be inherited."),
                    code="base",
                )
            }
        )


def _refuse_cycle(plan: RatePlan) -> None:
    if _is_circular(plan):
        raise ValidationError(
            {
                "base": ValidationError(
                    _("That plan inherits from this one: they would go in a circle."),
                    code="cycle",
                )
            }
        )


def refuse_circle_of(plan: RatePlan) -> None:
    """After an account was put on ``plan``: it must not come to inherit from itself.

    It could by a plan below that takes what it leaves open from the account's own plan.
    Raises ValidationError at ``plan``, code ``cycle``.
    """
    if _is_circular(plan):
        raise ValidationError(
            {
                "plan": ValidationError(
                    _(
                        "That plan inherits from one of this customer's plans: they"
                        " would go in a circle."
                    ),
                    code="cycle",
                )
            }
        )


def _is_circular(plan: RatePlan) -> bool:
    chain = chain_ids([plan.pk])[plan.pk]
    return len(set(chain)) < len(chain)


def _copy_rows(rows: Any, plan: RatePlan, *, since: Any = None) -> None:
    """Rows as new ones of ``plan``; of spans of days, what is left of them."""
    copies: list[Model] = []
    for row in rows:
        row.pk, row.plan, row._state.adding = None, plan, True
        if since is not None:
            if row.valid.upper is not None and row.valid.upper <= since:
                continue
            if row.valid.lower is None or row.valid.lower < since:
                row.valid = type(row.valid)(since, row.valid.upper)
        copies.append(row)
    rows.model.objects.bulk_create(copies)


def _copy_charges(plan: RatePlan, copy: RatePlan) -> None:
    """The charges that go on: whoever is put on the copy pays them from then on."""
    with scopes_disabled():  # some of their taxes were shared from above
        for charge in plan.charges.filter(ended_at=None).order_by("pk"):
            taxes = list(charge.taxes.all())
            charge.pk, charge.plan, charge.created_at = None, copy, timezone.now()
            charge.save(force_insert=True)
            charge.taxes.set(taxes)
