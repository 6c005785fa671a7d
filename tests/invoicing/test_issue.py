"""Issuing invoices: numbers, what is frozen, and what moves in the ledger."""

from __future__ import annotations

import os
import signal
import time
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from billing.choices import EntryKind, InvoiceOccasion, InvoiceStatus, InvoiceType
from billing.einvoice import rules
from billing.einvoice.cii import cii
from billing.einvoice.record import VatCategory
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import thaw
from billing.models import BillingAccount, Invoice, LedgerEntry, SeriesCount, Tax
from billing.party_choices import VatTreatment
from billing.services import invoice_checks, invoice_drafts, invoices
from billing.services.invoice_periods import issue_ended
from billing.services.invoice_series import next_number, series_of
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.periods import start_of_day
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, InvoiceFormat
from rateplans.selectors import PlanBook
from tests.books import give
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.race import race
from tests.world import World

ZONE = "Europe/Berlin"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # invoices of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


def test_invoice_moves_the_debt_of_post_paid_off_the_balance(
    world: World, account: BillingAccount
) -> None:
    charge(account, "100.00", taxes=((world.acme_tax, "19.00"),))
    invoice = issued(account)
    account.refresh_from_db()
    assert (account.balance, invoice.payable) == (0, Decimal("119.00"))
    assert invoice.status == InvoiceStatus.DUE
    moved = LedgerEntry.objects.get(account=account, kind=EntryKind.INVOICE)
    assert (moved.amount, moved.invoice) == (Decimal("119.00"), invoice)


def test_entries_are_invoiced_once(world: World, account: BillingAccount) -> None:
    charge(account, "10.00")
    first = issued(account)
    charge(account, "5.00")
    second = issued(account, "request:2")
    assert (first.total, second.total) == (Decimal(10), Decimal(5))
    assert not LedgerEntry.objects.filter(account=account, invoice=None).exists()


def test_same_occasion_gives_the_same_invoice(account: BillingAccount) -> None:
    charge(account, "10.00")
    first = issued(account)
    charge(account, "10.00")
    assert issued(account) == first
    assert Invoice.objects.count() == 1


def test_preview_says_what_the_invoice_will_and_writes_nothing(
    account: BillingAccount,
) -> None:
    charge(account, "10.00")
    shown = invoice_drafts.preview(account).content
    assert not Invoice.objects.exists()
    assert not SeriesCount.objects.exists()
    kept = issued(account)
    assert shown.document.totals.gross == kept.total
    assert shown.sections == thaw(kept.content).sections


def test_nothing_to_invoice_makes_no_invoice(account: BillingAccount) -> None:
    give(account.customer, 20)
    invoice = invoices.issue(
        account.pk,
        occasion=InvoiceOccasion.REQUEST,
        key="request:1",
        by=system_actor(account.provider),
    )
    assert invoice is None
    assert not SeriesCount.objects.exists()


def test_more_given_back_than_charged_waits_for_the_next(
    account: BillingAccount,
) -> None:
    charge(account, "-10.00", kind=EntryKind.REFUND)
    by = system_actor(account.provider)
    occasion = InvoiceOccasion.REQUEST
    assert invoices.issue(account.pk, occasion=occasion, key="a", by=by) is None
    charge(account, "25.00")
    assert issued(account).total == Decimal(15)


@pytest.mark.parametrize(
    ("bill_type", "payable", "balance", "status", "due_shown", "balance_shown"),
    [
        (BillType.PREPAID, "0", "-11.90", "prepaid", False, True),
        (BillType.PREPAID_INVOICES, "0", "-11.90", "prepaid", False, True),
        (BillType.PREPAID_CALLS, "11.90", "0", "due", True, True),
        (BillType.POSTPAID, "11.90", "0", "due", True, False),
    ],
)
def test_billing_types_settle_as_their_table_says(
    world: World,
    bill_type: BillType,
    payable: str,
    balance: str,
    status: str,
    due_shown: bool,
    balance_shown: bool,
) -> None:
    account = account_of(world.beta, bill_type)
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"),))
    invoice = issued(account)
    account.refresh_from_db()
    content = thaw(invoice.content)
    assert invoice.payable == Decimal(payable)
    assert account.balance == Decimal(balance)
    assert invoice.status == status
    assert (content.total_due is not None) is due_shown
    assert (content.balance is not None) is balance_shown


