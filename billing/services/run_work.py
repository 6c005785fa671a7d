"""What a billing run does on accounts: charges what is due, issues what is to be invoiced.

Whatever is wrong with one account must not keep the others waiting: it is noted.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from billing import keys
from billing.choices import EntryKind
from billing.models import BillingAccount, Invoice, LedgerEntry, RunFailure, RunInvoice
from billing.services import held_back
from billing.services.charges import charge_due
from billing.services.invoice_periods import issue_ended
from billing.services.invoices import issue_topup
from billing.services.periods import close_account, close_accounts
from billing.types import RULES, rules_of
from portal.core.actor import Actor, system_actor
from rateplans.selectors import PlanBook

logger = logging.getLogger(__name__)

Errors = dict[int, str]  # `RunFailure.error`, by account


def close(ids: Sequence[int], *, on: date | None) -> Errors:
    """Close the periods of these accounts: together, or where that fails one by one."""
    if _tried(close_accounts, ids, on=on) is None:
        return {}
    return close_each(ids, on=on)


def close_each(
    ids: Sequence[int], *, on: date | None, by: Actor | None = None
) -> Errors:
    return _each(close_account, ids, on=on, by=by)


def charge_each(
    ids: Sequence[int], *, on: date | None, by: Actor | None = None
) -> Errors:
    return _each(charge_due, ids, on=on, by=by)


def invoice_each(
    ids: Sequence[int],
    *,
    run_id: int | None,
    by: Actor | None = None,
    goes_on: Callable[[int], bool] = lambda _done: True,
) -> tuple[int, Errors]:
    """Issue what is due, account by account while ``goes_on``, asked with how many are
    done; returns how many that were in the end, and what failed."""
    errors: Errors = {}
    plans = PlanBook()
    for done, pk in enumerate(ids):
        if not goes_on(done):
            return done, errors
        errors |= _each(issue_for, [pk], run_id=run_id, by=by, plans=plans)
    return len(ids), errors


def issue_for(
    account_id: int,
    *,
    run_id: int | None,
    by: Actor | None = None,
    plans: PlanBook | None = None,
) -> None:
    """Issue the invoices of the account's ended periods and of its top-ups.

    Each in a transaction of its own, with the run's row of it: the seller's series is held
    no longer than for one. What was issued before one fails stays, and is found again.
    """
    account = BillingAccount.objects.select_related("provider").get(pk=account_id)
    by = by or system_actor(account.provider)
    note = partial(_note, run_id)
    issue_ended(account, by=by, plans=plans or PlanBook(), note=note)
    if rules_of(account.bill_type).has_topup_invoices:
        for entry in topups_to_invoice().filter(account=account_id).order_by("pk"):
            with transaction.atomic():
                if invoice := issue_topup(entry, by=by):
                    note(invoice)


def _note(run_id: int | None, invoice: Invoice) -> None:
    """That a run made it; not where it was made by nobody's run."""
    if run_id is not None:
        RunInvoice.objects.bulk_create(
            [RunInvoice(run_id=run_id, invoice=invoice)], ignore_conflicts=True
        )


def topups_to_invoice() -> QuerySet[LedgerEntry]:
    """Top-ups that get an invoice of their own and have none; one held back is one."""
    types = [kind for kind, rules in RULES.items() if rules.has_topup_invoices]
    held = Invoice.objects.filter(
        account=OuterRef("account"),
        key=Concat(Value(keys.TOPUPS), Cast(OuterRef("pk"), CharField())),
    )
    return LedgerEntry.objects.filter(
        ~Exists(held),
        kind=EntryKind.TOPUP,
        invoice=None,
        reversed_by=None,
        amount__gt=0,
        account__bill_type__in=types,
    )


def accounts_to_invoice(
    charged_soon: Iterable[int] = (), *, among: Iterable[int] | None = None
) -> list[int]:
    """Accounts of which a period has ended, or a top-up waits for its invoice; those
    ``among`` some.

    Not of a period that waits behind an invoice that is held back. ``charged_soon`` are
    those whose next period is about to be charged, which ends one.
    """
    types = [kind for kind, rules in RULES.items() if rules.has_period_invoices]
    ended = Q(invoiced_until__lt=F("billed_from"))
    soon = Q(pk__in=list(charged_soon), invoiced_until__lt=F("billed_until"))
    waits = Exists(held_back.held().filter(account=OuterRef("pk")))
    rows = BillingAccount.objects.filter(~waits, bill_type__in=types)
    topups = topups_to_invoice()
    if among is not None:
        rows, topups = rows.filter(pk__in=among), topups.filter(account__in=among)
    found: set[int] = set()
    for due in (ended, soon):
        found.update(rows.filter(due).values_list("pk", flat=True))
    found.update(topups.values_list("account", flat=True))
    return sorted(found)


def _each(service: Callable[..., Any], ids: Sequence[int], **more: Any) -> Errors:
    """Each account in a transaction of its own; why it failed, by account."""
    errors = ((pk, _tried(service, pk, **more)) for pk in ids)
    return {pk: error for pk, error in errors if error is not None}


def _tried(service: Callable[..., Any], what: Any, **more: Any) -> str | None:
    """Why it failed, if it did: a person's words, or where in the log the program's are.

    A server that has gone ends the work: another goes on.
    """
    try:
        service(what, **more)
    except ValidationError as error:
        return " ".join(error.messages)
    except Exception as error:
        # Whatever is wrong with one account must not keep the others from being charged.
        if isinstance(error, OperationalError) and not connection.is_usable():
            raise
        reference = secrets.token_hex(4)
        logger.exception("%s failed for %s (%s)", service.__name__, what, reference)
        return f"{RunFailure.LOGGED}{reference}"
    return None
