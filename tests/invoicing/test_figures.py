"""Figures of invoices that are unlike others: nothing is lost, and the rules are kept."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing.choices import InvoiceStatus
from billing.invoicing.content import thaw
from billing.invoicing.crediting import WHOLE, Wanted
from billing.models import BillingAccount, EntryTax, Invoice, LedgerEntry
from billing.party_choices import TaxRounding
from billing.services import credit_notes
from billing.services.checking import check_ledger
from billing.services.credit_notes import Issued
from portal.core.actor import Actor
from portal.core.money import format_money, round_stated
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, issued, seller
from tests.invoicing.figures import book, broken, document_of, stated_alike
from tests.invoicing.test_payments import balance_of, pay
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def credit(invoice: Invoice, by: Actor, wanted: Wanted = WHOLE) -> Issued:
    token = str(Invoice.objects.count())
    made = credit_notes.issue(
        invoice=invoice, wanted=wanted, reason="Mistake", token=token, by=by
    )
    invoice.refresh_from_db()
    return made


def amount(part: str, net: str) -> Wanted:
    return Wanted(amounts={part: Decimal(net)})


# --- Credit notes beside what was given back already --------------------------------------


@pytest.fixture
def partly_back(world: World, account: BillingAccount) -> Invoice:
    """69.00: 100 and 19 of VAT, of which 50 without VAT are given back."""
    book(account, "100", world.acme_tax)
    book(account, "-50")
    return issued(account)


@pytest.mark.parametrize(
    "wanted",
    [amount("vat-S-19", "100"), amount("vat-S-19", "58"), Wanted(lines=frozenset("1"))],
)
def test_credit_note_is_no_larger_than_its_invoice(
    partly_back: Invoice, by: Actor, wanted: Wanted
) -> None:
    with pytest.raises(ValidationError, match=r"only €69\.00 of the invoice") as caught:
        credit(partly_back, by, wanted)
    assert hasattr(caught.value, "error_dict") is (wanted.lines is not None)
    assert not Invoice.objects.filter(corrects=partly_back).exists()


def test_credit_notes_together_are_no_larger_than_their_invoice(
    partly_back: Invoice, by: Actor
) -> None:
    credit(partly_back, by, amount("vat-S-19", "50"))
    with pytest.raises(ValidationError, match=r"only €9\.50 of the invoice"):
        credit(partly_back, by, amount("vat-S-19", "8"))
    credit(partly_back, by, amount("vat-S-19", "7.98"))
    assert partly_back.status != InvoiceStatus.CANCELLED
    note = credit(partly_back, by).note
    assert note.total == 0
    assert partly_back.status == InvoiceStatus.CANCELLED


def test_invoice_is_cancelled_only_when_no_part_is_left(
    partly_back: Invoice, account: BillingAccount, by: Actor
) -> None:
    """57.98 and its VAT are 69.00, all that there is; parts of +42.02 and -50 are left."""
    credit(partly_back, by, amount("vat-S-19", "57.98"))
    assert partly_back.status == InvoiceStatus.PAID
    rest = credit(partly_back, by).note
    assert partly_back.status == InvoiceStatus.CANCELLED
    assert rest.total == 0
    assert broken(document_of(rest)) == []
    notes = Invoice.objects.filter(corrects=partly_back)
    assert sum(note.net for note in notes) == partly_back.net
    assert balance_of(account) == 0
    assert check_ledger().faults == 0


@pytest.mark.parametrize("refund", ["-110", "-119"])
@pytest.mark.parametrize("is_paid", [False, True])
def test_invoice_of_a_net_below_0_is_credited(
    world: World, account: BillingAccount, by: Actor, refund: str, is_paid: bool
) -> None:
    book(account, "100", world.acme_tax)
    book(account, refund)
    invoice = issued(account)
    assert invoice.net < 0 <= invoice.total
    if is_paid and invoice.total:
        pay(account, str(invoice.total), by)
    note = credit(invoice, by).note
    assert invoice.status == InvoiceStatus.CANCELLED
    entries = LedgerEntry.objects.filter(invoice=note, kind="refund").order_by("pk")
    assert [entry.net for entry in entries] == [100, Decimal(refund)]
    assert EntryTax.objects.get(entry__in=entries).amount == 19
    assert balance_of(account) == (invoice.total if is_paid else 0)
    assert check_ledger().faults == 0


# --- Tiny prices --------------------------------------------------------------------------


@pytest.mark.parametrize("detail", ["total", "itemised"])
def test_tiny_prices_keep_their_vat(
    world: World, account: BillingAccount, by: Actor, detail: str
) -> None:
    account_of(account.customer, invoice_detail=detail)
    for _call in range(50):
        book(account, "0.02", world.acme_tax, text="Call")
    invoice = issued(account)
    document = document_of(invoice)
    assert [(part.category, part.amount) for part in document.vat] == [
        ("S", Decimal("0.19"))
    ]
    assert broken(document) == []
    note = credit(invoice, by).note
    entry = LedgerEntry.objects.get(invoice=note, kind="refund")
    assert (entry.net, entry.tax) == (1, Decimal("0.19"))
    assert check_ledger().faults == 0


# --- VAT as booked ------------------------------------------------------------------------


def test_vat_by_line_gives_way_where_rules_do_not_tolerate_it(
    world: World, account: BillingAccount
) -> None:
    """300 times 0.01 for 0.03 are 3.00, and 19 % of 9.00 are 1.71."""
    seller(world.acme, tax_rounding=TaxRounding.PER_LINE)
    account_of(account.customer, invoice_format="xml", invoice_detail="total")
    for _call in range(300):
        book(account, "0.03", world.acme_tax)
    invoice = issued(account)
    assert invoice.gaps == []
    assert (invoice.net, invoice.total) == (9, Decimal("10.71"))
    assert broken(document_of(invoice)) == []


def test_vat_by_line_stands_as_booked_where_rules_do(
    world: World, account: BillingAccount
) -> None:
    seller(world.acme, tax_rounding=TaxRounding.PER_LINE)
    for _call in range(100):
        book(account, "0.03", world.acme_tax)
    invoice = issued(account)
    assert (invoice.net, invoice.total) == (3, 4)
    assert broken(document_of(invoice)) == []


# --- Currencies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "stated"),
    [("JPY", "5"), ("EUR", "4.73"), ("KWD", "4.73"), ("TND", "4.73")],
)
def test_documents_state_hundredths_at_most(currency: str, stated: str) -> None:
    assert str(round_stated(Decimal("4.7296"), currency)) == stated
    assert round_stated(Decimal("-4.725"), "KWD") == Decimal("-4.73")
    assert not round_stated(Decimal("-0.001"), "KWD").is_signed()


@pytest.mark.parametrize("rounding", TaxRounding)
@pytest.mark.parametrize(("currency", "net"), [("KWD", "3.333"), ("JPY", "3")])
@pytest.mark.parametrize("bill_type", [BillType.POSTPAID, BillType.PREPAID_CALLS])
def test_other_currencies_keep_the_rules(
    world: World, by: Actor, rounding: str, currency: str, net: str, bill_type: BillType
) -> None:
    seller(world.acme, tax_rounding=rounding)
    account = account_of(
        world.beta,
        bill_type,
        currency=currency,
        invoice_detail="itemised",
        invoice_format="xml",
    )
    for _each in range(12):
        book(account, net, world.acme_tax)
    invoice = issued(account)
    assert invoice.gaps == []
    booked = LedgerEntry.objects.filter(invoice=invoice).exclude(kind="invoice")
    assert -sum(entry.amount for entry in booked) == invoice.total
    first = credit(invoice, by, amount("vat-S-19", "10")).note
    rest = credit(invoice, by).note
    assert first.total + rest.total == invoice.total
    assert invoice.status == InvoiceStatus.CANCELLED
    assert balance_of(account) == 0
    for each in (invoice, first, rest):
        stated_alike(document_of(each))
        assert broken(document_of(each)) == []


def test_dinars_are_shown_with_their_places(
    world: World, account: BillingAccount
) -> None:
    account_of(account.customer, currency="KWD")
    book(account_of(account.customer), "3.975", world.acme_tax)
    invoice = issued(account)
    assert invoice.total == Decimal("4.74")
    assert format_money(invoice.total, "KWD").endswith("4.740")


def test_dinars_are_credited_as_documents_state_them(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account_of(account.customer, currency="KWD")
    book(account_of(account.customer), "10", world.acme_tax)
    invoice = issued(account)
    with pytest.raises(ValidationError, match="two decimal places at most"):
        credit(invoice, by, amount("vat-S-19", "1.234"))
    assert credit(invoice, by, amount("vat-S-19", "1.23")).note.total == Decimal("1.46")


def test_dinars_paid_in_part_are_credited_to_the_last(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account_of(account.customer, currency="KWD")
    account = account_of(account.customer)
    book(account, "10", world.acme_tax)
    invoice = issued(account)
    pay(account, "1.234", by)
    note = credit(invoice, by).note
    assert note.total == invoice.total == Decimal("11.90")
    assert balance_of(account) == Decimal("1.234")
    assert broken(document_of(note)) == []


def test_dinars_paid_before_leave_what_is_less_than_a_hundredth(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account_of(account.customer, currency="KWD")
    account = account_of(account.customer)
    pay(account, "1.234", by)
    book(account, "10", world.acme_tax)
    invoice = issued(account)
    assert invoice.payable == Decimal("10.67")
    assert balance_of(account) == Decimal("0.004")
    content = thaw(invoice.content)
    assert content.deductions is not None
    assert sum(each.amount for each in content.deductions) == content.carried_over
    assert broken(content.document) == []
