"""Telephone numbers: into the system, down and up the tree, onto lines (D 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from phonenumbers import geocoder

from customers.models import Customer, Mailbox, Number, TelephoneLine
from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import refusals
from portal.core.permissions import Permission
from rateplans.models import NumberClass

FIELDS: tuple[str, ...] = ("description", "line", "mailbox", "is_in_directory")
MAXIMUM_RANGE = 1000
_CONSTRAINTS = {"number_once": "number", "number_is_e164": "number"}


@transaction.atomic
def add_numbers(
    *,
    customer: Customer,
    numbers: Iterable[str],
    number_class: NumberClass,
    by: Actor,
    description: str = "",
) -> list[Number]:
    """Bring new numbers (E.164) into the system, held by ``customer``: all or none.

    Raises ValidationError at ``number`` if one is here already or cannot exist.
    """
    by.require(Permission.COMMERCE)
    rows = []
    for text in numbers:
        number = Number(
            number=text,
            customer=customer,
            number_class=number_class,
            country=_country(text),
            area=_area(text),
            description=description,
        )
        number.clean_fields(exclude=["customer", "number_class"])
        rows.append(number)
    with refusals(Number, _CONSTRAINTS):
        Number.objects.bulk_create(rows)
    for number in rows:
        audit.record("number.added", number, by=by, customer=customer)
    return rows


def expand_range(first: str, count: int) -> list[str]:
    """``count`` numbers in a row from ``first`` (E.164). Raises ValidationError if too long."""
    if not 1 <= count <= MAXIMUM_RANGE:
        raise ValidationError(
            {
                "count": _("Enter a count from 1 to %(maximum)d.")
                % {"maximum": MAXIMUM_RANGE}
            }
        )
    digits = first.removeprefix("+")
    last = str(int(digits) + count - 1)
    if len(last) != len(digits):
        raise ValidationError({"count": _("The range runs out of digits.")})
    return [f"+{int(digits) + step}" for step in range(count)]


def lock_free(number: Number, *, holder: Customer) -> Number:
    """The number's row, locked, if ``holder`` still has it free.

    Raises ValidationError at ``number`` if somebody was faster.
    """
    locked = Number.objects.select_for_update(of=("self",)).filter(pk=number.pk).first()
    if locked is None or locked.customer_id != holder.pk or not locked.is_free:
        raise ValidationError(
            {
                "number": ValidationError(
                    _(
                        "%(number)s has just been given to somebody else. Choose another;"
                        " everything else you typed is still here."
                    ),
                    code="taken",
                    params={"number": number.number},
                )
            }
        )
    return locked


def assign(
    number: Number,
    *,
    customer: Customer,
    by: Actor,
    line: TelephoneLine | None = None,
    mailbox: Mailbox | None = None,
) -> Number:
    """Hand a locked free number to ``customer``, leading where it says."""
    changes = {"customer": (number.customer, customer)}
    number.customer, number.line, number.mailbox = customer, line, mailbox
    number.save(update_fields=["customer", "line", "mailbox"])
    audit.record("number.assigned", number, by=by, customer=customer, changes=changes)
    return number


@transaction.atomic
def take_number(
    *, number: Number, customer: Customer, by: Actor, values: Mapping[str, Any]
) -> Number:
    """Give ``customer`` a free number of the account above it."""
    by.require(Permission.ADMINISTRATOR)
    if customer.parent is None:
        raise ValidationError({"number": _("There is no account above this one.")})
    taken = lock_free(number, holder=customer.parent)
    assign(taken, customer=customer, by=by)
    return update_number(number=taken, values=values, by=by)


@transaction.atomic
def update_number(*, number: Number, values: Mapping[str, Any], by: Actor) -> Number:
    """Change where a number leads and how it is listed. Raises ValidationError by field."""
    by.require(Permission.ADMINISTRATOR)
    number = (
        Number.objects.select_for_update(of=("self",))
        .select_related("customer")
        .get(pk=number.pk)
    )
    before = audit.snapshot(number, FIELDS)
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(number, name, value)
    for name in ("line", "mailbox"):
        target = getattr(number, name)
        if target is not None and target.customer_id != number.customer_id:
            raise ValidationError({name: _("Choose one of this account's own.")})
    number.clean_fields(
        exclude=["number", "customer", "number_class", "line", "mailbox"]
    )
    number.save()
    changes = audit.differences(before, audit.snapshot(number, FIELDS))
    if changes:
        audit.record(
            "number.updated", number, by=by, customer=number.customer, changes=changes
        )
    return number


@transaction.atomic
def release_number(*, number: Number, by: Actor) -> None:
    """Give a number up: it returns to the account above, or leaves the system at the top."""
    by.require(Permission.ADMINISTRATOR)
    number = (
        Number.objects.select_for_update(of=("self",))
        .select_related("customer__parent")
        .get(pk=number.pk)
    )
    holder = number.customer
    if holder.is_residential and number.number == holder.name:
        raise ValidationError(
            _("This number is what the residential customer consists of."),
            code="residential",
        )
    audit.record("number.released", number, by=by, customer=holder)
    if holder.parent is None:
        number.delete()
        return
    number.customer, number.line, number.mailbox = holder.parent, None, None
    number.description, number.is_in_directory = "", None
    number.save()


def _country(number: str) -> str:
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


def _area(number: str) -> str:
    return geocoder.description_for_number(phonenumbers.parse(number), "en")[:80]
