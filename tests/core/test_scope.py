"""Queries see the branch they are in, and without one they see nothing at all."""

from __future__ import annotations

import pytest
from django_scopes.exceptions import ScopeError

from customers.models import Customer, Number, Person, TelephoneLine
from portal.core.scope import scopes_disabled, subtree
from tests.world import World


@pytest.mark.parametrize("model", [Customer, Person, Number, TelephoneLine])
def test_query_outside_of_a_scope_raises(world: World, model: type) -> None:
    with pytest.raises(ScopeError):
        model.objects.count()


@pytest.mark.parametrize(
    ("whose", "seen"),
    [
        ("root", {"root", "acme", "beta", "gamma", "rival"}),
        ("acme", {"acme", "beta", "gamma"}),
        ("beta", {"beta", "gamma"}),
        ("gamma", {"gamma"}),
        ("rival", {"rival"}),
    ],
)
def test_scope_is_the_account_and_all_below(
    world: World, whose: str, seen: set[str]
) -> None:
    expected = {getattr(world, name).pk for name in seen}
    with subtree(getattr(world, whose)):
        assert set(Customer.objects.values_list("pk", flat=True)) == expected
        people = Person.objects.filter(is_pseudo=False)
        assert set(people.values_list("customer_id", flat=True)) == expected


def test_id_that_begins_alike_is_another_branch(world: World) -> None:
    """1.45 does not lie in 1.4 though the text of its path begins so."""
    with scopes_disabled():  # rows of two branches
        twin = Customer.objects.get(pk=world.gamma.pk)
        twin.pk = int(f"{world.rival.pk}5")
        twin.name, twin.account_number, twin.parent = "Twin", "9", world.root
        twin.path = f"{world.root.path}{twin.pk}."
        twin.save(force_insert=True)
    with subtree(world.rival):
        assert list(Customer.objects.all()) == [world.rival]
    with subtree(twin):
        assert list(Customer.objects.all()) == [twin]


def test_inner_scope_ends_where_it_ends(world: World) -> None:
    with subtree(world.acme):
        with subtree(world.beta):
            assert not Customer.objects.filter(pk=world.acme.pk).exists()
        assert Customer.objects.filter(pk=world.acme.pk).exists()
    with pytest.raises(ScopeError):
        Customer.objects.count()


def test_customer_without_a_place_opens_no_scope() -> None:
    with pytest.raises(ValueError, match="no path"), subtree(Customer(name="New")):
        raise AssertionError("everybody's rows would be seen here")
