"""What the search box finds while one types."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.search import find
from portal.core.scope import subtree
from tests.world import World


def labels(world: World, query: str) -> list[str]:
    with subtree(world.acme):
        groups = find(query, actor=world.actor(world.ann), limit=5)
    return [hit["label"] for group in groups for hit in group["hits"]]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("ga", True),  # two letters: how the name begins
        ("GA", True),
        ("am", False),
        ("amm", True),  # three: anywhere in it
        ("gamma bak", True),
        ("100001", True),  # its account number
        ("10", False),  # too few digits of one
        ("g", False),
        ("ri", False),  # Rival is not below Acme
    ],
)
def test_customers_are_found_by_what_is_typed(
    world: World, query: str, is_found: bool
) -> None:
    assert ("Gamma Bakery" in labels(world, query)) == is_found
    assert "Rival Phones" not in labels(world, query)


def test_two_letters_are_looked_up_in_the_order_of_names(world: World) -> None:
    """An "or" in the condition would read every name up to those that fit."""
    with CaptureQueriesContext(connection) as captured:
        labels(world, "ga")
    [query] = [
        sql["sql"] for sql in captured if 'FROM "customers_customer"' in sql["sql"]
    ]
    assert " OR " not in query
    assert 'ORDER BY "customers_customer"."sort_key"' in query


@pytest.mark.parametrize("many", [0, 1, 2000])
def test_rare_and_common_words_give_the_same_customers(
    world: World, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Few matches are looked up first, many are met on the way; nobody sees which."""
    monkeypatch.setattr("customers.selectors.MANY_MATCHES", many)
    assert labels(world, "voice") == ["Beta Voice"]
    assert labels(world, "100001") == ["Beta Voice", "Gamma Bakery"]
    assert labels(world, "nothing like it") == []
