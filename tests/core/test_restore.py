"""What was typed survives the end of the session, except what must not be kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import Client, RequestFactory

from portal.core.restore import MAX_LENGTH, SESSION_KEY, keep_entries, take_entries
from portal.core.sessions import SessionStore
from tests.world import World

PAGE = "/a/1/settings/company/"


def request(method: str = "post", path: str = PAGE, data: Any = None) -> HttpRequest:
    made: HttpRequest = getattr(RequestFactory(), method)(path, data or {})
    made.session = SessionStore()
    return made


def kept(made: HttpRequest) -> str:
    found: str = made.session.get(SESSION_KEY, {}).get("entries", "")
    return found


def test_entries_come_back_once_on_their_page() -> None:
    made = request(data={"name": "Ü & =;", "taxes": ["1", "2"], "empty": ""})
    keep_entries(made)
    entries = take_entries(made)
    assert entries is not None
    assert entries["name"] == "Ü & =;"
    assert entries.getlist("taxes") == ["1", "2"]
    assert entries["empty"] == ""
    assert take_entries(made) is None


def test_entries_wait_for_their_own_page() -> None:
    made = request(data={"name": "x"})
    keep_entries(made)
    other = request("get", "/a/2/settings/company/")
    other.session = made.session
    assert take_entries(other) is None
    assert kept(made) == "name=x"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "old_password",
        "new_password1",
        "line-Password",
        "code",
        "person-code",
        "pin",
        "csrfmiddlewaretoken",
    ],
)
def test_secret_is_not_kept(name: str) -> None:
    made = request(data={name: "secret", "name": "x"})
    keep_entries(made)
    assert kept(made) == "name=x"


@pytest.mark.parametrize("name", ["address_code", "spin", "description", "codec"])
def test_what_only_sounds_secret_is_kept(name: str) -> None:
    made = request(data={name: "x"})
    keep_entries(made)
    assert kept(made) == f"{name}=x"


def test_nothing_but_secrets_keeps_nothing() -> None:
    made = request(data={"password": "secret"})
    keep_entries(made)
    assert SESSION_KEY not in made.session


def test_opening_a_page_keeps_nothing() -> None:
    made = request("get", data={"q": "x"})
    keep_entries(made)
    assert SESSION_KEY not in made.session


def test_too_much_is_not_kept() -> None:
    made = request(data={"text": "x" * MAX_LENGTH})
    keep_entries(made)
    assert SESSION_KEY not in made.session


def test_file_is_not_kept_but_what_was_typed_beside_it_is() -> None:
    made = request(data={"logo": SimpleUploadedFile("a.png", b"x"), "name": "x"})
    keep_entries(made)
    assert kept(made) == "name=x"


def test_newest_entries_replace_older_ones() -> None:
    made = request(data={"name": "old"})
    keep_entries(made)
    newer = request(path="/a/1/other/", data={"name": "new"})
    newer.session = made.session
    keep_entries(newer)
    assert take_entries(made) is None
    entries = take_entries(newer)
    assert entries is not None
    assert entries["name"] == "new"


def test_what_a_script_asks_does_not_take_the_place_of_a_form(world: World) -> None:
    client = Client()
    form = f"/a/{world.acme.pk}/commerce/customers/new/normal/"
    checks = f"/a/{world.acme.pk}/commerce/customers/new/warnings/"
    client.post(form, {"name": "Delta Dental"})
    client.post(checks, {"name": "Delta"}, headers={"HX-Request": "true"})
    assert client.session["kept_entries"]["path"] == form
