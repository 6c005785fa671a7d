"""The page of one invoice: what it tells to whom, its files, what is done to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.choices import FileKind, InvoiceStatus
from billing.choices import InvoiceStatus as S
from billing.invoice_statuses import BY_HAND, SHOWN_TO_CUSTOMERS
from billing.invoicing.crediting import WHOLE
from billing.models import BillingAccount, Invoice, InvoiceFile, LedgerEntry, Payment
from billing.services import credit_notes, invoice_files, payments_by_hand
from portal.core.display import format_day
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceDetail, InvoiceFormat
from tests.customers.features import actions_of
from tests.invoicing.bills import account_of, charge, filed, issued, seller
from tests.invoicing.pages import invoice_of, said_by, set_to, text_of, url_of
from tests.pages import entries_of, errors_of
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture
def ben(world: World) -> Client:
    return world.client(world.ben)


@pytest.fixture
def invoice(world: World) -> Invoice:
    """Of Beta, by Acme, with a tax; it is due."""
    seller(world.acme)
    account_of(world.beta, invoice_detail=InvoiceDetail.ITEMISED)
    return invoice_of(
        world.beta, "100.00", taxes=((world.acme_tax, "19.00"),), text="Router rental"
    )


def pages(world: World, invoice: Invoice) -> tuple[str, str]:
    """Where it is for who issued it, and for whose it is."""
    return (
        url_of(world.acme, "invoice-detail", pk=invoice.pk),
        url_of(world.beta, "own-invoice-detail", pk=invoice.pk),
    )


def act(client: Client, world: World, name: str, invoice: Invoice) -> list[str]:
    """What is said after the button ``name`` of its page was pressed."""
    answer = client.post(url_of(world.acme, name, pk=invoice.pk), follow=True)
    assert answer.status_code == 200
    return said_by(answer)


def test_both_read_what_the_document_says(
    world: World, ann: Client, ben: Client, invoice: Invoice
) -> None:
    issuers, own = pages(world, invoice)
    for page in (ann.get(issuers), ben.get(own)):
        shown = text_of(page)
        for part in (invoice.number, "Router rental", "100.00", "19.00", "€119.00"):
            assert part in shown
        assert "DE02 1203 0000 0000 2020 51" in shown  # where to pay


def tiles_of(page: Any) -> dict[str, tuple[str, str]]:
    return {
        str(tile["label"]): (tile["value"], str(tile.get("detail", "")))
        for tile in page.context["tiles"]
    }


@pytest.mark.parametrize(
    ("status", "days", "said", "kind"),
    [
        (S.DUE, 1, "overdue from", ""),
        (S.DUE, 0, "overdue since", "danger"),
        (S.OVERDUE, 0, "overdue since", "danger"),
        (S.PAYMENT_REFUSED, 1, "overdue from", ""),
        (S.PAYMENT_REFUSED, -20, "overdue since", "danger"),
        (S.QUEUED, -20, "overdue from", ""),  # who gets it later has more time
    ],
)
def test_day_it_is_overdue_from_lies_ahead_or_behind(
    world: World,
    ann: Client,
    invoice: Invoice,
    status: S,
    days: int,
    said: str,
    kind: str,
) -> None:
    set_to(invoice, status)
    first = local_date("Europe/Berlin") + timedelta(days=days)
    due = first - timedelta(days=10)
    with connection.cursor() as cursor:  # the document's days are final
        cursor.execute("SET LOCAL session_replication_role = replica")
        Invoice.objects.filter(pk=invoice.pk).update(due_on=due, overdue_on=first)
    page = ann.get(pages(world, invoice)[0])
    [tile] = (each for each in page.context["tiles"] if each["label"] == "Due")
    assert (tile["value"], tile["kind"]) == (format_day(due), kind)
    assert tile["detail"] == f"{said} {format_day(first)}"


def test_invoice_due_again_tells_the_day_of_its_document_too(
    world: World, ann: Client, invoice: Invoice
) -> None:
    assert invoice.due_on is not None
    assert invoice.overdue_on is not None
    later = invoice.overdue_on + timedelta(days=7)
    Invoice.objects.filter(pk=invoice.pk).update(overdue_from=later)
    value, detail = tiles_of(ann.get(pages(world, invoice)[0]))["Due"]
    assert value == format_day(invoice.due_on + timedelta(days=7))
    assert f"overdue from {format_day(later)}" in detail
    assert f"{format_day(invoice.due_on)} on the document" in detail


@pytest.mark.parametrize("is_reissued", [False, True])
def test_closed_invoice_tells_what_became_of_it(
    world: World, ann: Client, ben: Client, invoice: Invoice, is_reissued: bool
) -> None:
    made = credit_notes.issue(
        invoice=invoice,
        wanted=WHOLE,
        reason="Wrong address",
        token="1",
        by=world.actor(world.ann),
        is_reissued=is_reissued,
    )
    for client, url, place in (
        (ann, pages(world, invoice)[0], "invoice-detail"),
        (ben, pages(world, invoice)[1], "own-invoice-detail"),
    ):
        page = client.get(url)
        assert tiles_of(page)["Credited"] == ("€119.00", made.note.number)
        assert not {"Due", "Open"} & set(tiles_of(page))
        shown = text_of(page)
        assert "DE02 1203" not in shown  # where to pay
        assert "is to be paid on" in shown
        assert ("A new invoice replaces this one" in shown) == is_reissued
        related = [made.note, *([made.replacement] if made.replacement else [])]
        account = world.acme if client is ann else world.beta
        assert [each["url"] for each in page.context["relations"]] == [
            url_of(account, place, pk=each.pk) for each in related
        ]
    events = ann.get(pages(world, invoice)[0]).context["events"]
    links = [(event["title"], event["url"]) for event in events if event.get("url")]
    wanted = [
        (
            f"Credit note issued: {made.note.number}",
            url_of(world.acme, "invoice-detail", pk=made.note.pk),
        )
    ]
    if made.replacement:
        number = made.replacement.number
        page_of_new = url_of(world.acme, "invoice-detail", pk=made.replacement.pk)
        wanted.insert(0, (f"Invoice issued: {number}", page_of_new))
    assert links == wanted


def test_paid_invoice_says_when_and_not_how_to_pay(
    world: World, ann: Client, invoice: Invoice
) -> None:
    payment = payments_by_hand.settle_by_hand(
        invoice=invoice, by=world.actor(world.ann)
    )
    assert payment is not None
    page = ann.get(pages(world, invoice)[0])
    day = format_day(payment.received_on)
    assert tiles_of(page)["Settled"] == ("€119.00", f"on {day}")
    assert not {"Due", "Open"} & set(tiles_of(page))
    assert "DE02 1203" not in text_of(page)
    [paid, _issued] = page.context["events"]
    assert paid["title"] == "Payment recorded: EUR 119.00"
    assert paid["url"] == url_of(world.acme, "payment-detail", pk=payment.pk)
    assert paid["changes"] == []


def test_only_the_issuer_sees_who_did_what(
    world: World, ann: Client, ben: Client, invoice: Invoice
) -> None:
    issuers, own = pages(world, invoice)
    assert "Invoice issued" in text_of(ann.get(issuers))
    page = ben.get(own)
    for name in ("events", "mail", "can_set", "customer_url"):
        assert name not in page.context
    assert "Set status" not in text_of(page)


def test_each_is_led_to_the_entries_where_it_may_read_them(
    world: World, ann: Client, ben: Client, invoice: Invoice
) -> None:
    issuers, own = pages(world, invoice)
    entry = LedgerEntry.objects.filter(invoice=invoice).earliest("pk")
    for client, page, path in (
        (ann, issuers, f"customers/{world.beta.pk}/account/ledger/{entry.pk}/"),
        (ben, own, f"reports/account/entries/{entry.pk}/"),
    ):
        rows = client.get(page).context["entries"]["rows"]
        [url] = [row["url"] for row in rows if path in row["url"]]
        assert client.get(url).status_code == 200


def test_long_invoices_lead_to_the_whole_ledger(world: World, ann: Client) -> None:
    account = BillingAccount.objects.get(customer=world.beta)
    for each in range(12):
        charge(account, "1.00", text=f"Charge {each}")
    invoice = issued(account)
    charge(account, "1.00", text="Later")
    entries = ann.get(pages(world, invoice)[0]).context["entries"]
    assert len(entries["rows"]) == 10
    ledger = text_of(ann.get(entries["all_url"]))
    assert "Charge 0" in ledger
    assert "Later" not in ledger


@pytest.mark.parametrize("status", sorted(set(S) - {S.PENDING}))
def test_customers_open_what_was_sent(
    world: World, ben: Client, invoice: Invoice, status: S
) -> None:
    set_to(invoice, status)
    expected = 200 if status in SHOWN_TO_CUSTOMERS else 404
    assert ben.get(pages(world, invoice)[1]).status_code == expected
    if expected == 404:
        url = url_of(world.beta, "own-invoice-pdf", pk=invoice.pk)
        assert ben.get(url).status_code == 404


def test_nobody_else_finds_it(world: World, invoice: Invoice) -> None:
    eve, gil, ben = (world.client(each) for each in (world.eve, world.gil, world.ben))
    for client, account in ((eve, world.rival), (gil, world.gamma)):
        for name in ("own-invoice-detail", "own-invoice-pdf", "own-invoice-ubl"):
            url = url_of(account, name, pk=invoice.pk)
            assert client.get(url).status_code == 404
    for name in ("invoice-detail", "invoice-pdf", "invoice-status"):
        # Beta is whose it is, not who issued it.
        assert ben.get(url_of(world.beta, name, pk=invoice.pk)).status_code == 404
        assert eve.get(url_of(world.rival, name, pk=invoice.pk)).status_code == 404


def test_page_costs_the_same_with_more_entries(
    world: World, ann: Client, ben: Client
) -> None:
    account = BillingAccount.objects.get(customer=world.beta)
    charge(account, "1.00")
    small = issued(account, "request:small")
    for each in range(25):
        charge(account, "1.00", text=f"Charge {each}")
    large = issued(account, "request:large")
    for client, place in ((ann, 0), (ben, 1)):
        client.get(pages(world, small)[place])  # what is read once is read now
        costs = []
        for invoice in (small, large):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(pages(world, invoice)[place]).status_code == 200
            costs.append(len(captured))
        assert costs[0] == costs[1]
        assert costs[1] <= 30


# --- Files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "begins", "content_type"),
    [
        (FileKind.PDF, b"%PDF-", "application/pdf"),
        (FileKind.UBL, b"<?xml", "application/xml"),
        (FileKind.CII, b"<?xml", "application/xml"),
    ],
)
def test_files_are_made_when_asked_for_and_kept(
    world: World,
    ann: Client,
    ben: Client,
    invoice: Invoice,
    kind: FileKind,
    begins: bytes,
    content_type: str,
) -> None:
    assert not InvoiceFile.objects.exists()
    first = ann.get(url_of(world.acme, f"invoice-{kind}", pk=invoice.pk))
    again = ben.get(url_of(world.beta, f"own-invoice-{kind}", pk=invoice.pk))
    kept = bytes(InvoiceFile.objects.get(invoice=invoice, kind=kind).file.data)
    assert first.content == again.content == kept
    assert kept.startswith(begins)
    assert first["Content-Type"] == content_type
    name = invoice_files.file_name(invoice, kind)
    assert first["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in first["Cache-Control"]


def test_page_says_which_files_are_there(
    world: World, ann: Client, invoice: Invoice
) -> None:
    url = pages(world, invoice)[0]
    assert "being created" in text_of(ann.get(url))
    filed(invoice)
    states = {file["label"]: file["state"] for file in ann.get(url).context["files"]}
    assert states["PDF"].startswith("created 20")
    assert states["XML, UBL 2.1"] == "created when you download it"


def test_xml_that_breaks_the_rules_does_not_leave(world: World, ann: Client) -> None:
    """Its seller has neither VAT ID nor tax number; people can read it all the same."""
    seller(world.acme, vat_id="")
    invoice = invoice_of(world.beta)
    url = url_of(world.acme, "invoice-ubl", pk=invoice.pk)
    page = ann.get(url, follow=True)
    [said] = said_by(page)
    assert said.startswith("This file cannot be made: BR-")
    assert page.redirect_chain[-1][0] == pages(world, invoice)[0]
    assert not InvoiceFile.objects.exists()


# --- Review and status ------------------------------------------------------------------


def test_review_is_done_on_the_page(world: World, ann: Client) -> None:
    seller(world.acme, reviews_invoices=True)
    invoice = invoice_of(world.beta)
    url = pages(world, invoice)[0]
    for name, said, status in (
        ("invoice-approve", "1 invoice approved.", S.APPROVED),
        ("invoice-unapprove", "Approval of 1 invoice withdrawn.", S.QUEUED),
        ("invoice-approve", "1 invoice approved.", S.APPROVED),
        ("invoice-send", "1 invoice is on its way.", S.DUE),
        ("invoice-approve", "None of them is waiting for approval.", S.DUE),
    ):
        assert act(ann, world, name, invoice) == [said]
        invoice.refresh_from_db()
        assert invoice.status == status
    titles = [event["title"] for event in ann.get(url).context["events"]]
    assert titles[0] == f"Invoice sent: {invoice.number}"
    assert len(titles) == 5  # issued, and four things done


@pytest.mark.parametrize("present", sorted(set(S) - {S.PENDING}))
def test_status_page_offers_what_the_table_allows(
    world: World, ann: Client, invoice: Invoice, present: S
) -> None:
    set_to(invoice, present)
    page = ann.get(url_of(world.acme, "invoice-status", pk=invoice.pk))
    offered = {value for value, _label in page.context["form"].fields["status"].choices}
    closed = {S.CANCELLED, S.SUPERSEDED}
    assert offered == {*BY_HAND[present], *(() if present in closed else [S.CANCELLED])}
    assert bool(page.context["refusal"]) is not bool(offered)


def test_status_is_set_by_hand(world: World, ann: Client, invoice: Invoice) -> None:
    url = url_of(world.acme, "invoice-status", pk=invoice.pk)
    page = ann.get(url)
    done = ann.post(url, entries_of(page, status="paid"), follow=True)
    assert said_by(done) == ["The status is “Paid” now."]
    assert "Paid" in text_of(done)
    assert Payment.objects.get().amount == invoice.payable
    page = ann.get(url)
    entries = entries_of(page, status="payment_refused", reason="Returned debit")
    done = ann.post(url, entries, follow=True)
    assert said_by(done) == ["The status is “Payment refused” now."]
    assert Payment.objects.get().reversal_reason == "Returned debit"


def test_cancelling_by_hand_issues_the_whole_credit_note(
    world: World, ann: Client, invoice: Invoice
) -> None:
    url = url_of(world.acme, "invoice-status", pk=invoice.pk)
    page = ann.get(url)
    assert "a credit note gives back all of it" in text_of(page)
    credit = ann.post(url, entries_of(page, status="cancelled"), follow=True)
    credit_url = url_of(world.acme, "invoice-credit", pk=invoice.pk) + "?how=cancel"
    assert credit.redirect_chain[-1][0] == credit_url
    assert said_by(credit) == []
    invoice.refresh_from_db()
    assert invoice.status == S.DUE
    entries = entries_of(credit, reason="Wrong customer")
    shown = ann.post(credit_url, entries)
    assert f"Invoice {invoice.number} is cancelled." in text_of(shown)
    ann.post(credit_url, entries | {"confirmed": "1"})
    invoice.refresh_from_db()
    note = Invoice.objects.get(corrects=invoice)
    assert (invoice.status, note.total) == (S.CANCELLED, invoice.total)


@pytest.mark.parametrize("status", [S.PAID, S.OVERDUE, S.PAYMENT_REFUSED])
def test_cancelled_is_offered_wherever_a_credit_note_is(
    world: World, ann: Client, invoice: Invoice, status: S
) -> None:
    set_to(invoice, status)
    url = url_of(world.acme, "invoice-status", pk=invoice.pk)
    assert "cancelled" in dict(ann.get(url).context["form"].fields["status"].choices)


def test_due_again_asks_from_which_day_it_is_overdue(
    world: World, ann: Client, invoice: Invoice
) -> None:
    set_to(invoice, S.OVERDUE)
    url = url_of(world.acme, "invoice-status", pk=invoice.pk)
    page = ann.get(url)
    assert page.context["form"]["overdue_from"].value() == invoice.overdue_on
    answer = ann.post(url, entries_of(page, status="due", overdue_from=""))
    assert "Say from which day" in errors_of(answer)["overdue_from"][0]
    day = local_date("Europe/Berlin") + timedelta(days=40)
    done = ann.post(url, entries_of(page, status="due", overdue_from=day), follow=True)
    assert said_by(done) == ["The status is “Due” now."]
    invoice.refresh_from_db()
    assert (invoice.status, invoice.overdue_from) == (S.DUE, day)


def test_status_that_somebody_else_changed_meanwhile_is_refused(
    world: World, ann: Client, invoice: Invoice
) -> None:
    url = url_of(world.acme, "invoice-status", pk=invoice.pk)
    entries = entries_of(ann.get(url), status="overdue")
    set_to(invoice, S.CANCELLED)
    errors = errors_of(ann.post(url, entries))
    assert "overdue is not one of the available choices" in errors["status"][0]
    invoice.refresh_from_db()
    assert invoice.status == S.CANCELLED


# --- Held back --------------------------------------------------------------------------


@pytest.fixture
def held_back(world: World) -> Invoice:
    """Wanted as XML, by reverse charge, without the VAT ID that this needs."""
    seller(world.acme)
    account = account_of(
        world.beta, invoice_format=InvoiceFormat.XML, vat_treatment="AE"
    )
    charge(account, "10.00")
    invoice = issued(account)
    assert invoice.status == S.PENDING
    return invoice


def test_held_back_one_leads_to_the_field_that_mends_it(
    world: World, ann: Client, held_back: Invoice
) -> None:
    page = ann.get(pages(world, held_back)[0])
    [gap] = page.context["gaps"]
    edit = f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/edit/"
    assert gap["url"] == f"{edit}#id_tax_reference"
    assert gap["text"] in text_of(page).replace("&#x27;", "'")
    assert ann.get(gap["url"]).status_code == 200
    for kind in FileKind:
        url = url_of(world.acme, f"invoice-{kind}", pk=held_back.pk)
        assert ann.get(url).status_code == 404


def test_held_back_one_is_tried_again(
    world: World, ann: Client, held_back: Invoice
) -> None:
    assert act(ann, world, "invoice-again", held_back) == ["It is still held back."]
    account_of(world.beta, tax_reference="ATU12345675")
    [said] = act(ann, world, "invoice-again", held_back)
    held_back.refresh_from_db()
    assert said == f"Invoice {held_back.number} is issued."
    assert (held_back.status, held_back.gaps) == (S.DUE, [])


def test_held_back_one_that_another_took_up_is_gone(
    world: World, ann: Client, held_back: Invoice
) -> None:
    account = account_of(world.beta, tax_reference="ATU12345675")
    issued(account, "request:other")
    assert not Invoice.objects.filter(pk=held_back.pk).exists()
    assert actions_of(held_back) == ["invoice.discarded"]


def test_held_back_one_that_nothing_is_left_for_is_gone(
    world: World, ann: Client, held_back: Invoice
) -> None:
    charge(held_back.account, "-20.00")
    [said] = act(ann, world, "invoice-again", held_back)
    assert said.startswith("There is nothing left to invoice here")
    assert not Invoice.objects.filter(pk=held_back.pk).exists()


def test_held_back_one_shows_its_lines(
    world: World, ann: Client, held_back: Invoice
) -> None:
    said = ann.get(pages(world, held_back)[0]).context["said"]
    assert [section["net"] for section in said["sections"]] == ["10.00"]
    assert said["pay"] == []


def test_held_back_ones_are_tried_again_by_who_issues_them(
    world: World, held_back: Invoice
) -> None:
    account_of(world.beta, tax_reference="ATU12345675")
    eve = world.client(world.eve)
    url = url_of(world.rival, "invoice-again", pk=held_back.pk)
    assert eve.post(url).status_code == 404
    held_back.refresh_from_db()
    assert held_back.status == S.PENDING


# --- Mail -------------------------------------------------------------------------------


def test_invoice_is_mailed_when_asked_for(
    world: World, ann: Client, invoice: Invoice
) -> None:
    assert act(ann, world, "invoice-mail", invoice) == [
        "It is on its way to billing@beta.test."
    ]
    email = OutgoingEmail.objects.get()
    assert [each.name for each in email.attachments.all()] == [f"{invoice.number}.pdf"]
    assert f"/a/{world.beta.pk}/reports/invoices/{invoice.pk}/" in email.text
    invoice.refresh_from_db()
    assert invoice.mailed_at is not None


def test_second_click_mails_nothing_while_the_first_is_on_its_way(
    world: World, ann: Client, invoice: Invoice
) -> None:
    act(ann, world, "invoice-mail", invoice)
    OutgoingEmail.objects.update(status=EmailStatus.QUEUED)
    assert act(ann, world, "invoice-mail", invoice) == ["A mail with it is on its way."]
    OutgoingEmail.objects.update(status=EmailStatus.SENT, sent_at=timezone.now())
    act(ann, world, "invoice-mail", invoice)
    assert OutgoingEmail.objects.count() == 2


@pytest.mark.parametrize(
    ("status", "address", "refusal"),
    [
        (S.QUEUED, "billing@beta.test", "It is not sent yet."),
        (S.DUE, "", "The customer has no e-mail address for invoices."),
    ],
)
def test_mail_that_cannot_be_is_refused(
    world: World,
    ann: Client,
    invoice: Invoice,
    status: InvoiceStatus,
    address: str,
    refusal: str,
) -> None:
    set_to(invoice, status)
    world.beta.email = address
    world.beta.save(update_fields=["email"])
    assert act(ann, world, "invoice-mail", invoice) == [refusal]
    assert not OutgoingEmail.objects.exists()


def test_page_says_how_far_the_mail_came(
    world: World, ann: Client, invoice: Invoice
) -> None:
    def mail() -> Any:
        return ann.get(pages(world, invoice)[0]).context["mail"]

    assert mail()["text"] == "Will be e-mailed in a moment"
    Invoice.objects.filter(pk=invoice.pk).update(is_sent_to_customer=False)
    wanted = "Not e-mailed: this customer does not get invoices by e-mail"
    assert mail()["text"] == wanted
    act(ann, world, "invoice-mail", invoice)
    assert mail()["text"].startswith("E-mailed 20")
    set_to(invoice, S.QUEUED)
    assert mail() is None
