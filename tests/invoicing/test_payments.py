"""Payments: what they settle, what is left over, and what happens when they come back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from billing.choices import EntryKind, InvoiceStatus, InvoiceType, PaymentMethod
from billing.invoicing.content import thaw
from billing.models import (
    BillingAccount,
    Invoice,
    LedgerEntry,
    Payment,
    Settlement,
)
from billing.services import invoice_status, payments, payments_by_hand
from billing.services.checking import check_ledger
from billing.services.payments import Received
from billing.services.settlements import unpaid_status
from customers.services import tree
from portal.core.actor import Actor, system_actor
from portal.core.models import AuditEvent
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.race import race
from tests.world import World

TODAY = local_date("Europe/Berlin")


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


def pay(account: BillingAccount, amount: str, by: Actor, **more: Any) -> Payment:
    options = {"key": f"test:{Payment.objects.count()}", **more}
    on = options.pop("on", TODAY)
    method = options.pop("method", PaymentMethod.TRANSFER)
    received = Received(Decimal(amount), method, on, options.pop("reference", ""))
    return payments.record_payment(account=account, received=received, by=by, **options)


def bill(account: BillingAccount, amount: str, key: str = "request:1") -> Invoice:
    charge(account, amount)
    return issued(account, key)


def balance_of(account: BillingAccount) -> Decimal:
    account.refresh_from_db()
    return account.balance


def sums(payment: Payment) -> dict[bool, Decimal]:
    """What the ledger tells of a payment: on the balance, and beside it."""
    found = {True: Decimal(0), False: Decimal(0)}
    for entry in LedgerEntry.objects.filter(key__contains=f"{payment.pk}:"):
        if entry.key.startswith("payment"):
            found[entry.is_on_balance] += entry.amount
    return found


@pytest.mark.parametrize(
    ("amount", "settled", "balance", "status"),
    [
        ("100", "100", "0", InvoiceStatus.PAID),
        ("40", "40", "0", InvoiceStatus.DUE),
        ("130", "100", "30", InvoiceStatus.PAID),
    ],
)
def test_payment_of_an_invoice_in_full_part_and_over(
    account: BillingAccount,
    by: Actor,
    amount: str,
    settled: str,
    balance: str,
    status: InvoiceStatus,
) -> None:
    invoice = bill(account, "100")
    payment = pay(account, amount, by, invoice=invoice)
    invoice.refresh_from_db()
    assert (invoice.settled, invoice.status) == (Decimal(settled), status)
    assert balance_of(account) == Decimal(balance)
    assert sums(payment) == {True: Decimal(balance), False: Decimal(settled)}
    assert check_ledger().faults == 0


def test_payment_settles_the_invoice_named_then_the_oldest(
    account: BillingAccount, by: Actor
) -> None:
    first = bill(account, "10", "request:1")
    second = bill(account, "20", "request:2")
    third = bill(account, "40", "request:3")
    pay(account, "55", by, invoice=third)
    found = [Invoice.objects.get(pk=each.pk) for each in (first, second, third)]
    assert [each.settled for each in found] == [10, 5, 40]
    assert [each.status for each in found] == ["paid", "due", "paid"]


def test_payment_without_open_invoices_is_balance(
    account: BillingAccount, by: Actor
) -> None:
    pay(account, "25", by)
    entry = LedgerEntry.objects.get(account=account)
    assert (entry.kind, entry.amount) == (EntryKind.PAYMENT, 25)
    assert balance_of(account) == 25


def test_payment_for_an_invoice_that_waits_to_be_sent_keeps_its_status(
    world: World, account: BillingAccount, by: Actor
) -> None:
    seller(world.acme, reviews_invoices=True)
    invoice = bill(account, "10")
    assert invoice.status == InvoiceStatus.QUEUED
    pay(account, "10", by)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.settled) == (InvoiceStatus.QUEUED, 10)


def test_payment_of_a_pre_paid_account_is_a_top_up_with_its_invoice(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account = account_of(world.beta, BillType.PREPAID)
    pay(account, "50", by)
    entry = LedgerEntry.objects.get(account=account)
    assert (entry.kind, entry.amount, entry.invoice.total) == (EntryKind.TOPUP, 50, 50)
    assert balance_of(account) == 50


def test_top_up_of_a_type_without_such_invoices_has_none(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account = account_of(world.beta, BillType.PREPAID_INVOICES)
    pay(account, "50", by)
    assert LedgerEntry.objects.get(account=account).kind == EntryKind.TOPUP
    assert not Invoice.objects.exists()


def test_calls_only_pre_paid_pays_its_invoice_before_topping_up(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account = account_of(world.beta, BillType.PREPAID_CALLS)
    invoice = bill(account, "10")
    pay(account, "15", by)
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAID
    assert balance_of(account) == 5


def test_next_invoice_lists_the_payment_and_asks_only_what_is_new(
    account: BillingAccount, by: Actor
) -> None:
    pay(account, "130", by, invoice=bill(account, "100"))
    second = bill(account, "50", "request:2")
    assert second.payable == 20
    content = thaw(second.content)
    assert [each.amount for each in content.payments] == [100]
    assert [each.amount for each in content.deductions or ()] == [30]


@pytest.mark.parametrize(
    ("amount", "more", "field"),
    [
        ("0", {}, "amount"),
        ("-5", {}, "amount"),
        ("1.001", {}, "amount"),
        ("5", {"on": TODAY + timedelta(days=3)}, "received_on"),
        ("5", {"on": date(1926, 1, 1)}, "received_on"),
    ],
)
def test_wrong_payments_are_refused_by_field(
    account: BillingAccount, by: Actor, amount: str, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        pay(account, amount, by, **more)
    assert list(refusal.value.error_dict) == [field]


def test_paid_invoice_cannot_be_named_again(account: BillingAccount, by: Actor) -> None:
    invoice = bill(account, "10")
    pay(account, "10", by, invoice=invoice)
    with pytest.raises(ValidationError, match="This invoice has nothing left to pay"):
        pay(account, "10", by, invoice=invoice)


def test_role_limits_what_is_booked_at_once(
    world: World, account: BillingAccount, by: Actor
) -> None:
    world.ann.role.transaction_maximum = Decimal(50)
    with pytest.raises(ValidationError, match="Your role lets you book at most"):
        pay(account, "51", by)


def test_type_without_balance_takes_no_more_than_is_open(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "10")
    account_of(account.customer, BillType.EXTERNAL)
    with pytest.raises(ValidationError, match="has no balance"):
        pay(account, "11", by)
    pay(account, "10", by)
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAID


def test_only_the_provider_records_payments(
    world: World, account: BillingAccount
) -> None:
    with pytest.raises(ValidationError, match="Only the provider"):
        pay(account, "10", world.actor(world.eve))


def test_same_page_books_once(account: BillingAccount, by: Actor) -> None:
    first = pay(account, "10", by, key="page")
    assert pay(account, "10", by, key="page") == first
    assert balance_of(account) == 10
    events = AuditEvent.objects.filter(action="payment.recorded")
    assert [event.person_name for event in events] == [by.person.display_name]


# --- Coming back ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_refused", "status"),
    [(True, InvoiceStatus.PAYMENT_REFUSED), (False, InvoiceStatus.DUE)],
)
def test_reversed_payment_is_owed_again(
    account: BillingAccount, by: Actor, is_refused: bool, status: InvoiceStatus
) -> None:
    invoice = bill(account, "100")
    payment = pay(account, "130", by)
    payments.reverse_payment(
        payment=payment, reason="No funds", is_refused=is_refused, by=by
    )
    invoice.refresh_from_db()
    assert (invoice.settled, invoice.status) == (0, status)
    assert balance_of(account) == 0
    assert sums(payment) == {True: 0, False: 0}
    payment.refresh_from_db()
    assert (payment.is_reversed, payment.reversal_reason) == (True, "No funds")
    assert check_ledger().faults == 0


def test_reversed_payment_of_an_old_invoice_makes_it_overdue(
    account: BillingAccount, by: Actor
) -> None:
    account_of(account.customer, due_days=0)
    account.plan.overdue_days = 0
    account.plan.save()
    invoice = bill(account, "100")
    payment = pay(account, "100", by)
    invoice.refresh_from_db()
    invoice.overdue_on = date(2000, 1, 1)  # not saved: the row is final
    assert unpaid_status(invoice, "Europe/Berlin") == InvoiceStatus.OVERDUE
    payments.reverse_payment(payment=payment, reason="x", is_refused=False, by=by)
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.DUE  # only from tomorrow on


def test_reversing_twice_books_once(account: BillingAccount, by: Actor) -> None:
    payment = pay(account, "30", by)
    for _time in range(2):
        payments.reverse_payment(payment=payment, reason="x", is_refused=True, by=by)
    assert balance_of(account) == 0
    assert LedgerEntry.objects.filter(account=account).count() == 2


def test_reversal_needs_a_reason(account: BillingAccount, by: Actor) -> None:
    payment = pay(account, "30", by)
    with pytest.raises(ValidationError, match="Say why"):
        payments.reverse_payment(payment=payment, reason=" ", is_refused=True, by=by)


def test_reversed_top_up_cancels_its_invoice_by_a_credit_note(
    world: World, account: BillingAccount, by: Actor
) -> None:
    account = account_of(world.beta, BillType.PREPAID)
    payment = pay(account, "50", by)
    payments.reverse_payment(payment=payment, reason="x", is_refused=True, by=by)
    invoice = Invoice.objects.get(type=InvoiceType.INVOICE)
    note = Invoice.objects.get(type=InvoiceType.CREDIT_NOTE)
    assert invoice.status == InvoiceStatus.CANCELLED
    assert (note.corrects, note.total, note.payable) == (invoice, 50, 0)
    assert balance_of(account) == 0
    assert not LedgerEntry.objects.filter(account=account, invoice=None).exists()


# --- By hand --------------------------------------------------------------------------


def test_settled_by_hand_books_what_is_open(account: BillingAccount, by: Actor) -> None:
    invoice = bill(account, "100")
    pay(account, "30", by)
    payment = payments_by_hand.settle_by_hand(invoice=invoice, by=by)
    assert payment is not None
    assert (payment.amount, payment.method) == (70, PaymentMethod.OTHER)
    assert payments_by_hand.settle_by_hand(invoice=invoice, by=by) is None
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAID


def test_refused_by_hand_takes_all_payments_back(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    pay(account, "30", by)
    pay(account, "70", by)
    payments_by_hand.reverse_by_hand(invoice=invoice, reason="Bank", by=by)
    invoice.refresh_from_db()
    assert (invoice.settled, invoice.status) == (0, InvoiceStatus.PAYMENT_REFUSED)


def test_status_set_by_hand_agrees_with_what_was_paid(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    invoice_status.set_status(invoice=invoice, status=InvoiceStatus.PAID, by=by)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.settled) == (InvoiceStatus.PAID, 100)
    refused = InvoiceStatus.PAYMENT_REFUSED
    invoice_status.set_status(invoice=invoice, status=refused, by=by)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.settled) == (refused, 0)


def test_customer_with_open_invoices_is_not_moved_away_from_who_is_owed(
    world: World, account: BillingAccount, by: Actor
) -> None:
    bill(account, "100")

    def move() -> None:
        tree.move_customer(
            customer=world.beta,
            parent=world.rival,
            plan=world.rival_plan,
            by=world.actor(world.olga),
        )

    with pytest.raises(ValidationError, match="Invoices are open"):
        move()
    pay(account, "100", by)
    move()
    account.refresh_from_db()
    assert account.provider == world.rival


# --- At once --------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_payments_of_one_invoice_at_once(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    invoice = bill(account, "100")
    by = system_actor(world.acme)

    def paying(key: str) -> Payment:
        with scopes_disabled():
            return pay(account, "100", by, key=key, invoice=None)

    found = race(lambda: paying("a"), lambda: paying("b"))
    assert all(isinstance(each, Payment) for each in found)
    invoice.refresh_from_db()
    assert (invoice.settled, invoice.status) == (100, InvoiceStatus.PAID)
    assert balance_of(account) == 100


@pytest.mark.django_db(transaction=True)
def test_one_page_sent_twice_at_once_books_once(world: World) -> None:
    account = account_of(world.beta)
    by = system_actor(world.acme)

    def paying() -> Payment:
        with scopes_disabled():
            return pay(account, "100", by, key="page")

    first, second = race(paying, paying)
    assert first == second
    assert balance_of(account) == 100


# --- What the database refuses --------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_payment SET amount = 1",
        "DELETE FROM billing_payment",
        "UPDATE billing_settlement SET amount = amount + 1",
        "DELETE FROM billing_settlement",
        "UPDATE billing_invoice SET settled = settled - 1",
        "UPDATE billing_settlement SET undone_at = now()",
        "INSERT INTO billing_settlement (invoice_id, payment_id, amount, created_at)"
        " SELECT invoice_id, NULL, 1, now() FROM billing_settlement",
        "UPDATE billing_payment SET reversed_at = now(), reversed_by_name = '';"
        " UPDATE billing_settlement SET amount = amount",
    ],
)
def test_database_refuses_what_does_not_agree(
    account: BillingAccount, by: Actor, change: str
) -> None:
    pay(account, "40", by, invoice=bill(account, "100"))
    cursor = connection.cursor()
    with pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; {change}")
    assert Settlement.objects.get().amount == 40
