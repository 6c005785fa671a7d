"""Deleting, restoring, purging and moving: the tree stays whole whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import BillingAccount, Charge, Tax, TaxLiability
from billing.services import charge_rows
from customers.models import (
    Customer,
    Mailbox,
    Note,
    Number,
    Person,
    TelephoneLine,
)
from customers.services import lines, switching, tree
from customers.services.customers import (
    NewPerson,
    create_normal,
    update_customer,
)
from customers.services.residential import create_residential
from portal.core.actor import system_actor
from portal.core.errors import StaleError
from portal.core.models import AuditEvent, OutgoingEmail
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import Sharing
from rateplans.models import RatePlan
from tests.books import give
from tests.race import race
from tests.world import PASSWORD, World, build_world


@pytest.fixture
def inside(world: World) -> Iterator[World]:
    with subtree(world.acme):
        yield world


@pytest.fixture
def above(world: World) -> Iterator[World]:
    """The world as Olga sees it, from the root."""
    with subtree(world.root):
        yield world


def _delete(world: World, customer: Customer, **changes: Any) -> Customer:
    return tree.delete_customer(
        customer=customer, **{"by": world.actor(world.ann)} | changes
    )


def _move(world: World, customer: Customer, **changes: Any) -> Customer:
    arguments: dict[str, Any] = {
        "customer": customer,
        "parent": world.rival,
        "plan": world.rival_plan,
        "by": world.actor(world.olga),
    }
    return tree.move_customer(**arguments | changes)


def _create(world: World, name: str, **changes: Any) -> Customer:
    arguments: dict[str, Any] = {
        "parent": world.acme,
        "values": {"name": name, "email": "a@b.test"},
        "account": {"plan": world.shared_plan},
        "by": system_actor(world.root),
    }
    return create_normal(**arguments | changes)


def _messages(action: Callable[[], Any]) -> list[str]:
    with pytest.raises(ValidationError) as refusal:
        action()
    return list(refusal.value.messages)


def _assert_whole() -> None:
    """Every path is the parent's and the own id, and every account is with the parent."""
    with scopes_disabled():
        rows = {row.pk: row for row in Customer.objects.all()}
        accounts = BillingAccount.objects.all()
    for row in rows.values():
        above = rows[row.parent_id].path if row.parent_id else ""
        assert row.path == f"{above}{row.pk}."
    for account in accounts:
        assert account.provider_id == rows[account.customer_id].parent_id


# --- Deleting ---------------------------------------------------------------------------


def test_deleted_customer_is_out_of_use_but_all_there(inside: World) -> None:
    gamma = _delete(inside, inside.gamma)
    assert gamma.is_deleted
    assert gamma.version == 2
    assert Person.objects.filter(customer=gamma).exists()
    event = AuditEvent.objects.get(action="customer.deleted")
    assert (event.person, event.object_id) == (inside.ann, gamma.pk)


def test_deleting_twice_changes_nothing(inside: World) -> None:
    first = _delete(inside, inside.gamma)
    assert _delete(inside, inside.gamma).deleted_at == first.deleted_at
    assert AuditEvent.objects.filter(action="customer.deleted").count() == 1


def test_customer_with_customers_is_not_deleted(inside: World) -> None:
    (message,) = _messages(lambda: _delete(inside, inside.beta))
    assert message.startswith("It has 1 customer of its own.")
    _create(inside, "Delta", parent=inside.beta)
    (message,) = _messages(lambda: _delete(inside, inside.beta))
    assert message.startswith("It has 2 customers of its own.")


def test_deleted_customers_below_are_no_hindrance(inside: World) -> None:
    _delete(inside, inside.gamma)
    assert _delete(inside, inside.beta).is_deleted


def test_affiliate_of_others_is_not_deleted(inside: World) -> None:
    delta, epsilon = _create(inside, "Delta"), _create(inside, "Epsilon")
    share = {"affiliate": delta, "affiliate_type": "revenue"}
    BillingAccount.objects.filter(customer=epsilon).update(**share)
    (message,) = _messages(lambda: _delete(inside, delta))
    assert message.startswith("It is the affiliate of 1 customer.")
    _delete(inside, epsilon)
    assert _delete(inside, delta).is_deleted


