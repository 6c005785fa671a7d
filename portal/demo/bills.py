"""The invoices of the demo's year: issued, reviewed, held back, credited.

Those of past months count as drawn and mailed when they were issued: their files are drawn
when somebody asks for them. The present month's are left to the worker.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import DateTimeField, F, Q
from django.db.models.functions import Cast

from billing.choices import InvoiceStatus, InvoiceType
from billing.invoicing.crediting import WHOLE, Wanted
from billing.models import BillingAccount, Invoice, Seller
from billing.services import corrections, credit_notes, invoice_status, overdue
from billing.services.invoice_periods import issue_ended
from billing.types import RULES
from customers.services import overdue_locks
from portal.core.actor import system_actor
from portal.demo import paying
from portal.demo.actors import staff_of
from rateplans.choices import InvoiceFormat
from rateplans.selectors import PlanBook

# Wants electronic invoices from now on, without what those must say of it.
INCOMPLETE = "Ferienhof Arlberg"
APPROVED = "Thames Rowing & Regatta Club"
PARTLY_CREDITED = "Steuerkanzlei Brandt & Partner"
CANCELLED = "Raketenwerk 🚀 Software"
REISSUED = "株式会社みなと商事 ハンブルク支店"
NIGHT = timedelta(hours=4)  # when the run of a day is done


def issue(month: date, *, is_present: bool) -> None:
    """Invoice what was charged for ``month``; what sellers review waits if it is present."""
    _approve_and_send()
    if is_present:
        BillingAccount.objects.filter(customer__name=INCOMPLETE).update(
            invoice_format=InvoiceFormat.XML
        )
    types = [kind for kind, rules in RULES.items() if rules.has_period_invoices]
    due = BillingAccount.objects.filter(
        bill_type__in=types, invoiced_until__lt=F("billed_from")
    )
    plans = PlanBook()
    for account in due.select_related("customer", "plan", "provider").order_by("pk"):
        by = system_actor(account.provider)
        issue_ended(account, by=by, plans=plans, on=month)
    if not is_present:
        _approve_and_send()


def come_to_today(month: date) -> None:
    """What has happened since the invoices of the present ``month``."""
    waiting = Invoice.objects.filter(status=InvoiceStatus.QUEUED)
    [approved] = waiting.filter(account__customer__name=APPROVED)
    invoice_status.approve(waiting.filter(pk=approved.pk), by=staff_of(approved.issuer))
    paying.receive_a_part()
    paying.refuse_a_payment()
    _correct()
    overdue.mark_overdue()
    plans = PlanBook()
    for account_id in overdue_locks.to_follow(plans):
        overdue_locks.follow(account_id, plans)
    _close_history(before=month)
    _date_log()


def _approve_and_send() -> None:
    sellers = Seller.objects.filter(reviews_invoices=True).select_related("customer")
    for seller in sellers:
        by = staff_of(seller.customer)
        issued = Invoice.objects.filter(issuer=seller.customer)
        invoice_status.approve(issued, by=by)
        invoice_status.send_approved(issued, by=by)


def _correct() -> None:
    """A part given back, a bill cancelled, and one issued again with what was missing."""
    invoice = _newest_of(PARTLY_CREDITED)
    [part, *_rest] = corrections.left_of(invoice).parts
    _credit(
        invoice,
        Wanted(amounts={part.id: Decimal("2.50")}),
        "No dial tone on two days",
    )
    _credit(_newest_of(CANCELLED), WHOLE, "Agreed with Zoë: this month is free")
    invoice = _newest_of(REISSUED)
    BillingAccount.objects.filter(pk=invoice.account_id).update(
        order_reference="MINATO-2088"
    )
    _credit(invoice, WHOLE, "The order number was missing", is_reissued=True)


def _newest_of(name: str) -> Invoice:
    return (
        Invoice.objects.filter(account__customer__name=name, type=InvoiceType.INVOICE)
        .select_related("account__provider")
        .latest("pk")
    )


def _credit(
    invoice: Invoice, wanted: Wanted, reason: str, *, is_reissued: bool = False
) -> None:
    credit_notes.issue(
        invoice=invoice,
        wanted=wanted,
        reason=reason,
        token=f"demo-{invoice.pk}",
        by=staff_of(invoice.account.provider),
        is_reissued=is_reissued,
    )


def _close_history(before: date) -> None:
    """No worker draws or mails what is older than the present month, or was corrected."""
    closed = [InvoiceStatus.CANCELLED, InvoiceStatus.SUPERSEDED]
    past = Invoice.objects.filter(Q(issued_on__lt=before) | Q(status__in=closed))
    night = Cast("issued_on", DateTimeField()) + NIGHT
    past.update(drawn_at=night)
    past.filter(is_sent_to_customer=True).update(mailed_at=night)


def _date_log() -> None:
    """Let the log tell of invoices and payments at their time, and in that order."""
    with connection.cursor() as cursor:
        cursor.execute(_DATE_INVOICES)
        cursor.execute(_DATE_PAYMENTS)
        cursor.execute(_ORDER_EVENTS)
        cursor.execute(_COUNT_ON)


_DATE_INVOICES = """
UPDATE core_auditevent event
SET at = (invoice.issued_on + time '04:00') AT TIME ZONE 'UTC'
FROM billing_invoice invoice
WHERE event.object_type = 'billing.invoice' AND event.object_id = invoice.id
  AND invoice.issued_on < current_date
"""
_DATE_PAYMENTS = """
UPDATE core_auditevent event SET at = payment.created_at FROM billing_payment payment
WHERE event.object_type = 'billing.payment' AND event.object_id = payment.id
  AND event.action = 'payment.recorded'
"""
# Logs are read by id, the newest first.
_ORDER_EVENTS = """
WITH place AS (
    SELECT id, (SELECT max(id) FROM core_auditevent)
               + row_number() OVER (ORDER BY at, id) AS later
    FROM core_auditevent
), changes AS (
    UPDATE core_auditchange change SET event_id = place.later
    FROM place WHERE change.event_id = place.id
)
UPDATE core_auditevent event SET id = place.later
FROM place WHERE event.id = place.id
"""
_COUNT_ON = """
SELECT setval(pg_get_serial_sequence('core_auditevent', 'id'), max(id))
FROM core_auditevent
"""