@pytest.mark.parametrize("bill_type", [BillType.EXTERNAL, BillType.NONE])
def test_types_without_invoices_refuse(world: World, bill_type: BillType) -> None:
    account = account_of(world.beta, bill_type)
    with pytest.raises(ValidationError, match="no invoices"):
        invoice_drafts.preview(account)


def test_payments_of_the_period_lower_what_is_due(account: BillingAccount) -> None:
    give(account.customer, 30)
    charge(account, "100.00")
    invoice = issued(account)
    content = thaw(invoice.content)
    assert (invoice.total, invoice.payable) == (Decimal(100), Decimal(70))
    assert content.document.totals.prepaid == 30
    assert content.payments == ()
    assert [each.amount for each in content.deductions or ()] == [30]


def test_credit_beyond_the_total_stays_on_the_balance(account: BillingAccount) -> None:
    give(account.customer, 30)
    charge(account, "10.00")
    invoice = issued(account)
    account.refresh_from_db()
    assert (invoice.payable, account.balance) == (0, 20)
    assert invoice.status == InvoiceStatus.PAID


def test_debt_of_before_is_carried_to_the_invoice(account: BillingAccount) -> None:
    charge(account, "7.00", kind=EntryKind.OPENING)
    charge(account, "10.00")
    invoice = issued(account)
    account.refresh_from_db()
    assert (invoice.total, invoice.payable, account.balance) == (10, 17, 0)


# --- Rounding and taxes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("rounding", "total", "residues"),
    [("per_total", "12.14", [Decimal("-0.04")]), ("per_line", "12.10", [])],
)
def test_tax_is_rounded_as_the_seller_wishes(
    world: World,
    account: BillingAccount,
    rounding: str,
    total: str,
    residues: list[Decimal],
) -> None:
    """19 % of 1.02 is 0.19, ten times 1.90; of 10.20 it is 1.94."""
    seller(world.acme, tax_rounding=rounding)
    for _line in range(10):
        charge(account, "1.02", taxes=((world.acme_tax, "0.19"),))
    invoice = issued(account)
    entries = LedgerEntry.objects.filter(account=account, kind=EntryKind.ROUNDING)
    account.refresh_from_db()
    assert invoice.total == Decimal(total)
    assert [entry.amount for entry in entries] == residues
    assert account.balance == 0


def test_calls_finer_than_money_are_rounded_once(account: BillingAccount) -> None:
    for _call in range(3):
        charge(account, "0.014", kind=EntryKind.CALL)
    invoice = issued(account)
    account.refresh_from_db()
    assert (invoice.total, account.balance) == (Decimal("0.04"), 0)


def test_levy_stands_beside_vat_as_a_charge(
    world: World, account: BillingAccount
) -> None:
    levy = Tax.objects.create(
        owner=world.acme, name="Emergency levy", amount=Decimal("0.50"), is_vat=False
    )
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"), (levy, "0.50")))
    invoice = issued(account)
    document = thaw(invoice.content).document
    assert [(each.reason, each.amount) for each in document.charges] == [
        ("Emergency levy", Decimal("0.50"))
    ]
    assert document.totals.vat == Decimal("1.90")
    assert invoice.total == Decimal("12.40")
    assert findings(ubl(document), Syntax.UBL) == []
    assert findings(cii(document), Syntax.CII) == []


@pytest.mark.parametrize("is_vat", [True, False])
def test_tax_that_is_edited_changes_nothing_of_what_was_booked(
    world: World, account: BillingAccount, is_vat: bool
) -> None:
    tax = Tax.objects.create(
        owner=world.acme, name="Tax", rate=Decimal(10), is_vat=is_vat
    )
    charge(account, "10.00", taxes=((tax, "1.00"),))
    Tax.objects.filter(pk=tax.pk).update(name="Another", rate=20, is_vat=not is_vat)
    [told] = thaw(issued(account).content).taxes
    assert told.name == ("Tax 10 %" if is_vat else "Tax")
    assert (told.rate, told.amount) == (10 if is_vat else 0, 1)


