"""Sessions: whose they are, how long they were seen, and that they end when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache import cache
from django.test import Client

from portal.core import browsers
from portal.core.models import Session
from portal.core.sessions import SEEN_EVERY, SessionStore, end_session
from tests.world import PASSWORD, World

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def sign_in(world: World, **headers: str) -> Client:
    client = Client(headers=headers)
    credentials = {"username": world.ann.username, "password": PASSWORD}
    assert client.post("/login/", credentials).status_code == 302
    return client


def test_session_tells_whose_where_and_since_when(world: World) -> None:
    with time_machine.travel(NOON, tick=False):
        sign_in(world, user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")
    row = Session.objects.get()
    assert row.person == world.ann
    assert row.source_ip == "127.0.0.1"
    assert row.user_agent == "Mozilla/5.0 (X11; Linux) Firefox/140.0"
    assert (row.created_at, row.seen_at) == (NOON, NOON)


def test_session_saved_again_keeps_its_beginning(world: World) -> None:
    with time_machine.travel(NOON, tick=False):
        client = sign_in(world)
    with time_machine.travel(NOON + timedelta(minutes=3), tick=False):
        session = client.session
        session["anything"] = 1
        session.save()
    row = Session.objects.get()
    assert row.created_at == NOON
    assert row.seen_at == NOON + timedelta(minutes=3)


def test_use_is_noted_every_few_minutes_and_prolongs(world: World) -> None:
    page = f"/a/{world.acme.pk}/settings/sessions/"
    with time_machine.travel(NOON, tick=False):
        client = sign_in(world)
    expires = Session.objects.get().expire_date
    with time_machine.travel(NOON + timedelta(seconds=SEEN_EVERY - 1), tick=False):
        client.get(page)
    assert Session.objects.get().seen_at == NOON
    later = NOON + timedelta(seconds=SEEN_EVERY)
    with time_machine.travel(later, tick=False):
        client.get(page)
    assert Session.objects.get().seen_at == later
    assert Session.objects.get().expire_date == expires + timedelta(seconds=SEEN_EVERY)


def test_empty_cache_signs_nobody_out(world: World) -> None:
    client = sign_in(world)
    cache.clear()
    assert client.get(f"/a/{world.acme.pk}/settings/sessions/").status_code == 200


def test_ended_session_is_signed_out_at_the_next_click(world: World) -> None:
    client = sign_in(world)
    end_session(str(client.session.session_key))
    answer = client.get(f"/a/{world.acme.pk}/settings/sessions/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_session_ended_while_a_request_ran_stays_ended(world: World) -> None:
    key = str(sign_in(world).session.session_key)
    running = SessionStore(key)
    running["something"] = 1  # read before it ends ...
    end_session(key)
    cache.set(running.cache_key, running._session)  # ... and cached
    with pytest.raises(UpdateError):
        running.save()
    assert not SessionStore(key).exists(key)


def test_session_ended_during_a_click_leads_to_the_login(world: World) -> None:
    with time_machine.travel(NOON, tick=False):
        client = sign_in(world)
        Session.objects.all().delete()  # its copy in the cache is still there
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        answer = client.get(f"/a/{world.acme.pk}/settings/sessions/")
        assert (answer.status_code, answer["Location"]) == (302, "/login/")
        assert answer.cookies["trunkline_session"]["max-age"] == 0
        assert client.get("/login/").status_code == 200


def test_anonymous_session_belongs_to_nobody(db: None) -> None:
    client = Client()
    client.post("/password/forgotten/", {"identity": "x"})
    session = client.session
    session["anything"] = 1
    session.save()
    assert Session.objects.get().person is None


@pytest.mark.parametrize(
    ("user_agent", "browser", "system", "is_handheld"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like"
            " Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge",
            "Windows",
            False,
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
            " (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
            "Safari",
            "macOS",
            False,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
            " AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
            " Mobile/15E148 Safari/604.1",
            "Safari",
            "iPhone",
            True,
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like"
            " Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome",
            "Android",
            True,
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101"
            " Firefox/140.0",
            "Firefox",
            "Linux",
            False,
        ),
        ("curl/8.5.0", "curl", "", False),
        ("", "", "", False),
        ("<script>alert(1)</script>", "", "", False),
    ],
)
def test_browser_is_named_in_words_people_know(
    user_agent: str, browser: str, system: str, *, is_handheld: bool
) -> None:
    assert browsers.describe(user_agent) == (browser, system)
    assert browsers.is_handheld(user_agent) == is_handheld
