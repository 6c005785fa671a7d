"""Work on a timer: what is due on accounts, and the proof of the books."""

from __future__ import annotations

import logging

from celery import shared_task

from billing.services import checking, runs

logger = logging.getLogger(__name__)


@shared_task
def close_periods() -> None:
    """Charge what has become due; every hour, since a day begins everywhere at another one."""
    run = runs.charge_all_due()
    if run.failed:
        logger.error("billing run %s: %s accounts failed", run.pk, run.failed)


@shared_task
def check_ledger() -> None:
    """Prove the books; the start page says so in red if they are wrong."""
    check = checking.check_ledger()
    if check.faults:
        logger.error("ledger check %s found %s faults", check.pk, check.faults)
