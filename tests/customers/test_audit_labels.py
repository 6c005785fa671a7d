"""The audit log in words: every action has a label, every field its model's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.template import Context, Template
from django.utils import timezone, translation

from customers import audit_labels
from customers.models import Customer, Number, Person
from customers.services import lines, numbers
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.models import AuditEvent
from portal.core.scope import subtree
from tests.world import World

PACKAGES = ("portal", "customers", "billing", "rateplans")


def _recorded_actions() -> Iterator[tuple[str, str]]:
    """(action, file) of every literal action in functions that write the log."""
    for package in PACKAGES:
        for file in sorted((Path(settings.BASE_DIR) / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.FunctionDef) and _records(node):
                    for text in _texts(node):
                        yield text, f"{package}/{file.name}"


def _records(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record"
        for node in ast.walk(function)
    )


def _texts(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            noun, dot, verb = node.value.partition(".")
            if dot and noun.isidentifier() and verb.isidentifier() and verb.islower():
                yield node.value


def test_every_recorded_action_has_a_label() -> None:
    recorded = list(_recorded_actions())
    assert ("customer.unlocked", "customers/locks.py") in recorded
    unlabelled = [pair for pair in recorded if pair[0] not in audit_labels.ACTIONS]
    assert unlabelled == []


def test_every_action_of_the_django_admin_has_a_label() -> None:
    admins = admin.site._registry.values()
    nouns = {each.noun for each in admins if getattr(each, "noun", "")}
    assert "region" in nouns
    assert nouns <= set(audit_labels.SYSTEM_THINGS)
    label = audit_labels.action_label("region.deleted")
    assert str(label.title) == "Region deleted"


@pytest.mark.parametrize("action", sorted(audit_labels.ACTIONS))
def test_every_label_has_an_icon_that_exists_and_a_known_tone(action: str) -> None:
    label = audit_labels.action_label(action)
    template = Template("{% load lucide %}{% lucide icon %}")
    assert "<svg" in template.render(Context({"icon": label.icon}))
    assert label.kind in {"success", "warning", "danger", "info", "neutral"}


def test_action_choices_hold_every_action_once() -> None:
    chosen = [
        code for _group, choices in audit_labels.action_choices() for code, _ in choices
    ]
    assert sorted(chosen) == sorted(audit_labels.ACTIONS)


@pytest.mark.parametrize(
    ("action", "title"),
    [
        ("customer.locked", "Customer locked"),
        ("voucher.batch_printed", "Voucher batch printed"),
    ],
)
def test_action_label_of_known_and_unknown_actions(action: str, title: str) -> None:
    assert str(audit_labels.action_label(action).title) == title


@pytest.mark.parametrize(
    ("object_type", "field", "label"),
    [
        ("customers.person", "emails", "E-mail"),
        ("customers.customer", "lock", "Locked"),
        ("customers.customer", "credit_limit", "Credit limit"),
        ("customers.customer", "taxes", "Taxes liable"),
        ("customers.line", "some_thing", "Some thing"),
        ("", "name", "Name"),
    ],
)
def test_field_label_is_what_forms_say(
    object_type: str, field: str, label: str
) -> None:
    assert audit_labels.field_label(object_type, field) == label


@pytest.mark.parametrize(
    ("object_type", "label"),
    [
        ("customers.telephoneline", "Telephone line"),
        ("old.thing", "old.thing"),
        ("x", "x"),
    ],
)
def test_object_type_label(object_type: str, label: str) -> None:
    assert audit_labels.object_type_label(object_type) == label


def _event(customer: Customer) -> AuditEvent:
    return (
        AuditEvent.objects.filter(customer=customer)
        .select_related("person__customer", "customer")
        .prefetch_related("changes")
        .first()
    ) or pytest.fail("nothing was recorded")


def test_describe_tells_the_changes_of_a_person(world: World) -> None:
    with subtree(world.acme), translation.override("de"):
        audit.record(
            "person.updated",
            world.uli,
            by=world.actor(world.ann),
            customer=world.acme,
            changes={"is_active": (True, False), "public_key": ("", "k" * 1000)},
        )
        told = audit_labels.describe(_event(world.acme))
    assert told["title"].endswith(": Uli Klein")
    assert (told["who"], told["acting_as"]) == ("Ann Weber", "")
    assert told["address"] == "192.0.2.1"
    assert told["changes"][0]["old"] == "ja"
    assert len(told["changes"][1]["new"]) == audit_labels.LONGEST_VALUE


def test_describe_of_a_customer_event_names_no_object_twice(world: World) -> None:
    with subtree(world.acme):
        audit.record(
            "customer.locked",
            world.beta,
            by=world.actor(world.ann),
            customer=world.beta,
        )
        told = audit_labels.describe(_event(world.beta))
    assert told["title"] == "Customer locked"


def test_describe_shows_moments_in_the_active_zone(world: World) -> None:
    moment = timezone.now().replace(hour=12)
    with subtree(world.acme), timezone.override("Asia/Tokyo"):
        audit.record(
            "person.updated",
            world.uli,
            by=world.actor(world.ann),
            customer=world.acme,
            changes={"created_at": (moment, "never")},
        )
        change = audit_labels.describe(_event(world.acme))["changes"][0]
    assert " 21:" in change["old"]
    assert change["new"] == "never"


def test_describe_shows_no_secret(world: World) -> None:
    with subtree(world.acme):
        audit.record(
            "person.updated",
            world.uli,
            by=world.actor(world.ann),
            customer=world.acme,
            changes={"password": ("old-hash", "new-hash")},
        )
        change = audit_labels.describe(_event(world.acme))["changes"][0]
    assert change == {"label": "Password", "old": "", "new": "changed"}


def test_describe_names_the_system_where_nobody_was_at_work(world: World) -> None:
    with subtree(world.acme):
        audit.record(
            "customer.locked",
            world.beta,
            by=system_actor(world.acme),
            customer=world.beta,
        )
        assert audit_labels.describe(_event(world.beta))["who"] == "The system"


def _switched_event(world: World) -> AuditEvent:
    """Ann of Acme, inside Beta, makes a line there."""
    pseudo = Person(username="[Beta Voice]", customer=world.beta, role=world.ben.role)
    actor = world.actor(world.ann, world.beta)
    pseudo.is_pseudo, pseudo.is_active = True, False
    pseudo.save()
    by = type(actor)(
        customer=world.beta,
        person=world.ann,
        permissions=actor.permissions,
        acting_as=pseudo,
        source_ip="192.0.2.1",
    )
    lines.create_line(
        customer=world.beta, values={"name": "Reception", "username": "rec-1"}, by=by
    )
    return _event(world.beta)


def test_describe_carries_both_people_for_those_above(world: World) -> None:
    with subtree(world.root):
        event = _switched_event(world)
        for reader in (None, world.acme, world.root):
            told = audit_labels.describe(event, reader=reader)
            assert (told["who"], told["acting_as"]) == ("Ann Weber", "Beta Voice")
            assert told["address"] == "192.0.2.1"


def test_describe_keeps_people_from_above_from_those_below(world: World) -> None:
    with subtree(world.root):
        told = audit_labels.describe(_switched_event(world), reader=world.beta)
    assert (told["who"], told["acting_as"]) == ("Your provider", "Beta Voice")
    assert told["address"] == ""


def test_describe_keeps_deleted_people_from_above_from_those_below(
    world: World,
) -> None:
    with subtree(world.root):
        event = _switched_event(world)
        world.ann.delete()
        event.refresh_from_db()
        assert event.person_name == "Ann Weber"
        assert audit_labels.describe(event, reader=world.beta)["who"] == "Your provider"


def test_describe_names_own_people_after_they_were_deleted(world: World) -> None:
    with subtree(world.root):
        audit.record(
            "person.updated", world.ben, by=world.actor(world.ben), customer=world.beta
        )
        world.ben.delete()
        assert audit_labels.describe(_event(world.beta), reader=world.beta)["who"] == (
            "Ben Braun"
        )


def test_changes_do_not_tell_where_a_number_came_from(world: World) -> None:
    with subtree(world.root):
        numbers.take_number(
            number=Number.objects.get(pk=world.numbers[0].pk),
            customer=world.beta,
            values={},
            by=world.actor(world.ann, world.beta),
        )
        event = _event(world.beta)
        assert audit_labels.changes_of(event, reader=world.acme) == [
            {"label": "Customer", "old": "Acme Telecom", "new": "Beta Voice"}
        ]
        assert audit_labels.changes_of(event, reader=world.beta) == []
