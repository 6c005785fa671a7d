"""Invoices that are approved and sent when their due day has passed already."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.choices import InvoiceOccasion, InvoiceStatus
from billing.invoicing.content import thaw
from billing.models import BillingAccount, Invoice
from billing.receivables import DAYS_30, NOT_DUE, receivables_of, statement_of
from billing.services import invoice_status
from billing.services.invoices import issue
from billing.services.overdue import mark_overdue
from customers import emails_of_invoices
from customers.sender_book import SenderBook
from portal.core.actor import Actor
from portal.core.display import format_day
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from tests.invoicing.bills import account_of, charge, filed, seller
from tests.invoicing.pages import url_of
from tests.world import World

DAY = timedelta(days=1)
TODAY = local_date("Europe/Berlin")


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme, reviews_invoices=True)
    return account_of(world.beta, due_days=14)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def waiting(account: BillingAccount, by: Actor, *, days: int, key: str) -> Invoice:
    """An invoice that waits to be approved since ``days`` days."""
    charge(account, "10.00")
    on = TODAY - days * DAY
    invoice = issue(account.pk, occasion=InvoiceOccasion.REQUEST, key=key, by=by, on=on)
    assert invoice is not None
    assert invoice.status == InvoiceStatus.QUEUED
    return invoice


def sent(invoice: Invoice, by: Actor) -> Invoice:
    rows = Invoice.objects.filter(pk=invoice.pk)
    invoice_status.approve(rows, by=by)
    invoice_status.send_approved(rows, by=by)
    invoice.refresh_from_db()
    return invoice


@pytest.mark.parametrize("days", [15, 30])
def test_one_sent_after_its_due_day_gets_as_many_days_again(
    account: BillingAccount, by: Actor, days: int
) -> None:
    invoice = waiting(account, by, days=days, key="a")
    assert invoice.due_on
    assert invoice.overdue_on
    grace = invoice.overdue_on - invoice.due_on

    invoice = sent(invoice, by)

    assert (invoice.status, invoice.due_day) == (InvoiceStatus.DUE, TODAY + 14 * DAY)
    assert invoice.first_overdue_day == TODAY + 14 * DAY + grace
    assert thaw(invoice.content).document.due_on == TODAY - (days - 14) * DAY
    assert mark_overdue() == 0


@pytest.mark.parametrize("days", [0, 5, 14])
def test_one_sent_in_time_keeps_its_due_day(
    account: BillingAccount, by: Actor, days: int
) -> None:
    invoice = sent(waiting(account, by, days=days, key="a"), by)
    assert invoice.due_day == TODAY - (days - 14) * DAY
    assert invoice.due_day == thaw(invoice.content).document.due_on


@pytest.mark.parametrize(("days", "is_late"), [(30, True), (3, False)])
def test_mail_says_the_later_day(
    account: BillingAccount, by: Actor, days: int, is_late: bool
) -> None:
    invoice = filed(sent(waiting(account, by, days=days, key="a"), by))
    mail = emails_of_invoices.send_invoice(invoice, SenderBook())
    text = " ".join(mail.text.split())
    assert ("later than the invoice says" in text) is is_late
    assert "Please pay €10.00 by" in text


@pytest.mark.parametrize(
    ("name", "then"),
    [("invoice-approve-all", "approve"), ("invoice-send-all", "send")],
)
def test_who_approves_or_sends_is_told_how_many_are_late(
    world: World, account: BillingAccount, by: Actor, name: str, then: str
) -> None:
    for days, key in ((20, "a"), (30, "b"), (1, "c")):
        waiting(account, by, days=days, key=key)
    if then == "send":
        invoice_status.approve(Invoice.objects.all(), by=by)
    client = world.client(world.ann)
    page = client.get(url_of(world.acme, name))
    assert "2 were issued so long ago that their due day has passed" in (
        page.content.decode()
    )


def test_button_of_one_invoice_says_that_it_is_late(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = waiting(account, by, days=20, key="a")
    client = world.client(world.ann)
    address = url_of(world.acme, "invoice-approve", pk=invoice.pk)
    page = client.post(address, follow=True).content.decode()
    assert "1 was issued so long ago that its due day has passed" in page


def test_customer_sees_the_later_day(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = sent(waiting(account, by, days=30, key="a"), by)
    client = world.client(world.ben)
    address = url_of(world.beta, "own-invoice-detail", pk=invoice.pk)
    page = client.get(address).content.decode()
    assert invoice.due_day is not None
    assert format_day(invoice.due_day) in page.replace("\N{NO-BREAK SPACE}", " ")


# --- While it waits, in the customer's ledger -------------------------------------------


def ledger_of(world: World, *, as_provider: bool) -> str:
    if as_provider:
        client, address = (
            world.client(world.ann),
            account_url(world.acme.pk, "customers:customer-account", pk=world.beta.pk),
        )
    else:
        client, address = (
            world.client(world.ben),
            account_url(world.beta.pk, "billing:account"),
        )
    return str(client.get(address).content.decode())


def ledger_as_csv(world: World) -> str:
    address = account_url(world.beta.pk, "billing:statement")
    days = {"first": str(TODAY - 40 * DAY), "last": str(TODAY)}
    page = world.client(world.ben).get(address, days)
    return b"".join(page.streaming_content).decode()


def customers_pages(world: World) -> tuple[str, ...]:
    return ledger_of(world, as_provider=False), ledger_as_csv(world)


def test_customer_reads_that_its_invoice_is_being_prepared(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = waiting(account, by, days=0, key="a")
    for said in customers_pages(world):
        assert "Invoice in preparation" in said
        assert "Moved to the invoice" not in said
    said = ledger_of(world, as_provider=True)
    assert "Moved to the invoice" in said
    assert "Invoice in preparation" not in said

    sent(invoice, by)

    for said in customers_pages(world):
        assert "Moved to the invoice" in said
        assert "Invoice in preparation" not in said


def test_start_page_of_a_customer_says_so_too(world: World) -> None:
    seller(world.beta, reviews_invoices=True)
    account = account_of(world.gamma)
    waiting(account, world.actor(world.ben), days=0, key="a")
    start = world.client(world.gil).get(account_url(world.gamma.pk, "start"))
    said = start.content.decode()
    assert "Invoice in preparation" in said
    assert "Moved to the invoice" not in said


def test_receivables_age_by_the_later_day(
    world: World, account: BillingAccount, by: Actor
) -> None:
    charge(account, "7.00")
    sent(waiting(account, by, days=30, key="a"), by)
    [row] = receivables_of(world.acme, on=TODAY)
    assert (row.owed, getattr(row, NOT_DUE)) == (17, 17)
    [row] = receivables_of(world.acme, on=TODAY + 15 * DAY)
    assert getattr(row, NOT_DUE) == 0
    assert getattr(row, DAYS_30) == 17
    [each] = statement_of(account, shown_to_customer=False).open
    assert each.late == -14
