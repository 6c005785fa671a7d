"""Choosing, forgetting and changing passwords: links, and what an old one leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import emails, tokens
from customers.models import Company, Person, Switch
from customers.services import passwords
from customers.services.passwords import LINKS, OLD_PASSWORDS
from customers.views.sign_in import FORGOTTEN
from portal.celery import app as celery_app
from portal.core import mail
from portal.core.models import AuditEvent, OutgoingEmail, Session
from portal.core.scope import scopes_disabled
from tests.pages import errors_of, send
from tests.race import race
from tests.world import PASSWORD, World, build_world

NEW = "a wholly new passphrase"


@pytest.fixture
def background() -> Iterator[None]:
    """Do at once what a worker would do in a moment."""
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


def mails(kind: str = "") -> list[OutgoingEmail]:
    with scopes_disabled():
        found = OutgoingEmail.objects.order_by("pk")
        return list(found.filter(kind=kind) if kind else found)


def forget(identity: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/password/forgotten/", {"identity": identity})


def change(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    with scopes_disabled():
        row.save()


def path_of(link: str) -> str:
    return link.removeprefix("http://localhost:8000")


def choose(
    client: Client, link: str, first: str = NEW, again: str | None = None
) -> Any:
    """Follow a link and choose a password."""
    form = client.get(path_of(link))
    assert form.status_code == 302
    url = form["Location"]
    again = first if again is None else again
    return client.post(url, {"new_password1": first, "new_password2": again})


# --- Asking for a link ----------------------------------------------------------------


@pytest.mark.parametrize(
    "identity", ["ann@acme.test", "ANN@ACME.test ", "  ann@acme.test"]
)
def test_forgotten_password_mails_a_link(
    world: World, background: None, identity: str
) -> None:
    answer = forget(identity)
    assert answer["Location"] == "/password/forgotten/sent/"
    (email,) = mails()
    assert (email.kind, email.to) == ("password_reset", ["ann@acme.test"])
    assert email.customer == world.acme
    text = mail.with_link(email.text, email)
    assert re.search(r"http://localhost:8000/password/reset/\S+/", text)
    assert "ann@acme.test" in text


def test_link_is_asked_for_by_any_of_the_addresses(
    world: World, background: None
) -> None:
    change(world.ann, username="ann", emails="ann@acme.test, anna@home.test")
    forget("Anna@Home.test")
    (email,) = mails()
    assert email.to == ["ann@acme.test", "anna@home.test"]


def test_part_of_an_address_is_nobody(world: World, background: None) -> None:
    change(world.ann, username="ann", emails="ann@acme.test")
    for identity in (
        "nn@acme.test",
        "ann@acme.tes",
        "@",
        "%@acme.test",
        "ann@acme_test",
    ):
        forget(identity)
    assert mails() == []


def test_everybody_of_a_shared_address_gets_an_own_link(
    world: World, background: None
) -> None:
    change(world.uli, emails="team@acme.test")
    change(world.ann, emails="team@acme.test")
    forget("team@acme.test")
    assert {email.person for email in mails()} == {world.ann, world.uli}
    assert len({email.secret for email in mails()}) == 2


def nobody(world: World) -> str:
    return "nobody@acme.test"


def inactive(world: World) -> str:
    change(world.ann, is_active=False)
    return "ann@acme.test"


def of_deleted_customer(world: World) -> str:
    change(world.acme, deleted_at=timezone.now())
    return "ann@acme.test"


def pseudo(world: World) -> str:
    with scopes_disabled():
        Person.objects.create(
            customer=world.acme,
            username="[Acme Telecom]",
            emails="pseudo@acme.test",
            role=world.ann.role,
            is_pseudo=True,
        )
    return "pseudo@acme.test"


def without_login(world: World) -> str:
    change(world.ann.role, may_login=False)
    return "ann@acme.test"


@pytest.mark.parametrize(
    "prepare", [nobody, inactive, of_deleted_customer, pseudo, without_login]
)
def test_answer_is_the_same_for_those_who_get_no_link(
    world: World, background: None, prepare: Callable[[World], str]
) -> None:
    answer = forget(prepare(world))
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/password/forgotten/sent/",
    )
    assert mails() == []


def test_request_costs_the_same_whether_there_is_such_a_person(world: World) -> None:
    """The work is left to a worker: the request itself asks the database nothing."""
    for identity in ("ann@acme.test", "nobody@acme.test"):
        with CaptureQueriesContext(connection) as queries:
            forget(identity)
        assert len(queries) == 0
    assert mails() == []


def test_one_name_gets_few_links_an_hour(world: World, background: None) -> None:
    for _time in range(LINKS.limit + 2):
        assert forget("Ann@acme.test")["Location"] == "/password/forgotten/sent/"
    assert len(mails()) == LINKS.limit


def test_one_address_asks_not_for_ever(world: World, background: None) -> None:
    for number in range(FORGOTTEN.limit):
        assert forget(f"somebody{number}@acme.test").status_code == 302
    answer = forget("ann@acme.test")
    assert answer.status_code == 429
    assert "Too many requests" in answer.content.decode()
    assert mails() == []
    assert forget("ann@acme.test", Client(REMOTE_ADDR="192.0.2.9")).status_code == 302


@pytest.mark.parametrize("identity", ["", "   ", "a" * 255])
def test_empty_or_endless_name_is_refused(db: None, identity: str) -> None:
    assert forget(identity).status_code == 422


@pytest.mark.parametrize("identity", ["<script>", "a\0b", "'; DROP TABLE --", "‮x@y.z"])
def test_strange_name_is_nobody(world: World, background: None, identity: str) -> None:
    assert forget(identity).status_code in {302, 422}
    assert mails() == []


# --- Links ----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [tokens.reset_link, tokens.welcome_link])
def test_link_sets_the_password_once(world: World, make: Callable[..., str]) -> None:
    link = make(world.ben)
    client = Client()
    answer = choose(client, link)
    assert answer["Location"] == "/login/"
    login = client.get("/login/")
    assert login.context["form"]["username"].value() == "ben@beta.test"
    assert "Your password is saved" in login.content.decode()
    assert client.get("/").status_code == 302, "the link signs nobody in"
    world.ben.refresh_from_db()
    assert world.ben.check_password(NEW)
    credentials = {"username": "ben@beta.test", "password": NEW}
    assert client.post("/login/", credentials).status_code == 302

    again = Client().get(path_of(link))
    assert again.status_code == 410
    page = again.content.decode()
    assert "This link no longer works" in page
    assert "/password/forgotten/" in page


def test_token_leaves_the_address(world: World) -> None:
    link = path_of(tokens.reset_link(world.ben))
    token = link.split("/")[-2]
    client = Client()
    page = client.get(link, follow=True)
    assert page.redirect_chain[0][0].endswith("/choose/")
    assert token not in page.content.decode()
    assert page["Cache-Control"].find("no-store") >= 0
    assert page["Referrer-Policy"] == "same-origin"


def test_opening_the_link_uses_nothing_up(world: World) -> None:
    """Mail scanners open every link before its reader does."""
    link = tokens.reset_link(world.ben)
    for _time in range(3):
        assert Client().get(path_of(link), follow=True).status_code == 200
    assert choose(Client(), link).status_code == 302


def test_page_behind_the_link_needs_the_link(world: World) -> None:
    link = path_of(tokens.reset_link(world.ben))
    moved = link.replace(link.split("/")[-2], "choose")
    assert Client().get(moved).status_code == 410
    other = Client()
    other.get(path_of(tokens.reset_link(world.eve)))
    assert other.get(moved).status_code == 410
    fields = {"new_password1": NEW, "new_password2": NEW}
    assert other.post(moved, fields).status_code == 410


def of_another_person(world: World) -> str:
    token = tokens.reset_tokens.make_token(world.eve)
    own = path_of(tokens.reset_link(world.ben))
    return own.replace(own.split("/")[-2], token)


def of_another_purpose(world: World) -> str:
    return path_of(tokens.welcome_link(world.ben)).replace(
        "/welcome/", "/password/reset/"
    )


def cut_short(world: World) -> str:
    return path_of(tokens.reset_link(world.ben))[:-3] + "/"


def of_nobody(world: World) -> str:
    return "/password/reset/OTk5OTk5/" + tokens.reset_tokens.make_token(world.ben) + "/"


def of_garbage(world: World) -> str:
    return "/password/reset/%C3%A4/xyz/"


def of_a_huge_number(world: World) -> str:
    return "/password/reset/OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/xyz/"


def signed_by_us_for_something_else(world: World) -> str:
    own = path_of(tokens.reset_link(world.ben))
    return own.replace(own.split("/")[-2], signing.dumps("x", salt="other"))


def of_one_who_signed_in_since(world: World) -> str:
    link = path_of(tokens.reset_link(world.ben))
    Client().post("/login/", {"username": "ben@beta.test", "password": PASSWORD})
    return link


def of_one_whose_address_changed(world: World) -> str:
    link = path_of(tokens.reset_link(world.ben))
    change(world.ben, emails="new@beta.test")
    return link


def of_one_who_was_switched_off(world: World) -> str:
    link = path_of(tokens.reset_link(world.ben))
    change(world.ben, is_active=False)
    return link


def of_a_deleted_account(world: World) -> str:
    link = path_of(tokens.reset_link(world.ben))
    change(world.beta, deleted_at=timezone.now())
    return link


@pytest.mark.parametrize(
    "make",
    [
        of_another_person,
        of_another_purpose,
        cut_short,
        of_nobody,
        of_garbage,
        of_a_huge_number,
        signed_by_us_for_something_else,
        of_one_who_signed_in_since,
        of_one_whose_address_changed,
        of_one_who_was_switched_off,
        of_a_deleted_account,
    ],
)
def test_wrong_link_opens_nothing(world: World, make: Callable[[World], str]) -> None:
    link = make(world)
    answer = Client().get(link)
    assert answer.status_code == 410
    assert "ben" not in answer.content.decode()


@pytest.mark.parametrize(
    ("make", "valid"),
    [
        (tokens.reset_link, timedelta(hours=2)),
        (tokens.welcome_link, timedelta(days=7)),
    ],
)
def test_link_grows_old(
    world: World, make: Callable[..., str], valid: timedelta
) -> None:
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        link = path_of(make(world.ben))
    with time_machine.travel(start + valid - timedelta(seconds=1), tick=False):
        client = Client()
        moved = client.get(link)["Location"]
    with time_machine.travel(start + valid + timedelta(seconds=1), tick=False):
        assert Client().get(link).status_code == 410
        fields = {"new_password1": NEW, "new_password2": NEW}
        assert client.post(moved, fields).status_code == 410


def test_guessing_links_is_slowed_down(world: World) -> None:
    codes = [Client().get(of_garbage(world)).status_code for _time in range(51)]
    assert codes == [410] * 50 + [429]


@pytest.mark.parametrize(
    ("first", "again", "field", "words"),
    [
        (NEW, NEW + "!", "new_password2", "not the same"),
        ("short", "short", "new_password1", "at least 10 characters"),
        ("48151623421234", "48151623421234", "new_password1", "numeric"),
        ("ben@beta.test", "ben@beta.test", "new_password1", "too similar"),
        ("password123", "password123", "new_password1", "too common"),
        ("", "", "new_password1", "Choose a password"),
        ("x" * 201, "x" * 201, "new_password1", "at most 200"),
    ],
)
def test_bad_password_is_told_at_its_field(
    world: World, first: str, again: str, field: str, words: str
) -> None:
    answer = choose(Client(), tokens.reset_link(world.ben), first, again)
    assert words in " ".join(errors_of(answer)[field])
    assert NEW not in answer.content.decode()
    world.ben.refresh_from_db()
    assert world.ben.check_password(PASSWORD)


def test_link_signs_everybody_out_and_tells_the_owner(world: World) -> None:
    old = world.client(world.ben)
    choose(Client(), tokens.reset_link(world.ben))
    assert old.get(f"/a/{world.beta.pk}/settings/profile/").status_code == 302
    assert not Session.objects.filter(person=world.ben).exists()
    assert [email.kind for email in mails()] == ["password_changed"]
    with scopes_disabled():
        event = AuditEvent.objects.get(action="person.password_changed")
    assert (event.person, event.customer) == (world.ben, world.beta)
    assert NEW not in str(event.changes.values())


def test_first_password_is_no_change_to_tell(world: World) -> None:
    choose(Client(), tokens.welcome_link(world.ben))
    assert mails() == []


def test_link_opens_a_login_that_guessing_had_closed(world: World) -> None:
    for _time in range(5):
        Client().post("/login/", {"username": "ben@beta.test", "password": "guess"})
    choose(Client(), tokens.reset_link(world.ben))
    credentials = {"username": "ben@beta.test", "password": NEW}
    assert Client().post("/login/", credentials).status_code == 302


def test_link_in_a_browser_of_somebody_else_makes_room(world: World) -> None:
    client = world.client(world.eve)
    assert choose(client, tokens.reset_link(world.ben))["Location"] == "/login/"
    login = client.get("/login/")
    assert login.status_code == 200
    assert login.context["form"]["username"].value() == "ben@beta.test"


def test_page_behind_the_link_is_the_providers_in_the_persons_language(
    world: World,
) -> None:
    change(world.ben, language="de")
    page = Client().get(path_of(tokens.welcome_link(world.ben)), follow=True)
    html = page.content.decode()
    assert '<html lang="de"' in html
    assert page.context["brand"].name == "Acme"
    assert "Acme" in html
    with scopes_disabled():
        company = Company.objects.get(customer=world.acme)
    assert f"/brand/{world.acme.pk}/" in html
    assert (
        company.colour in Client().get(page.context["brand"].css_url).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_link_followed_twice_at_once_works_once() -> None:
    world = build_world()
    link = path_of(tokens.reset_link(world.ben))
    clients = [Client(), Client()]
    urls = [client.get(link)["Location"] for client in clients]
    first, second = "first passphrase", "second passphrase"

    def post(client: Client, url: str, password: str) -> int:
        fields = {"new_password1": password, "new_password2": password}
        return client.post(url, fields).status_code

    codes = race(
        lambda: post(clients[0], urls[0], first),
        lambda: post(clients[1], urls[1], second),
    )
    assert sorted(codes) == [302, 410]
    world.ben.refresh_from_db()
    assert world.ben.check_password(first if codes[0] == 302 else second)


# --- The mails ------------------------------------------------------------------------


def test_login_details_have_user_name_and_link_but_no_password(world: World) -> None:
    change(world.ben, first_name="Bénédicte", username="ben-the-best")
    email = emails.send_login_details(world.ben)
    assert email.subject == "Your login for Acme"
    text = mail.with_link(email.text, email)
    assert "ben-the-best" in text
    assert "Bénédicte Braun" in text
    (link,) = re.findall(r"http://localhost:8000/welcome/\S+", text)
    assert link in mail.with_link(email.html, email, is_html=True)
    assert "7 days" in text
    assert choose(Client(), link).status_code == 302


def test_names_in_mails_are_text_and_nothing_else(world: World) -> None:
    change(world.ben, first_name="<script>alert(1)</script>", last_name="{{ link }}")
    email = emails.send_login_details(world.ben)
    assert "<script>alert" not in email.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ link }}" in email.html
    assert "Hello <script>alert(1)</script> {{ link }}," in email.text


def test_mail_is_in_the_persons_language(world: World) -> None:
    change(world.ben, language="de")
    assert '<html lang="de"' in emails.send_password_reset(world.ben).html


# --- Changing it in Settings ----------------------------------------------------------


def change_password(world: World, client: Client, **entries: str) -> Any:
    typed = {
        "old_password": PASSWORD,
        "new_password1": NEW,
        "new_password2": NEW,
        **entries,
    }
    return send(client, f"/a/{world.acme.pk}/settings/password/", **typed)


def test_changing_keeps_this_browser_and_ends_the_others(world: World) -> None:
    here, there = world.client(world.ann), world.client(world.ann)
    before = here.session.session_key
    answer = change_password(world, here)
    assert answer["Location"] == f"/a/{world.acme.pk}/settings/password/"
    assert here.get(answer["Location"]).status_code == 200
    assert there.get(answer["Location"]).status_code == 302
    assert here.session.session_key != before, "a copied cookie is void as well"
    keys = set(Session.objects.values_list("session_key", flat=True))
    assert keys == {here.session.session_key}
    world.ann.refresh_from_db()
    assert world.ann.check_password(NEW)
    (email,) = mails()
    assert (email.kind, email.to) == ("password_changed", ["ann@acme.test"])


def test_switches_stay_open_when_the_password_changes(world: World) -> None:
    client = world.client(world.ann)
    client.post(f"/a/{world.acme.pk}/switch/", {"customer": world.beta.pk})
    change_password(world, client)
    assert client.get(f"/a/{world.beta.pk}/settings/company/").status_code == 200
    with scopes_disabled():
        assert Switch.objects.get().session_key == client.session.session_key


@pytest.mark.parametrize(
    ("entries", "field", "words"),
    [
        ({"old_password": "guess"}, "old_password", "not your present password"),
        ({"old_password": ""}, "old_password", "Enter the password"),
        ({"new_password2": "another one"}, "new_password2", "not the same"),
        (
            {"new_password1": "short", "new_password2": "short"},
            "new_password1",
            "at least 10",
        ),
    ],
)
def test_refused_change_is_told_and_changes_nothing(
    world: World, entries: dict[str, str], field: str, words: str
) -> None:
    client = world.client(world.ann)
    answer = change_password(world, client, **entries)
    assert words in " ".join(errors_of(answer)[field])
    html = answer.content.decode()
    assert NEW not in html
    assert PASSWORD not in html
    world.ann.refresh_from_db()
    assert world.ann.check_password(PASSWORD)
    assert mails() == []


def test_guessing_the_old_password_is_stopped(world: World) -> None:
    client = world.client(world.ann)
    for _time in range(OLD_PASSWORDS.limit):
        answer = change_password(world, client, old_password="guess")
        assert "old_password" in errors_of(answer)
    answer = change_password(world, client)
    assert "Too many tries" in " ".join(errors_of(answer)["__all__"])
    world.ann.refresh_from_db()
    assert world.ann.check_password(PASSWORD)


def test_nobody_changes_the_password_of_another(world: World) -> None:
    actor = world.actor(world.ann)
    with pytest.raises(PermissionDenied), scopes_disabled():
        passwords.change_password(
            person=world.uli,
            old_password=PASSWORD,
            new_password=NEW,
            by=actor,
            session_key="",
        )
