"""The database that tests find: migrated, of their worker, and anew after each commit."""

import os
import threading

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_each_worker_has_a_database_and_a_broker_of_its_own() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    assert connection.settings_dict["NAME"] == f"test_{worker or 'main'}"
    assert ("?db=" in settings.REDIS_URL) == (worker is not None)


@pytest.mark.django_db(transaction=True)
def test_what_a_test_commits_is_undone_and_migrations_rows_stay() -> None:
    before = count("django_content_type")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (n int)")
        cursor.execute("TRUNCATE django_content_type CASCADE")

    # Somebody's thread still has a connection, in the midst of something.
    begun, ended = threading.Event(), threading.Event()

    def linger() -> None:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE left_behind IN ACCESS SHARE MODE NOWAIT")
        begun.set()
        ended.wait(timeout=20)
        connection.close()

    def linger_in_transaction() -> None:
        connection.set_autocommit(False)
        linger()

    thread = threading.Thread(target=linger_in_transaction)
    thread.start()
    begun.wait(timeout=20)
    TransactionTestCase._fixture_teardown(None)
    ended.set()
    thread.join(timeout=20)

    assert "left_behind" not in connection.introspection.table_names()
    assert count("django_content_type") == before
