"""Making residential customers: everything of one is made from a free number (D 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Tax
from billing.services import fees
from billing.services.fee_lines import FeatureItem
from customers.choices import CustomerKind, RoleDefault
from customers.models import Customer, Number, Person
from customers.services import lines, mailboxes, numbers, people
from customers.services.customers import (
    NewPerson,
    billed,
    make_first_person,
    open_customer,
)
from portal.core.actor import Actor
from portal.core.tree_lock import hold_tree


@dataclass(frozen=True, slots=True)
class Residential:
    """What making a residential customer gave, with the secrets nobody can read again."""

    customer: Customer
    person: Person
    line_password: str
    mailbox_pin: str


@transaction.atomic
def create_residential(
    *,
    parent: Customer,
    number: Number,
    person: NewPerson,
    values: Mapping[str, Any],
    account: Mapping[str, Any],
    by: Actor,
    taxes: Iterable[Tax] | None = None,
    price_seen: Decimal | None = None,
) -> Residential:
    """Make a residential customer of one free number of ``parent`` (D 2.2).

    The number becomes the customer's name, its telephone number, a SIP account, a mailbox
    and the login of its person, all or nothing. All fees are charged; ``price_seen`` and
    what is raised by them are as billing.services.fees says.
    Raises ValidationError at ``number`` when somebody else was given it first, or when
    something else has that name.
    """
    hold_tree()
    taken = numbers.lock_free(number, holder=parent)
    try:
        made, items = _create_of(taken, parent, person, values, account, taxes, by)
    except ValidationError as error:
        raise _about_number(error, taken) from error
    fees.add_features(
        made.customer, items, by=by, came_from=parent, price_seen=price_seen
    )
    return made


def _create_of(
    taken: Number,
    parent: Customer,
    person: NewPerson,
    values: Mapping[str, Any],
    account: Mapping[str, Any],
    taxes: Iterable[Tax] | None,
    by: Actor,
) -> tuple[Residential, list[FeatureItem]]:
    """Everything that a locked free number becomes, and what is to be charged for."""
    digits = taken.number.removeprefix("+")
    customer = open_customer(
        parent,
        CustomerKind.RESIDENTIAL,
        {**values, "name": taken.number},
        account,
        taxes,
        by,
    )
    mailbox, pin = mailboxes.make_mailbox(
        customer=customer,
        values={"name": taken.number, "box_number": digits, "emails": person.emails},
        by=by,
    )
    line, password = lines.make_line(
        customer=customer,
        values={
            "name": taken.number,
            "username": digits,
            "callerid": taken.number,
            "mailbox": mailbox,
        },
        by=by,
    )
    numbers.hand_down(taken, customer=customer, line=line, mailbox=mailbox, by=by)
    made = make_first_person(customer, person, RoleDefault.RESIDENTIAL, by)
    items = [
        billed(customer),
        numbers.billed(taken),
        lines.billed(line),
        mailboxes.billed(mailbox),
        people.billed(made),
    ]
    return Residential(customer, made, password, pin), items


def _about_number(error: ValidationError, number: Number) -> ValidationError:
    """The same refusal, but names that are taken are the number's fault."""
    if not hasattr(error, "error_dict"):
        return error
    named = {"name", "username", "person_username"} & set(error.error_dict)
    if not named:
        return error
    refusal = ValidationError(
        _(
            "%(number)s is already the name of a customer, a line or a person."
            " Choose another."
        ),
        code="taken",
        params={"number": number.number},
    )
    others = {name: e for name, e in error.error_dict.items() if name not in named}
    return ValidationError({**others, "number": refusal})
