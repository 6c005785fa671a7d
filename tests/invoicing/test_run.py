"""The invoices that a billing run issues: for whom, when, held back, failing, once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection

from billing import jobs, keys
from billing.choices import EntryKind, InvoiceStatus, RunStep
from billing.models import (
    BilledFeature,
    BillingAccount,
    ExchangeRate,
    Invoice,
    LedgerEntry,
    PeriodRun,
    RunInvoice,
    RunPart,
    SeriesCount,
)
from billing.selectors import invoices_of
from billing.services import (
    invoice_again,
    invoice_drafts,
    invoice_periods,
    run_parts,
    run_work,
    runs,
)
from billing.services.periods import close_accounts
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, Feature, InvoiceFormat
from tests.billing.tariffs import price, set_account
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.world import World, _customer, build_world

pytestmark = pytest.mark.django_db
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # a run goes over all trees
        yield


def lay(
    world: World, count: int = 3, bill_type: BillType = BillType.POSTPAID
) -> list[BillingAccount]:
    """Customers of Beta whose January is charged, with a line each; the cast owes nothing."""
    BillingAccount.objects.update(billed_until=date(2999, 1, 1))
    price(world.beta_plan, 31)
    return [client(world, number, bill_type) for number in range(count)]


def client(
    world: World, number: int, bill_type: BillType, **values: Any
) -> BillingAccount:
    customer = _customer(
        world.beta, f"Client {number}", f"9{number}", plan=world.beta_plan
    )
    BilledFeature.objects.create(
        customer=customer,
        feature=Feature.LINE,
        object_id=number,
        started_at="2025-12-01T12:00Z",
    )
    days = {
        "fees_from": JAN,
        "billed_until": FEB,
        "billed_from": JAN,
        "invoiced_until": JAN,
    }
    account = account_of(customer, bill_type, **days, **values)
    with time_machine.travel("2026-01-01T12:00Z", tick=False):
        charge(account, "31.00", kind=EntryKind.RECURRING, text="January")
    return account


def run_of(on: date = FEB) -> PeriodRun:
    with time_machine.travel(f"{on}T12:00Z", tick=False):
        return runs.charge_all_due(on=on)


def test_run_issues_the_invoice_of_the_period_that_ended(world: World) -> None:
    made = lay(world)
    run = run_of()
    assert (run.total, run.done, run.to_invoice, run.invoiced) == (3, 3, 3, 3)
    for account in made:
        invoice = Invoice.objects.get(account=account)
        assert invoice.key == keys.period_invoice(FEB)
        # Fees in advance, and January's of the day it began.
        assert (invoice.period_start, invoice.period_end) == (JAN, MAR)
        # January, and February which was charged in advance at its beginning.
        assert (invoice.total, invoice.payable) == (62, 62)
        account.refresh_from_db()
        assert account.balance == 0
    assert invoices_of(run).issued == 3
    again = run_of()
    assert again.pk is None
    assert Invoice.objects.count() == 3


@pytest.mark.parametrize(
    ("bill_type", "issued"),
    [
        (BillType.PREPAID, 0),
        (BillType.PREPAID_INVOICES, 1),
        (BillType.PREPAID_CALLS, 1),
        (BillType.POSTPAID, 1),
        (BillType.EXTERNAL, 0),
        (BillType.NONE, 0),
    ],
)
def test_billing_type_says_who_gets_invoices(
    world: World, bill_type: BillType, issued: int
) -> None:
    lay(world, 1, bill_type)
    run_of()
    assert Invoice.objects.count() == issued


def test_topups_of_prepaid_get_their_invoice(world: World) -> None:
    [account] = lay(world, 1, BillType.PREPAID)
    entry = charge(account, "-50.00", kind=EntryKind.TOPUP, text="Top-up by card")
    run = run_of()
    assert Invoice.objects.get(account=account).total == 50
    entry.refresh_from_db()
    assert entry.invoice is not None
    assert (run.to_invoice, run.invoiced) == (1, 1)
    assert run_of().pk is None


def test_parents_invoice_comes_after_what_its_customers_cause(world: World) -> None:
    """Beta's own part is the first one, yet its invoice holds what is charged in the last."""
    lay(world, 2)
    account_of(
        world.beta, billed_until=FEB, billed_from=JAN, invoiced_until=JAN, fees_from=JAN
    )
    price(world.acme_plan, 10)
    with time_machine.travel("2026-02-01T12:00Z", tick=False):
        runs.charge_all_due(on=FEB, batch=1)
    assert Invoice.objects.count() == 3
    assert Invoice.objects.get(account__customer=world.beta).total == 20


