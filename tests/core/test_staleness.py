"""A row that somebody else saved meanwhile is noticed, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from customers.models import Person
from portal.core.errors import StaleError
from portal.core.scope import scopes_disabled
from portal.core.staleness import refuse_stale, state_of
from tests.world import World

FIELDS = ("first_name", "last_name", "emails", "role", "is_active")


@pytest.fixture
def uli(world: World) -> Iterator[Person]:
    with scopes_disabled():
        yield Person.objects.get(pk=world.uli.pk)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", "Ulrike"),
        ("last_name", ""),
        ("emails", "a@b.test, c@d.test"),
        ("is_active", False),
    ],
)
def test_any_named_field_counts(uli: Person, field: str, value: Any) -> None:
    seen = state_of(uli, FIELDS)
    setattr(uli, field, value)
    with pytest.raises(StaleError):
        refuse_stale(uli, FIELDS, seen=seen)


def test_another_role_counts_though_it_reads_alike(world: World, uli: Person) -> None:
    seen = state_of(uli, FIELDS)
    uli.role = world.gil.role
    with pytest.raises(StaleError):
        refuse_stale(uli, FIELDS, seen=seen)


def test_what_moves_from_one_field_to_the_next_counts(uli: Person) -> None:
    uli.first_name, uli.last_name = "Anna", "Maria"
    seen = state_of(uli, FIELDS)
    uli.first_name, uli.last_name = "AnnaMaria", ""
    assert state_of(uli, FIELDS) != seen


def test_row_read_again_is_the_same(uli: Person) -> None:
    seen = state_of(uli, FIELDS)
    assert len(seen) == 24
    refuse_stale(Person.objects.get(pk=uli.pk), FIELDS, seen=seen)


def test_other_fields_do_not_count(uli: Person) -> None:
    seen = state_of(uli, FIELDS)
    uli.failed_logins = 3
    refuse_stale(uli, FIELDS, seen=seen)


def test_form_that_saw_nothing_is_not_stale(uli: Person) -> None:
    refuse_stale(uli, FIELDS, seen="")
