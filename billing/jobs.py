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
    invoice_again,
    invoice_files,
    overdue,
    runs,
)
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce

logger = logging.getLogger(__name__)

# One sweep draws so many invoices at most and for so many seconds, less than to the next.
SWEEP_INVOICES = 500
SWEEP_SECONDS = 25


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
def issue_pending() -> None:
    """Try again to issue what was held back: its reasons may be gone."""
    with scopes_disabled():  # the worker serves every tenant
        held = list(
            Invoice.objects.filter(status=InvoiceStatus.PENDING)
            .select_related("account__customer", "issuer")
            .order_by("pk")
        )
        for invoice in held:
            try:
                invoice_again.try_again(
                    invoice=invoice, by=system_actor(invoice.issuer)
                )
            except Exception:
                # One invoice's trouble must not keep the others back.
                logger.exception("invoice %s could not be issued", invoice.pk)


@shared_task
def draw_invoice(invoice_id: int) -> None:
    """Make the file of an invoice that was issued."""
    invoice_files.draw(invoice_id)


@shared_task
def draw_waiting_invoices() -> None:
    """Make the files that a lost message or a dead worker left behind."""
    end = time.monotonic() + SWEEP_SECONDS
    with scopes_disabled():  # the worker serves every tenant
        waiting = list(
            Invoice.objects.filter(drawn_at=None, issued_at__isnull=False)
            .order_by("pk")
            .values_list("pk", flat=True)[:SWEEP_INVOICES]
        )
    for invoice_id in waiting:
        try:
            invoice_files.draw(invoice_id)
        except Exception:
            # One invoice's trouble must not keep the others' files back.
            logger.exception("invoice %s could not be drawn", invoice_id)
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
        waiting = list(collecting.to_collect()[:SWEEP_INVOICES])
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
