"""Account numbers on the pages: proposed, typed, and two who are given one at once."""

from __future__ import annotations

from typing import Any

import pytest

from customers.models import Customer
from portal.core.scope import scopes_disabled, subtree
from tests.customers.test_create_customer import _create
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World, build_world


def _url(world: World, page: str = "new/normal/") -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{page}"


def _new(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "email": "a@b.test", "has_administrator": None} | changes


def _numbers(*names: str) -> list[str]:
    with scopes_disabled():
        rows = Customer.objects.filter(name__in=names).order_by("name")
        return list(rows.values_list("account_number", flat=True))


def test_form_shows_the_next_number_without_filling_it_in(world: World) -> None:
    response = world.client(world.ann).get(_url(world))
    field = response.context["form"]["account_number"]
    assert field.value() in (None, "")
    assert field.field.widget.attrs["placeholder"] == "100002"


def test_number_left_empty_is_the_next_one(world: World) -> None:
    client = world.client(world.ann)
    assert send(client, _url(world), **_new("Delta")).status_code == 302
    assert send(client, _url(world), **_new("Epsilon")).status_code == 302
    assert _numbers("Delta", "Epsilon") == ["100002", "100003"]


@pytest.mark.parametrize("typed", ["K-77/b", "0", "9" * 20, "Ä1"])
def test_number_may_be_anything_short(world: World, typed: str) -> None:
    client = world.client(world.ann)
    response = send(client, _url(world), **_new("Delta", account_number=f" {typed} "))
    assert response.status_code == 302
    assert _numbers("Delta") == [typed]


@pytest.mark.parametrize("typed", ["100001", " 100001 "])
def test_number_of_another_customer_is_refused(world: World, typed: str) -> None:
    client = world.client(world.ann)
    response = send(client, _url(world), **_new("Delta", account_number=typed))
    assert errors_of(response) == {
        "account_number": ["Another of your customers has this account number."]
    }


def test_over_long_number_is_refused(world: World) -> None:
    client = world.client(world.ann)
    response = send(client, _url(world), **_new("Delta", account_number="9" * 21))
    assert set(errors_of(response)) == {"account_number"}


@pytest.mark.django_db(transaction=True)
def test_two_who_saw_one_proposal_get_two_numbers() -> None:
    world = build_world()
    posts = []
    for name in ("Delta", "Epsilon", "Zeta"):
        client = world.client(world.ann)
        entries = entries_of(client.get(_url(world)), **_new(name))
        posts.append(lambda c=client, e=entries: c.post(_url(world), e))
    responses: list[Any] = race(*posts)
    assert [response.status_code for response in responses] == [302] * 3
    numbers = _numbers("Delta", "Epsilon", "Zeta")
    assert sorted(numbers) == ["100002", "100003", "100004"]


@pytest.mark.django_db(transaction=True)
def test_number_typed_while_it_is_given_out_is_refused_or_stepped_over() -> None:
    world = build_world()

    def create(name: str, number: str) -> Any:
        values = {"name": name, "email": "a@b.test", "account_number": number}
        with subtree(world.acme):
            return _create(world, values=values)

    given, typed = race(lambda: create("Delta", ""), lambda: create("Eta", "100002"))
    assert isinstance(given, Customer), given  # who leaves it empty is never refused
    if isinstance(typed, Customer):
        assert (given.account_number, typed.account_number) == ("100003", "100002")
    else:
        assert set(typed.error_dict) == {"account_number"}
        assert given.account_number == "100002"


@pytest.mark.django_db(transaction=True)
def test_two_typing_one_number_at_once() -> None:
    world = build_world()
    posts = []
    for name in ("Delta", "Epsilon"):
        client = world.client(world.ann)
        changes = _new(name, account_number="A-1")
        entries = entries_of(client.get(_url(world)), **changes)
        posts.append(lambda c=client, e=entries: c.post(_url(world), e))
    responses: list[Any] = race(*posts)
    assert sorted(response.status_code for response in responses) == [302, 422]
    refused = next(each for each in responses if each.status_code == 422)
    assert set(errors_of(refused)) == {"account_number"}