def test_levy_that_is_given_back_is_a_line(
    world: World, account: BillingAccount
) -> None:
    """What is printed adds up, and a document has no negative charge."""
    levy = Tax.objects.create(
        owner=world.acme, name="Emergency levy", amount=Decimal("0.50"), is_vat=False
    )
    charge(account, "10.00")
    charge(account, "-4.00", kind=EntryKind.REFUND, taxes=((levy, "0.50"),))
    content = thaw(issued(account).content)
    document = content.document
    assert document.charges == ()
    assert document.totals.gross == Decimal("5.50")
    assert sum(section.net for section in content.sections) == document.totals.net
    assert findings(ubl(document), Syntax.UBL) == []


def test_seller_outside_vat_has_taxes_as_charges(
    world: World, account: BillingAccount
) -> None:
    seller(world.acme, vat_id="", untaxed_category="O", register_number="0912")
    tax = Tax.objects.create(
        owner=world.acme, name="NY sales tax", rate=Decimal("8.875"), is_vat=False
    )
    charge(account, "10.00", taxes=((tax, "0.89"),))
    document = thaw(issued(account).content).document
    assert {line.category for line in document.lines} == {VatCategory.OUTSIDE}
    assert document.totals.gross == Decimal("10.89")
    assert findings(ubl(document), Syntax.UBL) == []
    assert findings(cii(document), Syntax.CII) == []


@pytest.mark.parametrize("treatment", VatTreatment)
def test_seller_outside_vat_issues_whatever_buyers_are_treated_as(
    world: World, treatment: str
) -> None:
    seller(world.acme, vat_id="", untaxed_category="O", register_number="0912")
    account = account_of(
        world.beta,
        vat_treatment=treatment,
        vat_reason="§ 4 UStG" if treatment == "E" else "",
        invoice_format=InvoiceFormat.XML,
    )
    charge(account, "10.00")
    invoice = issued(account)
    assert invoice.gaps == []
    document = thaw(invoice.content).document
    assert (document.seller.vat_id, document.buyer.vat_id) == ("", "")
    assert findings(ubl(document), Syntax.UBL) == []


@pytest.mark.parametrize("treatment", ["Z", "E", "AE", "K", "G", "O"])
def test_every_treatment_of_the_buyer_keeps_the_rules(
    world: World, account: BillingAccount, treatment: str
) -> None:
    account_of(
        world.beta,
        vat_treatment=treatment,
        vat_reason="§ 4 UStG" if treatment == "E" else "",
        tax_reference="ATU12345675",
    )
    if treatment == "O":
        seller(world.acme, vat_id="", register_number="HRB 1")
    charge(account, "10.00")
    document = thaw(issued(account).content).document
    assert [part.category for part in document.vat] == [treatment]
    assert findings(ubl(document), Syntax.UBL) == []
    assert findings(cii(document), Syntax.CII) == []


def test_what_is_given_back_without_tax_stands_beside_what_is_taxed(
    world: World, account: BillingAccount
) -> None:
    charge(account, "100", taxes=((world.acme_tax, "19"),))
    charge(account, "-10", kind=EntryKind.REFUND)
    document = thaw(issued(account).content).document
    assert findings(ubl(document), Syntax.UBL) == []
    assert findings(cii(document), Syntax.CII) == []


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_currencies_of_other_minor_units(
    world: World, account: BillingAccount, currency: str
) -> None:
    account_of(world.beta, currency=currency)
    charge(account, "100.6", kind=EntryKind.CALL)
    invoice = issued(account)
    assert invoice.total == (Decimal(101) if currency == "JPY" else Decimal("100.6"))


# --- Detail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "lines", "rows"),
    [
        ("total", 1, [0]),
        ("summary", 2, [0, 0]),
        ("destination", 3, [2, 1]),
        ("itemised", 4, [3, 1]),
    ],
)
def test_detail_groups_lines(
    account: BillingAccount, detail: str, lines: int, rows: list[int]
) -> None:
    account_of(account.customer, invoice_detail=detail)
    for feature in ("line", "line", "number"):
        charge(account, "5.00", kind=EntryKind.RECURRING, feature=feature)
    charge(account, "3.00", text="Router")
    content = thaw(issued(account).content)
    assert len(content.document.lines) == lines
    assert [len(section.rows) for section in content.sections] == rows
    assert content.document.totals.lines == Decimal(18)


# --- Numbers --------------------------------------------------------------------------


