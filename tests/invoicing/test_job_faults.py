"""Whatever goes wrong with one row of a job: the others are done, and the log names it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from billing import jobs as billing_jobs
from billing.choices import InvoiceStatus, OverdueLock, PaymentType
from billing.gateways import Answer, Order, Outcome
from billing.models import BillingAccount, Invoice
from billing.services import invoice_files
from customers import jobs
from portal.core.models import OutgoingEmail
from portal.core.periods import ONE_DAY
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, charge, filed, issued, seller
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # jobs look at every tenant
        yield


class PayingGateway:
    def collect(self, order: Order) -> Answer:
        return Answer(Outcome.PAID, reference=order.key)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Nothing is drawn really, and cards pay."""
    monkeypatch.setattr(invoice_files, "render_pdf", lambda content, **how: b"%PDF")
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [])
    settings.PAYMENT_GATEWAY = f"{__name__}.PayingGateway"


def _plans_say(**values: Any) -> None:
    for account in BillingAccount.objects.select_related("plan"):
        for name, value in values.items():
            setattr(account.plan, name, value)
        account.plan.save()


def _is_drawn(invoice: Invoice) -> bool:
    return invoice.drawn_at is not None


def _is_mailed(invoice: Invoice) -> bool:
    return invoice.mailed_at is not None


def _is_reminded_of(invoice: Invoice) -> bool:
    return OutgoingEmail.objects.filter(key=f"reminder:{invoice.pk}:7").exists()


def _is_locked(invoice: Invoice) -> bool:
    return invoice.account.overdue_lock == OverdueLock.LOCKED


def _is_paid(invoice: Invoice) -> bool:
    return invoice.status == InvoiceStatus.PAID


def _lay_undrawn(invoices: list[Invoice]) -> None:
    pass


def _lay_drawn(invoices: list[Invoice]) -> None:
    for invoice in invoices:
        filed(invoice)


def _lay_reminders(invoices: list[Invoice]) -> None:
    _plans_say(reminder_days="7")
    _lay_drawn(invoices)


def _lay_overdue(invoices: list[Invoice]) -> None:
    _plans_say(overdue_lock="calls")
    Invoice.objects.update(status=InvoiceStatus.OVERDUE)


def _lay_cards(invoices: list[Invoice]) -> None:
    BillingAccount.objects.update(payment_type=PaymentType.CREDIT_CARD)


@dataclass(frozen=True)
class Case:
    """A job, what it calls for each row, what to lay for it, and how its work is told."""

    run: Callable[[], None]
    calls: str
    is_done: Callable[[Invoice], bool]
    lay: Callable[[list[Invoice]], None]
    said: str
    of_account: bool = False


CASES = {
    "draw": Case(
        billing_jobs.draw_waiting_invoices,
        "billing.services.invoice_files.draw_all",
        _is_drawn,
        _lay_undrawn,
        "invoice %s could not be drawn (attempt 1)",
    ),
    "mail": Case(
        jobs.mail_invoices,
        "customers.emails_of_invoices.send_invoice",
        _is_mailed,
        _lay_drawn,
        "invoice %s could not be mailed",
    ),
    "remind": Case(
        jobs.remind_of_invoices,
        "customers.emails_of_invoices.send_reminder",
        _is_reminded_of,
        _lay_reminders,
        "nobody could be reminded of %s",
    ),
    "lock": Case(
        jobs.follow_overdue_locks,
        "customers.services.overdue_locks.has_overdue",
        _is_locked,
        _lay_overdue,
        "the lock of account %s could not be set",
        of_account=True,
    ),
    "collect": Case(
        billing_jobs.collect_card_invoices,
        "billing.services.payments.record_payment",
        _is_paid,
        _lay_cards,
        "invoice %s could not be collected",
    ),
}


