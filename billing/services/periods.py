"""Charging the recurring fees of accounts, period by period (design 4).

An account's ``billed_until`` is the first day no fee was charged for. Closing charges for the
next period what there was when it began, and moves that day on, in one transaction: a run
that is repeated, late or killed gives one result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from billing import keys, ledger
from billing.models import BillingAccount
from billing.pricing import next_period
from billing.services.fee_lines import FeeLine, recurring_line, signup_line
from billing.services.period_prices import Book
from portal.core.actor import Actor, system_actor
from portal.core.periods import local_date, start_of_day
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, Feature, Occurs

# How many of what cost something: the oldest of a kind are those the plan includes.
_PAID = """
SELECT place.account_id, counted.feature, counted.number_class_id, count(*)
FROM unnest(%(accounts)s::bigint[], %(customers)s::bigint[], %(ats)s::timestamptz[],
            %(sinces)s::timestamptz[])
    AS place (account_id, customer_id, at, since)
JOIN LATERAL (
    SELECT billed.feature, billed.number_class_id, billed.started_at,
           row_number() OVER (PARTITION BY billed.feature
                              ORDER BY billed.started_at, billed.id) AS rank
    FROM {source}
      AND billed.started_at < place.at
      AND (billed.ended_at IS NULL OR billed.ended_at >= place.at)
) counted ON true
LEFT JOIN unnest(%(included_by)s::bigint[], %(features)s::text[], %(included)s::int[])
    AS free (account_id, feature, included)
    ON free.account_id = place.account_id AND free.feature = counted.feature
WHERE counted.rank > coalesce(free.included, 0)
  AND (place.since IS NULL OR counted.started_at >= place.since)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
