"""Runs over all accounts: killed, doubled, failing, late."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from billing import jobs
from billing.models import (
    BilledFeature,
    BillingAccount,
    ExchangeRate,
    LedgerEntry,
    PeriodRun,
    RunFailure,
    RunPart,
)
from billing.services import run_parts, runs
from billing.services.charges import charge_due
from portal.core.scope import scopes_disabled
from portal.embedded.paths import CHECKOUT
from rateplans.choices import Feature
from tests.billing.tariffs import entries, price, set_account
from tests.billing.test_charges_due import charge_on
from tests.race import race
from tests.world import World, _customer

pytestmark = pytest.mark.django_db
FIRST = date(2026, 2, 1)
ACCOUNTS = 12


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # a run goes over all trees
        yield


def _lay(world: World) -> list[BillingAccount]:
    """Customers of Beta with a line each, all due on the same day; the cast is not."""
    BillingAccount.objects.update(billed_until=date(2999, 1, 1))
    price(world.beta_plan, 31)
    made = []
    for number in range(ACCOUNTS):
        customer = _customer(
            world.beta, f"Client {number}", f"9{number}", plan=world.beta_plan
        )
        BilledFeature.objects.create(
            customer=customer,
            feature=Feature.LINE,
            object_id=number,
            started_at="2026-01-01T12:00Z",
        )
        days = {"fees_from": date(2026, 1, 1), "billed_until": FIRST}
        made.append(set_account(customer, **days))
    return made


def _books() -> list[tuple[object, ...]]:
    """All that a run writes, but for ids and the time of writing."""
    fields = ("account_id", "key", "amount", "balance_after", "at", "description")
    days = BillingAccount.objects.order_by("pk").values_list("pk", "billed_until")
    rows = LedgerEntry.objects.order_by("account_id", "pk").values_list(*fields)
    return [*days, *rows]


def _undisturbed(on: date) -> list[tuple[object, ...]]:
    """What the books are after a run, which is then undone."""
    with transaction.atomic():
        runs.charge_all_due(on=on)
        books = _books()
        transaction.set_rollback(True)
    return books


def test_run_charges_every_account_once(world: World) -> None:
    made = _lay(world)
    run = runs.charge_all_due(on=date(2026, 3, 1), batch=5)
    assert (run.total, run.done, run.failed) == (ACCOUNTS, ACCOUNTS, 0)
    assert run.finished_at is not None
    assert LedgerEntry.objects.count() == 2 * ACCOUNTS
    again = runs.charge_all_due(on=date(2026, 3, 1))
    assert (again.pk, again.total) == (None, 0)  # nothing to keep a row of
    assert entries(made[0].customer, "amount", "period_start") == [
        (-31, date(2026, 2, 1)),
        (-31, date(2026, 3, 1)),
    ]


def test_batches_and_single_accounts_give_one_result(world: World) -> None:
    _lay(world)
    books = _undisturbed(date(2026, 4, 1))
    for size in (1, 7):
        with transaction.atomic():
            runs.charge_all_due(on=date(2026, 4, 1), batch=size)
            assert _books() == books
            transaction.set_rollback(True)


def test_each_account_has_a_day_of_its_own(world: World) -> None:
    made = _lay(world)
    for account, zone in zip(
        made, ("Pacific/Kiritimati", "Europe/Berlin", "Pacific/Pago_Pago"), strict=False
    ):
        account.customer.time_zone = zone
        account.customer.save(update_fields=["time_zone"])
    for at, charged in [
        ("2026-01-31T09:59Z", set()),
        ("2026-01-31T10:00Z", {made[0].pk}),
        ("2026-01-31T23:00Z", {made[0].pk, *(account.pk for account in made[3:])}),
        ("2026-02-01T10:59Z", set()),
        ("2026-02-01T11:00Z", {made[2].pk}),
    ]:
        with time_machine.travel(at, tick=False):
            jobs.close_periods()
        if charged:
            done = LedgerEntry.objects.values_list("account_id", flat=True)
            assert charged <= set(done), at


def test_failing_account_does_not_stop_the_others(world: World) -> None:
    made = _lay(world)
    poor = made[5]
    set_account(poor.customer, currency="USD")
    output = StringIO()
    with pytest.raises(CommandError, match=r"Client 5 .*no exchange rate of USD"):
        call_command("close_periods", on=FIRST, stdout=output)
    assert f"charged: {ACCOUNTS - 1}, failed: 1" in output.getvalue()
    [run] = PeriodRun.objects.all()
    assert (run.total, run.done, run.failed) == (ACCOUNTS, ACCOUNTS - 1, 1)
    [failure] = run.failures.all()
    assert failure.account_id == poor.pk
    assert "USD" in failure.error
    poor.refresh_from_db()
    assert poor.billed_until == FIRST
    ExchangeRate.objects.create(currency="USD", on=FIRST, rate=Decimal("1.1"))
    call_command("close_periods", on=FIRST, stdout=output)
    assert entries(poor.customer, "amount") == [(Decimal("-34.10"),)]
    assert RunFailure.objects.count() == 1  # what was, stays with its run


def test_broken_account_is_named_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    made = _lay(world)
    made[3].customer.time_zone = "Mars/Olympus"
    made[3].customer.save(update_fields=["time_zone"])
    run = runs.charge_all_due(on=FIRST)
    assert (run.done, run.failed) == (ACCOUNTS - 1, 1)
    said = run.failures.get().reason
    assert said.startswith("Something went wrong in the program. The log has it as ")
    assert "Mars/Olympus" not in said
    logged = caplog.text
    assert "Mars/Olympus" in logged
    assert said.removesuffix(".").rpartition(" ")[2] in logged


def test_charges_are_part_of_the_run(world: World) -> None:
    made = _lay(world)
    for account in made[:2]:
        charge_on(account.customer, amount=7, starts_on=FIRST)
    set_account(made[1].customer, billed_until=date(2999, 1, 1))
    run = runs.charge_all_due(on=FIRST)
    assert (run.total, run.failed) == (ACCOUNTS, 0)
    assert entries(made[0].customer, "kind", "amount") == [
        ("recurring", -31),
        ("charge", -7),
    ]
    assert entries(made[1].customer, "kind", "amount") == [("charge", -7)]
    assert charge_due(made[0].pk, on=FIRST) == 0


def test_interrupted_run_goes_on_in_the_same_row(world: World) -> None:
    _lay(world)
    left = runs.open_run(FIRST, batch=5)
    lease = run_parts.claim(left)
    assert lease is not None
    runs._work_on_part(left, lease)
    left.refresh_from_db()
    assert (left.total, left.done, left.finished_at) == (ACCOUNTS, 5, None)
    run = runs.charge_all_due(on=FIRST)
    assert run.pk == left.pk
    assert (run.total, run.done) == (ACCOUNTS, ACCOUNTS)
    assert not RunPart.objects.exists()


def test_old_rows_of_runs_are_forgotten(world: World) -> None:
    old = timezone.now() - runs.KEPT - timedelta(days=1)
    PeriodRun.objects.create(on=FIRST, finished_at=old)
    runs.charge_all_due(on=date(2000, 1, 1))
    assert not PeriodRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_give_one_result(world: World) -> None:
    _lay(world)
    books = _undisturbed(date(2026, 4, 1))

    def run() -> PeriodRun:
        with scopes_disabled():  # threads have scopes of their own
            return runs.charge_all_due(on=date(2026, 4, 1), batch=2)

    results = race(run, run, run)
    assert all(isinstance(result, PeriodRun) for result in results), results
    assert _books() == books
    assert all(
        (row.total, row.done, row.failed) == (ACCOUNTS, ACCOUNTS, 0)
        for row in PeriodRun.objects.all()
    )


@pytest.mark.parametrize(
    ("on", "is_charged"), [("2027-03-01", True), ("2027-03-02", False)]
)
def test_command_charges_a_year_in_advance_at_most(
    world: World, on: str, is_charged: bool
) -> None:
    _lay(world)
    with time_machine.travel("2026-02-28T12:00Z", tick=False):
        if is_charged:
            call_command("close_periods", f"--on={on}", stdout=StringIO())
        else:
            with pytest.raises(CommandError, match="until 2027-03-01"):
                call_command("close_periods", f"--on={on}", stdout=StringIO())
    assert LedgerEntry.objects.exists() == is_charged


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batch", [1, 5])
def test_killed_run_is_finished_by_the_next(world: World, batch: int) -> None:
    """It is killed in the midst of a transaction, while it waits for an account."""
    made = _lay(world)
    on = date(2026, 3, 1)
    books = _undisturbed(on)
    with _Held(made[7].pk) as waiting:
        process = subprocess.Popen(
            [
                sys.executable,
                str(CHECKOUT / "manage.py"),
                "close_periods",
                f"--on={on}",
                f"--batch={batch}",
            ],
            env=os.environ | {"DATABASE_URL": _url()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + 60
            while not waiting() and process.poll() is None:
                assert time.monotonic() < deadline
            assert process.poll() is None, process.stdout.read()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
    done = LedgerEntry.objects.values("account").distinct().count()
    assert done == 7 // batch * batch
    [run] = PeriodRun.objects.all()
    assert (run.total, run.done, run.finished_at) == (ACCOUNTS, done, None)
    call_command("close_periods", on=on, stdout=StringIO())
    assert _books() == books
    run.refresh_from_db()
    assert (run.total, run.done, run.failed) == (ACCOUNTS, ACCOUNTS, 0)


class _Held:
    """Another connection holds an account; calling it says whether somebody waits."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id

    def __enter__(self) -> _Held:
        self.holder = psycopg.connect(_url())
        self.holder.execute(
            "SELECT FROM billing_billingaccount WHERE id = %s FOR UPDATE",
            [self.account_id],
        )
        return self

    def __call__(self) -> bool:
        query = (
            "SELECT count(*) FROM pg_sleep(0.02), pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with connection.cursor() as cursor:
            cursor.execute(query)
            return bool(cursor.fetchone()[0])

    def __exit__(self, *error: object) -> None:
        self.holder.close()


def _url() -> str:
    """The database of this test, for another process."""
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    return f"{server}/{connection.settings_dict['NAME']}"
