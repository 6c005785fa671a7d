"""Taking what post-paid customers with a credit card owe, when they are invoiced (D 1.6)."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing import gateways, invoice_statuses
from billing.choices import InvoiceStatus, InvoiceType, PaymentMethod, PaymentType
from billing.gateways import Answer, Order, Outcome
from billing.models import Invoice, Payment
from billing.services import payments, settlements
from billing.services.payments import Received
from billing.types import RULES, rules_of
from portal.core import audit
from portal.core.actor import Actor, system_actor
from portal.core.money import format_money
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

REFUSED, ASKED_AGAIN = "payment.refused", "payment.asked_again"
# An order that is not answered at once may see its invoice become overdue.
_ASKED = (InvoiceStatus.DUE, InvoiceStatus.OVERDUE)


def to_collect() -> QuerySet[Invoice]:
    """Invoices that are to be taken from a card, oldest first; refused orders are not
    among them."""
    return Invoice.objects.filter(
        type=InvoiceType.INVOICE,
        status__in=_ASKED,
        card_refusals__lt=F("card_orders"),
        account__payment_type=PaymentType.CREDIT_CARD,
        account__bill_type__in=[
            kind for kind, rules in RULES.items() if rules.resets_on_invoice
        ],
    ).order_by("pk")


def collect(invoice: Invoice) -> Outcome | None:
    """Have the gateway take what is open of an invoice; None if that is not its matter.

    Paid: the payment is recorded. Refused: the invoice says so. Doing it again, also after
    the process died in between, takes nothing twice: the order is known by its key. What a
    gateway raises is passed on, and the invoice stays as it is.
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
            key=_key(row),
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


def _key(invoice: Invoice) -> str:
    """The name of its present order: the gateway answers the same for it, for good."""
    first = f"invoice:{invoice.pk}"
    return first if invoice.card_orders == 1 else f"{first}:{invoice.card_orders}"


def may_charge_again(invoice: Invoice) -> bool:
    """Whether a card was refused that a gateway would charge if it were asked again.

    ``invoice`` has its account loaded.
    """
    return (
        gateways.gateway() is not None
        and invoice.card_refusals == invoice.card_orders
        and invoice.open > 0
        and invoice.status in invoice_statuses.UNPAID
        and invoice.account.payment_type == PaymentType.CREDIT_CARD
        and rules_of(invoice.account.bill_type).resets_on_invoice
    )


@transaction.atomic
def charge_again(*, invoice: Invoice, by: Actor) -> None:
    """Have the card charged once more, by an order of its own; the sweep asks for it.

    Raises ValidationError where nothing was refused, or somebody else was quicker.
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
    invoice.card_refusals = invoice.card_orders
    invoice.save(update_fields=["card_refusals"])
    if invoice.open <= 0 or invoice.status not in _ASKED:
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