@pytest.mark.parametrize("contract", ["waive", "charge"])
def test_what_becomes_of_a_running_contract_must_be_said(
    inside: World, contract: str
) -> None:
    BillingAccount.objects.filter(customer=inside.gamma).update(
        contract_ends_on=timezone.localdate() + timedelta(days=2)
    )
    for unsaid in ("", "forget"):
        with pytest.raises(ValidationError) as refusal:
            _delete(inside, inside.gamma, contract=unsaid)
        assert set(refusal.value.error_dict) == {"contract"}
    assert _delete(inside, inside.gamma, contract=contract).is_deleted
    event = AuditEvent.objects.get(action="customer.deleted")
    change = event.changes.get()
    assert (change.field, change.new) == (
        "contract",
        {"waive": "Rest waived", "charge": "Rest charged"}[contract],
    )


def test_people_of_a_deleted_customer_are_signed_out(world: World) -> None:
    client = world.client(world.gil)
    url = f"/a/{world.gamma.pk}/"
    assert client.get(url).status_code == 200
    with subtree(world.acme):
        _delete(world, world.gamma)
    assert client.get(url)["Location"].startswith("/login/")
    entries = {"username": "gil@gamma.test", "password": PASSWORD}
    assert client.post("/login/", entries).status_code != 302
    assert client.get(url)["Location"].startswith("/login/")


def test_whoever_is_switched_into_a_deleted_customer_is_thrown_out(
    inside: World,
) -> None:
    switch = switching.open_switch(
        customer=inside.gamma, session_key="s", by=inside.actor(inside.ann)
    )
    _delete(inside, inside.gamma)
    switch.refresh_from_db()
    assert switch.ended_at is not None


@pytest.mark.parametrize("customer", ["root", "acme", "rival"])
@pytest.mark.parametrize("action", ["delete", "undelete", "purge"])
def test_only_customers_below_are_touched(
    world: World, customer: str, action: str
) -> None:
    service = getattr(tree, f"{action}_customer")
    with scopes_disabled(), pytest.raises(PermissionDenied):
        service(customer=getattr(world, customer), by=world.actor(world.ann))


@pytest.mark.parametrize("action", ["delete", "undelete", "purge"])
def test_role_without_commerce_touches_nobody(inside: World, action: str) -> None:
    service = getattr(tree, f"{action}_customer")
    with pytest.raises(PermissionDenied):
        service(customer=inside.gamma, by=inside.actor(inside.uli))


# --- Restoring --------------------------------------------------------------------------


def test_restored_customer_is_as_it_was(inside: World) -> None:
    by = inside.actor(inside.ann)
    _delete(inside, inside.gamma)
    gamma = tree.undelete_customer(customer=inside.gamma, by=by)
    assert not gamma.is_deleted
    assert gamma.version == 3
    assert tree.undelete_customer(customer=gamma, by=by).version == 3
    assert AuditEvent.objects.filter(action="customer.undeleted").count() == 1


def test_nothing_is_restored_below_a_deleted_customer(inside: World) -> None:
    by = inside.actor(inside.ann)
    _delete(inside, inside.gamma)
    _delete(inside, inside.beta)
    (message,) = _messages(lambda: tree.undelete_customer(customer=inside.gamma, by=by))
    assert message.startswith("The account above is deleted.")
    tree.undelete_customer(customer=inside.beta, by=by)
    assert not tree.undelete_customer(customer=inside.gamma, by=by).is_deleted


# --- Purging ----------------------------------------------------------------------------


def test_purged_customer_is_gone_and_its_number_comes_back(inside: World) -> None:
    by = inside.actor(inside.ann)
    made = create_residential(
        parent=inside.acme,
        number=inside.numbers[0],
        person=NewPerson("", "Rosa", "Reich"),
        values={"email": "rosa@home.test"},
        account={"plan": inside.acme_plan},
        by=by,
    )
    customer = made.customer
    Note.objects.create(customer=customer, author_name="Ann", subject="x")
    switching.open_switch(customer=customer, session_key="s", by=by)
    _delete(inside, customer)
    tree.purge_customer(customer=customer, by=by)

    for model in (Person, TelephoneLine, Mailbox, Note, OutgoingEmail, BillingAccount):
        rows: Any = model.objects
        assert not rows.filter(customer_id=customer.pk).exists(), model
    number = Number.objects.get(number="+49305550100")
    assert number.customer == inside.acme
    assert number.is_free
    event = AuditEvent.objects.get(action="customer.purged")
    assert (event.customer, event.object_name) == (inside.acme, "+49305550100")
    # What happened before stays in the log, readable from above.
    created = AuditEvent.objects.get(action="customer.created")
    assert (created.customer, created.customer_name) == (None, "+49305550100")


