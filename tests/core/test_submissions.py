"""A form is saved once, whoever sends it how often."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from portal.core.models import Submission
from portal.core.submissions import claim, finish, key_of, new_token, result_url
from tests.race import race
from tests.world import World, build_world

TOKEN = "6b3c9f0e-8a53-4b0a-9d5e-0f8f5a3b1c2d"


def _entries(text: str) -> QueryDict:
    return QueryDict(text)


def test_second_claim_gets_nothing_but_the_first_ones_result(world: World) -> None:
    first = claim(TOKEN, person_id=world.ann.pk)
    assert first is not None
    finish(first, url="/a/2/done/")
    assert claim(TOKEN, person_id=world.ann.pk) is None
    assert result_url(TOKEN, person_id=world.ann.pk) == "/a/2/done/"


def test_result_is_told_to_nobody_else(world: World) -> None:
    first = claim(TOKEN, person_id=world.ann.pk)
    assert first is not None
    finish(first, url="/a/2/done/")
    assert result_url(TOKEN, person_id=world.eve.pk) == ""


def test_unused_token_has_no_result(world: World) -> None:
    assert result_url(TOKEN, person_id=world.ann.pk) == ""


def test_what_is_rolled_back_may_be_claimed_again(world: World) -> None:
    with transaction.atomic():
        assert claim(TOKEN, person_id=world.ann.pk) is not None
        transaction.set_rollback(True)
    assert claim(TOKEN, person_id=world.ann.pk) is not None


@pytest.mark.parametrize("token", ["", "x", "1234", f"{TOKEN}0"])
def test_what_is_no_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        claim(token, person_id=world.ann.pk)
    with pytest.raises(ValueError, match="UUID"):
        key_of(token, _entries("a=1"))
    assert Submission.objects.count() == 0


def test_token_of_the_page_changes_nothing_about_the_key() -> None:
    one = key_of(TOKEN, _entries("name=Delta&csrfmiddlewaretoken=abc"))
    assert one == key_of(TOKEN, _entries("csrfmiddlewaretoken=xyz&name=Delta"))
    assert one != key_of(new_token(), _entries("name=Delta"))


@given(first=st.dictionaries(st.text(), st.text()), second=st.text())
def test_key_is_the_same_only_for_the_same_entries(
    first: dict[str, str], second: str
) -> None:
    entries = QueryDict(mutable=True)
    entries.update(first)
    same = entries.copy()
    assert key_of(TOKEN, entries) == key_of(TOKEN, same)
    same.appendlist("more", second)
    assert key_of(TOKEN, entries) != key_of(TOKEN, same)


@pytest.mark.django_db(transaction=True)
def test_one_of_two_at_once_gets_the_token() -> None:
    world = build_world()

    def save() -> bool:
        with transaction.atomic():
            submission = claim(TOKEN, person_id=world.ann.pk)
            if submission is not None:
                finish(submission, url="/done/")
            return submission is not None

    assert sorted(race(save, save, save)) == [False, False, True]
    assert result_url(TOKEN, person_id=world.ann.pk) == "/done/"
