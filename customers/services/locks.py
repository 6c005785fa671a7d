"""Locking customers out of the web, calls or both, and unlocking them (D 2.3)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from customers.choices import Lock
from customers.models import Customer
from customers.services.customers import leave_lock_to_people, lock_below
from portal.core import audit
from portal.core.actor import Actor

_FIELDS = ("lock", "lock_reason")


@transaction.atomic
def set_lock(*, customer: Customer, lock: Lock, reason: str, by: Actor) -> Customer:
    """Lock or unlock; people locked out of the web are signed out at their next click."""
    customer = lock_below(customer, by=by)
    before = audit.snapshot(customer, _FIELDS)
    customer.lock = lock
    customer.lock_reason = "" if lock == Lock.NONE else reason.strip()
    others = {field.name for field in Customer._meta.fields} - set(_FIELDS)
    customer.clean_fields(exclude=others)
    changes = audit.differences(before, audit.snapshot(customer, _FIELDS))
    if changes:
        leave_lock_to_people(customer)
        customer.version += 1
        customer.save(update_fields=[*_FIELDS, "version"])
        action = "customer.unlocked" if lock == Lock.NONE else "customer.locked"
        audit.record(action, customer, by=by, customer=customer, changes=changes)
    return customer


@transaction.atomic
def set_locks(*, customers: Iterable[Customer], lock: Lock, by: Actor) -> int:
    """Lock or unlock several, all or none; how many were not so already.

    A reason given before stays with customers that stay locked.
    """
    changed = 0
    for customer in sorted(customers, key=lambda each: each.pk):
        if customer.lock == lock:
            continue
        set_lock(customer=customer, lock=lock, reason=customer.lock_reason, by=by)
        changed += 1
    return changed
