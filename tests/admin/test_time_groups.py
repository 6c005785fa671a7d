"""Time groups: their times are typed as on a clock, and read as they were meant."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.html import strip_tags

from customers.models import TimeGroup, TimeSpan
from portal.core.models import AuditEvent
from rateplans.models import RatePlan
from tests.admin.test_editing import entries, url
from tests.race import race
from tests.world import World, build_world

OFFICE = ("0", "4", "08:00", "18:00")


def typed(
    *spans: tuple[str, ...], ids: tuple[int, ...] = (), gone: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Entries of the rows of times; the first ones are of the spans ``ids``."""
    data: dict[str, Any] = {
        "spans-TOTAL_FORMS": len(spans),
        "spans-INITIAL_FORMS": len(ids),
        "spans-MIN_NUM_FORMS": 1,
    }
    for at, span in enumerate(spans):
        names = ("first_day", "last_day", "begins", "ends")
        data |= {
            f"spans-{at}-{name}": value for name, value in zip(names, span, strict=True)
        }
    data |= {f"spans-{at}-id": pk for at, pk in enumerate(ids)}
    return data | {f"spans-{at}-DELETE": "on" for at in gone}


def add(staff: Client, *spans: tuple[str, ...]) -> Any:
    page = staff.get(url(TimeGroup, "add"))
    data = entries(page, name="Office") | typed(*spans)
    return staff.post(url(TimeGroup, "add"), data)


def errors(response: Any) -> str:
    """All that is refused, of the group and of its times."""
    found = " ".join(map(str, response.context["errors"]))
    return unescape(strip_tags(found))


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([OFFICE], "Mon–Fri 08:00–18:00"),
        ([("5", "5", "9:30", "12:00")], "Sat 09:30–12:00"),
        ([("0", "6", "0:00", "24:00")], "Mon–Sun 00:00–24:00"),
        # In the order of the week, however they were typed; one ends as the other begins.
        (
            [("5", "6", "22:00", "24:00"), ("5", "6", "00:00", "22:00"), OFFICE],
            "Mon–Fri 08:00–18:00, Sat–Sun 00:00–22:00, Sat–Sun 22:00–24:00",
        ),
    ],
)
def test_times_are_kept_as_they_were_typed(
    world: World, staff: Client, spans: Any, words: str
) -> None:
    assert add(staff, *spans).status_code == 302
    assert TimeGroup.objects.get().times() == words
    assert words in staff.get(url(TimeGroup, "changelist")).content.decode()


def test_days_are_in_the_readers_language(world: World, staff: Client) -> None:
    add(staff, OFFICE)
    with translation.override("de"):
        assert TimeGroup.objects.get().times() == "Mo–Fr 08:00–18:00"


@pytest.mark.parametrize(
    ("spans", "refusal"),
    [
        ([("0", "4", "08:00", "24:01")], "Enter a time from 00:00 to 24:00."),
        ([("0", "4", "08:00", "17:60")], "Enter a time from 00:00 to 24:00."),
        ([("0", "4", "8", "18:00")], "Enter a time from 00:00 to 24:00."),
        ([("0", "4", "18:00", "08:00")], "The end must be after the beginning."),
        ([("0", "4", "08:00", "08:00")], "The end must be after the beginning."),
        (
            [("5", "0", "08:00", "18:00")],
            "The last day is before the first: a week begins on Monday.",
        ),
        (
            [OFFICE, ("4", "5", "17:59", "20:00")],
            "Mon–Fri 08:00–18:00 and Fri–Sat 17:59–20:00 overlap.",
        ),
        ([("", "", "", "")], "This field is required."),
    ],
)
def test_times_that_are_none_are_refused(
    world: World, staff: Client, spans: Any, refusal: str
) -> None:
    answer = add(staff, *spans)
    assert answer.status_code == 200
    assert refusal in errors(answer)
    assert not TimeGroup.objects.exists()


def test_one_span_takes_the_place_of_another(world: World, staff: Client) -> None:
    """What is deleted in the same breath overlaps nothing."""
    add(staff, ("0", "4", "08:00", "12:00"), ("0", "4", "14:00", "18:00"))
    group = TimeGroup.objects.get()
    ids = tuple(TimeSpan.objects.order_by("begins").values_list("pk", flat=True))
    address = url(TimeGroup, "change", group.pk)
    data = typed(OFFICE, ("0", "4", "14:00", "18:00"), ids=ids, gone=(1,))
    assert staff.post(address, entries(staff.get(address)) | data).status_code == 302
    assert group.times() == "Mon–Fri 08:00–18:00"
    # The same once more: nothing changes, and nothing is told.
    data = typed(OFFICE, ids=ids[:1])
    staff.post(address, entries(staff.get(address)) | data)
    told = [
        (event.action, change.field, change.old, change.new)
        for event in AuditEvent.objects.order_by("pk")
        for change in event.changes.exclude(field="description")
    ]
    before = "Mon–Fri 08:00–12:00, Mon–Fri 14:00–18:00"
    assert told == [
        ("time_group.created", "name", "", "Office"),
        ("time_group.updated", "times", "", before),
        ("time_group.updated", "times", before, "Mon–Fri 08:00–18:00"),
    ]


def test_times_that_somebody_else_has_added_are_not_overlapped(
    world: World, staff: Client
) -> None:
    add(staff, ("0", "0", "08:00", "09:00"))
    group = TimeGroup.objects.get()
    address = url(TimeGroup, "change", group.pk)
    ids = (group.spans.get().pk,)
    first = ("0", "0", "08:00", "09:00")
    page = staff.get(address)
    theirs = entries(page) | typed(first, ("2", "3", "10:00", "12:00"), ids=ids)
    mine = entries(page) | typed(first, ("3", "4", "11:00", "13:00"), ids=ids)
    beside = entries(page) | typed(first, ("3", "4", "12:00", "13:00"), ids=ids)
    assert staff.post(address, theirs).status_code == 302
    answer = staff.post(address, mine)
    assert "added Wed–Thu 10:00–12:00 meanwhile" in errors(answer)
    assert staff.post(address, beside).status_code == 302
    assert group.spans.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_the_same_instant_do_not_overlap() -> None:
    world = build_world()
    clients = [world.client(world.olga) for _person in range(2)]
    add(clients[0], ("0", "0", "08:00", "09:00"))
    group = TimeGroup.objects.get()
    address = url(TimeGroup, "change", group.pk)
    ids = (group.spans.get().pk,)
    data = entries(clients[0].get(address)) | typed(
        ("0", "0", "08:00", "09:00"), ("2", "3", "10:00", "12:00"), ids=ids
    )
    answers = race(
        lambda: clients[0].post(address, data), lambda: clients[1].post(address, data)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    assert group.spans.count() == 2


def test_a_group_that_a_plan_uses_is_not_deleted(world: World, staff: Client) -> None:
    add(staff, OFFICE)
    group = TimeGroup.objects.get()
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(cos_timegroup=group)
    address = url(TimeGroup, "delete", group.pk)
    answer = staff.post(address, {"post": "yes"}, follow=True)
    assert "Office: It is in use: see rate plans." in answer.content.decode()
    RatePlan.objects.update(cos_timegroup=None)
    staff.post(address, {"post": "yes"})
    assert not TimeGroup.objects.exists()
    assert not TimeSpan.objects.exists()
