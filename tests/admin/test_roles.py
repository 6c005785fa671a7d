"""Roles: what may be ticked, and what would break the system."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from customers.choices import RoleDefault
from customers.models import Role
from customers.services import roles
from portal.core.actor import system_actor
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from tests.world import World, build_world


def role(name: str) -> Role:
    return Role.objects.get(name=name)


def save(world: World, changed: Role, **values: Any) -> Role:
    return roles.save_role(role=changed, values=values, by=world.actor(world.olga))


def refusals(world: World, changed: Role, **values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        save(world, changed, **values)
    return caught.value.message_dict


def test_a_new_role_is_logged(world: World) -> None:
    made = save(world, Role(), name="Cashier", permissions=[Permission.PAYMENT])
    assert role("Cashier") == made
    event = AuditEvent.objects.get(action="role.created")
    assert (event.person, event.customer) == (world.olga, world.root)
    changes = {change.field: change.new for change in event.changes.all()}
    assert changes["name"] == "Cashier"
    assert changes["permissions"] == "payment"


def test_taking_over_a_default_takes_it_from_the_role_that_had_it(
    world: World,
) -> None:
    save(world, Role(), name="Boss", default_for=RoleDefault.FIRST_PERSON)
    assert role("Boss").default_for == RoleDefault.FIRST_PERSON
    assert role("Administrator").default_for == ""
    event = AuditEvent.objects.get(action="role.updated")
    assert event.object_name == "Administrator"
    change = event.changes.get()
    assert change.old == str(RoleDefault.FIRST_PERSON.label)


def test_a_role_that_gives_up_its_own_default_is_refused(world: World) -> None:
    told = refusals(world, role("Administrator"), default_for="")
    assert list(told) == ["default_for"]
    assert role("Administrator").default_for == RoleDefault.FIRST_PERSON


def test_a_role_with_two_wishes_loses_neither_default(world: World) -> None:
    """Taking another default would leave the own one to nobody."""
    told = refusals(world, role("User"), default_for=RoleDefault.PSEUDO)
    assert list(told) == ["default_for"]
    assert role("Reseller").default_for == RoleDefault.PSEUDO


def test_the_system_is_never_given_to_customers_people(world: World) -> None:
    more = [*world.gil.role.permissions, Permission.SYSTEM]
    free = save(world, Role(), name="Free")
    assert "permissions" not in refusals(world, role("Administrator"), permissions=more)
    world.gil.role = free
    world.gil.save()
    assert list(refusals(world, free, permissions=more)) == ["permissions"]
    assert not role("Free").has(Permission.SYSTEM)


def test_a_default_with_the_system_is_refused(world: World) -> None:
    told = refusals(
        world,
        Role(),
        name="All",
        permissions=[Permission.SYSTEM],
        default_for=RoleDefault.RESIDENTIAL,
    )
    assert list(told) == ["default_for"]
    assert role("User").default_for == RoleDefault.RESIDENTIAL


@pytest.mark.parametrize(
    "values", [{"permissions": [Permission.USER]}, {"may_login": False}]
)
def test_the_last_administrators_are_not_locked_out(
    world: World, values: dict[str, Any]
) -> None:
    assert list(refusals(world, role("System owner"), **values)) == ["permissions"]
    everything = role("System owner").permissions
    second = save(world, Role(), name="Second", permissions=everything)
    colleague = world.olga
    colleague.pk, colleague.username, colleague.role = None, "second", second
    colleague.save()
    save(world, role("System owner"), **values)


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    assert list(refusals(world, Role(), name="User")) == ["name"]


def test_unknown_permissions_are_refused(world: World) -> None:
    told = refusals(world, Role(), name="Odd", permissions=["everything"])
    assert list(told) == ["permissions"]


def test_a_role_in_use_is_not_deleted(world: World) -> None:
    with pytest.raises(ValidationError, match="1 person has it") as caught:
        roles.delete_role(role=role("Administrator"), by=world.actor(world.olga))
    assert "default" in " ".join(caught.value.messages)
    spare = save(world, Role(), name="Spare")
    roles.delete_role(role=spare, by=world.actor(world.olga))
    assert not Role.objects.filter(name="Spare").exists()
    assert AuditEvent.objects.filter(action="role.deleted").exists()


def test_only_the_system_owner_shapes_roles(world: World) -> None:
    with pytest.raises(PermissionDenied):
        roles.save_role(role=Role(), values={"name": "Mine"}, by=world.actor(world.ann))


@pytest.mark.django_db(transaction=True)
def test_two_roles_taking_one_default_at_once_leave_it_with_one() -> None:
    world = build_world()
    by = system_actor(world.root)
    pair = [Role.objects.create(name=f"Role {at}") for at in range(2)]
    barrier = threading.Barrier(2)
    faults: list[Exception] = []

    def take(mine: Role) -> None:
        try:
            with scopes_disabled():  # a thread of its own
                barrier.wait(timeout=10)
                values = {"default_for": RoleDefault.PSEUDO}
                roles.save_role(role=mine, values=values, by=by)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[each]) for each in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert faults == []
    assert Role.objects.filter(default_for=RoleDefault.PSEUDO).count() == 1


class TestForm:
    """The same, as ticked on the admin's page."""

    def entries(self, page: Any, **changes: Any) -> dict[str, Any]:
        form = page.context["adminform"].form
        values = {name: form[name].value() for name in form.fields} | changes
        return {
            name: value
            for name, value in values.items()
            if value is not None and value is not False and value != ""
        }

    def test_ticks_are_saved(self, world: World, staff: Client) -> None:
        url = reverse("admin:customers_role_change", args=[role("User").pk])
        page = staff.get(url)
        assert page.content.decode().count('type="checkbox"') > 15
        response = staff.post(
            url,
            self.entries(page, permissions=["user", "audit"], menus=["reports"]),
        )
        assert response.status_code == 302
        assert role("User").permissions == ["user", "audit"]
        assert role("User").menus == ["reports"]
        assert AuditEvent.objects.filter(action="role.updated").count() == 1
        assert LogEntry.objects.count() == 1

    def test_a_default_is_taken_over(self, world: World, staff: Client) -> None:
        url = reverse("admin:customers_role_add")
        page = staff.get(url)
        response = staff.post(
            url, self.entries(page, name="Guest", default_for="residential")
        )
        assert response.status_code == 302
        assert role("Guest").default_for == "residential"
        assert role("User").default_for == ""

    def test_refusals_stand_at_their_field(self, world: World, staff: Client) -> None:
        owner = role("System owner")
        url = reverse("admin:customers_role_change", args=[owner.pk])
        page = staff.get(url)
        response = staff.post(url, self.entries(page, permissions=["user"]))
        assert response.status_code == 200
        errors = response.context["adminform"].form.errors
        assert list(errors) == ["permissions"]
        assert role("System owner").has(Permission.SYSTEM)
        assert not LogEntry.objects.exists()

    def test_a_role_in_use_is_not_deleted(self, world: World, staff: Client) -> None:
        url = reverse("admin:customers_role_delete", args=[world.gil.role.pk])
        page = staff.post(url, {"post": "yes"}, follow=True).content.decode()
        assert "1 person has it" in page
        assert Role.objects.filter(pk=world.gil.role.pk).exists()
        spare = Role.objects.create(name="Spare")
        staff.post(
            reverse("admin:customers_role_delete", args=[spare.pk]), {"post": "yes"}
        )
        assert not Role.objects.filter(name="Spare").exists()
        assert AuditEvent.objects.get(action="role.deleted").person == world.olga

    def test_a_refusal_between_form_and_service_is_told(
        self, world: World, staff: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def somebody_was_faster(**kwargs: Any) -> None:
            raise ValidationError("Somebody was faster.")

        url = reverse("admin:customers_role_change", args=[world.gil.role.pk])
        page = staff.get(url)
        monkeypatch.setattr(roles, "save_role", somebody_was_faster)
        response = staff.post(url, self.entries(page, name="X"), follow=True)
        assert "Somebody was faster." in response.content.decode()
        assert not LogEntry.objects.exists()
