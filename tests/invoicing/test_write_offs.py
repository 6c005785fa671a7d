"""Writing off: what it settles, who is told, and that it is no money of anybody."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from billing.choices import EntryKind, InvoiceStatus, OverdueLock, PaymentMethod
from billing.invoicing.content import thaw
from billing.invoicing.crediting import WHOLE
from billing.models import BillingAccount, Invoice, LedgerEntry, Payment
from billing.receivables import receivables_of, statement_of
from billing.services import corrections, invoice_status, overdue, payments_by_hand
from billing.services.checking import check_ledger
from billing.services.payments import reverse_payment
from customers.services import overdue_locks
from portal.core.actor import Actor
from portal.core.models import AuditEvent
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.selectors import PlanBook
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.pages import said_by, text_of, url_of
from tests.invoicing.test_payments import balance_of, bill, pay
from tests.pages import entries_of, errors_of
from tests.race import race
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


def write_off(invoice: Invoice, amount: str, by: Actor, **more: Any) -> Payment:
    options = {"key": f"test:{Payment.objects.count()}", "reason": "Insolvent", **more}
    made = payments_by_hand.write_off(
        invoice=invoice, amount=Decimal(amount), by=by, **options
    )
    invoice.refresh_from_db()
    return made


@pytest.mark.parametrize(
    ("paid", "amount", "status", "is_open"),
    [
        ("0", "100", InvoiceStatus.PAID, "0"),
        ("30", "70", InvoiceStatus.PAID, "0"),
        ("0", "40", InvoiceStatus.DUE, "60"),
    ],
)
def test_write_off_settles_what_is_open_and_moves_no_balance(
    account: BillingAccount,
    by: Actor,
    paid: str,
    amount: str,
    status: InvoiceStatus,
    is_open: str,
) -> None:
    invoice = bill(account, "100")
    frozen = Invoice.objects.values_list("content", flat=True).get()
    if Decimal(paid):
        pay(account, paid, by)
    made = write_off(invoice, amount, by)
    assert (invoice.status, invoice.open) == (status, Decimal(is_open))
    assert invoice.content == frozen
    assert balance_of(account) == 0
    assert (made.method, made.note) == (PaymentMethod.WRITE_OFF, "Insolvent")
    entry = LedgerEntry.objects.get(kind=EntryKind.WRITE_OFF)
    assert (entry.amount, entry.is_on_balance) == (Decimal(amount), False)
    assert (entry.invoice, entry.reference) == (invoice, invoice.number)
    assert "Insolvent" not in entry.description
    assert AuditEvent.objects.filter(action="payment.written_off").count() == 1
    assert check_ledger().faults == 0


def test_write_off_is_taken_back_as_a_payment_is(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    made = write_off(invoice, "100", by)
    with time_machine.travel(invoice.created_at + timedelta(days=90)):
        reverse_payment(payment=made, reason="It paid", is_refused=False, by=by)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.open) == (InvoiceStatus.OVERDUE, 100)
    assert balance_of(account) == 0
    back = LedgerEntry.objects.get(kind=EntryKind.WRITE_OFF, amount__lt=0)
    assert (back.amount, back.invoice) == (-100, invoice)
    assert back.description == "Write-off taken back: It paid"
    assert check_ledger().faults == 0


def test_next_invoice_tells_nothing_of_it(account: BillingAccount, by: Actor) -> None:
    first = bill(account, "100")
    made = write_off(first, "100", by)
    reverse_payment(payment=made, reason="x", is_refused=False, by=by)
    write_off(first, "100", by)
    charge(account, "20")
    second = issued(account, "request:2")
    assert (second.total, second.payable) == (20, 20)
    assert thaw(second.content).payments == ()


def test_invoice_that_was_written_off_and_taken_back_is_issued_again(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    made = write_off(invoice, "60", by)
    reverse_payment(payment=made, reason="x", is_refused=False, by=by)
    shown = corrections.preview(
        invoice=invoice,
        wanted=WHOLE,
        reason="x",
        is_reissued=True,
    )
    assert shown.replacement is not None
    assert shown.replacement.content.payments == ()
    assert shown.replacement.content.document.totals.gross == 100


@pytest.mark.parametrize(
    ("amount", "reason", "field"),
    [
        ("100.01", "x", "amount"),
        ("0", "x", "amount"),
        ("-1", "x", "amount"),
        ("0.001", "x", "amount"),
        ("1", " ", "reason"),
    ],
)
def test_write_off_is_refused_at_its_field(
    account: BillingAccount, by: Actor, amount: str, reason: str, field: str
) -> None:
    invoice = bill(account, "100")
    bill(account, "100", "request:2")  # the other is no reason to take more
    with pytest.raises(ValidationError) as refusal:
        write_off(invoice, amount, by, reason=reason)
    assert list(refusal.value.error_dict) == [field]
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "status", [InvoiceStatus.QUEUED, InvoiceStatus.APPROVED, InvoiceStatus.CANCELLED]
)
def test_only_what_somebody_was_asked_to_pay_is_written_off(
    account: BillingAccount, by: Actor, status: InvoiceStatus
) -> None:
    invoice = bill(account, "100")
    Invoice.objects.update(status=status)
    with pytest.raises(ValidationError, match="Nothing of this invoice"):
        write_off(invoice, "100", by)


def test_only_who_issued_it_with_commerce_writes_off(
    world: World, account: BillingAccount
) -> None:
    invoice = bill(account, "100")
    for by in (
        world.actor(world.ben),
        world.actor(world.eve),
        Actor(customer=world.acme, permissions=frozenset({"user", "reports"})),
    ):
        with pytest.raises(PermissionDenied):
            write_off(invoice, "100", by)


def test_same_page_writes_off_once(account: BillingAccount, by: Actor) -> None:
    invoice = bill(account, "100")
    first = write_off(invoice, "40", by, key="page")
    assert write_off(invoice, "40", by, key="page") == first
    assert invoice.settled == 40


def test_what_was_written_off_is_not_credited_to_anybody(
    account: BillingAccount, by: Actor
) -> None:
    """Else who never paid would have the money on the balance."""
    invoice = bill(account, "100")
    made = write_off(invoice, "40", by)
    assert "written off" in corrections.refusal(invoice)
    reverse_payment(payment=made, reason="x", is_refused=False, by=by)
    assert corrections.refusal(invoice) == ""


def test_refused_by_hand_leaves_the_write_off(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    pay(account, "30", by)
    write_off(invoice, "70", by)
    refused = InvoiceStatus.PAYMENT_REFUSED
    invoice_status.set_status(invoice=invoice, status=refused, reason="x", by=by)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.open) == (refused, 30)


def test_receivables_fall_and_the_statement_names_it(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    write_off(invoice, "40", by)
    on = local_date(account.customer.time_zone)
    assert receivables_of(account.provider, on=on).get().owed == 60
    write_off(invoice, "60", by)
    assert not receivables_of(account.provider, on=on).exists()
    told = statement_of(account, shown_to_customer=False)
    assert told.total == 0
    assert {each.get_method_display() for each in told.payments} == {"Write-off"}


def test_lock_of_who_is_overdue_ends_with_it(
    account: BillingAccount, by: Actor
) -> None:
    account.plan.overdue_lock = "web"
    account.plan.save()
    invoice = bill(account, "100")
    with time_machine.travel(invoice.created_at + timedelta(days=90)):
        overdue.mark_overdue()
        overdue_locks.follow(account.pk, PlanBook())
        account.refresh_from_db()
        assert account.overdue_lock == OverdueLock.LOCKED
        write_off(invoice, "100", by)
        overdue_locks.follow(account.pk, PlanBook())
    account.refresh_from_db()
    assert account.overdue_lock == OverdueLock.NONE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["pay", "write_off"])
def test_write_off_and_another_at_once_settle_it_once(world: World, other: str) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    invoice = bill(account, "100")
    by = world.actor(world.ann)

    def writing(key: str) -> Any:
        with scopes_disabled():
            return payments_by_hand.write_off(
                invoice=invoice, amount=Decimal(100), reason="x", key=key, by=by
            )

    def paying() -> Any:
        with scopes_disabled():
            return pay(account, "100", by, key="paid", invoice=invoice)

    found = race(
        lambda: writing("a"), paying if other == "pay" else lambda: writing("b")
    )
    assert {type(each) for each in found} == {Payment, ValidationError}
    invoice.refresh_from_db()
    assert (invoice.settled, invoice.status) == (100, InvoiceStatus.PAID)
    assert check_ledger().faults == 0


# --- In the browser -------------------------------------------------------------------


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def test_page_writes_off_and_takes_back(
    world: World, ann: Client, account: BillingAccount
) -> None:
    invoice = bill(account, "100")
    url = url_of(world.acme, "invoice-write-off", pk=invoice.pk)
    assert url in ann.get(url_of(world.acme, "invoice-detail", pk=invoice.pk)).text
    page = ann.get(url)
    assert "reminders and locks" in text_of(page)
    answer = ann.post(url, entries_of(page, reason="Insolvent", amount="100.01"))
    assert "Only" in errors_of(answer)["amount"][0]
    done = ann.post(url, entries_of(page, reason="Insolvent"), follow=True)
    assert said_by(done) == ["Written off."]
    assert done.context["events"][0]["title"].startswith("Written off")
    assert "Write-off" in text_of(done)
    assert url not in done.text
    made = Payment.objects.get()
    back = url_of(world.acme, "payment-reverse", pk=made.pk)
    page = ann.get(back)
    assert set(page.context["form"].fields) == {"reason"}
    done = ann.post(back, entries_of(page, reason="It paid"), follow=True)
    assert said_by(done) == ["Taken back."]
    invoice.refresh_from_db()
    assert invoice.open == 100


@pytest.mark.parametrize(("paid", "amount"), [("30", "70"), ("0", "100")])
def test_settled_sum_tells_what_of_it_was_written_off(
    world: World,
    ann: Client,
    account: BillingAccount,
    by: Actor,
    paid: str,
    amount: str,
) -> None:
    invoice = bill(account, "100")
    if Decimal(paid):
        pay(account, paid, by)
    write_off(invoice, amount, by)
    page = ann.get(url_of(world.acme, "invoice-detail", pk=invoice.pk))
    [tile] = (each for each in page.context["tiles"] if each["label"] == "Settled")
    assert tile["value"] == "€100.00"
    assert f"€{amount}.00 written off" in tile["detail"]
    assert tile["detail"].startswith("on ") == bool(Decimal(paid))


def test_customer_reads_that_it_was_written_off_but_not_why(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    write_off(invoice, "100", by)
    ben = world.client(world.ben)
    page = ben.get(url_of(world.beta, "own-invoice-detail", pk=invoice.pk))
    ledger = ben.get(url_of(world.beta, "account"))
    assert "Write-off" in text_of(page)
    assert "Write-off of invoice" in text_of(ledger)
    assert "Insolvent" not in page.text + ledger.text


def test_recording_a_payment_offers_no_write_off(
    world: World, ann: Client, account: BillingAccount
) -> None:
    page = ann.get(url_of(world.acme, "payment-new", pk=account.customer_id))
    offered = dict(page.context["form"].fields["method"].choices)
    assert PaymentMethod.WRITE_OFF not in offered
    assert PaymentMethod.TRANSFER in offered
