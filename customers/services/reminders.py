"""Reminders of open invoices, on the days after the due day that the rate plan sets.

Which were sent is told by the mails' keys. One that is late, because the work stood still or
the plan was changed, goes for the last of its days only: nobody is reminded twice at once.
Where somebody gave more time they begin again, counted from the day to pay by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from billing.choices import InvoiceType
from billing.invoice_days import due_day
from billing.invoice_statuses import UNPAID
from billing.models import Invoice
from billing.services.overdue import LocalDay
from customers import emails_of_invoices as emails
from customers.mail_kinds import REMINDER
from customers.sender_book import SenderBook
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.reminders import days_of
from rateplans.selectors import effective_plans

# Not in the night: reminders go from this hour on, where the customer is.
FIRST_HOUR = 8
_FURTHEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to be sent: the ``day``-th day has come, and the ``until``-th has not."""

    invoice_id: int
    day: int
    until: int | None


def due_reminders() -> Iterator[Due]:
    """All that are to be sent now, of each invoice one at most."""
    with scopes_disabled():  # the worker serves every tenant
        plan_ids = set(_open().values_list("account__plan", flat=True))
        plans = effective_plans(plan_ids, on=timezone.now().date())
        by_days: dict[tuple[int, ...], list[int]] = {}
        for plan_id, plan in plans.items():
            days = days_of(str(plan.value("reminder_days")))
            by_days.setdefault(days, []).append(plan_id)
        found = [
            Due(invoice_id, day, until)
            for days, ids in by_days.items()
            for day, until in zip(days, (*days[1:], None), strict=False)
            for invoice_id in _unsent(day, until)
            .filter(account__plan__in=ids)
            .values_list("pk", flat=True)
        ]
    yield from found


@transaction.atomic
def remind(due: Due, book: SenderBook) -> OutgoingEmail | None:
    """Write the mail, unless the invoice was paid or somebody reminded of it meanwhile."""
    with scopes_disabled():  # the worker serves every tenant
        rows = _unsent(due.day, due.until).select_for_update(
            of=("self",), no_key=True, skip_locked=True
        )
        invoice = (
            rows.select_related(*emails.MAILED_WITH)
            .annotate(today=LocalDay("account__customer__time_zone"))
            .filter(pk=due.invoice_id)
            .first()
        )
        if invoice is None:
            return None
        assert invoice.due_day is not None
        late = (invoice.today - invoice.due_day).days
        return emails.send_reminder(invoice, book, day=due.day, late=late)


def _open() -> QuerySet[Invoice]:
    """Somebody waits for money; there is an address to say so, and a file to go with it."""
    return Invoice.objects.filter(
        type=InvoiceType.INVOICE,
        status__in=UNPAID,
        payable__gt=F("settled"),
        drawn_at__isnull=False,
        account__customer__deleted_at=None,
    ).exclude(account__customer__email="")


def _unsent(day: int, until: int | None) -> QuerySet[Invoice]:
    """Open ones whose ``day``-th day has come, but not the ``until``-th, and no mail."""
    key = Concat(
        Value(f"{REMINDER}:"),
        Cast("pk", CharField()),
        Case(
            When(overdue_from=None, then=Value("")),
            default=Concat(Value(":"), Cast("overdue_from", CharField())),
            output_field=CharField(),
        ),
        Value(f":{day}"),
        output_field=CharField(),
    )
    sent = OutgoingEmail.objects.filter(key=OuterRef("reminder_key"))
    rows = (
        _open()
        .alias(reminder_key=key, last_day=due_day())
        .filter(last_day__lte=_days_ago(day))
        .filter(~Exists(sent))
    )
    # Each again in days of UTC, give or take one: what differs by row, no index finds. Of
    # the few whose days were moved, that says nothing.
    today = timezone.now().date()
    is_moved = Q(overdue_from__isnull=False)
    latest = today + _FURTHEST - timedelta(days=day)
    rows = rows.filter(Q(due_on__lte=latest) | is_moved)
    if until is not None:
        earliest = today - _FURTHEST - timedelta(days=until)
        rows = rows.filter(last_day__gt=_days_ago(until))
        rows = rows.filter(Q(due_on__gt=earliest) | is_moved)
    return rows.order_by("pk")


def _days_ago(days: int) -> LocalDay:
    """In the customer's zone, as of the hour from which mails go."""
    return LocalDay("account__customer__time_zone", days=days, hours=FIRST_HOUR)
