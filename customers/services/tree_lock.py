"""The lock over the customer tree: places in it stand still while something needs them.

Rows cannot do it: whoever moves a branch does not see a customer that is being added to
it, and whoever deletes a reseller does not see the customer it is just getting.
"""

from __future__ import annotations

from django.db import connection

# Any two numbers that no other advisory lock of this database has.
_KEY = (7, 1)


def hold_tree() -> None:
    """Until this transaction ends nobody moves, deletes or restores customers.

    Any number of transactions may hold the tree at once. Take it before any row.
    """
    _take("pg_advisory_xact_lock_shared")


def change_tree() -> None:
    """Until this transaction ends nobody else relies on the tree or changes it."""
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", _KEY)