class FirstFails:
    """Calls on to what it stands for, except for the first time."""

    def __init__(self, target: Callable[..., Any], error: Exception) -> None:
        self.target, self.error = target, error
        self.calls = 0

    def __call__(self, *args: Any, **values: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            raise self.error
        return self.target(*args, **values)


def fail_first(
    monkeypatch: pytest.MonkeyPatch, path: str, error: Exception
) -> FirstFails:
    module, _dot, name = path.rpartition(".")
    owner = import_module(module)
    first = FirstFails(getattr(owner, name), error)
    monkeypatch.setattr(owner, name, first)
    return first


@pytest.mark.parametrize(
    "error",
    [RuntimeError("nobody foresaw it"), SoftTimeLimitExceeded()],
    ids=["fault", "time limit"],
)
@pytest.mark.parametrize("name", CASES)
def test_bad_one_is_named_and_the_next_is_done_all_the_same(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    error: Exception,
) -> None:
    case = CASES[name]
    _plans_say(overdue_days=0)
    invoices = []
    for issuer, customer in ((world.acme, world.beta), (world.root, world.rival)):
        seller(issuer)
        account = account_of(customer, due_days=0)
        charge(account, "10.00")
        invoices.append(issued(account))
    bad, good = invoices
    case.lay(invoices)
    first = fail_first(monkeypatch, case.calls, error)
    later = timezone.now() + 9 * ONE_DAY  # reminders and locks have come by then
    with time_machine.travel(later), caplog.at_level(logging.ERROR):
        case.run()
    assert first.calls == 2
    for invoice in invoices:
        invoice.refresh_from_db()
    assert (case.is_done(bad), case.is_done(good)) == (False, True)
    [told] = [row for row in caplog.records if row.levelno == logging.ERROR]
    assert told.getMessage() == case.said % (
        bad.account_id if case.of_account else bad.pk
    )
    assert told.exc_info is not None


def test_held_back_one_that_fails_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In any order, so that a night without time for all is not always the same ones'."""
    held = []
    for issuer, customer in ((world.acme, world.beta), (world.root, world.rival)):
        account = account_of(customer, invoice_format="xml")
        seller(issuer, vat_id="")
        charge(account, "10.00")
        held.append(issued(account))
        seller(issuer)
        account_of(customer, tax_reference="DE129273398")
    assert {invoice.status for invoice in held} == {InvoiceStatus.PENDING}
    fail_first(
        monkeypatch, "billing.services.invoice_again.try_again", RuntimeError("bad")
    )
    with caplog.at_level(logging.ERROR):
        billing_jobs.issue_pending()
    still = Invoice.objects.filter(status=InvoiceStatus.PENDING)
    [bad] = still.values_list("pk", flat=True)
    assert f"invoice {bad} could not be issued" in caplog.text


@pytest.mark.parametrize(
    ("module", "seconds", "job"),
    [
        (billing_jobs, "NIGHT_SECONDS", billing_jobs.issue_pending),
        (jobs, "HOUR_SECONDS", jobs.remind_of_invoices),
        (jobs, "HOUR_SECONDS", jobs.follow_overdue_locks),
    ],
)
def test_jobs_of_the_night_end_by_themselves(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    seconds: str,
    job: Callable[[], None],
) -> None:
    """Else their task is given to a second worker while the first is at it."""
    monkeypatch.setattr(module, seconds, 0)
    done: list[Any] = []
    note = lambda *args: done.append(args)  # noqa: E731
    monkeypatch.setattr("billing.services.invoice_again.try_again_by_itself", note)
    monkeypatch.setattr("customers.services.reminders.remind", note)
    monkeypatch.setattr("customers.services.overdue_locks.follow", note)
    monkeypatch.setattr("customers.services.reminders.due_reminders", lambda: [1, 2])
    monkeypatch.setattr(
        "customers.services.overdue_locks.to_follow", lambda plans: [1, 2]
    )
    for number, customer in enumerate((world.beta, world.rival)):
        account = account_of(customer)
        Invoice.objects.create(
            account=account,
            issuer=account.provider,
            key=f"request:{number}",
            occasion="request",
            currency="EUR",
            period_start="2026-01-01",
            period_end="2026-02-01",
            detail="summary",
            format="xml",
        )
    job()
    assert len(done) == 1
