"""Statuses that people set and that sending changes, by the table of D 6.2.

What payments, credit notes and passing days do to a status stands with those; saying by hand
that an invoice is paid books a payment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import groupby

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import InvoiceStatus
from billing.invoice_statuses import may_follow
from billing.models import BillingAccount, Invoice
from billing.services import payments_by_hand
from billing.services.invoice_drafts import last_days
from billing.services.invoices import status_when_sent
from portal.core import audit
from portal.core.actor import Actor
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from rateplans.selectors import effective_plan

APPROVED = "invoice.approved"
TAKEN_BACK = "invoice.approval_taken_back"
SENT = "invoice.sent"
SET = "invoice.status_set"
_TOLD = ("status", "overdue_from")
# Nobody gives more time than that: it is another year that was typed.
LONGEST = timedelta(days=366)
# So many invoices are locked and written at once where all of a list are meant.
BATCH = 1000


def approve_all(invoices: QuerySet[Invoice], *, by: Actor) -> int:
    """`approve` in several transactions: of 60,000, none waits for the last."""
    return _in_batches(invoices, approve, by)


def send_all(invoices: QuerySet[Invoice], *, by: Actor) -> int:
    """`send_approved` in several transactions; credit notes come after their invoices."""
    return _in_batches(invoices, send_approved, by)


def _in_batches(invoices: QuerySet[Invoice], act: Callable[..., int], by: Actor) -> int:
    """How many of ``invoices`` ``act`` changed, the oldest first; each batch is kept."""
    by.require(Permission.COMMERCE)
    done, last = 0, 0
    while True:
        rows = invoices.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        ids = list(rows[:BATCH])
        if not ids:
            return done
        done += act(Invoice.objects.filter(pk__in=ids), by=by)
        last = ids[-1]


@transaction.atomic
def approve(invoices: QuerySet[Invoice], *, by: Actor) -> int:
    """Approve those of ``invoices`` that wait for it; how many there were.

    What somebody else approved meanwhile is left alone, and not counted.
    """
    by.require(Permission.COMMERCE)
    return _move(invoices, InvoiceStatus.QUEUED, InvoiceStatus.APPROVED, APPROVED, by)


@transaction.atomic
def take_back_approval(invoices: QuerySet[Invoice], *, by: Actor) -> int:
    """Let approved ones wait again; how many there were. What was sent stays sent."""
    by.require(Permission.COMMERCE)
    return _move(invoices, InvoiceStatus.APPROVED, InvoiceStatus.QUEUED, TAKEN_BACK, by)


@transaction.atomic
def send_approved(invoices: QuerySet[Invoice], *, by: Actor) -> int:
    """Let those of ``invoices`` that are approved go to their customers; how many.

    From now on they are due, paid or pre-paid, their customers see them, and whatever is
    to be mailed is: `customers.services.invoice_mails` finds it. One whose day to pay by has
    passed meanwhile gets as many days more as it waited; its document stays as it is. A
    credit note goes with its invoice or after it.
    """
    by.require(Permission.COMMERCE)
    approved = invoices.filter(status=InvoiceStatus.APPROVED)
    _hold_accounts(approved)
    rows = _without_early_notes(_locked(approved, by))

    def wanted(row: Invoice) -> InvoiceStatus:
        return status_when_sent(row, row.account)

    ids = [row.pk for row in rows]
    _give_time(rows)
    for status, part in groupby(sorted(rows, key=wanted), key=wanted):
        _set(list(part), status, SENT, by)
    Invoice.objects.filter(pk__in=ids).update(sent_at=timezone.now())
    return len(rows)


def _without_early_notes(rows: list[Invoice]) -> list[Invoice]:
    """Without credit notes on what was not sent, and is not among them."""
    about = {row.corrects_id for row in rows if row.corrects_id is not None}
    about -= {row.pk for row in rows}
    unsent = set(
        Invoice.objects.filter(pk__in=about, sent_at=None).values_list("pk", flat=True)
    )
    return [row for row in rows if row.corrects_id not in unsent]


@transaction.atomic
def set_status(
    *,
    invoice: Invoice,
    status: InvoiceStatus,
    by: Actor,
    reason: str = "",
    overdue_from: date | None = None,
) -> Invoice:
    """Set the status by hand, where the table allows it; the same one changes nothing.

    Paid is what payments make it: what is open is booked as paid today; what was paid is
    taken back when it is no longer, for ``reason``. Due again is due for longer: until the
    day before ``overdue_from``, which reminders and locks follow. Overdue before its day is
    overdue from today on. Raises ValidationError where what happened meanwhile, or the
    table, forbids it.
    """
    by.require(Permission.COMMERCE)
    same = Invoice.objects.filter(pk=invoice.pk)
    _hold_accounts(same)
    found = _locked(same, by)
    if not found:
        raise PermissionDenied
    [row] = found
    if row.status == status:
        return row
    if not may_follow(row.status, status, by_hand=True):
        raise ValidationError(
            _("An invoice with the status “%(present)s” cannot become “%(wanted)s”.")
            % {"present": row.get_status_display(), "wanted": status.label},
            code="status",
        )
    before = audit.snapshot(row, _TOLD)
    if InvoiceStatus.PAID in {status, row.status}:
        _pay(row, status, reason, by)
    else:
        row.overdue_from = _overdue_from(row, status, overdue_from)
        row.status = status
        row.save(update_fields=["status", "overdue_from"])
    row.refresh_from_db(fields=["status", "settled"])
    changes = audit.differences(before, audit.snapshot(row, _TOLD))
    audit.record(SET, row, by=by, customer=row.account.customer, changes=changes)
    return row


def _give_time(rows: Iterable[Invoice]) -> None:
    """Nobody is late with what only comes today."""
    late = []
    for row in rows:
        today = local_date(row.account.customer.time_zone)
        if not (row.issued_on and row.due_on and row.overdue_on) or row.due_on >= today:
            continue
        row.overdue_from = row.overdue_on + (today - row.issued_on)
        late.append(row)
    Invoice.objects.bulk_update(late, ["overdue_from"], batch_size=1000)


def offered_overdue_day(invoice: Invoice) -> date:
    """From which day on an invoice that is due again is overdue, if nobody says otherwise:
    that which stands on it if it is yet to come, else as if it were issued today."""
    account = invoice.account
    today = local_date(account.customer.time_zone)
    present = invoice.first_overdue_day
    if present is not None and present > today:
        return present
    with scopes_disabled():  # plans are the provider's
        plan = effective_plan(account.plan, on=today)
    return last_days(account, plan, today)[1]


def _overdue_from(
    invoice: Invoice, status: InvoiceStatus, wanted: date | None
) -> date | None:
    """The day to be kept; None for the one that it was issued with."""
    today = local_date(invoice.account.customer.time_zone)
    if status == InvoiceStatus.OVERDUE:
        first = invoice.first_overdue_day
        return today if first is None or first > today else invoice.overdue_from
    if status != InvoiceStatus.DUE:
        return invoice.overdue_from
    if wanted is None:
        error = ValidationError(_("Say from which day on it is overdue."))
    elif wanted <= today:
        error = ValidationError(_("Choose a day that is yet to come."), code="past")
    elif wanted > today + LONGEST:
        error = ValidationError(
            _("That is more than a year away. Check the year."), code="far"
        )
    else:
        return None if wanted == invoice.overdue_on else wanted
    raise ValidationError({"overdue_from": error})


def _pay(invoice: Invoice, status: InvoiceStatus, reason: str, by: Actor) -> None:
    """Book what is open as paid, or take back what was paid."""
    if status == InvoiceStatus.PAID:
        moved = payments_by_hand.settle_by_hand(invoice=invoice, by=by) is not None
    else:
        why = reason or _("The payment was refused")
        moved = bool(
            payments_by_hand.reverse_by_hand(invoice=invoice, reason=why, by=by)
        )
    if not moved:
        raise ValidationError(
            _("There is no payment to record or to take back."), code="paid"
        )


def _move(
    invoices: QuerySet[Invoice],
    present: InvoiceStatus,
    wanted: InvoiceStatus,
    action: str,
    by: Actor,
) -> int:
    rows = _locked(invoices.filter(status=present), by)
    _set(rows, wanted, action, by)
    return len(rows)


def _hold_accounts(invoices: QuerySet[Invoice]) -> None:
    """Let payments wait: what they settle decides what an invoice is."""
    ids = invoices.order_by().values("account")
    accounts = BillingAccount.objects.filter(pk__in=ids).order_by("pk")
    list(accounts.select_for_update(of=("self",), no_key=True).values_list("pk"))


def _locked(invoices: QuerySet[Invoice], by: Actor) -> list[Invoice]:
    """Those of ``invoices`` that ``by`` issued, with their customers.

    Always in the same order, so that two who do this at once wait instead of falling over
    each other; whoever comes second sees what the first has made of them.
    """
    return list(
        invoices.filter(issuer=by.customer.pk)
        .select_related("account__customer")
        .defer("content")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )


def _set(
    rows: Iterable[Invoice], wanted: InvoiceStatus, action: str, by: Actor
) -> None:
    """One statement for the rows, two for what the audit log tells of them."""
    rows = list(rows)
    if not rows:
        return
    before = audit.snapshot(rows[0], ["status"])
    Invoice.objects.filter(pk__in=[row.pk for row in rows]).update(status=wanted)
    for row in rows:
        row.status = wanted
    audit.record_each(
        action,
        [(row, row.account.customer) for row in rows],
        by=by,
        changes=audit.differences(before, audit.snapshot(rows[0], ["status"])),
    )
