"""Roles, which the system owner shapes in the Django admin (D 7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.choices import RoleDefault
from customers.models import Person, Role
from portal.core import audit
from portal.core.actor import Actor
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

FIELDS: tuple[str, ...] = (
    "name",
    "description",
    "may_login",
    "may_use_api",
    "interface",
    "permissions",
    "menus",
    "default_for",
    "transaction_maximum",
)


@transaction.atomic
def save_role(*, role: Role, values: Mapping[str, Any], by: Actor) -> Role:
    """Make or change a role; taking over a default takes it from the one that had it.

    ``values`` holds some of `FIELDS`. Raises ValidationError by field.
    """
    by.require(Permission.SYSTEM)
    # One at a time: two changes at once could leave nobody who runs the system.
    roles = {row.pk: row for row in Role.objects.select_for_update().order_by("pk")}
    is_new = role.pk is None
    before = {} if is_new else audit.snapshot(roles[role.pk], FIELDS)
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(role, name, value)
    if refusals := role_refusals(role):
        raise ValidationError(refusals)
    role.full_clean(validate_constraints=False)
    if role.default_for:
        _take_default(role, by)
    role.save()
    changes = audit.differences(before, audit.snapshot(role, FIELDS))
    if changes:
        action = "role.created" if is_new else "role.updated"
        audit.record(action, role, by=by, customer=by.customer, changes=changes)
    return role


@transaction.atomic
def delete_role(*, role: Role, by: Actor) -> None:
    """Remove a role that nobody has. Raises ValidationError if it is in use."""
    by.require(Permission.SYSTEM)
    role = Role.objects.select_for_update().get(pk=role.pk)
    if reasons := deletion_refusals(role):
        raise ValidationError(reasons, code="in_use")
    audit.record("role.deleted", role, by=by, customer=by.customer)
    role.delete()


def role_refusals(role: Role) -> dict[str, str]:
    """Why the role cannot be saved as it now is, by field; empty if it can."""
    refusals: dict[str, str] = {}
    stored = Role.objects.filter(pk=role.pk).first() if role.pk else None
    if stored and stored.default_for and role.default_for != stored.default_for:
        refusals["default_for"] = _(
            "Somebody must have this default: give it to another role there."
        )
    if role.has(Permission.SYSTEM):
        if role.default_for:
            refusals["default_for"] = _(
                "System administration is for the system owner only: new customers'"
                " people must not get it."
            )
        elif stored and _people(role).exclude(customer__parent=None).exists():
            refusals["permissions"] = _(
                "Customers' people have this role: they must not get system"
                " administration."
            )
    if stored and _would_lock_out(stored, role):
        refusals["permissions"] = _(
            "Nobody could administer the system any more: this is the only role of the"
            " system owner's people that may."
        )
    return refusals


def deletion_refusals(role: Role) -> list[str]:
    """Why the role cannot be removed; empty if it can."""
    reasons = []
    if role.default_for:
        reasons.append(_("It is a default: give that to another role first."))
    if count := _people(role).count():
        reasons.append(
            ngettext(
                "%(count)d person has it. Give them another one first.",
                "%(count)d people have it. Give them another one first.",
                count,
            )
            % {"count": count}
        )
    return reasons


def _take_default(role: Role, by: Actor) -> None:
    """Take the default from the role that has it, which is left without one."""
    holder = Role.objects.filter(default_for=role.default_for).exclude(pk=role.pk)
    for other in holder:
        label = RoleDefault(other.default_for).label
        other.default_for = ""
        other.save(update_fields=["default_for"])
        audit.record(
            "role.updated",
            other,
            by=by,
            customer=by.customer,
            changes={"default_for": (label, "")},
        )


def _would_lock_out(stored: Role, role: Role) -> bool:
    """Whether it takes the system away from the last people who administer it."""
    if not _opens_system(stored) or _opens_system(role):
        return False
    with scopes_disabled():  # a question about the system owner's own people
        staff = Person.objects.filter(
            customer__parent=None,
            is_pseudo=False,
            is_active=True,
            role__may_login=True,
            role__permissions__contains=[Permission.SYSTEM],
        )
    return not staff.exclude(role=role).exists()


def _opens_system(role: Role) -> bool:
    return role.may_login and role.has(Permission.SYSTEM)


def _people(role: Role) -> Any:
    with scopes_disabled():  # roles are the same for every tenant
        return Person.objects.filter(role=role)
