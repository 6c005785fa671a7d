"""Lookups that Django's fields do not bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    IdLookup = models.Lookup[Any]
else:
    IdLookup = models.Lookup


@models.AutoField.register_lookup
@models.BigAutoField.register_lookup
class AnyOf(IdLookup):
    """``pk__any_of=[1, 2, …]``: like ``in``, with all the ids in one parameter.

    ``in`` makes a parameter of each id, and thousands of them cost Django and psycopg far
    more time than PostgreSQL needs to find the rows.
    """

    lookup_name = "any_of"
    prepare_rhs = False
    rhs: Sequence[int]

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", (*params, list(self.rhs))
