"""The parts of a billing run: handed out to workers one by one, and taken up when one dies.

A part is held by a lease. Its rows say how far it is, so that whoever takes it up goes on
from there; that work is done twice at the edge does no harm, since each piece is booked and
invoiced once whoever does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from billing.choices import RunStep
from billing.models import PeriodRun, RunFailure, RunPart

LEASE = 120.0  # seconds; longer than anything one account takes
NOTED_EVERY = 0.5  # seconds between two notes of how far a part is

# Free, or held by somebody who has gone: its time is over or its connection has ended.
_IS_FREE = """part.finished_at IS NULL AND (
    part.leased_until IS NULL OR part.leased_until < clock_timestamp()
    OR NOT EXISTS (
        SELECT 1 FROM pg_stat_activity backend
        WHERE backend.pid = part.holder AND backend.backend_start = part.holder_since))"""

_CLAIM = f"""
UPDATE billing_runpart
SET token = %(token)s, leased_until = clock_timestamp() + make_interval(secs => %(lease)s),
    holder = pg_backend_pid(),
    holder_since = (SELECT backend_start FROM pg_stat_activity
                    WHERE pid = pg_backend_pid())
WHERE id = (
    SELECT part.id FROM billing_runpart part
    JOIN billing_periodrun run ON run.id = part.run_id
    WHERE part.run_id = %(run)s AND run.stopped_at IS NULL AND {_IS_FREE}
    ORDER BY part.id LIMIT 1 FOR UPDATE OF part SKIP LOCKED)
RETURNING id, step, account_ids, done
"""

_KEEP = """
UPDATE billing_runpart part
SET done = %(done)s, leased_until = clock_timestamp() + make_interval(secs => %(lease)s)
FROM billing_periodrun run
WHERE part.id = %(part)s AND part.token = %(token)s AND part.finished_at IS NULL
  AND run.id = part.run_id AND run.stopped_at IS NULL
RETURNING part.id
"""


@dataclass
class Lease:
    """A part that this worker holds, and how many of its accounts are dealt with."""

    run_id: int
    part_id: int
    step: RunStep
    account_ids: list[int]
    done: int
    token: UUID
    _noted_at: float = 0.0

    @property
    def left(self) -> list[int]:
        return self.account_ids[self.done :]

    def goes_on(self, done: int) -> bool:
        """Note that so many are dealt with; whether to go on with the next account.

        Not if the run was stopped, or if somebody else holds the part by now.
        """
        self.done = done
        if monotonic() - self._noted_at < NOTED_EVERY:
            return True
        values: dict[str, Any] = {
            "done": done,
            "lease": LEASE,
            "part": self.part_id,
            "token": self.token,
        }
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, values)
            is_held = cursor.fetchone() is not None
        self._noted_at = monotonic()
        if is_held:
            recount(self.run_id)
        return is_held

    def give_back(self) -> None:
        """Let go of the part, finished or not; another's it stays."""
        is_finished = self.done == len(self.account_ids)
        RunPart.objects.filter(
            pk=self.part_id, token=self.token, finished_at=None
        ).update(
            done=self.done,
            token=None,
            leased_until=None,
            holder=None,
            holder_since=None,
            finished_at=timezone.now() if is_finished else None,
        )
        recount(self.run_id)


def add_parts(
    run: PeriodRun, step: RunStep, account_ids: Sequence[int], *, size: int
) -> None:
    """Cut what is to be done into parts of ``size`` accounts."""
    RunPart.objects.bulk_create(
        RunPart(run=run, step=step, account_ids=list(account_ids[at : at + size]))
        for at in range(0, len(account_ids), size)
    )


def add_invoiced(run: PeriodRun, account_id: int) -> None:
    """Count an account among those to invoice that somebody invoices by hand."""
    if run.finished_at is None:
        RunPart.objects.create(
            run=run,
            step=RunStep.INVOICES,
            account_ids=[account_id],
            done=1,
            finished_at=timezone.now(),
        )
    else:
        PeriodRun.objects.filter(pk=run.pk).update(to_invoice=F("to_invoice") + 1)
    recount(run.pk)


