"""The log says who, as whom, where from and what, and never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from customers.choices import Lock
from customers.models import Customer
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from tests.world import World


@pytest.fixture
def unscoped(world: World) -> Iterator[World]:
    with scopes_disabled():
        yield world


def _record(world: World, **options: Any) -> AuditEvent:
    by = options.pop("by", None) or world.actor(world.ann)
    event = audit.record(
        "customer.changed", world.beta, by=by, customer=world.beta, **options
    )
    return AuditEvent.objects.get(pk=event.pk)


def _changes(event: AuditEvent) -> dict[str, tuple[str, str]]:
    return {change.field: (change.old, change.new) for change in event.changes.all()}


def test_event_says_who_as_whom_where_from_and_what(unscoped: World) -> None:
    by = replace(unscoped.actor(unscoped.ann), acting_as=unscoped.ben)
    event = _record(unscoped, by=by)
    assert (event.person, event.person_name) == (unscoped.ann, "Ann Weber")
    assert (event.acting_as, event.acting_as_name) == (unscoped.ben, "Ben Braun")
    assert event.source_ip == "192.0.2.1"
    assert (event.object_type, event.object_id) == (
        "customers.customer",
        unscoped.beta.pk,
    )
    assert event.object_name == event.customer_name == "Beta Voice"
    assert event.path == unscoped.beta.path


def test_system_is_nobody(unscoped: World) -> None:
    event = _record(unscoped, by=system_actor(unscoped.root))
    assert (event.person, event.person_name) == (None, "")
    assert (event.acting_as, event.source_ip) == (None, None)


@pytest.mark.parametrize("field", sorted(audit.SECRET_FIELDS))
def test_secret_is_never_written(unscoped: World, field: str) -> None:
    changes = {field: ("old secret", "new secret"), "name": ("Beta", "Beta Voice")}
    event = _record(unscoped, changes=changes)
    assert _changes(event) == {field: ("", ""), "name": ("Beta", "Beta Voice")}


def test_endless_name_is_cut(unscoped: World) -> None:
    target = Customer(pk=unscoped.beta.pk, name="x" * 500)
    by = unscoped.actor(unscoped.ann)
    event = audit.record("customer.changed", target, by=by, customer=unscoped.beta)
    event.refresh_from_db()
    assert event.object_name == "x" * 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (Decimal("12.50"), "12.50"),
        (
            datetime(2026, 11, 22, 1, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-21T23:00:00+00:00",
        ),
        (["b", "a"], "b, a"),
        (
            (True, None, datetime(2026, 1, 1, tzinfo=UTC)),
            "yes, , 2026-01-01T00:00:00+00:00",
        ),
    ],
)
def test_value_is_written_alike_for_every_reader(value: Any, text: str) -> None:
    with translation.override("de"):
        assert audit.readable(value) == text


def test_differences_are_the_fields_that_changed(unscoped: World) -> None:
    beta = unscoped.beta
    fields = ("name", "lock", "description")
    before = audit.snapshot(beta, fields)
    beta.name, beta.lock = "Beta Voice 2", Lock.WEB
    with translation.override("de"):  # one language for the whole log
        found = audit.differences(before, audit.snapshot(beta, fields))
    locked, free = (str(Lock(value).label) for value in (Lock.WEB, Lock.NONE))
    assert found == {"name": ("Beta Voice", "Beta Voice 2"), "lock": (free, locked)}
    assert audit.differences(before, before) == {}


def test_first_values_leave_out_what_is_empty(unscoped: World) -> None:
    fields = ("name", "description", "country", "deleted_at")
    assert audit.first_values(unscoped.beta, fields) == {
        "name": (None, "Beta Voice"),
        "country": (None, "DE"),
    }


def test_recent_changes_are_those_of_the_row_newest_first(unscoped: World) -> None:
    first, second = _record(unscoped), _record(unscoped)
    by = unscoped.actor(unscoped.ann)
    audit.record("person.changed", unscoped.ben, by=by, customer=unscoped.beta)
    found = audit.recent_changes(unscoped.beta, count=5)
    assert [event.pk for event in found] == [second.pk, first.pk]
    assert [each.pk for each in audit.recent_changes(unscoped.beta)] == [second.pk]
    assert audit.recent_changes(Customer(pk=0)) == []
