"""Settings » Profile, and that nothing about oneself is there while switched."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from customers.models import Customer, Person
from customers.services import passwords, profile, second_factor, sessions
from portal.core import restore
from portal.core.actor import Actor
from portal.core.models import AuditEvent, OutgoingEmail, Session
from portal.core.scope import scopes_disabled
from tests.pages import entries_of, errors_of, send
from tests.world import PASSWORD, World

OWN_PAGES = (
    "customers:profile",
    "customers:password",
    "customers:second-factor",
    "customers:second-factor-set-up",
    "customers:recovery-codes-renew",
    "customers:second-factor-off",
    "customers:session-list",
    "customers:session-end",
    "customers:sessions-end-others",
)


def profile_url(customer: Customer) -> str:
    return f"/a/{customer.pk}/settings/profile/"


def mails() -> list[OutgoingEmail]:
    with scopes_disabled():
        return list(OutgoingEmail.objects.order_by("pk"))


# --- Saving ---------------------------------------------------------------------------


def test_profile_is_saved_and_written_down(world: World) -> None:
    client = world.client(world.uli)
    answer = send(
        client,
        profile_url(world.acme),
        title="Dr.",
        first_name="Ulrike 🎧",
        last_name="أحمد",
        telephone="030 901820",
        mobile="+49 170 1234567",
        public_key="-----BEGIN PGP PUBLIC KEY BLOCK-----",
    )
    assert answer["Location"] == profile_url(world.acme)
    world.uli.refresh_from_db()
    assert world.uli.display_name == "Ulrike 🎧 أحمد"
    assert (world.uli.title, world.uli.telephone) == ("Dr.", "+4930901820")
    with scopes_disabled():
        event = AuditEvent.objects.get(action="person.updated")
        changes = {c.field: (c.old, c.new) for c in event.changes.all()}
    assert changes["first_name"] == ("Uli", "Ulrike 🎧")
    assert "emails" not in changes
    assert mails() == []


def test_language_zone_and_formats_hold_at_once(world: World) -> None:
    client = world.client(world.ann)
    row = Session.objects.get()
    answer = send(
        client,
        profile_url(world.acme),
        language="de",
        time_zone="America/New_York",
        date_format="m/d/Y",
        time_format="g:i A",
    )
    page = client.get(answer["Location"])
    assert '<html lang="de"' in page.content.decode()
    listed = client.get(f"/a/{world.acme.pk}/settings/sessions/")
    assert '<html lang="de"' in listed.content.decode()
    from zoneinfo import ZoneInfo

    local = row.created_at.astimezone(ZoneInfo("America/New_York"))
    expected = f"{local:%m/%d/%Y} {local.hour % 12 or 12}:{local:%M} "
    assert expected in listed.context["sessions"][0]["detail"]


def test_zone_and_language_left_to_the_company_follow_it(world: World) -> None:
    client = world.client(world.ann)
    form = client.get(profile_url(world.acme)).context["form"]
    assert dict(form.fields["time_zone"].choices)[""] == "Company's (Europe/Berlin)"
    assert dict(form.fields["language"].choices)[""] == "Company's (English)"
    with scopes_disabled():
        Customer.objects.filter(pk=world.acme.pk).update(language="de")
    assert '<html lang="de"' in client.get(profile_url(world.acme)).content.decode()


def test_new_address_is_told_to_the_old_one(world: World) -> None:
    client = world.client(world.ann)
    send(client, profile_url(world.acme), emails="ann@new.test; anna@home.test")
    world.ann.refresh_from_db()
    assert world.ann.emails == "ann@new.test, anna@home.test"
    (email,) = mails()
    assert (email.kind, email.to) == ("email_changed", ["ann@acme.test"])
    assert "ann@new.test" in email.text
    assert "anna@home.test" in email.html
    assert email.secret == ""


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("emails", "ann@", "is not an e-mail address"),
        ("emails", "a@b.test, not-one", "not-one"),
        ("emails", ", ".join(f"a{n}@b.test" for n in range(6)), "at most 5"),
        ("telephone", "+4912345678901234567", "E.164"),
        ("mobile", "<script>", "E.164"),
        ("fax", "+1", "E.164"),
        ("first_name", "x" * 61, "at most 60"),
        ("language", "xx", "valid choice"),
        ("time_zone", "Mars/Olympus", "valid choice"),
        ("date_format", "Y", "valid choice"),
        ("time_format", "", "required"),
    ],
)
def test_bad_value_is_told_at_its_field(
    world: World, field: str, value: str, words: str
) -> None:
    client = world.client(world.ann)
    answer = send(client, profile_url(world.acme), **{field: value})
    assert words in " ".join(errors_of(answer)[field])
    world.ann.refresh_from_db()
    assert world.ann.emails == "ann@acme.test"


def test_names_are_shown_as_text(world: World) -> None:
    client = world.client(world.ann)
    send(client, profile_url(world.acme), first_name="<script>alert(1)</script>")
    html = client.get(profile_url(world.acme)).content.decode()
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "1"),
        ("username", "owner"),
        ("is_active", ""),
        ("source_ips", "192.0.2.1"),
        ("customer", "1"),
        ("password", "x"),
        ("is_pseudo", "on"),
    ],
)
def test_what_the_form_does_not_offer_stays_as_it_is(
    world: World, field: str, value: str
) -> None:
    before = {
        name: getattr(world.uli, name)
        for name in ("role_id", "username", "is_active", "source_ips", "customer_id")
    }
    client = world.client(world.uli)
    answer = send(client, profile_url(world.acme), **{field: value})
    assert answer.status_code == 302
    world.uli.refresh_from_db()
    assert {name: getattr(world.uli, name) for name in before} == before
    assert world.uli.check_password(PASSWORD)


def test_service_takes_profile_fields_of_oneself_only(world: World) -> None:
    by = world.actor(world.ann)
    with scopes_disabled():
        with pytest.raises(TypeError, match="role"):
            profile.update_profile(
                person=world.ann, values={"role": world.uli.role}, by=by
            )
        with pytest.raises(PermissionDenied):
            profile.update_profile(person=world.uli, values={}, by=by)


# --- While switched -------------------------------------------------------------------


@pytest.fixture
def switched(world: World) -> Client:
    """Ann's browser, inside Beta."""
    client = world.client(world.ann)
    url = f"/a/{world.acme.pk}/switch/"
    assert client.post(url, {"customer": world.beta.pk}).status_code == 302
    return client


