"""What days do to open invoices: overdue, reminders, locks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError

from billing import jobs as billing_jobs
from billing.choices import InvoiceStatus, OverdueLock
from billing.documents.figures import Figures, grouped_reference
from billing.einvoice.qr import creditor_reference
from billing.models import BillingAccount, Invoice, InvoiceFile
from billing.services import invoice_status, overdue, payments
from customers import jobs
from customers.choices import Lock
from customers.models import Customer
from customers.sender_book import SenderBook
from customers.services import locks, overdue_locks, reminders
from portal.core.actor import Actor
from portal.core.models import AuditEvent, OutgoingEmail
from portal.core.periods import local_date, start_of_day
from portal.core.scope import scopes_disabled
from rateplans.choices import CustomName
from rateplans.models import CustomSetting
from rateplans.selectors import PlanBook
from tests.invoicing.bills import account_of, charge, filed, issued, seller
from tests.invoicing.test_payments import pay
from tests.race import race
from tests.world import World

ZONE = "Pacific/Auckland"  # half a day before Berlin, which shows a mixed-up zone


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    Customer.objects.filter(pk=world.beta.pk).update(time_zone=ZONE)
    return account_of(world.beta, due_days=0)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def bill(
    account: BillingAccount, amount: str = "100", key: str = "request:1"
) -> Invoice:
    charge(account, amount)
    return filed(issued(account, key))


def on_day(invoice: Invoice, days: int, *, hours: int = 12) -> Any:
    """The time it is ``hours`` into the ``days``-th day after it was due, for the customer."""
    assert invoice.due_on is not None
    begin = start_of_day(invoice.due_on + timedelta(days=days), ZONE)
    return time_machine.travel(begin + timedelta(hours=hours), tick=False)


def status_of(invoice: Invoice) -> str:
    return Invoice.objects.values_list("status", flat=True).get(pk=invoice.pk)


def plan_says(account: BillingAccount, **settings: Any) -> None:
    for name, value in settings.items():
        setattr(account.plan, name, value)
    account.plan.save()


# --- Overdue --------------------------------------------------------------------------


def test_overdue_begins_with_the_customers_own_day(account: BillingAccount) -> None:
    plan_says(account, overdue_days=10)
    invoice = bill(account)
    assert invoice.overdue_on is not None
    assert invoice.due_on is not None
    with time_machine.travel(
        start_of_day(invoice.overdue_on, ZONE) - timedelta(seconds=1), tick=False
    ):
        assert overdue.mark_overdue() == 0
    with time_machine.travel(start_of_day(invoice.overdue_on, ZONE), tick=False):
        billing_jobs.mark_overdue_invoices()
    assert status_of(invoice) == InvoiceStatus.OVERDUE
    assert invoice.overdue_on == invoice.due_on + timedelta(days=11)


def test_paid_invoice_does_not_become_overdue(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account)
    pay(account, "100", by)
    with on_day(invoice, 100):
        assert overdue.mark_overdue() == 0
    assert status_of(invoice) == InvoiceStatus.PAID


def test_payment_that_comes_back_late_makes_it_overdue(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account)
    payment = pay(account, "100", by)
    with on_day(invoice, 100):
        payments.reverse_payment(payment=payment, reason="x", is_refused=False, by=by)
    assert status_of(invoice) == InvoiceStatus.OVERDUE


def more_time(invoice: Invoice, by: Actor, *, days: int | None) -> Invoice:
    """Set an invoice back to due, overdue ``days`` from today on."""
    day = None if days is None else local_date(ZONE) + timedelta(days=days)
    status = InvoiceStatus.DUE
    return invoice_status.set_status(
        invoice=invoice, status=status, overdue_from=day, by=by
    )


def test_more_time_keeps_it_due_until_the_day_that_was_chosen(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account)
    frozen = Invoice.objects.values_list("content", flat=True).get()
    with on_day(invoice, 60):
        overdue.mark_overdue()
        assert status_of(invoice) == InvoiceStatus.OVERDUE
        more_time(invoice, by, days=5)
        assert overdue.mark_overdue() == 0
    with on_day(invoice, 64, hours=23):
        assert overdue.mark_overdue() == 0
        assert not overdue.has_overdue(account)
    with on_day(invoice, 65, hours=0):
        assert overdue.mark_overdue() == 1
        assert overdue.has_overdue(account)
    before = invoice.overdue_on
    invoice.refresh_from_db()
    assert (invoice.content, invoice.overdue_on) == (frozen, before)
    event = AuditEvent.objects.get(action=invoice_status.SET)
    assert {each.field for each in event.changes.all()} == {"status", "overdue_from"}


@pytest.mark.parametrize("days", [None, 0, -1, 367])
def test_more_time_is_a_day_to_come(
    account: BillingAccount, by: Actor, days: int | None
) -> None:
    invoice = bill(account)
    with on_day(invoice, 60):
        overdue.mark_overdue()
        with pytest.raises(ValidationError) as refusal:
            more_time(invoice, by, days=days)
    assert list(refusal.value.error_dict) == ["overdue_from"]
    assert status_of(invoice) == InvoiceStatus.OVERDUE


def test_day_that_is_offered_is_as_if_issued_today(account: BillingAccount) -> None:
    plan_says(account, overdue_days=10)
    account_of(account.customer, due_days=7)
    invoice = bill(account)
    assert invoice_status.offered_overdue_day(invoice) == invoice.overdue_on
    with on_day(invoice, 60):
        today = local_date(ZONE)
        assert invoice_status.offered_overdue_day(invoice) == today + timedelta(days=18)


def test_reminders_begin_again_from_the_day_that_more_time_ends(
    account: BillingAccount, by: Actor
) -> None:
    """As after the day to pay by of the document: that is overdue_days before."""
    plan_says(account, reminder_days="7, 14", overdue_days=10)
    invoice = bill(account)
    with on_day(invoice, 7):
        assert reminded(invoice) == ["7"]
    with on_day(invoice, 20):
        overdue.mark_overdue()
        more_time(invoice, by, days=31)  # overdue on day 51, to be paid by day 40
    told = {}
    for day in (21, 46, 47, 53, 54, 90):
        with on_day(invoice, day):
            told[day] = reminded(invoice)
    assert told == {
        21: ["7"],
        46: ["7"],
        47: ["7", "7"],
        53: ["7", "7"],
        54: ["7", "7", "14"],
        90: ["7", "7", "14"],
    }
    last = OutgoingEmail.objects.filter(kind="reminder").order_by("pk").last()
    invoice.refresh_from_db()
    assert last is not None
    assert invoice.due_on is not None
    assert invoice.due_day == invoice.due_on + timedelta(days=40)
    assert f"was due on {Figures('en', 'EUR').day(invoice.due_day)}" in last.text


def test_overdue_before_its_day_is_overdue_from_today_on(
    account: BillingAccount, by: Actor
) -> None:
    plan_says(account, overdue_days=10)
    invoice = bill(account)
    invoice_status.set_status(invoice=invoice, status=InvoiceStatus.OVERDUE, by=by)
    invoice.refresh_from_db()
    assert invoice.first_overdue_day == local_date(ZONE)
    assert overdue.has_overdue(account)


def test_payment_that_comes_back_in_the_time_given_leaves_it_due(
    account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account)
    with on_day(invoice, 60):
        overdue.mark_overdue()
        more_time(invoice, by, days=5)
        payment = pay(account, "100", by)
        payments.reverse_payment(payment=payment, reason="x", is_refused=False, by=by)
    assert status_of(invoice) == InvoiceStatus.DUE


# --- Reminders ------------------------------------------------------------------------


def reminded(invoice: Invoice) -> list[str]:
    jobs.remind_of_invoices()
    mails = OutgoingEmail.objects.filter(kind="reminder").order_by("pk")
    assert all(mail.customer_id == invoice.account.customer_id for mail in mails)
    return [mail.key.rpartition(":")[2] for mail in mails]


def test_reminders_go_on_the_plans_days_each_once(account: BillingAccount) -> None:
    plan_says(account, reminder_days="7, 14")
    invoice = bill(account)
    told = {}
    for day in (6, 7, 8, 13, 14, 15, 40):
        with on_day(invoice, day):
            told[day] = reminded(invoice)
    assert told == {
        6: [],
        7: ["7"],
        8: ["7"],
        13: ["7"],
        14: ["7", "14"],
        15: ["7", "14"],
        40: ["7", "14"],
    }


def test_reminder_waits_for_the_morning_of_the_customer(
    account: BillingAccount,
) -> None:
    plan_says(account, reminder_days="7")
    invoice = bill(account)
    with on_day(invoice, 7, hours=7):
        assert reminded(invoice) == []
    with on_day(invoice, 7, hours=9):
        assert reminded(invoice) == ["7"]


def test_late_run_reminds_of_the_last_day_only(account: BillingAccount) -> None:
    plan_says(account, reminder_days="7, 14, 21")
    invoice = bill(account)
    with on_day(invoice, 18):
        assert reminded(invoice) == ["14"]


@pytest.mark.parametrize("days", ["", "0"])
def test_nobody_is_reminded_unless_the_plan_says_so(
    account: BillingAccount, days: str
) -> None:
    plan_says(account, reminder_days=days)
    invoice = bill(account)
    with on_day(invoice, 50):
        assert reminded(invoice) == []


def test_nobody_is_reminded_of_what_is_paid(account: BillingAccount, by: Actor) -> None:
    plan_says(account, reminder_days="7")
    invoice = bill(account)
    pay(account, "100", by)
    with on_day(invoice, 7):
        assert reminded(invoice) == []


def test_reminder_says_what_is_open_and_brings_the_invoice(
    account: BillingAccount, by: Actor
) -> None:
    plan_says(account, reminder_days="7")
    invoice = bill(account)
    pay(account, "40", by)
    with on_day(invoice, 8):
        reminded(invoice)
    mail = OutgoingEmail.objects.get(kind="reminder")
    assert mail.subject == f"Reminder: invoice {invoice.number} from Acme is open"
    assert "€60.00" in mail.text
    assert f"invoice {invoice.number} was due on" in mail.text
    assert "DE02 1203 0000 0000 2020 51" in mail.text
    # The reference that the document and its QR code ask for.
    reference = grouped_reference(creditor_reference(invoice.number))
    assert f"with the reference {reference}" in " ".join(mail.text.split())
    assert mail.to == ["billing@beta.test"]
    [attached] = mail.attachments.all()
    assert attached.name == f"{invoice.number}.pdf"
    assert attached.file == InvoiceFile.objects.get(invoice=invoice).file


def test_nobody_is_reminded_of_what_is_not_drawn_yet(account: BillingAccount) -> None:
    plan_says(account, reminder_days="7")
    invoice = bill(account)
    Invoice.objects.filter(pk=invoice.pk).update(drawn_at=None)
    with on_day(invoice, 8):
        assert reminded(invoice) == []
    Invoice.objects.filter(pk=invoice.pk).update(drawn_at=datetime.now(UTC))
    with on_day(invoice, 8):
        assert reminded(invoice) == ["7"]


def test_plans_say_reminders_in_their_own_words(
    world: World, account: BillingAccount
) -> None:
    plan_says(account, reminder_days="7")
    CustomSetting.objects.create(
        plan=world.acme_plan,
        name=CustomName.REMINDER_SUBJECT,
        language="en",
        value="{number}: {open}, {late} days",
    )
    invoice = bill(account)
    with on_day(invoice, 7):
        reminded(invoice)
    mail = OutgoingEmail.objects.get(kind="reminder")
    assert mail.subject == f"{invoice.number}: €100.00, 7 days"


@pytest.mark.django_db(transaction=True)
def test_two_workers_remind_once(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta, due_days=0)
    plan_says(account, reminder_days="7")
    invoice = bill(account)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=9)):
        [due] = reminders.due_reminders()
        found = race(
            lambda: reminders.remind(due, SenderBook()),
            lambda: reminders.remind(due, SenderBook()),
        )
    assert not [each for each in found if isinstance(each, Exception)]
    assert OutgoingEmail.objects.filter(key=f"reminder:{invoice.pk}:7").count() == 1


# --- Locks ----------------------------------------------------------------------------


def lock_of(account: BillingAccount) -> tuple[str, str, str]:
    customer = Customer.objects.get(pk=account.customer_id)
    account.refresh_from_db()
    return customer.lock, customer.lock_reason, account.overdue_lock


def late_invoice(account: BillingAccount, lock: str = "calls") -> Invoice:
    plan_says(account, overdue_lock=lock, overdue_days=0)
    return bill(account)


def follow_on(invoice: Invoice, day: int) -> None:
    with on_day(invoice, day):
        overdue.mark_overdue()
        jobs.follow_overdue_locks()


@pytest.mark.parametrize("lock", ["web", "calls", "both"])
def test_overdue_locks_as_the_plan_says_and_payment_lifts_it(
    account: BillingAccount,
    by: Actor,
    lock: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    invoice = late_invoice(account, lock)
    follow_on(invoice, 0)
    assert lock_of(account) == ("none", "", "none")
    follow_on(invoice, 1)
    assert lock_of(account) == (lock, "An invoice is overdue", "locked")
    pay(account, "40", by)
    follow_on(invoice, 2)
    assert lock_of(account)[0] == lock
    pay(account, "60", by)
    jobs.follow_overdue_lock(account.pk)  # announced by the payment
    assert lock_of(account) == ("none", "", "none")
    actions = AuditEvent.objects.filter(action__startswith="customer.").order_by("pk")
    assert [event.action for event in actions] == [
        "customer.locked",
        "customer.unlocked",
    ]


def test_payment_announces_that_a_lock_may_be_lifted(
    account: BillingAccount,
    by: Actor,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    announced: list[Any] = []
    monkeypatch.setattr(
        "billing.services.settlements.announce",
        lambda task, row_id: announced.append((task, row_id)),
    )
    invoice = late_invoice(account)
    follow_on(invoice, 1)
    with django_capture_on_commit_callbacks(execute=True):
        pay(account, "100", by)
    assert announced == [("customers.jobs.follow_overdue_lock", account.pk)]


def test_plan_without_it_locks_nobody(account: BillingAccount) -> None:
    invoice = late_invoice(account, "none")
    follow_on(invoice, 5)
    assert lock_of(account) == ("none", "", "none")
    assert overdue_locks.to_follow(PlanBook()) == []


def test_lock_that_a_person_set_is_never_lifted(
    world: World, account: BillingAccount, by: Actor
) -> None:
    locks.set_lock(customer=world.beta, lock=Lock.BOTH, reason="Fraud", by=by)
    invoice = late_invoice(account, "calls")
    follow_on(invoice, 1)
    pay(account, "100", by)
    follow_on(invoice, 2)
    assert lock_of(account) == ("both", "Fraud", "none")


def test_lock_that_a_person_changed_since_stays(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = late_invoice(account, "calls")
    follow_on(invoice, 1)
    locks.set_lock(customer=world.beta, lock=Lock.BOTH, reason="Fraud", by=by)
    pay(account, "100", by)
    follow_on(invoice, 2)
    assert lock_of(account) == ("both", "Fraud", "none")


def test_who_unlocks_by_hand_is_not_overruled_until_all_is_paid(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = late_invoice(account, "calls")
    follow_on(invoice, 1)
    locks.set_lock(customer=world.beta, lock=Lock.NONE, reason="", by=by)
    follow_on(invoice, 2)
    assert lock_of(account) == ("none", "", "waived")
    pay(account, "100", by)
    follow_on(invoice, 3)
    assert lock_of(account)[2] == OverdueLock.NONE


def test_only_locks_that_have_to_change_are_looked_at(
    account: BillingAccount, by: Actor
) -> None:
    invoice = late_invoice(account, "calls")
    with on_day(invoice, 1):
        overdue.mark_overdue()
        assert overdue_locks.to_follow(PlanBook()) == [account.pk]
        jobs.follow_overdue_locks()
        assert overdue_locks.to_follow(PlanBook()) == []
        plan_says(account, overdue_lock="none")
        assert overdue_locks.to_follow(PlanBook()) == [account.pk]
        plan_says(account, overdue_lock="calls")
        pay(account, "100", by)
        assert overdue_locks.to_follow(PlanBook()) == [account.pk]
        Customer.objects.filter(pk=account.customer_id).update(
            deleted_at=datetime.now(UTC)
        )
        assert overdue_locks.to_follow(PlanBook()) == []


def test_who_is_locked_by_a_person_is_not_looked_at(
    world: World, account: BillingAccount, by: Actor
) -> None:
    locks.set_lock(customer=world.beta, lock=Lock.BOTH, reason="Fraud", by=by)
    invoice = late_invoice(account, "calls")
    with on_day(invoice, 1):
        overdue.mark_overdue()
        assert overdue_locks.to_follow(PlanBook()) == []


def test_plans_are_read_once_for_all_locks(
    account: BillingAccount, django_assert_max_num_queries: Any
) -> None:
    invoice = late_invoice(account, "calls")
    plans = PlanBook()
    with on_day(invoice, 1):
        overdue.mark_overdue()
        [account_id] = overdue_locks.to_follow(plans)
        plans.plan(account.plan_id, on=local_date(ZONE))
        overdue_locks.follow(account_id, plans)
        with django_assert_max_num_queries(5):
            overdue_locks.follow(account_id, plans)
