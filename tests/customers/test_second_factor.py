"""The second factor: setting it up, signing in with it, losing it, owing it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from customers.choices import Lock
from customers.models import Company, Person
from customers.selectors import has_second_factor
from customers.services import second_factor
from customers.services.second_factor import CONFIRMATIONS
from portal.core.models import AuditEvent, Session
from portal.core.scope import scopes_disabled, subtree
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import PASSWORD, World, build_world

NOON = datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC)
KEY = "3132333435363738393031323334353637383930"


@pytest.fixture
def clock() -> Iterator[Any]:
    """Noon, until a test moves on: codes change every half minute."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def code_of(key: str = KEY) -> str:
    """What the app shows now."""
    return f"{TOTP(bytes.fromhex(key)).token():06d}"


def wrong_code() -> str:
    return f"{(int(code_of()) + 1) % 1_000_000:06d}"


def set_up(person: Person) -> list[str]:
    """Have a second factor already, its code not used yet; the recovery codes."""
    with subtree(person.customer):
        TOTPDevice.objects.create(user=person, name="app", key=KEY)
        return second_factor._new_recovery_codes(person)


def first_step(client: Client, username: str = "ann@acme.test", **fields: str) -> Any:
    entries = {"username": username, "password": PASSWORD, **fields}
    return client.post("/login/", entries)


def settings_url(world: World, part: str = "") -> str:
    return f"/a/{world.acme.pk}/settings/second-factor/{part}"


def events() -> list[str]:
    with scopes_disabled():
        found = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
        return [action for action in found if action != "person.signed_in"]


# --- Setting it up --------------------------------------------------------------------


def test_app_is_set_up_by_picture_or_text(world: World, clock: Any) -> None:
    client = world.client(world.ann)
    page = client.get(settings_url(world, "set-up/"))
    setup = page.context["setup"]
    assert setup.qr.startswith("data:image/svg+xml")
    key = base64.b32decode(setup.secret.replace(" ", "")).hex()
    assert len(key) == 40
    assert setup.uri.startswith("otpauth://totp/Trunkline%3Aann%40acme.test?")
    assert setup.secret.replace(" ", "") in setup.uri
    assert key not in str(dict(client.session)), "the session keeps it encrypted"

    answer = client.post(
        settings_url(world, "set-up/"), entries_of(page, code=code_of(key))
    )
    assert answer["Location"] == settings_url(world)
    shown = client.get(settings_url(world))
    codes = shown.context["codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){2}", code) for code in codes)
    assert client.get(settings_url(world)).context["codes"] == [], "shown once"
    assert has_second_factor(world.ann)
    assert events() == ["person.second_factor_added"]


def test_secret_stays_the_same_until_it_works(world: World, clock: Any) -> None:
    client = world.client(world.ann)
    url = settings_url(world, "set-up/")
    first = client.get(url).context["setup"].secret
    refused = send(client, url, code="000000")
    assert "wrong" in " ".join(errors_of(refused)["code"])
    assert refused.context["setup"].secret == first
    assert not has_second_factor(world.ann)
    key = base64.b32decode(first.replace(" ", "")).hex()
    assert send(client, url, code=code_of(key)).status_code == 302


@pytest.mark.parametrize(
    "code", ["", "12345", "abcdef", "\uff11\uff12\uff13", "-12345", "1" * 21]
)
def test_what_is_no_code_is_refused(world: World, clock: Any, code: str) -> None:
    answer = send(world.client(world.ann), settings_url(world, "set-up/"), code=code)
    assert "code" in errors_of(answer)
    assert not has_second_factor(world.ann)


def test_setting_up_signs_out_the_other_browsers(world: World, clock: Any) -> None:
    here, there = world.client(world.ann), world.client(world.ann)
    url = settings_url(world, "set-up/")
    secret = here.get(url).context["setup"].secret.replace(" ", "")
    send(here, url, code=code_of(base64.b32decode(secret).hex()))
    assert here.get(settings_url(world)).status_code == 200
    assert there.get(settings_url(world)).status_code == 302


def test_second_one_is_not_set_up(world: World, clock: Any) -> None:
    client = world.client(world.ann)
    page = client.get(settings_url(world, "set-up/"))
    set_up(world.ann)
    assert client.get(settings_url(world, "set-up/")).status_code == 302
    answer = client.post(
        settings_url(world, "set-up/"), entries_of(page, code=code_of())
    )
    assert "already" in " ".join(errors_of(answer)["__all__"])
    assert TOTPDevice.objects.count() == 1