def test_numbers_follow_the_sellers_series(
    world: World, account: BillingAccount
) -> None:
    series = series_of(world.acme, InvoiceType.INVOICE)
    series.prefix, series.width = "AC-", 3
    series.save()
    charge(account, "1.00")
    invoice = issued(account)
    year = invoice.issued_on.year
    assert (invoice.number, invoice.customer_number) == (f"AC-{year}-001", 1)


def test_counting_begins_again_each_year(world: World) -> None:
    taken = [
        next_number(world.acme, InvoiceType.INVOICE, year)
        for year in (2026, 2026, 2027, 2026)
    ]
    assert taken == ["2026-00001", "2026-00002", "2027-00001", "2026-00003"]


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_and_some_failing_leave_no_gap(world: World) -> None:
    def take(place: int) -> str:
        with scopes_disabled(), transaction.atomic():
            number = next_number(world.acme, InvoiceType.INVOICE, 2026)
            if place % 3 == 0:
                raise RuntimeError("fails after its number was taken")
            return number

    found = race(*[lambda place=place: take(place) for place in range(8)])
    taken = sorted(each for each in found if isinstance(each, str))
    assert taken == [f"2026-{count:05}" for count in range(1, 6)]


@pytest.mark.django_db(transaction=True)
def test_one_occasion_issued_by_two_at_once(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    charge(account, "10.00")
    first, second = race(lambda: issued(account), lambda: issued(account))
    assert first == second
    assert SeriesCount.objects.get().last == 1


# --- Frozen ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_invoice SET total = total + 1",
        "UPDATE billing_invoice SET number = 'X'",
        "UPDATE billing_invoice SET content = '{}'",
        "UPDATE billing_invoice SET due_on = due_on + 1",
        "DELETE FROM billing_invoice",
        "UPDATE billing_ledgerentry SET invoice_id = NULL",
        "UPDATE billing_ledgerentry SET invoice_id = 1, amount = 5",
        "UPDATE billing_ledgerentry SET description = 'Other'",
    ],
)
def test_database_refuses_to_change_what_was_issued(
    account: BillingAccount, change: str
) -> None:
    charge(account, "10.00")
    issued(account)
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.cursor().execute(change)


def test_status_of_an_issued_invoice_may_change(account: BillingAccount) -> None:
    charge(account, "10.00")
    invoice = issued(account)
    invoice.status = InvoiceStatus.OVERDUE
    invoice.save(update_fields=["status"])
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.OVERDUE


def test_later_edits_change_nothing_that_was_issued(
    world: World, account: BillingAccount
) -> None:
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"),))
    before = thaw(issued(account).content)
    account_of(world.beta, tax_reference="ATU12345675", legal_name="Other Ltd")
    seller(world.acme, legal_name="New name AG")
    Customer.objects.filter(pk=world.beta.pk).update(address1="Elsewhere 1")
    assert thaw(Invoice.objects.get().content) == before


# --- Held back ------------------------------------------------------------------------


def test_xml_that_breaks_the_rules_is_held_back_and_tried_again(
    world: World, account: BillingAccount
) -> None:
    account_of(world.beta, invoice_format=InvoiceFormat.XML)
    seller(world.acme, vat_id="")
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"),))
    held = issued(account)
    account.refresh_from_db()
    assert (held.status, held.number) == (InvoiceStatus.PENDING, "")
    assert [(gap["side"], gap["field"]) for gap in held.gaps] == [("seller", "vat_id")]
    assert account.balance == Decimal("-11.90")
    assert not SeriesCount.objects.exists()
    seller(world.acme)
    mended = issued(account)
    assert (mended.pk, mended.status, mended.gaps) == (held.pk, InvoiceStatus.DUE, [])


