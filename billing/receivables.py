"""What customers owe: open invoices by how long they have been due, and what was paid.

Ages count from the due day, in the customer's zone: not due yet, up to 30 days, 60, 90, more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from billing.choices import InvoiceType
from billing.invoice_days import due_day
from billing.invoice_statuses import OPEN, UNPAID
from billing.models import BillingAccount, Invoice, Payment
from portal.core.actor import TenantRow
from portal.core.money import ZERO
from portal.core.periods import local_date

# The last day of each span of ages but the last, which has none; below 0 is not due yet.
NOT_DUE, DAYS_30, DAYS_60, DAYS_90, OLDER = (
    "not_due",
    "days_30",
    "days_60",
    "days_90",
    "older",
)
AGES = (NOT_DUE, DAYS_30, DAYS_60, DAYS_90, OLDER)
_ENDS = {DAYS_30: 30, DAYS_60: 60, DAYS_90: 90}
# So many of each stand on a page; the download has all.
MOST_SHOWN = 200


def age_of(late: int) -> str:
    """The span that ``late`` days after the due day are in; 0 is the due day itself."""
    if late <= 0:
        return NOT_DUE
    return next((age for age, end in _ENDS.items() if late <= end), OLDER)


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice of which something is to be paid; ``late`` days after its due day."""

    invoice: Invoice
    late: int

    @property
    def age(self) -> str:
        return age_of(self.late)


@dataclass(frozen=True, slots=True)
class Statement:
    """The open items of one account and its latest payments."""

    account: BillingAccount
    open: tuple[OpenInvoice, ...]
    payments: tuple[Payment, ...]

    @property
    def by_age(self) -> dict[str, Decimal]:
        sums = dict.fromkeys(AGES, ZERO)
        for each in self.open:
            sums[each.age] += each.invoice.open
        return sums

    @property
    def total(self) -> Decimal:
        return sum((each.invoice.open for each in self.open), ZERO)


def statement_of(account: BillingAccount, *, shown_to_customer: bool) -> Statement:
    """What an account owes now; ``shown_to_customer``: only what was sent to it.

    A provider sees what was paid to itself, not what the account paid to those before.
    Two queries, whatever the account owes. ``account`` has its customer loaded.
    """
    today = local_date(account.customer.time_zone)
    statuses = UNPAID if shown_to_customer else OPEN
    rows = Invoice.objects.filter(
        account=account,
        type=InvoiceType.INVOICE,
        status__in=statuses,
        payable__gt=F("settled"),
    ).order_by(due_day(), "pk")
    found = tuple(
        OpenInvoice(invoice, _late(invoice, today))
        for invoice in rows.defer("content", "gaps")
    )
    payments = Payment.objects.filter(account=account)
    if not shown_to_customer:
        payments = payments.filter(provider=account.provider_id)
    newest = payments.order_by("-received_on", "-pk")[:MOST_SHOWN]
    return Statement(account, found, tuple(newest))


def _late(invoice: Invoice, today: date) -> int:
    return (today - invoice.due_day).days if invoice.due_day else 0


def receivables_of(provider: TenantRow, *, on: date) -> QuerySet[BillingAccount]:
    """Accounts that owe the provider something, with what by age, and in all as ``owed``.

    Ages are as of the day ``on`` for all of them: one statement, whatever their zones.
    """
    due = due_day("invoices__")
    spans: dict[str, Q] = {NOT_DUE: Q(GreaterThanOrEqual(due, on))}
    begin = 1
    for age, end in _ENDS.items():
        spans[age] = Q(
            LessThanOrEqual(due, _days_before(on, begin)),
            GreaterThanOrEqual(due, _days_before(on, end)),
        )
        begin = end + 1
    spans[OLDER] = Q(LessThanOrEqual(due, _days_before(on, begin)))
    is_open = Q(
        invoices__type=InvoiceType.INVOICE,
        invoices__status__in=OPEN,
        invoices__payable__gt=F("invoices__settled"),
    )
    return (
        BillingAccount.objects.filter(is_open, provider=provider.pk)
        .select_related("customer")
        .annotate(
            owed=_sum(Q()), **{age: _sum(condition) for age, condition in spans.items()}
        )
    )


def _sum(condition: Q) -> Coalesce:
    left = F("invoices__payable") - F("invoices__settled")
    if condition:
        left = Case(When(condition, then=left), default=Value(ZERO))  # type: ignore[assignment]
    return Coalesce(
        Sum(left),
        Value(ZERO),
        output_field=DecimalField(max_digits=20, decimal_places=6),
    )


def _days_before(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() - days)


def sums_by_currency(accounts: QuerySet[BillingAccount]) -> dict[str, dict[str, Any]]:
    """What all of them owe together, by age and in all, for each currency."""
    found: dict[str, dict[str, Any]] = {}
    names: Sequence[str] = (*AGES, "owed")
    for row in accounts.order_by().values("currency", *names):
        sums = found.setdefault(row["currency"], dict.fromkeys(names, ZERO))
        for name in names:
            sums[name] += row[name]
    return found
