"""The run that charges what is due on all accounts: fees of periods, and charges.

What is due is read from the accounts, so a run can be killed at any point, be repeated, or go
beside another: whatever is left is found by the next one, and nothing is charged twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import BillingAccount, PeriodRun, RunFailure
from billing.services.charges import accounts_with_due_charges, charge_due
from billing.services.periods import close_account, close_accounts
from portal.core import audit
from portal.core.actor import Actor
from portal.core.periods import ONE_DAY, local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

logger = logging.getLogger(__name__)

# Accounts in one transaction: they share the reading of plans, and one post to the ledger.
BATCH = 200
KEPT = timedelta(days=400)  # rows of runs: a year can be compared with the last
# Somewhere it is a day later than in UTC, and elsewhere a day earlier.
DAYS_NOW = (-ONE_DAY, timedelta(0), ONE_DAY)


def charge_all_due(*, on: date | None = None, batch: int = BATCH) -> PeriodRun:
    """Charge on every account what is due by the day ``on``; returns the finished run.

    Without ``on`` that is the present day where each account is. An account that fails is
    noted with its reason, charged nothing, and does not stop the others.
    """
    with scopes_disabled():  # the run goes over all trees
        with_charges = due_for_charges(on)
        due = sorted(set(due_for_fees(on)) | with_charges)
        run = _open(on, len(due))
        for part in _parts(due, batch):
            failures = _close(run, part)
            failures |= _charge(run, [pk for pk in part if pk in with_charges])
            _note(run, part, failures)
        _finish(run)
    return run


@transaction.atomic
def try_again(failure: RunFailure, *, by: Actor) -> str:
    """Charge what was due by the day of its run; "" if it went well, else why it did not.

    ``failure`` is one that `billing.selectors.run_failures` gives ``by``. Where the account was
    charged meanwhile, by somebody else or by a later run, nothing is left to do.
    """
    by.require(Permission.COMMERCE)
    with scopes_disabled():  # what an account above owes is looked at, too
        rows = RunFailure.objects.select_for_update(of=("self",))
        present = rows.select_related("run", "account__customer").filter(pk=failure.pk)
        failed = present.first()
        if failed is None:
            return ""
        run, ids = failed.run, [failed.account_id]
        errors = _each(close_account, ids, on=run.on, by=by)
        errors |= _each(charge_due, ids, on=run.on, by=by)
        _note(run, ids, errors)
        customer = failed.account.customer
    error = errors.get(failed.account_id, "")
    if not error:
        audit.record("customer.charged", customer, by=by, customer=customer)
    return error


@transaction.atomic
def charge_until_now(accounts: QuerySet[BillingAccount], *, hold: int) -> None:
    """Charge what is due on ``accounts`` as a run would, however late runs are; all of it.

    For whoever is about to change who pays for whom, or by which plan: what was due before
    is charged as things were. Limits do not stop it, and nothing is charged twice. All
    that something is due on are locked by their ids, with the account of the id ``hold``.
    Raises ValidationError where a currency has no rate.
    """
    with scopes_disabled():  # what accounts above owe is due, too
        fees = due_for_fees(None, among=accounts)
        due = accounts.filter(pk__in=due_for_charges(None)).values_list("pk", flat=True)
        charges = sorted(due)
        rows = BillingAccount.objects.filter(pk__in={hold, *fees, *charges})
        list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
        try:
            close_accounts(fees)
            for pk in charges:
                charge_due(pk)
        except ValidationError as error:
            text = _("What is due by today must be charged first: %(reason)s")
            reason = " ".join(error.messages)
            raise ValidationError(
                text % {"reason": reason}, code=getattr(error, "code", None)
            ) from error


def due_for_fees(
    on: date | None, *, among: QuerySet[BillingAccount] | None = None
) -> list[int]:
    """Accounts on which a period has begun that is not charged yet; those ``among`` some."""
    latest = on or local_date("UTC") + ONE_DAY
    accounts = BillingAccount.objects.all() if among is None else among
    rows = accounts.filter(
        billed_until__lte=latest, customer__deleted_at=None
    ).values_list("pk", "billed_until", "customer__time_zone")
    now = timezone.now()
    return [
        pk
        for pk, billed_until, zone in rows.iterator()
        if billed_until <= (on or local_date(zone, now))
    ]


def due_for_charges(on: date | None) -> set[int]:
    """Accounts on which a charge is due."""
    if on is not None:
        return set(accounts_with_due_charges(on))
    now = timezone.now()
    found: set[int] = set()
    for day in (local_date("UTC", now) + shift for shift in DAYS_NOW):
        rows = BillingAccount.objects.filter(pk__in=accounts_with_due_charges(day))
        zones = rows.values_list("pk", "customer__time_zone")
        found.update(pk for pk, zone in zones if local_date(zone, now) == day)
    return found


def _open(on: date | None, due: int) -> PeriodRun:
    """The run for that day that was interrupted, or is going on elsewhere; else a new one.

    Where nothing is due there is nothing to keep a row of.
    """
    run = PeriodRun.objects.filter(on=on, finished_at=None).first()
    if run is None and not due:
        return PeriodRun(on=on)
    if run is None:
        run, _is_new = PeriodRun.objects.get_or_create(on=on, finished_at=None)
    run.total = run.done + due
    run.save(update_fields=["total"])
    return run


def _finish(run: PeriodRun) -> None:
    run.finished_at = timezone.now()
    if run.pk is not None:
        run.refresh_from_db(fields=["total", "failed"])
        run.done = run.total - run.failed
        run.save(update_fields=["finished_at", "done"])
    PeriodRun.objects.filter(finished_at__lt=run.finished_at - KEPT).delete()


def _parts(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(islice(rest, size)):
        yield part


def _close(run: PeriodRun, ids: Sequence[int]) -> dict[int, str]:
    """Close the periods of these accounts: together, or where that fails one by one."""
    if _tried(close_accounts, ids, on=run.on) is None:
        return {}
    return _each(close_account, ids, on=run.on)


def _charge(run: PeriodRun, ids: Sequence[int]) -> dict[int, str]:
    return _each(charge_due, ids, on=run.on)


def _each(
    service: Callable[..., Any], ids: Sequence[int], **more: Any
) -> dict[int, str]:
    """Each account in a transaction of its own; why it failed, by account."""
    errors = ((pk, _tried(service, pk, **more)) for pk in ids)
    return {pk: error for pk, error in errors if error is not None}


def _tried(service: Callable[..., Any], what: Any, **more: Any) -> str | None:
    """Why it failed, if it did. A server that has gone ends the run: the next goes on."""
    try:
        service(what, **more)
    except ValidationError as error:
        return " ".join(error.messages)
    except Exception as error:
        # Whatever is wrong with one account must not keep the others from being charged.
        if isinstance(error, OperationalError) and not connection.is_usable():
            raise
        logger.exception("%s failed for %s", service.__name__, what)
        return f"{type(error).__name__}: {error}"
    return None


def _note(run: PeriodRun, ids: Sequence[int], failures: dict[int, str]) -> None:
    RunFailure.objects.filter(run=run, account__in=ids).delete()
    RunFailure.objects.bulk_create(
        (
            RunFailure(run=run, account_id=pk, error=error[:500])
            for pk, error in failures.items()
        ),
        ignore_conflicts=True,  # two runs beside each other fail at the same account
    )
    done = F("done") + len(ids) - len(failures)
    PeriodRun.objects.filter(pk=run.pk).update(
        done=Least(done, F("total")), failed=run.failures.count()
    )
