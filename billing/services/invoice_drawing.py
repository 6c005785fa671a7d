"""Drawing the files of invoices after the commit: each once, whoever does it, bad ones later.

Whoever draws one claims it first, by moving its next attempt ahead, and settles it afterwards.
So two never draw it at once, one that kills its worker is tried less and less often, and
one that cannot be drawn says why and lets the others pass.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from billing.models import Invoice
from billing.services import invoice_files
from billing.services.invoices import DRAW
from portal.core.actor import Actor
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce

logger = logging.getLogger(__name__)

MAIL = "customers.jobs.mail_invoice"
# Waits after attempts that failed; the last one is repeated, since a new version may do it.
RETRY_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240))
# A worker that was killed while drawing holds an invoice at least for so long; more than
# the time that one may take (`billing.jobs.draw_invoice`).
LEASE = timedelta(minutes=5)
INTERRUPTED = "What drew it was interrupted."


def waiting(limit: int) -> list[int]:
    """Invoices whose files are to be made now, those that wait longest first."""
    with scopes_disabled():  # the worker serves every tenant
        rows = undrawn().filter(draw_due_at__lte=timezone.now()).order_by("draw_due_at")
        return list(rows.values_list("pk", flat=True)[:limit])


def undrawn() -> QuerySet[Invoice]:
    """Issued invoices whose files are not made."""
    return Invoice.objects.filter(drawn_at=None, issued_at__isnull=False)


def draw(invoice_id: int) -> bool:
    """Make the files of an invoice if it is time to; whether that was done.

    What goes wrong is logged and noted on the invoice, which is tried again later.
    """
    with scopes_disabled():  # the worker serves every tenant
        invoice = _claim(invoice_id)
        if invoice is None:
            return False
        try:
            invoice_files.draw_all(invoice)
        except Exception as error:
            # Whatever it is: the others must not wait for it.
            _note_failure(invoice, error)
            return False
        same = Invoice.objects.filter(pk=invoice_id, drawn_at=None)
        same.update(drawn_at=timezone.now(), draw_error="")
    if invoice.is_sent_to_customer:
        announce(MAIL, invoice_id, priority=LATER)
    return True


def draw_again(invoices: QuerySet[Invoice], *, by: Actor) -> int:
    """Have those of ``invoices`` drawn now that could not be drawn; how many there are.

    Only those that ``by`` issued, unless ``by`` looks after the whole system.
    """
    by.require(Permission.COMMERCE)
    bad = undrawn().exclude(draw_error="")
    if not by.can(Permission.SYSTEM):
        bad = bad.filter(issuer=by.customer.pk)
    ids = list(bad.filter(pk__in=invoices.values("pk")).values_list("pk", flat=True))
    undrawn().filter(pk__in=ids).update(
        draw_due_at=timezone.now(), draw_attempts=0, draw_error=""
    )
    for invoice_id in ids:
        transaction.on_commit(partial(announce, DRAW, invoice_id))
    return len(ids)


def _claim(invoice_id: int) -> Invoice | None:
    """The invoice, if it is time to draw it and nobody else does."""
    now = timezone.now()
    due = undrawn().filter(pk=invoice_id, draw_due_at__lte=now)
    invoice = due.first()
    if invoice is None:
        return None
    before = invoice.draw_attempts
    invoice.draw_attempts += 1
    claimed = due.filter(draw_attempts=before).update(
        draw_attempts=invoice.draw_attempts,
        draw_due_at=now + max(LEASE, _wait(invoice)),
        # An attempt before this one neither did it nor said why not.
        draw_error=invoice.draw_error or (INTERRUPTED if before else ""),
    )
    return invoice if claimed else None


def _note_failure(invoice: Invoice, error: Exception) -> None:
    logger.exception(
        "invoice %s could not be drawn (attempt %s)", invoice.pk, invoice.draw_attempts
    )
    if isinstance(error, ValidationError):
        said = "; ".join(error.messages)
    else:
        said = f"{type(error).__name__}: {error}"
    Invoice.objects.filter(pk=invoice.pk).update(
        draw_error=said[:500], draw_due_at=timezone.now() + _wait(invoice)
    )


def _wait(invoice: Invoice) -> timedelta:
    return RETRY_AFTER[min(invoice.draw_attempts, len(RETRY_AFTER)) - 1]
