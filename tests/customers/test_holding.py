"""What is booked, bought and taxed while customers move, go and come: one waits for the other.

Each test gives the tree, or what holds it, to one thread until the other one waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from billing.choices import EntryKind, ProductReach, TaxDefault
from billing.models import (
    BillingAccount,
    Charge,
    LedgerEntry,
    Product,
    Tax,
    TaxLiability,
)
from billing.services import charge_rows, charges, purchases, taxes, transactions
from customers.models import Customer
from customers.services import tree
from customers.services.customers import create_normal
from portal.core import tree_lock
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from tests.billing.tariffs import balance, entries, set_account
from tests.race import WAIT, race, wait_until_somebody_waits
from tests.world import World

TODAY = local_date("Europe/Berlin")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def everywhere(world: World) -> Iterator[None]:
    with scopes_disabled():
        for customer in (world.acme, world.beta, world.gamma, world.rival):
            set_account(customer, credit_limit=Decimal(1000))
        Customer.objects.filter(pk=world.rival.pk).update(account_number="200000")
        yield


def _one_waits(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """What ``second`` gave that began when ``first`` was done, but not committed yet."""
    is_done = Event()

    def begin() -> Any:
        with scopes_disabled(), transaction.atomic():
            result = first()
            is_done.set()
            wait_until_somebody_waits()
            return result

    def follow() -> Any:
        assert is_done.wait(WAIT)
        with scopes_disabled():
            return second()

    first_result, second_result = race(begin, follow)
    assert not isinstance(first_result, Exception), first_result
    return [first_result, second_result]


def _book(world: World) -> LedgerEntry:
    return transactions.post_transaction(
        account=world.beta.account,
        kind=EntryKind.CREDIT,
        amount=Decimal(10),
        reason="Bank transfer",
        is_tax_free=True,
        ignores_limit=False,
        key="first",
        by=world.actor(world.ann),
    )


def _move(world: World) -> Customer:
    return tree.move_customer(
        customer=world.beta,
        parent=world.rival,
        plan=world.rival_plan,
        by=world.actor(world.olga),
    )


def _delete(world: World, customer: Customer) -> Customer:
    return tree.delete_customer(customer=customer, by=world.actor(world.olga))


def _offer(world: World) -> Product:
    return Product.objects.create(
        owner=world.root,
        name="Telephone",
        create_fee=Decimal(100),
        currency="EUR",
        reach=ProductReach.RECURSIVE,
    )


def _buy(world: World, product: Product) -> Any:
    return purchases.purchase(
        customer=world.gamma,
        product=product,
        quantity=1,
        by=world.actor(world.gil),
    )


def _create(world: World) -> Customer:
    return create_normal(
        parent=world.acme,
        values={"name": "Fresh", "email": "f@fresh.test"},
        account={"plan": world.acme_plan},
        by=world.actor(world.ann),
    )


# --- By hand ----------------------------------------------------------------------------


def test_nobody_books_on_what_has_just_been_moved_away(world: World) -> None:
    account = BillingAccount.objects.get(customer=world.beta)
    world.beta.account = account
    _moved, refusal = _one_waits(lambda: _move(world), lambda: _book(world))
    assert isinstance(refusal, ValidationError), refusal
    assert refusal.code == "provider"
    assert entries(world.beta, "amount") == []


def test_what_has_just_been_booked_must_be_settled_before_a_move(world: World) -> None:
    _entry, refusal = _one_waits(lambda: _book(world), lambda: _move(world))
    assert isinstance(refusal, ValidationError), refusal
    assert refusal.code == "unsettled"
    assert balance(world.beta) == 10


def test_nobody_takes_back_on_what_has_just_been_moved_away(world: World) -> None:
    """Not even what was taken back before, so that it could move at all."""
    entry = _book(world)
    account = BillingAccount.objects.get(customer=world.beta)
    transactions.reverse_entry(
        entry=entry, account=account, reason="Wrong", by=world.actor(world.ann)
    )

    def reverse() -> LedgerEntry:
        return transactions.reverse_entry(
            entry=entry, account=account, reason="Again", by=world.actor(world.ann)
        )

    _moved, refusal = _one_waits(lambda: _move(world), reverse)
    assert isinstance(refusal, ValidationError), refusal
    assert refusal.code == "provider"


def test_nobody_charges_what_has_just_been_moved_away(world: World) -> None:
    account = BillingAccount.objects.get(customer=world.beta)

    def charge() -> Charge:
        return charge_rows.add_charge(
            values={"name": "Rack", "amount": 1, "currency": "EUR"},
            taxes=[],
            account=account,
            by=world.actor(world.ann),
        )

    _moved, refusal = _one_waits(lambda: _move(world), charge)
    assert isinstance(refusal, PermissionDenied), refusal
    assert not Charge.objects.exists()


def _charge(world: World) -> Charge:
    return charge_rows.add_charge(
        values={"name": "Rack", "amount": 1, "currency": "EUR", "starts_on": TODAY},
        taxes=[],
        account=BillingAccount.objects.get(customer=world.beta),
        by=world.actor(world.ann),
    )


CHARGE_ACTIONS: dict[str, Callable[[World, Charge], Any]] = {
    "now": lambda world, charge: charges.charge_now(
        charge=charge, by=world.actor(world.ann)
    ),
    "update": lambda world, charge: charge_rows.update_charge(
        charge=charge, values={"amount": 2}, taxes=[], by=world.actor(world.ann)
    ),
    "end": lambda world, charge: charge_rows.end_charge(
        charge=charge, by=world.actor(world.ann)
    ),
}


@pytest.mark.parametrize("action", CHARGE_ACTIONS)
def test_what_is_done_with_a_charge_waits_for_the_tree(
    world: World, action: str
) -> None:
    """Before it takes the account's row, which who changes the tree wants next."""
    charge = _charge(world)

    def change() -> None:
        tree_lock.change_tree()

    def lock() -> None:
        wait_until_somebody_waits()
        rows = BillingAccount.objects.select_for_update(nowait=True)
        rows.get(customer=world.beta)

    is_held = Event()

    def begin() -> None:
        with scopes_disabled(), transaction.atomic():
            change()
            is_held.set()
            lock()

    def follow() -> Any:
        assert is_held.wait(WAIT)
        with scopes_disabled():
            return CHARGE_ACTIONS[action](world, charge)

    begun, done = race(begin, follow)
    assert begun is None, begun
    assert not isinstance(done, Exception), done


