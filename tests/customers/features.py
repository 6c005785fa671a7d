"""What the tests of people, lines, numbers and mailboxes do alike."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Person
from portal.core.actor import Actor
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from tests.world import World

# Names that must be taken as they are, and shown as text.
ODD_NAMES = (
    "<script>alert(1)</script>",
    "مطعم الياسمين",
    "Zoë 🥐 Nguyễn",
    "=HYPERLINK(1)",
)


def url_of(customer: Customer, name: str, **kwargs: Any) -> str:
    return account_url(customer.pk, f"customers:{name}", **kwargs)


def enter(
    world: World, person: Person, customer: Customer, *, target: Person | None = None
) -> Client:
    """A browser of ``person`` that has switched into ``customer``, as ``target``."""
    client = world.client(person)
    entries = {"customer": customer.pk}
    if target is not None:
        entries["person"] = target.pk
    answer = client.post(url_of(person.customer, "switch-open"), entries)
    assert answer.status_code == 302, answer.status_code
    return client


def refusals_of(caught: pytest.ExceptionInfo[ValidationError]) -> dict[str, list[str]]:
    """The refused fields with their messages; "" for the whole."""
    error = caught.value
    if hasattr(error, "error_dict"):
        return error.message_dict
    return {"": error.messages}


def actions_of(row: Any) -> list[str]:
    """What the audit log says was done to ``row``, newest first."""
    with scopes_disabled():
        events = AuditEvent.objects.filter(
            object_type=row._meta.label_lower, object_id=row.pk
        )
        return list(events.values_list("action", flat=True))


def queries_of(client: Client, url: str) -> int:
    """How many queries the page at ``url`` takes, once it was opened before."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def without(actor: Actor, *permissions: str) -> Actor:
    """The same actor with fewer rights."""
    return Actor(
        customer=actor.customer,
        person=actor.person,
        permissions=actor.permissions - set(permissions),
        menus=actor.menus,
        acting_as=actor.acting_as,
        source_ip=actor.source_ip,
    )
