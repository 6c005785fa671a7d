"""Locking and unlocking, one or many, and whom it signs out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from customers.choices import Lock
from customers.models import Customer
from customers.services.locks import set_lock, set_locks
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from tests.race import race
from tests.world import World, build_world


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    with subtree(world.acme):
        yield world


def _lock(world: World, lock: Lock, reason: str = "", **changes: Any) -> Customer:
    arguments: dict[str, Any] = {
        "customer": world.beta,
        "lock": lock,
        "reason": reason,
        "by": world.actor(world.ann),
    }
    return set_lock(**arguments | changes)


@pytest.mark.parametrize(
    ("lock", "blocks_web", "blocks_calls"),
    [
        (Lock.NONE, False, False),
        (Lock.WEB, True, False),
        (Lock.CALLS, False, True),
        (Lock.BOTH, True, True),
    ],
)
def test_lock_blocks_what_it_names(
    lock: Lock, blocks_web: bool, blocks_calls: bool
) -> None:
    assert (lock.blocks_web, lock.blocks_calls) == (blocks_web, blocks_calls)


def test_lock_is_kept_with_its_reason_and_written_down(inside: World) -> None:
    _lock(inside, Lock.WEB, "  unpaid  ")
    beta = Customer.objects.get(pk=inside.beta.pk)
    assert (beta.lock, beta.lock_reason, beta.version) == (Lock.WEB, "unpaid", 2)
    event = AuditEvent.objects.get(action="customer.locked")
    changes = {change.field: (change.old, change.new) for change in event.changes.all()}
    assert changes == {
        "lock": ("Not locked", "Web interface"),
        "lock_reason": ("", "unpaid"),
    }


def test_unlocking_forgets_the_reason(inside: World) -> None:
    _lock(inside, Lock.BOTH, "unpaid")
    beta = _lock(inside, Lock.NONE, "has paid")
    assert (beta.lock, beta.lock_reason) == (Lock.NONE, "")
    assert AuditEvent.objects.filter(action="customer.unlocked").count() == 1


def test_locking_again_alike_changes_nothing(inside: World) -> None:
    _lock(inside, Lock.BOTH, "unpaid")
    assert _lock(inside, Lock.BOTH, "unpaid").version == 2
    assert AuditEvent.objects.filter(action="customer.locked").count() == 1
    assert _lock(inside, Lock.BOTH, "still unpaid").version == 3


def test_over_long_reason_is_refused(inside: World) -> None:
    with pytest.raises(ValidationError) as refusal:
        _lock(inside, Lock.BOTH, "x" * 201)
    assert set(refusal.value.error_dict) == {"lock_reason"}


@pytest.mark.parametrize("customer", ["root", "acme", "rival"])
def test_only_customers_below_are_locked(world: World, customer: str) -> None:
    with scopes_disabled(), pytest.raises(PermissionDenied):
        _lock(world, Lock.BOTH, customer=getattr(world, customer))


def test_role_without_commerce_locks_nobody(inside: World) -> None:
    with pytest.raises(PermissionDenied):
        _lock(inside, Lock.BOTH, by=inside.actor(inside.uli))


def test_several_are_locked_and_the_locked_ones_keep_their_reason(
    inside: World,
) -> None:
    by = inside.actor(inside.ann)
    _lock(inside, Lock.WEB, "unpaid")
    beta, gamma = Customer.objects.filter(path__startswith=inside.beta.path)
    assert set_locks(customers=[gamma, beta], lock=Lock.BOTH, by=by) == 2
    beta.refresh_from_db()
    assert (beta.lock, beta.lock_reason) == (Lock.BOTH, "unpaid")
    gamma.refresh_from_db()
    assert set_locks(customers=[gamma, beta], lock=Lock.BOTH, by=by) == 0


def test_one_that_may_not_be_locked_stops_all(world: World) -> None:
    everybody = [world.beta, world.rival]
    with scopes_disabled(), pytest.raises(PermissionDenied):
        set_locks(customers=everybody, lock=Lock.BOTH, by=world.actor(world.ann))
    with scopes_disabled():
        assert not Customer.objects.exclude(lock=Lock.NONE).exists()


@pytest.mark.parametrize(
    ("lock", "is_signed_out"),
    [(Lock.CALLS, False), (Lock.WEB, True), (Lock.BOTH, True)],
)
def test_web_lock_signs_out_at_the_next_click(
    world: World, lock: Lock, is_signed_out: bool
) -> None:
    client = world.client(world.ben)
    url = f"/a/{world.beta.pk}/commerce/customers/"
    assert client.get(url).status_code == 200
    with subtree(world.acme):
        _lock(world, lock)
    response = client.get(url)
    assert response.status_code == (302 if is_signed_out else 200)
    if is_signed_out:
        assert response["Location"] == f"/login/?next={url}"
        with subtree(world.acme):
            _lock(world, Lock.NONE)
        assert client.get(url).status_code == 302  # signed out for good


def test_locking_a_reseller_does_not_lock_its_customers(world: World) -> None:
    with subtree(world.acme):
        _lock(world, Lock.BOTH)
    assert world.client(world.gil).get("/").status_code == 302
    page = world.client(world.gil).get(f"/a/{world.gamma.pk}/")
    assert page.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_locking_many_in_opposite_orders_at_once_does_not_hang() -> None:
    world = build_world()

    def lock(*customers: Customer, to: Lock) -> int:
        with subtree(world.acme):
            return set_locks(customers=customers, lock=to, by=world.actor(world.ann))

    results = race(
        lambda: lock(world.beta, world.gamma, to=Lock.WEB),
        lambda: lock(world.gamma, world.beta, to=Lock.CALLS),
    )
    assert results == [2, 2]
    with scopes_disabled():
        locks = {
            c.lock for c in Customer.objects.filter(path__startswith=world.beta.path)
        }
    assert locks in ({Lock.WEB}, {Lock.CALLS})
