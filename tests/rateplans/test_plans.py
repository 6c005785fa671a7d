"""Rate plans: making, changing, sharing, archiving, copying and deleting them."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.models import BillingAccount
from customers.models import Customer, Person, TimeGroup
from customers.services import customers, tree
from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from rateplans.choices import BillType, Feature, InvoiceDetail, Occurs, Sharing
from rateplans.models import PlanFeature, PlanPrice, RatePlan
from rateplans.selectors import chain_ids, count_customers, effective_plan, heir_ids
from rateplans.services import plans, preview
from tests.race import WAIT, race, wait_until_somebody_waits
from tests.world import World, build_world


def make(world: World, person: Person | None = None, **values: Any) -> RatePlan:
    person = person or world.ann
    with subtree(person.customer):
        return plans.create_plan(
            owner=person.customer,
            values={"name": "Fresh", "currency": "EUR"} | values,
            by=world.actor(person),
        )


def change(world: World, plan: RatePlan, **values: Any) -> RatePlan:
    with subtree(world.acme):
        return plans.update_plan(plan=plan, values=values, by=world.actor(world.ann))


def refused(call: Any) -> dict[str, list[str]]:
    """Codes of what a service refuses, by field."""
    with pytest.raises(ValidationError) as caught:
        call()
    error = caught.value
    fields = error.error_dict if hasattr(error, "error_dict") else {"": [error]}
    return {
        name: [str(one.code) for error in errors for one in error.error_list]
        for name, errors in fields.items()
    }


def office_hours() -> TimeGroup:
    group = TimeGroup.objects.create(name="Office hours")
    group.spans.create(first_day=0, last_day=4, begins=480, ends=1080)
    return group


def put_on(customer: Customer, plan: RatePlan) -> None:
    with scopes_disabled():  # tests lay rows of every account
        BillingAccount.objects.filter(customer=customer).update(plan=plan)


def test_a_new_plan_inherits_what_it_leaves_open(world: World) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.root_plan.pk).update(due_days=30)
    plan = make(world, inherits_own=True, overdue_days=7)
    today = plan.created_at.date()
    effective = effective_plan(plan, on=today)
    assert effective.setting("due_days").value == 30
    assert effective.setting("due_days").plan == world.root_plan
    assert effective.setting("overdue_days").plan == plan
    assert effective.setting("send_invoices").plan is None
    with scopes_disabled():
        event = AuditEvent.objects.get(action="plan.created")
    assert (event.object_name, event.customer_id) == ("Fresh", world.acme.pk)


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": "acme BASIC"}, "name", "taken"),
        ({"name": ""}, "name", "blank"),
        ({"currency": "XXX"}, "currency", "invalid_currency"),
        ({"due_days": 366}, "due_days", "max_value"),
        ({"call_maximum": Decimal("0.001")}, "call_maximum", "minor_unit"),
        ({"concurrent_calls": -2}, "concurrent_calls", "min_value"),
        ({"bill_type": "barter"}, "bill_type", "invalid_choice"),
    ],
)
def test_a_plan_is_refused(
    world: World, values: dict[str, Any], field: str, code: str
) -> None:
    assert refused(lambda: make(world, **values)) == {field: [code]}


@pytest.mark.parametrize(
    ("share", "may_be_inherited", "ann_may", "ben_may"),
    [
        (Sharing.NO, True, False, False),
        (Sharing.DIRECT, False, False, False),
        (Sharing.DIRECT, True, True, False),
        (Sharing.RECURSIVE, True, True, True),
    ],
)
def test_a_plan_of_others_is_a_base_only_if_it_was_opened(
    world: World, share: str, may_be_inherited: bool, ann_may: bool, ben_may: bool
) -> None:
    base = make(
        world, world.olga, name="Open", share=share, may_be_inherited=may_be_inherited
    )
    for person, may in ((world.ann, ann_may), (world.ben, ben_may)):

        def build(person: Person = person) -> RatePlan:
            return make(world, person, base=base)

        if may:
            assert build().base == base
        else:
            assert refused(build) == {"base": ["base"]}


def test_the_system_owner_has_no_plan_of_its_own(world: World) -> None:
    wanted = {"inherits_own": True}
    assert refused(lambda: make(world, world.olga, **wanted)) == {"base": ["own"]}


def test_a_base_that_was_closed_meanwhile_is_kept(world: World) -> None:
    base = make(
        world, world.olga, share=Sharing.DIRECT, may_be_inherited=True, name="Open"
    )
    plan = make(world, base=base)
    with scopes_disabled():
        RatePlan.objects.filter(pk=base.pk).update(share=Sharing.NO)
    assert change(world, plan, base=base, due_days=3).base_id == base.pk
    assert refused(lambda: make(world, name="Second", base=base)) == {"base": ["base"]}


def test_plans_never_inherit_in_a_circle(world: World) -> None:
    first = make(world, name="First")
    second = make(world, name="Second", base=first)
    third = make(world, name="Third", base=second)
    assert refused(lambda: change(world, first, base=third)) == {"base": ["cycle"]}
    assert chain_ids([third.pk])[third.pk] == [third.pk, second.pk, first.pk]


@pytest.mark.django_db(transaction=True)
def test_two_edits_at_once_make_no_circle() -> None:
    world = build_world()
    first, second = make(world, name="First"), make(world, name="Second")

    def base_on(plan: RatePlan, base: RatePlan) -> Any:
        return lambda: change(world, plan, base=base)

    results = race(base_on(first, second), base_on(second, first))
    failures = [each for each in results if isinstance(each, Exception)]
    assert len(failures) == 1
    assert isinstance(failures[0], ValidationError)
    chains = chain_ids([first.pk, second.pk])
    assert sorted(map(len, chains.values())) == [1, 2]


def test_heirs_are_found_over_bases_and_own_plans(world: World) -> None:
    near = make(world, name="Near", base=world.acme_plan)
    bens = make(world, world.ben, name="Far", inherits_own=True)  # Ben is on Acme basic
    make(world, name="Apart")
    assert heir_ids(world.acme_plan.pk) == sorted(
        [world.acme_plan.pk, near.pk, bens.pk]
    )


def test_who_comes_late_is_told(world: World) -> None:
    seen = state_of(world.acme_plan, plans.FIELDS)
    change(world, world.acme_plan, due_days=3)
    with pytest.raises(StaleError), subtree(world.acme):
        plans.update_plan(
            plan=world.acme_plan,
            values={"due_days": 4},
            seen=seen,
            by=world.actor(world.ann),
        )


def test_only_the_owner_with_commerce_changes_a_plan(world: World) -> None:
    for person in (world.uli, world.eve):
        with pytest.raises(PermissionDenied), scopes_disabled():
            plans.update_plan(
                plan=world.acme_plan, values={"due_days": 1}, by=world.actor(person)
            )


def test_prices_hold_the_currency(world: World) -> None:
    assert change(world, world.acme_plan, currency="CHF").currency == "CHF"
    _price(world.acme_plan, "2")
    refusal = refused(lambda: change(world, world.acme_plan, currency="EUR"))
    assert refusal == {"currency": ["priced"]}


def test_a_plan_in_use_is_archived_instead_of_deleted(world: World) -> None:
    plan, by = world.acme_plan, world.actor(world.ann)
    make(world, name="Heir", base=plan)
    with subtree(world.acme):
        assert plans.deletion_refusals(plan) == [
            "1 customer is on it.",
            "1 rate plan inherits from it.",
        ]
        with pytest.raises(ValidationError):
            plans.delete_plan(plan=plan, by=by)
        archived = plans.set_archived(plan=plan, is_archived=True, by=by)
        assert archived.archived_at is not None
        assert plans.set_archived(plan=plan, is_archived=True, by=by) == archived
        back = plans.set_archived(plan=plan, is_archived=False, by=by)
    assert back.archived_at is None
    assert count_customers([plan.pk]) == {plan.pk: 1}


def test_who_archives_a_plan_offers_it_at_sign_up_no_more(world: World) -> None:
    plan, by = make(world, offered_at_signup=True), world.actor(world.ann)
    with subtree(world.acme):
        archived = plans.set_archived(plan=plan, is_archived=True, by=by)
        assert not archived.offered_at_signup
        refusal = refused(lambda: change(world, plan, offered_at_signup=True))
        assert refusal == {"offered_at_signup": ["taken"]}
        back = plans.set_archived(plan=plan, is_archived=False, by=by)
        assert not back.offered_at_signup
        assert change(world, plan, offered_at_signup=True).offered_at_signup
    with scopes_disabled():
        events = AuditEvent.objects.filter(object_id=plan.pk).order_by("pk")
        told = [
            (event.action, change.old, change.new)
            for event in events
            for change in event.changes.filter(field="offered_at_signup")
        ]
    assert told == [
        ("plan.created", "", "yes"),
        ("plan.archived", "yes", "no"),
        ("plan.updated", "no", "yes"),
    ]


def test_class_of_service_times_are_inherited(world: World) -> None:
    office, night = office_hours(), TimeGroup.objects.create(name="Night")
    base = make(world, name="Base", cos_timegroup=office)
    heir = make(world, name="Heir", base=base)
    today = heir.created_at.date()
    found = effective_plan(heir, on=today).setting("cos_timegroup")
    assert (found.value, found.plan) == (office, base)
    change(world, heir, cos_timegroup=night)
    found = effective_plan(heir, on=today).setting("cos_timegroup")
    assert (found.value, found.plan) == (night, heir)


def test_deleted_customers_still_hold_their_plan(world: World) -> None:
    with scopes_disabled():
        Customer.objects.filter(pk=world.beta.pk).update(deleted_at="2026-01-01T00:00Z")
        assert plans.deletion_refusals(world.acme_plan) == [
            "1 deleted customer who can still be restored is on it."
        ]


def test_an_unused_plan_is_deleted_with_its_prices(world: World) -> None:
    plan = make(world)
    _price(plan, "1")
    with subtree(world.acme):
        plans.delete_plan(plan=plan, by=world.actor(world.ann))
    with scopes_disabled():
        assert not PlanPrice.objects.filter(plan=plan.pk).exists()
        assert AuditEvent.objects.filter(action="plan.deleted").count() == 1


def test_a_copy_says_the_same_from_today_on(world: World) -> None:
    plan = make(
        world,
        base=world.acme_plan,
        due_days=3,
        cos_timegroup=office_hours(),
        share=Sharing.DIRECT,
        offered_at_signup=True,
        name="Original",
    )
    _price(plan, "1", "2020-01-01", "2021-01-01")
    _price(plan, "2", "2021-01-01")
    with scopes_disabled():
        PlanFeature.objects.create(plan=plan, feature=Feature.LINE, maximum=5)
    with subtree(world.acme):
        copy = plans.copy_plan(plan=plan, name="Twin", by=world.actor(world.ann))
        prices = list(copy.prices.all())
        assert [price.amount for price in prices] == [2]
        assert prices[0].valid.lower >= plan.created_at.date()
        assert copy.features.get().maximum == 5
        assert plan.prices.count() == 2
    assert (copy.due_days, copy.base, copy.share) == (3, world.acme_plan, Sharing.NO)
    assert copy.cos_timegroup == plan.cos_timegroup
    assert not copy.offered_at_signup


@pytest.mark.parametrize(
    ("share", "kept"), [(Sharing.NO, 2), (Sharing.DIRECT, 1), (Sharing.RECURSIVE, 0)]
)
def test_unsharing_keeps_customers_and_counts_them(
    world: World, share: str, kept: int
) -> None:
    """Acme and Beta's customers are on the system owner's shared plan."""
    for customer in (world.acme, world.beta, world.gamma):
        put_on(customer, world.shared_plan)
    with scopes_disabled():
        assert preview.count_kept(world.shared_plan, share) == kept
    with subtree(world.root):
        plans.update_plan(
            plan=world.shared_plan,
            values={"share": share},
            by=world.actor(world.olga),
        )
    assert count_customers([world.shared_plan.pk]) == {world.shared_plan.pk: 3}


def test_a_preview_tells_what_changes_for_how_many(world: World) -> None:
    heir = make(world, name="Heir", base=world.acme_plan)
    put_on(world.gamma, heir)
    by = world.actor(world.ann)
    values = {
        "due_days": 30,
        "overdue_days": 14,
        "bill_type": BillType.PREPAID,
        "cos_timegroup": office_hours(),
    }

    def save() -> None:
        plans.update_plan(plan=world.acme_plan, values=values, by=by)

    with subtree(world.acme):
        on = world.acme_plan.created_at.date()
        found = preview.effects(world.acme_plan, save, on=on)
    # The billing type was copied to the accounts, and 14 days to overdue is the default.
    told = [(each.label, each.old, each.new, each.customers) for each in found]
    times = "Office hours: Mon–Fri 08:00–18:00"
    assert told == [
        ("Invoices due after", "14 days", "30 days", 2),
        ("Class-of-service times", "none", times, 2),
    ]
    with scopes_disabled():
        assert RatePlan.objects.get(pk=world.acme_plan.pk).due_days is None
        BillingAccount.objects.filter(customer=world.beta).update(due_days=7)
    with subtree(world.acme):
        found = preview.effects(world.acme_plan, save, on=on)
    assert [each.customers for each in found] == [1, 2]


def test_a_preview_asks_no_more_for_more_plans_that_inherit(world: World) -> None:
    by = world.actor(world.ann)

    def queries() -> int:
        def save() -> None:
            values = {"due_days": 30, "invoice_detail": InvoiceDetail.TOTAL}
            plans.update_plan(plan=world.acme_plan, values=values, by=by)

        with subtree(world.acme), CaptureQueriesContext(connection) as captured:
            found = preview.effects(
                world.acme_plan, save, on=world.acme_plan.created_at.date()
            )
        assert {each.customers for each in found} == {2}
        return len(captured)

    put_on(world.gamma, world.acme_plan)
    before = queries()
    put_on(world.gamma, make(world, name="Heir", base=world.acme_plan))
    assert queries() == before


def _price(
    plan: RatePlan, amount: str, begin: str = "2020-01-01", end: str | None = None
) -> None:
    with scopes_disabled():  # tests lay rows of every account
        PlanPrice.objects.create(
            plan=plan,
            feature=Feature.LINE,
            occurs=Occurs.RECURRING,
            amount=Decimal(amount),
            valid=(begin, end),
        )


# --- Deleting a plan while somebody begins to use it -------------------------------------


def _with_an_unused_plan() -> tuple[World, RatePlan]:
    world = build_world()
    return world, make(world, share=Sharing.RECURSIVE, may_be_inherited=True)


def _new_customer(world: World, plan: RatePlan) -> Any:
    return customers.create_normal(
        parent=world.acme,
        values={"name": "Delta", "email": "a@b.test"},
        account={"plan": plan},
        by=world.actor(world.ann),
    )


def _another_plan(world: World, plan: RatePlan) -> Any:
    return customers.update_customer(
        customer=world.beta,
        values={},
        account={"plan": plan},
        expected_version=1,
        by=world.actor(world.ann),
    )


def _heir(world: World, plan: RatePlan) -> Any:
    values = {"name": "Heir", "currency": "EUR", "base": plan}
    return plans.create_plan(
        owner=world.beta, values=values, by=world.actor(world.ben, world.beta)
    )


def _moved(world: World, plan: RatePlan) -> Any:
    return tree.move_customer(
        customer=world.rival, parent=world.acme, plan=plan, by=world.actor(world.olga)
    )


USES = [_new_customer, _another_plan, _heir, _moved]
IN_USE = {
    _new_customer: "1 customer is on it.",
    _another_plan: "1 customer is on it.",
    _heir: "1 rate plan inherits from it.",
    _moved: "1 customer is on it.",
}


def _within(world: World, action: Any, until: Any = None) -> Any:
    """``action`` in a transaction that ends once ``until`` is waiting for it."""
    with subtree(world.root), transaction.atomic():
        done = action()
        if until is not None:
            until()
    return done


def _delete(world: World, plan: RatePlan) -> str:
    plans.delete_plan(plan=plan, by=world.actor(world.ann))
    return "deleted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("first", ["use", "delete"])
def test_a_plan_is_deleted_or_used_but_not_both(first: str, use: Any) -> None:
    """One of them waits until the other is done, and is told why it comes too late."""
    world, plan = _with_an_unused_plan()
    begun = Event()

    def leading(action: Any) -> Any:
        def until() -> None:
            begun.set()
            wait_until_somebody_waits()

        return _within(world, action, until)

    def following(action: Any) -> Any:
        assert begun.wait(WAIT)
        return _within(world, action)

    is_used_first = first == "use"
    used, deleted = race(
        lambda: (leading if is_used_first else following)(lambda: use(world, plan)),
        lambda: (following if is_used_first else leading)(lambda: _delete(world, plan)),
    )
    if is_used_first:
        assert not isinstance(used, Exception), used
        assert isinstance(deleted, ValidationError), deleted
        assert deleted.messages == [IN_USE[use]]
    else:
        assert deleted == "deleted"
        assert isinstance(used, ValidationError), used
        assert set(used.error_dict) <= {"plan", "base"}


@pytest.mark.django_db(transaction=True)
def test_plans_deleted_and_used_at_the_same_instant() -> None:
    world = build_world()
    for number in range(5):
        plan = make(world, name=f"Round {number}")
        with scopes_disabled():
            Customer.objects.filter(pk=world.beta.pk).update(version=1)
        results = race(
            partial(_within, world, partial(_another_plan, world, plan)),
            partial(_within, world, partial(_delete, world, plan)),
        )
        failed = [each for each in results if isinstance(each, Exception)]
        assert [type(each) for each in failed] == [ValidationError], results