def test_each_account_is_invoiced_on_its_own_day(world: World) -> None:
    east, west = lay(world, 2)
    for account, zone in ((east, "Pacific/Kiritimati"), (west, "Pacific/Pago_Pago")):
        account.customer.time_zone = zone
        account.customer.save(update_fields=["time_zone"])
    for at, expected in [
        ("2026-01-31T09:59Z", set()),
        ("2026-01-31T10:00Z", {east.pk}),
        ("2026-02-01T10:59Z", {east.pk}),
        ("2026-02-01T11:00Z", {east.pk, west.pk}),
    ]:
        with time_machine.travel(at, tick=False):
            jobs.close_periods()
        found = set(Invoice.objects.values_list("account", flat=True))
        assert found == expected, at


def test_late_run_issues_an_invoice_for_each_period(world: World) -> None:
    lay(world, 1)
    run = run_of(date(2026, 4, 1))
    found = Invoice.objects.order_by("pk").values_list("key", flat=True)
    ends = (FEB, MAR, date(2026, 4, 1))
    assert list(found) == [keys.period_invoice(end) for end in ends]
    assert invoices_of(run).issued == 3
    numbers = Invoice.objects.order_by("pk").values_list("customer_number", flat=True)
    assert list(numbers) == [1, 2, 3]


def test_what_is_held_back_is_counted_apart_and_tried_again(world: World) -> None:
    account, *_others = lay(world)
    account_of(account.customer, invoice_format=InvoiceFormat.XML)
    run = run_of()
    made = invoices_of(run)
    assert (made.issued, made.held) == (2, 1)
    assert run.invoice_failed == 0
    seller(world.beta)
    account_of(account.customer, tax_reference="DE129273398")
    with time_machine.travel("2026-02-02T04:10Z", tick=False):
        jobs.issue_pending()
    held = Invoice.objects.get(account=account)
    assert held.status == InvoiceStatus.DUE, held.gaps
    assert (invoices_of(run).issued, invoices_of(run).held) == (3, 0)


def test_account_that_cannot_be_invoiced_is_listed_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *_others = lay(world)
    account_of(broken.customer, due_days=365)
    BillingAccount.objects.filter(pk=broken.pk).update(vat_treatment="??")
    run = run_of()
    assert (run.failed, run.invoiced, run.invoice_failed) == (0, 2, 1)
    failure = run.failures.get()
    assert (failure.account_id, failure.step) == (broken.pk, RunStep.INVOICES)
    assert "??" not in failure.reason
    BillingAccount.objects.filter(pk=broken.pk).update(vat_treatment="S")
    with time_machine.travel("2026-02-01T13:00Z", tick=False):
        assert runs.try_again(failure, by=world.actor(world.olga)) == ""
    run.refresh_from_db()
    assert (run.invoiced, run.invoice_failed) == (3, 0)
    assert invoices_of(run).issued == 3


def hold(account: BillingAccount) -> BillingAccount:
    """Have invoices of the account held back, until `mend`."""
    return account_of(account.customer, invoice_format=InvoiceFormat.XML)


def mend(world: World, account: BillingAccount) -> None:
    seller(world.beta)
    account_of(account.customer, tax_reference="DE129273398")


def test_later_periods_wait_behind_one_held_back(world: World) -> None:
    [account] = lay(world, 1)
    hold(account)
    run_of()
    later = run_of(MAR)
    [held] = Invoice.objects.all()
    assert (held.key, held.total) == (keys.period_invoice(FEB), 62)
    assert (later.done, later.to_invoice, invoices_of(later).held) == (1, 0, 0)
    mend(world, account)
    with time_machine.travel("2026-03-02T04:10Z", tick=False):
        jobs.issue_pending()
    run_of(MAR)
    found = Invoice.objects.order_by("pk").values_list(
        "key", "total", "customer_number"
    )
    assert list(found) == [
        (keys.period_invoice(FEB), 62, 1),
        (keys.period_invoice(MAR), 31, 2),
    ]


