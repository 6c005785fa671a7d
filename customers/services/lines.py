"""Telephone lines, the SIP accounts that telephones register with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer, TelephoneLine
from portal.core import audit, secrets
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.permissions import Permission

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
    *, customer: Customer, values: Mapping[str, Any], by: Actor
) -> tuple[TelephoneLine, str]:
    """Make a line; returns it with its password, which is not shown again.

    ``values`` holds some of `FIELDS`, at least name and username.
    Raises ValidationError by field.
    """
    by.require(Permission.ADMINISTRATOR)
    password = secrets.random_password()
    line = TelephoneLine(customer=customer, password=secrets.encrypt(password))
    _set(line, values)
    with refusals(TelephoneLine, _CONSTRAINTS):
        line.save(force_insert=True)
    audit.record(
        "line.created",
        line,
        by=by,
        customer=customer,
        changes=audit.differences({}, audit.snapshot(line, FIELDS)),
    )
    return line, password


@transaction.atomic
def update_line(
    *, line: TelephoneLine, values: Mapping[str, Any], by: Actor
) -> TelephoneLine:
    """Change a line. Raises ValidationError by field."""
    by.require(Permission.ADMINISTRATOR)
    line = _locked(line)
    before = audit.snapshot(line, FIELDS)
    _set(line, values)
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
    """Replace the password, e.g. when a telephone was lost; returns the new one, once."""
    by.require(Permission.ADMINISTRATOR)
    line = _locked(line)
    password = secrets.random_password()
    line.password = secrets.encrypt(password)
    line.save(update_fields=["password"])
    audit.record("line.password_renewed", line, by=by, customer=line.customer)
    return password


@transaction.atomic
def delete_line(*, line: TelephoneLine, by: Actor) -> None:
    """Remove a line; numbers that rang there are free again.

    Raises ValidationError for the line a residential customer consists of.
    """
    by.require(Permission.ADMINISTRATOR)
    line = _locked(line)
    if line.customer.is_residential and line.name == line.customer.name:
        raise ValidationError(
            _("This line is what the residential customer consists of."),
            code="residential",
        )
    audit.record("line.deleted", line, by=by, customer=line.customer)
    line.delete()


def propose_username(customer: Customer) -> str:
    """A SIP user name that says nothing about the customer and is hard to guess."""
    return f"{customer.pk}-{secrets.random_password(8).lower()}"


def _locked(line: TelephoneLine) -> TelephoneLine:
    return (
        TelephoneLine.objects.select_for_update(of=("self",))
        .select_related("customer")
        .get(pk=line.pk)
    )


def _set(line: TelephoneLine, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(line, name, value)
    line.clean_fields(exclude=["customer", "password", "dial_plan", "mailbox"])
    if line.mailbox is not None and line.mailbox.customer_id != line.customer_id:
        raise ValidationError({"mailbox": _("Choose one of this account's own.")})
