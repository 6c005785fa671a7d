"""What lies between a total and what is to be paid: named item by item, adding up."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from billing.choices import EntryKind
from billing.documents import front
from billing.documents.columns import payments_title
from billing.documents.figures import Figures
from billing.einvoice.cii import cii
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import Content, Deduction, thaw
from billing.invoicing.crediting import WHOLE, Wanted
from billing.invoicing.deductions import adding_up, from_balance, with_paid
from billing.models import BillingAccount, Invoice
from billing.services import credit_notes
from billing.views.invoice_said import said
from portal.core.actor import Actor
from portal.core.display import format_day
from portal.core.money import ZERO, round_money
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.books import give
from tests.documents import samples
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.pages import url_of
from tests.invoicing.test_payments import balance_of, bill, pay
from tests.world import World

DAY = date(2026, 11, 3)


def told(content: Content) -> list[tuple[str, Decimal]]:
    return [(each.text, each.amount) for each in content.deductions or ()]


def adds_up(content: Content) -> bool:
    items = content.deductions
    assert items is not None
    totals = content.document.totals
    assert sum((each.amount for each in items), ZERO) == content.carried_over
    assert content.carried_over == totals.prepaid == totals.gross - totals.payable
    return True


# --- The sums themselves --------------------------------------------------------------

fine = st.decimals(-500, 500, places=6)
whole = st.decimals(0, 500, places=2)


@given(gross=whole, before=fine, counted=st.lists(fine, max_size=5))
def test_items_always_add_up_to_what_is_deducted(
    gross: Decimal, before: Decimal, counted: list[Decimal]
) -> None:
    balance = before + sum(counted, ZERO) - gross
    payable = round_money(max(ZERO, -balance), "EUR")

    known = from_balance(
        gross, balance, [Deduction("Payment", each, DAY) for each in counted]
    )
    made = adding_up(known, gross - payable, "EUR")

    assert sum((each.amount for each in made), ZERO) == gross - payable
    assert all(each.amount and each.amount.as_tuple().exponent == -2 for each in made)
    rest = [each.amount for each in made if each.text == "Rounding"]
    assert all(abs(each) <= Decimal("0.05") for each in rest)


@given(before=whole, now=whole, paid=whole)
def test_items_of_one_that_is_issued_again_add_up(
    before: Decimal, now: Decimal, paid: Decimal
) -> None:
    """Of 100 with ``before`` deducted, ``now`` is charged, and some of it was paid."""
    payable = max(ZERO, now - before)
    moved = min(paid, payable)
    known = (Deduction("Earlier balance", before),)

    made = with_paid(known, now - payable, [Deduction("Paid already", moved, DAY)])

    assert sum((each.amount for each in made), ZERO) == now - payable + moved
    assert adding_up(made, now - payable + moved, "EUR")[-1:] != (
        Deduction("Rounding", ZERO),
    )


# --- What they are ----------------------------------------------------------------------


@pytest.fixture
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World, everywhere: object) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def test_payment_of_an_older_invoice_counts_only_as_far_as_it_was_left_over(
    account: BillingAccount, by: Actor
) -> None:
    first = bill(account, "78.56")
    pay(account, "100", by, invoice=first)
    content = thaw(bill(account, "50", "request:2").content)

    assert told(content) == [("Payment: Bank transfer", Decimal("21.44"))]
    assert [each.amount for each in content.payments] == [Decimal("78.56")]
    assert payments_title(content) == "Payments of earlier invoices"
    assert adds_up(content)


def test_credit_note_on_a_paid_invoice_is_named_once(
    account: BillingAccount, by: Actor
) -> None:
    first = bill(account, "78.56")
    pay(account, "78.56", by, invoice=first)
    wanted = Wanted(amounts={"vat-Z-0": Decimal("11.90")})
    note = credit_notes.issue(
        invoice=first, wanted=wanted, reason="Fault", token="a", by=by
    ).note

    second = thaw(bill(account, "50", "request:2").content)
    third = thaw(bill(account, "20", "request:3").content)

    assert told(second) == [(f"Credit note {note.number}", Decimal("11.90"))]
    assert (second.carried_over, second.total_due) == (
        Decimal("11.90"),
        Decimal("38.10"),
    )
    assert told(third) == []
    assert adds_up(second)
    assert adds_up(third)


def test_credit_note_that_came_after_the_day_of_a_late_invoice_is_on_the_next(
    account: BillingAccount, by: Actor
) -> None:
    """An invoice up to the beginning of a day, issued later, does not count it yet."""
    first = bill(account, "30")
    pay(account, "30", by, invoice=first)
    charge(account, "50", at=timezone.now() - timedelta(days=2))
    credit_notes.issue(invoice=first, wanted=WHOLE, reason="Fault", token="a", by=by)
    today = local_date("Europe/Berlin")
    late = thaw(issued(account, "request:2", until=today).content)
    charge(account, "5")
    after = thaw(issued(account, "request:3").content)

    assert told(late) == []
    assert late.total_due == 50
    assert [amount for _text, amount in told(after)][-1] == -25
    assert sum(amount for _text, amount in told(after)) == 5
    assert adds_up(after)


def test_earlier_debt_is_to_be_paid_on_top(account: BillingAccount) -> None:
    charge(account, "7.00", kind=EntryKind.OPENING)
    content = thaw(bill(account, "10").content)

    assert told(content) == [("Telephone line", Decimal(-7))]
    assert content.total_due == 17
    assert adds_up(content)


def test_what_is_not_used_up_stays_on_the_balance(account: BillingAccount) -> None:
    give(account.customer, 30)
    first = thaw(bill(account, "10").content)
    second = thaw(bill(account, "5", "request:2").content)

    assert [amount for _text, amount in told(first)] == [30, -20]
    assert told(first)[-1][0] == "Stays on your balance"
    assert told(second) == [("Earlier balance", 20), ("Stays on your balance", -15)]
    assert adds_up(first)
    assert adds_up(second)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happened_between_invoices_items_add_up(
    account: BillingAccount, by: Actor, seed: int
) -> None:
    chance = Random(seed)
    for round_ in range(4):
        for _event in range(chance.randint(1, 4)):
            open_ones = list(Invoice.objects.filter(account=account, type="invoice"))
            what = chance.choice(["charge", "pay", "credit", "note"])
            cents = Decimal(chance.randint(1, 9000)) / 100
            if what == "charge":
                charge(account, f"{cents / 7:.6f}", kind=EntryKind.CALL)
            elif what == "pay":
                pay(account, str(cents), by)
            elif what == "credit":
                charge(account, f"-{cents}", kind=EntryKind.CREDIT, text="Goodwill")
            elif open_ones and open_ones[-1].status not in {"cancelled", "superseded"}:
                token = f"{seed}:{round_}:{Invoice.objects.count()}"
                credit_notes.issue(
                    invoice=open_ones[-1], wanted=WHOLE, reason="x", token=token, by=by
                )
        before = balance_of(account)
        charge(account, "25.00")
        invoice = issued(account, f"request:{round_}")
        content = thaw(invoice.content)
        assert adds_up(content)
        assert content.total_due == max(ZERO, round_money(25 - before, "EUR"))


@pytest.mark.parametrize("bill_type", [BillType.PREPAID, BillType.PREPAID_INVOICES])
def test_pre_paid_invoice_says_that_the_balance_was_charged(
    world: World, everywhere: object, bill_type: BillType
) -> None:
    seller(world.acme)
    account = account_of(world.beta, bill_type)
    give(account.customer, 30)
    invoice = bill(account, "10")
    content = thaw(invoice.content)

    assert told(content) == [("Charged to your balance", Decimal(10))]
    pages = (
        (world.ann, world.acme, "invoice-detail", "Charged to the balance"),
        (world.ben, world.beta, "own-invoice-detail", "Charged to your balance"),
    )
    for person, customer, name, label in pages:
        page = world.client(person).get(url_of(customer, name, pk=invoice.pk))
        assert label in [each.label for each in page.context["said"]["sums"]], name
    assert payments_title(content) == "Payments in this period"
    assert adds_up(content)
    assert findings(ubl(content.document), Syntax.UBL) == []
    assert findings(cii(content.document), Syntax.CII) == []


def test_top_up_is_paid_already(world: World, everywhere: object, by: Actor) -> None:
    seller(world.acme)
    account = account_of(world.beta, BillType.PREPAID)
    pay(account, "50", by)
    content = thaw(Invoice.objects.get(account=account).content)

    assert told(content) == [("Paid already", Decimal(50))]
    assert adds_up(content)


# --- On paper ---------------------------------------------------------------------------


def shown(content: Content) -> list[tuple[str, str, str]]:
    sums = front.sums(content, Figures("en", "EUR"))
    return [(each.label, each.amount, each.base) for each in sums]


def test_items_stand_between_total_and_what_is_due() -> None:
    content = samples.content(
        carried_over="20",
        deductions=(
            Deduction("Earlier balance", Decimal("-1.50")),
            Deduction("Payment: Bank transfer", Decimal("21.50"), DAY),
        ),
    )
    labels = [label for label, _amount, _base in shown(content)]
    at = labels.index("Total (EUR)")

    assert shown(content)[at + 1 : at + 3] == [
        ("Earlier balance", "1.50", ""),
        ("Payment: Bank transfer", "-21.50", "Nov 3, 2026"),
    ]
    assert labels[at + 3 :] == ["Total due"]


def test_days_are_written_as_pages_write_them() -> None:
    item = Deduction("Payment", Decimal(20), DAY)
    content = samples.content(carried_over="20", deductions=(item,))
    [told] = [each for each in said(content)["sums"] if each.label == "Payment"]
    assert told.base == format_day(DAY)


def test_many_payments_are_one_line_of_the_sums() -> None:
    items = (
        Deduction("Earlier balance", Decimal(-3)),
        *(Deduction("Payment", Decimal(3), DAY) for _each in range(7)),
        Deduction("Stays on your balance", Decimal(-1)),
    )
    content = samples.content(carried_over="17", deductions=items)

    assert [(label, amount) for label, amount, _base in shown(content)[3:6]] == [
        ("Earlier balance", "3.00"),
        ("7 payments and credit notes", "-21.00"),
        ("Stays on your balance", "1.00"),
    ]


def test_document_of_before_names_its_deduction_in_one() -> None:
    content = samples.content(carried_over="20")

    assert ("Payments and earlier balance", "-20.00", "") in shown(content)
    assert payments_title(content) == "Payments in this period"
