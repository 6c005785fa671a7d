"""The only writer of the ledger and of balances (design 4).

The sign rule stands here once: `credit` raises a balance, `debit` lowers it. Posting is one
statement: it locks the accounts in the order of their ids, moves the balances unless a credit
limit forbids it, and writes the entries with the balance after each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import EntryKind
from billing.taxes import TaxPart
from portal.core.actor import Actor
from portal.core.money import ZERO

# Somebody else may post the same event between our look and our writing; then look again.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement to be, made by `credit` or `debit`; all amounts are signed.

    ``amount`` includes the taxes. ``key`` names the business event: an account takes each
    key once.
    """

    account_id: int
    key: str
    kind: EntryKind
    amount: Decimal
    net: Decimal
    description: str
    is_on_balance: bool = True
    reference: str = ""
    quantity: int = 1
    taxes: tuple[TaxPart, ...] = ()
    original_amount: Decimal | None = None
    original_currency: str = ""
    exchange_rate: Decimal | None = None
    feature: str = ""
    object_id: int | None = None
    charge_id: int | None = None
    product_id: int | None = None
    reverses_id: int | None = None
    period_start: date | None = None
    period_end: date | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that was written."""

    entry_id: int
    account_id: int
    key: str
    balance_after: Decimal


@dataclass(frozen=True, slots=True)
class Shortage:
    """An account whose credit does not reach: ``missing`` more would do."""

    account_id: int
    balance: Decimal
    credit_limit: Decimal
    wanted: Decimal
    currency: str

    @property
    def missing(self) -> Decimal:
        return self.wanted - (self.balance + self.credit_limit)


class CreditError(Exception):
    """A charge would take an account below its credit limit; nothing was posted."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        super().__init__(f"{len(shortages)} account(s) short of credit")
        self.shortages = tuple(shortages)


def debit(
    account_id: int,
    key: str,
    kind: EntryKind,
    net: Decimal,
    description: str,
    *,
    taxes: Iterable[TaxPart] = (),
    **details: Any,
) -> Posting:
    """Lower a balance by ``net`` and its taxes, both positive."""
    parts = tuple(replace(part, amount=-part.amount) for part in taxes)
    return _posting(account_id, key, kind, -net, description, parts, details)


def credit(
    account_id: int,
    key: str,
    kind: EntryKind,
    net: Decimal,
    description: str,
    *,
    taxes: Iterable[TaxPart] = (),
    **details: Any,
) -> Posting:
    """Raise a balance by ``net`` and its taxes, both positive."""
    return _posting(account_id, key, kind, net, description, tuple(taxes), details)


def _posting(
    account_id: int,
    key: str,
    kind: EntryKind,
    net: Decimal,
    description: str,
    taxes: tuple[TaxPart, ...],
    details: dict[str, Any],
) -> Posting:
    amount = net + sum((part.amount for part in taxes), ZERO)
    text = description[:200]
    return Posting(account_id, key, kind, amount, net, text, taxes=taxes, **details)


def post(
    postings: Iterable[Posting],
    *,
    by: Actor,
    within_limits: bool,
    at: datetime | None = None,
) -> list[Posted]:
    """Write what is not written yet, all or nothing; amounts of 0 are left out.

    With ``within_limits`` every account must keep ``balance >= -credit_limit`` (equality is
    allowed), else CreditError names those that do not. Without, what is owed is owed: calls
    that were made, fees of a period. ``at`` is the business time, now by default.
    Returns the entries written now; what had been posted before is not among them.
    Raises ValidationError, code ``too_large``, for what no account can hold.
    """
    wanted = [posting for posting in postings if posting.amount != 0]
    if not wanted:
        return []
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _post(wanted, by, within_limits, at or timezone.now())
        except IntegrityError as error:
            if attempt == ATTEMPTS or not _is_double(error):
                raise
        except DataError as error:
            if not isinstance(error.__cause__, psycopg.errors.NumericValueOutOfRange):
                raise
            raise ValidationError(
                _(
                    "No account can hold this: amounts and balances have at most 14"
                    " digits before the decimal point."
                ),
                code="too_large",
            ) from error
    raise AssertionError("unreachable")


def _is_double(error: IntegrityError) -> bool:
    diagnostic = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostic, "constraint_name", None)
    return name == "entry_key_once_per_account"


