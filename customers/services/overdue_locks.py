"""Locks while an invoice is overdue, where the rate plan says so; they end by themselves.

The account notes that the lock is one of these (`BillingAccount.overdue_lock`). Once a person
changes a customer's lock, it is theirs: nothing is locked or lifted until all is paid.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing.choices import InvoiceStatus, OverdueLock
from billing.models import BillingAccount, Invoice
from billing.services.overdue import has_overdue
from customers.choices import Lock
from customers.models import Customer
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import LockWhenOverdue
from rateplans.selectors import effective_plan, effective_plans

_FIELDS = ("lock", "lock_reason")


def to_follow() -> list[int]:
    """Accounts whose lock may have to change: those with something overdue under a plan
    that locks, and those that were locked."""
    with scopes_disabled():  # the worker serves every tenant
        late = Invoice.objects.filter(
            status__in=[InvoiceStatus.OVERDUE, InvoiceStatus.PAYMENT_REFUSED],
            payable__gt=F("settled"),
        )
        plan_ids = set(late.values_list("account__plan", flat=True))
        wanted = Q(overdue_lock=OverdueLock.NONE, plan__in=_locking(plan_ids))
        accounts = BillingAccount.objects.filter(
            wanted & Q(pk__in=late.values("account"))
            | ~Q(overdue_lock=OverdueLock.NONE),
        )
        return list(accounts.order_by("pk").values_list("pk", flat=True))


def _locking(plan_ids: Iterable[int]) -> list[int]:
    plans = effective_plans(plan_ids, on=timezone.now().date())
    return [
        plan_id
        for plan_id, plan in plans.items()
        if plan.value("overdue_lock") != LockWhenOverdue.NONE
    ]


@transaction.atomic
def follow(account_id: int) -> None:
    """Lock, or lift the lock of, one account's customer as its invoices are now."""
    with scopes_disabled():  # the worker serves every tenant
        rows = Customer.objects.select_for_update(of=("self",), no_key=True)
        customer = rows.filter(account=account_id, deleted_at=None).first()
        if customer is None:
            return
        account = BillingAccount.objects.select_related("plan").get(pk=account_id)
        account.customer = customer
        wanted = _wanted(account)
        state = OverdueLock(account.overdue_lock)
        if state == OverdueLock.NONE:
            if wanted != Lock.NONE and customer.lock == Lock.NONE:
                _lock(customer, wanted)
                _note(account, OverdueLock.LOCKED)
        elif wanted == Lock.NONE:
            if state == OverdueLock.LOCKED:
                _lock(customer, Lock.NONE)
            _note(account, OverdueLock.NONE)


def _wanted(account: BillingAccount) -> Lock:
    """What the customer is to be locked out of now."""
    plan = effective_plan(account.plan, on=local_date(account.customer.time_zone))
    lock = Lock(str(plan.value("overdue_lock")))
    return lock if lock != Lock.NONE and has_overdue(account) else Lock.NONE


def _lock(customer: Customer, lock: Lock) -> None:
    before = audit.snapshot(customer, _FIELDS)
    customer.lock = lock
    with translation.override(customer.spoken_language()):
        reason = _("An invoice is overdue")
    customer.lock_reason = "" if lock == Lock.NONE else reason
    customer.version += 1
    customer.save(update_fields=[*_FIELDS, "version"])
    action = "customer.unlocked" if lock == Lock.NONE else "customer.locked"
    audit.record(
        action,
        customer,
        by=system_actor(customer),
        customer=customer,
        changes=audit.differences(before, audit.snapshot(customer, _FIELDS)),
    )


def _note(account: BillingAccount, state: OverdueLock) -> None:
    BillingAccount.objects.filter(pk=account.pk).update(overdue_lock=state)