"""
_OWN = "billing_billedfeature billed WHERE billed.customer_id = place.customer_id"
# By the path as a constant: a range that is joined would be guessed far too wide.
_BELOW = """customers_customer customer
    JOIN billing_billedfeature billed ON billed.customer_id = customer.id
    WHERE customer.path >= %(path)s COLLATE "C"
      AND customer.path < %(path)s || ':' COLLATE "C"
      AND (customer.deleted_at IS NULL OR customer.deleted_at >= place.at)"""
_PAID_OWN = _PAID.format(source=_OWN)
_PAID_BELOW = _PAID.format(source=_BELOW)
Counted = dict[int, list[tuple[Feature, int | None, int]]]


def close_account(
    account_id: int, *, on: date | None = None, by: Actor | None = None
) -> int:
    """Charge every period that has begun by the day ``on``, the account's today by default.

    Returns how many were charged. Running it again does nothing.
    """
    return close_accounts([account_id], on=on, by=by).get(account_id, 0)


@transaction.atomic
def close_accounts(
    account_ids: Sequence[int], *, on: date | None = None, by: Actor | None = None
) -> dict[int, int]:
    """The same for several accounts in one transaction: all of them or none.

    Returns how many periods were charged by account; those with nothing due are left out.
    """
    closed: dict[int, int] = defaultdict(int)
    with scopes_disabled():  # the run goes over all trees
        accounts = list(
            BillingAccount.objects.filter(pk__in=account_ids)
            .select_for_update(of=("self",), no_key=True)
            .select_related("customer")
            .prefetch_related("liabilities__tax")
            .order_by("pk")
        )
        now = timezone.now()
        days = {
            account.pk: on or local_date(account.customer.time_zone, now)
            for account in accounts
            if account.customer.deleted_at is None
        }
        while due := [
            account
            for account in accounts
            if account.pk in days and account.billed_until <= days[account.pk]
        ]:
            # The oldest first, so that each ledger is in the order of its periods.
            begin = min(account.billed_until for account in due)
            group = [account for account in due if account.billed_until == begin]
            _close_period(group, begin, by=by or system_actor(group[0].customer))
            for account in group:
                closed[account.pk] += 1
    return closed


def _close_period(accounts: list[BillingAccount], begin: date, *, by: Actor) -> None:
    """Charge ``accounts`` for the period that begins on the day ``begin``."""
    ats = {
        account.pk: start_of_day(begin, account.customer.time_zone)
        for account in accounts
    }
    book = Book(accounts, begin)
    postings: dict[datetime, list[ledger.Posting]] = defaultdict(list)
    for account, line, number_class_id in period_lines(book, accounts, begin, ats):
        key = keys.period_fee(line.kind, begin, line.feature, number_class_id)
        if line.gross:
            postings[ats[account.pk]].append(line.debit(key))
    for at, group in postings.items():
        ledger.post(group, by=by, within_limits=False, at=at)
    for account in accounts:
        account.billed_until = next_period(begin, book.level(account).period)[1]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_billingaccount account"
            " SET billed_until = item.until, billed_from = %s"
            " FROM unnest(%s::bigint[], %s::date[]) AS item (id, until)"
            " WHERE account.id = item.id",
            [
                begin,
                [account.pk for account in accounts],
                [account.billed_until for account in accounts],
            ],
        )


def period_lines(
    book: Book,
    accounts: Iterable[BillingAccount],
    begin: date,
    ats: dict[int, datetime],
) -> Iterable[tuple[BillingAccount, FeeLine, int | None]]:
    """The fees of the period that begins on the day ``begin``, with the class of numbers.

    ``ats`` says by account when that is: counted is what is there then. Posts nothing.
    """
    charged = [
        account
        for account in accounts
        if account.fees_from <= begin and book.level(account).rules.has_monthly_fees
    ]
    # Sign-up fees of what was added while billing was delayed and is still there.
    delayed = [account for account in charged if account.fees_from == begin]
    recurring = [
        account
        for account in charged
        if book.level(account).period != BillingPeriod.INDEFINITE
    ]
    signups = _counted(book, delayed, ats, only_new=True)
    counts = _counted(book, recurring, ats)
    for account in charged:
        level = book.level(account)
        period = next_period(begin, level.period)
        for feature, number_class, quantity in counts.get(account.pk, ()):
            price = book.price(account, feature, Occurs.RECURRING, number_class)
            if price.amount:
                label = book.label(quantity, number_class)
                line = recurring_line(
                    price, feature, quantity, label, period, book.rates
                )
                yield account, line, number_class
        for feature, number_class, quantity in signups.get(account.pk, ()):
            price = book.price(account, feature, Occurs.SIGNUP, number_class)
            if price.amount:
                label = book.label(quantity, number_class)
                line = signup_line(price, feature, quantity, label, book.rates)
                yield account, line, number_class


def _counted(
    book: Book,
    accounts: Sequence[BillingAccount],
    ats: dict[int, datetime],
    *,
    only_new: bool = False,
) -> Counted:
    """(feature, number class, how many cost something) at and below each account.

    With ``only_new`` those that came since the account was opened.
    """
    found: Counted = {}
    if not accounts:
        return found
    with_customers = book.with_customers(accounts)
    alone = [account for account in accounts if account.pk not in with_customers]
    groups = [(_PAID_OWN, alone)] if alone else []
    groups += [(_PAID_BELOW, [with_customers[pk]]) for pk in sorted(with_customers)]
    for query, group in groups:
        included = [
            (account.pk, str(feature), free)
            for account in group
            for feature in Feature
            if (free := book.level(account).plan.included(feature).value)
        ]
        values: dict[str, Any] = {
            "accounts": [account.pk for account in group],
            "customers": [account.customer_id for account in group],
            "path": group[0].customer.path,
            "ats": [ats[account.pk] for account in group],
            "sinces": [
                account.customer.created_at if only_new else None for account in group
            ],
            "included_by": [item[0] for item in included],
            "features": [item[1] for item in included],
            "included": [item[2] for item in included],
        }
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            for account_id, feature, number_class, quantity in cursor.fetchall():
                item = Feature(feature), number_class, quantity
                found.setdefault(account_id, []).append(item)
    return found
