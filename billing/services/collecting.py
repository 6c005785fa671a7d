"""Taking what post-paid customers with a credit card owe, when they are invoiced (D 1.6)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from billing import gateways, invoice_statuses
from billing.choices import InvoiceStatus, InvoiceType, PaymentMethod, PaymentType
from billing.gateways import Answer, Order, Outcome
from billing.models import Invoice, Payment
from billing.services import payments, settlements
from billing.services.payments import Received
from billing.types import RULES
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.money import format_money
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled

REFUSED = "payment.refused"


def to_collect() -> QuerySet[Invoice]:
    """Invoices that are due and to be taken from a card, oldest first."""
    return Invoice.objects.filter(
        type=InvoiceType.INVOICE,
        status=InvoiceStatus.DUE,
        account__payment_type=PaymentType.CREDIT_CARD,
        account__bill_type__in=[
            kind for kind, rules in RULES.items() if rules.resets_on_invoice
        ],
    ).order_by("pk")


def collect(invoice: Invoice) -> Outcome | None:
    """Have the gateway take what is open of an invoice; None if that is not its matter.

    Paid: the payment is recorded. Refused: the invoice says so. Doing it again, also after
    the process died in between, takes nothing twice: the order is known by its key. What a
    gateway raises is passed on, and the invoice stays due.
    """
    gateway = gateways.gateway()
    with scopes_disabled():  # the run goes over all trees
        row = (
            to_collect()
            .select_related("account__customer", "account__provider")
            .filter(pk=invoice.pk)
            .first()
        )
        if gateway is None or row is None or row.open <= 0:
            return None
        order = Order(
            key=f"invoice:{row.pk}",
            customer_id=row.account.customer_id,
            amount=row.open,
            currency=row.currency,
            description=row.number,
        )
        # Outside of any transaction: what was taken stays taken, whatever fails here.
        answer = gateway.collect(order)
        if answer.outcome == Outcome.PAID:
            _paid(row, order, answer)
        elif answer.outcome == Outcome.REFUSED:
            _refused(row, answer)
    return answer.outcome


@transaction.atomic
def _paid(invoice: Invoice, order: Order, answer: Answer) -> Payment:
    """Record it, on this invoice unless that was paid otherwise meanwhile."""
    account = settlements.held_account(invoice.account_id)
    invoice = Invoice.objects.get(pk=invoice.pk)
    is_open = invoice.open > 0 and invoice.status in invoice_statuses.OPEN
    return payments.record_payment(
        account=account,
        received=Received(
            amount=order.amount,
            method=PaymentMethod.CARD,
            on=local_date(account.provider.time_zone),
            reference=answer.reference[:140],
        ),
        key=f"gateway:{order.key}",
        by=system_actor(account.provider),
        invoice=invoice if is_open else None,
    )


@transaction.atomic
def _refused(invoice: Invoice, answer: Answer) -> None:
    account = settlements.held_account(invoice.account_id)
    invoice = Invoice.objects.get(pk=invoice.pk)
    if invoice.open <= 0 or invoice.status != InvoiceStatus.DUE:
        return
    settlements.follow(invoice, account.customer.time_zone, is_refused=True)
    open_amount = format_money(invoice.open, invoice.currency)
    audit.record(
        REFUSED,
        invoice,
        by=system_actor(account.provider),
        customer=account.customer,
        changes={"open": (None, open_amount), "reason": (None, answer.reason)},
    )
