"""Issuing what was held back, once its reasons are gone."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from billing.choices import InvoiceOccasion, InvoiceStatus
from billing.invoicing.content import Content
from billing.models import Invoice, LedgerEntry
from billing.services import held_back, invoice_drafts, invoices
from portal.core.actor import Actor, system_actor
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled


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
        held_back.discard(invoice, by=by)
    return found


def try_again_by_itself(invoice_id: int) -> Invoice | None:
    """`try_again` for the invoice's seller, unless it was issued or let go meanwhile."""
    held = Invoice.objects.filter(pk=invoice_id, status=InvoiceStatus.PENDING)
    invoice = held.select_related("account__customer", "issuer").first()
    if invoice is None:
        return None
    return try_again(invoice=invoice, by=system_actor(invoice.issuer))


def would_say(invoice: Invoice) -> Content | None:
    """What an invoice that is held back would say if it were issued now; None if nothing."""
    try:
        with scopes_disabled():  # the issuer is above the customer
            if invoice.occasion == InvoiceOccasion.TOPUP:
                draft = invoice_drafts.topup_draft(_topup(invoice), on=None)
            else:
                until = held_back.until_of(invoice)
                draft = invoice_drafts.preview(invoice.account, until=until)
    except ValidationError:
        return None
    return None if draft is None or draft.is_empty else draft.content


def _issue(invoice: Invoice, by: Actor) -> Invoice | None:
    if invoice.occasion == InvoiceOccasion.TOPUP:
        return invoices.issue_topup(_topup(invoice), by=by)
    return invoices.issue(
        invoice.account_id,
        occasion=InvoiceOccasion(invoice.occasion),
        key=invoice.key,
        by=by,
        until=held_back.until_of(invoice),
    )


def _topup(invoice: Invoice) -> LedgerEntry:
    entry_id = int(invoice.key.partition(":")[2])  # keys.topup_invoice
    entries = invoice_drafts.entries_of(invoice.account_id)
    return entries.get(pk=entry_id)
