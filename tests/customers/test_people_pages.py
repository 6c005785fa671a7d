"""Features » People in the browser: list, form, actions, and who gets to see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from customers.models import Customer, Person, Role, Switch
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled, subtree
from tests.customers.features import (
    ODD_NAMES,
    actions_of,
    enter,
    queries_of,
    url_of,
)
from tests.pages import entries_of, errors_of, send
from tests.world import World

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nxyz\n-----END PGP PUBLIC KEY BLOCK-----"


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def person_named(username: str) -> Person:
    with scopes_disabled():
        return Person.objects.select_related("customer", "role").get(username=username)


def names_in(response: Any) -> list[str]:
    return [row.label for row in response.context["table"].rows]


# --- The list -------------------------------------------------------------------------


def test_list_shows_the_accounts_people_and_no_others(world: World) -> None:
    client = enter(world, world.ann, world.beta)
    page = client.get(url_of(world.acme, "person-list"))
    assert names_in(page) == ["Ann Weber", "Uli Klein"]
    page = client.get(url_of(world.beta, "person-list"))
    assert names_in(page) == ["Ben Braun"]  # and not "[Beta Voice]"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=web", ["Ann Weber"]),
        ("q=ULI@acme", ["Uli Klein"]),
        ("q=ann+weber", ["Ann Weber"]),
        ("q=ben", []),
        ("q=%00", ["Ann Weber", "Uli Klein"]),
        ("status=active", ["Ann Weber", "Uli Klein"]),
        ("status=invited", []),
        ("status=blocked", []),
        ("sort=-username", ["Uli Klein", "Ann Weber"]),
        ("sort=role", ["Ann Weber", "Uli Klein"]),
    ],
)
def test_list_is_narrowed_and_sorted(
    world: World, ann: Client, query: str, names: list[str]
) -> None:
    page = ann.get(f"{url_of(world.acme, 'person-list')}?{query}")
    assert names_in(page) == names


def test_list_is_narrowed_by_role(world: World, ann: Client) -> None:
    url = url_of(world.acme, "person-list")
    assert names_in(ann.get(f"{url}?role={world.uli.role_id}")) == ["Uli Klein"]
    assert world.olga.role.name not in ann.get(url).content.decode()


def test_list_tells_each_persons_state(world: World, ann: Client) -> None:
    TOTPDevice.objects.create(user=world.uli, name="app", confirmed=True)
    with subtree(world.acme):
        people = Person.objects.filter(customer=world.acme)
        people.filter(pk=world.ann.pk).update(failed_logins=7)
        reseller = world.ann.role
        people.create(customer=world.acme, username="zoe", role=reseller, password="!")
        people.create(
            customer=world.acme, username="zz", role=reseller, is_active=False
        )
    rows = ann.get(url_of(world.acme, "person-list")).context["table"].rows
    text = [" ".join(cell.html for cell in row.cells) for row in rows]
    assert "7" in rows[0].cells[4].html
    assert "2FA" in text[1]
    assert "No password yet" in text[2]
    assert "May not log in" in text[3]


def test_list_answers_htmx_with_the_table_alone(world: World, ann: Client) -> None:
    page = ann.get(url_of(world.acme, "person-list"), headers={"HX-Request": "true"})
    assert "<html" not in page.content.decode()
    assert 'id="people"' in page.content.decode()


def test_list_costs_the_same_for_one_and_for_many(world: World, ann: Client) -> None:
    url = url_of(world.acme, "person-list")
    before = queries_of(ann, url)
    with subtree(world.acme):
        for number in range(5):
            Person.objects.create(
                customer=world.acme, username=f"p{number}", role=world.uli.role
            )
    assert queries_of(ann, url) == before <= 30


def test_list_needs_the_administrators_right(world: World) -> None:
    assert (
        world.client(world.uli).get(url_of(world.acme, "person-list")).status_code
        == 403
    )


def test_list_of_a_foreign_account_is_not_found(world: World) -> None:
    url = url_of(world.acme, "person-list")
    assert world.client(world.eve).get(url).status_code == 404


# --- Making ---------------------------------------------------------------------------


def test_create_with_every_field(world: World, ann: Client) -> None:
    user = Role.objects.get(name="User")
    answer = send(
        ann,
        url_of(world.acme, "person-create"),
        username="nia",
        emails="nia@acme.test, nia@home.test",
        role=user.pk,
        title="Dr.",
        first_name="Nia",
        last_name="Nowak",
        company="Acme",
        description="Night shift",
        country="PL",
        telephone="030 901820",
        mobile="+49 151 23456789",
        fax="",
        extension="12",
        language="de",
        time_zone="Europe/Warsaw",
        date_format="d.m.Y",
        time_format="g:i A",
        source_ips="192.0.2.0/24",
        public_key=KEY,
    )
    assert answer.url == url_of(world.acme, "person-list")
    person = person_named("nia")
    assert person.customer == world.acme
    assert person.telephone == "+4930901820"
    assert person.mobile == "+4915123456789"
    assert (person.language, person.time_zone) == ("de", "Europe/Warsaw")
    assert (person.source_ips, person.public_key) == ("192.0.2.0/24", KEY)
    assert person.role == user
    with subtree(world.acme):
        email = OutgoingEmail.objects.get(person=person)
    assert email.to == ["nia@acme.test", "nia@home.test"]


def test_create_proposes_the_least_rights_but_for_the_first_person(
    world: World, ann: Client
) -> None:
    page = ann.get(url_of(world.acme, "person-create"))
    assert page.context["form"].initial["role"].name == "User"
    with subtree(world.gamma):
        Person.objects.filter(customer=world.gamma).delete()
    client = enter(world, world.ben, world.gamma)
    page = client.get(url_of(world.gamma, "person-create"))
    assert page.context["form"].initial["role"].name == "Administrator"


def test_create_takes_the_first_address_as_user_name(world: World, ann: Client) -> None:
    send(
        ann,
        url_of(world.acme, "person-create"),
        emails="one@acme.test, two@acme.test",
        role=world.uli.role_id,
    )
    assert person_named("one@acme.test").emails == "one@acme.test, two@acme.test"


def test_create_without_login_mail(world: World, ann: Client) -> None:
    send(
        ann,
        url_of(world.acme, "person-create"),
        username="quiet",
        emails="q@acme.test",
        role=world.uli.role_id,
        sends_login_details=None,
    )
    with subtree(world.acme):
        assert not OutgoingEmail.objects.filter(person=person_named("quiet")).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "", "emails": ""}, "username"),
        ({"username": "ANN@ACME.TEST"}, "username"),
        ({"emails": "no address"}, "emails"),
        ({"emails": "ok@acme.test; wrong@"}, "emails"),
        ({"first_name": "x" * 61}, "first_name"),
        ({"last_name": "\u202eevil"}, "last_name"),
        ({"telephone": "0"}, "telephone"),
        ({"telephone": "call me"}, "telephone"),
        ({"extension": "12a"}, "extension"),
        ({"source_ips": "300.1.1.1"}, "source_ips"),
        ({"public_key": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}, "public_key"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"role": ""}, "role"),
        ({"role": "999999"}, "role"),
    ],
)
def test_create_refuses_at_the_field_and_keeps_what_was_typed(
    world: World, ann: Client, changes: dict[str, str], field: str
) -> None:
    typed = {
        "username": "typed",
        "emails": "typed@acme.test",
        "role": world.uli.role_id,
        "description": "still here",
    } | changes
    answer = send(ann, url_of(world.acme, "person-create"), **typed)
    assert field in errors_of(answer)
    assert "still here" in answer.content.decode()


def test_all_errors_are_told_at_once(world: World, ann: Client) -> None:
    answer = send(
        ann,
        url_of(world.acme, "person-create"),
        username="ANN@acme.test",
        emails="wrong",
        role=world.uli.role_id,
    )
    assert set(errors_of(answer)) == {"username", "emails"}


def test_create_refuses_a_role_above_the_own_posted_by_hand(
    world: World, ann: Client
) -> None:
    owner = Role.objects.get(name="System owner")
    answer = send(
        ann, url_of(world.acme, "person-create"), username="boss", role=owner.pk
    )
    assert "role" in errors_of(answer)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_shown_as_text(world: World, ann: Client, name: str) -> None:
    send(
        ann,
        url_of(world.acme, "person-create"),
        username="odd",
        emails="o@acme.test",
        first_name=name,
        role=world.uli.role_id,
    )
    person = person_named("odd")
    assert person.first_name == name
    for url in (
        url_of(world.acme, "person-list"),
        url_of(world.acme, "person-edit", pk=person.pk),
        url_of(world.acme, "audit-list"),
    ):
        assert "<script>alert" not in ann.get(url).content.decode()


def test_saving_twice_makes_one_person(world: World, ann: Client) -> None:
    url = url_of(world.acme, "person-create")
    entries = entries_of(
        ann.get(url), username="once", emails="o@acme.test", role=world.uli.role_id
    )
    first, second = ann.post(url, entries), ann.post(url, entries)
    assert first.status_code == second.status_code == 302
    assert actions_of(person_named("once")) == ["person.created"]


# --- Changing -------------------------------------------------------------------------


def edit_url(world: World, person: Person) -> str:
    return url_of(world.acme, "person-edit", pk=person.pk)


def test_edit_saves(world: World, ann: Client) -> None:
    answer = send(ann, edit_url(world, world.uli), last_name="Groß")
    assert answer.url == url_of(world.acme, "person-list")
    assert person_named("uli@acme.test").last_name == "Groß"


def test_edit_of_what_others_changed_shows_it_and_saves_nothing(
    world: World, ann: Client
) -> None:
    url = edit_url(world, world.uli)
    entries = entries_of(ann.get(url), last_name="Mine")
    send(world.client(world.ann), url, last_name="Theirs")
    answer = ann.post(url, entries)
    assert answer.status_code == 422
    assert "Ann Weber" in answer.content.decode()
    assert "Theirs" in answer.content.decode()
    assert person_named("uli@acme.test").last_name == "Theirs"
    # Saving what came back is a decision, and goes through.
    assert ann.post(url, entries_of(answer)).status_code == 302
    assert person_named("uli@acme.test").last_name == "Mine"


def test_edit_of_oneself_cannot_take_rights_away(world: World, ann: Client) -> None:
    administrator = Role.objects.get(name="Administrator")
    send(
        ann,
        edit_url(world, world.ann),
        role=administrator.pk,
        is_active=None,
        first_name="Anne",
    )
    person = person_named("ann@acme.test")
    assert person.first_name == "Anne"
    assert person.role.name == "Reseller"
    assert person.is_active


@pytest.mark.parametrize("target", ["ben", "eve", "olga"])
@pytest.mark.parametrize(
    "page",
    [
        "person-edit",
        "person-delete",
        "person-require-password",
        "person-remove-second-factor",
    ],
)
def test_people_of_other_accounts_are_not_found(
    world: World, ann: Client, page: str, target: str
) -> None:
    url = url_of(world.acme, page, pk=getattr(world, target).pk)
    assert ann.get(url).status_code == 404
    assert ann.post(url).status_code == 404


def test_mightier_people_are_listed_but_not_opened(world: World) -> None:
    with subtree(world.acme):
        Person.objects.filter(pk=world.uli.pk).update(
            role=Role.objects.get(name="Administrator")
        )
    client = world.client(
        Person.objects.none().model._base_manager.get(pk=world.uli.pk)
    )
    page = client.get(url_of(world.acme, "person-list"))
    links = {row.label: row.url for row in page.context["table"].rows}
    assert links["Ann Weber"] == ""
    assert links["Uli Klein"] != ""
    assert client.get(edit_url(world, world.ann)).status_code == 404


def test_the_pseudo_person_cannot_be_opened(world: World) -> None:
    client = enter(world, world.ann, world.beta)
    with scopes_disabled():
        pseudo = Person.objects.get(customer=world.beta, is_pseudo=True)
    url = url_of(world.beta, "person-edit", pk=pseudo.pk)
    assert client.get(url).status_code == 404


# --- Actions --------------------------------------------------------------------------


def test_login_details_are_sent_again(world: World, ann: Client) -> None:
    url = url_of(world.acme, "person-login-details", pk=world.uli.pk)
    assert ann.get(url).status_code == 405
    assert ann.post(url).url == edit_url(world, world.uli)
    page = ann.get(edit_url(world, world.uli))
    assert "uli@acme.test" in page.context["state"]["title"]
    assert actions_of(world.uli) == ["person.login_details_sent"]


def test_login_details_without_an_address_are_refused(
    world: World, ann: Client
) -> None:
    with subtree(world.acme):
        Person.objects.filter(pk=world.uli.pk).update(emails="")
        Customer.objects.filter(pk=world.acme.pk).update(email="")
    url = url_of(world.acme, "person-login-details", pk=world.uli.pk)
    page = ann.post(url, follow=True)
    assert "Enter an e-mail address for this person first." in page.content.decode()


@pytest.mark.parametrize(
    ("page", "action"),
    [
        ("person-delete", "person.deleted"),
        ("person-require-password", "person.password_required"),
        ("person-remove-second-factor", "person.second_factor_removed"),
    ],
)
def test_confirmed_actions_ask_first(
    world: World, ann: Client, page: str, action: str
) -> None:
    TOTPDevice.objects.create(user=world.uli, name="app", confirmed=True)
    url = url_of(world.acme, page, pk=world.uli.pk)
    assert len(ann.get(url).context["consequences"]) >= 2
    assert actions_of(world.uli) == []
    assert send(ann, url).status_code == 302
    assert actions_of(world.uli) == [action]


def test_deleting_oneself_has_no_button(world: World, ann: Client) -> None:
    url = url_of(world.acme, "person-delete", pk=world.ann.pk)
    page = ann.get(url)
    assert page.context["refusal"] == "You cannot delete yourself."
    assert ann.post(url, entries_of(page)).status_code == 422
    assert person_named("ann@acme.test").pk == world.ann.pk


def test_steps_about_oneself_lead_to_the_settings(world: World, ann: Client) -> None:
    steps = ann.get(edit_url(world, world.ann)).context["steps"]
    assert [step.get("url") for step in steps] == [None]


def test_removing_the_second_factor_is_offered_only_where_there_is_one(
    world: World, ann: Client
) -> None:
    titles = [s["title"] for s in ann.get(edit_url(world, world.uli)).context["steps"]]
    assert "Second factor" not in titles
    TOTPDevice.objects.create(user=world.uli, name="app", confirmed=True)
    titles = [s["title"] for s in ann.get(edit_url(world, world.uli)).context["steps"]]
    assert "Second factor" in titles


@pytest.mark.parametrize(
    ("name", "except_own", "text"),
    [
        ("uli@acme.test", False, "taken"),
        ("uli@acme.test", True, "free"),
        (" EVE@rival.test", False, "taken"),
        ("somebody.new", False, "free"),
        ("", False, ""),
        ("x" * 5000, False, "free"),
    ],
)
def test_user_names_are_checked_while_one_types(
    world: World, ann: Client, name: str, except_own: bool, text: str
) -> None:
    query = {"username": name, "except": str(world.uli.pk) if except_own else ""}
    answer = ann.get(url_of(world.acme, "person-username"), query)
    assert answer.status_code == 200
    assert text in answer.content.decode()


@pytest.mark.parametrize("wrong", ["²", "9" * 30, "-1", "x"])
def test_the_check_survives_ids_that_are_none(
    world: World, ann: Client, wrong: str
) -> None:
    query = {"username": "uli@acme.test", "except": wrong}
    assert b"taken" in ann.get(url_of(world.acme, "person-username"), query).content


# --- Switching from here --------------------------------------------------------------


def test_switch_is_offered_only_inside_an_account_below(world: World) -> None:
    client = enter(world, world.ann, world.beta)
    own = client.get(url_of(world.acme, "person-list"))
    assert own.context["switch_url"] == ""
    below = client.get(url_of(world.beta, "person-list"))
    assert below.context["switch_url"] == url_of(world.acme, "switch-open")
    gil = world.client(world.gil).get(url_of(world.gamma, "person-list"))
    assert gil.context["switch_url"] == ""


def test_switch_leads_into_the_person(world: World) -> None:
    client = enter(world, world.ann, world.beta)
    page = client.get(url_of(world.beta, "person-list"))
    entries = {"customer": page.context["switch_customer"], "person": world.ben.pk}
    client.post(page.context["switch_url"], entries)
    with scopes_disabled():
        switch = Switch.objects.get(ended_at=None)
        assert switch.acting_as == world.ben
        assert switch.person == world.ann


def test_acting_as_a_plain_user_one_has_its_rights_only(world: World) -> None:
    with subtree(world.root):
        Person.objects.filter(pk=world.ben.pk).update(
            role=Role.objects.get(name="User")
        )
    client = enter(world, world.ann, world.beta, target=world.ben)
    assert client.get(url_of(world.beta, "person-list")).status_code == 403
    assert client.get(url_of(world.beta, "line-list")).status_code == 200
    assert client.get(url_of(world.beta, "line-create")).status_code == 403
