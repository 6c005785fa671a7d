"""What was never sent: its customer sees neither it nor what corrects it, anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from billing.choices import InvoiceStatus as S
from billing.invoice_selectors import received_by
from billing.invoicing.crediting import WHOLE, Wanted
from billing.models import BillingAccount, Invoice
from billing.receivables import statement_of
from billing.services import invoice_status
from billing.services.checking import check_ledger
from billing.services.credit_notes import Issued
from customers.services import invoice_mails
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, seller
from tests.invoicing.pages import text_of, url_of
from tests.invoicing.test_credit_notes import bill, credit, vat_19
from tests.invoicing.test_payments import balance_of
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme, reviews_invoices=True)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def seen(world: World) -> set[str]:
    """The numbers that a person of the customer has in the list, each page opened."""
    ben = world.client(world.ben)
    rows = Invoice.objects.exclude(number="")
    for row in rows:
        for name in ("own-invoice-detail", "own-invoice-pdf", "own-invoice-ubl"):
            answer = ben.get(url_of(world.beta, name, pk=row.pk))
            assert (answer.status_code != 404) is row.is_sent, (row.number, name)
    listed = text_of(ben.get(url_of(world.beta, "own-invoice-list")))
    assert set(received_by(world.beta)) == {row for row in rows if row.is_sent}
    return {row.number for row in rows if row.number in listed}


def approve_and_send(*invoices: Invoice, by: Actor) -> int:
    rows = Invoice.objects.filter(pk__in=[each.pk for each in invoices])
    invoice_status.approve(rows, by=by)
    return invoice_status.send_approved(rows, by=by)


def of(made: Issued) -> Invoice:
    made.note.refresh_from_db()
    return made.note


@pytest.mark.parametrize("present", [S.QUEUED, S.APPROVED])
@pytest.mark.parametrize("bill_type", [BillType.POSTPAID, BillType.PREPAID_INVOICES])
def test_cancelled_before_it_was_sent_stays_unseen_with_its_credit_note(
    world: World, by: Actor, present: S, bill_type: BillType
) -> None:
    seller(world.acme, reviews_invoices=True)
    account = account_of(world.beta, bill_type)
    invoice = bill(world, account)
    if present == S.APPROVED:
        invoice_status.approve(Invoice.objects.all(), by=by)
    note = of(credit(invoice, by))
    assert (invoice.status, invoice.sent_at, note.sent_at) == (S.CANCELLED, None, None)
    assert note.status not in {S.QUEUED, S.APPROVED}  # nobody is to send it
    assert balance_of(account) == 0
    assert approve_and_send(invoice, note, by=by) == 0
    assert seen(world) == set()
    for each in (invoice, note):
        with pytest.raises(ValidationError, match="not sent"):
            invoice_mails.mail_again(invoice=each, by=by)
    assert check_ledger().faults == 0


def test_ledger_of_the_customer_names_neither(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    note = of(credit(invoice, by))
    ledger = world.client(world.ben).get(url_of(world.beta, "account"))
    entries = list(account.entries.values_list("description", "reference"))
    assert not [
        text
        for words in entries
        for text in words
        if invoice.number in text or note.number in text
    ]
    assert "Given back before it was invoiced" in text_of(ledger)


def test_reissued_before_it_was_sent_only_the_new_one_is_seen(
    world: World, account: BillingAccount, by: Actor
) -> None:
    made = credit(bill(world, account), by, is_reissued=True)
    new = made.replacement
    assert new is not None
    assert of(made).sent_at is None
    assert seen(world) == set()
    assert approve_and_send(new, by=by) == 1
    assert seen(world) == {new.number}
    page = world.client(world.ben).get(
        url_of(world.beta, "own-invoice-detail", pk=new.pk)
    )
    assert page.context["relations"] == []


def test_sent_ones_stay_seen_when_they_are_cancelled(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    approve_and_send(invoice, by=by)
    invoice.refresh_from_db()
    note = of(credit(invoice, by))
    assert seen(world) == {invoice.number}  # the note waits for approval
    page = world.client(world.ben).get(
        url_of(world.beta, "own-invoice-detail", pk=invoice.pk)
    )
    assert note.number not in text_of(page)
    approve_and_send(note, by=by)
    assert seen(world) == {invoice.number, note.number}


@pytest.mark.parametrize("is_reviewed", [True, False])
def test_part_of_what_was_not_sent_goes_with_it_or_after_it(
    world: World, account: BillingAccount, by: Actor, is_reviewed: bool
) -> None:
    invoice = bill(world, account)
    seller(world.acme, reviews_invoices=is_reviewed)
    note = of(credit(invoice, by, vat_19("10")))
    assert (note.status, note.sent_at) == (S.QUEUED, None)
    assert approve_and_send(note, by=by) == 0
    assert seen(world) == set()
    assert approve_and_send(invoice, note, by=by) == 2
    assert seen(world) == {invoice.number, note.number}


@pytest.mark.parametrize("rest", [WHOLE, vat_19("90")])
def test_parts_are_never_sent_once_all_of_it_is_credited(
    world: World, account: BillingAccount, by: Actor, rest: Wanted
) -> None:
    invoice = bill(world, account)
    first = of(credit(invoice, by, vat_19("10")))
    last = of(credit(invoice, by, rest))
    first.refresh_from_db()
    assert invoice.status == S.CANCELLED
    assert {first.status, last.status} == {S.PAID}
    assert {first.sent_at, last.sent_at} == {None}
    assert seen(world) == set()


def test_statement_of_the_customer_has_what_was_sent(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    told: Any = statement_of(account, shown_to_customer=True)
    assert told.open == ()
    approve_and_send(invoice, by=by)
    told = statement_of(account, shown_to_customer=True)
    assert [each.invoice for each in told.open] == [invoice]
