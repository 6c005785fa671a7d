"""The run over all accounts: charges what is due, fees of periods and charges, then invoices.

What is due is read from the accounts, so a run can be killed at any point, be repeated, or go
beside another: whatever is left is found by the next one, and nothing is charged or invoiced
twice. Its accounts are cut into parts that workers take one by one (`run_parts`); invoices
come when all parts are charged, since what is charged below may be owed above, too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from math import ceil

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import RunStep
from billing.models import BillingAccount, PeriodRun, RunFailure
from billing.services import run_parts, run_work
from billing.services.charges import accounts_with_due_charges, charge_due
from billing.services.periods import close_accounts
from billing.services.run_parts import Lease
from portal.core import audit
from portal.core.actor import Actor
from portal.core.periods import ONE_DAY, local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce

# Accounts in one transaction: they share the reading of plans, and one post to the ledger.
BATCH = 200
FEWEST = 20  # accounts of a part, so that there are not too many parts
INVOICE_BATCH = 20  # accounts that a worker invoices before it looks for another part
KEPT = timedelta(days=400)  # rows of runs: a year can be compared with the last
# Somewhere it is a day later than in UTC, and elsewhere a day earlier.
DAYS_NOW = (-ONE_DAY, timedelta(0), ONE_DAY)
HELPERS = 4  # workers that are called; there may be fewer
WORK = "billing.jobs.work_on_run"
# A worker turns to other tasks after so long: mails of people must not wait for a run.
SLICE_SECONDS = 5.0
QUIET = timedelta(seconds=20)  # nobody has worked for so long: they have died
# Who has all that failed tried again waits for the answer.
AGAIN_SECONDS = 15.0
LOOK_AGAIN = 0.05  # seconds, while others hold the last parts


def charge_all_due(*, on: date | None = None, batch: int | None = None) -> PeriodRun:
    """Charge and invoice on every account what is due by the day ``on``; the finished run.

    Without ``on`` that is the present day where each account is. An account that fails is
    noted with its reason, charged nothing, and does not stop the others. All is done here,
    though workers may help. A run that somebody stops meanwhile is not finished.
    """
    run = open_run(on, batch=batch)
    if run.pk is None:
        run.finished_at = timezone.now()
        _forget_old(run.finished_at)
        return run
    work_to_end(run)
    run.refresh_from_db()
    return run


def work_to_end(run: PeriodRun) -> None:
    """Take part after part until the run has ended or was stopped; waits for others."""
    while work_on(run, seconds=None):
        time.sleep(LOOK_AGAIN)


def open_run(on: date | None, *, batch: int | None = None) -> PeriodRun:
    """The open run for that day, or a new one, with all in it that is due.

    Where nothing is due there is nothing to keep a row of.
    """
    with scopes_disabled():  # the run goes over all trees
        due = sorted(set(due_for_fees(on)) | due_for_charges(on))
        open_runs = PeriodRun.objects.filter(on=on, finished_at=None)
        if not (due or open_runs.exists() or run_work.accounts_to_invoice()):
            return PeriodRun(on=on)
        with transaction.atomic():
            run, _is_new = PeriodRun.objects.get_or_create(on=on, finished_at=None)
            run = _locked(run.pk)
            if run.finished_at is None:
                known = run_parts.known_accounts(run, RunStep.CHARGES)
                new = [pk for pk in due if pk not in known]
                size = batch or _part_size(len(new), BATCH)
                run_parts.add_parts(run, RunStep.CHARGES, new, size=size)
                run_parts.recount(run.pk)
    run.refresh_from_db()
    return run


def work_on(run: PeriodRun, *, seconds: float | None) -> bool:
    """Take part after part until nothing is left to take, or ``seconds`` are over.

    Returns whether there may be more to do: later, or while others hold the last parts.
    """
    end = None if seconds is None else time.monotonic() + seconds
    with scopes_disabled():  # the run goes over all trees
        while end is None or time.monotonic() < end:
            lease = run_parts.claim(run)
            if lease is not None:
                _work_on_part(run, lease)
                continue
            state = _advance(run.pk, calls_workers=seconds is not None)
            if state != "planned":
                return state == "waiting" and seconds is None
    return True


def _work_on_part(run: PeriodRun, lease: Lease) -> None:
    ids = lease.left
    if lease.step == RunStep.INVOICES:
        before = lease.done
        done, errors = run_work.invoice_each(
            ids, run_id=run.pk, goes_on=lambda done: lease.goes_on(before + done)
        )
        lease.done = before + done
        run_parts.note_failures(lease, ids[:done], errors)
    else:
        errors = run_work.close(ids, on=run.on)
        with_charges = due_for_charges(run.on, among=ids)
        errors |= run_work.charge_each(sorted(with_charges), on=run.on)
        run_parts.note_failures(lease, ids, errors)
        lease.done = len(lease.account_ids)
    lease.give_back()


@transaction.atomic
def _advance(run_id: int, *, calls_workers: bool) -> str:
    """What comes next, now that no part is free: "planned" if there are new ones, "waiting"
    if others work on the last, "over" if the run ended or stopped."""
    run = _locked(run_id)
    if not run.is_working:
        return "over"
    if run.parts.filter(finished_at=None).exists():
        return "planned" if run_parts.count_free(run) else "waiting"
    known = run_parts.known_accounts(run, RunStep.INVOICES)
    known.update(run.failures.values_list("account_id", flat=True))
    due = [pk for pk in run_work.accounts_to_invoice() if pk not in known]
    if not due:
        _finish(run)
        return "over"
    size = _part_size(len(due), INVOICE_BATCH)
    run_parts.add_parts(run, RunStep.INVOICES, due, size=size)
    run_parts.recount(run.pk)
    run.refresh_from_db()
    run_parts.begin_step(run, RunStep.INVOICES)
    if calls_workers:  # those that found nothing to charge any more have gone
        transaction.on_commit(partial(call_workers, run.pk, present=1))
    return "planned"


def call_workers(run_id: int, *, present: int = 0) -> None:
    """Announce a run to as many workers as there are parts for, `HELPERS` at most.

    ``present`` of them are there already.
    """
    run = PeriodRun.objects.get(pk=run_id)
    wanted = max(1, min(HELPERS, run_parts.count_free(run)))
    for _worker in range(wanted - present):
        announce(WORK, run_id, priority=LATER)


def call_workers_again() -> None:
    """Call workers to the runs that lost one, or that nobody has worked on for a while."""
    quiet_since = timezone.now() - QUIET
    open_runs = PeriodRun.objects.filter(finished_at=None, stopped_at=None)
    for run in open_runs:
        last = run.worked_at or run.started_at
        if last < quiet_since or run_parts.was_left(run):
            call_workers(run.pk)


def is_busy(run: PeriodRun) -> bool:
    """Whether workers are at it: one that was stopped, too, until they have let go."""
    return run.is_working or (run.is_stopped and run_parts.is_held(run))


@transaction.atomic
def stop(run: PeriodRun, *, by: Actor) -> None:
    """Have workers leave the run after the account they are at; it waits to be continued."""
    by.require(Permission.SYSTEM)
    run = _locked(run.pk)
    if run.is_working:
        run.stopped_at = timezone.now()
        run.save(update_fields=["stopped_at"])
        audit.record("run.stopped", run, by=by, customer=by.customer)


@transaction.atomic
def go_on(run: PeriodRun, *, by: Actor) -> None:
    """Call workers to a run that was stopped."""
    by.require(Permission.SYSTEM)
    run = _locked(run.pk)
    if run.is_stopped:
        run.stopped_at = None
        run.save(update_fields=["stopped_at"])
        run_parts.begin_step(run, RunStep(run.step))
        audit.record("run.continued", run, by=by, customer=by.customer)
        transaction.on_commit(partial(call_workers, run.pk))


@transaction.atomic
def run_now(*, by: Actor) -> PeriodRun | None:
    """Charge and invoice what is due now, by the workers; None if nothing is due.

    An open run of today is joined, and continued if it was stopped.
    """
    by.require(Permission.SYSTEM)
    run = open_run(None)
    if run.pk is None:
        return None
    audit.record("run.started", run, by=by, customer=by.customer)
    if run.is_stopped:
        go_on(run, by=by)
    else:
        transaction.on_commit(partial(call_workers, run.pk))
    return run


def try_again(failure: RunFailure, *, by: Actor) -> str:
    """Charge and invoice what was due by the day of its run; "" if it went well, else why not.

    ``failure`` is one that `billing.selectors.run_failures` gives ``by``. Where the account was
    charged meanwhile, by somebody else or by a later run, nothing is left to do.
    """
    by.require(Permission.COMMERCE)
    with scopes_disabled():  # what an account above owes is looked at, too
        if not _charge_again(failure.pk, by):
            return _why_still(failure.pk)
        errors = run_work.invoice_each(
            [failure.account_id], run_id=failure.run_id, by=by
        )[1]
        with transaction.atomic():
            failed = _locked_failure(failure.pk)
            if failed is None:
                return ""
            if errors:
                return _fails_still(failed, errors)
            failed.delete()
            run_parts.recount(failed.run_id)
            customer = failed.account.customer
            audit.record("customer.charged", customer, by=by, customer=customer)
    return ""


def try_all_again(failures: QuerySet[RunFailure], *, by: Actor) -> tuple[int, int]:
    """`try_again` for ``failures``, those first that were tried longest ago.

    Returns how many went well and how many failed again; after `AGAIN_SECONDS` the rest is
    left to the next time.
    """
    end = time.monotonic() + AGAIN_SECONDS
    outcomes = [0, 0]
    for failure in failures.order_by("at", "pk"):
        outcomes[bool(try_again(failure, by=by))] += 1
        if time.monotonic() > end:
            break
    return outcomes[0], outcomes[1]


@transaction.atomic
def _charge_again(failure_id: int, by: Actor) -> bool:
    """Charge an account that failed; whether it can be invoiced now."""
    failed = _locked_failure(failure_id)
    if failed is None:
        return False
    run, ids = failed.run, [failed.account_id]
    errors = run_work.close_each(ids, on=run.on, by=by)
    errors |= run_work.charge_each(ids, on=run.on, by=by)
    if errors:
        _fails_still(failed, errors)
        return False
    if failed.step == RunStep.CHARGES and run_work.accounts_to_invoice(among=ids):
        # It was left out of those to invoice; from here on it is one of them.
        failed.step = RunStep.INVOICES
        failed.save(update_fields=["step"])
        run_parts.add_invoiced(run, failed.account_id)
    return True


def _locked_failure(failure_id: int) -> RunFailure | None:
    rows = RunFailure.objects.select_for_update(of=("self",))
    return rows.select_related("run", "account__customer").filter(pk=failure_id).first()


def _fails_still(failed: RunFailure, errors: run_work.Errors) -> str:
    failed.error, failed.at = errors[failed.account_id][:500], timezone.now()
    failed.save(update_fields=["error", "at"])
    return failed.error


def _why_still(failure_id: int) -> str:
    left = RunFailure.objects.filter(pk=failure_id)
    return left.values_list("error", flat=True).first() or ""


def due_now() -> tuple[int, int]:
    """How many accounts a run would charge now, and how many it would invoice then."""
    with scopes_disabled():  # the run goes over all trees
        fees = due_for_fees(None)
        return (
            len(set(fees) | due_for_charges(None)),
            len(run_work.accounts_to_invoice(charged_soon=fees)),
        )


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


def due_for_charges(on: date | None, *, among: Sequence[int] | None = None) -> set[int]:
    """Accounts on which a charge is due; those ``among`` some."""
    if on is not None:
        return set(accounts_with_due_charges(on, among=among))
    now = timezone.now()
    found: set[int] = set()
    for day in (local_date("UTC", now) + shift for shift in DAYS_NOW):
        rows = BillingAccount.objects.filter(
            pk__in=accounts_with_due_charges(day, among=among)
        )
        zones = rows.values_list("pk", "customer__time_zone")
        found.update(pk for pk, zone in zones if local_date(zone, now) == day)
    return found


def _part_size(accounts: int, most: int) -> int:
    """Every worker gets some parts, so that all are done at about the same time."""
    return max(min(FEWEST, most), min(most, ceil(accounts / (2 * HELPERS))))


def _locked(run_id: int) -> PeriodRun:
    return PeriodRun.objects.select_for_update(no_key=True).get(pk=run_id)


def _finish(run: PeriodRun) -> None:
    run_parts.recount(run.pk)
    run.refresh_from_db()
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at"])
    run.parts.all().delete()
    _forget_old(run.finished_at)


def _forget_old(now: datetime) -> None:
    PeriodRun.objects.filter(finished_at__lt=now - KEPT).delete()
