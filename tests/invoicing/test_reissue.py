"""An invoice that is credited and issued again: what the new one says and asks for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from billing.choices import FileKind, InvoiceStatus
from billing.einvoice.cii import cii
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import thaw
from billing.invoicing.crediting import WHOLE
from billing.models import BillingAccount, Invoice
from billing.services import credit_notes, invoice_files, payments
from billing.services.checking import check_ledger
from billing.services.corrections import deducted
from customers import emails_of_invoices
from customers.sender_book import SenderBook
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, InvoiceFormat
from tests.invoicing.bills import account_of, charge, filed, issued, seller
from tests.invoicing.test_payments import balance_of, pay
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def again(invoice: Invoice, by: Actor, token: str = "again") -> tuple[Invoice, Invoice]:
    """The credit note, and the invoice in place of the credited one."""
    made = credit_notes.issue(
        invoice=invoice,
        wanted=WHOLE,
        reason="Wrong address",
        token=token,
        by=by,
        is_reissued=True,
    )
    assert made.replacement is not None
    return made.note, made.replacement


@pytest.mark.parametrize("paid", ["0", "5", "40"])
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
@pytest.mark.parametrize("wanted", list(InvoiceFormat))
def test_one_issued_again_is_valid_however_much_was_paid(
    world: World,
    account: BillingAccount,
    by: Actor,
    currency: str,
    paid: str,
    wanted: InvoiceFormat,
) -> None:
    account_of(world.beta, currency=currency, invoice_format=wanted)
    charge(account, "40.00")
    invoice = issued(account)
    if Decimal(paid):
        pay(account, paid, by, invoice=invoice)

    _note, new = again(invoice, by)
    content = thaw(new.content)

    left = 40 - Decimal(paid)
    totals = content.document.totals
    assert (totals.prepaid, totals.payable) == (Decimal(paid), left)
    assert content.total_due == left
    assert findings(ubl(content.document), Syntax.UBL) == []
    assert findings(cii(content.document), Syntax.CII) == []
    new.refresh_from_db()
    assert (new.payable, new.settled, new.open) == (40, Decimal(paid), left)
    assert check_ledger().faults == 0


def test_pdf_of_one_issued_again_has_its_xml_inside(
    account: BillingAccount, by: Actor
) -> None:
    charge(account, "14.32")
    _note, new = again(issued(account), by)

    file = invoice_files.file_of(new, FileKind.PDF)

    assert list(PdfReader(BytesIO(bytes(file.data))).attachments) == ["factur-x.xml"]


def test_what_moves_over_from_a_paid_one_is_deducted_and_not_asked_for(
    account: BillingAccount, by: Actor
) -> None:
    charge(account, "14.32")
    invoice = issued(account)
    payment = pay(account, "14.32", by, invoice=invoice)

    _note, new = again(invoice, by)
    content = thaw(new.content)

    [paid] = content.deductions or ()
    assert (paid.text, paid.amount) == ("Paid already", Decimal("14.32"))
    assert paid.day == payment.received_on
    assert (content.total_due, content.qr, content.document.payment) == (0, "", None)
    new.refresh_from_db()
    assert new.status == InvoiceStatus.PAID


def test_payment_that_is_taken_back_later_is_due_on_the_new_one(
    account: BillingAccount, by: Actor
) -> None:
    charge(account, "14.32")
    invoice = issued(account)
    payment = pay(account, "14.32", by, invoice=invoice)
    _note, new = again(invoice, by)

    payments.reverse_payment(
        payment=payment, reason="Returned", is_refused=False, by=by
    )

    new.refresh_from_db()
    assert (new.status, new.open) == (InvoiceStatus.DUE, Decimal("14.32"))
    assert new.due_on is not None
    assert new.overdue_on == invoice.overdue_on
    assert balance_of(account) == 0


def test_items_of_the_first_one_are_told_again(
    account: BillingAccount, by: Actor
) -> None:
    pay(account, "5", by)
    charge(account, "14.32")
    invoice = issued(account)
    pay(account, "2", by, invoice=invoice)

    _note, new = again(invoice, by)
    content = thaw(new.content)

    first = thaw(invoice.content).deductions or ()
    assert [each.amount for each in first] == [5]
    assert [each.text for each in content.deductions or ()] == [
        first[0].text,
        "Paid already",
    ]
    assert content.carried_over == 7
    assert content.total_due == Decimal("7.32")


def test_one_that_was_issued_again_is_issued_once_more(
    account: BillingAccount, by: Actor
) -> None:
    pay(account, "5", by)
    charge(account, "14.32")
    invoice = issued(account)
    pay(account, "2", by, invoice=invoice)
    _note, second = again(invoice, by)
    second.refresh_from_db()

    _note, third = again(second, by, "once more")

    assert thaw(third.content).deductions == thaw(second.content).deductions
    third.refresh_from_db()
    assert (third.settled, third.open) == (2, Decimal("7.32"))


def test_older_document_tells_its_deduction_in_one_sum(
    account: BillingAccount, by: Actor
) -> None:
    pay(account, "5", by)
    charge(account, "14.32")
    older = replace(thaw(issued(account).content), deductions=None)

    [told] = deducted(older)

    assert (told.text, told.amount) == ("Payments and earlier balance", 5)


@pytest.mark.parametrize(
    ("paid", "said"),
    [
        ("0", "A new invoice replaces invoice {}."),
        (
            "14.32",
            "A new invoice replaces invoice {};"
            " what has been paid counts for the new one.",
        ),
    ],
)
def test_mail_of_the_credit_note_says_where_the_money_went(
    world: World, account: BillingAccount, by: Actor, paid: str, said: str
) -> None:
    charge(account, "14.32")
    invoice = issued(account)
    if Decimal(paid):
        pay(account, paid, by, invoice=invoice)
    note, _new = again(invoice, by)

    mail = emails_of_invoices.send_invoice(filed(note), SenderBook())

    text = " ".join(mail.text.split())
    assert said.format(invoice.number) in text
    assert "credited to you" not in text


def test_calls_only_one_is_issued_again(world: World, by: Actor) -> None:
    seller(world.acme)
    account = account_of(world.beta, BillType.PREPAID_CALLS)
    charge(account, "10.00")
    invoice = issued(account)
    pay(account, "4", by, invoice=invoice)

    _note, new = again(invoice, by)

    assert thaw(new.content).total_due == 6
    new.refresh_from_db()
    assert new.open == 6
