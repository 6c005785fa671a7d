"""Statuses that people set: approving, sending, by hand; what the audit log tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from billing.choices import InvoiceStatus as S
from billing.invoice_statuses import BY_HAND
from billing.models import BillingAccount, Invoice, Payment
from billing.services import invoice_status
from portal.core.actor import Actor
from portal.core.models import AuditEvent
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.race import race
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # invoices of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme, reviews_invoices=True)
    return account_of(world.beta)


def bill(account: BillingAccount, name: str = "1", net: str = "10.00") -> Invoice:
    charge(account, net)
    return issued(account, f"request:{name}")


def rows(*invoices: Invoice) -> QuerySet[Invoice]:
    return Invoice.objects.filter(pk__in=[each.pk for each in invoices])


def statuses() -> list[str]:
    return list(Invoice.objects.order_by("pk").values_list("status", flat=True))


def set_to(invoice: Invoice, status: S) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(status=status)


def told() -> list[tuple[str, list[tuple[str, str]]]]:
    """What the audit log has of statuses, the oldest first."""
    events = AuditEvent.objects.filter(object_type="billing.invoice").exclude(
        action="invoice.issued"
    )
    return [
        (event.action, [(each.old, each.new) for each in event.changes.all()])
        for event in events.order_by("pk")
    ]


def test_review_flow_goes_from_queued_over_approved_to_due(
    world: World, account: BillingAccount
) -> None:
    by = world.actor(world.ann)
    invoice = bill(account)
    assert statuses() == [S.QUEUED]
    assert invoice_status.approve(rows(invoice), by=by) == 1
    assert statuses() == [S.APPROVED]
    assert invoice_status.take_back_approval(rows(invoice), by=by) == 1
    assert statuses() == [S.QUEUED]
    assert invoice_status.approve(rows(invoice), by=by) == 1
    assert invoice_status.send_approved(rows(invoice), by=by) == 1
    assert statuses() == [S.DUE]
    assert told() == [
        ("invoice.approved", [("To be approved", "Approved")]),
        ("invoice.approval_taken_back", [("Approved", "To be approved")]),
        ("invoice.approved", [("To be approved", "Approved")]),
        ("invoice.sent", [("Approved", "Due")]),
    ]


def test_what_has_another_status_is_left_alone(
    world: World, account: BillingAccount
) -> None:
    by = world.actor(world.ann)
    due, queued = bill(account, "1"), bill(account, "2")
    set_to(due, S.DUE)
    assert invoice_status.approve(rows(due, queued), by=by) == 1
    assert statuses() == [S.DUE, S.APPROVED]
    assert invoice_status.take_back_approval(rows(due), by=by) == 0
    assert invoice_status.send_approved(rows(due), by=by) == 0
    assert statuses() == [S.DUE, S.APPROVED]


@pytest.mark.parametrize(
    ("bill_type", "expected"),
    [(BillType.POSTPAID, S.DUE), (BillType.PREPAID_INVOICES, S.PREPAID)],
)
def test_sent_invoice_has_the_first_status_of_its_billing_type(
    world: World, bill_type: BillType, expected: S
) -> None:
    seller(world.acme, reviews_invoices=True)
    invoice = bill(account_of(world.beta, bill_type))
    by = world.actor(world.ann)
    invoice_status.approve(rows(invoice), by=by)
    invoice_status.send_approved(rows(invoice), by=by)
    assert statuses() == [expected]


def test_sending_several_sets_each_to_its_own(
    world: World, account: BillingAccount
) -> None:
    first = bill(account, "1")
    prepaid = seller(world.beta, reviews_invoices=True)
    assert prepaid.reviews_invoices
    account_of(world.beta, BillType.PREPAID)
    second = bill(BillingAccount.objects.get(customer=world.beta), "2")
    account_of(world.beta, BillType.POSTPAID)
    Invoice.objects.update(status=S.APPROVED)
    by = world.actor(world.ann)
    assert second.payable == 0
    assert invoice_status.send_approved(rows(first, second), by=by) == 2
    assert statuses() == [S.DUE, S.PAID]


def test_many_are_approved_by_as_many_statements_as_few(
    world: World, account: BillingAccount
) -> None:
    by = world.actor(world.ann)
    costs = []
    for count in (1, 5):
        made = [bill(account, f"{count}-{each}") for each in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert invoice_status.approve(rows(*made), by=by) == count
        costs.append(len(captured))
    assert costs[0] == costs[1]


def test_invoices_of_another_issuer_are_not_touched(
    world: World, account: BillingAccount
) -> None:
    invoice = bill(account)
    ben = world.actor(world.ben)
    assert invoice_status.approve(rows(invoice), by=ben) == 0
    with pytest.raises(PermissionDenied):
        invoice_status.set_status(invoice=invoice, status=S.APPROVED, by=ben)
    assert statuses() == [S.QUEUED]


@pytest.mark.parametrize("act", ["approve", "take_back_approval", "send_approved"])
def test_only_those_with_commerce_may(
    world: World, account: BillingAccount, act: str
) -> None:
    by = Actor(customer=world.acme, permissions=frozenset({"user", "reports"}))
    invoice = bill(account)
    with pytest.raises(PermissionDenied):
        getattr(invoice_status, act)(rows(invoice), by=by)
    with pytest.raises(PermissionDenied):
        invoice_status.set_status(invoice=invoice, status=S.APPROVED, by=by)


def test_nothing_is_cancelled_by_a_bare_status() -> None:
    assert not [present for present in S if S.CANCELLED in BY_HAND[present]]


# Set with a payment, or by nobody.
ELSEWHERE = {S.PENDING, S.PAID}


@pytest.mark.parametrize("present", sorted(set(S) - ELSEWHERE))
def test_by_hand_goes_what_the_table_allows(
    world: World, account: BillingAccount, present: S
) -> None:
    by = world.actor(world.ann)
    invoice = bill(account)
    allowed = []
    for wanted in sorted(set(S) - {present} - ELSEWHERE):
        set_to(invoice, present)
        if wanted in BY_HAND[present]:
            day = local_date("Europe/Berlin") + timedelta(days=3)
            invoice_status.set_status(
                invoice=invoice, status=wanted, overdue_from=day, by=by
            )
            assert statuses() == [wanted]
            allowed.append(wanted)
        else:
            with pytest.raises(ValidationError, match="cannot become"):
                invoice_status.set_status(invoice=invoice, status=wanted, by=by)
            assert statuses() == [present]
    assert [action for action, _changes in told()] == [invoice_status.SET] * len(
        allowed
    )


@pytest.mark.parametrize("present", [S.DUE, S.OVERDUE, S.PAYMENT_REFUSED])
def test_paid_by_hand_is_a_payment_of_what_is_open(
    world: World, account: BillingAccount, present: S
) -> None:
    by = world.actor(world.ann)
    invoice = bill(account)
    set_to(invoice, present)
    invoice_status.set_status(invoice=invoice, status=S.PAID, by=by)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.open) == (S.PAID, 0)
    assert Payment.objects.get(account=account).amount == invoice.payable
    assert told()[-1] == (
        "invoice.status_set",
        [(str(present.label), "Paid")],
    )


def test_refused_by_hand_takes_the_payment_back(
    world: World, account: BillingAccount
) -> None:
    by = world.actor(world.ann)
    invoice = bill(account)
    set_to(invoice, S.DUE)
    invoice_status.set_status(invoice=invoice, status=S.PAID, by=by)
    invoice_status.set_status(
        invoice=invoice, status=S.PAYMENT_REFUSED, reason="Returned debit", by=by
    )
    invoice.refresh_from_db()
    assert (invoice.status, invoice.open) == (S.PAYMENT_REFUSED, invoice.payable)
    assert Payment.objects.get(account=account).reversal_reason == "Returned debit"


def test_what_was_paid_by_nobody_cannot_be_refused(
    world: World, account: BillingAccount
) -> None:
    invoice = bill(account)
    set_to(invoice, S.PAID)
    with pytest.raises(ValidationError, match="no payment"):
        invoice_status.set_status(
            invoice=invoice,
            status=S.PAYMENT_REFUSED,
            reason="?",
            by=world.actor(world.ann),
        )


def test_same_status_again_changes_nothing(
    world: World, account: BillingAccount
) -> None:
    invoice = bill(account)
    by = world.actor(world.ann)
    invoice_status.set_status(invoice=invoice, status=S.QUEUED, by=by)
    assert told() == []


# --- Races ------------------------------------------------------------------------------


def _with_scopes_off(runner: object) -> object:
    with scopes_disabled():
        return runner()  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_approve_each_invoice_once(
    world: World, account: BillingAccount
) -> None:
    made = [bill(account, str(number)) for number in range(5)]
    by = world.actor(world.ann)

    def run() -> int:
        return invoice_status.approve(rows(*made), by=by)

    found = race(partial(_with_scopes_off, run), partial(_with_scopes_off, run))
    assert sorted(found) == [0, 5]
    assert statuses() == [S.APPROVED] * 5
    assert [action for action, _changes in told()] == ["invoice.approved"] * 5


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_is_not_taken_back_at_the_same_time(
    world: World, account: BillingAccount
) -> None:
    invoice = bill(account)
    set_to(invoice, S.APPROVED)
    by = world.actor(world.ann)
    send = partial(invoice_status.send_approved, rows(invoice), by=by)
    take_back = partial(invoice_status.take_back_approval, rows(invoice), by=by)
    sent, taken_back = race(
        partial(_with_scopes_off, send), partial(_with_scopes_off, take_back)
    )
    assert sent + taken_back == 1
    assert statuses() == [S.DUE if sent else S.QUEUED]


@pytest.mark.django_db(transaction=True)
def test_two_statuses_set_at_once_end_in_one_that_the_table_allows(
    world: World, account: BillingAccount
) -> None:
    """Paid does not become overdue, so that can only have come before it."""
    invoice = bill(account)
    set_to(invoice, S.DUE)
    by = world.actor(world.ann)
    runners = [
        partial(invoice_status.set_status, invoice=invoice, status=status, by=by)
        for status in (S.PAID, S.OVERDUE)
    ]
    found = race(*(partial(_with_scopes_off, runner) for runner in runners))
    assert statuses() == [S.PAID]
    assert all(isinstance(each, Invoice | ValidationError) for each in found)
