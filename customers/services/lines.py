"""Telephone lines, the SIP accounts that telephones register with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import fees
from billing.services.fee_lines import FeatureItem
from customers.models import Customer, TelephoneLine
from portal.core import audit, secrets
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.permissions import Permission
from portal.core.staleness import refuse_stale
from portal.core.tree_lock import hold_place, hold_tree
from rateplans.choices import Feature
from rateplans.selectors import own_settings

FIELDS: tuple[str, ...] = (
    "name",
    "username",
    "extension",
    "callerid",
    "dial_plan",
    "mailbox",
    "is_external_allowed",
    "is_enabled",
)
_CONSTRAINTS = {
    "line_username_once": "username",
    "line_extension_once_per_customer": "extension",
}


@transaction.atomic
def create_line(
    *,
    customer: Customer,
    values: Mapping[str, Any],
    by: Actor,
    price_seen: Decimal | None = None,
) -> tuple[TelephoneLine, str]:
    """Make a line; returns it with its password, which is not shown again.

    ``values`` holds some of `FIELDS`, at least name and username; whether it may call out
    of the system is else as the customer's rate plan says. Its fees are charged;
    ``price_seen`` and what is raised by them are as billing.services.fees says.
    Raises ValidationError by field, too.
    """
    line, password = make_line(customer=customer, values=values, by=by)
    fees.add_features(customer, [billed(line)], by=by, price_seen=price_seen)
    return line, password


def make_line(
    *, customer: Customer, values: Mapping[str, Any], by: Actor
) -> tuple[TelephoneLine, str]:
    """The same without its fees, which the caller charges in the same transaction."""
    by.require(Permission.ADMINISTRATOR)
    hold_place(customer, by=by)
    password = secrets.random_password()
    line = TelephoneLine(customer=customer, password=secrets.encrypt(password))
    _set(line, {"is_external_allowed": may_call_out(customer)} | dict(values))
    with refusals(TelephoneLine, _CONSTRAINTS):
        line.save(force_insert=True)
    audit.record(
        "line.created",
        line,
        by=by,
        customer=customer,
        changes=audit.first_values(line, FIELDS),
    )
    return line, password


@transaction.atomic
def update_line(
    *, line: TelephoneLine, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> TelephoneLine:
    """Change a line.

    ``seen`` is the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the line is not as ``seen`` any more.
    """
    line = _locked(line, by=by)
    refuse_stale(line, FIELDS, seen=seen)
    before = audit.snapshot(line, FIELDS)
    was_customers_own = is_customers_own(line)
    _set(line, values)
    if was_customers_own and not is_customers_own(line):
        raise ValidationError(
            {"username": _("A residential customer's line keeps its user name.")},
            code="residential",
        )
    with refusals(TelephoneLine, _CONSTRAINTS):
        line.save()
    changes = audit.differences(before, audit.snapshot(line, FIELDS))
    if changes:
        audit.record(
            "line.updated", line, by=by, customer=line.customer, changes=changes
        )
    return line


@transaction.atomic
def renew_password(*, line: TelephoneLine, by: Actor) -> str:
    """Replace the password, e.g. when a telephone was lost; gives the new one, once."""
    line = _locked(line, by=by)
    password = secrets.random_password()
    line.password = secrets.encrypt(password)
    line.save(update_fields=["password"])
    audit.record("line.password_renewed", line, by=by, customer=line.customer)
    return password


@transaction.atomic
def set_enabled(
    *, customer: Customer, line_ids: Iterable[int], is_enabled: bool, by: Actor
) -> int:
    """Let these lines of ``customer`` make and take calls, or not; how many changed."""
    ids = TelephoneLine.objects.filter(
        customer=customer, pk__in=line_ids, is_enabled=not is_enabled
    ).order_by("pk")
    changed = 0
    for pk in ids.values_list("pk", flat=True):
        line = _locked(TelephoneLine(pk=pk), by=by)
        if line.is_enabled == is_enabled:
            continue  # somebody else was faster
        line.is_enabled = is_enabled
        line.save(update_fields=["is_enabled"])
        changes = {"is_enabled": (not is_enabled, is_enabled)}
        audit.record("line.updated", line, by=by, customer=customer, changes=changes)
        changed += 1
    return changed


@transaction.atomic
def delete_line(*, line: TelephoneLine, by: Actor) -> None:
    """Remove a line; numbers that rang there ring nowhere.

    Raises ValidationError for the line a residential customer consists of.
    """
    hold_tree()
    line = _locked(line, by=by)
    if is_customers_own(line):
        raise ValidationError(
            _("This line is what the residential customer consists of."),
            code="residential",
        )
    audit.record("line.deleted", line, by=by, customer=line.customer)
    fees.remove_features(line.customer, [billed(line)], by=by)
    line.delete()


def may_call_out(customer: Customer) -> bool:
    """Whether a new line makes calls out of the system, unless somebody says otherwise."""
    return bool(own_settings(customer.pk).value("external_out"))


def is_customers_own(line: TelephoneLine) -> bool:
    """Whether a residential customer consists of this line (D 2.2)."""
    customer = line.customer
    return customer.is_residential and line.username == customer.name.removeprefix("+")


def propose_username(customer: Customer) -> str:
    """A SIP user name that says nothing about the customer and is hard to guess."""
    return f"{customer.pk}-{secrets.random_password(8).lower()}"


def billed(line: TelephoneLine) -> FeatureItem:
    """The line as billing knows it."""
    return FeatureItem(Feature.LINE, line.pk, line.name)


def _locked(line: TelephoneLine, *, by: Actor) -> TelephoneLine:
    """The line's row, locked. Raises PermissionDenied unless ``by`` may change it."""
    by.require(Permission.ADMINISTRATOR)
    locked = (
        TelephoneLine.objects.select_for_update(of=("self",))
        .select_related("customer")
        .get(pk=line.pk)
    )
    if not locked.customer.is_within(by.customer):
        raise PermissionDenied
    return locked


def _set(line: TelephoneLine, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(line, name, value)
    line.clean_fields(exclude=["customer", "password", "dial_plan", "mailbox"])
    if line.mailbox is not None and line.mailbox.customer_id != line.customer_id:
        raise ValidationError({"mailbox": _("Choose one of this account's own.")})
