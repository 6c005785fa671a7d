"""Mending the tree from the admin: by the services, with their refusals."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from billing.models import BillingAccount
from customers.choices import Lock
from customers.models import Customer, Number
from portal.core.admin_base import ACTION_LIMIT
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from tests.books import give
from tests.world import World

URL = "admin:customers_customer_changelist"


def act(client: Client, action: str, *rows: Customer, **form: Any) -> Any:
    """Choose rows and an action; ``form`` is sent with the page that asks first."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], **form}
    return client.post(reverse(URL), data, follow=True)


def confirm(client: Client, action: str, *rows: Customer, **form: Any) -> Any:
    return act(client, action, *rows, confirmed="yes", **form)


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def again(customer: Customer) -> Customer:
    return Customer.objects.get(pk=customer.pk)


@pytest.mark.parametrize("action", ["lock", "delete", "purge", "move"])
def test_what_hurts_is_asked_about_first(
    world: World, staff: Client, action: str
) -> None:
    response = act(staff, action, world.gamma)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Gamma Bakery" in page
    assert f'name="_selected_action" value="{world.gamma.pk}"' in page
    assert not again(world.gamma).is_deleted
    assert again(world.gamma).lock == Lock.NONE
    assert not LogEntry.objects.exists()


def test_lock_and_unlock(world: World, staff: Client) -> None:
    response = confirm(staff, "lock", world.gamma, lock="web", reason="Unpaid")
    locked = again(world.gamma)
    assert (locked.lock, locked.lock_reason) == (Lock.WEB, "Unpaid")
    assert messages(response) == ["Locked: 1"]
    event = AuditEvent.objects.get(action="customer.locked")
    assert (event.person, event.customer) == (world.olga, world.gamma)
    assert event.source_ip == "127.0.0.1"
    assert LogEntry.objects.get().change_message == "Locked"
    act(staff, "unlock", world.gamma)
    assert again(world.gamma).lock == Lock.NONE


def test_a_lock_that_is_none_is_not_offered(world: World, staff: Client) -> None:
    response = confirm(staff, "lock", world.gamma, lock="none", reason="")
    assert "Select a valid choice" in response.content.decode()
    assert not AuditEvent.objects.filter(action__startswith="customer.").exists()


def test_delete_restore_purge(world: World, staff: Client) -> None:
    confirm(staff, "delete", world.gamma)
    assert again(world.gamma).is_deleted
    act(staff, "undelete", world.gamma)
    assert not again(world.gamma).is_deleted
    confirm(staff, "delete", world.gamma)
    Number.objects.filter(pk=world.numbers[0].pk).update(customer=world.gamma)
    confirm(staff, "purge", world.gamma)
    assert not Customer.objects.filter(pk=world.gamma.pk).exists()
    assert Number.objects.get(pk=world.numbers[0].pk).customer == world.beta
    actions = list(
        AuditEvent.objects.filter(action__startswith="customer.")
        .order_by("pk")
        .values_list("action", flat=True)
    )
    assert actions == [
        "customer.deleted",
        "customer.undeleted",
        "customer.deleted",
        "customer.purged",
    ]


def test_refusals_are_told_with_the_name_and_stop_nobody_else(
    world: World, staff: Client
) -> None:
    response = confirm(staff, "delete", world.acme, world.gamma)
    told = messages(response)
    assert any("Acme Telecom: It has 1 customer of its own" in text for text in told)
    assert "Deleted: 1" in told
    assert not again(world.acme).is_deleted
    assert again(world.gamma).is_deleted


def test_purging_what_is_not_deleted_is_refused(world: World, staff: Client) -> None:
    response = confirm(staff, "purge", world.gamma)
    assert messages(response) == ["Gamma Bakery: Delete the customer first."]
    assert Customer.objects.filter(pk=world.gamma.pk).exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["lock", "delete", "unlock", "purge"])
def test_the_system_owner_itself_is_out_of_reach(
    world: World, staff: Client, action: str
) -> None:
    response = confirm(staff, action, world.root, lock="both", reason="")
    assert messages(response) == ["Trunk Systems: You may not do this."]
    assert again(world.root) == world.root
    assert again(world.root).lock == Lock.NONE


def test_move(world: World, staff: Client) -> None:
    response = confirm(
        staff, "move", world.beta, parent=world.rival.pk, plan=world.rival_plan.pk
    )
    assert messages(response) == ["Moved: 1"]
    assert again(world.beta).parent == world.rival
    assert again(world.gamma).path.startswith(world.rival.path)
    assert BillingAccount.objects.get(customer=world.beta).plan == world.rival_plan


@pytest.mark.parametrize(
    ("parent", "plan", "reason"),
    [
        ("gamma", "beta_plan", "cannot be moved below itself"),
        ("rival", "acme_plan", "Choose a rate plan of the new parent"),
    ],
)
def test_impossible_moves_are_refused(
    world: World, staff: Client, parent: str, plan: str, reason: str
) -> None:
    response = confirm(
        staff,
        "move",
        world.beta,
        parent=getattr(world, parent).pk,
        plan=getattr(world, plan).pk,
    )
    assert reason in messages(response)[0]
    assert again(world.beta).parent == world.acme


def test_a_move_with_an_open_balance_is_refused(world: World, staff: Client) -> None:
    give(world.beta, 5)
    response = confirm(
        staff, "move", world.beta, parent=world.rival.pk, plan=world.rival_plan.pk
    )
    assert "Settle the balance first" in messages(response)[0]


def test_a_move_without_a_target_asks_again(world: World, staff: Client) -> None:
    response = confirm(staff, "move", world.beta, parent="", plan="999999")
    page = response.content.decode()
    assert "This field is required." in page
    assert "Select a valid choice" in page


def test_too_many_rows_at_once_are_refused(
    world: World, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.core.admin_base.ACTION_LIMIT", 1)
    response = act(staff, "unlock", world.beta, world.gamma)
    assert messages(response) == ["Choose at most 1 rows at a time."]
    assert ACTION_LIMIT == 200


def test_a_role_without_commerce_is_refused_by_the_service(world: World) -> None:
    world.olga.role.permissions = [Permission.USER, Permission.SYSTEM]
    world.olga.role.save()
    client = world.client(world.olga)
    response = confirm(client, "lock", world.gamma, lock="both", reason="")
    assert messages(response) == ["Gamma Bakery: You may not do this."]
    assert again(world.gamma).lock == Lock.NONE
