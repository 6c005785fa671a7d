"""Invoices that are drawn and mailed: each once, with the file the customer wants."""

from __future__ import annotations

from email import message_from_bytes
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from billing import jobs as billing_jobs
from billing.choices import FileKind, InvoiceStatus
from billing.documents.pdf import render_pdf
from billing.invoicing.content import thaw
from billing.models import BillingAccount, Invoice, InvoiceFile
from billing.services import invoice_files
from customers import jobs
from portal.core import mail
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceFormat
from tests.invoicing.bills import account_of, charge, issued, seller
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