@pytest.mark.parametrize("action", ["now", "update"])
def test_charge_of_who_has_just_been_moved_away_has_ended(
    world: World, action: str
) -> None:
    charge = _charge(world)
    set_account(world.beta, bill_type="none")  # nothing is to be settled
    _moved, refusal = _one_waits(
        lambda: _move(world), lambda: CHARGE_ACTIONS[action](world, charge)
    )
    assert isinstance(refusal, ValidationError), refusal
    assert refusal.code in {"over", "ended"}
    assert not LedgerEntry.objects.filter(charge=charge).exists()


@pytest.mark.parametrize("is_booked_first", [True, False])
def test_purged_customer_has_no_entries(world: World, is_booked_first: bool) -> None:
    """Neither a trace of a customer that is gone, nor an error when it is committed."""
    for customer in (world.gamma, world.beta):
        _delete(world, customer)
    purge = world.gamma, world.beta

    def purge_both() -> None:
        for customer in purge:
            tree.purge_customer(customer=customer, by=world.actor(world.olga))

    world.beta.account = BillingAccount.objects.get(customer=world.beta)
    if is_booked_first:
        _entry, refusal = _one_waits(lambda: _book(world), purge_both)
    else:
        _none, refusal = _one_waits(purge_both, lambda: _book(world))
    assert isinstance(refusal, ValidationError), refusal
    assert refusal.code == ("booked" if is_booked_first else "provider")
    beta = Customer.objects.filter(pk=world.beta.pk)
    assert beta.exists() == is_booked_first == LedgerEntry.objects.exists()


