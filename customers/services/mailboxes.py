"""Mailboxes: places for voice messages, opened with a PIN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer, Mailbox
from portal.core import audit, secrets
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.permissions import Permission
from portal.core.validators import clean_emails

FIELDS: tuple[str, ...] = (
    "name",
    "box_number",
    "emails",
    "is_audio_attached",
    "is_deleted_after_mail",
    "maximum",
    "is_enabled",
)
_CONSTRAINTS = {"mailbox_number_once_per_customer": "box_number"}


@transaction.atomic
def create_mailbox(
    *, customer: Customer, values: Mapping[str, Any], by: Actor
) -> tuple[Mailbox, str]:
    """Make a mailbox; returns it with its PIN, which is not shown again.

    ``values`` holds some of `FIELDS`, at least name and box_number.
    Raises ValidationError by field.
    """
    by.require(Permission.ADMINISTRATOR)
    pin = secrets.random_pin()
    mailbox = Mailbox(customer=customer, pin=make_password(pin))
    _set(mailbox, values)
    with refusals(Mailbox, _CONSTRAINTS):
        mailbox.save(force_insert=True)
    audit.record(
        "mailbox.created",
        mailbox,
        by=by,
        customer=customer,
        changes=audit.differences({}, audit.snapshot(mailbox, FIELDS)),
    )
    return mailbox, pin


@transaction.atomic
def update_mailbox(
    *, mailbox: Mailbox, values: Mapping[str, Any], by: Actor
) -> Mailbox:
    """Change a mailbox. Raises ValidationError by field."""
    by.require(Permission.ADMINISTRATOR)
    mailbox = _locked(mailbox)
    before = audit.snapshot(mailbox, FIELDS)
    _set(mailbox, values)
    with refusals(Mailbox, _CONSTRAINTS):
        mailbox.save()
    changes = audit.differences(before, audit.snapshot(mailbox, FIELDS))
    if changes:
        audit.record(
            "mailbox.updated",
            mailbox,
            by=by,
            customer=mailbox.customer,
            changes=changes,
        )
    return mailbox


@transaction.atomic
def renew_pin(*, mailbox: Mailbox, by: Actor) -> str:
    """Replace the PIN; returns the new one, once."""
    by.require(Permission.ADMINISTRATOR)
    mailbox = _locked(mailbox)
    pin = secrets.random_pin()
    mailbox.pin = make_password(pin)
    mailbox.save(update_fields=["pin"])
    audit.record("mailbox.pin_renewed", mailbox, by=by, customer=mailbox.customer)
    return pin


@transaction.atomic
def delete_mailbox(*, mailbox: Mailbox, by: Actor) -> None:
    """Remove a mailbox; lines and numbers that led to it lead there no more.

    Raises ValidationError for the mailbox a residential customer consists of.
    """
    by.require(Permission.ADMINISTRATOR)
    mailbox = _locked(mailbox)
    if mailbox.customer.is_residential and mailbox.name == mailbox.customer.name:
        raise ValidationError(
            _("This mailbox is what the residential customer consists of."),
            code="residential",
        )
    audit.record("mailbox.deleted", mailbox, by=by, customer=mailbox.customer)
    mailbox.delete()


def _locked(mailbox: Mailbox) -> Mailbox:
    return (
        Mailbox.objects.select_for_update(of=("self",))
        .select_related("customer")
        .get(pk=mailbox.pk)
    )


def _set(mailbox: Mailbox, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(mailbox, name, value)
    mailbox.emails = clean_emails(mailbox.emails)
    mailbox.clean_fields(exclude=["customer", "pin"])
