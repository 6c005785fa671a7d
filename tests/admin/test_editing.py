"""What staff write right in the admin: checked, and in both logs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from billing.models import Tax
from customers.models import Customer, DialPlan, Number, Region, SystemOptions
from portal.core.models import AuditEvent
from rateplans.models import NumberClass, RatePlan
from tests.world import World


def url(model: type[Model], kind: str, *arguments: Any) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}"
    return reverse(name, args=arguments)


def entries(page: Any, **changes: Any) -> dict[str, Any]:
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields} | changes
    return {
        name: value
        for name, value in values.items()
        if value is not None and value is not False and value != ""
    }


@pytest.mark.parametrize(
    ("model", "noun"),
    [(Region, "region"), (DialPlan, "dial_plan"), (NumberClass, "number_class")],
)
def test_rows_are_made_changed_and_removed_with_both_logs(
    world: World, staff: Client, model: Any, noun: str
) -> None:
    page = staff.get(url(model, "add"))
    staff.post(url(model, "add"), entries(page, name="North"))
    row = model.objects.get(name="North")
    page = staff.get(url(model, "change", row.pk))
    staff.post(url(model, "change", row.pk), entries(page, name="South"))
    staff.post(url(model, "delete", row.pk), {"post": "yes"})
    assert not model.objects.filter(pk=row.pk).exists()
    events = AuditEvent.objects.filter(object_type=model._meta.label_lower)
    assert [event.action for event in events.order_by("pk")] == [
        f"{noun}.created",
        f"{noun}.updated",
        f"{noun}.deleted",
    ]
    assert {event.person for event in events} == {world.olga}
    assert {event.customer for event in events} == {world.root}
    change = events.get(action=f"{noun}.updated").changes.get()
    assert (change.field, change.old, change.new) == ("name", "North", "South")
    assert LogEntry.objects.count() == 3


def test_saving_without_a_change_is_not_an_event(world: World, staff: Client) -> None:
    region = Region.objects.create(name="North")
    page = staff.get(url(Region, "change", region.pk))
    staff.post(url(Region, "change", region.pk), entries(page))
    assert not AuditEvent.objects.filter(action="region.updated").exists()


def test_what_is_in_use_is_not_deleted(world: World, staff: Client) -> None:
    region = Region.objects.create(name="North")
    Customer.objects.filter(pk=world.gamma.pk).update(region=region)
    response = staff.post(
        url(Region, "delete", region.pk), {"post": "yes"}, follow=True
    )
    assert "North: It is in use: see customers." in response.content.decode()
    assert Region.objects.filter(pk=region.pk).exists()
    assert not AuditEvent.objects.filter(action="region.deleted").exists()


def test_system_options_are_changed(world: World, staff: Client) -> None:
    page = staff.get(url(SystemOptions, "change", 1))
    staff.post(url(SystemOptions, "change", 1), entries(page, customer_prefixes="on"))
    assert SystemOptions.current().customer_prefixes
    event = AuditEvent.objects.get(action="system_options.updated")
    change = event.changes.get()
    assert (change.field, change.old, change.new) == ("customer_prefixes", "no", "yes")


def test_a_plan_is_made_in_its_owners_log(world: World, staff: Client) -> None:
    page = staff.get(url(RatePlan, "add"))
    response = staff.post(
        url(RatePlan, "add"),
        entries(page, owner=world.acme.pk, name="New", currency="EUR"),
    )
    assert response.status_code == 302
    assert RatePlan.objects.get(name="New").owner == world.acme
    assert AuditEvent.objects.get(action="plan.created").customer == world.acme


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "ACME BASIC"}, "__all__"),
        ({"currency": "XXX"}, "currency"),
        ({"call_maximum": "-2"}, "call_maximum"),
        ({"concurrent_calls": "-5"}, "concurrent_calls"),
        ({"due_days": "-1"}, "due_days"),
    ],
)
def test_plans_keep_their_rules(
    world: World, staff: Client, changes: dict[str, str], field: str
) -> None:
    page = staff.get(url(RatePlan, "add"))
    data = entries(page, owner=world.acme.pk, name="New", currency="EUR") | changes
    response = staff.post(url(RatePlan, "add"), data)
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not RatePlan.objects.filter(owner=world.acme).exclude(pk=world.acme_plan.pk)


def test_the_owner_of_a_plan_and_of_a_tax_never_changes(
    world: World, staff: Client
) -> None:
    for row in (world.acme_plan, world.acme_tax):
        page = staff.get(url(type(row), "change", row.pk))
        response = staff.post(
            url(type(row), "change", row.pk),
            entries(page, owner=world.rival.pk, name="Renamed"),
        )
        assert response.status_code == 302
        row.refresh_from_db()
        assert (row.owner, row.name) == (world.acme, "Renamed")


def test_a_tax_keeps_its_rules(world: World, staff: Client) -> None:
    page = staff.get(url(Tax, "change", world.acme_tax.pk))
    for wrong in ({"rate": "-1"}, {"rate": "101"}, {"amount": "-0.01"}):
        response = staff.post(
            url(Tax, "change", world.acme_tax.pk), entries(page, **wrong)
        )
        assert list(wrong) == list(response.context["adminform"].form.errors)


def test_choosing_an_owner_completes_what_is_typed(world: World, staff: Client) -> None:
    response = staff.get(
        reverse("admin:autocomplete"),
        {
            "term": "gamm",
            "app_label": "rateplans",
            "model_name": "rateplan",
            "field_name": "owner",
        },
    )
    assert response.json()["results"] == [
        {"id": str(world.gamma.pk), "text": "Gamma Bakery · 100001"}
    ]


class TestNumbers:
    def add(self, staff: Client, world: World, **changes: Any) -> Any:
        data = {
            "customer": world.acme.pk,
            "number": "+49 30 5550200",
            "count": 3,
            "number_class": world.numbers[0].number_class_id,
            "description": "",
        }
        return staff.post(url(Number, "add"), data | changes, follow=True)

    def test_a_range_is_added_by_the_service(self, world: World, staff: Client) -> None:
        response = self.add(staff, world)
        assert "3 numbers added." in response.content.decode()
        added = Number.objects.filter(number__startswith="+493055502").order_by("pk")
        assert [row.number for row in added] == [
            "+49305550200",
            "+49305550201",
            "+49305550202",
        ]
        assert {row.area for row in added} == {"Berlin"}
        events = AuditEvent.objects.filter(action="number.added")
        assert {event.person for event in events} == {world.olga}
        assert LogEntry.objects.count() == 3

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"number": "12"}, "number"),
            ({"number": "+4930555010"}, "number"),  # the range meets one that is there
            ({"number": "+49305550100"}, "number"),
            ({"count": 0}, "count"),
            ({"count": 1001}, "count"),
            ({"customer": 999_999}, "customer"),
            ({"number_class": ""}, "number_class"),
        ],
    )
    def test_what_cannot_be_is_refused_at_its_field(
        self, world: World, staff: Client, changes: dict[str, Any], field: str
    ) -> None:
        if changes.get("number") == "+4930555010":
            Number.objects.filter(pk=world.numbers[0].pk).update(number="+4930555012")
        response = self.add(staff, world, **changes)
        assert field in response.context["adminform"].form.errors
        assert Number.objects.count() == 3
        assert not LogEntry.objects.exists()

    def test_a_number_is_given_up(self, world: World, staff: Client) -> None:
        number = world.numbers[0]
        data = {"action": "release", "_selected_action": [number.pk]}
        staff.post(url(Number, "changelist"), data)
        assert Number.objects.get(pk=number.pk).customer == world.acme
        staff.post(url(Number, "changelist"), data | {"confirmed": "yes"})
        assert Number.objects.get(pk=number.pk).customer == world.root