# --- Signing in with it ---------------------------------------------------------------


def test_password_alone_opens_nothing(world: World, clock: Any) -> None:
    set_up(world.ann)
    client = Client()
    assert first_step(client)["Location"] == "/two-factor/"
    assert client.get("/").headers["Location"].startswith("/login/")
    assert client.get("/two-factor/").status_code == 200
    assert not Session.objects.filter(person=world.ann).exists()
    world.ann.refresh_from_db()
    assert world.ann.last_login is None


def test_code_is_the_second_step(world: World, clock: Any) -> None:
    set_up(world.ann)
    client = Client()
    page = f"/a/{world.acme.pk}/settings/sessions/"
    first_step(client, next=page)
    before = client.session.session_key
    answer = client.post("/two-factor/", {"code": code_of()})
    assert answer["Location"] == page
    assert client.session.session_key != before
    shown = client.get(page)
    assert shown.status_code == 200
    assert shown.wsgi_request.user.is_verified()


def test_foreign_page_does_not_open_after_the_second_step(
    world: World, clock: Any
) -> None:
    set_up(world.ann)
    client = Client()
    first_step(client, next="https://evil.test/")
    fields = {"code": code_of(), "next": "https://evil.test/"}
    assert client.post("/two-factor/", fields)["Location"] == "/"


@pytest.mark.parametrize("shape", ["{} {}", " {}{} ", "{}{}"])
def test_code_is_typed_as_the_app_shows_it(
    world: World, clock: Any, shape: str
) -> None:
    set_up(world.ann)
    client = Client()
    first_step(client)
    code = code_of()
    fields = {"code": shape.format(code[:3], code[3:])}
    assert client.post("/two-factor/", fields).status_code == 302


def test_code_works_once(world: World, clock: Any) -> None:
    set_up(world.ann)
    for expected in (302, 422):
        client = Client()
        first_step(client)
        answer = client.post("/two-factor/", {"code": code_of()})
        assert answer.status_code == expected
    clock.shift(30)
    client = Client()
    first_step(client)
    assert client.post("/two-factor/", {"code": code_of()}).status_code == 302


def test_wrong_code_makes_the_next_try_wait(world: World, clock: Any) -> None:
    set_up(world.ann)
    client = Client()
    first_step(client)
    answer = client.post("/two-factor/", {"code": wrong_code()})
    assert "wrong" in " ".join(errors_of(answer)["code"])
    answer = client.post("/two-factor/", {"code": code_of()})
    assert "Wait 1 second" in " ".join(errors_of(answer)["code"])
    clock.shift(2)
    assert client.post("/two-factor/", {"code": code_of()}).status_code == 302


def test_fifth_wrong_code_closes_the_login(world: World, clock: Any) -> None:
    set_up(world.ann)
    clients = [Client(), Client()]
    for client in clients:
        first_step(client)
    for number in range(5):
        answer = clients[0].post("/two-factor/", {"code": wrong_code()})
        clock.shift(40)
        assert answer.status_code == (422 if number < 4 else 429)
    # Neither the step that waits in another browser nor the password helps now.
    assert clients[1].post("/two-factor/", {"code": code_of()}).status_code == 429
    assert first_step(Client()).status_code == 429
    world.ann.refresh_from_db()
    assert world.ann.failed_logins == 6, "tries while it is closed count too"
    clock.shift(16 * 60)
    client = Client()
    first_step(client)
    assert client.post("/two-factor/", {"code": code_of()}).status_code == 302


def test_second_step_waits_five_minutes(world: World, clock: Any) -> None:
    set_up(world.ann)
    client = Client()
    first_step(client)
    clock.shift(timedelta(minutes=5, seconds=1))
    answer = client.post("/two-factor/", {"code": code_of()})
    assert answer["Location"] == "/login/"
    assert "took too long" in client.get("/login/").content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_second_step_needs_the_first(world: World, method: str) -> None:
    set_up(world.ann)
    answer = getattr(Client(), method)("/two-factor/", {"code": "123456"})
    assert answer["Location"] == "/login/"


def test_who_was_locked_between_the_steps_stays_out(world: World, clock: Any) -> None:
    set_up(world.ann)
    client = Client()
    first_step(client)
    with scopes_disabled():
        world.acme.lock = Lock.WEB
        world.acme.save()
    assert client.post("/two-factor/", {"code": code_of()})["Location"] == "/login/"


