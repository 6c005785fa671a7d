"""Cards that are charged for invoices: what was ordered is what is booked, once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from billing import jobs as billing_jobs
from billing.choices import InvoiceStatus, PaymentMethod, PaymentType
from billing.gateways import Answer, Order, Outcome
from billing.models import BillingAccount, CardOrder, Payment
from billing.services import collecting, overdue, payments
from portal.core.actor import Actor
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of
from tests.invoicing.pages import said_by, url_of
from tests.invoicing.test_overdue import (
    account,
    bill,
    by,
    more_time,
    on_day,
    status_of,
)
from tests.invoicing.test_payments import pay
from tests.world import World

__all__ = ["account", "by"]


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


class FakeGateway:
    """Answers as a test wants it; remembers what it was asked."""

    answer = Answer(Outcome.PAID, reference="tx-1")
    orders: list[Order] = []

    def collect(self, order: Order) -> Answer:
        self.orders.append(order)
        return self.answer


@pytest.fixture
def fake(settings: Any) -> type[FakeGateway]:
    settings.PAYMENT_GATEWAY = f"{__name__}.FakeGateway"
    FakeGateway.orders = []
    FakeGateway.answer = Answer(Outcome.PAID, reference="tx-1")
    return FakeGateway


@pytest.fixture
def card(account: BillingAccount) -> BillingAccount:
    return account_of(account.customer, payment_type=PaymentType.CREDIT_CARD)


def test_nothing_is_taken_without_a_gateway(card: BillingAccount) -> None:
    invoice = bill(card)
    assert collecting.collect(invoice) is None
    billing_jobs.collect_card_invoices()
    assert status_of(invoice) == InvoiceStatus.DUE


def test_card_is_charged_once_and_the_payment_recorded(
    card: BillingAccount, fake: type[FakeGateway]
) -> None:
    invoice = bill(card)
    assert collecting.collect(invoice) == Outcome.PAID
    assert collecting.collect(invoice) is None
    [order] = fake.orders
    assert (order.amount, order.currency) == (100, "EUR")
    payment = Payment.objects.get()
    assert (payment.method, payment.reference) == (PaymentMethod.CARD, "tx-1")
    assert status_of(invoice) == InvoiceStatus.PAID


def test_refused_card_is_said_on_the_invoice_and_not_tried_again(
    card: BillingAccount, fake: type[FakeGateway]
) -> None:
    fake.answer = Answer(Outcome.REFUSED, reason="expired")
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    billing_jobs.collect_card_invoices()
    assert status_of(invoice) == InvoiceStatus.PAYMENT_REFUSED
    assert len(fake.orders) == 1
    assert not Payment.objects.exists()
    assert AuditEvent.objects.filter(action="payment.refused").count() == 1


def test_card_that_was_refused_is_charged_again_by_an_order_of_its_own(
    card: BillingAccount, fake: type[FakeGateway], by: Actor
) -> None:
    fake.answer = Answer(Outcome.REFUSED, reason="expired")
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    for orders in (2, 3):
        collecting.charge_again(invoice=invoice, by=by)
        assert status_of(invoice) == InvoiceStatus.DUE
        with pytest.raises(ValidationError, match="no card to charge"):
            collecting.charge_again(invoice=invoice, by=by)  # a double click
        if orders == 3:
            fake.answer = Answer(Outcome.PAID, reference="tx-2")
        billing_jobs.collect_card_invoices()
        assert len(fake.orders) == orders
    assert len({order.key for order in fake.orders}) == 3
    assert Payment.objects.get().reference == "tx-2"
    assert status_of(invoice) == InvoiceStatus.PAID


def test_more_time_does_not_charge_the_card_that_was_refused(
    card: BillingAccount, fake: type[FakeGateway], by: Actor
) -> None:
    fake.answer = Answer(Outcome.REFUSED)
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    more_time(invoice, by, days=5)
    billing_jobs.collect_card_invoices()
    assert len(fake.orders) == 1
    assert status_of(invoice) == InvoiceStatus.DUE


def test_order_that_waits_for_its_answer_survives_the_overdue_day(
    card: BillingAccount, fake: type[FakeGateway]
) -> None:
    fake.answer = Answer(Outcome.PENDING)
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    with on_day(invoice, 60):
        overdue.mark_overdue()
        fake.answer = Answer(Outcome.PAID, reference="tx-1")
        billing_jobs.collect_card_invoices()
    assert [order.key for order in fake.orders] == [f"invoice:{invoice.pk}"] * 2
    assert status_of(invoice) == InvoiceStatus.PAID


def test_button_charges_again_only_where_a_gateway_would(
    world: World, card: BillingAccount, fake: type[FakeGateway], settings: Any
) -> None:
    ann = world.client(world.ann)
    invoice = bill(card)
    page, charge_url = (
        url_of(world.acme, name, pk=invoice.pk)
        for name in ("invoice-detail", "invoice-charge")
    )
    assert charge_url not in ann.get(page).text
    fake.answer = Answer(Outcome.REFUSED)
    billing_jobs.collect_card_invoices()
    assert charge_url in ann.get(page).text
    gateway, settings.PAYMENT_GATEWAY = settings.PAYMENT_GATEWAY, ""
    assert charge_url not in ann.get(page).text
    refused = ann.post(charge_url, follow=True)
    assert said_by(refused) == ["There is no card to charge again."]
    settings.PAYMENT_GATEWAY = gateway
    assert "is charged again" in said_by(ann.post(charge_url, follow=True))[0]
    assert status_of(invoice) == InvoiceStatus.DUE


def test_order_that_is_not_decided_is_asked_for_again_with_the_same_key(
    card: BillingAccount, fake: type[FakeGateway]
) -> None:
    fake.answer = Answer(Outcome.PENDING)
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    fake.answer = Answer(Outcome.PAID)
    billing_jobs.collect_card_invoices()
    assert {order.key for order in fake.orders} == {f"invoice:{invoice.pk}"}
    assert status_of(invoice) == InvoiceStatus.PAID


def test_money_taken_while_the_invoice_was_paid_otherwise_is_balance(
    card: BillingAccount,
    fake: type[FakeGateway],
    by: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invoice = bill(card)

    def collect(self: FakeGateway, order: Order) -> Answer:
        pay(card, "100", by)
        return Answer(Outcome.PAID)

    monkeypatch.setattr(FakeGateway, "collect", collect)
    collecting.collect(invoice)
    card.refresh_from_db()
    assert (status_of(invoice), card.balance) == (InvoiceStatus.PAID, Decimal(100))


@pytest.mark.parametrize(
    "values",
    [{"payment_type": PaymentType.MANUAL}, {"bill_type": BillType.PREPAID_CALLS}],
)
def test_only_post_paid_card_customers_are_charged(
    card: BillingAccount, fake: type[FakeGateway], values: dict[str, Any]
) -> None:
    account_of(card.customer, **values)
    assert collecting.collect(bill(card)) is None
    assert fake.orders == []


class TakingGateway:
    """Takes what an order says when it is first asked, and answers when a test lets it."""

    taken: dict[str, Order] = {}
    dies = False

    def collect(self, order: Order) -> Answer:
        assert self.taken.setdefault(order.key, order) == order  # never another amount
        if self.dies:
            raise TimeoutError
        return Answer(Outcome.PAID, reference="tx-1")


@pytest.fixture
def taking(settings: Any) -> type[TakingGateway]:
    settings.PAYMENT_GATEWAY = f"{__name__}.TakingGateway"
    TakingGateway.taken = {}
    TakingGateway.dies = False
    return TakingGateway


@pytest.mark.parametrize("meanwhile", ["40", "100"])
def test_what_was_ordered_is_booked_whatever_was_paid_meanwhile(
    card: BillingAccount, taking: type[TakingGateway], by: Actor, meanwhile: str
) -> None:
    invoice = bill(card)
    taking.dies = True  # the card is charged, and nobody learns of it
    billing_jobs.collect_card_invoices()
    order = CardOrder.objects.get()
    assert (order.amount, order.outcome) == (100, Outcome.PENDING)
    pay(card, meanwhile, by)
    taking.dies = False
    billing_jobs.collect_card_invoices()
    assert Payment.objects.get(method=PaymentMethod.CARD).amount == 100
    order.refresh_from_db()
    assert (order.outcome, order.reference) == (Outcome.PAID, "tx-1")
    card.refresh_from_db()
    assert (status_of(invoice), card.balance) == (
        InvoiceStatus.PAID,
        Decimal(meanwhile),
    )


def test_payment_that_came_back_is_taken_again_only_if_a_person_wants_it(
    card: BillingAccount, fake: type[FakeGateway], by: Actor
) -> None:
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    payments.reverse_payment(
        payment=Payment.objects.get(), reason="dispute", is_refused=False, by=by
    )
    for _sweep in range(3):
        billing_jobs.collect_card_invoices()
    assert len(fake.orders) == 1
    collecting.charge_again(invoice=invoice, by=by)
    pay(card, "40", by)  # before the next sweep: the new order is of what is left
    billing_jobs.collect_card_invoices()
    assert [order.amount for order in fake.orders] == [100, 60]
    assert status_of(invoice) == InvoiceStatus.PAID


def test_nothing_is_ordered_of_what_was_paid_before_the_sweep(
    card: BillingAccount, fake: type[FakeGateway], by: Actor
) -> None:
    fake.answer = Answer(Outcome.REFUSED)
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    collecting.charge_again(invoice=invoice, by=by)
    pay(card, "100", by)
    billing_jobs.collect_card_invoices()
    assert len(fake.orders) == 1


def test_one_order_of_an_invoice_is_undecided_at_most(
    card: BillingAccount, fake: type[FakeGateway]
) -> None:
    fake.answer = Answer(Outcome.PENDING)
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    with pytest.raises(IntegrityError, match="undecided"), transaction.atomic():
        CardOrder.objects.create(
            invoice=invoice, attempt=2, key="other", amount=Decimal(1), currency="EUR"
        )


def test_undecided_orders_do_not_keep_new_ones_waiting(
    card: BillingAccount,
    fake: type[FakeGateway],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(billing_jobs, "SWEEP_INVOICES", 1)
    fake.answer = Answer(Outcome.PENDING)
    keys = [f"invoice:{bill(card, key=f'request:{n}').pk}" for n in range(3)]
    for _sweep in range(4):
        billing_jobs.collect_card_invoices()
    assert {order.key for order in fake.orders[:5]} == set(keys)
    # Then each in turn.
    assert {order.key for order in fake.orders[-3:]} == set(keys)


def test_history_of_the_invoice_tells_each_attempt(
    world: World, card: BillingAccount, fake: type[FakeGateway], by: Actor
) -> None:
    fake.answer = Answer(Outcome.REFUSED, reason="Card expired")
    invoice = bill(card)
    billing_jobs.collect_card_invoices()
    collecting.charge_again(invoice=invoice, by=by)
    fake.answer = Answer(Outcome.PAID)
    billing_jobs.collect_card_invoices()
    page = world.client(world.ann).get(
        url_of(world.acme, "invoice-detail", pk=invoice.pk)
    )
    told = [event["title"] for event in page.context["events"]]
    assert told.count(f"Card is charged: {invoice.number}") == 2
    assert "Card expired" in page.text
    assert AuditEvent.objects.filter(action="payment.asked_again").count() == 1
