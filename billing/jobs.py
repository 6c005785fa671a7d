"""Work on a timer: what is due on accounts, and the proof of the books."""

from __future__ import annotations

import logging
import time

from celery import shared_task

from billing.choices import InvoiceStatus
from billing.gateways import gateway
from billing.models import Invoice, PeriodRun
from billing.services import (
    checking,
    collecting,
    import_booking,
    invoice_again,
    invoice_drawing,
    overdue,
    runs,
)
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce

logger = logging.getLogger(__name__)

# One sweep takes so many invoices at most and so many seconds, less than to the next.
SWEEP_INVOICES = 500
SWEEP_SECONDS = 25
# What runs once a night or an hour ends by itself, long before another worker would be given
# its task because it seems lost (`CELERY_BROKER_TRANSPORT_OPTIONS`).
NIGHT_SECONDS = 1200
# One with 5,000 lines takes some 30 seconds; nothing sensible takes longer than this.
DRAWING = {"soft_time_limit": 120, "time_limit": 180}


@shared_task
def close_periods() -> None:
    """Charge and invoice what has become due, by all workers; every hour, since a day
    begins everywhere at another one."""
    run = runs.open_run(None)
    if run.is_working and run.pk is not None:
        runs.call_workers(run.pk, present=1)
        work_on_run(run.pk)


@shared_task
def work_on_run(run_id: int) -> None:
    """Take parts of a billing run for a while, then let other tasks come first."""
    with scopes_disabled():  # the worker serves every tenant
        run = PeriodRun.objects.filter(pk=run_id).first()
    if run is None or not run.is_working:
        return
    if runs.work_on(run, seconds=runs.SLICE_SECONDS):
        announce(runs.WORK, run_id, priority=LATER)
    run.refresh_from_db()
    if run.finished_at and (failed := run.failed + run.invoice_failed):
        logger.error("billing run %s: %s accounts failed", run.pk, failed)


@shared_task
def go_on_with_runs() -> None:
    """Call workers again to the runs that lost them."""
    runs.call_workers_again()


@shared_task
def book_import(import_id: int) -> None:
    """Book sure lines of a bank statement for a while, then let other tasks come first."""
    if import_booking.work_on(import_id, seconds=import_booking.SLICE_SECONDS):
        announce(import_booking.WORK, import_id, priority=LATER)


@shared_task
def go_on_with_imports() -> None:
    """Call workers again to the bank statements that lost them."""
    import_booking.call_workers_again()


@shared_task
def issue_pending() -> None:
    """Try again to issue what was held back: its reasons may be gone."""
    end = time.monotonic() + NIGHT_SECONDS
    with scopes_disabled():  # the worker serves every tenant
        # In any order: what one night has no time for has its turn in another.
        held = Invoice.objects.filter(status=InvoiceStatus.PENDING).order_by("?")
        for invoice_id in list(held.values_list("pk", flat=True)):
            try:
                invoice_again.try_again_by_itself(invoice_id)
            except Exception:
                # One invoice's trouble must not keep the others back.
                logger.exception("invoice %s could not be issued", invoice_id)
            if time.monotonic() > end:
                return


@shared_task(**DRAWING)
def draw_invoice(invoice_id: int) -> None:
    """Make the files of an invoice that was issued."""
    invoice_drawing.draw(invoice_id)


@shared_task(
    soft_time_limit=SWEEP_SECONDS + DRAWING["soft_time_limit"],
    time_limit=SWEEP_SECONDS + DRAWING["time_limit"],
)
def draw_waiting_invoices() -> None:
    """Make the files that a lost message, a dead worker or a fault left behind."""
    end = time.monotonic() + SWEEP_SECONDS
    for invoice_id in invoice_drawing.waiting(SWEEP_INVOICES):
        invoice_drawing.draw(invoice_id)
        if time.monotonic() > end:
            return


@shared_task
def mark_overdue_invoices() -> None:
    """Make due invoices overdue; every hour, since a day begins everywhere at another one."""
    overdue.mark_overdue()


@shared_task
def collect_card_invoices() -> None:
    """Have what is due taken from cards, where a gateway does that."""
    if gateway() is None:
        return
    end = time.monotonic() + SWEEP_SECONDS
    with scopes_disabled():  # the worker serves every tenant
        # New ones first: a gateway that knows nothing for days must not keep them waiting.
        undecided = collecting.undecided().select_related("invoice")
        waiting = [
            *collecting.to_collect()[:SWEEP_INVOICES],
            *(order.invoice for order in undecided[:SWEEP_INVOICES]),
        ]
    for invoice in waiting:
        try:
            collecting.collect(invoice)
        except Exception:
            # One card's trouble must not keep the others' invoices back.
            logger.exception("invoice %s could not be collected", invoice.pk)
        if time.monotonic() > end:
            return


@shared_task
def check_ledger() -> None:
    """Prove the books; the start page says so in red if they are wrong."""
    check = checking.check_ledger()
    if check.faults:
        logger.error("ledger check %s found %s faults", check.pk, check.faults)
