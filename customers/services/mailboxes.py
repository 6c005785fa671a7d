"""Mailboxes: places for voice messages, opened with a PIN."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import fees
from billing.services.fee_lines import FeatureItem
from customers.models import Customer, Mailbox
from portal.core import audit, secrets
from portal.core.actor import Actor
from portal.core.integrity import at_field, refusals
from portal.core.permissions import Permission
from portal.core.staleness import refuse_stale
from portal.core.tree_lock import hold_place, hold_tree
from portal.core.validators import clean_emails
from rateplans.choices import Feature

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
    *,
    customer: Customer,
    values: Mapping[str, Any],
    by: Actor,
    price_seen: Decimal | None = None,
) -> tuple[Mailbox, str]:
    """Make a mailbox; returns it with its PIN, which is not shown again.

    ``values`` holds some of `FIELDS`, at least name and box_number. Its fees are charged;
    ``price_seen`` and what is raised by them are as billing.services.fees says.
    Raises ValidationError by field, too.
    """
    mailbox, pin = make_mailbox(customer=customer, values=values, by=by)
    fees.add_features(customer, [billed(mailbox)], by=by, price_seen=price_seen)
    return mailbox, pin


def make_mailbox(
    *, customer: Customer, values: Mapping[str, Any], by: Actor
) -> tuple[Mailbox, str]:
    """The same without its fees, which the caller charges in the same transaction."""
    by.require(Permission.ADMINISTRATOR)
    hold_place(customer, by=by)
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
        changes=audit.first_values(mailbox, FIELDS),
    )
    return mailbox, pin


@transaction.atomic
def update_mailbox(
    *, mailbox: Mailbox, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> Mailbox:
    """Change a mailbox.

    ``seen`` is the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the mailbox is not as ``seen``.
    """
    mailbox = _locked(mailbox, by=by)
    refuse_stale(mailbox, FIELDS, seen=seen)
    before = audit.snapshot(mailbox, FIELDS)
    was_customers_own = is_customers_own(mailbox)
    _set(mailbox, values)
    if was_customers_own and not is_customers_own(mailbox):
        raise ValidationError(
            {"box_number": _("A residential customer's mailbox keeps its number.")},
            code="residential",
        )
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
    mailbox = _locked(mailbox, by=by)
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
    hold_tree()
    mailbox = _locked(mailbox, by=by)
    if is_customers_own(mailbox):
        raise ValidationError(
            _("This mailbox is what the residential customer consists of."),
            code="residential",
        )
    audit.record("mailbox.deleted", mailbox, by=by, customer=mailbox.customer)
    fees.remove_features(mailbox.customer, [billed(mailbox)], by=by)
    mailbox.delete()


def is_customers_own(mailbox: Mailbox) -> bool:
    """Whether a residential customer consists of this mailbox (D 2.2)."""
    customer = mailbox.customer
    return customer.is_residential and mailbox.box_number == customer.name.removeprefix(
        "+"
    )


def propose_box_number(customer: Customer) -> str:
    """The number after the highest three- to five-digit one, from 100 on."""
    numbers = Mailbox.objects.filter(
        customer=customer, box_number__regex=r"^[1-9][0-9]{2,4}$"
    ).values_list("box_number", flat=True)
    return str(max((int(number) for number in numbers), default=99) + 1)


def billed(mailbox: Mailbox) -> FeatureItem:
    """The mailbox as billing knows it."""
    return FeatureItem(Feature.MAILBOX, mailbox.pk, mailbox.name)


def _locked(mailbox: Mailbox, *, by: Actor) -> Mailbox:
    """The mailbox's row, locked; PermissionDenied unless ``by`` may change it."""
    by.require(Permission.ADMINISTRATOR)
    locked = (
        Mailbox.objects.select_for_update(of=("self",))
        .select_related("customer")
        .get(pk=mailbox.pk)
    )
    if not locked.customer.is_within(by.customer):
        raise PermissionDenied
    return locked


def _set(mailbox: Mailbox, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(mailbox, name, value)
    with at_field("emails"):
        mailbox.emails = clean_emails(mailbox.emails)
    mailbox.clean_fields(exclude=["customer", "pin"])