def own_url(name: str, customer: Customer) -> str:
    kwargs: dict[str, Any] = {"account": customer.pk}
    if name == "customers:session-end":
        kwargs["handle"] = "abc"
    return reverse(name, kwargs=kwargs)


@pytest.mark.parametrize("name", OWN_PAGES)
def test_own_pages_are_not_there_while_switched(
    world: World, switched: Client, name: str
) -> None:
    url = own_url(name, world.beta)
    assert switched.get(url).status_code == 404
    entries = {
        "emails": "thief@evil.test",
        "old_password": PASSWORD,
        "new_password1": "a wholly new passphrase",
        "new_password2": "a wholly new passphrase",
        "password": PASSWORD,
        "code": "123456",
    }
    assert switched.post(url, entries).status_code == 404
    for person in (world.ann, world.ben):
        before = person.emails
        person.refresh_from_db()
        assert person.emails == before
        assert person.check_password(PASSWORD)


def test_own_pages_are_not_there_as_one_of_the_people(world: World) -> None:
    client = world.client(world.ann)
    values = {"customer": world.beta.pk, "person": world.ben.pk}
    assert client.post(f"/a/{world.acme.pk}/switch/", values).status_code == 302
    for name in OWN_PAGES:
        assert client.get(own_url(name, world.beta)).status_code == 404
        assert client.post(own_url(name, world.beta)).status_code == 404


