"""The lock over the customer tree: places in it stand still while something needs them.

Rows cannot do it: whoever moves a branch does not see a customer that is being added to
it, and whoever deletes a reseller does not see the customer it is just getting.

The order of locks everywhere: the tree; rows of features; accounts, by their ids; then
whatever changes the keys of customers (moving, renaming, purging). What is booked on an
account refers to its customer, and waits for that row while it holds the account.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection

from portal.core.actor import Actor

# Any two numbers that no other advisory lock of this database has.
_KEY = (7, 1)


def hold_tree() -> None:
    """Until this transaction ends nobody moves, deletes or restores customers.

    Any number of transactions may hold the tree at once. Take it before any row.
    """
    _take("pg_advisory_xact_lock_shared")


def hold_place(customer: Any, *, by: Actor) -> None:
    """Hold the tree, and know where in it ``customer`` is by now.

    Fees are charged to everybody above: not to those who were there when the page was asked
    for. Raises PermissionDenied if it was deleted or is not within the account of ``by``.
    """
    hold_tree()
    customer.refresh_from_db(fields=["parent", "path", "deleted_at"])
    if by.customer.pk not in {*customer.ancestor_ids, customer.pk}:
        raise PermissionDenied
    if customer.is_deleted:
        raise PermissionDenied


def change_tree() -> None:
    """Until this transaction ends nobody else relies on the tree or changes it."""
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", _KEY)
