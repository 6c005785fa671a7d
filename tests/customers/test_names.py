"""Names are unique over the whole system, and nobody learns whose a taken name is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.models import Customer, Person
from customers.selectors import name_is_taken, username_is_taken
from customers.services import tree
from portal.core.scope import scopes_disabled, subtree
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World, build_world

TAKEN = (
    "This name is already in use. Names are unique in the whole system:"
    " add a place or a number to it."
)
in_examples = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# What Python and PostgreSQL agree on how to write small.
letters = st.characters(codec="utf-8", categories=["L", "N", "S", "M", "P"])


@pytest.fixture
def unscoped(world: World) -> Iterator[World]:
    with scopes_disabled():
        yield world


def _rename(customer: Customer, name: str) -> bool:
    """Give the row this name, past all checks; False if the database refuses."""
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=customer.pk).update(name=name)
    except IntegrityError as error:
        if "customer_name_once" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize(
    "variant",
    [
        "Beta Voice",
        "beta voice",
        "BETA VOICE",
        "BetaVoice",
        " Beta  Voice ",
        "Beta\u00a0Voice",  # a space that does not break
        "Beta\u3000Voice",  # a wide one
        "Beta\u2009Voice",  # a thin one
        "Beta\u200bVoice",  # one without width
        "Be\u200dta Voice",
        "Beta\ufeff Voice",
        "Be\u00adta Voice",
        "\u200fBeta Voice",
        "Ｂｅｔａ　Ｖｏｉｃｅ",
        "ⓑeta Voice",
        "𝐁eta Voice",
        "Beta Voi\ufe0fce",
    ],
)
def test_name_is_the_same_without_regard_to_case_width_and_spacing(
    unscoped: World, variant: str
) -> None:
    assert name_is_taken(variant)
    assert not name_is_taken(variant, except_id=unscoped.beta.pk)
    assert not _rename(unscoped.gamma, variant)
    assert _rename(unscoped.beta, variant)


@pytest.mark.parametrize(
    "other",
    ["Beta Voice 2", "Béta Voice", "Beta-Voice", "Beta Voice.", "Вeta Voice", "ßeta"],
)
def test_name_that_reads_otherwise_is_another(unscoped: World, other: str) -> None:
    assert not name_is_taken(other)
    assert _rename(unscoped.gamma, other)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ärzte", "ÄRZTE"),
        ("Ärzte", "A\u0308rzte"),  # composed and combining
        ("Ω Oil", "Ω Oil"),  # Greek letter and Ohm sign
        ("ﬁne", "Fine"),  # ligature
        ("株式会社", "㍿"),
        ("Cafe\u0301", "CAFÉ"),
        ("مخبز غاما", "مخبزغاما"),
        ("👩\u200d💻", "👩💻"),
    ],
)
def test_same_name_in_any_script_is_taken(
    unscoped: World, first: str, second: str
) -> None:
    assert _rename(unscoped.beta, first)
    assert name_is_taken(second)
    assert not _rename(unscoped.gamma, second)


@in_examples
@given(
    name=st.text(letters, min_size=1, max_size=20),
    gaps=st.lists(
        st.tuples(
            st.integers(0, 20),
            st.sampled_from([" ", "\t", "\u00a0", "\u3000", "\u200b", "\u2060"]),
        ),
        max_size=4,
    ),
)
def test_spacing_never_makes_another_name(
    unscoped: World, name: str, gaps: list[tuple[int, str]]
) -> None:
    variant = name
    for position, gap in gaps:
        # Behind a base letter: a combining sign would join what stands before it.
        position = min(position, len(variant))
        while position < len(variant) and not variant[position].isalnum():
            position += 1
        variant = variant[:position] + gap + variant[position:]
    with transaction.atomic():
        assert _rename(unscoped.beta, name)
        assert name_is_taken(variant)
        assert not _rename(unscoped.gamma, variant)
        transaction.set_rollback(True)


@in_examples
@given(st.text("aäÄßİıςΣ\u0301\u200d 1ｱアﾞé", max_size=4).map(lambda text: f"x{text}"))
@example("xİ")
@example("xΣ")
@example("xİ\u0301")
def test_upper_and_lower_case_of_the_database_are_one_name(
    unscoped: World, name: str
) -> None:
    """Asked of the database itself: its rules of case are the ones that count."""
    with transaction.atomic():
        _rename(unscoped.beta, name)
        key = Customer.objects.get(pk=unscoped.beta.pk).name_key
        assert name_is_taken(key)
        assert not _rename(unscoped.gamma, key)
        transaction.set_rollback(True)


@in_examples
@given(
    first=st.text(letters, min_size=1, max_size=3),
    second=st.text(letters, min_size=1, max_size=3),
)
def test_check_says_what_the_database_does(
    unscoped: World, first: str, second: str
) -> None:
    with transaction.atomic():
        assert _rename(unscoped.beta, first)
        assert name_is_taken(second) is not _rename(unscoped.gamma, second)
        transaction.set_rollback(True)


def test_user_names_follow_the_same_rule(unscoped: World) -> None:
    for variant in ("ANN@acme.test", "ann @ACME.test", "a\u200bnn@acme.test"):
        assert username_is_taken(variant)
        assert not username_is_taken(variant, except_id=unscoped.ann.pk)
        refusal = pytest.raises(IntegrityError, match="person_username_once")
        with refusal, transaction.atomic():
            Person.objects.filter(pk=unscoped.eve.pk).update(username=variant)


# --- On the pages -----------------------------------------------------------------------


def _new(world: World, parent: Customer | None = None) -> str:
    return f"/a/{(parent or world.acme).pk}/commerce/customers/new/normal/"


@pytest.mark.parametrize("whose", ["beta", "gamma", "acme", "rival", "root", "deleted"])
def test_refusal_does_not_tell_whose_the_name_is(world: World, whose: str) -> None:
    taken = world.rival if whose == "deleted" else getattr(world, whose)
    if whose == "deleted":
        with subtree(world.root):
            tree.delete_customer(customer=taken, by=world.actor(world.olga))
    client = world.client(world.ann)
    response = send(
        client,
        _new(world),
        name=taken.name.upper(),
        email="new@customer.test",
        has_administrator=None,
    )
    assert errors_of(response) == {"name": [TAKEN]}
    assert response.context["form"]["email"].value() == "new@customer.test"
    page = response.content.decode()
    for betrayed in (f"/customers/{taken.pk}/", taken.email, taken.path):
        assert betrayed not in page


@pytest.mark.parametrize("name", ["rival phones", "Beta  Voice", "trunk systems"])
def test_check_while_typing_says_taken_and_nothing_else(
    world: World, name: str
) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/new/name/"
    response = world.client(world.ann).get(url, {"name": name})
    assert (response.context["taken"], response.context["name"]) == (
        True,
        " ".join(name.split()),
    )
    assert "This name is already in use" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        ({"name": "Free Name"}, False),
        ({"name": "Beta Voice", "except": "own"}, False),
        ({"name": "Beta Voice", "except": ""}, True),
        ({"name": "Beta Voice", "except": "²"}, True),
        ({"name": "Beta Voice", "except": "9" * 5000}, True),
        ({"name": "Beta\0 Voice"}, True),
        ({"name": "\0"}, False),
        ({"name": "x" * 5000}, False),
        ({"name": ""}, False),
        ({}, False),
    ],
)
def test_check_while_typing_takes_anything(
    world: World, query: dict[str, str], taken: bool
) -> None:
    if query.get("except") == "own":
        query = query | {"except": str(world.beta.pk)}
    url = f"/a/{world.acme.pk}/commerce/customers/new/name/"
    response = world.client(world.ann).get(url, query)
    assert response.status_code == 200
    assert response.context["taken"] is taken


@pytest.mark.parametrize(
    ("typed", "taken"),
    [("ann@ACME.test", True), ("eve@rival.test", True), ("new", False), ("\0", False)],
)
def test_user_name_is_checked_while_typing(
    world: World, typed: str, taken: bool
) -> None:
    url = f"/a/{world.acme.pk}/commerce/customers/new/username/"
    response = world.client(world.ann).get(url, {"person_username": typed})
    assert response.context["taken"] is taken


# --- At the same instant ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "second", ["ann", "eve"], ids=["one reseller", "two resellers"]
)
def test_two_saving_one_name_at_once_make_one_customer(second: str) -> None:
    world = build_world()
    posts = []
    for person, plan in ((world.ann, world.acme_plan), (getattr(world, second), None)):
        client = world.client(person)
        url = _new(world, person.customer)
        entries = entries_of(
            client.get(url),
            name="Zeta  Zoo" if plan else "ZETA zoo",
            email="zoo@zeta.test",
            description="typed at length",
            has_administrator=None,
        )
        posts.append(lambda c=client, u=url, e=entries: c.post(u, e))
    responses: list[Any] = race(*posts)
    assert sorted(response.status_code for response in responses) == [302, 422]
    refused = next(each for each in responses if each.status_code == 422)
    assert errors_of(refused) == {"name": [TAKEN]}
    assert refused.context["form"]["description"].value() == "typed at length"
    with scopes_disabled():
        assert Customer.objects.filter(name_key="zetazoo").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_renaming_to_one_name_at_once() -> None:
    world = build_world()
    posts = []
    for person, customer in ((world.ann, world.beta), (world.olga, world.rival)):
        client = world.client(person)
        home = person.customer_id
        url = f"/a/{home}/commerce/customers/{customer.pk}/edit/"
        entries = entries_of(client.get(url), name="Zeta Zoo")
        posts.append(lambda c=client, u=url, e=entries: c.post(u, e))
    responses: list[Any] = race(*posts)
    assert sorted(response.status_code for response in responses) == [302, 422]
    refused = next(each for each in responses if each.status_code == 422)
    assert errors_of(refused) == {"name": [TAKEN]}


@pytest.mark.django_db(transaction=True)
def test_two_administrators_with_one_user_name_at_once() -> None:
    world = build_world()
    posts = []
    for name in ("Zeta", "Eta"):
        client = world.client(world.ann)
        entries = entries_of(
            client.get(_new(world)),
            name=name,
            email="zoo@zeta.test",
            person_username="zoe",
        )
        posts.append(lambda c=client, e=entries: c.post(_new(world), e))
    responses: list[Any] = race(*posts)
    assert sorted(response.status_code for response in responses) == [302, 422]
    refused = next(each for each in responses if each.status_code == 422)
    assert set(errors_of(refused)) == {"person_username"}
    with scopes_disabled():
        assert Customer.objects.filter(name__in=["Zeta", "Eta"]).count() == 1
        assert Person.objects.filter(username="zoe").count() == 1