# --- Purchases --------------------------------------------------------------------------


def test_deleted_customer_buys_nothing(world: World) -> None:
    product = _offer(world)
    _deleted, refusal = _one_waits(
        lambda: _delete(world, world.gamma), lambda: _buy(world, product)
    )
    assert isinstance(refusal, PermissionDenied), refusal
    assert not LedgerEntry.objects.exists()


def test_purchase_is_paid_by_those_who_are_above_by_then(world: World) -> None:
    product = _offer(world)
    _moved, bought = _one_waits(lambda: _move(world), lambda: _buy(world, product))
    assert bought.total == 100
    assert [balance(each) for each in (world.gamma, world.rival)] == [-100, -100]
    assert balance(world.acme) == 0


def test_move_waits_for_a_purchase_below(world: World) -> None:
    product = _offer(world)
    set_account(world.beta, bill_type="none")  # nothing is to be settled
    _bought, moved = _one_waits(lambda: _buy(world, product), lambda: _move(world))
    assert isinstance(moved, Customer), moved
    assert [balance(each) for each in (world.gamma, world.acme)] == [-100, -100]
    assert balance(world.rival) == 0


# --- Taxes ------------------------------------------------------------------------------


def _tax_for_all(world: World, is_new: bool) -> Tax:
    values: dict[str, Any] = {"liable": TaxDefault.ALL}
    if is_new:
        values |= {"name": "Levy", "rate": Decimal(3)}
        return taxes.create_tax(
            owner=world.acme, values=values, by=world.actor(world.ann)
        )
    return taxes.update_tax(
        tax=world.acme_tax, values=values, by=world.actor(world.ann)
    )


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("is_taxed_first", [True, False])
def test_tax_for_all_misses_nobody(
    world: World, is_new: bool, is_taxed_first: bool
) -> None:
    Tax.objects.filter(pk=world.acme_tax.pk).update(liable=TaxDefault.NOBODY)
    world.acme_tax.refresh_from_db()

    def tax() -> Tax:
        return _tax_for_all(world, is_new)

    if is_taxed_first:
        made, created = _one_waits(tax, lambda: _create(world))
    else:
        created, made = _one_waits(lambda: _create(world), tax)
    assert isinstance(made, Tax), made
    assert isinstance(created, Customer), created
    liable = TaxLiability.objects.filter(tax=made)
    customers = set(liable.values_list("account__customer", flat=True))
    assert customers == {world.beta.pk, created.pk}


@pytest.mark.parametrize("is_taxed_first", [True, False])
def test_tax_for_all_does_not_tax_who_has_just_moved_away(
    world: World, is_taxed_first: bool
) -> None:
    def tax() -> Tax:
        return _tax_for_all(world, is_new=True)

    if is_taxed_first:
        made, moved = _one_waits(tax, lambda: _move(world))
    else:
        moved, made = _one_waits(lambda: _move(world), tax)
    assert isinstance(made, Tax), made
    assert isinstance(moved, Customer), moved
    assert not TaxLiability.objects.filter(tax=made).exists()


# --- Whatever comes first ---------------------------------------------------------------


def test_everything_at_once_ends_without_an_error(world: World) -> None:
    product = _offer(world)
    set_account(world.beta, bill_type="none")

    def inside(action: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with scopes_disabled():
                return action()

        return run

    results = race(
        *map(
            inside,
            (
                lambda: _book(world),
                lambda: _move(world),
                lambda: _buy(world, product),
                lambda: _tax_for_all(world, is_new=True),
                lambda: _create(world),
            ),
        )
    )
    kinds = (LedgerEntry, Customer, purchases.LevelPurchase, Tax, Customer)
    for result, kind in zip(results, kinds, strict=True):
        assert isinstance(result, kind | ValidationError), results
    assert isinstance(results[2], purchases.LevelPurchase), results
    assert isinstance(results[3], Tax), results
    assert isinstance(results[4], Customer), results