def _post(
    postings: Sequence[Posting], by: Actor, within_limits: bool, at: datetime
) -> list[Posted]:
    accounts = {posting.account_id for posting in postings}
    if len(accounts) == 1 and not connection.in_atomic_block:
        # One account is refused or not: the statement needs no transaction around it.
        return _written(postings, by, within_limits, at)
    with transaction.atomic():
        return _written(postings, by, within_limits, at)


def _written(
    postings: Sequence[Posting], by: Actor, within_limits: bool, at: datetime
) -> list[Posted]:
    if len(postings) == 1 and not postings[0].taxes:
        rows = _prepared(_ONE, _one_value_each(postings[0], by, within_limits, at))
    else:
        rows = _prepared(_statement(postings), _values(postings, by, within_limits, at))
    posted = [Posted(*row) for row in rows]
    if within_limits and len(posted) < len(postings):
        _refuse_shortages(postings, posted)
    return posted


def _prepared(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """Run a statement that the server keeps the plan of: planning takes longer than it.

    Django's own cursors send every statement anew. What goes wrong is raised as Django's.
    """
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        raw.prepare_threshold = 0
        try:
            cursor.execute(statement, values, prepare=True)
        finally:
            raw.prepare_threshold = None
        return cursor.fetchall()


def _refuse_shortages(postings: Sequence[Posting], posted: list[Posted]) -> None:
    """What is neither written nor was there before, a limit kept out."""
    done = {(entry.account_id, entry.key) for entry in posted}
    left = [item for item in postings if (item.account_id, item.key) not in done]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.id, account.balance, account.credit_limit,"
            " -sum(wanted.amount), account.currency"
            " FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::boolean[])"
            "  AS wanted (account_id, key, amount, is_on_balance)"
            " JOIN billing_billingaccount account ON account.id = wanted.account_id"
            " WHERE wanted.is_on_balance AND NOT EXISTS ("
            "  SELECT 1 FROM billing_ledgerentry entry"
            "  WHERE entry.account_id = wanted.account_id AND entry.key = wanted.key)"
            " GROUP BY account.id ORDER BY account.id",
            [
                [item.account_id for item in left],
                [item.key for item in left],
                [item.amount for item in left],
                [item.is_on_balance for item in left],
            ],
        )
        shortages = [Shortage(*row) for row in cursor.fetchall()]
    if shortages:
        raise CreditError(shortages)


# Columns of an entry by the type their array has in SQL; the order is that of _rows.
_COLUMNS = {
    "account_id": "bigint",
    "key": "text",
    "kind": "text",
    "amount": "numeric(20,6)",
    "net": "numeric(20,6)",
    "is_on_balance": "boolean",
    "description": "text",
    "reference": "text",
    "quantity": "integer",
    "original_amount": "numeric",
    "original_currency": "text",
    "exchange_rate": "numeric",
    "feature": "text",
    "object_id": "bigint",
    "charge_id": "bigint",
    "product_id": "bigint",
    "reverses_id": "bigint",
    "period_start": "date",
    "period_end": "date",
}
_NAMES = ", ".join(_COLUMNS)
_ARRAYS = ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
_ENTRIES = f"""
WITH wanted AS (
    SELECT * FROM unnest({_ARRAYS}) WITH ORDINALITY AS item ({_NAMES}, place)
), fresh AS (
    SELECT * FROM wanted WHERE NOT EXISTS (
        SELECT 1 FROM billing_ledgerentry entry
        WHERE entry.account_id = wanted.account_id AND entry.key = wanted.key)
), total AS (
    SELECT account_id, coalesce(sum(amount) FILTER (WHERE is_on_balance), 0) AS amount
    FROM fresh GROUP BY account_id
), locked AS (
    SELECT id FROM billing_billingaccount
    WHERE id IN (SELECT account_id FROM total) ORDER BY id FOR NO KEY UPDATE
), moved AS (
    UPDATE billing_billingaccount account
    SET balance = account.balance + total.amount,
        low_since = CASE
            WHEN account.low_balance > 0
                 AND account.balance + total.amount < account.low_balance
            THEN coalesce(account.low_since, now()) END
    FROM locked JOIN total ON total.account_id = locked.id
    WHERE account.id = locked.id
      AND (NOT %s::boolean OR total.amount >= 0
           OR account.balance + total.amount >= -account.credit_limit)
    RETURNING account.id, account.balance - total.amount AS before
), written AS (
    INSERT INTO billing_ledgerentry ({_NAMES}, balance_after,
        person_id, person_name, acting_as_name, at, created_at)
    SELECT {", ".join(f"fresh.{name}" for name in _COLUMNS)},
        moved.before + coalesce(sum(fresh.amount) FILTER (WHERE fresh.is_on_balance)
            OVER (PARTITION BY fresh.account_id ORDER BY fresh.place), 0),
        %s::bigint, %s::text, %s::text, %s::timestamptz, clock_timestamp()
    FROM fresh JOIN moved ON moved.id = fresh.account_id
    ORDER BY fresh.place
    RETURNING id, account_id, key, balance_after
)"""
_WITHOUT_TAXES = f"{_ENTRIES} SELECT id, account_id, key, balance_after FROM written"
_WITH_TAXES = f"""{_ENTRIES}, taxed AS (
    INSERT INTO billing_entrytax (entry_id, tax_id, name, rate, amount, is_vat)
    SELECT written.id, part.tax_id, part.name, part.rate, part.amount, part.is_vat
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::numeric[],
                %s::numeric[], %s::boolean[]) WITH ORDINALITY
        AS part (account_id, key, tax_id, name, rate, amount, is_vat, place)
    JOIN written USING (account_id, key)
    ORDER BY part.place
)
SELECT id, account_id, key, balance_after FROM written"""


