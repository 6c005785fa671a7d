"""Reports » Audit log: who reads what, filters, and the export."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import BillingAccount
from customers.models import Customer, Note, Person
from customers.services import lines, people
from customers.visibility import visible_events
from portal.core import audit
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from tests.customers.features import enter, queries_of, url_of
from tests.pages import send
from tests.world import World


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def tell(
    world: World,
    action: str = "person.updated",
    *,
    by: Person | None = None,
    about: Any = None,
    customer: Customer | None = None,
    at: datetime | None = None,
    **changes: Any,
) -> AuditEvent:
    """Write one event: by Ann, about Uli, at Acme, unless said otherwise."""
    with scopes_disabled():
        event = audit.record(
            action,
            about or world.uli,
            by=world.actor(by or world.ann),
            customer=customer or world.acme,
            changes=changes,
        )
        if at is not None:
            AuditEvent.objects.filter(pk=event.pk).update(at=at)
    return event


def events_on(client: Client, account: Customer, query: str = "") -> list[int]:
    """The ids of the events the log shows, without the sign-ins of the tests."""
    page = client.get(f"{url_of(account, 'audit-list')}?{query}")
    assert page.status_code == 200
    ids = [row.pk for row in page.context["table"].rows]
    with scopes_disabled():
        noise = AuditEvent.objects.filter(
            action__in=["person.signed_in", "switch.opened"]
        )
        return [pk for pk in ids if not noise.filter(pk=pk).exists()]


def text_of(client: Client, account: Customer, query: str = "") -> str:
    return str(client.get(f"{url_of(account, 'audit-list')}?{query}").content.decode())


# --- Who reads what -------------------------------------------------------------------


def test_the_log_is_that_of_the_subtree_newest_first(world: World, ann: Client) -> None:
    told = {
        name: tell(world, customer=getattr(world, name)).pk
        for name in ("root", "acme", "beta", "gamma", "rival")
    }
    assert events_on(ann, world.acme) == [told["gamma"], told["beta"], told["acme"]]


def test_without_commerce_the_own_account_only(world: World) -> None:
    own, _below = tell(world), tell(world, customer=world.beta)
    with scopes_disabled():
        world.uli.role.permissions.append(Permission.AUDIT)
        world.uli.role.save()
    assert events_on(world.client(world.uli), world.acme) == [own.pk]


def test_the_log_needs_its_right(world: World) -> None:
    client = world.client(world.uli)
    assert client.get(url_of(world.acme, "audit-list")).status_code == 403
    assert client.get(url_of(world.acme, "audit-export")).status_code == 403


def test_the_log_of_a_foreign_account_is_not_found(world: World) -> None:
    client = world.client(world.eve)
    assert client.get(url_of(world.acme, "audit-list")).status_code == 404


def test_what_the_provider_does_with_the_account_is_not_its_business(
    world: World,
) -> None:
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=world.beta)
        note = Note.objects.create(customer=world.beta, subject="Pays late")
    hidden = [
        tell(world, "customer.locked", about=world.beta, customer=world.beta),
        tell(world, "note.created", about=note, customer=world.beta),
        tell(world, "account.updated", about=account, customer=world.beta),
    ]
    shown = tell(world, about=world.ben, customer=world.beta)
    own = tell(
        world, "customer.updated", by=world.ben, about=world.beta, customer=world.beta
    )
    below = tell(
        world, "customer.updated", by=world.ben, about=world.gamma, customer=world.gamma
    )
    assert events_on(world.client(world.ben), world.beta) == [
        below.pk,
        own.pk,
        shown.pk,
    ]
    ann = enter(world, world.ann, world.beta)
    assert set(events_on(ann, world.beta)) >= {event.pk for event in hidden}


def test_people_from_above_are_the_provider(world: World) -> None:
    tell(world, about=world.ben, customer=world.beta)
    text = text_of(world.client(world.ben), world.beta)
    assert "Your provider" in text
    assert "Ann Weber" not in text
    assert "192.0.2.1" not in text
    assert "Ann Weber" in text_of(world.client(world.ann), world.acme)


def test_hidden_names_do_not_lead_to_their_events(world: World) -> None:
    event = tell(world, about=world.ben, customer=world.beta)
    ben = world.client(world.ben)
    assert events_on(ben, world.beta, "person=weber") == []
    assert events_on(world.client(world.ann), world.acme, "person=weber") == [event.pk]


def test_the_real_and_the_acted_person_are_both_shown(world: World) -> None:
    client = enter(world, world.ann, world.beta)
    send(client, url_of(world.beta, "line-create"), name="Made while switched")
    text = text_of(client, world.beta)
    assert "Ann Weber" in text
    assert "as [Beta Voice]" in text
    assert "Telephone line created: Made while switched" in text


def test_the_export_hides_the_same(world: World) -> None:
    tell(world, about=world.ben, customer=world.beta)
    tell(world, "customer.locked", about=world.beta, customer=world.beta)
    rows = exported(world.client(world.ben), world.beta)
    assert [row["Action"] for row in rows if row["Person"] == "Your provider"] == [
        "Person changed"
    ]
    assert not any("Ann Weber" in row.values() for row in rows)


def test_visible_events_stay_in_the_scope(world: World) -> None:
    tell(world, customer=world.rival)
    with subtree(world.acme):
        events = visible_events(world.actor(world.ann), reader=world.acme)
        assert not events.filter(customer=world.rival).exists()


# --- What it tells --------------------------------------------------------------------


def test_every_value_stands_with_old_and_new(world: World, ann: Client) -> None:
    with subtree(world.acme):
        people.update_person(
            person=world.uli,
            values={"last_name": "Groß", "is_active": False},
            by=world.actor(world.ann),
        )
    text = text_of(ann, world.acme)
    for part in ("Last name", "Klein", "Groß", "May log in", "yes", "no"):
        assert part in text


def test_many_values_are_folded(world: World, ann: Client) -> None:
    changes: Any = {f"field{n}": ("a", "b") for n in range(6)}
    tell(world, **changes)
    assert "6 values" in text_of(ann, world.acme)


@pytest.mark.parametrize(("old", "is_folded"), [("", True), ("x", False)])
def test_what_a_new_row_was_given_is_folded_sooner(
    world: World, ann: Client, old: str, is_folded: bool
) -> None:
    tell(world, first_name=(old, "a"), last_name=(None, "b"), email=(None, "c"))
    assert ("3 values" in text_of(ann, world.acme)) == is_folded


def test_names_are_shown_as_text(world: World, ann: Client) -> None:
    tell(world, first_name=("<script>alert(1)</script>", "<b>bold</b>"))
    text = text_of(ann, world.acme)
    assert "<script>alert" not in text
    assert "<b>bold" not in text


# --- Filters --------------------------------------------------------------------------


def test_the_log_is_narrowed_by_each_filter(world: World, ann: Client) -> None:
    with subtree(world.acme):
        lines.create_line(
            customer=world.acme,
            values={"name": "Cellar", "username": "cel-1"},
            by=world.actor(world.ann),
        )
        made = AuditEvent.objects.get(action="line.created")
    changed = tell(world, by=world.ben, about=world.gil, customer=world.gamma)
    for query, found in (
        ("person=BRAUN", [changed.pk]),
        ("person=nobody", []),
        ("action=line.created", [made.pk]),
        ("action=person.updated", [changed.pk]),
        ("customer=gamma", [changed.pk]),
        ("object=cellar", [made.pk]),
        ("object=gil&customer=gamma", [changed.pk]),
        ("object=cellar&customer=gamma", []),
        ("object=%25", []),
        ("action=unknown", [changed.pk, made.pk]),
        ("since=nonsense", [changed.pk, made.pk]),
    ):
        assert events_on(ann, world.acme, query) == found, query


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("since=2026-03-02", ["after midnight", "late"]),
        ("until=2026-03-01", ["before midnight"]),
        ("since=2026-03-02&until=2026-03-02", ["after midnight", "late"]),
        ("since=2026-03-03", []),
        ("until=9999-12-31", ["before midnight", "after midnight", "late"]),
        ("since=0001-01-01", ["before midnight", "after midnight", "late"]),
    ],
)
def test_days_are_those_of_the_readers_zone(
    world: World, ann: Client, query: str, found: list[str]
) -> None:
    # Acme's people live in Berlin, an hour ahead of UTC in winter.
    told = {
        "before midnight": tell(world, at=datetime(2026, 3, 1, 22, 59, tzinfo=UTC)).pk,
        "after midnight": tell(world, at=datetime(2026, 3, 1, 23, 0, tzinfo=UTC)).pk,
        "late": tell(world, at=datetime(2026, 3, 2, 22, 59, tzinfo=UTC)).pk,
    }
    names = {pk: name for name, pk in told.items()}
    assert {names[pk] for pk in events_on(ann, world.acme, query)} == set(found)


def test_the_log_costs_the_same_for_one_and_for_many(world: World, ann: Client) -> None:
    url = url_of(world.acme, "audit-list")
    tell(world, first_name=("a", "b"))
    before = queries_of(ann, url)
    for person in (world.uli, world.ben, world.gil) * 2:
        tell(world, by=person, about=person, first_name=("a", "b"))
    assert queries_of(ann, url) == before <= 30


def test_the_chosen_action_is_named_in_the_chip(world: World, ann: Client) -> None:
    page = ann.get(url_of(world.acme, "audit-list"), {"action": "line.created"})
    (chip,) = page.context["active_filters"]
    assert (chip["label"], chip["value"]) == ("Action", "Telephone line created")


def test_older_events_are_on_the_next_page(world: World, ann: Client) -> None:
    told = [tell(world).pk for _ in range(60)]
    page = ann.get(url_of(world.acme, "audit-list"), {"action": "person.updated"})
    table = page.context["table"]
    assert [row.pk for row in table.rows] == told[:9:-1]
    page = ann.get(url_of(world.acme, "audit-list") + table.next_url)
    assert [row.pk for row in page.context["table"].rows] == told[9::-1]


# --- Many events as one -------------------------------------------------------------

NIGHT = datetime(2026, 11, 1, 4, tzinfo=UTC)


def tell_many(
    world: World,
    count: int,
    *,
    apart: timedelta = timedelta(seconds=1),
    since: datetime = NIGHT,
    by: Person | None = None,
) -> list[int]:
    """As an import or a run leaves them: all of one kind, one soon after the other."""
    return [
        tell(world, "invoice.issued", by=by, at=since + apart * each).pk
        for each in range(count)
    ]


def test_many_events_of_a_kind_are_one_line_that_leads_to_each(
    world: World, ann: Client
) -> None:
    older = tell(world, at=NIGHT - timedelta(days=1)).pk
    told = tell_many(world, 120)
    assert events_on(ann, world.acme) == [told[-1], older]
    shown = text_of(ann, world.acme)
    assert "Invoice issued × 120" in shown
    [query] = re.findall(r"/reports/audit/\?(action=invoice[^\"]+)\">Show all", shown)
    query = html.unescape(query)
    assert events_on(ann, world.acme, query) == told[:69:-1]
    tell_many(world, 1)
    page = ann.get(f"{url_of(world.acme, 'audit-list')}?{query}")
    assert page.context["table"].count_text == "1–50 of 120"


@pytest.mark.parametrize(
    ("count", "seconds", "lines"), [(4, 1, 4), (5, 1, 1), (5, 10, 1), (5, 11, 5)]
)
def test_what_people_do_one_by_one_is_told_so(
    world: World, ann: Client, count: int, seconds: int, lines: int
) -> None:
    tell_many(world, count, apart=timedelta(seconds=seconds))
    assert len(events_on(ann, world.acme)) == lines


def test_each_persons_events_are_a_group_of_their_own(
    world: World, ann: Client
) -> None:
    for each in range(6):
        for by in (world.ann, world.uli):
            tell(world, "invoice.sent", by=by, at=NIGHT + timedelta(seconds=each))
    shown = text_of(ann, world.acme)
    assert shown.count("Invoice sent × 6") == 2


def test_pages_of_groups_go_on_where_the_last_ended(world: World, ann: Client) -> None:
    day = timedelta(days=1)
    groups = [tell_many(world, 6, since=NIGHT + day * each) for each in range(53)]
    url = url_of(world.acme, "audit-list")
    first = ann.get(url).context["table"]
    tops = [group[-1] for group in groups][::-1]
    assert [row.pk for row in first.rows] == tops[:50]
    assert first.previous_url == ""
    second = ann.get(url + first.next_url).context["table"]
    assert [row.pk for row in second.rows] == tops[50:]
    assert second.next_url == ""
    back = ann.get(url + second.previous_url).context["table"]
    assert [row.pk for row in back.rows] == tops[:50]
    # A place that is gone, or never was, is the beginning.
    lost = ann.get(url, {"after": "1"}).context["table"]
    assert [row.pk for row in lost.rows] == [row.pk for row in first.rows]


def test_a_span_that_is_none_shows_nothing(world: World, ann: Client) -> None:
    tell(world)
    for span in ("x", "1-2", "5-1--", "9" * 30):
        assert events_on(ann, world.acme, f"span={span}") == []


def test_a_span_shows_nothing_that_is_not_the_readers(
    world: World, ann: Client
) -> None:
    pk = tell(world, customer=world.rival).pk
    span = f"{pk}-{pk}-{world.ann.pk}-"
    assert events_on(ann, world.acme, f"span={span}") == []


def test_htmx_gets_the_events_alone(world: World, ann: Client) -> None:
    tell(world)
    page = ann.get(url_of(world.acme, "audit-list"), headers={"HX-Request": "true"})
    assert "<html" not in page.content.decode()
    assert 'id="events"' in page.content.decode()


# --- The export -----------------------------------------------------------------------


def exported(
    client: Client, account: Customer, query: str = ""
) -> list[dict[str, str]]:
    answer = client.get(f"{url_of(account, 'audit-export')}?{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_has_a_line_for_each_value(world: World, ann: Client) -> None:
    tell(
        world,
        at=datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
        first_name=("a", "b"),
        public_key=("", "k" * 1000),
    )
    rows = exported(ann, world.acme, "action=person.updated")
    assert [row["Field"] for row in rows] == ["First name", "GPG public key"]
    assert rows[0] == {
        "Time": "2026-07-01 14:00:00+02:00",
        "Person": "Ann Weber",
        "Acting as": "",
        "Source address": "192.0.2.1",
        "Customer": "Acme Telecom",
        "Action": "Person changed",
        "Kind of object": "Person",
        "Object": "Uli Klein",
        "Field": "First name",
        "Old value": "a",
        "New value": "b",
    }
    assert rows[1]["New value"] == "k" * 1000


def test_the_export_runs_no_formula(world: World, ann: Client) -> None:
    tell(world, first_name=("=1+1", "@SUM(A1)"))
    (row,) = exported(ann, world.acme, "action=person.updated")
    assert (row["Old value"], row["New value"]) == ("'=1+1", "'@SUM(A1)")


def test_the_export_follows_the_filters(world: World, ann: Client) -> None:
    tell(world, about=world.ben, customer=world.beta)
    tell(world)
    rows = exported(ann, world.acme, "customer=beta&action=person.updated")
    assert [row["Customer"] for row in rows] == ["Beta Voice"]
    page = ann.get(url_of(world.acme, "audit-list"), {"customer": "beta"})
    assert "?customer=beta" in page.context["page_actions"][0]["url"]


def test_the_export_takes_few_queries_however_many_events(
    world: World, ann: Client
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            exported(ann, world.acme)
        return len(queries)

    tell(world, first_name=("a", "b"))
    cost()
    before = cost()
    for _ in range(30):
        tell(world, first_name=("a", "b"))
    assert cost() == before <= 30
