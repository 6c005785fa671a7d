"""The first command of a new installation."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from customers.models import Customer, Person
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

ARGUMENTS = {"name": "Real Telecom", "username": "boss", "email": "boss@real.test"}


@pytest.fixture(autouse=True)
def all_tenants(db: None) -> Iterator[None]:
    with scopes_disabled():  # a command, run by nobody
        yield


def run(**changes: str) -> str:
    output = StringIO()
    call_command("create_system_owner", **{**ARGUMENTS, **changes}, stdout=output)
    return output.getvalue()


def test_root_and_first_person_are_made() -> None:
    run(name="  Real   Telecom ")
    root = Customer.objects.get()
    person = Person.objects.get()
    assert (root.name, root.parent, root.path) == ("Real Telecom", None, f"{root.pk}.")
    assert (person.username, person.customer) == ("boss", root)
    assert person.is_staff
    assert person.role.has(Permission.SYSTEM)
    assert not person.has_usable_password()
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["customer.created", "person.created"]


def test_without_a_mail_server_the_link_is_printed() -> None:
    output = run()
    assert "http://localhost:8000/welcome/" in output
    assert OutgoingEmail.objects.get().status == EmailStatus.KEPT


def test_with_a_mail_server_the_link_is_mailed_and_not_printed(
    settings: Settings,
) -> None:
    settings.EMAIL_IS_KEPT = False
    output = run()
    assert "boss@real.test" in output
    assert "/welcome/" not in output
    assert OutgoingEmail.objects.get().status == EmailStatus.QUEUED


def test_a_second_system_owner_is_refused() -> None:
    run()
    with pytest.raises(CommandError, match="already: “Real Telecom”"):
        run(name="Other", username="other")
    assert Customer.objects.count() == 1
    assert Person.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"name": ""}, "--name"),
        ({"name": "x" * 121}, "--name"),
        ({"name": "[Real]"}, "--name"),
        ({"email": "nobody"}, "--email"),
        ({"username": " "}, "--username"),
        ({"username": "[boss]"}, "--username"),
    ],
)
def test_what_is_wrong_is_told_with_its_option(
    changes: dict[str, str], option: str
) -> None:
    with pytest.raises(CommandError, match=rf"^{option}: "):
        run(**changes)
    assert not Customer.objects.exists()
