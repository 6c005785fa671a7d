"""Keeping a plan where it is while somebody begins to use it."""

from __future__ import annotations

from django.db import connection


def hold_plan(plan_id: int) -> bool:
    """Until this transaction ends nobody deletes the plan; False if it is gone already.

    A foreign key alone is checked at the end of a transaction only, too late to say
    anything. A plan that is held can be changed all the same.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM rateplans_rateplan WHERE id = %s FOR KEY SHARE", [plan_id]
        )
        return cursor.fetchone() is not None