def test_name_and_number_are_free_after_a_purge(inside: World) -> None:
    by = inside.actor(inside.ann)
    _delete(inside, inside.gamma)
    tree.purge_customer(customer=inside.gamma, by=by)
    values = {"name": "Gamma Bakery", "email": "a@b.test", "account_number": "100001"}
    again = _create(inside, "Gamma Bakery", parent=inside.beta, values=values)
    assert again.account_number == "100001"


def test_only_deleted_customers_are_purged(inside: World) -> None:
    by = inside.actor(inside.ann)
    assert _messages(lambda: tree.purge_customer(customer=inside.gamma, by=by)) == [
        "Delete the customer first."
    ]


def test_deleted_customers_below_must_be_purged_first(inside: World) -> None:
    by = inside.actor(inside.ann)
    _delete(inside, inside.gamma)
    _delete(inside, inside.beta)
    (message,) = _messages(lambda: tree.purge_customer(customer=inside.beta, by=by))
    assert message.startswith("It still has customers of its own")
    tree.purge_customer(customer=inside.gamma, by=by)
    tree.purge_customer(customer=inside.beta, by=by)
    assert not RatePlan.objects.filter(pk=inside.beta_plan.pk).exists()


def test_affiliate_of_a_deleted_customer_is_not_purged(inside: World) -> None:
    by = inside.actor(inside.ann)
    delta, epsilon = _create(inside, "Delta"), _create(inside, "Epsilon")
    share = {"affiliate": delta, "affiliate_type": "revenue"}
    BillingAccount.objects.filter(customer=epsilon).update(**share)
    _delete(inside, epsilon)
    _delete(inside, delta)
    (message,) = _messages(lambda: tree.purge_customer(customer=delta, by=by))
    assert message == "It is still the affiliate of a customer."


@pytest.mark.parametrize("used", ["plan", "tax"])
def test_what_moved_away_customers_still_use_is_not_purged(
    world: World, used: str
) -> None:
    """Gamma leaves with Beta, but stays on what Acme had shared with everybody below."""
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=world.gamma)
        if used == "plan":
            world.acme_plan.share = Sharing.RECURSIVE
            world.acme_plan.save()
            account.plan = world.acme_plan
            account.save()
        else:
            TaxLiability.objects.create(account=account, tax=world.acme_tax)
        _create(world, "Epsilon", parent=world.root, account={"plan": world.root_plan})
    with subtree(world.root):
        by = world.actor(world.olga)
        _move(world, world.beta)
        tree.delete_customer(customer=world.acme, by=by)
        (message,) = _messages(lambda: tree.purge_customer(customer=world.acme, by=by))
        assert message.startswith("Customers that were moved away still use")
        assert Customer.objects.filter(pk=world.acme.pk).exists()


# --- Moving -----------------------------------------------------------------------------


def test_moved_customer_takes_everything_below_along(above: World) -> None:
    moved = _move(above, above.beta)
    assert moved.parent == above.rival
    assert moved.version == 2
    gamma = Customer.objects.get(pk=above.gamma.pk)
    assert gamma.path == f"{above.rival.path}{above.beta.pk}.{above.gamma.pk}."
    account = BillingAccount.objects.get(customer=above.beta)
    assert (account.provider, account.plan) == (above.rival, above.rival_plan)
    event = AuditEvent.objects.get(action="customer.moved")
    assert event.path == moved.path
    changes = {change.field: (change.old, change.new) for change in event.changes.all()}
    assert changes == {
        "parent": ("Acme Telecom", "Rival Phones"),
        "plan": ("Acme basic", "Rival basic"),
    }
    _assert_whole()


def test_moved_customer_leaves_taxes_and_affiliate_behind(above: World) -> None:
    delta = _create(above, "Delta")
    BillingAccount.objects.filter(customer=above.beta).update(
        affiliate=delta, affiliate_type="profit", affiliate_percentage=10
    )
    account = BillingAccount.objects.get(customer=above.beta)
    TaxLiability.objects.create(account=account, tax=above.acme_tax)
    _move(above, above.beta)
    account.refresh_from_db()
    assert (account.affiliate, account.affiliate_type) == (None, "")
    assert account.affiliate_percentage == 0
    assert not TaxLiability.objects.filter(account=account).exists()


