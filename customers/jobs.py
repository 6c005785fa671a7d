"""Work on a timer. Each selects due rows and hands them on one by one."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.db import transaction
from django.db.models import CharField, Exists, F, Func, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from billing.choices import InvoiceStatus
from billing.models import BillingAccount, Invoice
from billing.types import RULES
from customers import emails
from customers.services import overdue_locks, reminders
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled

logger = logging.getLogger(__name__)

# One sweep takes so many accounts and seconds at most; the next goes on from there.
SWEEP_ACCOUNTS = 5000
SWEEP_INVOICES = 2000
SWEEP_SECONDS = 25
REMINDER_SECONDS = 1800


@shared_task
def tell_low_balances() -> None:
    """Mail who fell below the balance they wish to be told of, once for each time.

    The ledger notes in ``low_since`` when a balance fell; which of these moments have
    their mail is told by the mail's key. So nothing is forgotten or told twice, whatever
    posted, raced or was down meanwhile.
    """
    end = time.monotonic() + SWEEP_SECONDS
    with scopes_disabled():  # the worker serves every tenant
        account_ids = list(
            untold_accounts().values_list("pk", flat=True)[:SWEEP_ACCOUNTS]
        )
        for account_id in account_ids:
            # Read again: the balance may be back above by now.
            account = untold_accounts().filter(pk=account_id).first()
            if account is not None:
                _tell(account)
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
    return Concat(Value(f"{emails.LOW_BALANCE}:"), account, Value(":"), moment)


def _tell(account: BillingAccount) -> None:
    try:
        emails.send_low_balance(account)
    except Exception:
        # One account's trouble must not keep the others' mails back.
        logger.exception("account %s could not be told that it is low", account.pk)


@shared_task
def follow_overdue_lock(account_id: int) -> None:
    """Lift the lock of an account that paid what was overdue, at once."""
    overdue_locks.follow(account_id)


@shared_task
def follow_overdue_locks() -> None:
    """Lock whose invoices are overdue, where plans say so; lift what is left over."""
    for account_id in overdue_locks.to_follow():
        try:
            overdue_locks.follow(account_id)
        except Exception:
            # One account's trouble must not keep the others from being unlocked.
            logger.exception("the lock of account %s could not be set", account_id)


@shared_task
def remind_of_invoices() -> None:
    """Remind of open invoices on the days that plans set, each once."""
    end = time.monotonic() + REMINDER_SECONDS
    for due in reminders.due_reminders():
        try:
            reminders.remind(due)
        except Exception:
            # One invoice's trouble must not keep the others' mails back.
            logger.exception("nobody could be reminded of %s", due.invoice_id)
        if time.monotonic() > end:
            return


# Those that a customer may see; the others wait for the seller's approval.
MAILED = (
    InvoiceStatus.DUE,
    InvoiceStatus.OVERDUE,
    InvoiceStatus.PAID,
    InvoiceStatus.PAYMENT_REFUSED,
    InvoiceStatus.PREPAID,
)


@shared_task
def mail_invoices() -> None:
    """Mail the invoices that were drawn, each once: the mail's key names it."""
    end = time.monotonic() + SWEEP_SECONDS
    with scopes_disabled():  # the worker serves every tenant
        waiting = list(invoices_to_mail().values_list("pk", flat=True)[:SWEEP_INVOICES])
        for invoice_id in waiting:
            try:
                mail_invoice(invoice_id)
            except Exception:
                # One invoice's trouble must not keep the others' mails back.
                logger.exception("invoice %s could not be mailed", invoice_id)
            if time.monotonic() > end:
                return


def invoices_to_mail() -> QuerySet[Invoice]:
    """Issued, drawn and not held for review, with somebody to mail them to."""
    return (
        Invoice.objects.filter(
            is_sent_to_customer=True,
            mailed_at=None,
            issued_at__isnull=False,
            drawn_at__isnull=False,
            status__in=MAILED,
        )
        .exclude(account__customer__email="")
        .order_by("pk")
    )


@transaction.atomic
def mail_invoice(invoice_id: int) -> None:
    """Write the mail of one invoice, unless somebody did meanwhile."""
    with scopes_disabled():  # the worker serves every tenant
        rows = invoices_to_mail().select_for_update(of=("self",), skip_locked=True)
        invoice = (
            rows.select_related("account__customer", "issuer")
            .filter(pk=invoice_id)
            .first()
        )
        if invoice is None:
            return
        emails.send_invoice(invoice)
        invoice.mailed_at = timezone.now()
        invoice.save(update_fields=["mailed_at"])
