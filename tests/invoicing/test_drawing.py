"""Drawing the files of invoices by workers: claims, faults that wait, and trying again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from billing import jobs
from billing.choices import FileKind
from billing.einvoice import rules
from billing.einvoice.rules import Finding, Syntax
from billing.models import BillingAccount, Invoice, InvoiceFile
from billing.services import invoice_drawing, invoice_files
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceFormat
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.race import race
from tests.world import World

BROKEN = Finding("BR-CO-15", "The sums do not agree.")


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # jobs look at every tenant
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta, tax_reference="DE129273398")


def bill(account: BillingAccount, number: int = 1) -> Invoice:
    charge(account, "10.00")
    return issued(account, f"request:{number}")


def kinds_of(invoice: Invoice) -> set[str]:
    kept = InvoiceFile.objects.filter(invoice=invoice)
    return set(kept.values_list("kind", flat=True))


class Bench:
    """Where PDFs are drawn; notes whose, and fails for those it is told."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.bad: set[str] = set()

    def render(self, content: Any, **_how: Any) -> bytes:
        number = content.document.number
        self.tried.append(number)
        if number in self.bad:
            raise ZeroDivisionError(f"{number} is bad")
        return b"%PDF"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench()
    monkeypatch.setattr(invoice_files, "render_pdf", found.render)
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [])
    return found


def test_every_kind_is_kept_when_it_is_drawn(account: BillingAccount) -> None:
    """What is right today can be had in years, whatever the rules are then."""
    invoice = bill(account)
    invoice_drawing.draw(invoice.pk)
    assert kinds_of(invoice) == set(FileKind)


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        (Syntax.CII, {FileKind.PDF, FileKind.UBL}),
        (Syntax.UBL, {FileKind.PDF, FileKind.CII}),
    ],
)
def test_xml_that_breaks_rules_is_left_out_and_the_log_says_so(
    account: BillingAccount,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: Syntax,
    kept: set[str],
) -> None:
    monkeypatch.setattr(
        invoice_files,
        "findings",
        lambda document, syntax: [BROKEN] if syntax == broken else [],
    )
    invoice = bill(account)
    invoice_drawing.draw(invoice.pk)
    invoice.refresh_from_db()
    assert invoice.drawn_at is not None
    assert kinds_of(invoice) == kept
    [warning] = [row for row in caplog.records if row.levelno == logging.WARNING]
    said = warning.getMessage()
    assert invoice.number in said
    assert f"its {broken}" in said
    assert "BR-CO-15" in said


def test_xml_that_is_to_be_sent_is_a_fault_if_it_breaks_rules(
    account: BillingAccount, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_of(account.customer, invoice_format=InvoiceFormat.XML)
    invoice = bill(account)
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [BROKEN])
    assert not invoice_drawing.draw(invoice.pk)
    invoice.refresh_from_db()
    assert (invoice.drawn_at, kinds_of(invoice)) == (None, set())
    assert invoice.draw_error == "BR-CO-15: The sums do not agree."


def test_each_xml_is_judged_once(
    account: BillingAccount, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Syntax] = []

    def findings(document: bytes, syntax: Syntax) -> list[Finding]:
        asked.append(syntax)
        return []

    invoice = bill(account)
    monkeypatch.setattr(invoice_files, "findings", findings)
    invoice_drawing.draw(invoice.pk)
    for kind in FileKind:
        invoice_files.file_of(invoice, kind)
    assert sorted(asked) == [Syntax.CII, Syntax.UBL]


