"""Helping people from the admin: letters, sessions, second factors, switches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from customers.models import Person, Switch
from customers.services.switching import pseudo_person
from portal.core.models import AuditEvent, OutgoingEmail
from tests.world import World


def act(client: Client, action: str, *rows: Person, **form: Any) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **form}
    return client.post(reverse("admin:customers_person_changelist"), data, follow=True)


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_login_details_are_sent(world: World, staff: Client) -> None:
    response = act(staff, "send_login_details", world.gil)
    assert messages(response) == ["Login details sent: 1"]
    email = OutgoingEmail.objects.get()
    assert (email.person, email.kind) == (world.gil, "login_details")
    event = AuditEvent.objects.get(action="person.login_details_sent")
    assert event.person == world.olga


def test_a_new_password_is_required(world: World, staff: Client) -> None:
    act(staff, "require_new_password", world.gil)
    person = Person.objects.get(pk=world.gil.pk)
    assert not person.has_usable_password()
    assert OutgoingEmail.objects.filter(person=world.gil).exists()


def test_a_second_factor_is_removed_after_asking(world: World, staff: Client) -> None:
    TOTPDevice.objects.create(user=world.gil, name="app", confirmed=True)
    page = act(staff, "remove_second_factor", world.gil).content.decode()
    assert "Make sure" in page
    assert TOTPDevice.objects.filter(user=world.gil).exists()
    act(staff, "remove_second_factor", world.gil, confirmed="yes")
    assert not TOTPDevice.objects.filter(user=world.gil).exists()


def test_nobody_removes_their_own_second_factor(world: World, staff: Client) -> None:
    TOTPDevice.objects.create(user=world.olga, name="app", confirmed=True)
    response = act(staff, "remove_second_factor", world.olga, confirmed="yes")
    assert messages(response) == ["Olga Owner: You may not do this."]
    assert TOTPDevice.objects.filter(user=world.olga).exists()


def test_somebody_is_signed_out_everywhere(world: World, staff: Client) -> None:
    theirs = world.client(world.gil)
    home = reverse("start", kwargs={"account": world.gamma.pk})
    assert theirs.get(home).status_code == 200
    # A session belongs to a person once it is stored as theirs, at the sign-in page.
    act(staff, "sign_out", world.gil)
    assert theirs.get(home)["Location"].startswith(reverse("login"))
    event = AuditEvent.objects.get(action="person.signed_out")
    assert (event.person, event.object_id) == (world.olga, world.gil.pk)


def test_keeping_out_and_letting_in(world: World, staff: Client) -> None:
    act(staff, "keep_out", world.gil)
    assert not Person.objects.get(pk=world.gil.pk).is_active
    act(staff, "let_in", world.gil)
    assert Person.objects.get(pk=world.gil.pk).is_active


def test_people_are_deleted_after_asking(world: World, staff: Client) -> None:
    act(staff, "delete", world.gil)
    assert Person.objects.filter(pk=world.gil.pk).exists()
    act(staff, "delete", world.gil, confirmed="yes")
    assert not Person.objects.filter(pk=world.gil.pk).exists()


def test_nobody_deletes_themselves(world: World, staff: Client) -> None:
    response = act(staff, "delete", world.olga, confirmed="yes")
    assert "cannot delete yourself" in messages(response)[0]
    assert Person.objects.filter(pk=world.olga.pk).exists()


@pytest.mark.parametrize(
    "action",
    [
        "send_login_details",
        "require_new_password",
        "remove_second_factor",
        "let_in",
        "delete",
    ],
)
def test_pseudo_people_are_left_alone(world: World, staff: Client, action: str) -> None:
    pseudo = pseudo_person(world.gamma)
    response = act(staff, action, pseudo, confirmed="yes")
    assert messages(response) == ["[Gamma Bakery]: You may not do this."]
    assert Person.objects.filter(pk=pseudo.pk, is_active=False).exists()


def test_a_switch_is_ended(world: World, staff: Client) -> None:
    switch = Switch.objects.create(
        person=world.ann,
        session_key="k",
        customer=world.gamma,
        acting_as=pseudo_person(world.gamma),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    staff.post(
        reverse("admin:customers_switch_changelist"),
        {"action": "end", "_selected_action": [switch.pk]},
    )
    switch.refresh_from_db()
    assert switch.ended_at is not None
    assert AuditEvent.objects.get(action="switch.closed").person == world.olga