def test_old_reseller_loses_sight_and_the_new_one_gets_it(above: World) -> None:
    _move(above, above.beta)
    for person, status in ((above.ann, 404), (above.eve, 200)):
        client = above.client(person)
        home = person.customer_id
        page = client.get(f"/a/{home}/commerce/customers/{above.beta.pk}/")
        assert page.status_code == status


@pytest.mark.parametrize(
    ("customer", "parent", "message"),
    [
        ("beta", "beta", "A customer cannot be moved below itself."),
        ("beta", "gamma", "A customer cannot be moved below itself."),
        ("root", "rival", "A customer cannot be moved below itself."),
        ("beta", "acme", "That is where it is now."),
    ],
)
def test_place_that_cannot_be_is_refused(
    above: World, customer: str, parent: str, message: str
) -> None:
    if customer == "root":
        BillingAccount.objects.create(
            customer=above.root,
            provider=above.rival,
            plan=above.rival_plan,
            currency="EUR",
            bill_type="none",
        )
    found = _messages(
        lambda: _move(above, getattr(above, customer), parent=getattr(above, parent))
    )
    assert message in found


def test_move_below_a_deleted_customer_is_refused(above: World) -> None:
    tree.delete_customer(customer=above.rival, by=above.actor(above.olga))
    assert "That account is deleted." in _messages(lambda: _move(above, above.beta))


def test_move_to_where_the_account_number_is_taken_is_refused(above: World) -> None:
    _create(
        above,
        "Delta",
        parent=above.rival,
        values={"name": "Delta", "email": "a@b.test", "account_number": "100001"},
    )
    assert _messages(lambda: _move(above, above.beta)) == [
        "A customer there has the same account number."
    ]


@pytest.mark.parametrize("balance", ["0.000001", "-5"])
def test_move_with_an_open_balance_is_refused(above: World, balance: str) -> None:
    give(above.beta, balance)
    assert _messages(lambda: _move(above, above.beta)) == [
        "Settle the balance first: it is with the present parent."
    ]


@pytest.mark.parametrize("plan", ["acme_plan", "beta_plan", "root_plan"])
def test_plan_the_new_parent_does_not_have_is_refused(above: World, plan: str) -> None:
    assert _messages(lambda: _move(above, above.beta, plan=getattr(above, plan))) == [
        "Choose a rate plan of the new parent."
    ]


def test_plan_in_another_currency_is_refused(above: World) -> None:
    RatePlan.objects.filter(pk=above.rival_plan.pk).update(currency="USD")
    above.rival_plan.refresh_from_db()
    assert _messages(lambda: _move(above, above.beta)) == [
        "Choose a plan in the account's currency."
    ]


def test_affiliate_of_one_that_stays_is_not_moved(above: World) -> None:
    delta = _create(above, "Delta")
    BillingAccount.objects.filter(customer=delta).update(
        affiliate=above.beta, affiliate_type="revenue"
    )
    (message,) = _messages(lambda: _move(above, above.beta))
    assert message.startswith("It is the affiliate of 1 customer.")


def test_only_the_system_owner_moves(inside: World) -> None:
    with pytest.raises(PermissionDenied):
        _move(inside, inside.gamma, by=inside.actor(inside.ann))


def _close_a_circle_but_for_the_plan(world: World) -> None:
    """Beta's plan is based on Acme's, which is based on the one that Acme is on.

    Then Beta leaves Acme, and Acme comes below Beta.
    """
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    RatePlan.objects.filter(pk=world.beta_plan.pk).update(base=world.acme_plan)
    Customer.objects.filter(pk=world.acme.pk).update(account_number="777")
    _move(world, world.beta)
    world.beta.refresh_from_db()


def test_move_that_makes_plans_inherit_in_a_circle_is_refused(above: World) -> None:
    _close_a_circle_but_for_the_plan(above)
    with pytest.raises(ValidationError) as refused:
        _move(above, above.acme, parent=above.beta, plan=above.beta_plan)
    assert [error.code for error in refused.value.error_dict["plan"]] == ["cycle"]
    assert Customer.objects.get(pk=above.acme.pk).parent == above.root
    _assert_whole()