# The same for one posting without taxes, of which there are most, and most at once on the
# account of a large reseller: the shorter the statement, the shorter the wait for the row.
_ONE_AMOUNT = (
    "CASE WHEN %(is_on_balance)s::boolean THEN %(amount)s::numeric(20,6) ELSE 0 END"
)
_ONE_EACH = ", ".join(
    f"%({name})s::{kind}" for name, kind in _COLUMNS.items() if name != "account_id"
)
_ONE = f"""
WITH moved AS (
    UPDATE billing_billingaccount account
    SET balance = account.balance + {_ONE_AMOUNT},
        low_since = CASE
            WHEN account.low_balance > 0
                 AND account.balance + {_ONE_AMOUNT} < account.low_balance
            THEN coalesce(account.low_since, now()) END
    WHERE account.id = %(account_id)s::bigint
      AND (NOT %(within_limits)s::boolean OR {_ONE_AMOUNT} >= 0
           OR account.balance + {_ONE_AMOUNT} >= -account.credit_limit)
      AND NOT EXISTS (
        SELECT 1 FROM billing_ledgerentry entry
        WHERE entry.account_id = %(account_id)s::bigint AND entry.key = %(key)s::text)
    RETURNING account.id, account.balance
)
INSERT INTO billing_ledgerentry ({_NAMES}, balance_after,
    person_id, person_name, acting_as_name, at, created_at)
SELECT moved.id, {_ONE_EACH}, moved.balance,
    %(person_id)s::bigint, %(person_name)s::text, %(acting_as_name)s::text,
    %(at)s::timestamptz, clock_timestamp()
FROM moved
RETURNING id, account_id, key, balance_after"""


def _one_value_each(
    posting: Posting, by: Actor, within_limits: bool, at: datetime
) -> dict[str, Any]:
    values = {name: getattr(posting, name) for name in _COLUMNS}
    person, acting_as = by.person, by.acting_as
    return values | {
        "within_limits": within_limits,
        "person_id": person.pk if person else None,
        "person_name": person.display_name if person else "",
        "acting_as_name": acting_as.display_name if acting_as else "",
        "at": at,
    }


def _statement(postings: Sequence[Posting]) -> str:
    return _WITH_TAXES if any(item.taxes for item in postings) else _WITHOUT_TAXES


def _values(
    postings: Sequence[Posting], by: Actor, within_limits: bool, at: datetime
) -> list[Any]:
    values: list[Any] = [
        [getattr(item, name) for item in postings] for name in _COLUMNS
    ]
    values += [
        within_limits,
        by.person.pk if by.person else None,
        by.person.display_name if by.person else "",
        by.acting_as.display_name if by.acting_as else "",
        at,
    ]
    parts = [(item, part) for item in postings for part in item.taxes]
    if parts:
        values += [
            [item.account_id for item, _part in parts],
            [item.key for item, _part in parts],
            [part.tax_id for _item, part in parts],
            [part.name for _item, part in parts],
            [part.rate for _item, part in parts],
            [part.amount for _item, part in parts],
            [part.is_vat for _item, part in parts],
        ]
    return values
