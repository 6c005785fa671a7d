"""Making and changing customers (D 2).

`residential` makes those of one number, `tree` changes where customers are, `locks` locks
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from billing.choices import OverdueLock
from billing.models import BillingAccount, Tax
from billing.services import accounts, fees, runs
from billing.services.fee_lines import FeatureItem
from customers.choices import CustomerKind, Lock, RoleDefault
from customers.models import Customer, Person
from customers.selectors import default_role
from customers.services import people
from customers.services.account_numbers import take_account_number
from portal.core import audit
from portal.core.actor import Actor
from portal.core.errors import StaleError
from portal.core.integrity import refusals
from portal.core.permissions import Permission
from portal.core.tree_lock import hold_tree
from rateplans.choices import Feature

FIELDS: tuple[str, ...] = (
    "name",
    "description",
    "account_number",
    "is_in_directory",
    "prefix",
    "lock",
    "lock_reason",
    "concurrent_calls",
    "bulk_calls",
    "voicemail_days",
    "voicemail_maximum",
    "callerid_in_external",
    "callerid",
    "region",
    "time_zone",
    "language",
    "dial_plan",
    "address1",
    "address2",
    "address3",
    "address_city",
    "address_state",
    "address_code",
    "address_other",
    "country",
    "telephone",
    "fax",
    "email",
)
_CONSTRAINTS = {
    "customer_name_once": "name",
    "customer_account_number_once_per_reseller": "account_number",
}


@dataclass(frozen=True, slots=True)
class NewPerson:
    """The first person of a customer; without ``role`` the default for its kind."""

    username: str
    first_name: str = ""
    last_name: str = ""
    emails: str = ""
    role: Any = None


@transaction.atomic
def create_normal(
    *,
    parent: Customer,
    values: Mapping[str, Any],
    account: Mapping[str, Any],
    by: Actor,
    taxes: Iterable[Tax] | None = None,
    administrator: NewPerson | None = None,
    price_seen: Decimal | None = None,
) -> Customer:
    """Make an empty customer below ``parent``, with its account and first administrator.

    ``values`` are some of `FIELDS` (name and email at least), ``account`` some of those of
    `billing.services.accounts`. Login details are mailed after the commit. All fees are
    charged; ``price_seen`` and what is raised by them are as billing.services.fees says.
    Raises ValidationError by field; administrator's fields are prefixed ``person_``.
    """
    customer = open_customer(parent, CustomerKind.NORMAL, values, account, taxes, by)
    items = [billed(customer)]
    if administrator is not None:
        person = make_first_person(
            customer, administrator, RoleDefault.FIRST_PERSON, by
        )
        items.append(people.billed(person))
    fees.add_features(customer, items, by=by, price_seen=price_seen)
    return customer


@transaction.atomic
def update_customer(
    *,
    customer: Customer,
    values: Mapping[str, Any],
    account: Mapping[str, Any],
    expected_version: int,
    by: Actor,
    taxes: Iterable[Tax] | None = None,
) -> Customer:
    """Change a customer and its account in one go.

    What is due until now is charged by the plan and taxes that it has until now.
    Raises StaleError if it is no longer at ``expected_version``, ValidationError by field.
    """
    hold_tree()
    customer = lock_below(customer, by=by)
    if customer.version != expected_version:
        raise StaleError
    _charge_before_the_change(customer, account, taxes)
    # Before a new name changes a key of the customer's row (`tree_lock`).
    billing_account = BillingAccount.objects.select_for_update(no_key=True).get(
        customer=customer
    )
    billing_account.customer = customer
    before = audit.snapshot(customer, FIELDS)
    _set(customer, values)
    if customer.is_residential and customer.name != before["name"]:
        raise ValidationError(
            {"name": _("A residential customer keeps its number as its name.")},
            code="residential",
        )
    if not customer.account_number:
        assert customer.parent is not None  # the root is below nobody
        customer.account_number = take_account_number(customer.parent)
    _check(customer)
    with refusals(Customer, _CONSTRAINTS):
        customer.save()
    changes = audit.differences(before, audit.snapshot(customer, FIELDS))
    changes |= accounts.update_account(
        account=billing_account, values=account, taxes=taxes
    )
    if "lock" in changes or "lock_reason" in changes:
        leave_lock_to_people(customer)
    if changes:
        # Saving without a change is no reason to call others' forms stale.
        customer.version += 1
        customer.save(update_fields=["version"])
        audit.record(
            "customer.updated", customer, by=by, customer=customer, changes=changes
        )
    if "name" in changes:
        _rename_pseudo_person(customer)
    return customer


def _charge_before_the_change(
    customer: Customer, account: Mapping[str, Any], taxes: Iterable[Tax] | None
) -> None:
    """A plan counts from the next period on, also while the run for the last one is late.

    So it does for those below, whose plans may inherit from it or pass its prices through.
    """
    present = BillingAccount.objects.get(
        customer=customer
    )  # held by its customer's row
    if accounts.changes_fees(present, account, taxes):
        below = BillingAccount.objects.filter(customer__path__startswith=customer.path)
        runs.charge_until_now(below, hold=present.pk)


def lock_below(customer: Customer, *, by: Actor) -> Customer:
    """The customer's row, locked for this transaction, if ``by`` may manage it at all.

    Raises PermissionDenied unless it is below the account ``by`` acts in.
    """
    by.require(Permission.COMMERCE)
    locked = (
        Customer.objects.select_for_update(of=("self",), no_key=True)
        .select_related("parent")
        .get(pk=customer.pk)
    )
    if not locked.is_below(by.customer):
        raise PermissionDenied
    return locked


def leave_lock_to_people(customer: Customer) -> None:
    """Whoever changes a lock means it: what is overdue neither lifts nor sets it any more,
    until all is paid (`overdue_locks`)."""
    BillingAccount.objects.filter(
        customer=customer, overdue_lock=OverdueLock.LOCKED
    ).update(overdue_lock=OverdueLock.WAIVED)


_ROW_ONLY: dict[str, Any] = {"validate_unique": False, "validate_constraints": False}


def open_customer(
    parent: Customer,
    kind: CustomerKind,
    values: Mapping[str, Any],
    account: Mapping[str, Any],
    taxes: Iterable[Tax] | None,
    by: Actor,
) -> Customer:
    """The customer and its account; its fees are charged by the caller."""
    by.require(Permission.COMMERCE)
    hold_tree()
    parent = _locked_parent(parent)
    if not parent.is_within(by.customer) or parent.is_deleted:
        raise PermissionDenied
    customer = Customer(parent=parent, kind=kind)
    _set(customer, {"time_zone": parent.time_zone, "country": parent.country, **values})
    if not customer.account_number:
        customer.account_number = take_account_number(parent)
    _check(customer)
    customer.pk = _next_id()
    customer.path = f"{parent.path}{customer.pk}."
    with refusals(Customer, _CONSTRAINTS):
        customer.save(force_insert=True)
    billing_account = accounts.open_account(
        customer=customer, values=account, taxes=taxes
    )
    audit.record(
        "customer.created",
        customer,
        by=by,
        customer=customer,
        changes=_set_only(audit.snapshot(customer, FIELDS))
        | _set_only(audit.snapshot(billing_account, accounts.FIELDS)),
    )
    return customer


def billed(customer: Customer) -> FeatureItem:
    """The account as billing knows it."""
    return FeatureItem(Feature.ACCOUNT, customer.pk, customer.name)


def _locked_parent(parent: Customer) -> Customer:
    """The parent as it is now, perhaps moved or deleted since the page was asked for.

    Its row is locked: it gives out account numbers one after another.
    """
    rows = Customer.objects.select_for_update(no_key=True)
    present = rows.filter(pk=parent.pk).first()
    if present is None:
        raise PermissionDenied
    return present


def make_first_person(
    customer: Customer, new: NewPerson, purpose: RoleDefault, by: Actor
) -> Person:
    """Its first person, whose fees the caller charges; refused fields begin ``person_``."""
    try:
        return people.make_person(
            customer=customer,
            values={
                "username": new.username or customer.name,
                "first_name": new.first_name,
                "last_name": new.last_name,
                "emails": new.emails or customer.email,
                "role": new.role or default_role(purpose),
                "language": customer.language,
            },
            by=by,
        )
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        raise ValidationError(
            {f"person_{name}": errors for name, errors in error.error_dict.items()}
        ) from error


def _set(customer: Customer, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in FIELDS:
            raise TypeError(f"{name} is not set through this service")
        setattr(customer, name, value)
    customer.name = " ".join(customer.name.split())
    customer.account_number = customer.account_number.strip()
    if customer.lock == Lock.NONE:
        customer.lock_reason = ""


def _check(customer: Customer) -> None:
    customer.full_clean(exclude=["parent", "region", "dial_plan", "path"], **_ROW_ONLY)


def _set_only(values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a new row was given, as changes from nothing."""
    return {
        name: (None, value) for name, value in values.items() if value not in (None, "")
    }


def _next_id() -> int:
    """The id of the next row, known beforehand because the path contains it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('customers_customer', 'id'))"
        )
        (pk,) = cursor.fetchone()
    return int(pk)


def _rename_pseudo_person(customer: Customer) -> None:
    Person.objects.filter(customer=customer, is_pseudo=True).update(
        username=f"[{customer.name}]"
    )
