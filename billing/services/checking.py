"""The proof of the books: every balance, every running balance, every tax (design 4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from billing.models import LedgerCheck, LedgerFault
from portal.core.scope import scopes_disabled

# Accounts looked through by one statement: memory and locks stay small however many there
# are, and each statement sees one moment of the accounts it proves.
BATCH = 1000
MOST_FAULTS = 1000  # kept of one check; a broken backup would have millions
KEPT = timedelta(days=90)

_NEXT = """
SELECT max(id), count(*) FROM (
    SELECT id FROM billing_billingaccount WHERE id > %s ORDER BY id LIMIT %s
) part
"""
_FAULTS = """
WITH entry AS MATERIALIZED (
    SELECT id, account_id, amount, net, balance_after,
           CASE WHEN is_on_balance THEN amount ELSE 0 END AS moved,
           lag(balance_after, 1, 0::numeric) OVER same_account AS before
    FROM billing_ledgerentry
    WHERE account_id > %(after)s AND account_id <= %(until)s
    WINDOW same_account AS (PARTITION BY account_id ORDER BY id)
), tax AS (
    SELECT entry.id, coalesce(sum(part.amount), 0) AS amount
    FROM entry JOIN billing_entrytax part ON part.entry_id = entry.id
    GROUP BY entry.id
), total AS (
    SELECT account_id, sum(moved) AS amount FROM entry GROUP BY account_id
)
SELECT account.id, 'balance', NULL::bigint, coalesce(total.amount, 0), account.balance
FROM billing_billingaccount account LEFT JOIN total ON total.account_id = account.id
WHERE account.id > %(after)s AND account.id <= %(until)s
  AND account.balance <> coalesce(total.amount, 0)
UNION ALL
SELECT account_id, 'chain', id, before + moved, balance_after
FROM entry WHERE balance_after <> before + moved
UNION ALL
SELECT entry.account_id, 'taxes', entry.id, entry.amount - entry.net,
       coalesce(tax.amount, 0)
FROM entry LEFT JOIN tax USING (id)
WHERE entry.amount - entry.net <> coalesce(tax.amount, 0)
ORDER BY 1, 3 NULLS FIRST, 2
"""
_COUNT = """
SELECT count(*) FROM billing_ledgerentry
WHERE account_id > %(after)s AND account_id <= %(until)s
"""


def check_ledger(*, batch: int = BATCH) -> LedgerCheck:
    """Prove the books of all accounts; the result is kept, with what is wrong.

    For each account: its balance is the sum of the entries that move it, every entry
    continues the one before, and the taxes of every entry are its amount without the net.
    """
    check = LedgerCheck.objects.create()
    for after, until, accounts in _ranges(batch):
        span = {"after": after, "until": until}
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, span)
            (entries,) = cursor.fetchone()
            cursor.execute(_FAULTS, span)
            rows = cursor.fetchmany(MOST_FAULTS)
            faults = cursor.rowcount
        room = max(0, MOST_FAULTS - check.faults)
        LedgerFault.objects.bulk_create(
            LedgerFault(
                ledger_check=check,
                account_id=account_id,
                kind=kind,
                entry_id=entry_id,
                expected=expected,
                present=present,
            )
            for account_id, kind, entry_id, expected, present in rows[:room]
        )
        check.accounts += accounts
        check.entries += entries
        check.faults += faults
    check.finished_at = timezone.now()
    check.save()
    LedgerCheck.objects.filter(started_at__lt=check.started_at - KEPT).delete()
    return check


def last_check() -> LedgerCheck | None:
    """The newest check that came to its end."""
    return LedgerCheck.objects.exclude(finished_at=None).order_by("-pk").first()


def faults_of(check: LedgerCheck) -> list[LedgerFault]:
    """What it found, with accounts and customers, over all trees."""
    with scopes_disabled():  # the proof is of the whole system
        return list(check.found.select_related("account__customer"))


def _ranges(batch: int) -> Iterator[tuple[int, int, int]]:
    """Ranges of account ids, open at the beginning, and how many accounts are in each."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [after, batch])
            until, accounts = cursor.fetchone()
        if until is None:
            return
        yield after, until, accounts
        after = until