def test_plan_that_makes_plans_inherit_in_a_circle_is_refused(above: World) -> None:
    _close_a_circle_but_for_the_plan(above)
    other = RatePlan.objects.create(owner=above.beta, name="Other", currency="EUR")
    acme = _move(above, above.acme, parent=above.beta, plan=other)
    with pytest.raises(ValidationError) as refused:
        update_customer(
            customer=acme,
            values={},
            account={"plan": above.beta_plan},
            expected_version=acme.version,
            by=above.actor(above.olga),
        )
    assert [error.code for error in refused.value.error_dict["plan"]] == ["cycle"]
    assert BillingAccount.objects.get(customer=acme).plan == other


def test_plan_of_customers_below_a_moved_one_goes_on(above: World) -> None:
    _move(above, above.beta)
    assert BillingAccount.objects.get(customer=above.gamma).plan == above.beta_plan


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moves=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12
    )
)
def test_any_moves_keep_the_tree_whole(
    above: World, moves: list[tuple[int, int]]
) -> None:
    with transaction.atomic():
        everybody = [above.acme, above.beta, above.gamma, above.rival]
        for position in range(6):
            everybody.append(_create(above, f"N{position}", parent=everybody[position]))
        # Numbers of their own, so that only the tree itself refuses.
        for customer in everybody:
            Customer.objects.filter(pk=customer.pk).update(
                account_number=f"n{customer.pk}"
            )
        BillingAccount.objects.update(plan=above.shared_plan)
        for what, where in moves:
            customer, parent = (
                Customer.objects.get(pk=everybody[index].pk) for index in (what, where)
            )
            is_possible = (
                not parent.is_within(customer) and customer.parent_id != parent.pk
            )
            try:
                _move(above, customer, parent=parent, plan=above.shared_plan)
            except ValidationError:
                assert not is_possible
            else:
                assert is_possible
            _assert_whole()
        transaction.set_rollback(True)


# --- At the same instant ----------------------------------------------------------------


def _assert_one(results: list[Any], kind: type[Exception]) -> None:
    """One went through, the other was refused, and nothing else went wrong."""
    assert sorted(isinstance(result, kind) for result in results) == [False, True], (
        results
    )
    assert not any(
        isinstance(result, Exception) and not isinstance(result, kind)
        for result in results
    ), results


@pytest.mark.django_db(transaction=True)
def test_two_moves_that_would_tie_a_knot() -> None:
    world = build_world()
    with scopes_disabled():
        Customer.objects.filter(pk=world.rival.pk).update(account_number="200000")

    def move(customer: Customer, parent: Customer) -> Any:
        with subtree(world.root):
            return _move(world, customer, parent=parent, plan=world.shared_plan)

    results = race(
        lambda: move(world.acme, world.rival), lambda: move(world.rival, world.acme)
    )
    _assert_one(results, ValidationError)
    _assert_whole()


@pytest.mark.django_db(transaction=True)
def test_customer_created_in_a_branch_that_is_moving_moves_along() -> None:
    world = build_world()

    def create() -> Any:
        with subtree(world.root):
            return _create(world, "Delta", parent=world.gamma)

    def move() -> Any:
        with subtree(world.root):
            return _move(world, world.beta)

    def create_another() -> Any:
        with subtree(world.root):
            return _create(world, "Epsilon", parent=world.beta)

    results = race(create, create_another, move)
    assert all(isinstance(result, Customer) for result in results), results
    _assert_whole()
    with scopes_disabled():
        delta = Customer.objects.get(name="Delta")
        assert delta.is_below(Customer.objects.get(pk=world.rival.pk))


@pytest.mark.django_db(transaction=True)
def test_reseller_is_not_deleted_while_it_gets_a_customer() -> None:
    world = build_world()
    with subtree(world.acme):
        _delete(world, world.gamma)

    def create() -> Any:
        with subtree(world.acme):
            return _create(world, "Delta", parent=world.beta, by=world.actor(world.ann))

    def delete() -> Any:
        with subtree(world.acme):
            return _delete(world, world.beta)

    created, deleted = race(create, delete)
    if isinstance(created, Customer):
        assert isinstance(deleted, ValidationError), deleted
    else:
        assert isinstance(created, PermissionDenied), created
        assert isinstance(deleted, Customer), deleted
    with scopes_disabled():
        assert not Customer.objects.filter(
            parent__deleted_at__isnull=False, deleted_at=None
        ).exists()


