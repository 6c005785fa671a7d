"""Locks while an invoice is overdue, where the rate plan says so; they end by themselves.

The account notes that the lock is one of these (`BillingAccount.overdue_lock`). Once a person
changes a customer's lock, it is theirs: nothing is locked or lifted until all is paid.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing.choices import OverdueLock
from billing.models import BillingAccount
from billing.services.overdue import has_overdue, late_invoices
from customers.choices import Lock
from customers.models import Customer
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.pricing import EffectivePlan
from rateplans.selectors import PlanBook

_FIELDS = ("lock", "lock_reason")


def to_follow(plans: PlanBook) -> list[int]:
    """Accounts whose lock has to change: those with something overdue under a plan that
    locks, and those that were locked and are not to be any more."""
    with scopes_disabled():  # the worker serves every tenant
        late = late_invoices()
        locking = _locking(late.values_list("account__plan", flat=True), plans)
        is_late = Exists(late.filter(account=OuterRef("pk")))
        is_wanted = Q(plan__in=locking) & is_late
        unlocked = Q(overdue_lock=OverdueLock.NONE)
        accounts = BillingAccount.objects.filter(
            is_wanted & unlocked & Q(customer__lock=Lock.NONE)
            | ~unlocked & (~Q(plan__in=locking) | ~is_late),
            customer__deleted_at=None,
        )
        return list(accounts.order_by("pk").values_list("pk", flat=True))


def _locking(plan_ids: QuerySet[Any], plans: PlanBook) -> list[int]:
    today = timezone.now().date()
    return [
        plan_id
        for plan_id in plan_ids.order_by().distinct()
        if _lock_of(plans.plan(plan_id, on=today)) != Lock.NONE
    ]


def _lock_of(plan: EffectivePlan) -> Lock:
    return Lock(str(plan.value("overdue_lock")))


@transaction.atomic
def follow(account_id: int, plans: PlanBook) -> None:
    """Lock, or lift the lock of, one account's customer as its invoices are now."""
    with scopes_disabled():  # the worker serves every tenant
        rows = Customer.objects.select_for_update(of=("self",), no_key=True)
        customer = rows.filter(account=account_id, deleted_at=None).first()
        if customer is None:
            return
        account = BillingAccount.objects.get(pk=account_id)
        account.customer = customer
        wanted = _wanted(account, plans)
        state = OverdueLock(account.overdue_lock)
        if state == OverdueLock.NONE:
            if wanted != Lock.NONE and customer.lock == Lock.NONE:
                _lock(customer, wanted)
                _note(account, OverdueLock.LOCKED)
        elif wanted == Lock.NONE:
            if state == OverdueLock.LOCKED:
                _lock(customer, Lock.NONE)
            _note(account, OverdueLock.NONE)


def _wanted(account: BillingAccount, plans: PlanBook) -> Lock:
    """What the customer is to be locked out of now."""
    day = local_date(account.customer.time_zone)
    lock = _lock_of(plans.plan(account.plan_id, on=day))
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