@pytest.mark.django_db(transaction=True)
def test_code_used_twice_at_once_works_once() -> None:
    world = build_world()
    set_up(world.ann)
    clients = [Client(), Client()]
    for client in clients:
        first_step(client)
    code = code_of()
    codes = race(
        *(lambda c=client: c.post("/two-factor/", {"code": code}) for client in clients)
    )
    assert sorted(answer.status_code for answer in codes) == [302, 422]


# --- Recovery codes -------------------------------------------------------------------


def test_recovery_code_signs_in_once(world: World, clock: Any) -> None:
    codes = set_up(world.ann)
    for expected in (302, 422):
        client = Client()
        first_step(client)
        assert client.get("/two-factor/?recovery=1").status_code == 200
        answer = client.post("/two-factor/?recovery=1", {"code": codes[3]})
        assert answer.status_code == expected
        clock.shift(5)
    assert second_factor.recovery_codes_left(world.ann) == 9


def test_recovery_code_is_read_as_people_write_it(world: World, clock: Any) -> None:
    code = set_up(world.ann)[0].replace("-", " ").upper()
    client = Client()
    first_step(client)
    answer = client.post("/two-factor/?recovery=1", {"code": f" {code} "})
    assert answer.status_code == 302


def test_recovery_codes_are_stored_so_that_nobody_can_use_the_rows(
    world: World, clock: Any
) -> None:
    codes = set_up(world.ann)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert not stored & {*codes, *(code.replace("-", "") for code in codes)}
    client = Client()
    first_step(client)
    for token in sorted(stored)[:2]:
        answer = client.post("/two-factor/?recovery=1", {"code": token})
        assert answer.status_code == 422
        clock.shift(10)


def test_recovery_codes_survive_a_new_secret_key(
    world: World, clock: Any, settings: Settings
) -> None:
    codes = set_up(world.ann)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60
    client = Client()
    first_step(client)
    answer = client.post("/two-factor/?recovery=1", {"code": codes[0]})
    assert answer.status_code == 302


def test_codes_of_another_person_are_worth_nothing(world: World, clock: Any) -> None:
    set_up(world.ann)
    foreign = set_up(world.uli)
    client = Client()
    first_step(client)
    answer = client.post("/two-factor/?recovery=1", {"code": foreign[0]})
    assert answer.status_code == 422
    assert second_factor.recovery_codes_left(world.uli) == 10


def test_new_recovery_codes_take_the_password(world: World, clock: Any) -> None:
    old = set_up(world.ann)
    client = world.client(world.ann)
    url = settings_url(world, "codes/")
    assert "password" in errors_of(send(client, url, password="guess"))
    assert send(client, url, password=PASSWORD)["Location"] == settings_url(world)
    new = client.get(settings_url(world)).context["codes"]
    assert len(new) == 10
    assert not set(new) & set(old)
    assert second_factor.recovery_codes_left(world.ann) == 10
    assert events() == ["person.recovery_codes_renewed"]


def test_new_recovery_codes_need_a_second_factor(world: World) -> None:
    answer = send(
        world.client(world.ann), settings_url(world, "codes/"), password=PASSWORD
    )
    assert "no second factor" in " ".join(errors_of(answer)["__all__"])


# --- Turning it off -------------------------------------------------------------------


@pytest.mark.parametrize("way", ["app", "recovery"])
def test_turning_off_takes_password_and_code(
    world: World, clock: Any, way: str
) -> None:
    codes = set_up(world.ann)
    client = world.client(world.ann)
    url = settings_url(world, "off/")
    code = code_of() if way == "app" else codes[0]
    assert "password" in errors_of(send(client, url, password="guess", code=code))
    refused = send(client, url, password=PASSWORD, code=wrong_code())
    assert "code" in errors_of(refused)
    clock.shift(30)
    code = code_of() if way == "app" else codes[0]
    answer = send(client, url, password=PASSWORD, code=code)
    assert answer["Location"] == settings_url(world)
    assert not has_second_factor(world.ann)
    assert not StaticToken.objects.exists()
    assert first_step(Client())["Location"] == "/"
    assert events() == ["person.second_factor_removed"]