@pytest.mark.parametrize(
    ("first", "issued"),
    [
        (FEB, [(keys.period_invoice(FEB), 62), (keys.period_invoice(MAR), 31)]),
        (MAR, [(keys.period_invoice(MAR), 93)]),
    ],
)
def test_two_held_back_invoice_each_fee_once(
    world: World, first: date, issued: list[tuple[str, int]]
) -> None:
    """As there were before periods waited; in whichever order they are tried."""
    [account] = lay(world, 1)
    hold(account)
    run_of()
    run_of(MAR)
    copy = Invoice.objects.get()
    copy.pk, copy.key = None, keys.period_invoice(MAR)
    copy.save(force_insert=True)
    mend(world, account)
    by = world.actor(world.ben)
    with time_machine.travel("2026-03-02T12:00Z", tick=False):
        invoice = Invoice.objects.get(key=keys.period_invoice(first))
        made = invoice_again.try_again(invoice=invoice, by=by)
        assert made is not None
        assert made.is_issued
        jobs.issue_pending()
    rows = Invoice.objects.order_by("pk").values_list("key", "total")
    assert list(rows) == issued


def test_invoice_on_request_waits_too_or_takes_up_what_is_held_back(
    world: World,
) -> None:
    [account] = lay(world, 1)
    hold(account)
    run_of()
    [held] = Invoice.objects.all()
    with time_machine.travel("2026-02-10T12:00Z", tick=False):
        assert issued(account) == held
        account_of(account.customer, invoice_format=InvoiceFormat.PDF)
        made = issued(account)
    assert (made.key, made.total, made.is_issued) == ("request:1", 62, True)
    assert Invoice.objects.get() == made
    run = run_of(MAR)
    assert (run.invoiced, invoices_of(run).issued) == (1, 1)


def test_topups_do_not_wait(world: World) -> None:
    [account] = lay(world, 1)
    hold(account)
    run_of()
    account_of(account.customer, BillType.PREPAID, invoice_format=InvoiceFormat.PDF)
    charge(account, "-50.00", kind=EntryKind.TOPUP, text="Top-up by card")
    run_of(MAR)
    assert Invoice.objects.exclude(number="").get().total == 50


def test_what_was_issued_before_one_fails_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(world, 1)
    work = invoice_periods.issue

    def issue_the_first(account_id: int, *, until: date, **more: Any) -> Any:
        if until == MAR:
            raise ValidationError("Not now.")
        return work(account_id, until=until, **more)

    monkeypatch.setattr(invoice_periods, "issue", issue_the_first)
    run = run_of(MAR)
    assert [failure.reason for failure in run.failures.all()] == ["Not now."]
    assert invoices_of(run).issued == 1
    monkeypatch.undo()
    with time_machine.travel("2026-03-01T13:00Z", tick=False):
        assert runs.try_again(run.failures.get(), by=world.actor(world.olga)) == ""
    run.refresh_from_db()
    assert (run.to_invoice, run.invoiced, run.invoice_failed) == (1, 1, 0)
    assert invoices_of(run).issued == 2


@pytest.mark.django_db(transaction=True)
def test_series_is_free_while_the_next_invoice_is_drafted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lay(build_world(), 1)
    draft = invoice_drafts.draft_of
    seen: list[int] = []

    def draft_while_others_look(*args: Any, **more: Any) -> Any:
        with ThreadPoolExecutor() as pool:
            seen.append(pool.submit(counted).result())
        return draft(*args, **more)

    monkeypatch.setattr(invoice_drafts, "draft_of", draft_while_others_look)
    run_of(MAR)
    assert seen == [0, 1]


def counted() -> int:
    """How far series have counted, as another connection sees it."""
    try:
        with scopes_disabled():
            return sum(SeriesCount.objects.values_list("last", flat=True))
    finally:
        connection.close()


def test_account_that_cannot_be_charged_is_not_invoiced(world: World) -> None:
    poor, *_others = lay(world)
    set_account(poor.customer, currency="USD")
    run = run_of()
    assert (run.done, run.failed, run.to_invoice) == (2, 1, 2)
    assert not Invoice.objects.filter(account=poor).exists()
    ExchangeRate.objects.create(currency="USD", on=FEB, rate=Decimal("1.1"))
    with time_machine.travel("2026-02-01T13:00Z", tick=False):
        assert runs.try_again(run.failures.get(), by=world.actor(world.olga)) == ""
    assert Invoice.objects.filter(account=poor).exists()
    run.refresh_from_db()
    assert (run.done, run.failed) == (3, 0)
    assert (run.to_invoice, run.invoiced, invoices_of(run).issued) == (3, 3, 3)


