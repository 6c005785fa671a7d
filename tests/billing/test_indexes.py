"""Indexes of billing: every link has one that begins with it, and none is there twice."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey

from billing.models import LedgerEntry

# What nothing looks rows up by: no page lists them, and deleting looks for none.
NEVER_ASKED = {
    ("billing_ledgerentry", "person_id"),
    ("billing_paymentimport", "booked_by_id"),
    ("billing_paymentimport", "booked_as_id"),
}


@pytest.fixture
def indexes(db: None) -> dict[tuple[str, str], tuple[str, ...]]:
    """Columns of every whole index on a table of billing; an expression is ``""``."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rel.relname, idx.relname, index.indisunique,
                   array(SELECT coalesce(a.attname, '')
                         FROM unnest(index.indkey) WITH ORDINALITY AS k (number, place)
                         LEFT JOIN pg_attribute a
                                ON a.attrelid = rel.oid AND a.attnum = k.number
                         ORDER BY k.place)
            FROM pg_index index
            JOIN pg_class rel ON rel.oid = index.indrelid
            JOIN pg_class idx ON idx.oid = index.indexrelid
            WHERE rel.relname LIKE 'billing\\_%' AND index.indpred IS NULL
            """
        )
        return {
            (table, f"{'!' if is_unique else ''}{name}"): tuple(columns)
            for table, name, is_unique, columns in cursor.fetchall()
        }


def test_every_link_is_led_to_by_an_index(
    indexes: dict[tuple[str, str], tuple[str, ...]],
) -> None:
    led = {(table, columns[0]) for (table, _name), columns in indexes.items()}
    links = {
        (model._meta.db_table, field.column)
        for model in apps.get_app_config("billing").get_models(
            include_auto_created=True
        )
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey)
    }
    assert ("billing_ledgerentry", "account_id") in links
    assert links - led == NEVER_ASKED


def test_no_index_is_the_beginning_of_another(
    indexes: dict[tuple[str, str], tuple[str, ...]],
) -> None:
    """Tables between two others are made by Django, with the one index too many."""
    between = {
        model._meta.db_table
        for model in apps.get_app_config("billing").get_models(
            include_auto_created=True
        )
        if model._meta.auto_created
    }
    assert LedgerEntry._meta.db_table not in between
    spare = [
        name
        for (table, name), columns in indexes.items()
        for (other_table, other), longer in indexes.items()
        if table == other_table not in between
        and name != other
        and not name.startswith("!")
        and longer[: len(columns)] == columns
    ]
    assert spare == []