@pytest.mark.parametrize("name", OWN_PAGES)
def test_own_pages_of_foreign_accounts_are_not_there(world: World, name: str) -> None:
    client = world.client(world.ann)
    assert client.get(own_url(name, world.rival)).status_code == 404
    assert client.post(own_url(name, world.rival)).status_code == 404


def test_own_account_keeps_its_pages_meanwhile(world: World, switched: Client) -> None:
    assert switched.get(profile_url(world.acme)).status_code == 200


def labels(page: Any) -> list[str]:
    return [
        str(entry["label"])
        for section in page.context["shell"]["menu"]
        for entry in section["entries"]
        if str(section["label"]) == "Settings"
    ]


def test_menu_hides_them_while_switched(world: World, switched: Client) -> None:
    at_home = labels(switched.get(profile_url(world.acme)))
    assert at_home == [
        "Company",
        "Invoicing",
        "Number series",
        "Profile",
        "Password",
        "Second factor",
        "Sessions",
    ]
    inside = switched.get(f"/a/{world.beta.pk}/settings/company/")
    assert labels(inside) == ["Company", "Invoicing", "Number series"]
    assert inside.context["shell"]["profile_url"] == profile_url(world.acme)


def test_services_refuse_whoever_is_switched(world: World) -> None:
    """Should a page ever forget to: nothing about the real person changes."""
    with scopes_disabled():
        acting = Person(customer=world.beta, username="[Beta Voice]", is_pseudo=True)
        by = Actor(
            customer=world.beta,
            person=world.ann,
            permissions=frozenset(world.ann.role.permissions),
            acting_as=acting,
        )
        calls = (
            lambda: profile.update_profile(person=world.ann, values={}, by=by),
            lambda: passwords.change_password(
                person=world.ann,
                old_password=PASSWORD,
                new_password="a wholly new passphrase",
                by=by,
                session_key="",
            ),
            lambda: second_factor.set_up(
                person=world.ann, key="00" * 20, code="", by=by, session_key=""
            ),
            lambda: second_factor.renew_recovery_codes(
                person=world.ann, password=PASSWORD, by=by
            ),
            lambda: second_factor.turn_off(
                person=world.ann, password=PASSWORD, code="", by=by
            ),
            lambda: sessions.end_others(person=world.ann, current_key="", by=by),
        )
        for call in calls:
            with pytest.raises(PermissionDenied):
                call()


# --- A session that ended meanwhile ---------------------------------------------------


def test_what_was_typed_is_back_after_signing_in_again(world: World) -> None:
    client = world.client(world.ann)
    page = client.get(profile_url(world.acme))
    Session.objects.all().delete()
    client.cookies.pop("trunkline_session")
    typed = entries_of(page, first_name="Annegret", last_name="von Ümlaut & Söhne")
    login = client.post(profile_url(world.acme), typed)["Location"]
    assert login == f"/login/?next={profile_url(world.acme)}"

    next_page = client.get(login).context["next"]
    credentials = {"username": "ann@acme.test", "password": PASSWORD}
    target = client.post("/login/", {**credentials, "next": next_page})["Location"]
    back = client.get(target)
    assert back.context["form"]["first_name"].value() == "Annegret"
    assert back.context["form"]["last_name"].value() == "von Ümlaut & Söhne"
    assert "What you had typed is back" in back.content.decode()
    assert restore.SESSION_KEY not in client.session
    saved = client.post(target, entries_of(back))
    assert saved.status_code == 302
    world.ann.refresh_from_db()
    assert world.ann.first_name == "Annegret"


def test_passwords_are_never_kept(world: World) -> None:
    client = Client()
    typed = {"old_password": PASSWORD, "new_password1": "secret one", "x": "kept"}
    client.post(f"/a/{world.acme.pk}/settings/password/", typed)
    kept = client.session[restore.SESSION_KEY]["entries"]
    assert kept == "x=kept"


def test_page_costs_little(world: World, django_assert_max_num_queries: Any) -> None:
    client = world.client(world.ann)
    client.get(profile_url(world.acme))
    with django_assert_max_num_queries(6):
        client.get(profile_url(world.acme))
