"""Invoices that are drawn and mailed: each once, with the file the customer wants."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from billing import jobs as billing_jobs
from billing.choices import FileKind, InvoiceStatus
from billing.documents.pdf import render_pdf
from billing.invoicing.content import thaw
from billing.models import BillingAccount, Invoice, InvoiceFile
from billing.services import invoice_files, invoice_status
from customers import jobs
from customers.models import Customer
from customers.sender_book import SenderBook
from customers.services import invoice_mails
from portal.core import mail
from portal.core.models import OutgoingEmail
from portal.core.periods import ONE_DAY
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceFormat
from tests.invoicing.bills import account_of, charge, filed, issued, seller
from tests.race import race
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # mails of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta, tax_reference="DE129273398")


def drawn(account: BillingAccount) -> Invoice:
    charge(account, "10.00")
    invoice = issued(account)
    billing_jobs.draw_waiting_invoices()
    invoice.refresh_from_db()
    assert invoice.drawn_at is not None
    return invoice


def test_drawn_once_and_the_same_for_everybody(account: BillingAccount) -> None:
    invoice = drawn(account)
    kept = set(InvoiceFile.objects.filter(invoice=invoice).values_list("pk", "kind"))
    billing_jobs.draw_invoice(invoice.pk)
    invoice_files.draw_all(invoice)
    assert {kind for _pk, kind in kept} == set(FileKind)
    rows = InvoiceFile.objects.filter(invoice=invoice)
    assert set(rows.values_list("pk", "kind")) == kept
    xml, pdf = (
        bytes(rows.get(kind=kind).file.data) for kind in (FileKind.CII, FileKind.PDF)
    )
    assert render_pdf(thaw(invoice.content), logo=None, xml=xml) == pdf


def test_pdf_holds_the_electronic_invoice(account: BillingAccount) -> None:
    invoice = drawn(account)
    file = invoice_files.file_of(invoice, FileKind.PDF)
    attached = PdfReader(BytesIO(bytes(file.data))).attachments
    assert attached["factur-x.xml"][0].startswith(b"<?xml")


@pytest.mark.parametrize(
    ("wanted", "content_type", "ending"),
    [
        (InvoiceFormat.PDF, "application/pdf", ".pdf"),
        (InvoiceFormat.XML, "application/xml", ".xml"),
    ],
)
def test_mail_carries_the_file_the_customer_wants(
    account: BillingAccount, wanted: str, content_type: str, ending: str
) -> None:
    account_of(account.customer, invoice_format=wanted)
    invoice = drawn(account)
    jobs.mail_invoices()
    email = OutgoingEmail.objects.get(kind="invoice")
    message = message_from_bytes(mail._message(email).message().as_bytes())
    (part,) = [each for each in message.walk() if each.get_filename()]
    assert email.to == ["billing@beta.test"]
    assert invoice.number in email.subject
    assert f"here is invoice {invoice.number}, attached" in email.text
    assert part.get_filename() == f"{invoice.number}{ending}"
    assert part.get_content_type() == content_type
    kind = invoice_files.SENT[wanted]
    kept = InvoiceFile.objects.get(invoice=invoice, kind=kind).file
    assert part.get_payload(decode=True) == bytes(kept.data)


def test_mailed_once(account: BillingAccount) -> None:
    invoice = drawn(account)
    jobs.mail_invoices()
    jobs.mail_invoice(invoice.pk)
    jobs.mail_invoices()
    assert OutgoingEmail.objects.filter(kind="invoice").count() == 1


@pytest.mark.django_db(transaction=True)
def test_mailed_once_by_two_at_once(world: World) -> None:
    seller(world.acme)
    invoice = drawn(account_of(world.beta))
    found = race(
        lambda: jobs.mail_invoice(invoice.pk), lambda: jobs.mail_invoice(invoice.pk)
    )
    assert found == [None, None]
    assert OutgoingEmail.objects.filter(kind="invoice").count() == 1


@pytest.mark.parametrize(
    "values", [{"send_invoices": False}, {"invoice_format": InvoiceFormat.XML}]
)
def test_none_is_mailed_that_should_not_be(
    world: World, account: BillingAccount, values: dict[str, Any]
) -> None:
    """Sending is off; or it is held back, since an XML without a VAT ID is not valid."""
    account_of(world.beta, **values)
    if "invoice_format" in values:
        seller(world.acme, vat_id="")
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"),))
    issued(account)
    billing_jobs.draw_waiting_invoices()
    jobs.mail_invoices()
    assert not OutgoingEmail.objects.exists()


def test_reviewed_invoices_wait_for_approval(
    world: World, account: BillingAccount
) -> None:
    seller(world.acme, reviews_invoices=True)
    invoice = drawn(account)
    jobs.mail_invoices()
    assert invoice.status == InvoiceStatus.QUEUED
    assert not OutgoingEmail.objects.exists()


def test_seller_gets_a_copy_if_it_wishes(world: World, account: BillingAccount) -> None:
    seller(world.acme, copy_invoices=True)
    drawn(account)
    jobs.mail_invoices()
    assert OutgoingEmail.objects.get().copy_to == ["billing@acme.test"]


def test_plan_says_it_in_its_own_words(world: World, account: BillingAccount) -> None:
    world.acme_plan.customs.create(
        name="invoice_text", value="Hi {customer}: {document} {number}, {settlement}"
    )
    invoice = drawn(account)
    jobs.mail_invoices()
    text = OutgoingEmail.objects.get().text
    assert text.startswith(f"Hi Beta Voice: Invoice {invoice.number}, Please pay")


# --- By themselves only lately --------------------------------------------------------


def test_address_that_is_entered_gets_the_newest_invoices_only(
    world: World, account: BillingAccount
) -> None:
    Customer.objects.filter(pk=world.beta.pk).update(email="")
    old = waiting_invoice(account, 1)
    Invoice.objects.filter(pk=old.pk).update(sent_at=timezone.now() - 15 * ONE_DAY)
    new = waiting_invoice(account, 2)
    jobs.mail_invoices()
    assert not OutgoingEmail.objects.exists()
    Customer.objects.filter(pk=world.beta.pk).update(email="new@beta.test")
    jobs.mail_invoices()
    [email] = OutgoingEmail.objects.filter(kind="invoice")
    assert (email.key, email.to) == (f"invoice:{new.pk}", ["new@beta.test"])
    by = world.actor(world.ann)
    again = invoice_mails.mail_again(invoice=old, by=by)
    assert again.key == f"invoice:{old.pk}"


def test_invoice_that_is_approved_late_is_mailed_when_it_is_sent(
    world: World, account: BillingAccount
) -> None:
    seller(world.acme, reviews_invoices=True)
    by = world.actor(world.ann)
    invoice = waiting_invoice(account, 1)
    assert invoice.sent_at is None
    rows = Invoice.objects.filter(pk=invoice.pk)
    with time_machine.travel(timezone.now() + 20 * ONE_DAY, tick=False):
        invoice_status.approve(rows, by=by)
        jobs.mail_invoices()
        assert not OutgoingEmail.objects.exists()
        invoice_status.send_approved(rows, by=by)
        assert rows.get().sent_at == timezone.now()
        jobs.mail_invoices()
    assert OutgoingEmail.objects.get().key == f"invoice:{invoice.pk}"


def test_days_are_written_as_in_the_document(account: BillingAccount) -> None:
    account_of(account.customer, due_days=14)
    with time_machine.travel("2026-11-22T12:00Z", tick=False):
        waiting_invoice(account, 1)
        jobs.mail_invoices()
    assert "by Dec 6, 2026." in OutgoingEmail.objects.get().text


# --- What it costs --------------------------------------------------------------------


def waiting_invoice(account: BillingAccount, number: int) -> Invoice:
    charge(account, "10.00")
    return filed(issued(account, f"request:{number}"))


def queries_of(run: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        run()
    return len(captured)


def test_mails_of_one_sweep_share_what_their_senders_say(
    account: BillingAccount,
) -> None:
    waiting_invoice(account, 1)
    alone = queries_of(jobs.mail_invoices)
    for number in (2, 3, 4):
        waiting_invoice(account, number)
    each = (queries_of(jobs.mail_invoices) - alone) / 2
    assert Invoice.objects.exclude(mailed_at=None).count() == 4
    assert each <= 10, each


def test_reminders_of_one_sweep_share_what_their_senders_say(
    account: BillingAccount,
) -> None:
    account.plan.reminder_days = "7"
    account.plan.save()
    account_of(account.customer, due_days=0)
    waiting_invoice(account, 1)
    with time_machine.travel(timezone.now() + 9 * ONE_DAY):
        alone = queries_of(jobs.remind_of_invoices)
        for number in (2, 3, 4):
            waiting_invoice(account, number)
    with time_machine.travel(timezone.now() + 20 * ONE_DAY):
        more = queries_of(jobs.remind_of_invoices)
    assert OutgoingEmail.objects.filter(kind="reminder").count() == 4
    each = (more - alone) / 2
    assert each <= 10, each


def test_customers_of_one_provider_are_told_by_their_own_plans(
    world: World, account: BillingAccount
) -> None:
    """What is shared in a sweep is told apart by provider and plan."""
    world.acme_plan.customs.create(name="invoice_subject", value="Acme: {number}")
    other = world.acme_plan.__class__.objects.create(owner=world.acme, name="Other")
    other.customs.create(name="invoice_subject", value="Other: {number}")
    first = waiting_invoice(account, 1)
    account_of(account.customer, plan=other)
    second = waiting_invoice(account, 2)
    book = SenderBook()
    account_of(account.customer, plan=world.acme_plan)
    invoice_mails.mail(first.pk, book)
    account_of(account.customer, plan=other)
    invoice_mails.mail(second.pk, book)
    subjects = OutgoingEmail.objects.order_by("pk").values_list("subject", flat=True)
    assert list(subjects) == [f"Acme: {first.number}", f"Other: {second.number}"]


# --- By hand --------------------------------------------------------------------------


def test_file_is_drawn_before_the_invoice_is_held(
    world: World, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Payments of it must not wait for as long as drawing takes."""
    charge(account, "10.00")
    invoice = issued(account)
    held: list[bool] = []

    def render(content: Any, **how: Any) -> bytes:
        held.append(any("FOR NO KEY UPDATE" in each["sql"] for each in captured))
        return b"%PDF"

    monkeypatch.setattr(invoice_files, "render_pdf", render)
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [])
    with CaptureQueriesContext(connection) as captured:
        email = invoice_mails.mail_again(invoice=invoice, by=world.actor(world.ann))
    assert held == [False]
    assert email.attachments.get().name == f"{invoice.number}.pdf"


def test_who_mails_what_cannot_be_drawn_is_told(
    world: World,
    account: BillingAccount,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    charge(account, "10.00")
    invoice = issued(account)

    def render(content: Any, **how: Any) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(invoice_files, "render_pdf", render)
    monkeypatch.setattr(invoice_files, "findings", lambda document, syntax: [])
    with pytest.raises(ValidationError, match="could not be created"):
        invoice_mails.mail_again(invoice=invoice, by=world.actor(world.ann))
    assert f"invoice {invoice.pk} could not be drawn" in caplog.text
    assert not OutgoingEmail.objects.exists()
