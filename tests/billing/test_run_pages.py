"""Commerce » Billing runs: what the system owner and what a reseller sees, and trying again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from billing.models import (
    BillingAccount,
    ExchangeRate,
    Invoice,
    LedgerEntry,
    PeriodRun,
    RunFailure,
    RunInvoice,
)
from billing.services import run_parts, runs
from customers.models import Customer
from customers.sender_book import SenderBook
from customers.services import invoice_mails
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceFormat
from tests.billing.tariffs import add, item, price, set_account
from tests.invoicing.bills import account_of, charge, filed, issued
from tests.race import race
from tests.world import World, build_world

pytestmark = pytest.mark.django_db
FEB = date(2026, 2, 1)
NO_RATE = "There is no exchange rate of USD yet: the system owner has to enter one."


def _fail(run: PeriodRun, customer: Customer, error: str = NO_RATE) -> RunFailure:
    with scopes_disabled():  # tests look at every account
        failure = RunFailure.objects.create(
            run=run, account=set_account(customer), error=error
        )
        PeriodRun.objects.filter(pk=run.pk).update(failed=run.failures.count())
    return failure


def _run(**values: Any) -> PeriodRun:
    return PeriodRun.objects.create(
        **{"total": 9, "done": 7, "finished_at": timezone.now()} | values
    )


def _list(account: Customer) -> str:
    return f"/a/{account.pk}/commerce/runs/"


def _cells(page: Any) -> list[dict[str, str]]:
    return [
        {cell.column.key: str(cell.html) for cell in row.cells}
        for row in page.context["table"].rows
    ]


def _tiles(page: Any) -> dict[str, str]:
    return {tile["label"]: tile["value"] for tile in page.context["tiles"]}


@pytest.fixture
def olga(world: World) -> Client:
    return world.client(world.olga)


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def test_system_owner_sees_every_run_as_a_whole(world: World, olga: Client) -> None:
    _run(done=9)
    failed = _run(on=FEB)
    _fail(failed, world.gamma)
    _fail(failed, world.rival)
    _run(total=9, done=4, finished_at=None)
    long_ago = timezone.now() - timedelta(hours=4)
    _run(on=FEB, done=0, finished_at=None, started_at=long_ago)
    rows = _cells(olga.get(_list(world.root)))
    keys = ("total", "done", "left", "failed")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        ("9", "0", "9", "0"),
        ("9", "4", "5", "0"),
        ("9", "7", "0", "2"),
        ("9", "9", "0", "0"),
    ]
    states = ("Not finished for hours", "Running", "Some failed", "Finished")
    for row, state in zip(rows, states, strict=True):
        assert state in row["state"]
    assert rows[2]["day"] == "2026-02-01"
    assert rows[3]["day"].endswith("own day")
    page = olga.get(f"{_list(world.root)}{failed.pk}/")
    names = [row["customer"] for row in _cells(page)]
    assert names == ["<bdi>Gamma Bakery</bdi>", "<bdi>Rival Phones</bdi>"]
    assert _tiles(page) == {"For": "2026-02-01", "Failed": "2"}
    [charges, _invoices] = page.context["progress"]["steps"]
    assert (charges["text"], charges["done"]) == ("7 of 9 accounts, 2 failed", 9)


def test_reseller_sees_what_failed_at_its_own_customers(
    world: World, ann: Client
) -> None:
    _run()
    elsewhere, here = _run(), _run()
    _fail(elsewhere, world.rival)
    _fail(elsewhere, world.gamma)  # Beta's matter
    _fail(here, world.beta)
    _fail(here, world.rival)
    [row] = _cells(ann.get(_list(world.acme)))
    assert set(row) == {"started", "day", "failed", "state"}
    assert row["failed"] == "1"
    page = ann.get(f"{_list(world.acme)}{here.pk}/")
    assert [row["customer"] for row in _cells(page)] == ["<bdi>Beta Voice</bdi>"]
    assert set(_tiles(page)) == {"For", "Failed"}
    assert page.context["table"].rows[0].url == (
        f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/"
    )
    assert ann.get(f"{_list(world.acme)}{elsewhere.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 5),
        ("status=running", 1),
        ("status=stopped", 1),
        ("status=failed", 1),
        ("status=done", 2),
        ("q=beta", 1),
        ("q=nobody", 0),
    ],
)
def test_runs_are_filtered(
    world: World, olga: Client, query: str, expected: int
) -> None:
    _run(done=9)
    _run(done=9)
    _run(finished_at=None)
    _run(on=FEB, finished_at=None, stopped_at=timezone.now())
    _fail(_run(), world.beta)
    assert len(_cells(olga.get(f"{_list(world.root)}?{query}"))) == expected


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NO_RATE, NO_RATE),
        ("log:1f2e3d4c", "in the program. The log has it as 1f2e3d4c."),
        ("KeyError: 'secret of Rival'", "in the program. The log has it."),
    ],
)
def test_people_are_told_sentences(
    world: World, ann: Client, olga: Client, error: str, said: str
) -> None:
    run = _run()
    _fail(run, world.beta, error)
    for page in (_list(world.acme), _list(world.root)):
        reader = ann if page == _list(world.acme) else olga
        [row] = _cells(reader.get(f"{page}{run.pk}/"))
        assert said in row["reason"]
        assert "secret" not in row["reason"]


def _due(world: World) -> PeriodRun:
    """Beta owes February in US dollars, of which there is no rate; a run has failed."""
    with scopes_disabled():
        price(world.acme_plan, 28)
        days = {"fees_from": date(2020, 1, 1), "billed_until": FEB}
        for customer in (world.acme, world.beta):
            set_account(customer, credit_limit=100, **days)
        with time_machine.travel("2026-01-31T12:00Z", tick=False):
            add(world.beta, item(1))
        set_account(world.beta, currency="USD")
        set_account(world.acme, billed_until=date(2999, 1, 1))
        for customer in (world.gamma, world.rival):
            set_account(customer, billed_until=date(2999, 1, 1))
        run = runs.charge_all_due(on=FEB)
    assert (run.total, run.done, run.failed) == (1, 0, 1)
    return run


def _rate() -> None:
    ExchangeRate.objects.create(currency="USD", on=date(2026, 1, 1), rate=2)


def _again(run: PeriodRun, account: Customer) -> str:
    with scopes_disabled():
        failure = RunFailure.objects.get(run=run)
    return f"/a/{account.pk}/commerce/runs/{run.pk}/failures/{failure.pk}/again/"


def test_failed_account_is_tried_again(world: World, ann: Client) -> None:
    run = _due(world)
    response = ann.post(_again(run, world.acme), follow=True)
    assert [str(each) for each in response.context["messages"]] == [
        f"Beta Voice failed again: {NO_RATE}"
    ]
    _rate()
    response = ann.post(_again(run, world.acme), follow=True)
    assert response.redirect_chain[-1][0] == _list(world.acme)
    assert [str(each) for each in response.context["messages"]] == [
        "Beta Voice is charged."
    ]
    run.refresh_from_db()
    assert (run.total, run.done, run.failed) == (1, 1, 0)
    with scopes_disabled():
        entry = LedgerEntry.objects.filter(account__customer=world.beta).latest("pk")
        event = AuditEvent.objects.get(action="customer.charged")
    assert (entry.net, entry.person_id) == (-56, world.ann.pk)
    assert (event.customer_id, event.person_id) == (world.beta.pk, world.ann.pk)


def test_only_what_one_sees_is_tried_again(world: World) -> None:
    run = _due(world)
    _rate()
    url = _again(run, world.rival)
    assert world.client(world.eve).post(url).status_code == 404
    with scopes_disabled():
        assert RunFailure.objects.filter(run=run).exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_try_again_at_once_charge_once() -> None:
    world = build_world()
    run = _due(world)
    _rate()
    with scopes_disabled():
        failure = RunFailure.objects.get(run=run)

    def again() -> str:
        with scopes_disabled():  # threads have scopes of their own
            return runs.try_again(failure, by=world.actor(world.ann))

    assert race(again, again) == ["", ""]
    run.refresh_from_db()
    assert (run.total, run.done, run.failed) == (1, 1, 0)
    with scopes_disabled():
        assert LedgerEntry.objects.filter(account__customer=world.beta).count() == 2
        assert AuditEvent.objects.filter(action="customer.charged").count() == 1


def _due_customers(world: World) -> None:
    """Gamma and Rival owe what has begun; nobody else does."""
    with scopes_disabled():
        price(world.beta_plan, 31)
        for customer in (world.acme, world.beta):
            set_account(customer, billed_until=date(2999, 1, 1))
        for customer in (world.gamma, world.rival):
            set_account(customer, billed_until=timezone.localdate())


def test_system_owner_runs_billing_now(world: World, olga: Client) -> None:
    _due_customers(world)
    url = f"{_list(world.root)}now/"
    assert url in olga.get(_list(world.root)).content.decode()
    asked = olga.get(url).content.decode()
    assert "Fees or charges are due on 2 accounts." in asked
    response = olga.post(url)
    run = PeriodRun.objects.get()
    assert response["Location"] == f"{_list(world.root)}{run.pk}/"
    assert (run.total, run.done, run.is_working) == (2, 0, True)
    assert 'hx-trigger="every 2s"' in olga.get(response["Location"]).content.decode()
    part = olga.get(f"{response['Location']}progress/", HTTP_HX_REQUEST="true")
    assert "0 of 2 accounts" in part.content.decode()
    with scopes_disabled():
        assert AuditEvent.objects.get(action="run.started").person_id == world.olga.pk


def test_nothing_due_is_said_and_starts_nothing(world: World, olga: Client) -> None:
    with scopes_disabled():
        for customer in (world.acme, world.beta, world.gamma, world.rival):
            set_account(customer, billed_until=date(2999, 1, 1))
    url = f"{_list(world.root)}now/"
    assert "Nothing is due now" in olga.get(url).content.decode()
    page = olga.post(url, follow=True)
    assert [str(each) for each in page.context["messages"]] == ["Nothing was due."]
    assert not PeriodRun.objects.exists()


def test_run_is_stopped_and_continued(world: World, olga: Client) -> None:
    _due_customers(world)
    olga.post(f"{_list(world.root)}now/")
    run = PeriodRun.objects.get()
    url = f"{_list(world.root)}{run.pk}/"
    page = olga.post(f"{url}stop/", follow=True).content.decode()
    assert f"{url}continue/" in page
    assert "every 2s" not in page
    assert "Stopped" in page
    part = olga.get(f"{url}progress/?working=1", HTTP_HX_REQUEST="true")
    assert part["HX-Refresh"] == "true"
    part = olga.get(f"{url}progress/", HTTP_HX_REQUEST="true")
    assert "HX-Refresh" not in part
    page = olga.post(f"{url}continue/", follow=True).content.decode()
    assert f"{url}stop/" in page
    runs.charge_all_due()
    run.refresh_from_db()
    assert run.finished_at is not None
    with scopes_disabled():
        told = AuditEvent.objects.filter(object_type="billing.periodrun")
        actions = set(told.values_list("action", flat=True))
    assert actions == {"run.started", "run.stopped", "run.continued"}


def test_page_follows_files_of_invoices_after_the_run(
    world: World, olga: Client
) -> None:
    run = _run()
    with scopes_disabled():
        invoice = issued(charged(world.beta))
        RunInvoice.objects.create(run=run, invoice=invoice)
    url = f"{_list(world.root)}{run.pk}/"
    assert "every 2s" in olga.get(url).content.decode()
    now = timezone.now()
    with scopes_disabled():
        Invoice.objects.update(drawn_at=now, mailed_at=now)
    page = olga.get(url)
    assert "every 2s" not in page.content.decode()
    tiles = page.context["progress"]["tiles"]
    assert [tile["value"] for tile in tiles] == ["1", "1", "0", "0"]


@pytest.mark.parametrize(
    ("is_kept", "status", "value", "detail"),
    [
        (False, EmailStatus.SENT, "1", "of 1"),
        (False, EmailStatus.FAILED, "0", "of 1"),
        (True, EmailStatus.KEPT, "0", "1 kept: there is no mail server"),
    ],
)
def test_only_what_was_sent_is_e_mailed(
    world: World,
    olga: Client,
    settings: Any,
    is_kept: bool,
    status: EmailStatus,
    value: str,
    detail: str,
) -> None:
    settings.EMAIL_IS_KEPT = is_kept
    run = _run()
    with scopes_disabled():
        world.beta.email = "office@beta.test"
        world.beta.save(update_fields=["email"])
        invoice = filed(issued(charged(world.beta)))
        RunInvoice.objects.create(run=run, invoice=invoice)
        email = invoice_mails.mail(invoice.pk, SenderBook())
        assert email is not None
        OutgoingEmail.objects.filter(pk=email.pk).update(
            status=status,
            sent_at=timezone.now() if status == EmailStatus.SENT else None,
        )
    page = olga.get(f"{_list(world.root)}{run.pk}/")
    tile = page.context["progress"]["tiles"][2]
    assert (tile["value"], tile["detail"]) == (value, detail)


def held(customer: Customer, run: PeriodRun) -> None:
    account = account_of(customer, invoice_format=InvoiceFormat.XML)
    charge(account, "10.00")
    RunInvoice.objects.create(run=run, invoice=issued(account))


def test_invoices_and_what_is_held_back_are_counted_apart(
    world: World, olga: Client
) -> None:
    run = _run(done=9, to_invoice=3, invoiced=3)
    with scopes_disabled():
        RunInvoice.objects.create(run=run, invoice=issued(charged(world.gamma)))
        held(world.beta, run)
        held(world.acme, run)
    [row] = _cells(olga.get(_list(world.root)))
    assert (row["issued"], row["held"], row["left"]) == ("1", "2", "0")
    page = olga.get(f"{_list(world.root)}{run.pk}/")
    *_others, tile = page.context["progress"]["tiles"]
    assert (tile["value"], tile["detail"]) == ("2", "1 of them yours")
    listed = olga.get(tile["url"])
    assert [row["customer"] for row in _cells(listed)] == ["<bdi>Acme Telecom</bdi>"]
    assert "2 invoices are held back" in _nothing(page)


def _nothing(page: Any) -> str:
    empty = page.context["table"].empty
    return f"{empty.title}: {empty.text}"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"done": 9}, "Nothing failed: Every account was charged, and invoiced where"),
        ({"done": 5, "finished_at": None}, "Nothing has failed so far: Accounts that"),
        (
            {"done": 5, "finished_at": None, "stopped_at": "2026-02-01T12:00Z"},
            "Nothing has failed so far: The run was stopped with 4 accounts left.",
        ),
    ],
)
def test_empty_list_of_failures_says_no_more_than_is_true(
    world: World, olga: Client, values: dict[str, Any], said: str
) -> None:
    run = _run(**values)
    assert _nothing(olga.get(f"{_list(world.root)}{run.pk}/")).startswith(said)


def test_page_follows_a_stopped_run_until_workers_have_let_go(
    world: World, olga: Client
) -> None:
    _due_customers(world)
    with scopes_disabled():
        run = runs.open_run(None)
        lease = run_parts.claim(run)
        assert lease is not None
        runs.stop(run, by=world.actor(world.olga))
    url = f"{_list(world.root)}{run.pk}/"
    page = olga.get(url).content.decode()
    assert "Stopping" in page
    assert "every 2s" in page
    part = olga.get(f"{url}progress/?working=1", HTTP_HX_REQUEST="true")
    assert "HX-Refresh" not in part
    with scopes_disabled():
        lease.give_back()
    part = olga.get(f"{url}progress/?working=1", HTTP_HX_REQUEST="true")
    assert part["HX-Refresh"] == "true"
    page = olga.get(url).content.decode()
    assert "Stopping" not in page
    assert "every 2s" not in page


def test_all_that_failed_is_tried_again(world: World, ann: Client) -> None:
    run = _due(world)
    with scopes_disabled():
        _fail(run, world.rival)  # another's
        set_account(world.acme)
        RunFailure.objects.create(
            run=run, account=set_account(world.gamma), error=NO_RATE
        )
        BillingAccount.objects.filter(customer=world.gamma).update(
            provider=world.acme.pk
        )
    url = f"{_list(world.acme)}{run.pk}/again/"
    assert url in ann.get(f"{_list(world.acme)}{run.pk}/").content.decode()
    page = ann.post(url, follow=True)
    assert [str(each) for each in page.context["messages"]] == [
        "1 account is charged.",
        "1 account failed again.",
    ]
    _rate()
    ann.post(url)
    with scopes_disabled():
        left = RunFailure.objects.get(run=run)
    assert left.account.customer_id == world.rival.pk


def test_trying_all_again_ends_in_time_and_begins_with_the_oldest(
    world: World, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _due(world)
    with scopes_disabled():
        other = RunFailure.objects.create(
            run=run,
            account=set_account(world.gamma),
            error=NO_RATE,
            at="2026-01-01T00:00Z",
        )
        BillingAccount.objects.filter(customer=world.gamma).update(
            provider=world.acme.pk
        )
    monkeypatch.setattr(runs, "AGAIN_SECONDS", 0)
    page = ann.post(f"{_list(world.acme)}{run.pk}/again/", follow=True)
    assert [str(each) for each in page.context["messages"]] == [
        "1 account is charged.",
        "There was no time for 1 more: try all again.",
    ]
    with scopes_disabled():
        assert not RunFailure.objects.filter(pk=other.pk).exists()


def charged(customer: Customer) -> BillingAccount:
    account = account_of(customer)
    charge(account, "10.00")
    return account


def test_resellers_steer_no_run(world: World, ann: Client) -> None:
    run = _run(finished_at=None)
    _fail(run, world.beta)
    here = _list(world.acme)
    assert f"{here}now/" not in ann.get(here).content.decode()
    page = ann.get(f"{here}{run.pk}/")
    assert "progress" not in page.context
    assert ann.get(f"{here}now/").status_code == 403
    for action in ("stop", "continue"):
        assert ann.post(f"{here}{run.pk}/{action}/").status_code == 403
    run.refresh_from_db()
    assert run.is_working


def test_page_says_how_fast_it_goes(world: World, olga: Client) -> None:
    begun = timezone.now() - timedelta(seconds=10)
    run = _run(total=100, done=50, finished_at=None, step_at=begun)
    page = olga.get(f"{_list(world.root)}{run.pk}/")
    [charges, invoices] = page.context["progress"]["steps"]
    assert float(charges["estimate"].split()[0]) == pytest.approx(5, abs=0.5)
    assert "done at about" in charges["estimate"]
    assert (invoices["text"], invoices["estimate"]) == (
        "to come",
        "Once everything is charged.",
    )