def known_accounts(run: PeriodRun, step: RunStep) -> set[int]:
    """The accounts that are in a part of this step."""
    rows = run.parts.filter(step=step).values_list("account_ids", flat=True)
    return {pk for account_ids in rows for pk in account_ids}


def claim(run: PeriodRun) -> Lease | None:
    """Take a part of the run that nobody works on. None if there is none, or it stopped."""
    token = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"run": run.pk, "token": token, "lease": LEASE})
        row = cursor.fetchone()
    if row is None:
        return None
    part_id, step, account_ids, done = row
    return Lease(run.pk, part_id, RunStep(step), account_ids, done, token)


def count_free(run: PeriodRun) -> int:
    """How many parts could be claimed now."""
    query = (
        "SELECT count(*) FROM billing_runpart part"
        f" WHERE part.run_id = %s AND {_IS_FREE}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [run.pk])
        return int(cursor.fetchone()[0])


def is_held(run: PeriodRun) -> bool:
    """Whether somebody works on a part of it, also on the last one of a run that stopped."""
    query = (
        "SELECT EXISTS (SELECT FROM billing_runpart part WHERE part.run_id = %s"
        " AND part.token IS NOT NULL AND part.finished_at IS NULL"
        f" AND NOT ({_IS_FREE}))"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [run.pk])
        return bool(cursor.fetchone()[0])


def was_left(run: PeriodRun) -> bool:
    """Whether somebody who held a part of it has gone."""
    query = (
        "SELECT EXISTS (SELECT FROM billing_runpart part"
        f" WHERE part.run_id = %s AND part.token IS NOT NULL AND {_IS_FREE})"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [run.pk])
        return bool(cursor.fetchone()[0])


def note_failures(lease: Lease, ids: Sequence[int], failures: dict[int, str]) -> None:
    """Keep why accounts failed, and forget what failed before of those that went well."""
    with transaction.atomic():
        RunFailure.objects.filter(run=lease.run_id, account__in=ids).delete()
        RunFailure.objects.bulk_create(
            (
                RunFailure(
                    run_id=lease.run_id,
                    account_id=pk,
                    step=lease.step,
                    error=error[:500],
                )
                for pk, error in failures.items()
            ),
            ignore_conflicts=True,  # two who hold one part fail at the same account
        )


def recount(run_id: int) -> None:
    """Bring the figures of a run up to date: from its parts, or when they are gone from
    its failures."""
    figures: dict[str, Any] = {}
    names = (
        (RunStep.CHARGES, "total", "done", "failed"),
        (RunStep.INVOICES, "to_invoice", "invoiced", "invoice_failed"),
    )
    run = PeriodRun.objects.get(pk=run_id)
    parts = {
        step: (total, done)
        for step, total, done in run.parts.order_by()
        .values_list("step")
        .annotate(total=Sum(F("account_ids__len")), done=Sum("done"))
    }
    failures = list(run.failures.values_list("step", flat=True))
    for step, total, done, failed in names:
        figures[failed] = failures.count(step)
        if run.finished_at is not None:
            figures[done] = Greatest(F(total) - figures[failed], 0)
        else:
            figures[total], dealt_with = parts.get(step, (0, 0))
            figures[done] = max(0, dealt_with - figures[failed])
            figures["worked_at"] = timezone.now()
    PeriodRun.objects.filter(pk=run_id, finished_at=run.finished_at).update(**figures)


def begin_step(run: PeriodRun, step: RunStep) -> None:
    """From here on is measured how fast the step goes."""
    _total, done, failed = run.tally(step)
    run.step, run.step_at, run.step_done = step, timezone.now(), done + failed
    run.save(update_fields=["step", "step_at", "step_done"])
