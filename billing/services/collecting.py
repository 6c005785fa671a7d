"""Taking what post-paid customers with a credit card owe, when they are invoiced (D 1.6)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import gateways, invoice_statuses
from billing.choices import InvoiceStatus, InvoiceType, PaymentMethod, PaymentType
from billing.gateways import Answer, Order, Outcome
from billing.models import BillingAccount, CardOrder, Invoice, Payment
from billing.services import payments, settlements
from billing.services.payments import Received
from billing.types import RULES, rules_of
from portal.core import audit
from portal.core.actor import Actor, system_actor
from portal.core.money import format_money
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

ASKED, REFUSED = "payment.asked", "payment.refused"
ASKED_AGAIN = "payment.asked_again"
# An order that is not answered at once may see its invoice become overdue.
_ASKED = (InvoiceStatus.DUE, InvoiceStatus.OVERDUE)


def to_collect() -> QuerySet[Invoice]:
    """Invoices of which a first or further order is wanted, oldest first."""
    made = CardOrder.objects.filter(
        invoice=OuterRef("pk"), attempt=OuterRef("card_orders")
    )
    return Invoice.objects.filter(
        ~Exists(made),
        type=InvoiceType.INVOICE,
        status__in=_ASKED,
        payable__gt=F("settled"),
        account__payment_type=PaymentType.CREDIT_CARD,
        account__bill_type__in=[
            kind for kind, rules in RULES.items() if rules.resets_on_invoice
        ],
    ).order_by("pk")


def undecided() -> QuerySet[CardOrder]:
    """Orders whose answer is not known, whatever became of their invoices: money may have
    been taken. The one that was asked for longest ago comes first."""
    return CardOrder.objects.filter(outcome=Outcome.PENDING).order_by("asked_at")


def collect(invoice: Invoice) -> Outcome | None:
    """Have the gateway take what is open of an invoice; None if that is not its matter.

    Paid: the payment is recorded. Refused: the invoice says so. Doing it again, also after
    the process died in between, takes nothing twice: the order is kept before the gateway
    is asked, and what was ordered is what is booked. What a gateway raises is passed on,
    and the order stays undecided.
    """
    gateway = gateways.gateway()
    if gateway is None:
        return None
    with scopes_disabled():  # the run goes over all trees
        order = _order(invoice.pk)
        if order is None:
            return None
        # Outside of any transaction: what was taken stays taken, whatever fails here.
        answer = gateway.collect(
            Order(
                key=order.key,
                customer_id=order.invoice.account.customer_id,
                amount=order.amount,
                currency=order.currency,
                description=order.invoice.number,
            )
        )
        if answer.outcome != Outcome.PENDING:
            _decide(order, answer)
    return answer.outcome


@transaction.atomic
def _order(invoice_id: int) -> CardOrder | None:
    """The order to ask for: the undecided one, else a new one if that is wanted."""
    account_id = Invoice.objects.values_list("account", flat=True).get(pk=invoice_id)
    account = settlements.held_account(account_id)
    rows = CardOrder.objects.select_related("invoice__account")
    order = rows.filter(invoice=invoice_id, outcome=Outcome.PENDING).first()
    if order is not None:
        order.asked_at = timezone.now()
        order.save(update_fields=["asked_at"])
        return order
    invoice = to_collect().select_related("account").filter(pk=invoice_id).first()
    if invoice is None:
        return None
    order = CardOrder.objects.create(
        invoice=invoice,
        attempt=invoice.card_orders,
        key=_key(invoice),
        amount=invoice.open,
        currency=invoice.currency,
    )
    changes = {"amount": (None, format_money(order.amount, order.currency))}
    by = system_actor(account.provider)
    audit.record(ASKED, invoice, by=by, customer=account.customer, changes=changes)
    return order


def _key(invoice: Invoice) -> str:
    """The name of its present order: the gateway answers the same for it, for good."""
    first = f"invoice:{invoice.pk}"
    return first if invoice.card_orders == 1 else f"{first}:{invoice.card_orders}"


def may_charge_again(invoice: Invoice) -> bool:
    """Whether a card was refused, or its payment came back, that a gateway would charge
    if it were asked again.

    ``invoice`` has its account loaded.
    """
    return (
        gateways.gateway() is not None
        and invoice.open > 0
        and invoice.status in invoice_statuses.UNPAID
        and invoice.account.payment_type == PaymentType.CREDIT_CARD
        and rules_of(invoice.account.bill_type).resets_on_invoice
        and CardOrder.objects.filter(invoice=invoice, attempt=invoice.card_orders)
        .exclude(outcome=Outcome.PENDING)
        .exists()
    )


@transaction.atomic
def charge_again(*, invoice: Invoice, by: Actor) -> None:
    """Have the card charged once more, by an order of its own; the sweep asks for it.

    Raises ValidationError where no order is decided, or somebody else was quicker.
    """
    by.require(Permission.COMMERCE)
    if invoice.issuer_id != by.customer.pk:
        raise PermissionDenied
    account = settlements.held_account(invoice.account_id)
    invoice = Invoice.objects.select_related("account").get(pk=invoice.pk)
    if not may_charge_again(invoice):
        raise ValidationError(_("There is no card to charge again."), code="card")
    before = audit.snapshot(invoice, ["status"])
    invoice.card_orders += 1
    invoice.status = settlements.unpaid_status(invoice, account.customer.time_zone)
    invoice.save(update_fields=["card_orders", "status"])
    changes = audit.differences(before, audit.snapshot(invoice, ["status"]))
    audit.record(
        ASKED_AGAIN, invoice, by=by, customer=account.customer, changes=changes
    )


@transaction.atomic
def _decide(order: CardOrder, answer: Answer) -> None:
    """Note the answer and book it, once: of two that ask, one is late."""
    account = settlements.held_account(order.invoice.account_id)
    order = CardOrder.objects.select_related("invoice").get(pk=order.pk)
    if order.outcome != Outcome.PENDING:
        return
    order.outcome = answer.outcome
    order.reference = answer.reference[:140]
    order.reason = answer.reason[:200]
    order.save(update_fields=["outcome", "reference", "reason"])
    if answer.outcome == Outcome.PAID:
        _paid(order, account)
    else:
        _refused(order, account)


def _paid(order: CardOrder, account: BillingAccount) -> Payment:
    """Record it, on this invoice unless that was paid otherwise meanwhile."""
    invoice = order.invoice
    is_open = invoice.open > 0 and invoice.status in invoice_statuses.OPEN
    return payments.record_payment(
        account=account,
        received=Received(
            amount=order.amount,
            method=PaymentMethod.CARD,
            on=local_date(account.provider.time_zone),
            reference=order.reference,
        ),
        key=f"gateway:{order.key}",
        by=system_actor(account.provider),
        invoice=invoice if is_open else None,
    )


def _refused(order: CardOrder, account: BillingAccount) -> None:
    invoice = order.invoice
    if invoice.open > 0 and invoice.status in _ASKED:
        settlements.follow(invoice, account.customer.time_zone, is_refused=True)
    amount = format_money(order.amount, order.currency)
    audit.record(
        REFUSED,
        invoice,
        by=system_actor(account.provider),
        customer=account.customer,
        changes={"amount": (None, amount), "reason": (None, order.reason)},
    )
