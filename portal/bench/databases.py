"""Two databases in one process, so that both sizes are measured in the same minute.

Whatever else the machine does then slows both alike, and their ratio can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql


@contextmanager
def two_databases() -> Iterator[tuple[BaseDatabaseWrapper, BaseDatabaseWrapper]]:
    """Connections to the present, empty database and to a copy; that one is dropped."""
    original = str(connection.settings_dict["NAME"])
    name = f"{original}_second"
    _let_go()
    administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    administer("CREATE DATABASE {} TEMPLATE {}", name, original)
    first, second = _connection_to(original), _connection_to(name)
    try:
        yield first, second
    finally:
        first.close()
        second.close()
        administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def using(database: BaseDatabaseWrapper) -> Iterator[None]:
    """All queries go to ``database``, as if it were the only one."""
    before = connections["default"]
    connections["default"] = database
    try:
        yield
    finally:
        connections["default"] = before


def _connection_to(name: str) -> BaseDatabaseWrapper:
    """One that stays open. It cannot have a pool: both would share the other's."""
    database = connections["default"].copy()
    database.settings_dict["NAME"] = name
    database.settings_dict["OPTIONS"].pop("pool", None)
    return database


def _let_go() -> None:
    """A database that somebody is connected to cannot be copied."""
    database: Any = connections["default"]
    database.close()
    database.close_pool()


def administer(statement: str, *names: str) -> None:
    """Outside of Django's connections: no transaction and no pool allows it."""
    parameters: dict[str, Any] = connection.get_connection_params()
    chosen: dict[str, Any] = {
        key: parameters.get(key) for key in ("host", "port", "user", "password")
    }
    with psycopg.connect(**chosen, dbname="postgres", autocommit=True) as server:
        identifiers = map(sql.Identifier, names)
        server.execute(sql.SQL(statement).format(*identifiers))
