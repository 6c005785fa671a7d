"""Several threads that begin at the same instant, each with its own connection."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from typing import Any

from django.db import connection

WAIT = 30  # seconds until a race that hangs is a failure


def race(*runners: Callable[[], Any]) -> list[Any]:
    """What each gave back, or the exception it ended with, in the order given.

    For tests marked ``django_db(transaction=True)``: the threads see committed rows only.
    """
    start = Barrier(len(runners), timeout=WAIT)

    def run(runner: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()  # connecting takes longer than what races
            start.wait()
            return runner()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(runners)) as pool:
        futures = [pool.submit(run, runner) for runner in runners]
        return [future.result(timeout=WAIT) for future in futures]


def wait_until_somebody_waits() -> None:
    """Go on as soon as another connection of this database waits for a lock."""
    deadline = monotonic() + WAIT
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for a lock")
