"""Credit notes: what they say, what becomes of the invoice, and what is booked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from billing.choices import EntryKind, InvoiceStatus, InvoiceType
from billing.einvoice.cii import cii
from billing.einvoice.record import Document
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import thaw
from billing.invoicing.crediting import WHOLE, Wanted
from billing.models import (
    BillingAccount,
    EntryTax,
    ExchangeRate,
    Invoice,
    LedgerEntry,
    Tax,
)
from billing.services import corrections, credit_notes, payments
from billing.services.checking import check_ledger
from billing.services.credit_notes import Issued
from billing.services.transactions import may_reverse, reverse_entry
from portal.core.actor import Actor, system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.test_payments import balance_of, pay
from tests.race import race
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta, invoice_detail="itemised")


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def bill(world: World, account: BillingAccount, *nets: str) -> Invoice:
    """An invoice with one line of 19 % VAT for each of ``nets``."""
    for net in nets or ("100.00",):
        vat = (Decimal(net) * 19 / 100).quantize(Decimal("0.01"))
        charge(account, net, taxes=((world.acme_tax, str(vat)),))
    return issued(account)


def credit(invoice: Invoice, by: Actor, wanted: Wanted = WHOLE, **more: Any) -> Issued:
    options = {"token": str(Invoice.objects.count()), "reason": "Wrong price", **more}
    made = credit_notes.issue(invoice=invoice, wanted=wanted, by=by, **options)
    invoice.refresh_from_db()
    return made


def amounts(**wanted: str) -> Wanted:
    return Wanted(amounts={name: Decimal(each) for name, each in wanted.items()})


def lines(*numbers: str) -> Wanted:
    return Wanted(lines=frozenset(numbers))


def vat_19(net: str) -> Wanted:
    return Wanted(amounts={"vat-S-19": Decimal(net)})


def valid(document: Document) -> bool:
    assert findings(ubl(document), Syntax.UBL) == []
    assert findings(cii(document), Syntax.CII) == []
    return True


# --- What becomes of the invoice and the balance --------------------------------------


@pytest.mark.parametrize(
    ("paid", "balance"), [("0", "0"), ("19", "19"), ("119", "119"), ("150", "150")]
)
def test_whole_credit_note_cancels_and_gives_back_what_was_paid(
    world: World, account: BillingAccount, by: Actor, paid: str, balance: str
) -> None:
    invoice = bill(world, account)
    if Decimal(paid):
        pay(account, paid, by, invoice=invoice)
    note = credit(invoice, by).note
    assert (invoice.status, invoice.open) == (InvoiceStatus.CANCELLED, 0)
    assert (note.type, note.total, note.payable) == (InvoiceType.CREDIT_NOTE, 119, 0)
    assert note.number.startswith("C-")
    assert balance_of(account) == Decimal(balance)
    assert check_ledger().faults == 0
    assert not LedgerEntry.objects.filter(
        account=account, kind=EntryKind.REFUND, invoice=None
    ).exists()


def test_debt_that_an_invoice_had_taken_over_returns_to_the_balance(
    world: World, account: BillingAccount, by: Actor
) -> None:
    charge(account, "7.00", kind=EntryKind.OPENING)
    invoice = bill(world, account, "10.00")
    assert (invoice.total, invoice.payable) == (Decimal("11.90"), Decimal("18.90"))
    credit(invoice, by)
    assert balance_of(account) == -7
    assert invoice.status == InvoiceStatus.CANCELLED


@pytest.mark.parametrize(
    ("paid", "settled", "balance", "status"),
    [
        ("0", "11.90", "0", InvoiceStatus.DUE),
        ("110", "119", "2.90", InvoiceStatus.PAID),
        ("119", "119", "11.90", InvoiceStatus.PAID),
    ],
)
def test_partial_credit_note_comes_off_what_is_open_first(
    world: World,
    account: BillingAccount,
    by: Actor,
    paid: str,
    settled: str,
    balance: str,
    status: InvoiceStatus,
) -> None:
    invoice = bill(world, account)
    if Decimal(paid):
        pay(account, paid, by, invoice=invoice)
    note = credit(invoice, by, vat_19("10")).note
    assert note.total == Decimal("11.90")
    assert (invoice.settled, invoice.status) == (Decimal(settled), status)
    assert balance_of(account) == Decimal(balance)
    assert check_ledger().faults == 0


def test_credit_goes_to_the_balance_of_a_pre_paid_account(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account_of(world.beta, BillType.PREPAID_INVOICES)
    invoice = bill(world, account)
    assert balance_of(account) == -119
    credit(invoice, by)
    assert balance_of(account) == 0
    assert invoice.status == InvoiceStatus.CANCELLED


def test_calls_only_pre_paid_keeps_its_balance_for_calls(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account_of(world.beta, BillType.PREPAID_CALLS)
    invoice = bill(world, account)
    credit(invoice, by)
    assert balance_of(account) == 0


def test_payment_reversed_after_the_invoice_was_cancelled_is_owed_once(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    payment = pay(account, "119", by)
    credit(invoice, by)
    assert balance_of(account) == 119
    payments.reverse_payment(payment=payment, reason="x", is_refused=True, by=by)
    invoice.refresh_from_db()
    assert balance_of(account) == 0
    assert invoice.status == InvoiceStatus.CANCELLED


def test_next_invoice_takes_up_the_balance_not_the_credit_note(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    pay(account, "119", by)
    credit(invoice, by, vat_19("10"))
    charge(account, "20.00")
    second = issued(account, "request:2")
    assert (second.total, second.payable) == (20, Decimal("8.10"))


def test_taxes_are_given_back_as_they_were_booked(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    note = credit(invoice, by, vat_19("10")).note
    [tax] = EntryTax.objects.filter(entry__invoice=note)
    assert (tax.tax, tax.amount, tax.entry.net) == (
        world.acme_tax,
        Decimal("1.90"),
        10,
    )


@pytest.mark.parametrize(
    ("is_vat", "wanted", "net"),
    [
        (True, {"vat-S-10": "5"}, "5"),
        (False, {"vat-Z-0": "5", "levy-0": "0.50"}, "5"),
    ],
)
def test_taxes_given_back_are_what_they_were_when_they_were_booked(
    world: World,
    account: BillingAccount,
    by: Actor,
    is_vat: bool,
    wanted: dict[str, str],
    net: str,
) -> None:
    invoice, tax = taxed_by_what_was_edited_since(world, account, is_vat=is_vat)
    note = credit(invoice, by, amounts(**wanted)).note
    assert (note.total, note.net) == (Decimal("5.50"), Decimal(net))
    [back] = EntryTax.objects.filter(entry__invoice=note, tax=tax)
    assert (back.name, back.rate, back.is_vat) == ("Tax", 10, is_vat)
    assert back.amount == Decimal("0.50")


@pytest.mark.parametrize("is_vat", [True, False])
def test_reissued_invoice_has_the_taxes_that_were_booked(
    world: World, account: BillingAccount, by: Actor, is_vat: bool
) -> None:
    invoice, _tax = taxed_by_what_was_edited_since(world, account, is_vat=is_vat)
    new = credit(invoice, by, is_reissued=True).replacement
    assert new is not None
    was, now = thaw(invoice.content), thaw(new.content)
    assert (now.taxes, now.document.vat) == (was.taxes, was.document.vat)


def taxed_by_what_was_edited_since(
    world: World, account: BillingAccount, *, is_vat: bool
) -> tuple[Invoice, Tax]:
    """An invoice of 10.00 with 1.00 of a tax that is the other kind of tax today."""
    tax = Tax.objects.create(
        owner=world.acme, name="Tax", rate=Decimal(10), is_vat=is_vat
    )
    charge(account, "10.00", taxes=((tax, "1.00"),))
    invoice = issued(account)
    Tax.objects.filter(pk=tax.pk).update(name="Another", rate=20, is_vat=not is_vat)
    return invoice, tax


# --- Sums and refusals ----------------------------------------------------------------


def test_parts_never_sum_to_more_than_the_invoice_and_its_vat_agrees(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account, "0.99")
    vat = [credit(invoice, by, vat_19("0.33")).note.tax for _part in range(3)]
    assert sum(vat) == invoice.tax == Decimal("0.19")
    assert invoice.status == InvoiceStatus.CANCELLED
    with pytest.raises(ValidationError, match="All of it has been credited"):
        credit(invoice, by, vat_19("0.01"))


def test_more_than_is_left_is_refused_by_part(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    credit(invoice, by, vat_19("60"))
    with pytest.raises(ValidationError, match="There is only") as refusal:
        credit(invoice, by, vat_19("41"))
    assert list(refusal.value.error_dict) == ["vat-S-19"]
    assert credit(invoice, by).note.net == 40  # the rest


def test_line_is_credited_once_however_much_its_rate_has_left(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account, "100.00", "100.00", "50.00")
    credit(invoice, by, lines("1"))
    for again in (lines("1"), lines("1", "2")):
        with pytest.raises(ValidationError, match="Credited before") as refusal:
            credit(invoice, by, again)
        assert list(refusal.value.error_dict) == ["lines"]
    assert credit(invoice, by, lines("2")).note.net == 100
    left = corrections.left_of(invoice)
    assert [line.number for line in left.lines] == ["3"]
    assert [part.left for part in left.parts] == [50]


@pytest.mark.parametrize(
    ("first", "then", "left"),
    [
        (vat_19("60"), lines("1"), "90"),  # of 150; the line is 100
        (vat_19("60"), lines("1", "2"), "90"),
        (lines("1"), vat_19("50.01"), "50"),
    ],
)
def test_lines_and_amounts_together_are_never_more_than_there_was(
    world: World,
    account: BillingAccount,
    by: Actor,
    first: Wanted,
    then: Wanted,
    left: str,
) -> None:
    invoice = bill(world, account, "100.00", "50.00")
    credit(invoice, by, first)
    with pytest.raises(ValidationError, match="There is only"):
        credit(invoice, by, then)
    rest = credit(invoice, by).note
    assert invoice.status == InvoiceStatus.CANCELLED
    assert rest.net == Decimal(left)


@pytest.mark.parametrize("is_by_amount", [True, False])
def test_levy_is_credited_once(
    world: World, account: BillingAccount, by: Actor, is_by_amount: bool
) -> None:
    levy = Tax.objects.create(
        owner=world.acme, name="Emergency levy", amount=Decimal("0.50"), is_vat=False
    )
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"), (levy, "0.50")))
    invoice = issued(account)
    wanted = amounts(**{"levy-0": "0.10"}) if is_by_amount else lines("levy-0")
    document = thaw(credit(invoice, by, wanted).note.content).document
    assert [line.net for line in document.lines] == [0]  # a document has one
    assert valid(document)
    with pytest.raises(ValidationError, match="There is only"):
        credit(invoice, by, lines("levy-0"))
    assert corrections.left_of(invoice).parts[-1].left == (
        Decimal("0.40") if is_by_amount else 0
    )


def test_levy_credited_alone_leaves_the_lines_of_its_rate(
    world: World, account: BillingAccount, by: Actor
) -> None:
    seller(world.acme, vat_id="", untaxed_category="O", register_number="0912")
    tax = Tax.objects.create(
        owner=world.acme, name="NY sales tax", rate=Decimal("8.875"), is_vat=False
    )
    charge(account, "10.00", taxes=((tax, "0.89"),))
    invoice = issued(account)
    document = thaw(credit(invoice, by, lines("levy-0")).note.content).document
    assert valid(document)
    assert document.totals.gross == Decimal("0.89")
    left = {part.id: part.left for part in corrections.left_of(invoice).parts}
    assert left == {"vat-O-0": 10, "levy-0": 0}
    rest = credit(invoice, by).note
    assert (rest.net, rest.total) == (10, 10)
    assert invoice.status == InvoiceStatus.CANCELLED


def test_nothing_writes_credit_notes_beyond_the_invoice(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    note = credit(invoice, by, vat_19("60")).note
    note.pk, note.key, note.number, note.customer_number = None, "x", "C-x", 99
    refused = pytest.raises(IntegrityError, match="credited by more than it is")
    with refused, transaction.atomic():
        note.save(force_insert=True)
    note.total = Decimal("47.60")
    note.save(force_insert=True)


def test_lines_of_a_rate_that_is_used_up_are_not_offered(
    world: World, account: BillingAccount, by: Actor
) -> None:
    charge(account, "7.00")
    invoice = bill(world, account, "100.00")
    assert len(corrections.left_of(invoice).lines) == 2
    credit(invoice, by, vat_19("100"))
    assert [line.net for line in corrections.left_of(invoice).lines] == [7]


@pytest.mark.parametrize(
    "wanted",
    [vat_19("0"), vat_19("-5"), vat_19("0.001"), Wanted(lines=frozenset())],
)
def test_nothing_or_less_is_not_credited(
    world: World, account: BillingAccount, by: Actor, wanted: Wanted
) -> None:
    invoice = bill(world, account)
    with pytest.raises(ValidationError):
        credit(invoice, by, wanted)
    assert Invoice.objects.count() == 1


def test_reason_is_asked_for(world: World, account: BillingAccount, by: Actor) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        credit(bill(world, account), by, reason=" ")


def test_what_cannot_be_credited_says_why(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    note = credit(invoice, by).note
    assert "cannot be credited" in corrections.refusal(note)
    assert "All of it" in corrections.refusal(invoice)
    assert "not issued" in corrections.refusal(Invoice())


def test_top_up_is_taken_back_by_its_payment(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account_of(world.beta, BillType.PREPAID)
    pay(account, "50", by)
    with pytest.raises(ValidationError, match="take that payment back"):
        credit(Invoice.objects.get(), by)


def test_entry_of_a_credit_note_is_not_taken_back(
    world: World, account: BillingAccount, by: Actor
) -> None:
    note = credit(bill(world, account), by).note
    entry = LedgerEntry.objects.get(invoice=note, kind=EntryKind.REFUND)
    account.refresh_from_db()
    assert not may_reverse(entry, account, by=by)
    with pytest.raises(ValidationError, match="cannot be taken back"):
        reverse_entry(entry=entry, account=account, reason="x", by=by)


def test_only_the_provider_credits(world: World, account: BillingAccount) -> None:
    invoice = bill(world, account)
    with pytest.raises(ValidationError, match="Only the provider"):
        credit(invoice, world.actor(world.eve))


def test_same_page_credits_once(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    first = credit(invoice, by, vat_19("10"), token="page")
    assert credit(invoice, by, vat_19("10"), token="page") == first
    assert invoice.settled == Decimal("11.90")


def test_preview_says_what_issuing_does_and_writes_nothing(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    pay(account, "119", by)
    shown = corrections.preview(invoice=invoice, wanted=WHOLE, reason="x")
    assert (shown.total, shown.gives_back, shown.is_whole) == (119, 119, True)
    assert Invoice.objects.count() == 1
    credit(invoice, by)
    assert balance_of(account) == shown.gives_back


# --- Again ----------------------------------------------------------------------------


@pytest.mark.parametrize("paid", ["0", "50", "119", "150"])
def test_reissued_invoice_replaces_and_payments_move_over(
    world: World, account: BillingAccount, by: Actor, paid: str
) -> None:
    invoice = bill(world, account)
    if Decimal(paid):
        pay(account, paid, by, invoice=invoice)
    before = balance_of(account)
    seller(world.acme, legal_name="Acme AG")
    made = credit(invoice, by, is_reissued=True)
    new = made.replacement
    assert new is not None
    new.refresh_from_db()
    assert invoice.status == InvoiceStatus.SUPERSEDED
    assert (new.replaces, new.total, new.payable) == (invoice, 119, 119)
    assert new.settled == min(Decimal(paid), 119)
    assert new.status == (
        InvoiceStatus.PAID if Decimal(paid) >= 119 else InvoiceStatus.DUE
    )
    assert thaw(new.content).document.seller.name == "Acme AG"
    assert thaw(made.note.content).document.seller.name == "Acme Telecom GmbH"
    assert balance_of(account) == before
    assert check_ledger().faults == 0


def test_reissued_twice_and_cancelled_then_gives_the_taxes_back(
    world: World, account: BillingAccount, by: Actor
) -> None:
    second = credit(bill(world, account), by, is_reissued=True).replacement
    assert second is not None
    third = credit(second, by, is_reissued=True, token="t2").replacement
    assert third is not None
    pay(account, "119", by)
    third.refresh_from_db()
    note = credit(third, by, token="t3").note
    assert EntryTax.objects.get(entry__invoice=note).amount == 19
    assert balance_of(account) == 119


def test_other_rounding_of_a_reissued_invoice_is_booked(
    world: World, account: BillingAccount, by: Actor
) -> None:
    """Ten times 19 % of 1.02 is 1.90 line by line, 1.94 on the sum."""
    seller(world.acme, tax_rounding="per_line")
    invoice = bill(world, account, *["1.02"] * 10)
    seller(world.acme, tax_rounding="per_total")
    new = credit(invoice, by, is_reissued=True).replacement
    assert new is not None
    assert (invoice.total, new.total, new.payable) == (
        Decimal("12.10"),
        Decimal("12.14"),
        Decimal("12.14"),
    )
    assert balance_of(account) == 0


def test_partly_credited_invoice_is_not_issued_again(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    credit(invoice, by, vat_19("10"))
    with pytest.raises(ValidationError, match="credited already"):
        credit(invoice, by, is_reissued=True)


def test_changed_billing_type_is_cancelled_not_issued_again(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account)
    account_of(world.beta, BillType.PREPAID)
    with pytest.raises(ValidationError, match="billing type has changed"):
        credit(invoice, by, is_reissued=True)
    assert invoice.status == InvoiceStatus.DUE


# --- Documents ------------------------------------------------------------------------


def test_whole_credit_note_mirrors_the_invoice_and_keeps_the_rules(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account, "10.00", "-2.00")
    document = thaw(credit(invoice, by).note.content).document
    assert document.preceding is not None
    assert document.preceding.number == invoice.number
    assert [line.net for line in document.lines] == [10, -2]
    assert document.totals.gross == invoice.total
    assert b"<CreditNote" in ubl(document)
    assert valid(document)


def test_partial_by_lines_keeps_the_rules(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(world, account, "10.00", "20.00", "30.00")
    wanted = Wanted(lines=frozenset({"1", "3"}))
    content = thaw(credit(invoice, by, wanted).note.content)
    assert [line.net for line in content.document.lines] == [10, 30]
    assert content.document.totals.gross == Decimal("47.60")
    assert [row.net for row in content.sections[0].rows] == [10, 30]
    assert valid(content.document)


@pytest.mark.parametrize("treatment", ["Z", "E", "AE", "K", "G", "O"])
@pytest.mark.parametrize("is_partial", [True, False])
def test_every_treatment_keeps_the_rules(
    world: World, account: BillingAccount, by: Actor, treatment: str, is_partial: bool
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
    wanted = Wanted(amounts={f"vat-{treatment}-0": Decimal(4)}) if is_partial else WHOLE
    document = thaw(credit(issued(account), by, wanted).note.content).document
    assert [part.category for part in document.vat] == [treatment]
    assert document.totals.gross == (4 if is_partial else 10)
    assert valid(document)


@pytest.mark.parametrize("is_partial", [True, False])
def test_levy_beside_vat_is_credited_with_its_tax(
    world: World, account: BillingAccount, by: Actor, is_partial: bool
) -> None:
    levy = Tax.objects.create(
        owner=world.acme, name="Emergency levy", amount=Decimal("0.50"), is_vat=False
    )
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"), (levy, "0.50")))
    invoice = issued(account)
    wanted = (
        Wanted(amounts={"vat-S-19": Decimal(5), "levy-0": Decimal("0.20")})
        if is_partial
        else WHOLE
    )
    note = credit(invoice, by, wanted).note
    document = thaw(note.content).document
    assert document.totals.gross == (
        Decimal("6.15") if is_partial else Decimal("12.40")
    )
    booked = dict(
        EntryTax.objects.filter(entry__invoice=note).values_list("name", "amount")
    )
    assert booked == (
        {"VAT": Decimal("0.95"), "Emergency levy": Decimal("0.20")}
        if is_partial
        else {"VAT": Decimal("1.90"), "Emergency levy": Decimal("0.50")}
    )
    assert valid(document)


@pytest.mark.parametrize("is_partial", [True, False])
def test_seller_outside_vat_credits_its_taxes_as_charges(
    world: World, account: BillingAccount, by: Actor, is_partial: bool
) -> None:
    seller(world.acme, vat_id="", untaxed_category="O", register_number="0912")
    tax = Tax.objects.create(
        owner=world.acme, name="NY sales tax", rate=Decimal("8.875"), is_vat=False
    )
    charge(account, "10.00", taxes=((tax, "0.89"),))
    wanted = amounts(**{"vat-O-0": "5", "levy-0": "0.45"}) if is_partial else WHOLE
    note = credit(issued(account), by, wanted).note
    document = thaw(note.content).document
    assert document.totals.gross == (
        Decimal("5.45") if is_partial else Decimal("10.89")
    )
    assert EntryTax.objects.get(entry__invoice=note).amount == (
        Decimal("0.45") if is_partial else Decimal("0.89")
    )
    assert valid(document)


def test_vat_in_the_currency_of_the_books_is_shared_out(
    world: World, account: BillingAccount, by: Actor
) -> None:
    ExchangeRate.objects.create(currency="USD", rate=Decimal("1.25"), on="2020-01-01")
    seller(world.acme, books_currency="USD")
    invoice = bill(world, account)
    first = thaw(credit(invoice, by, vat_19("33.33")).note.content).document
    rest = thaw(credit(invoice, by).note.content).document
    assert first.vat_in_books is not None
    assert rest.vat_in_books is not None
    assert first.vat_in_books + rest.vat_in_books == Decimal("23.75")
    assert valid(first)
    assert valid(rest)


# --- At once --------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_credit_notes_at_once_never_give_back_more_than_the_invoice(
    world: World,
) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    invoice = bill(world, account)
    by = system_actor(world.acme)

    def crediting(token: str) -> Issued:
        with scopes_disabled():
            return credit_notes.issue(
                invoice=invoice, wanted=vat_19("60"), reason="x", token=token, by=by
            )

    found = race(lambda: crediting("a"), lambda: crediting("b"))
    assert {type(each) for each in found} == {Issued, ValidationError}
    assert Invoice.objects.filter(type=InvoiceType.CREDIT_NOTE).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("others", [lines("1"), vat_19("60")])
def test_line_is_credited_once_by_two_at_once(world: World, others: Wanted) -> None:
    seller(world.acme)
    account = account_of(world.beta, invoice_detail="itemised")
    invoice = bill(world, account, "100.00", "50.00")
    by = system_actor(world.acme)

    def crediting(wanted: Wanted, token: str) -> Issued:
        with scopes_disabled():
            return credit_notes.issue(
                invoice=invoice, wanted=wanted, reason="x", token=token, by=by
            )

    found = race(lambda: crediting(lines("1"), "a"), lambda: crediting(others, "b"))
    assert {type(each) for each in found} == {Issued, ValidationError}
    assert Invoice.objects.filter(type=InvoiceType.CREDIT_NOTE).count() == 1


@pytest.mark.django_db(transaction=True)
def test_payment_while_the_invoice_is_credited(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    invoice = bill(world, account)
    by = system_actor(world.acme)

    def paying() -> Any:
        with scopes_disabled():
            return pay(account, "119", by, key="page")

    def crediting() -> Any:
        with scopes_disabled():
            return credit_notes.issue(
                invoice=invoice, wanted=WHOLE, reason="x", token="t", by=by
            )

    found = race(paying, crediting)
    assert not [each for each in found if isinstance(each, Exception)]
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.CANCELLED
    assert balance_of(account) == 119
    assert check_ledger().faults == 0