def test_bad_ones_do_not_keep_others_from_their_turn(
    account: BillingAccount, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [bill(account, number).number for number in range(5)]
    bench.bad = set(numbers[:2])
    monkeypatch.setattr(jobs, "SWEEP_INVOICES", 2)
    for _sweep in range(3):
        jobs.draw_waiting_invoices()
    assert bench.tried == numbers
    assert Invoice.objects.filter(drawn_at=None).count() == 2


def test_fault_waits_longer_each_time_and_is_noted(
    account: BillingAccount, bench: Bench
) -> None:
    invoice = bill(account)
    bench.bad = {invoice.number}
    waits = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _attempt in range(6):
            assert not invoice_drawing.draw(invoice.pk)
            assert invoice_drawing.waiting(9) == []
            invoice.refresh_from_db()
            assert invoice.is_undrawable
            waits.append(round((invoice.draw_due_at - timezone.now()).total_seconds()))
            clock.move_to(invoice.draw_due_at)
    assert [seconds // 60 for seconds in waits] == [1, 5, 15, 60, 240, 240]
    assert invoice.draw_error == f"ZeroDivisionError: {invoice.number} is bad"
    bench.bad = set()
    with time_machine.travel(invoice.draw_due_at):
        assert invoice_drawing.draw(invoice.pk)
    invoice.refresh_from_db()
    assert (invoice.is_undrawable, invoice.draw_error) == (False, "")


def test_one_that_kills_its_worker_is_held_then_said_to_be_bad(
    account: BillingAccount, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = bill(account)

    def die(content: Any, **_how: Any) -> bytes:
        raise SystemExit

    monkeypatch.setattr(invoice_files, "render_pdf", die)
    waits: list[timedelta] = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _death in range(3):
            with pytest.raises(SystemExit):
                invoice_drawing.draw(invoice.pk)
            assert not invoice_drawing.draw(invoice.pk)  # given to another at once
            invoice.refresh_from_db()
            waits.append(invoice.draw_due_at - timezone.now())
            assert invoice.is_undrawable == (len(waits) > 1)
            clock.move_to(invoice.draw_due_at)
    assert waits == [timedelta(minutes=minutes) for minutes in (5, 5, 15)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_draw_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller(world.acme)
    invoice = bill(account_of(world.beta))
    bench = Bench()
    monkeypatch.setattr(invoice_files, "render_pdf", bench.render)
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [])
    found = race(
        lambda: invoice_drawing.draw(invoice.pk),
        lambda: invoice_drawing.draw(invoice.pk),
    )
    assert sorted(str(each) for each in found) == ["False", "True"]
    assert len(bench.tried) == 1


@pytest.mark.django_db(transaction=True)
def test_who_asks_for_a_file_while_it_is_drawn_gets_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller(world.acme)
    invoice = bill(account_of(world.beta))
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [])
    monkeypatch.setattr(invoice_files, "render_pdf", Bench().render)

    def ask() -> int:
        with scopes_disabled():  # a thread has its own scope
            return invoice_files.file_of(invoice, FileKind.PDF).pk

    found = race(ask, ask)
    kept = InvoiceFile.objects.get(invoice=invoice, kind=FileKind.PDF)
    assert found == [kept.file_id, kept.file_id]


def test_drawn_invoice_is_announced_to_be_mailed_unless_nobody_wants_it(
    account: BillingAccount, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[Any] = []
    monkeypatch.setattr(
        invoice_drawing,
        "announce",
        lambda task, row_id, *, priority=0: announced.append((task, row_id, priority)),
    )
    mailed, unwanted = bill(account, 1), bill(account, 2)
    Invoice.objects.filter(pk=unwanted.pk).update(is_sent_to_customer=False)
    jobs.draw_waiting_invoices()
    assert announced == [("customers.jobs.mail_invoice", mailed.pk, 6)]


# --- Trying again ---------------------------------------------------------------------


def undrawable(account: BillingAccount, number: int = 1) -> Invoice:
    invoice = bill(account, number)
    Invoice.objects.filter(pk=invoice.pk).update(
        draw_error="KeyError: 'secret'",
        draw_attempts=4,
        draw_due_at=timezone.now() + timedelta(hours=1),
    )
    invoice.refresh_from_db()
    return invoice


def test_trying_again_draws_what_could_not_be(
    world: World,
    account: BillingAccount,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    announced: list[Any] = []
    monkeypatch.setattr(
        invoice_drawing, "announce", lambda task, row_id: announced.append(row_id)
    )
    bad, fine = undrawable(account), bill(account, 2)
    with django_capture_on_commit_callbacks(execute=True):
        count = invoice_drawing.draw_again(
            Invoice.objects.all(), by=world.actor(world.ann)
        )
    assert (count, announced) == (1, [bad.pk])
    assert set(invoice_drawing.waiting(9)) == {bad.pk, fine.pk}
    bad.refresh_from_db()
    assert (bad.draw_attempts, bad.draw_error) == (0, "")


def test_nobody_tries_again_for_others(world: World, account: BillingAccount) -> None:
    invoice = undrawable(account)
    rows = Invoice.objects.all()
    assert invoice_drawing.draw_again(rows, by=world.actor(world.ben)) == 0
    invoice.refresh_from_db()
    assert invoice.is_undrawable
    with pytest.raises(PermissionDenied):
        invoice_drawing.draw_again(rows, by=world.actor(world.uli))


def test_system_owner_tries_again_for_all(
    world: World, account: BillingAccount
) -> None:
    undrawable(account)
    rows = Invoice.objects.all()
    assert invoice_drawing.draw_again(rows, by=world.actor(world.olga)) == 1


# --- The process that knows the rules -------------------------------------------------


def test_interrupted_question_leaves_no_answer_for_the_next(
    account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit of a task may end it between a question and its answer."""
    invoice = bill(account)
    content = invoice_files.thaw(invoice.content)
    good = invoice_files.ubl(content.document)
    bad = good.replace(b"<cbc:DocumentCurrencyCode>EUR", b"<cbc:DocumentCurrencyCode>X")
    assert bad != good
    exchange = rules._exchange

    def interrupted(questions: Any, answers: Any, question: bytes) -> bytes:
        questions.write(question)
        questions.flush()
        raise TimeoutError

    monkeypatch.setattr(rules, "_exchange", interrupted)
    with pytest.raises(TimeoutError):
        rules.findings(bad, Syntax.UBL)
    monkeypatch.setattr(rules, "_exchange", exchange)
    assert rules.findings(good, Syntax.UBL) == []
