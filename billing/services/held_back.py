"""Invoices that are held back: one for each account, which the others wait behind.

Nothing of them is booked, so a second one would be about the same entries once more. Top-ups
are apart: the invoice of one is about that entry alone.
"""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from billing import keys
from billing.choices import InvoiceOccasion, InvoiceStatus
from billing.models import Invoice
from portal.core import audit
from portal.core.actor import Actor
from portal.core.periods import local_date

DISCARDED = "invoice.discarded"


def held() -> QuerySet[Invoice]:
    """Those that others wait behind, the first of an account first."""
    pending = Invoice.objects.filter(status=InvoiceStatus.PENDING)
    return pending.exclude(occasion=InvoiceOccasion.TOPUP).order_by("pk")


def until_of(invoice: Invoice) -> date | None:
    """Before which day it ends, as when it was wanted; None, up to now, for one of a day
    that is not over."""
    if invoice.occasion == InvoiceOccasion.PERIOD:
        return keys.period_of_invoice(invoice.key)
    today = local_date(invoice.account.customer.time_zone)
    return invoice.period_end if invoice.period_end <= today else None


def discard(invoice: Invoice, *, by: Actor) -> None:
    """Let one go that nothing is left for: others have taken it up."""
    audit.record(DISCARDED, invoice, by=by, customer=invoice.account.customer)
    # One that has no number yet: the trigger lets no other go.
    Invoice.objects.filter(pk=invoice.pk, number="").delete()


def discard_covered(issued: Invoice, until: date | None, *, by: Actor) -> None:
    """Let those go that are about nothing but what was ``issued`` up to ``until``."""
    covered = held().filter(account=issued.account_id).exclude(pk=issued.pk)
    for invoice in covered.select_related("account__customer"):
        end = until_of(invoice)
        if until is None or (end is not None and end <= until):
            discard(invoice, by=by)
