"""Issuing what was held back, once its reasons are gone."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from billing import keys
from billing.choices import InvoiceOccasion, InvoiceStatus
from billing.models import Invoice, LedgerEntry
from billing.services import invoices
from portal.core import audit
from portal.core.actor import Actor, system_actor
from portal.core.periods import local_date
from portal.core.permissions import Permission

DISCARDED = "invoice.discarded"


@transaction.atomic
def try_again(*, invoice: Invoice, by: Actor) -> Invoice | None:
    """Issue an invoice that was held back; it stays so, with new reasons, or has a number.

    None if nothing is left to invoice, since another one took it up: then nobody waits for
    it any more, and it is gone. Raises ValidationError as `invoice_drafts.preview` does.
    """
    by.require(Permission.COMMERCE)
    if invoice.issuer_id != by.customer.pk:
        raise PermissionDenied
    found = _issue(invoice, by)
    if found is None:
        audit.record(DISCARDED, invoice, by=by, customer=invoice.account.customer)
        # One that has no number yet: the trigger lets no other go.
        Invoice.objects.filter(pk=invoice.pk, number="").delete()
    return found


def try_again_by_itself(invoice_id: int) -> Invoice | None:
    """`try_again` for the invoice's seller, unless it was issued or let go meanwhile."""
    held = Invoice.objects.filter(pk=invoice_id, status=InvoiceStatus.PENDING)
    invoice = held.select_related("account__customer", "issuer").first()
    if invoice is None:
        return None
    return try_again(invoice=invoice, by=system_actor(invoice.issuer))


def _issue(invoice: Invoice, by: Actor) -> Invoice | None:
    if invoice.occasion == InvoiceOccasion.TOPUP:
        entry_id = int(invoice.key.partition(":")[2])  # keys.topup_invoice
        return invoices.issue_topup(LedgerEntry.objects.get(pk=entry_id), by=by)
    return invoices.issue(
        invoice.account_id,
        occasion=InvoiceOccasion(invoice.occasion),
        key=invoice.key,
        by=by,
        until=_until(invoice),
    )


def _until(invoice: Invoice) -> date | None:
    """As when it was wanted; None, up to now, for one of a day that is not over."""
    if invoice.occasion == InvoiceOccasion.PERIOD:
        return keys.period_of_invoice(invoice.key)
    today = local_date(invoice.account.customer.time_zone)
    return invoice.period_end if invoice.period_end <= today else None