def test_rules_that_do_not_answer_in_time_hold_back(
    account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is locked meanwhile: payments and calls must not wait for a minute."""
    account_of(account.customer, invoice_format=InvoiceFormat.XML)
    charge(account, "10.00")
    monkeypatch.setattr(invoice_checks, "SECONDS", 0.2)
    judge = rules._judges._running()
    os.kill(judge.pid, signal.SIGSTOP)
    begun = time.monotonic()
    held = issued(account)
    assert time.monotonic() - begun < rules.SECONDS / 2
    assert held.status == InvoiceStatus.PENDING
    [gap] = held.gaps
    assert "could not be asked" in gap["text"]
    monkeypatch.undo()
    assert issued(account).is_issued


def test_rules_that_others_are_asking_hold_back(
    account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_of(account.customer, invoice_format=InvoiceFormat.XML)
    charge(account, "10.00")
    monkeypatch.setattr(invoice_checks, "SECONDS", 0.2)
    with rules._judges._lock:
        [gap] = issued(account).gaps
    assert "could not be asked" in gap["text"]


def test_held_back_invoice_says_nothing_yet(
    world: World, account: BillingAccount
) -> None:
    account_of(world.beta, invoice_format=InvoiceFormat.XML)
    seller(world.acme, vat_id="")
    charge(account, "10.00")
    held = Invoice.objects.filter(pk=issued(account).pk)
    refused = pytest.raises(IntegrityError, match="invoice_is_pending_or_issued")
    with refused, transaction.atomic():
        held.update(content={"document": {}})
    assert held.get().content is None


# --- Top-ups --------------------------------------------------------------------------


def test_top_up_of_a_pre_paid_account_has_its_own_invoice(world: World) -> None:
    account = account_of(world.beta, BillType.PREPAID)
    entry = charge(account, "-50.00", kind=EntryKind.TOPUP, text="Top-up by card")
    by = system_actor(world.acme)
    invoice = invoices.issue_topup(entry, by=by)
    assert invoice is not None
    assert (invoice.total, invoice.payable) == (Decimal(50), 0)
    assert invoice.status == InvoiceStatus.PREPAID
    assert invoices.issue_topup(entry, by=by) == invoice
    document = thaw(invoice.content).document
    assert document.totals.vat == 0


def test_other_types_have_no_invoice_of_a_top_up(world: World) -> None:
    account = account_of(world.beta, BillType.PREPAID_INVOICES)
    entry = charge(account, "-50.00", kind=EntryKind.TOPUP)
    assert invoices.issue_topup(entry, by=system_actor(world.acme)) is None


# --- By period ------------------------------------------------------------------------


def test_each_period_has_its_invoice_however_late(
    world: World, account: BillingAccount
) -> None:
    """Fees of a period are dated at its beginning, and stand on the invoice up to then."""
    account = account_of(
        world.beta, invoiced_until=date(2026, 8, 10), billed_from=date(2026, 10, 1)
    )
    for day, amount in ((12, "1.00"), (22, "2.00"), (35, "4.00")):
        charge(account, amount, at=start_of_day(date(2026, 8, 10), ZONE) + day * DAY)
    charge(account, "8.00", at=start_of_day(date(2026, 10, 1), ZONE))
    charge(account, "16.00", at=start_of_day(date(2026, 10, 1), ZONE) + DAY)
    by = system_actor(world.acme)
    made = issue_ended(account, by=by, plans=PlanBook())
    account.refresh_from_db()
    assert [(each.key, each.payable) for each in made] == [
        ("period:2026-09-01", Decimal(3)),
        ("period:2026-10-01", Decimal(12)),
    ]
    assert [(each.period_start, each.period_end) for each in made] == [
        (date(2026, 8, 22), date(2026, 9, 2)),
        (date(2026, 9, 14), date(2026, 10, 2)),
    ]
    assert account.invoiced_until == date(2026, 10, 1)
    assert account.balance == -16
    assert issue_ended(account, by=by, plans=PlanBook()) == []


def test_period_without_anything_is_passed(
    world: World, account: BillingAccount
) -> None:
    account = account_of(
        world.beta, invoiced_until=date(2026, 8, 10), billed_from=date(2026, 10, 1)
    )
    assert issue_ended(account, by=system_actor(world.acme), plans=PlanBook()) == []
    account.refresh_from_db()
    assert account.invoiced_until == date(2026, 10, 1)


def test_pre_paid_by_top_ups_has_no_invoice_of_a_period(world: World) -> None:
    account = account_of(
        world.beta,
        BillType.PREPAID,
        invoiced_until=date(2026, 9, 1),
        billed_from=date(2026, 10, 1),
    )
    charge(account, "1.00", at=start_of_day(date(2026, 9, 2), ZONE))
    assert issue_ended(account, by=system_actor(world.acme), plans=PlanBook()) == []
