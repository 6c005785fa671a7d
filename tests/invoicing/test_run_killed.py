"""Workers are killed at random while a run charges, invoices, draws and mails.

As many customers, rounds and kills as `RUN_KILLS` says, such as 500x20x3: customers,
months that are closed one after the other, kills in each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from random import Random
from time import monotonic, time_ns

import pytest
from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing import keys
from billing.choices import InvoiceStatus
from billing.models import (
    BilledFeature,
    BillingAccount,
    Invoice,
    InvoiceFile,
    LedgerEntry,
    PeriodRun,
    RunInvoice,
    SeriesCount,
)
from billing.services import checking, runs
from portal.celery import app
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, Feature
from tests.billing.tariffs import price
from tests.core.post_office import environment, open_office
from tests.invoicing.bills import account_of
from tests.world import World, _customer

SIZES = os.environ.get("RUN_KILLS", "20x1x3")
CUSTOMERS, ROUNDS, KILLS = (int(part) for part in SIZES.split("x"))
WORKERS = 2
BEGIN = date(2023, 1, 1)
SWEEPS = (
    "billing.jobs.go_on_with_runs",
    "billing.jobs.draw_waiting_invoices",
    "customers.jobs.mail_invoices",
)
SWEEP_EVERY = 2  # seconds
PATIENCE = 200 + CUSTOMERS * 5  # seconds for a round


@dataclass
class Workers:
    """Real ones, each a process that can be killed; another comes in its place."""

    environment: dict[str, str]
    random: Random
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        options = ["--pool", "solo", "--without-gossip", "--without-mingle"]
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "portal", "worker", *options],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.running.append(worker)

    def kill_one(self) -> None:
        victim = self.running.pop(self.random.randrange(len(self.running)))
        victim.kill()
        victim.wait()
        self.start()

    def end(self) -> None:
        for worker in self.running:
            worker.kill()
            worker.wait()


@contextmanager
def working(random: Random) -> Iterator[Workers]:
    with open_office() as office:
        # Mails are written and kept: sending them is tests/core/test_mail_smtp.py's matter.
        workers = Workers(environment(office, EMAIL_URL=""), random)
        try:
            for _worker in range(WORKERS):
                workers.start()
            yield workers
        finally:
            workers.end()
            app.control.purge()


def lay(world: World) -> list[BillingAccount]:
    """Customers of Beta with a line each, who owe from the first month on; nobody else."""
    BillingAccount.objects.update(billed_until=date(2999, 1, 1))
    price(world.beta_plan, 31)
    days = dict.fromkeys(
        ("fees_from", "billed_until", "billed_from", "invoiced_until"), BEGIN
    )
    made = []
    for number in range(CUSTOMERS):
        customer = _customer(
            world.beta, f"Client {number}", f"9{number}", plan=world.beta_plan
        )
        BilledFeature.objects.create(
            customer=customer,
            feature=Feature.LINE,
            object_id=number,
            started_at="2022-12-01T12:00Z",
        )
        made.append(account_of(customer, BillType.POSTPAID, **days))
    return made


def progress(run: PeriodRun) -> tuple[int, bool]:
    """How much of the run is issued or drawn, and whether all is mailed, too; looked at
    now and then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(issued_at) + count(drawn_at), count(mailed_at)"
            " FROM pg_sleep(0.05), billing_runinvoice made"
            " JOIN billing_invoice invoice ON invoice.id = made.invoice_id"
            " WHERE made.run_id = %s",
            [run.pk],
        )
        worked, mailed = cursor.fetchone()
    run.refresh_from_db()
    return worked, mailed == CUSTOMERS and run.finished_at is not None


def close_month(on: date, workers: Workers) -> PeriodRun:
    """Have workers do it, and kill some of them at random moments."""
    moments = sorted(workers.random.sample(range(2 * CUSTOMERS), KILLS), reverse=True)
    run = runs.open_run(on)
    runs.call_workers(run.pk)
    deadline = monotonic() + PATIENCE
    next_sweep = 0.0
    is_over = False
    while not is_over:
        worked, is_over = progress(run)
        assert monotonic() < deadline, worked
        if moments and worked >= moments[-1]:
            moments.pop()
            workers.kill_one()
        if monotonic() > next_sweep:
            # As if the lease of who was killed while drawing had run out.
            held = Invoice.objects.filter(drawn_at=None, draw_attempts__gt=0)
            held.update(draw_due_at=timezone.now())
            for sweep in SWEEPS:
                app.send_task(sweep, expires=SWEEP_EVERY)
            next_sweep = monotonic() + SWEEP_EVERY
    assert not moments
    return run


@pytest.mark.timeout(60 + ROUNDS * PATIENCE)
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_doubled_or_misnumbered_when_workers_are_killed(
    world: World,
) -> None:
    seed = time_ns()
    print(f"seed {seed}")
    with scopes_disabled(), working(Random(seed)) as workers:  # a run is everybody's
        made = lay(world)
        app.control.purge()
        # The first month only begins: it is charged, and nothing has ended yet.
        runs.charge_all_due(on=BEGIN)
        for number in range(ROUNDS):
            on = BEGIN + relativedelta(months=number + 1)
            run = close_month(on, workers)
            assert (run.done, run.failed) == (CUSTOMERS, 0)
            assert (run.invoiced, run.invoice_failed) == (CUSTOMERS, 0)
            assert RunInvoice.objects.filter(run=run).count() == CUSTOMERS
            check(made, rounds=number + 1)


def check(made: list[BillingAccount], *, rounds: int) -> None:
    """All books as if nobody had been killed."""
    invoices = Invoice.objects.all()
    expected = rounds * CUSTOMERS
    year = invoices[0].issued_on.year
    numbers = sorted(invoices.values_list("number", flat=True))
    assert numbers == [f"{year}-{count:05}" for count in range(1, expected + 1)]
    assert SeriesCount.objects.get(year=year).last == expected
    ends = [BEGIN + relativedelta(months=number + 1) for number in range(rounds)]
    for account in made:
        own = invoices.filter(account=account).order_by("customer_number")
        assert list(own.values_list("customer_number", "key")) == [
            (count, keys.period_invoice(end)) for count, end in enumerate(ends, 1)
        ]
        # A fee each month, the one that begins too, and what moves it to the invoice.
        assert LedgerEntry.objects.filter(account=account).count() == 2 * rounds + 1
    assert not BillingAccount.objects.filter(
        pk__in=[account.pk for account in made]
    ).exclude(balance=0)
    assert set(invoices.values_list("status", flat=True)) == {InvoiceStatus.DUE}
    assert InvoiceFile.objects.values("invoice").distinct().count() == expected
    mails = OutgoingEmail.objects.filter(kind="invoice")
    told = {f"invoice:{pk}" for pk in invoices.values_list("pk", flat=True)}
    assert set(mails.values_list("key", flat=True)) == told
    assert mails.count() == expected
    assert mails.filter(attachments__isnull=False).distinct().count() == expected
    assert checking.check_ledger().faults == 0
