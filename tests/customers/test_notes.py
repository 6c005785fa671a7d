"""Notes about a customer: written by those above, never seen by the customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from customers.models import Customer, Note
from customers.services.notes import delete_note, write_note
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from tests.pages import entries_of, errors_of, send
from tests.world import World


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    with subtree(world.acme):
        yield world


def _write(world: World, **changes: Any) -> Note:
    arguments: dict[str, Any] = {
        "customer": world.beta,
        "subject": "Called",
        "body": "Wants fibre.",
        "by": world.actor(world.ann),
    }
    return write_note(**arguments | changes)


def _url(world: World, page: str = "", customer: Customer | None = None) -> str:
    pk = (customer or world.beta).pk
    return f"/a/{world.acme.pk}/commerce/customers/{pk}/notes/{page}"


def test_note_is_signed_and_written_down_above_the_customer(inside: World) -> None:
    note = _write(inside)
    assert (note.author, note.author_name) == (inside.ann, "Ann Weber")
    event = AuditEvent.objects.get(action="note.created")
    assert (event.customer, event.path) == (inside.acme, inside.acme.path)
    assert {c.field: c.new for c in event.changes.all()} == {
        "subject": "Called",
        "body": "Wants fibre.",
    }


def test_changed_note_keeps_its_author(inside: World) -> None:
    note = _write(inside)
    by = inside.actor(inside.olga)
    with subtree(inside.root):
        _write(inside, note=note, subject="Called twice", by=by)
    note.refresh_from_db()
    assert (note.subject, note.author_name) == ("Called twice", "Ann Weber")
    event = AuditEvent.objects.get(action="note.updated")
    assert {c.field: (c.old, c.new) for c in event.changes.all()} == {
        "subject": ("Called", "Called twice")
    }


def test_saving_a_note_without_a_change_leaves_no_trace(inside: World) -> None:
    _write(inside, note=_write(inside))
    assert not AuditEvent.objects.filter(action="note.updated").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"subject": ""}, "subject"), ({"subject": "x" * 121}, "subject")],
)
def test_wrong_note_is_refused(
    inside: World, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        _write(inside, **changes)
    assert set(refusal.value.error_dict) == {field}


@pytest.mark.parametrize("customer", ["root", "acme", "rival"])
def test_notes_are_about_customers_below_only(world: World, customer: str) -> None:
    with scopes_disabled(), pytest.raises(PermissionDenied):
        _write(world, customer=getattr(world, customer))


def test_nobody_below_deletes_a_note_about_itself(world: World) -> None:
    with scopes_disabled():
        note = _write(world)
        with pytest.raises(PermissionDenied):
            delete_note(note=note, by=world.actor(world.ben))
        delete_note(note=note, by=world.actor(world.ann))
        assert not Note.objects.exists()
        assert AuditEvent.objects.filter(action="note.deleted").count() == 1


# --- On the pages -----------------------------------------------------------------------


def test_note_is_added_changed_and_deleted(world: World) -> None:
    client = world.client(world.ann)
    response = send(client, _url(world), subject="<b>Called", body="Line\n\nLine 2")
    assert response["Location"] == _url(world)
    page = client.get(_url(world)).content.decode()
    assert "&lt;b&gt;Called" in page
    assert "<p>Line</p>" in page
    with scopes_disabled():
        note = Note.objects.get()
    send(client, _url(world, f"{note.pk}/"), subject="Changed")
    assert "Changed" in client.get(_url(world)).content.decode()
    send(client, _url(world, f"{note.pk}/delete/"))
    with scopes_disabled():
        assert not Note.objects.exists()


def test_customer_never_sees_its_notes(world: World) -> None:
    with subtree(world.acme):
        _write(world, subject="Slow payer", body="Slow payer")
    client = world.client(world.ben)
    home = f"/a/{world.beta.pk}/"
    for page in ("commerce/customers/", "reports/audit/", "features/people/"):
        assert "Slow payer" not in client.get(home + page).content.decode()
    own = f"{home}commerce/customers/{world.beta.pk}/notes/"
    assert client.get(own).status_code == 404


def test_note_of_another_customer_is_not_found(world: World) -> None:
    with scopes_disabled():
        own = _write(world)
        gammas = _write(world, customer=world.gamma)
        rivals = _write(world, customer=world.rival, by=world.actor(world.olga))
    client = world.client(world.ann)
    assert client.get(_url(world, f"{own.pk}/")).status_code == 200
    for note in (gammas, rivals):
        for page in (f"{note.pk}/", f"{note.pk}/delete/"):
            assert client.get(_url(world, page)).status_code == 404
            assert client.post(_url(world, page)).status_code == 404
    assert client.get(_url(world, f"{own.pk}/", world.gamma)).status_code == 404


def test_note_without_a_subject_is_shown_again(world: World) -> None:
    response = send(world.client(world.ann), _url(world), body="typed")
    assert set(errors_of(response)) == {"subject"}
    assert response.context["form"]["body"].value() == "typed"


def test_note_changed_meanwhile_is_not_overwritten_unseen(world: World) -> None:
    with subtree(world.acme):
        note = _write(world)
    url = _url(world, f"{note.pk}/")
    client = world.client(world.ann)
    late = entries_of(client.get(url), body="Mine")
    send(client, url, body="Theirs")
    response = client.post(url, late)
    assert response.status_code == 422
    text = str(response.context["stale"])
    assert "Ann Weber" in text
    assert "Wants fibre. → Theirs" in text
    with scopes_disabled():
        assert Note.objects.get().body == "Theirs"
    assert client.post(url, entries_of(response)).status_code == 302
    with scopes_disabled():
        assert Note.objects.get().body == "Mine"