@pytest.mark.django_db(transaction=True)
def test_customer_is_not_restored_while_its_reseller_is_deleted() -> None:
    world = build_world()
    with subtree(world.acme):
        _delete(world, world.gamma)

    def restore() -> Any:
        with subtree(world.acme):
            return tree.undelete_customer(
                customer=world.gamma, by=world.actor(world.ann)
            )

    def delete() -> Any:
        with subtree(world.acme):
            return _delete(world, world.beta)

    _assert_one(race(restore, delete), ValidationError)
    with scopes_disabled():
        assert not Customer.objects.filter(
            parent__deleted_at__isnull=False, deleted_at=None
        ).exists()


@pytest.mark.django_db(transaction=True)
def test_affiliate_is_not_deleted_while_it_is_chosen() -> None:
    world = build_world()
    with subtree(world.acme):
        delta = _create(world, "Delta")

    def choose() -> Any:
        with subtree(world.acme):
            return _create(
                world,
                "Epsilon",
                account={
                    "plan": world.acme_plan,
                    "affiliate": Customer.objects.get(pk=delta.pk),
                    "affiliate_type": "revenue",
                },
            )

    def delete() -> Any:
        with subtree(world.acme):
            return _delete(world, delta)

    _assert_one(race(choose, delete), ValidationError)


def test_tax_of_another_reseller_is_nobodys_affair(world: World) -> None:
    """A purge removes the own taxes only."""
    with scopes_disabled():
        rivals = Tax.objects.create(owner=world.rival, name="VAT")
        own = Tax.objects.create(owner=world.gamma, name="VAT")
    with subtree(world.acme):
        _delete(world, world.gamma)
        tree.purge_customer(customer=world.gamma, by=world.actor(world.ann))
    with scopes_disabled():
        assert Tax.objects.filter(pk=rivals.pk).exists()
        assert not Tax.objects.filter(pk=own.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_moving_and_adding_features_at_once_never_block_each_other() -> None:
    """Whatever comes first, who has the line below it pays for it, and nobody else."""
    world = build_world()
    with scopes_disabled():
        Customer.objects.filter(pk=world.rival.pk).update(account_number="200000")
        # Nothing moves a balance, which would have to be settled before each move.
        BillingAccount.objects.update(plan=world.shared_plan, bill_type="none")

    def move(parent: Customer) -> Any:
        with subtree(world.root):
            return _move(world, world.beta, parent=parent, plan=world.shared_plan)

    def add(customer: Customer, mark: str) -> Any:
        values = {"name": mark, "username": mark}
        by = system_actor(world.root)
        with scopes_disabled():
            customer = Customer.objects.get(pk=customer.pk)
        with subtree(world.root):
            line, _password = lines.create_line(customer=customer, values=values, by=by)
            return line

    def charge(mark: str) -> Any:
        """Books on the account that is moved, and refers to its customer."""
        with scopes_disabled():
            account = BillingAccount.objects.get(customer=world.beta)
            provider = Customer.objects.get(pk=account.provider_id)
            return charge_rows.add_charge(
                values={
                    "name": mark,
                    "amount": 1,
                    "currency": "EUR",
                    "starts_on": timezone.localdate(),
                },
                taxes=[],
                account=account,
                is_immediate=True,
                by=system_actor(provider),
            )

    def rename(mark: str) -> Any:
        with scopes_disabled():
            return update_customer(
                customer=world.beta,
                values={"name": mark},
                account={},
                expected_version=Customer.objects.get(pk=world.beta.pk).version,
                by=system_actor(world.root),
            )

    for number in range(8):
        parent = (world.rival, world.acme)[number % 2]
        results = race(
            partial(move, parent),
            partial(add, world.beta, f"beta-{number}"),
            partial(add, world.gamma, f"gamma-{number}"),
            partial(charge, f"charge-{number}"),
            partial(rename, f"Beta {number}"),
        )
        # A form that somebody else was faster than is refused; nothing else goes wrong.
        kinds = [type(result) for result in results]
        assert kinds[:3] == [Customer, TelephoneLine, TelephoneLine], results
        # Nor does anybody charge what was moved away meanwhile.
        assert kinds[3] in {Charge, PermissionDenied}, results
        assert kinds[4] in {Customer, StaleError}, results
        _assert_whole()