def test_stopped_run_waits_and_goes_on(world: World) -> None:
    lay(world, 4)
    with time_machine.travel("2026-02-01T12:00Z", tick=False):
        run = runs.open_run(FEB, batch=2)
        lease = run_parts.claim(run)
        assert lease is not None
        runs._work_on_part(run, lease)
        olga = world.actor(world.olga)
        runs.stop(run, by=olga)
        assert run_parts.claim(run) is None
        stopped = runs.charge_all_due(on=FEB)
        assert (stopped.pk, stopped.is_stopped, stopped.done) == (run.pk, True, 2)
        with pytest.raises(CommandError, match="stopped before its end"):
            call_command("close_periods", on=FEB, stdout=StringIO())
        runs.go_on(run, by=olga)
        run = runs.charge_all_due(on=FEB)
    assert (run.done, run.invoiced, run.is_stopped) == (4, 4, False)


def test_stop_is_heeded_between_two_accounts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(world, 4)
    monkeypatch.setattr(run_parts, "NOTED_EVERY", 0)
    begun: list[int] = []
    work = runs.run_work.issue_for

    def issue_then_stop(account_id: int, **more: Any) -> None:
        work(account_id, **more)
        begun.append(account_id)
        if len(begun) == 2:
            run = PeriodRun.objects.get()
            runs.stop(run, by=world.actor(world.olga))

    monkeypatch.setattr(runs.run_work, "issue_for", issue_then_stop)
    run = run_of()
    assert (run.is_stopped, run.invoiced, run.to_invoice) == (True, 2, 4)
    [part] = RunPart.objects.filter(step=RunStep.INVOICES)
    assert (part.done, part.token, part.leased_until) == (2, None, None)
    runs.go_on(run, by=world.actor(world.olga))
    run = run_of()
    assert (run.invoiced, len(begun)) == (4, 4)


def test_part_is_taken_up_when_its_time_is_over(world: World) -> None:
    lay(world, 2)
    run = runs.open_run(FEB)
    first = run_parts.claim(run)
    assert first is not None
    assert run_parts.claim(run) is None
    assert run_parts.count_free(run) == 0
    RunPart.objects.update(leased_until="2020-01-01T00:00Z")
    second = run_parts.claim(run)
    assert second is not None
    assert second.part_id == first.part_id
    assert not first.goes_on(1), "it is another's now"
    first.done = 2
    first.give_back()
    assert RunPart.objects.get().finished_at is None


def test_part_of_a_worker_that_has_gone_is_free(world: World) -> None:
    lay(world, 2)
    run = runs.open_run(FEB)
    assert run_parts.claim(run) is not None
    RunPart.objects.update(holder_since="2020-01-01T00:00Z")  # another process by now
    assert run_parts.count_free(run) == 1


def test_workers_are_called_to_what_nobody_works_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(world, 2)
    with time_machine.travel("2026-02-01T12:00Z", tick=False):
        run = runs.open_run(FEB)
    called: list[Any] = []
    monkeypatch.setattr(runs, "announce", lambda *row, **_more: called.append(row))
    for at, count in (("12:00:10", 0), ("12:00:30", 1)):
        with time_machine.travel(f"2026-02-01T{at}Z", tick=False):
            runs.call_workers_again()
        assert called == [(runs.WORK, run.pk)] * count
    jobs.work_on_run(run.pk)
    run.refresh_from_db()
    assert run.finished_at is not None
    assert Invoice.objects.count() == 2


def test_command_says_what_it_did(world: World) -> None:
    lay(world)
    output = StringIO()
    with time_machine.travel("2026-02-01T12:00Z", tick=False):
        call_command("close_periods", on=FEB, stdout=output)
    assert output.getvalue() == (
        "Accounts charged: 3, failed: 0.\n"
        "Accounts invoiced: 3, failed: 0. Invoices issued: 3, held back: 0.\n"
    )


def test_rows_about_a_run_go_with_it(world: World) -> None:
    lay(world)
    run = run_of()
    assert RunInvoice.objects.count() == 3
    run.delete()
    assert not RunInvoice.objects.exists()
    assert (Invoice.objects.count(), LedgerEntry.objects.exists()) == (3, True)


def test_few_queries_issue_an_invoice(
    world: World, django_assert_max_num_queries: Any
) -> None:
    """What accounts share is read once: their plan, with all it inherits."""
    first, second, third = lay(world)
    with time_machine.travel("2026-02-01T12:00Z", tick=False):
        close_accounts([first.pk, second.pk, third.pk], on=FEB)
        with django_assert_max_num_queries(
            26 + 4
        ):  # and what opens and ends savepoints
            run_work.invoice_each([first.pk], run_id=None)
        with django_assert_max_num_queries(2 * (18 + 4) + 5):
            run_work.invoice_each([second.pk, third.pk], run_id=None)
    assert Invoice.objects.count() == 3
