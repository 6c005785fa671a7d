"""People as services make, change and remove them (D 7.1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied, ValidationError
from django_otp.plugins.otp_totp.models import TOTPDevice

from customers.models import Person, Role, SystemOptions
from customers.selectors import may_manage
from customers.services import people, second_factor
from portal.core.actor import system_actor
from portal.core.errors import StaleError
from portal.core.models import AuditChange, OutgoingEmail, Session
from portal.core.permissions import Permission
from portal.core.scope import subtree
from portal.core.staleness import state_of
from tests.customers.features import actions_of, refusals_of, without
from tests.race import race
from tests.world import World


def role(name: str) -> Role:
    return Role.objects.get(name=name)


def make(world: World, **values: Any) -> Person:
    """A new person of Acme, made by Ann."""
    given = {"username": "new@acme.test", "emails": "new@acme.test"} | values
    given.setdefault("role", role("User"))
    with subtree(world.acme):
        return people.create_person(
            customer=world.acme, values=given, by=world.actor(world.ann)
        )


def test_create_mails_login_details_and_sets_no_password(world: World) -> None:
    person = make(world)
    assert not person.has_usable_password()
    with subtree(world.acme):
        email = OutgoingEmail.objects.get(person=person)
        assert (email.kind, email.to) == ("login_details", ["new@acme.test"])
    assert actions_of(person) == ["person.created"]


def test_create_without_mail(world: World) -> None:
    with subtree(world.acme):
        people.create_person(
            customer=world.acme,
            values={
                "username": "quiet",
                "emails": "q@acme.test",
                "role": role("User"),
            },
            sends_login_details=False,
            by=world.actor(world.ann),
        )
        assert not OutgoingEmail.objects.exists()


def test_create_tells_the_log_only_what_was_given(world: World) -> None:
    person = make(world, first_name="Nia")
    with subtree(world.acme):
        told = AuditChange.objects.filter(event__object_id=person.pk)
        fields = set(told.values_list("field", flat=True))
    assert {"username", "emails", "role", "first_name"} <= fields
    assert not fields & {"last_name", "fax", "public_key", "password"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": "[Acme Telecom]"}, "username"),
        ({"username": "  ANN@acme.test "}, "username"),
        ({"username": "ann\u200b@acme.test"}, "username"),
        ({"emails": "no address"}, "emails"),
        ({"emails": "a@b.test, c@"}, "emails"),
        ({"emails": ", ".join(f"a{n}@b.test" for n in range(6))}, "emails"),
        ({"first_name": "x" * 61}, "first_name"),
        ({"telephone": "030 901820"}, "telephone"),
        ({"telephone": "+12"}, "telephone"),
        ({"country": "XX"}, "country"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"date_format": "j.n.y"}, "date_format"),
        ({"source_ips": "192.0.2.300"}, "source_ips"),
    ],
)
def test_create_refuses_what_cannot_be(
    world: World, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        make(world, **values)
    assert field in refusals_of(caught)
    assert (
        not Person.objects.db_manager()
        .model._base_manager.filter(username="new@acme.test")
        .exists()
    )


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "مطعم", "é\u0301 🥐"])
def test_create_takes_odd_names_as_they_are(world: World, name: str) -> None:
    assert make(world, first_name=name).first_name == name


def test_create_keeps_several_addresses_once_each(world: World) -> None:
    person = make(world, emails="a@b.test;c@d.test a@b.test")
    assert person.email_addresses == ["a@b.test", "c@d.test"]


def test_create_refuses_a_user_name_of_another_reseller(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        make(world, username="Eve@rival.test")
    assert refusals_of(caught) == {"username": ["This user name is taken."]}


def test_create_falls_back_to_the_billing_address(world: World) -> None:
    person = make(world, emails="")
    with subtree(world.acme):
        assert OutgoingEmail.objects.get(person=person).to == ["billing@acme.test"]


def test_create_asks_for_an_address_where_there_is_none(world: World) -> None:
    world.acme.email = ""
    with pytest.raises(ValidationError) as caught:
        make(world, emails="")
    assert "emails" in refusals_of(caught)


def test_create_needs_no_address_where_the_system_says_so(world: World) -> None:
    SystemOptions.objects.update(person_email_required=False)
    world.acme.email = ""
    assert make(world, emails="").emails == ""


@pytest.mark.parametrize("taken", ["ANN@acme.test", "x@y.test, ann@acme.test"])
def test_addresses_are_unique_where_the_system_says_so(
    world: World, taken: str
) -> None:
    SystemOptions.objects.update(person_email_unique=True)
    with pytest.raises(ValidationError) as caught:
        make(world, emails=taken)
    assert refusals_of(caught) == {
        "emails": ["Another person has this e-mail address."]
    }


def test_part_of_an_address_is_not_the_same_address(world: World) -> None:
    SystemOptions.objects.update(person_email_unique=True)
    assert make(world, emails="joann@acme.test").emails == "joann@acme.test"


# --- Rights -------------------------------------------------------------------------


def test_nobody_gives_more_than_the_own_rights(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        make(world, role=role("System owner"))
    assert refusals_of(caught) == {"role": ["Choose a role from the list."]}


def test_the_system_role_stays_at_the_top(world: World) -> None:
    with subtree(world.root), pytest.raises(ValidationError) as caught:
        people.create_person(
            customer=world.acme,
            values={
                "username": "new",
                "emails": "n@a.test",
                "role": role("System owner"),
            },
            by=world.actor(world.olga),
        )
    assert "role" in refusals_of(caught)


@pytest.mark.parametrize(
    ("who", "whom", "may"),
    [
        ("ann", "uli", True),
        ("ann", "ann", True),
        ("uli", "ann", False),
        ("gil", "ann", False),
        ("olga", "ann", True),
        ("ann", "olga", False),
    ],
)
def test_only_people_with_no_more_rights_are_managed(
    world: World, who: str, whom: str, may: bool
) -> None:
    by = world.actor(getattr(world, who))
    assert may_manage(getattr(world, whom), by) is may


SERVICES = {
    "update": lambda person, by: people.update_person(
        person=person, values={"first_name": "X"}, by=by
    ),
    "delete": lambda person, by: people.delete_person(person=person, by=by),
    "resend": lambda person, by: people.resend_login_details(person=person, by=by),
    "require": lambda person, by: people.require_new_password(person=person, by=by),
    "factor": lambda person, by: second_factor.remove_second_factor(
        person=person, by=by
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_services_need_the_administrators_right(world: World, name: str) -> None:
    by = without(world.actor(world.ann), Permission.ADMINISTRATOR)
    with subtree(world.acme), pytest.raises(PermissionDenied):
        SERVICES[name](world.uli, by)


@pytest.mark.parametrize("name", SERVICES)
def test_services_keep_off_mightier_people(world: World, name: str) -> None:
    administrator = Person.objects.none().model(
        pk=world.uli.pk, customer=world.acme, role=role("Administrator")
    )
    by = world.actor(administrator)
    with subtree(world.acme), pytest.raises(PermissionDenied):
        SERVICES[name](world.ann, by)


@pytest.mark.parametrize("name", SERVICES)
def test_services_keep_off_other_accounts(world: World, name: str) -> None:
    with subtree(world.root), pytest.raises(PermissionDenied):
        SERVICES[name](world.uli, world.actor(world.eve))


# --- Changing -----------------------------------------------------------------------


def update(world: World, person: Person, by: Person, **values: Any) -> Person:
    with subtree(world.acme):
        return people.update_person(person=person, values=values, by=world.actor(by))


def test_update_records_old_and_new(world: World) -> None:
    update(world, world.uli, world.ann, last_name="Groß", emails="uli@acme.test")
    with subtree(world.acme):
        change = AuditChange.objects.get(event__action="person.updated")
    assert (change.field, change.old, change.new) == ("last_name", "Klein", "Groß")


def test_update_without_a_change_says_nothing(world: World) -> None:
    update(world, world.uli, world.ann, last_name="Klein")
    assert actions_of(world.uli) == []


def test_update_that_blocks_signs_the_person_out(world: World) -> None:
    world.client(world.uli)
    assert Session.objects.filter(person=world.uli).exists()
    update(world, world.uli, world.ann, is_active=False)
    assert not Session.objects.filter(person=world.uli).exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"is_active": False}, "is_active"),
        ({"source_ips": "198.51.100.0/24"}, "source_ips"),
    ],
)
def test_nobody_locks_oneself_out(
    world: World, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        update(world, world.ann, world.ann, **values)
    assert list(refusals_of(caught)) == [field]


def test_nobody_changes_the_own_role(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        update(world, world.ann, world.ann, role=role("Administrator"))
    assert refusals_of(caught) == {"role": ["You cannot change your own role."]}


def test_own_source_addresses_may_hold_the_present_one(world: World) -> None:
    person = update(world, world.ann, world.ann, source_ips="192.0.2.0/24")
    assert person.source_ips == "192.0.2.0/24"


def test_update_from_an_old_state_overwrites_nothing(world: World) -> None:
    seen = state_of(world.uli, people.FIELDS)
    update(world, world.uli, world.ann, last_name="Other")
    with subtree(world.acme), pytest.raises(StaleError):
        people.update_person(
            person=world.uli,
            values={"last_name": "Mine"},
            seen=seen,
            by=world.actor(world.ann),
        )
    world.uli.refresh_from_db()
    assert world.uli.last_name == "Other"


def test_state_is_the_same_until_a_named_field_changes(world: World) -> None:
    fields = ("first_name", "role")
    before = state_of(world.uli, fields)
    world.uli.last_name = "Other"
    assert state_of(world.uli, fields) == before
    world.uli.role = role("Reseller")
    assert state_of(world.uli, fields) != before


# --- Leaving, passwords, the second factor ------------------------------------------


def test_delete_frees_the_name_and_ends_the_session(world: World) -> None:
    client = world.client(world.uli)
    with subtree(world.acme):
        people.delete_person(person=world.uli, by=world.actor(world.ann))
    assert client.get(f"/a/{world.acme.pk}/features/lines/").status_code == 302
    assert make(world, username="uli@acme.test").pk != world.uli.pk


def test_nobody_deletes_oneself(world: World) -> None:
    with subtree(world.acme), pytest.raises(ValidationError) as caught:
        people.delete_person(person=world.ann, by=world.actor(world.ann))
    assert refusals_of(caught) == {"": ["You cannot delete yourself."]}


def test_a_new_password_is_required_but_never_set(world: World) -> None:
    client = world.client(world.uli)
    with subtree(world.acme):
        email = people.require_new_password(person=world.uli, by=world.actor(world.ann))
    world.uli.refresh_from_db()
    assert not world.uli.has_usable_password()
    assert (email.kind, email.to) == ("login_details", ["uli@acme.test"])
    assert client.get(f"/a/{world.acme.pk}/features/lines/").status_code == 302
    assert actions_of(world.uli) == ["person.password_required"]


def test_a_new_password_is_not_required_of_oneself(world: World) -> None:
    with subtree(world.acme), pytest.raises(ValidationError):
        people.require_new_password(person=world.ann, by=world.actor(world.ann))
    world.ann.refresh_from_db()
    assert world.ann.has_usable_password()


def test_nothing_is_voided_without_an_address_for_the_link(world: World) -> None:
    Person.objects.none().model._base_manager.filter(pk=world.uli.pk).update(emails="")
    with subtree(world.acme):
        type(world.acme).objects.filter(pk=world.acme.pk).update(email="")
        with pytest.raises(ValidationError) as caught:
            people.require_new_password(person=world.uli, by=world.actor(world.ann))
    assert "e-mail address" in refusals_of(caught)[""][0]
    world.uli.refresh_from_db()
    assert world.uli.has_usable_password()


def test_second_factor_is_removed_for_others_only(world: World) -> None:
    for person in (world.uli, world.ann):
        TOTPDevice.objects.create(user=person, name="app", confirmed=True)
    with subtree(world.acme):
        by = world.actor(world.ann)
        second_factor.remove_second_factor(person=world.uli, by=by)
        with pytest.raises(PermissionDenied):
            second_factor.remove_second_factor(person=world.ann, by=by)
    assert not TOTPDevice.objects.filter(user=world.uli).exists()
    assert TOTPDevice.objects.filter(user=world.ann).exists()
    assert actions_of(world.uli) == ["person.second_factor_removed"]


def test_pseudo_people_are_nobodys_to_change(world: World) -> None:
    pseudo = Person(
        customer=world.acme,
        username="[Acme Telecom]",
        role=role("Reseller"),
        is_pseudo=True,
        is_active=False,
        password=make_password(None),
    )
    pseudo.save()
    with subtree(world.acme), pytest.raises(Person.DoesNotExist):
        people.update_person(
            person=pseudo, values={"is_active": True}, by=world.actor(world.ann)
        )


@pytest.mark.django_db(transaction=True)
def test_one_user_name_goes_to_one_of_two_at_once(world: World) -> None:
    def create(account: Any) -> Person:
        with subtree(account):
            return people.create_person(
                customer=account,
                values={
                    "username": "same@name.test",
                    "emails": "same@name.test",
                    "role": role("User"),
                },
                sends_login_details=False,
                by=system_actor(account),
            )

    results = race(lambda: create(world.acme), lambda: create(world.rival))
    made = [result for result in results if isinstance(result, Person)]
    refused = [result for result in results if isinstance(result, ValidationError)]
    assert (len(made), len(refused)) == (1, 1)
    assert refused[0].message_dict == {"username": ["This user name is taken."]}
