"""The cache and broker are away: slower, but nobody is signed out and nothing is lost."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from customers import branding
from portal.core.throttle import Throttle
from tests.core.post_office import free_port
from tests.pages import send
from tests.world import PASSWORD, World


@pytest.fixture
def no_cache(settings: Settings) -> None:
    default = settings.CACHES["default"]
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {**default, "LOCATION": nowhere}}


def test_people_sign_in_and_work(world: World, no_cache: Any) -> None:
    client = Client()
    entries = {"username": "ben@beta.test", "password": PASSWORD}
    begin = time.monotonic()
    assert client.post("/login/", entries).status_code == 302
    page = f"/a/{world.beta.pk}/settings/profile/"
    assert client.get(page).context["shell"]["brand"].name == "Acme"
    assert send(client, page, first_name="Benno").status_code == 302
    assert time.monotonic() - begin < 20, (
        "every question to the cache must give up soon"
    )
    world.ben.refresh_from_db()
    assert world.ben.first_name == "Benno"
    wrong = Client().post("/login/", {**entries, "password": "guess"})
    assert wrong.status_code == 422


def test_nothing_is_refused_and_nothing_breaks(no_cache: Any) -> None:
    throttle = Throttle("test", limit=1, seconds=60)
    assert [throttle.allows("key") for _time in range(3)] == [True] * 3
    assert not throttle.is_used_up("key")
    throttle.forget("key")


def test_brand_is_read_from_the_rows(world: World, no_cache: Any) -> None:
    brand = branding.page_brand(world.gamma)
    assert brand is not None
    assert brand.name == "Acme"
    branding.forget_page_brand(world.acme.pk)
