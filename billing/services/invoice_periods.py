"""The invoices of billing periods that have ended, each once however late (D 1.5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db import transaction

from billing import keys
from billing.choices import InvoiceOccasion
from billing.models import BillingAccount, Invoice
from billing.pricing import next_period
from billing.services.invoices import issue
from billing.types import rules_of
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod
from rateplans.selectors import PlanBook


def issue_ended(
    account: BillingAccount,
    *,
    by: Actor,
    plans: PlanBook,
    on: date | None = None,
    note: Callable[[Invoice], None] | None = None,
) -> list[Invoice]:
    """Issue the invoice of each period that has ended and whose successor was charged.

    Each in a transaction of its own, in which ``note`` is told of it. Late or repeated, the
    result is the same: each goes up to the beginning of its own last day's morrow, and is
    keyed by that. Behind one that is held back, later ones wait.
    """
    made: list[Invoice] = []
    with scopes_disabled():  # the run goes over all trees
        if not rules_of(account.bill_type).has_period_invoices:
            _remember_invoiced(account.pk, account.billed_from)
            return made
        for end in _period_ends(account, plans):
            with transaction.atomic():
                key = keys.period_invoice(end)
                invoice = issue(
                    account.pk,
                    occasion=InvoiceOccasion.PERIOD,
                    key=key,
                    by=by,
                    until=end,
                    on=on,
                    plans=plans,
                )
                if invoice is not None and invoice.key != key:
                    break  # it waits
                _remember_invoiced(account.pk, end)
                if invoice is not None:
                    made.append(invoice)
                    if note is not None:
                        note(invoice)
    return made


def _period_ends(account: BillingAccount, plans: PlanBook) -> list[date]:
    """The ends of periods since the last invoice, up to where the period begins that was
    charged last; by the plan of today."""
    plan = plans.plan(account.plan_id, on=account.billed_from)
    period = BillingPeriod(plan.value("billing_period"))
    ends = []
    day = account.invoiced_until
    while day < account.billed_from:
        day = min(next_period(day, period)[1], account.billed_from)
        ends.append(day)
    return ends


def _remember_invoiced(account_id: int, until: date) -> None:
    BillingAccount.objects.filter(pk=account_id, invoiced_until__lt=until).update(
        invoiced_until=until
    )