def test_guessing_in_the_settings_is_stopped(world: World, clock: Any) -> None:
    set_up(world.ann)
    client = world.client(world.ann)
    url = settings_url(world, "off/")
    for _time in range(CONFIRMATIONS.limit):
        answer = send(client, url, password="guess", code=code_of())
        assert "password" in errors_of(answer)
    answer = send(client, url, password=PASSWORD, code=code_of())
    assert "Too many tries" in " ".join(errors_of(answer)["__all__"])
    assert has_second_factor(world.ann)


# --- By an administrator --------------------------------------------------------------


def test_administrator_removes_it_for_somebody_below(world: World) -> None:
    set_up(world.ben)
    with subtree(world.acme):
        second_factor.remove_second_factor(person=world.ben, by=world.actor(world.ann))
    assert not has_second_factor(world.ben)
    assert events() == ["person.second_factor_removed"]


def test_administrator_removes_it_for_nobody_else(world: World) -> None:
    for person in (world.ann, world.ben, world.eve):
        set_up(person)
    with scopes_disabled():
        for person in (world.ann, world.eve, world.olga):
            with pytest.raises(PermissionDenied):
                second_factor.remove_second_factor(
                    person=person, by=world.actor(world.ann)
                )
        with pytest.raises(PermissionDenied):
            second_factor.remove_second_factor(
                person=world.ann, by=world.actor(world.uli)
            )
    assert TOTPDevice.objects.count() == 3


# --- Companies that demand it ---------------------------------------------------------


def demand(world: World) -> None:
    with scopes_disabled():
        Company.objects.filter(customer=world.acme).update(requires_second_factor=True)


def test_who_owes_one_can_do_nothing_else(world: World, clock: Any) -> None:
    client = world.client(world.ann)
    demand(world)
    setup = settings_url(world, "set-up/")
    for page in (
        "/",
        f"/a/{world.acme.pk}/",
        f"/a/{world.acme.pk}/commerce/customers/",
        f"/a/{world.acme.pk}/settings/profile/",
        settings_url(world),
    ):
        assert client.get(page)["Location"] == setup, page
    part = client.get(
        f"/a/{world.acme.pk}/commerce/customers/", headers={"HX-Request": "true"}
    )
    assert part["HX-Redirect"] == setup
    blocked = client.post(f"/a/{world.acme.pk}/switch/", {"customer": world.beta.pk})
    assert blocked["Location"] == setup

    form = client.get(setup)
    assert "demands a second factor" in form.content.decode()
    key = base64.b32decode(form.context["setup"].secret.replace(" ", "")).hex()
    assert client.post(setup, entries_of(form, code=code_of(key))).status_code == 302
    assert client.get(f"/a/{world.acme.pk}/settings/profile/").status_code == 200


def test_who_owes_one_may_go_away(world: World) -> None:
    client = world.client(world.ann)
    demand(world)
    assert client.post("/logout/")["Location"] == "/logout/"


def test_what_was_typed_before_the_demand_comes_back(world: World, clock: Any) -> None:
    client = world.client(world.ann)
    page = client.get(f"/a/{world.acme.pk}/settings/profile/")
    demand(world)
    client.post(page.wsgi_request.path, entries_of(page, first_name="Annegret"))
    set_up(world.ann)
    again = client.get(page.wsgi_request.path)
    assert again.context["form"]["first_name"].value() == "Annegret"


def test_demand_is_about_the_own_staff_only(world: World) -> None:
    demand(world)
    page = f"/a/{world.beta.pk}/settings/profile/"
    assert world.client(world.ben).get(page).status_code == 200
    assert world.client(world.olga).get("/", follow=True).status_code == 200


def test_demanded_one_is_replaced_by_turning_it_off(world: World, clock: Any) -> None:
    set_up(world.ann)
    demand(world)
    client = world.client(world.ann)
    url = settings_url(world, "off/")
    assert "set up a new one" in client.get(url).content.decode()
    send(client, url, password=PASSWORD, code=code_of())
    assert client.get(settings_url(world))["Location"] == settings_url(world, "set-up/")


def test_signed_in_page_asks_little_of_the_database_for_this(
    world: World, django_assert_max_num_queries: Any
) -> None:
    demand(world)
    set_up(world.ann)
    client = world.client(world.ann)
    client.get(settings_url(world))
    with django_assert_max_num_queries(12):
        client.get(settings_url(world))


def test_device_remembers_when_it_was_set_up(world: World, clock: Any) -> None:
    set_up(world.ann)
    assert TOTPDevice.objects.get().created_at == timezone.now()
