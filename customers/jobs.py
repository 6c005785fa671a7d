"""Work on a timer. Each selects due rows and hands them on one by one."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.db.models import CharField, Exists, F, Func, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from billing.models import BillingAccount
from billing.types import RULES
from customers import emails
from customers.mail_kinds import LOW_BALANCE
from customers.sender_book import SenderBook
from customers.services import invoice_mails, overdue_locks, reminders
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.selectors import PlanBook

logger = logging.getLogger(__name__)

# One sweep takes so many accounts and seconds at most; the next goes on from there.
SWEEP_ACCOUNTS = 5000
SWEEP_INVOICES = 2000
SWEEP_SECONDS = 25
# The same of what runs every hour.
HOUR_SECONDS = 1200


@shared_task
def tell_low_balances() -> None:
    """Mail who fell below the balance they wish to be told of, once for each time.

    The ledger notes in ``low_since`` when a balance fell; which of these moments have
    their mail is told by the mail's key. So nothing is forgotten or told twice, whatever
    posted, raced or was down meanwhile.
    """
    end = time.monotonic() + SWEEP_SECONDS
    book = SenderBook()
    with scopes_disabled():  # the worker serves every tenant
        account_ids = list(
            untold_accounts().values_list("pk", flat=True)[:SWEEP_ACCOUNTS]
        )
        for account_id in account_ids:
            # Read again: the balance may be back above by now.
            account = untold_accounts().filter(pk=account_id).first()
            if account is not None:
                _tell(account, book)
            if time.monotonic() > end:
                return


def untold_accounts() -> QuerySet[BillingAccount]:
    """Accounts that are low and were not told so since they fell, longest ones first."""
    told = OutgoingEmail.objects.filter(key=OuterRef("low_balance_key"))
    return (
        BillingAccount.objects.filter(
            low_since__isnull=False,
            bill_type__in=[kind for kind, rules in RULES.items() if rules.uses_balance],
            customer__deleted_at=None,
        )
        .exclude(customer__email="")
        .annotate(low_balance_key=_key())
        .filter(~Exists(told))
        .select_related("customer")
        .order_by("low_since", "pk")
    )


def _key() -> Concat:
    """`emails.low_balance_key` as the database says it."""
    moment = Func(
        F("low_since"),
        template="(extract(epoch from %(expressions)s) * 1000000)::bigint::text",
        output_field=CharField(),
    )
    account = Cast("pk", CharField())
    return Concat(Value(f"{LOW_BALANCE}:"), account, Value(":"), moment)


def _tell(account: BillingAccount, book: SenderBook) -> None:
    try:
        emails.send_low_balance(account, book)
    except Exception:
        # One account's trouble must not keep the others' mails back.
        logger.exception("account %s could not be told that it is low", account.pk)


@shared_task
def follow_overdue_lock(account_id: int) -> None:
    """Lift the lock of an account that paid what was overdue, at once."""
    overdue_locks.follow(account_id, PlanBook())


@shared_task
def follow_overdue_locks() -> None:
    """Lock whose invoices are overdue, where plans say so; lift what is left over."""
    end = time.monotonic() + HOUR_SECONDS
    plans = PlanBook()
    for account_id in overdue_locks.to_follow(plans):
        try:
            overdue_locks.follow(account_id, plans)
        except Exception:
            # One account's trouble must not keep the others from being unlocked.
            logger.exception("the lock of account %s could not be set", account_id)
        if time.monotonic() > end:
            return


@shared_task
def remind_of_invoices() -> None:
    """Remind of open invoices on the days that plans set, each once."""
    end = time.monotonic() + HOUR_SECONDS
    book = SenderBook()
    for due in reminders.due_reminders():
        try:
            reminders.remind(due, book)
        except Exception:
            # One invoice's trouble must not keep the others' mails back.
            logger.exception("nobody could be reminded of %s", due.invoice_id)
        if time.monotonic() > end:
            return


@shared_task
def mail_invoice(invoice_id: int) -> None:
    """Mail an invoice whose files were just drawn."""
    invoice_mails.mail(invoice_id, SenderBook())


@shared_task
def mail_invoices() -> None:
    """Mail what was approved since, and what a lost message left behind."""
    end = time.monotonic() + SWEEP_SECONDS
    book = SenderBook()
    for invoice_id in invoice_mails.waiting(SWEEP_INVOICES):
        try:
            invoice_mails.mail(invoice_id, book)
        except Exception:
            # One invoice's trouble must not keep the others' mails back.
            logger.exception("invoice %s could not be mailed", invoice_id)
        if time.monotonic() > end:
            return
