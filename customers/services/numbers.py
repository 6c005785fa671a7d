"""Telephone numbers: into the system, down and up the tree, onto lines (D 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import phonenumbers
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from phonenumbers import geocoder

from billing.services import fees
from billing.services.fee_lines import FeatureItem
from customers.models import Customer, Mailbox, Number, TelephoneLine
from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import at_field, refusals
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.staleness import refuse_stale
from portal.core.tree_lock import hold_place, hold_tree
from portal.core.validators import validate_number
from rateplans.choices import Feature
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
    price_seen: Decimal | None = None,
) -> list[Number]:
    """Bring new numbers (E.164) into the system, held by ``customer``: all or none.

    Their fees are charged; ``price_seen`` is the total for all, as add_features says.
    Raises ValidationError at ``number`` if one is here already or cannot exist.
    """
    by.require(Permission.COMMERCE)
    hold_place(customer, by=by)
    numbers = list(numbers)
    _refuse_present(numbers)
    rows = []
    for text in numbers:
        with at_field("number"):
            validate_number(text)
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
    items = [billed(number) for number in rows]
    fees.add_features(customer, items, by=by, price_seen=price_seen)
    for number in rows:
        audit.record("number.added", number, by=by, customer=customer)
    return rows


def expand_range(first: str, count: int) -> list[str]:
    """``count`` numbers in a row from ``first`` (E.164). Raises ValidationError."""
    if not 1 <= count <= MAXIMUM_RANGE:
        raise ValidationError(
            {
                "count": _("Enter a count from 1 to %(maximum)d.")
                % {"maximum": MAXIMUM_RANGE}
            }
        )
    begin = int(first.removeprefix("+"))
    if len(str(begin + count - 1)) != len(str(begin)):
        raise ValidationError(
            {"count": _("So many numbers do not fit behind the first one.")}
        )
    return [f"+{begin + step}" for step in range(count)]


def lock_free(number: Number, *, holder: Customer) -> Number:
    """The number's row, locked, if ``holder`` still has it free.

    Raises ValidationError at ``number`` if somebody was faster.
    """
    with scopes_disabled():  # the holder is above whoever takes a number for itself
        rows = Number.objects.select_for_update(of=("self",)).select_related("customer")
        locked = rows.filter(pk=number.pk).first()
    if locked is None or locked.customer_id != holder.pk or not locked.is_free:
        raise ValidationError(
            {
                "number": ValidationError(
                    _(
                        "%(number)s has just been given to somebody else. Choose"
                        " another; everything else you typed is still here."
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
    price_seen: Decimal | None = None,
) -> Number:
    """Hand a locked free number to ``customer``, leading where it says.

    Its fees are charged to those who did not have it below them before; ``price_seen`` is
    as billing.services.fees says.
    """
    holder = hand_down(number, customer=customer, line=line, mailbox=mailbox, by=by)
    fees.add_features(
        customer, [billed(number)], by=by, came_from=holder, price_seen=price_seen
    )
    return number


def hand_down(
    number: Number,
    *,
    customer: Customer,
    line: TelephoneLine | None,
    mailbox: Mailbox | None,
    by: Actor,
) -> Customer:
    """The same without its fees, which the caller charges; returns who held it before."""
    holder = number.customer
    changes = {"customer": (holder, customer)}
    number.customer, number.line, number.mailbox = customer, line, mailbox
    number.save(update_fields=["customer", "line", "mailbox"])
    audit.record("number.assigned", number, by=by, customer=customer, changes=changes)
    return holder


@transaction.atomic
def take_number(
    *,
    number: Number,
    customer: Customer,
    by: Actor,
    values: Mapping[str, Any],
    price_seen: Decimal | None = None,
) -> Number:
    """Give ``customer`` a free number of the account above it, as `assign` charges it."""
    by.require(Permission.ADMINISTRATOR)
    hold_place(customer, by=by)
    if customer.parent is None:
        raise ValidationError({"number": _("There is no account above this one.")})
    taken = lock_free(number, holder=customer.parent)
    assign(taken, customer=customer, by=by, price_seen=price_seen)
    return update_number(number=taken, values=values, by=by)


@transaction.atomic
def update_number(
    *, number: Number, values: Mapping[str, Any], by: Actor, seen: str = ""
) -> Number:
    """Change where a number leads and how it is listed.

    ``seen`` is the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the number is not as ``seen``.
    """
    number = _locked(number, by=by)
    refuse_stale(number, FIELDS, seen=seen)
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
    """Give a number up: it returns to the account above; at the top, it is gone."""
    hold_tree()
    number = _locked(number, by=by)
    holder = number.customer
    if is_customers_own(number):
        raise ValidationError(
            _("This number is what the residential customer consists of."),
            code="residential",
        )
    audit.record("number.released", number, by=by, customer=holder)
    fees.remove_features(holder, [billed(number)], by=by, goes_to=holder.parent)
    if holder.parent is None:
        number.delete()
        return
    number.customer, number.line, number.mailbox = holder.parent, None, None
    number.description, number.is_in_directory = "", None
    number.save()


def is_customers_own(number: Number) -> bool:
    """Whether a residential customer consists of this number (D 2.2)."""
    return number.customer.is_residential and number.number == number.customer.name


def billed(number: Number) -> FeatureItem:
    """The number as billing knows it."""
    return FeatureItem(Feature.NUMBER, number.pk, number.number, number.number_class_id)


def _locked(number: Number, *, by: Actor) -> Number:
    """The number's row, locked. Raises PermissionDenied unless ``by`` may change it."""
    by.require(Permission.ADMINISTRATOR)
    locked = (
        Number.objects.select_for_update(of=("self",))
        .select_related("customer__parent", "line", "mailbox")
        .get(pk=number.pk)
    )
    if not locked.customer.is_within(by.customer):
        raise PermissionDenied
    return locked


def _refuse_present(numbers: list[str]) -> None:
    """Name the first number that is here already: the constraint cannot say which."""
    with scopes_disabled():  # numbers are unique over the whole system
        present = Number.objects.filter(number__in=numbers).order_by("number")
        first = present.values_list("number", flat=True).first()
    if first is not None:
        raise ValidationError(
            {
                "number": ValidationError(
                    _("%(number)s is already in the system."),
                    code="taken",
                    params={"number": first},
                )
            }
        )


def _country(number: str) -> str:
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


def _area(number: str) -> str:
    return geocoder.description_for_number(phonenumbers.parse(number), "en")[:80]
