"""A database for each test worker: a copy, made in moments, of one that is migrated."""

import contextlib
import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.test import TransactionTestCase
from psycopg import sql

# Ids of different tables begin apart, so that a row is never taken for another's.
APART = """
    SELECT setval(
        format('%I.%I', schemaname, sequencename)::regclass,
        coalesce(last_value, 0) + 20 * row_number() OVER (ORDER BY sequencename)
    )
    FROM pg_sequences
"""


class Databases:
    """Where a worker's tests work: in databases that are copied, not filled, each time.

    A test begins with what the migrations made, or with a state that is made once and
    kept: rows, and what is to be known of them. After a test that commits, its database
    is copied anew. Django would empty every table, which takes longer, and what
    migrations have put into them would be missing from then on.
    """

    def __init__(self, worker: str, states: Mapping[str, Callable[[], object]]) -> None:
        self.worker, self.states = worker, states
        self.state = ""  # of the present test; the empty name is that of the migrations
        self._template = ""
        self._kept: dict[str, bytes] = {}
        self._copied: set[str] = set()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Point Django's connection at the database of the state, until the end.

        The first worker that comes migrates the template, the others wait for it.
        """
        original = connection.settings_dict["NAME"]
        self._template = f"template_{_migrations_digest()}"
        with _administration() as administration:
            _make_template(administration, self._template)
        self._go()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TransactionTestCase, "_fixture_teardown", self._copy_anew)
            yield
        _use(original)
        with _administration() as administration:
            for state in self._copied:
                _drop(administration, self._name(state))
            for state in self._kept:
                _drop(administration, self._source(state))

    def turn_to(self, state: str) -> None:
        """Work in that state from now on; must not be called inside a transaction."""
        if state != self.state:
            self.state = state
            if self._template:  # otherwise once it is opened
                self._go()

    def known(self, state: str) -> Any:
        """What the maker of the present state gave back: a copy for each test."""
        assert state == self.state, f"The database is in the state {self.state!r}."
        return pickle.loads(self._kept[state])

    def _go(self) -> None:
        if self.state and self.state not in self._kept:
            self._make(self.state)
        if self.state in self._copied:
            _use(self._name(self.state))
        else:
            self._copy_anew()

    def _make(self, state: str) -> None:
        source = self._source(state)
        with _administration() as administration:
            _copy(administration, source, self._template)
        _use(source)
        with connection.cursor() as cursor:
            cursor.execute(APART)
        self._kept[state] = pickle.dumps(self.states[state]())
        _use("postgres")  # a database that is in use cannot be copied

    def _copy_anew(self, test_case: object = None) -> None:
        name = self._name(self.state)
        _use(name)
        with _administration() as administration:
            _copy(administration, name, self._source(self.state))
        self._copied.add(self.state)

    def _name(self, state: str) -> str:
        return "_".join(filter(None, ["test", self.worker, state]))

    def _source(self, state: str) -> str:
        return f"{self._name(state)}_kept" if state else self._template


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


def _copy(administration: psycopg.Connection, name: str, template: str) -> None:
    _drop(administration, name)
    # Copying files takes a twentieth of a second when nothing waits for disks.
    copy = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
    _execute(administration, copy, name, template)


def _drop(administration: psycopg.Connection, name: str) -> None:
    _execute(administration, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(administration: psycopg.Connection, statement: str, *names: str) -> None:
    identifiers = map(sql.Identifier, names)
    administration.execute(sql.SQL(statement).format(*identifiers))
