"""Reads of ledgers: what an account was at a time and who moved it; what customers brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    ExpressionWrapper,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from billing import keys
from billing.choices import EntryKind, InvoiceStatus
from billing.models import BilledFeature, BillingAccount, LedgerEntry
from portal.core.actor import TenantRow
from portal.core.money import ZERO, has_minor_unit_precision, round_money
from portal.core.periods import start_of_day

# In one statement: a balance and the entries that made it are of the same moment.
_BALANCE_BEFORE = """
SELECT account.balance - coalesce((
    SELECT sum(entry.amount) FROM billing_ledgerentry entry
    WHERE entry.account_id = account.id AND entry.is_on_balance AND entry.at >= %s), 0)
FROM billing_billingaccount account WHERE account.id = %s
"""
_MOVED_BY_DAY = """
SELECT (entry.at AT TIME ZONE %s)::date AS day, sum(entry.amount)
FROM billing_ledgerentry entry
WHERE entry.account_id = %s AND entry.is_on_balance AND entry.at >= %s AND entry.at < %s
GROUP BY 1
"""

# What customers pay for; the rest is money that comes in, or is put right.
REVENUE_KINDS = (
    EntryKind.SIGNUP,
    EntryKind.RECURRING,
    EntryKind.CHARGE,
    EntryKind.PRODUCT,
    EntryKind.CALL,
    EntryKind.REFUND,
    EntryKind.DEBIT,
)
# What was taken back counts as the kind that it takes back.
_REVENUE_BY_MONTH = """
SELECT date_trunc('month', entry.at AT TIME ZONE %s)::date, account.currency,
       -sum(entry.net)
FROM billing_billingaccount account
JOIN billing_ledgerentry entry ON entry.account_id = account.id
LEFT JOIN billing_ledgerentry original ON original.id = entry.reverses_id
WHERE account.provider_id = %s AND entry.at >= %s
  AND coalesce(original.kind, entry.kind) = ANY(%s)
GROUP BY 1, 2
"""
# With more accounts than this, some of the newest entries of all are surely among them.
_MANY_ACCOUNTS = 5000
_NEWEST = """
SELECT entry.id FROM (
    SELECT id FROM billing_billingaccount WHERE provider_id = %s LIMIT %s) account
CROSS JOIN LATERAL (
    SELECT id FROM billing_ledgerentry WHERE account_id = account.id
    ORDER BY id DESC LIMIT %s) entry
ORDER BY entry.id DESC LIMIT %s
"""


def entries_of(account: BillingAccount) -> QuerySet[LedgerEntry]:
    """The account's entries with the people who made them.

    ``is_awaited``: it stands on an invoice that its customer has not been sent yet.
    """
    waits = Q(invoice__status__in=[InvoiceStatus.QUEUED, InvoiceStatus.APPROVED])
    return (
        LedgerEntry.objects.filter(account=account)
        .select_related("person__customer")
        .annotate(
            is_awaited=Coalesce(
                ExpressionWrapper(waits, output_field=BooleanField()), Value(False)
            )
        )
    )


def told_to_customer(entry: LedgerEntry) -> str:
    """What was booked; ``entry`` is one of `entries_of`.

    Until the invoice comes that the debt has moved to, it is only being made.
    """
    if entry.kind == EntryKind.INVOICE and getattr(entry, "is_awaited", False):
        return _("Invoice in preparation")
    return entry.description


def with_causes(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    """``entries``, each with the name of the customer below that it comes from, or None.

    What the customers of an account get is charged to the account as well; by its
    ``cause`` such an entry is told from what the account got itself.
    """
    feature = Func(
        OuterRef("key"),
        Cast(Value(keys.FIRST_FEATURE), TextField()),
        function="substring",
        output_field=TextField(),
    )
    causes = (
        BilledFeature.objects.filter(pk=Cast(feature, BigIntegerField()))
        .exclude(customer=OuterRef("account__customer"))
        .values("customer__name")
    )
    return entries.annotate(cause=Subquery(causes[:1]))


def entries_between(
    account: BillingAccount, begin: datetime, end: datetime
) -> QuerySet[LedgerEntry]:
    """Entries of the half-open time, in the order of their business."""
    entries = with_causes(entries_of(account)).filter(at__gte=begin, at__lt=end)
    return entries.order_by("at", "pk")


def balance_before(account: BillingAccount, at: datetime) -> Decimal:
    """The balance when all that is dated before ``at`` had been booked, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCE_BEFORE, [at, account.pk])
        [[balance]] = cursor.fetchall()
    return Decimal(balance)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in a statement, with the balance after it in the statement's order."""

    entry: LedgerEntry
    balance: Decimal


def lines_between(
    account: BillingAccount, begin: datetime, end: datetime, *, opening: Decimal
) -> Iterator[Line]:
    """The entries of a time as they are read, of any number; ``opening`` as before them."""
    balance = opening
    for entry in entries_between(account, begin, end).iterator(chunk_size=1000):
        if entry.is_on_balance:
            balance += entry.amount
        yield Line(entry, balance)


def balances_by_day(
    account: BillingAccount, *, first: date, last: date, zone: str
) -> list[tuple[date, Decimal]]:
    """The balance at the end of every local day from ``first`` to ``last``."""
    begin = start_of_day(first, zone)
    end = start_of_day(last + timedelta(days=1), zone)
    with connection.cursor() as cursor:
        cursor.execute(_MOVED_BY_DAY, [zone, account.pk, begin, end])
        moved: dict[date, Decimal] = dict(cursor.fetchall())
    balance = balance_before(account, begin)
    found = []
    for day in _days(first, last):
        balance += moved.get(day, ZERO)
        found.append((day, balance))
    return found


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def exact_money(amount: Decimal, currency: str) -> Decimal:
    """``amount`` with the currency's decimal places, or as many more as it needs."""
    if has_minor_unit_precision(amount, currency):
        return round_money(amount, currency)
    return amount.normalize()


def who_booked(entry: LedgerEntry, *, reader: TenantRow) -> str:
    """Whose entry it is, as ``reader`` may know it: nobody above its account has a name.

    ``reader`` is the real person's own account. Of people who were deleted since, only
    that much is certain: who acted as somebody else came from above. Where the account
    was moved, people who booked before may be neither above nor below the reader.
    """
    if not entry.person_name:
        return _("The system")
    if entry.person is None:
        return _("Your provider") if entry.acting_as_name else entry.person_name
    path = entry.person.customer.path
    if path.startswith(reader.path):
        return entry.person_name
    if reader.path.startswith(path):
        return _("Your provider")
    return _("Another account")


def revenue_by_month(
    provider: TenantRow, *, since: datetime, zone: str
) -> list[tuple[date, str, Decimal]]:
    """What the customers directly below were charged, net: month, currency and amount.

    Months are named by their first day in ``zone``. Reads all entries since then.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _REVENUE_BY_MONTH, [zone, provider.pk, since, list(REVENUE_KINDS)]
        )
        return [(month, code, amount) for month, code, amount in cursor.fetchall()]


def newest_entries(provider: TenantRow, *, count: int) -> list[LedgerEntry]:
    """The entries last booked on the accounts of the customers directly below."""
    entries = LedgerEntry.objects.select_related("account__customer").order_by("-pk")
    accounts = BillingAccount.objects.filter(provider=provider.pk).order_by()
    if accounts.values("pk")[: _MANY_ACCOUNTS + 1].count() > _MANY_ACCOUNTS:
        return list(entries.filter(account__provider=provider.pk)[:count])
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [provider.pk, _MANY_ACCOUNTS, count, count])
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(entries.filter(pk__in=ids))
