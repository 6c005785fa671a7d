"""Signing in: who may, what strangers learn (nothing), and what happens to guessing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from customers.choices import Lock
from customers.models import Customer, Person, Role
from customers.urls.sign_in import urlpatterns
from customers.views.sign_in import FAILURES
from portal.core.models import AuditEvent, Session
from portal.core.scope import scopes_disabled
from tests.world import PASSWORD, World

WRONG = "User name or password is wrong. Check both and try again."


def sign_in(
    username: str,
    password: str = PASSWORD,
    *,
    client: Client | None = None,
    **fields: Any,
) -> Any:
    entries = {"username": username, "password": password, **fields}
    return (client or Client()).post("/login/", entries)


def reasons(answer: Any) -> list[str]:
    """Why the sign-in was refused, as the page says it."""
    assert answer.status_code == 422
    return list(answer.context["form"].non_field_errors())


def change(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    with scopes_disabled():
        row.save()


# --- The right password ---------------------------------------------------------------


def test_right_password_leads_to_the_own_account(world: World) -> None:
    client = Client()
    answer = sign_in("ann@acme.test", client=client)
    assert answer.status_code == 302
    page = client.get(answer["Location"], follow=True)
    assert page.redirect_chain[0][0] == f"/a/{world.acme.pk}/"
    assert page.status_code == 200


@pytest.mark.parametrize(
    "name", ["ANN@ACME.TEST", " ann@acme.test ", "\uff41nn@acme.test"]
)
def test_user_name_is_read_without_regard_to_case_width_and_spacing(
    world: World, name: str
) -> None:
    assert sign_in(name).status_code == 302


def test_signing_in_is_written_down(world: World) -> None:
    change(world.ann, failed_logins=3)
    before = timezone.now()
    sign_in("ann@acme.test")
    world.ann.refresh_from_db()
    assert world.ann.failed_logins == 0
    assert world.ann.last_login is not None
    assert world.ann.last_login >= before
    with scopes_disabled():
        event = AuditEvent.objects.get(action="person.signed_in")
    assert (event.person, event.customer) == (world.ann, world.acme)
    assert event.source_ip == "127.0.0.1"


def test_session_key_changes_at_sign_in(world: World) -> None:
    client = Client()
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["trunkline_session"] = str(session.session_key)
    planted = client.cookies["trunkline_session"].value
    sign_in("ann@acme.test", client=client)
    assert client.cookies["trunkline_session"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_another_person_in_the_same_browser_gets_a_fresh_session(world: World) -> None:
    client = world.client(world.eve)
    session = client.session
    session["of_eve"] = 1
    session.save()
    client.cookies["trunkline_session"] = str(session.session_key)
    client.post("/logout/")
    sign_in("ann@acme.test", client=client)
    assert "of_eve" not in client.session


def test_signed_in_person_needs_no_login_page(world: World) -> None:
    answer = world.client(world.ann).get("/login/")
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_login_page_is_never_stored(db: None) -> None:
    assert "no-store" in Client().get("/login/")["Cache-Control"]


# --- Refusals -------------------------------------------------------------------------


def unknown(world: World) -> str:
    return "nobody@acme.test"


def inactive(world: World) -> str:
    change(world.ann, is_active=False)
    return "ann@acme.test"


def without_login(world: World) -> str:
    role = Role.objects.create(name="Card", may_login=False, permissions=["user"])
    change(world.ann, role=role)
    return "ann@acme.test"


def of_deleted_customer(world: World) -> str:
    change(world.acme, deleted_at=timezone.now())
    return "ann@acme.test"


def from_elsewhere(world: World) -> str:
    change(world.ann, source_ips="192.0.2.0/24, 2001:db8::/32")
    return "ann@acme.test"


def pseudo(world: World) -> str:
    with scopes_disabled():
        Person.objects.create(
            customer=world.acme,
            username="[Acme Telecom]",
            role=world.ann.role,
            is_pseudo=True,
            password=make_password(PASSWORD),
        )
    return "[Acme Telecom]"


def without_password(world: World) -> str:
    world.ann.set_unusable_password()
    change(world.ann)
    return "ann@acme.test"


@pytest.mark.parametrize(
    "prepare",
    [
        unknown,
        inactive,
        without_login,
        of_deleted_customer,
        from_elsewhere,
        pseudo,
        without_password,
    ],
)
def test_refusal_tells_nothing_even_to_the_right_password(
    world: World, prepare: Callable[[World], str]
) -> None:
    client = Client()
    assert reasons(sign_in(prepare(world), client=client)) == [WRONG]
    assert client.get("/").status_code == 302


def test_wrong_password_is_told_in_the_same_words(world: World) -> None:
    assert reasons(sign_in("ann@acme.test", "wrong horse")) == [WRONG]


@pytest.mark.parametrize("network", ["127.0.0.1", "192.0.2.0/24 127.0.0.0/8"])
def test_person_comes_in_from_an_allowed_address(world: World, network: str) -> None:
    change(world.ann, source_ips=network)
    assert sign_in("ann@acme.test").status_code == 302


@pytest.mark.parametrize("entries", [{}, {"username": "a"}, {"password": "b"}])
def test_empty_field_is_told_at_the_field(db: None, entries: dict[str, str]) -> None:
    answer = Client().post("/login/", entries)
    assert answer.status_code == 422
    missing = {"username", "password"} - set(entries)
    assert set(answer.context["form"].errors) == missing


@pytest.mark.parametrize("name", ["\0", "a" * 151, "[", "‮moc.tset", "<script>"])
def test_strange_user_name_is_just_wrong(world: World, name: str) -> None:
    assert sign_in(name).status_code == 422


@pytest.mark.parametrize("lock", [Lock.WEB, Lock.BOTH])
def test_locked_customer_is_told_whom_to_ask(world: World, lock: Lock) -> None:
    change(world.beta, lock=lock)
    (reason,) = reasons(sign_in("ben@beta.test"))
    assert reason == "Your account is locked. Contact Acme: care@acme.test"


def test_lock_is_not_told_to_a_wrong_password(world: World) -> None:
    change(world.beta, lock=Lock.WEB)
    assert reasons(sign_in("ben@beta.test", "wrong horse")) == [WRONG]


def test_lock_is_not_told_to_who_may_not_come_in_anyway(world: World) -> None:
    change(world.beta, lock=Lock.WEB)
    change(world.ben, source_ips="192.0.2.1")
    assert reasons(sign_in("ben@beta.test")) == [WRONG]


def test_lock_of_calls_leaves_the_web_open(world: World) -> None:
    change(world.beta, lock=Lock.CALLS)
    assert sign_in("ben@beta.test").status_code == 302


@pytest.mark.parametrize(
    "prepare",
    [inactive, without_login, of_deleted_customer, from_elsewhere],
)
def test_who_may_no_longer_is_signed_out_at_the_next_click(
    world: World, prepare: Callable[[World], str]
) -> None:
    client = world.client(world.ann)
    page = f"/a/{world.acme.pk}/settings/profile/"
    assert client.get(page).status_code == 200
    prepare(world)
    assert client.get(page)["Location"].startswith("/login/")


# --- Nothing is learned from the time it takes ----------------------------------------


class CountingHasher(MD5PasswordHasher):
    """Hashes as quickly as tests want, and counts."""

    algorithm = "counting"
    count = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.count += 1
        return super().encode(password, salt)


def test_unknown_name_costs_as_much_as_a_wrong_password(
    world: World, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    world.ann.set_password(PASSWORD)
    change(world.ann)
    costs = []
    for name in ("ann@acme.test", "nobody@acme.test"):
        CountingHasher.count = 0
        with CaptureQueriesContext(connection) as queries:
            sign_in(name, "wrong horse")
        costs.append((CountingHasher.count, len(queries)))
    assert costs[0] == costs[1]
    assert costs[0][0] == 1


# --- Guessing -------------------------------------------------------------------------


def test_failures_are_counted_at_the_person(world: World) -> None:
    for _time in range(2):
        sign_in(" ANN@acme.test", "wrong horse")
    world.ann.refresh_from_db()
    assert world.ann.failed_logins == 2


@pytest.mark.parametrize("name", ["ann@acme.test", "nobody@acme.test"])
def test_fifth_failure_closes_the_login_for_a_while(world: World, name: str) -> None:
    start = datetime.now(UTC)
    client = Client()
    for _time in range(4):
        assert sign_in(name, "wrong horse", client=client).status_code == 422
    answer = sign_in(name, "wrong horse", client=client)
    assert answer.status_code == 429
    assert "closed for 15 minutes" in " ".join(answer.content.decode().split())
    assert sign_in(name, client=client).status_code == 429
    with time_machine.travel(start + timedelta(minutes=16), tick=True):
        expected = 302 if name == "ann@acme.test" else 422
        assert sign_in(name, client=client).status_code == expected


def test_spelling_differently_is_no_second_chance(world: World) -> None:
    for name in ("ann@acme.test", "ANN@acme.test", "ann@ACME.test ", "Ann@acme.test"):
        sign_in(name, "wrong horse")
    assert sign_in("aNN@acme.test", "wrong horse").status_code == 429


def test_lock_out_is_of_one_name_from_one_address(world: World) -> None:
    for _time in range(5):
        sign_in("ann@acme.test", "wrong horse")
    assert sign_in("uli@acme.test").status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in("ann@acme.test", client=elsewhere).status_code == 302


def test_success_forgets_the_failures(world: World) -> None:
    for _time in range(3):
        for _wrong in range(4):
            sign_in("ann@acme.test", "wrong horse")
        assert sign_in("ann@acme.test").status_code == 302


def test_many_names_from_one_address_are_stopped(world: World) -> None:
    for _time in range(FAILURES.limit - 1):
        FAILURES.allows("127.0.0.1")
    assert sign_in("one@acme.test", "wrong horse").status_code == 422
    assert sign_in("ann@acme.test").status_code == 429
    assert (
        sign_in("ann@acme.test", client=Client(REMOTE_ADDR="192.0.2.7")).status_code
        == 302
    )


def test_neither_password_nor_code_is_written_down(world: World) -> None:
    from axes.models import AccessAttempt

    sign_in("ann@acme.test", "wrong horse", code="123456")
    attempt = AccessAttempt.objects.get()
    assert "wrong horse" not in attempt.post_data
    assert "123456" not in attempt.post_data


# --- Where to afterwards --------------------------------------------------------------


def test_page_asked_for_opens_after_signing_in(world: World) -> None:
    client = Client()
    page = f"/a/{world.acme.pk}/settings/sessions/?x=1"
    login = client.get(page)["Location"]
    form = client.get(login)
    assert (
        sign_in("ann@acme.test", client=client, next=form.context["next"])["Location"]
        == page
    )


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "///evil.test",
        "/\\evil.test",
        "http:evil.test",
        "javascript:alert(1)",
        "\thttps://evil.test",
        " //evil.test",
    ],
)
def test_foreign_page_is_not_opened_after_signing_in(world: World, target: str) -> None:
    answer = sign_in("ann@acme.test", next=target)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    signed_in = world.client(world.ann).get("/login/", {"next": target})
    assert signed_in["Location"] == "/"


def test_ended_session_of_a_part_sends_the_whole_page_to_the_login(
    world: World,
) -> None:
    page = f"/a/{world.acme.pk}/commerce/customers/"
    answer = Client().get(
        f"{page}?sort=name",
        headers={
            "HX-Request": "true",
            "HX-Current-URL": f"http://testserver{page}?q=b",
        },
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == f"/login/?next={page}%3Fq%3Db"
    assert answer.content == b""


def test_ended_session_of_a_button_leads_back_to_its_page(world: World) -> None:
    page = f"/a/{world.acme.pk}/settings/sessions/"
    answer = Client().post(
        f"{page}others/end/", headers={"Referer": f"http://testserver{page}"}
    )
    assert answer["Location"] == f"/login/?next={page}"
    strange = Client().post(
        f"{page}others/end/", headers={"Referer": "https://e.test/"}
    )
    assert strange["Location"] == "/login/?next=/"


# --- Out again ------------------------------------------------------------------------


def test_signing_out_takes_a_post(world: World) -> None:
    client = world.client(world.ann)
    assert client.get("/logout/").status_code == 302
    assert client.get(f"/a/{world.acme.pk}/settings/sessions/").status_code == 200
    answer = client.post("/logout/")
    assert (answer.status_code, answer["Location"]) == (302, "/logout/")
    assert "You are logged out" in client.get("/logout/").content.decode()
    assert client.get(f"/a/{world.acme.pk}/settings/sessions/").status_code == 302
    assert not Session.objects.filter(person=world.ann).exists()


def test_forms_of_strangers_need_the_token_of_the_page(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in("ann@acme.test", client=client).status_code == 403
    assert client.post("/logout/").status_code == 403
    assert client.post("/password/forgotten/", {"identity": "a"}).status_code == 403


# --- Every page of this group ---------------------------------------------------------

PAGES: dict[str, tuple[dict[str, Any], int]] = {
    "login": ({}, 200),
    "logout": ({}, 200),
    "two-factor": ({}, 302),
    "password-forgotten": ({}, 200),
    "password-forgotten-done": ({}, 200),
    "password-reset": ({"uidb64": "MQ", "token": "abc"}, 410),
    "welcome": ({"uidb64": "MQ", "token": "abc"}, 410),
    "brand-logo": ({"customer": 1, "digest": "abc"}, 404),
    "brand-styles": ({"customer": 1, "digest": "abc"}, 404),
}


def test_every_page_of_the_group_is_listed_here() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_stranger_may_open_the_page(db: None, name: str) -> None:
    kwargs, status = PAGES[name]
    answer = Client().get(reverse(name, kwargs=kwargs))
    assert answer.status_code == status
    assert "next=" not in answer.get("Location", "")


def test_customer_below_a_locked_one_may_still_come_in(world: World) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(lock=Lock.BOTH)
    assert sign_in("gil@gamma.test").status_code == 302
