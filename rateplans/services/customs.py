"""Custom settings of plans: made, changed, reset to the portal's own texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.staleness import refuse_stale
from rateplans.choices import CustomName
from rateplans.models import CustomSetting, RatePlan
from rateplans.services.plans import locked_plan
from rateplans.texts import clean_text

FIELDS: tuple[str, ...] = ("name", "language", "reach", "value")
_CONSTRAINTS = {"custom_setting_once_per_plan": "language"}


@transaction.atomic
def create_custom(
    *, plan: RatePlan, values: Mapping[str, Any], by: Actor
) -> CustomSetting:
    """Let the plan say something itself; ``values`` holds `FIELDS`.

    Raises ValidationError by field: unknown variables, one that must be there, twice.
    """
    plan = locked_plan(plan, by=by)
    custom = CustomSetting(plan=plan)
    _set(custom, values)
    with refusals(CustomSetting, _CONSTRAINTS):
        custom.save(force_insert=True)
    changes = audit.first_values(custom, FIELDS)
    audit.record("custom.created", custom, by=by, customer=plan.owner, changes=changes)
    return custom


@transaction.atomic
def update_custom(
    *, custom: CustomSetting, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> CustomSetting:
    """Change a setting; what it is for stays.

    Raises ValidationError by field, StaleError if it is not as ``seen`` any more.
    """
    plan = locked_plan(custom.plan, by=by)
    custom = CustomSetting.objects.select_for_update().get(pk=custom.pk)
    refuse_stale(custom, FIELDS, seen=seen)
    before = audit.snapshot(custom, FIELDS)
    _set(custom, {**values, "name": custom.name})
    with refusals(CustomSetting, _CONSTRAINTS):
        custom.save()
    changes = audit.differences(before, audit.snapshot(custom, FIELDS))
    if changes:
        audit.record(
            "custom.updated", custom, by=by, customer=plan.owner, changes=changes
        )
    return custom


@transaction.atomic
def delete_custom(*, custom: CustomSetting, by: Actor) -> None:
    """Go back to what the plan inherits, or to the portal's own text."""
    plan = locked_plan(custom.plan, by=by)
    changes = {name: (getattr(custom, name), "") for name in ("language", "value")}
    changes = {name: change for name, change in changes.items() if change[0]}
    audit.record("custom.deleted", custom, by=by, customer=plan.owner, changes=changes)
    custom.delete()


def _set(custom: CustomSetting, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(custom, name, value)
    errors: dict[str, Any] = {}
    try:
        custom.clean_fields(exclude=["plan"])
    except ValidationError as error:
        errors |= error.error_dict
    if custom.language and custom.language not in dict(settings.LANGUAGES):
        errors["language"] = ValidationError(
            _("Choose a language from the list."), code="language"
        )
    if "name" not in errors and "value" not in errors:
        try:
            custom.value = clean_text(CustomName(custom.name), custom.value)
        except ValidationError as error:
            errors["value"] = error
    if errors:
        raise ValidationError(errors)
