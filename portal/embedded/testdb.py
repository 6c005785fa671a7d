"""A database for each test worker: a copy, made in moments, of one that is migrated."""

import contextlib
import hashlib
import inspect
import sys
from collections.abc import Iterator
from typing import cast

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.test import TransactionTestCase
from psycopg import sql


@contextlib.contextmanager
def own_database(worker: str) -> Iterator[None]:
    """Point Django's connection at a fresh, migrated database named after the worker.

    The first worker that comes migrates the template, the others wait for it. After a
    test that commits, the database is copied anew. Django would empty every table, which
    takes longer, and what migrations have put into them would be missing from then on.
    """
    template = f"template_{_migrations_digest()}"
    name = f"test_{worker}"
    original = connection.settings_dict["NAME"]
    with _administration() as administration:
        _make_template(administration, template)

    def copy_anew(test_case: object = None) -> None:
        _use(name)
        with _administration() as administration:
            _drop(administration, name)
            # Copying files takes a twentieth of a second when nothing waits for disks.
            copy = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
            _execute(administration, copy, name, template)

    copy_anew()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", copy_anew)
        yield
    _use(original)
    with _administration() as administration:
        _drop(administration, name)


def _make_template(administration: psycopg.Connection, template: str) -> None:
    lock = "hashtext('trunkline test template')"
    administration.execute(f"SELECT pg_advisory_lock({lock})")
    query = "SELECT FROM pg_database WHERE datname = %s AND datistemplate"
    if administration.execute(query, [template]).rowcount == 0:
        # One that is there but no template yet was interrupted halfway.
        _drop(administration, template)
        _execute(administration, "CREATE DATABASE {}", template)
        _use(template)
        call_command("migrate", verbosity=0, interactive=False)
        _use("postgres")  # a database that is in use cannot be copied
        _execute(administration, "ALTER DATABASE {} IS_TEMPLATE true", template)
    administration.execute(f"SELECT pg_advisory_unlock({lock})")


def _migrations_digest() -> str:
    """Changes with the text of any migration, also of those of installed packages."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    digest = hashlib.sha256()
    for key, migration in sorted(loader.disk_migrations.items()):
        module = sys.modules[type(migration).__module__]
        digest.update(repr(key).encode() + inspect.getsource(module).encode())
    return digest.hexdigest()[:16]


def _administration() -> psycopg.Connection:
    """A connection outside of Django's, for what no transaction and no pool allows."""
    parameters = connection.get_connection_params()
    parameters = {
        key: parameters.get(key) for key in ("host", "port", "user", "password")
    }
    return psycopg.connect(**parameters, dbname="postgres", autocommit=True)


def _use(name: str) -> None:
    connection.close()
    cast(DatabaseWrapper, connection).close_pool()
    connection.settings_dict["NAME"] = name


def _drop(administration: psycopg.Connection, name: str) -> None:
    _execute(administration, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(administration: psycopg.Connection, statement: str, *names: str) -> None:
    identifiers = map(sql.Identifier, names)
    administration.execute(sql.SQL(statement).format(*identifiers))
