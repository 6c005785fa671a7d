"""Settings » Sessions: seeing where one is signed in, and ending it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from customers.services import sessions
from portal.core.models import AuditEvent, Session
from portal.core.scope import scopes_disabled
from tests.world import PASSWORD, World

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


def sign_in(world: World, user_agent: str, address: str = "127.0.0.1") -> Client:
    client = Client(headers={"user-agent": user_agent}, REMOTE_ADDR=address)
    credentials = {"username": world.ann.username, "password": PASSWORD}
    assert client.post("/login/", credentials).status_code == 302
    return client


def listed(world: World, client: Client) -> list[dict[str, Any]]:
    page = client.get(f"/a/{world.acme.pk}/settings/sessions/")
    states: list[dict[str, Any]] = page.context["sessions"]
    return states


def test_own_browsers_are_listed_this_one_first(world: World) -> None:
    there = sign_in(world, IPHONE, "192.0.2.8")
    here = sign_in(world, FIREFOX)
    world.client(world.uli)
    this, other = listed(world, here)
    assert (this["title"], this["pill"]) == ("Firefox on Linux", "This browser")
    assert "action_url" not in this
    assert (other["title"], other["icon"]) == ("Safari on iPhone", "smartphone")
    assert "192.0.2.8" in other["detail"]
    assert listed(world, there)[0]["title"] == "Safari on iPhone"


def test_page_gives_no_session_key_away(world: World) -> None:
    there, here = sign_in(world, IPHONE), sign_in(world, FIREFOX)
    html = here.get(f"/a/{world.acme.pk}/settings/sessions/").content.decode()
    for client in (there, here):
        assert str(client.session.session_key) not in html


def test_one_browser_is_signed_out(world: World) -> None:
    there, here, third = (sign_in(world, FIREFOX) for _client in range(3))
    handle = sessions._handle(str(there.session.session_key))
    url = f"/a/{world.acme.pk}/settings/sessions/{handle}/end/"
    assert url in {state.get("action_url") for state in listed(world, here)}
    assert here.post(url)["Location"] == f"/a/{world.acme.pk}/settings/sessions/"
    page = f"/a/{world.acme.pk}/settings/sessions/"
    assert there.get(page).status_code == 302
    assert third.get(page).status_code == 200
    assert here.post(url).status_code == 404, "it is gone already"
    with scopes_disabled():
        event = AuditEvent.objects.get(action="person.sessions_ended")
    assert event.person == world.ann


def test_all_others_are_signed_out_at_once(world: World) -> None:
    there, here, third = (sign_in(world, FIREFOX) for _client in range(3))
    foreign = world.client(world.uli)
    page = f"/a/{world.acme.pk}/settings/sessions/"
    answer = here.post(f"{page}others/end/", follow=True)
    assert "2 other browsers are logged out" in answer.content.decode()
    assert [c.get(page).status_code for c in (there, here, third)] == [302, 200, 302]
    assert foreign.get(page).status_code == 200


def test_session_of_another_person_is_not_there(world: World) -> None:
    foreign = world.client(world.eve)
    handle = sessions._handle(str(foreign.session.session_key))
    client = world.client(world.ann)
    url = f"/a/{world.acme.pk}/settings/sessions/{handle}/end/"
    assert client.post(url).status_code == 404
    assert foreign.get("/").status_code == 302
    assert Session.objects.filter(person=world.eve).exists()


@pytest.mark.parametrize("part", ["others/end/", "abc/end/"])
def test_ending_takes_a_post(world: World, part: str) -> None:
    client = world.client(world.ann)
    url = f"/a/{world.acme.pk}/settings/sessions/{part}"
    assert client.get(url).status_code == 405


def test_expired_session_is_not_listed(world: World) -> None:
    sign_in(world, IPHONE)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert len(listed(world, sign_in(world, FIREFOX))) == 1


def test_service_refuses_other_people(world: World) -> None:
    by = world.actor(world.ann)
    with pytest.raises(PermissionDenied):
        sessions.end_others(person=world.uli, current_key="", by=by)
    with pytest.raises(PermissionDenied):
        sessions.end_one(person=world.uli, handle="", by=by)


def test_page_costs_the_same_for_one_and_for_five(
    world: World, django_assert_num_queries: Any
) -> None:
    here = sign_in(world, FIREFOX)
    page = f"/a/{world.acme.pk}/settings/sessions/"
    here.get(page)
    with django_assert_num_queries(3):
        here.get(page)
    for _client in range(4):
        sign_in(world, IPHONE)
    with django_assert_num_queries(3):
        assert len(here.get(page).context["sessions"]) == 5
