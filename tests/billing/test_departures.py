"""Deleting and restoring customers: what goes back, what is charged, at every level.

January 2026 has 31 days; things cost 31 a month, so a day of it costs 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils import timezone

from billing.models import BilledFeature, Charge, LedgerEntry, Tax, TaxLiability
from billing.services import transactions
from billing.services.departures import quote_departure
from billing.services.periods import close_account
from billing.services.returns import quote_return
from billing.statement import with_causes
from customers.models import Customer
from customers.services import tree
from portal.core.actor import Actor, system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, BillType, Feature, Occurs
from rateplans.models import NumberClass
from tests.billing.tariffs import (
    add,
    balance,
    entries,
    item,
    permit,
    price,
    remove,
    set_account,
)
from tests.race import race
from tests.world import World

pytestmark = pytest.mark.django_db
LEVELS = ("acme", "beta", "gamma")
BEGUN = "2026-01-16T12:00Z"
FEB, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # accounts of several tenants are looked at
        yield


@pytest.fixture
def gamma(world: World) -> Customer:
    """Two lines since 16 January, which Acme, Beta and Gamma pay 3, 2 and 1 a day for."""
    for name, plan, amount in zip(
        LEVELS,
        (world.root_plan, world.acme_plan, world.beta_plan),
        (93, 62, 31),
        strict=True,
    ):
        price(plan, amount)
        _set(getattr(world, name), credit_limit=10_000, billed_until=FEB)
    with time_machine.travel(BEGUN, tick=False):
        add(world.gamma, item(1), item(2))
    return world.gamma


def _set(customer: Customer, **values: Any) -> None:
    set_account(customer, fees_from=date(2020, 1, 1), **values)


def _refunding(*plans: Any) -> None:
    for plan in plans:
        plan.refund_on_removal = True
        plan.save()


def _everybody_refunds(world: World) -> None:
    _refunding(world.root_plan, world.acme_plan, world.beta_plan)


def _delete(world: World, at: str, **more: Any) -> None:
    with time_machine.travel(at, tick=False):
        tree.delete_customer(customer=world.gamma, by=system_actor(world.beta), **more)


def _restore(world: World, at: str, by: Actor | None = None) -> None:
    with time_machine.travel(at, tick=False):
        gamma = Customer.objects.get(pk=world.gamma.pk)
        tree.undelete_customer(customer=gamma, by=by or system_actor(world.beta))


def _kinds(world: World, *kinds: str, since: int = 0) -> dict[str, list[Decimal]]:
    """Net amounts of ``kinds`` at each level, those after entry ``since``."""
    return {
        name: [
            entry.net
            for entry in LedgerEntry.objects.filter(
                account__customer=getattr(world, name), kind__in=kinds, pk__gt=since
            ).order_by("pk")
        ]
        for name in LEVELS
    }


def _last() -> int:
    return LedgerEntry.objects.latest("pk").pk


def _costs(world: World) -> list[Decimal]:
    """What each level has paid in all."""
    return [-balance(getattr(world, name)) for name in LEVELS]


# --- Refunds ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "at", "expected"),
    [
        # 31 days paid until the end of January for two lines; the day itself is used.
        ("all", "2026-01-16T12:00Z", {"acme": [90], "beta": [60], "gamma": [30]}),
        ("all", "2026-01-26T12:00Z", {"acme": [30], "beta": [20], "gamma": [10]}),
        ("all", "2026-01-31T12:00Z", {}),
        ("beta", "2026-01-26T12:00Z", {"gamma": [10]}),
        ("root", "2026-01-26T12:00Z", {"acme": [30]}),
        ("nobody", "2026-01-26T12:00Z", {}),
    ],
)
def test_deleting_gives_back_what_each_plan_says(
    world: World,
    gamma: Customer,
    who: str,
    at: str,
    expected: dict[str, list[int]],
) -> None:
    plans = {
        "all": (world.root_plan, world.acme_plan, world.beta_plan),
        "beta": (world.beta_plan,),
        "root": (world.root_plan,),
        "nobody": (),
    }
    _refunding(*plans[who])
    with time_machine.travel(at, tick=False):
        quote = quote_departure(gamma)
    _delete(world, at)
    assert _kinds(world, "refund") == {name: [] for name in LEVELS} | expected
    assert quote.total_back == sum(expected.get("gamma", []))
    assert quote.refunds is (who in {"all", "beta"})
    gone = Customer.objects.get(pk=gamma.pk)
    ended = set(BilledFeature.objects.values_list("ended_at", flat=True))
    assert ended == {gone.deleted_at}


def test_everything_that_is_billed_goes_back_with_its_taxes(
    world: World, gamma: Customer
) -> None:
    _refunding(world.beta_plan)
    normal = NumberClass.objects.get(name="Normal")
    for feature in (Feature.ACCOUNT, Feature.PERSON, Feature.MAILBOX):
        price(world.beta_plan, 31, feature)
    price(world.beta_plan, 31, Feature.NUMBER, number_class=normal)
    tax = Tax.objects.create(owner=world.beta, name="T", rate=10)
    TaxLiability.objects.create(account=gamma.account, tax=tax)
    with time_machine.travel("2026-01-26T12:00Z", tick=False):
        add(
            gamma,
            item(gamma.pk, Feature.ACCOUNT),
            item(5, Feature.PERSON),
            item(6, Feature.MAILBOX),
            item(7, Feature.NUMBER, normal),
        )
    _delete(world, "2026-01-28T12:00Z")
    # 3 days of each; the lines were added before Gamma was liable for the tax.
    refunds = LedgerEntry.objects.filter(account=gamma.account, kind="refund")
    assert {row.feature: (row.net, row.amount) for row in refunds} == {
        "line": (6, 6),
        "account": (3, Decimal("3.30")),
        "person": (3, Decimal("3.30")),
        "mailbox": (3, Decimal("3.30")),
        "number": (3, Decimal("3.30")),
    }


def test_included_ones_are_given_back_by_whom_they_free(
    world: World, gamma: Customer
) -> None:
    """Beta's own third line becomes one of the two that Acme's plan includes."""
    _refunding(world.acme_plan)
    permit(world.acme_plan, included=2)
    with time_machine.travel("2026-01-22T12:00Z", tick=False):
        add(world.beta, item(3))
        assert entries(world.beta, "kind", "net")[-1] == ("recurring", -20)
    _delete(world, "2026-01-26T12:00Z")
    # Gamma's two were paid before they were included; Beta's is spared from now on.
    assert _kinds(world, "refund")["beta"] == [10]


def test_late_periods_are_charged_before_what_goes_back(
    world: World, gamma: Customer
) -> None:
    _refunding(world.beta_plan)
    _delete(world, "2026-02-14T12:00Z")
    assert entries(gamma, "kind", "net", "period_start", "period_end") == [
        ("recurring", -32, date(2026, 1, 16), FEB),
        ("recurring", -62, FEB, MARCH),
        ("refund", 31, date(2026, 2, 15), MARCH),
    ]
    assert entries(world.beta, "kind", "net")[1:] == [("recurring", -124)]
    close_account(world.beta.account.pk, on=MARCH)
    assert len(entries(world.beta, "net")) == 2


@pytest.mark.parametrize("contract_until", [None, date(2026, 4, 1)])
@pytest.mark.parametrize("late", ["gamma", "beta", "nobody"])
def test_late_periods_are_quoted_as_they_will_be_charged(
    world: World, gamma: Customer, late: str, contract_until: date | None
) -> None:
    """With what comes back of them, and charges that are due; but nothing is posted."""
    _everybody_refunds(world)
    TaxLiability.objects.create(
        account=gamma.account,
        tax=Tax.objects.create(
            owner=world.beta, name="VAT", rate=20, applies_features=True
        ),
    )
    Charge.objects.create(
        owner=world.beta,
        account=gamma.account,
        name="Rack",
        amount=5,
        currency="EUR",
        starts_on=date(2026, 2, 10),
        next_on=date(2026, 2, 10),
    )
    for name in LEVELS:
        if name != late:
            with time_machine.travel("2026-02-05T12:00Z", tick=False):
                close_account(getattr(world, name).account.pk)
    set_account(gamma, contract_ends_on=contract_until)
    before = _last()
    with time_machine.travel("2026-02-14T12:00Z", tick=False):
        quote = quote_departure(gamma, contract_until=contract_until)
        again = quote_departure(gamma, contract_until=contract_until)
    assert _last() == before
    assert set_account(gamma).billed_until == (FEB if late == "gamma" else MARCH)
    assert (again.total_due, again.total_back) == (quote.total_due, quote.total_back)
    _delete(world, "2026-02-14T12:00Z", contract="charge" if contract_until else "")
    booked = LedgerEntry.objects.filter(account=gamma.account, pk__gt=before)
    sums = dict(booked.order_by().values_list("kind").annotate(Sum("amount")))
    rest = sums.pop("recurring", Decimal(0)) + quote.total_rest
    assert quote.total_due == -rest - sums.get("charge", 0)
    assert quote.total_due == (5 + 62 + 62 * Decimal("0.2") if late == "gamma" else 5)
    assert quote.total_back == sums.get("refund", 0)
    assert bool(quote.total_back) == (contract_until is None)
    assert bool(quote.total_rest) == (contract_until is not None)


def test_failing_deletion_gives_nothing_back(world: World, gamma: Customer) -> None:
    _everybody_refunds(world)
    set_account(world.gamma, contract_ends_on=date(2026, 12, 1))
    with pytest.raises(ValidationError):
        _delete(world, "2026-01-26T12:00Z")
    assert not LedgerEntry.objects.filter(kind="refund").exists()
    assert not BilledFeature.objects.exclude(ended_at=None).exists()


# --- The rest of a contract -------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        ("waive", {"refund": [10], "recurring": []}),
        # February to 14 March: a month and 14 of 31 days, for two lines.
        ("charge", {"refund": [], "recurring": [Decimal("-90.00")]}),
    ],
)
def test_rest_of_a_contract_is_waived_or_charged(
    world: World, gamma: Customer, contract: str, expected: dict[str, list[Any]]
) -> None:
    _refunding(world.beta_plan)
    ends_on = date(2026, 3, 15)
    set_account(gamma, contract_ends_on=ends_on, credit_limit=0)
    set_account(world.acme, credit_limit=0)
    before = _last()
    until = ends_on if contract == "charge" else None
    with time_machine.travel("2026-01-26T12:00Z", tick=False):
        quote = quote_departure(gamma, contract_until=until)
    _delete(world, "2026-01-26T12:00Z", contract=contract)
    found = {kind: _kinds(world, kind, since=before)["gamma"] for kind in expected}
    assert found == expected
    assert quote.total_back == sum(expected["refund"])
    assert quote.total_rest == -sum(expected["recurring"])
    above = _kinds(world, "recurring", since=before)
    factor = 1 if contract == "charge" else 0
    assert above["acme"] == [-270] * factor
    assert above["beta"] == [-180] * factor


def test_what_a_contract_costs_above_tells_whose_it_is(
    world: World, gamma: Customer
) -> None:
    set_account(gamma, contract_ends_on=MARCH)
    before = _last()
    _delete(world, "2026-01-26T12:00Z", contract="charge")
    _restore(world, "2026-01-27T12:00Z")
    above = LedgerEntry.objects.filter(account__customer=world.beta, pk__gt=before)
    found = [(row.key.split(":")[0], row.cause) for row in with_causes(above)]
    assert found == [("returned", gamma.name), ("contract", gamma.name)]


def test_contract_is_charged_with_taxes_as_one_event(
    world: World, gamma: Customer
) -> None:
    price(world.beta_plan, 31, Feature.MAILBOX)
    tax = Tax.objects.create(owner=world.beta, name="T", rate=10)
    TaxLiability.objects.create(account=gamma.account, tax=tax)
    with time_machine.travel(BEGUN, tick=False):
        add(gamma, item(3, Feature.MAILBOX))
    set_account(gamma, contract_ends_on=MARCH)
    before = _last()
    _delete(world, "2026-01-26T12:00Z", contract="charge")
    new = LedgerEntry.objects.filter(pk__gt=before)
    rows = new.filter(account=gamma.account).order_by("pk")
    fields = ("feature", "quantity", "net", "amount", "period_start", "period_end")
    assert list(rows.values_list(*fields)) == [
        ("line", 2, -62, Decimal("-68.20"), FEB, MARCH),
        ("mailbox", 1, -31, Decimal("-34.10"), FEB, MARCH),
    ]
    assert "rest of the minimum contract: 2026-02-01 – 2026-02-28" in (
        rows[0].description
    )
    gone = Customer.objects.get(pk=gamma.pk)
    assert set(new.values_list("at", flat=True)) == {gone.deleted_at}


@pytest.mark.parametrize(
    ("change", "charged"),
    [
        ({"bill_type": BillType.NONE}, []),
        ({"bill_type": BillType.EXTERNAL}, []),
        ({"bill_type": BillType.PREPAID_CALLS}, [(-62, False)]),
        ({"contract_ends_on": FEB}, []),
        ({"billed_until": date(2026, 2, 15)}, [(-31, True)]),
        # Billing is delayed until the middle of February, and the contract with it.
        ({"billed_until": date(2026, 2, 15), "late": True}, [(-31, True)]),
        ({"period": BillingPeriod.INDEFINITE}, []),
    ],
)
def test_what_a_contract_is_charged_for(
    world: World,
    gamma: Customer,
    change: dict[str, Any],
    charged: list[tuple[int, bool]],
) -> None:
    values = {"contract_ends_on": MARCH} | change
    if values.pop("late", False):
        values["fees_from"] = values["billed_until"]
    if period := values.pop("period", None):
        world.beta_plan.billing_period = period
        world.beta_plan.save()
    set_account(gamma, **values)
    before = _last()
    _delete(world, "2026-01-26T12:00Z", contract="charge")
    new = LedgerEntry.objects.filter(pk__gt=before, account=gamma.account)
    assert list(new.values_list("net", "is_on_balance")) == charged


def test_days_paid_beyond_a_charged_contract_go_back(
    world: World, gamma: Customer
) -> None:
    _refunding(world.beta_plan)
    set_account(gamma, contract_ends_on=date(2026, 1, 29))
    before = _last()
    _delete(world, "2026-01-26T12:00Z", contract="charge")
    assert _kinds(world, "refund", since=before)["gamma"] == [6]  # 29 to 31 January
    _restore(world, "2026-01-27T12:00Z")
    # The days until the 28th are paid still.
    assert entries(gamma, "net", "period_start")[-1] == (-6, date(2026, 1, 29))


# --- Restoring --------------------------------------------------------------------------


@pytest.mark.parametrize("refunds", [False, True])
@pytest.mark.parametrize(
    ("restored", "days"),
    [
        # Days of January that are not paid when the line goes, and paid again.
        ("2026-01-26T18:00Z", 0),
        ("2026-01-29T12:00Z", 2),
        ("2026-01-31T12:00Z", 4),
    ],
)
def test_no_day_is_paid_twice(
    world: World, gamma: Customer, refunds: bool, restored: str, days: int
) -> None:
    """All was paid until February: with refunds, the days of absence were spared."""
    if refunds:
        _everybody_refunds(world)
    whole = _costs(world)
    _delete(world, "2026-01-26T12:00Z")
    with time_machine.travel(restored, tick=False):
        gone = Customer.objects.get(pk=gamma.pk)
        quote = quote_return(gone, by=system_actor(world.beta))
    before = -balance(gamma)
    _restore(world, restored)
    assert quote.total == -balance(gamma) - before
    spared = days if refunds else 0
    assert _costs(world) == [
        paid - spared * rate for paid, rate in zip(whole, (6, 4, 2), strict=True)
    ]
    for name in LEVELS:  # and the next period is charged once at every level
        close_account(getattr(world, name).account.pk, on=FEB)
    assert [-net for (net,) in [entries(gamma, "net")[-1]]] == [62]


def test_restored_later_periods_begin_anew_at_every_level(
    world: World, gamma: Customer
) -> None:
    _delete(world, "2026-01-26T12:00Z")
    for name in ("acme", "beta"):
        close_account(getattr(world, name).account.pk, on=MARCH)
    before = _last()
    _restore(world, "2026-03-17T12:00Z")  # 15 days of March are left
    assert _kinds(world, "recurring", since=before) == {
        "acme": [-90],
        "beta": [-60],
        "gamma": [-30],
    }
    assert set_account(gamma).billed_until == date(2026, 4, 1)
    assert not LedgerEntry.objects.filter(pk__gt=before, kind="signup").exists()


def test_what_came_back_goes_back_again(world: World, gamma: Customer) -> None:
    """Deleted, restored and deleted within a period: only the days of use are paid."""
    _everybody_refunds(world)
    _delete(world, "2026-01-20T12:00Z")  # 5 days
    _restore(world, "2026-01-23T12:00Z")
    _delete(world, "2026-01-24T12:00Z")  # 2 days
    _restore(world, "2026-01-30T12:00Z")
    with time_machine.travel("2026-01-30T13:00Z", tick=False):
        remove(gamma, item(1))  # 1 day, and the other line 2
    assert _costs(world) == [3 * 17, 2 * 17, 17]


@pytest.mark.parametrize(
    ("at", "unused", "new"),
    [
        ("2026-01-28T12:00Z", "124.00", "0"),  # January is paid
        ("2026-02-19T12:00Z", "84.14", "22.14"),  # 10 of 28 days, and all of March
        ("2026-05-01T12:00Z", "0", "62.00"),
    ],
)
def test_contract_that_was_charged_goes_back_where_fees_begin(
    world: World, gamma: Customer, at: str, unused: str, new: str
) -> None:
    set_account(gamma, contract_ends_on=date(2026, 4, 1))
    _delete(world, "2026-01-26T12:00Z", contract="charge")
    assert _kinds(world, "recurring")["gamma"] == [-32, -124]
    with time_machine.travel(at, tick=False):
        gone = Customer.objects.get(pk=gamma.pk)
        quote = quote_return(gone, by=system_actor(world.beta))
    assert (quote.total_back, quote.total) == (Decimal(unused), Decimal(new))
    before = balance(gamma)
    _restore(world, at)
    assert balance(gamma) - before == Decimal(unused) - Decimal(new)


@pytest.mark.parametrize("contract", ["charge", "waive"])
def test_deleting_again_and_again_on_a_day_costs_nothing(
    world: World, gamma: Customer, contract: str
) -> None:
    set_account(gamma, contract_ends_on=MARCH)
    for hour in (12, 14, 16):
        _delete(world, f"2026-01-26T{hour}:00Z", contract=contract)
        _restore(world, f"2026-01-26T{hour + 1}:00Z")
    assert _costs(world) == [96, 64, 32]


def test_delayed_fees_begin_when_it_is_back(world: World, gamma: Customer) -> None:
    price(world.beta_plan, 5, occurs=Occurs.SIGNUP)
    set_account(gamma, fees_from=FEB, billed_until=FEB)
    before = _last()
    _delete(world, "2026-01-26T12:00Z")
    _restore(world, "2026-02-15T12:00Z")
    assert entries(gamma, "kind", "net")[1:] == [("recurring", -31), ("signup", -10)]
    assert _kinds(world, "signup", since=before) == {
        "acme": [],
        "beta": [],
        "gamma": [-10],
    }


@pytest.mark.parametrize(
    ("short", "code"), [("gamma", None), ("beta", "credit"), ("acme", "provider")]
)
def test_limits_above_stop_restoring_its_own_does_not(
    world: World, gamma: Customer, short: str, code: str | None
) -> None:
    _everybody_refunds(world)
    _delete(world, "2026-01-16T12:00Z")
    customer = getattr(world, short)
    set_account(customer, credit_limit=-balance(customer))
    by = Actor(
        customer=world.beta,
        person=world.ben,
        permissions=frozenset(world.ben.role.permissions),
        own=world.beta,
    )
    if code is None:
        _restore(world, "2026-01-20T12:00Z", by)
        assert _costs(world)[2] == 2 + 2 * 12
        return
    with pytest.raises(ValidationError) as caught:
        _restore(world, "2026-01-20T12:00Z", by)
    assert caught.value.code == code
    assert Customer.objects.get(pk=gamma.pk).is_deleted
    assert not BilledFeature.objects.filter(ended_at=None).exists()


def test_maxima_above_stop_restoring(world: World, gamma: Customer) -> None:
    permit(world.acme_plan, maximum=3)
    permit(world.beta_plan, maximum=1)  # from above, Beta may give Gamma more (D 7.5)
    _delete(world, "2026-01-16T12:00Z")
    add(world.beta, item(3), item(4))
    gone = Customer.objects.get(pk=gamma.pk)
    assert quote_return(gone, by=system_actor(world.beta)).refusal is not None
    with pytest.raises(ValidationError) as caught:
        _restore(world, "2026-01-17T12:00Z")
    assert caught.value.code in {"maximum", "provider"}
    remove(world.beta, item(4))
    _restore(world, "2026-01-18T12:00Z")


def test_number_that_came_down_keeps_what_was_paid_above(world: World) -> None:
    """Beta paid for it before Gamma had it: deleted and back, Beta pays nothing more."""
    normal = world.numbers[0].number_class
    price(world.acme_plan, 31, Feature.NUMBER, number_class=normal)
    for name in LEVELS:
        _set(getattr(world, name), credit_limit=1_000, billed_until=FEB)
    number = item(1, Feature.NUMBER, normal)
    with time_machine.travel(BEGUN, tick=False):
        add(world.beta, number)
    with time_machine.travel("2026-01-17T12:00Z", tick=False):
        add(world.gamma, number, came_from=world.beta)
    _delete(world, "2026-01-20T12:00Z")
    _restore(world, "2026-01-22T12:00Z")
    assert _kinds(world, "recurring", "refund")["beta"] == [-16]
    _everybody_refunds(world)
    _delete(world, "2026-01-26T12:00Z")
    assert _kinds(world, "refund")["beta"] == [5]


def test_refund_that_was_taken_back_is_not_asked_for_again(
    world: World, gamma: Customer
) -> None:
    _refunding(world.beta_plan)
    _delete(world, "2026-01-26T12:00Z")
    refund = LedgerEntry.objects.get(kind="refund", account=gamma.account)
    transactions.reverse_entry(
        entry=refund,
        account=gamma.account,
        reason="They stayed after all",
        by=system_actor(world.beta),
    )
    _restore(world, "2026-01-28T12:00Z")
    assert _costs(world)[2] == 32


def test_numbers_of_a_purged_customer_are_paid_where_they_come_back(
    world: World,
) -> None:
    _everybody_refunds(world)
    normal = world.numbers[0].number_class
    price(world.root_plan, 93, Feature.NUMBER, number_class=normal)
    price(world.acme_plan, 62, Feature.NUMBER, number_class=normal)
    for name in LEVELS:
        _set(getattr(world, name), credit_limit=1_000, billed_until=FEB)
    set_account(world.gamma, bill_type=BillType.NONE)  # books nothing: may be purged
    number = world.numbers[0]
    number.customer = world.gamma
    number.save()
    with time_machine.travel(BEGUN, tick=False):
        add(world.gamma, item(number.pk, Feature.NUMBER, normal))
    _delete(world, "2026-01-20T12:00Z")  # 11 days go back
    with time_machine.travel("2026-01-30T12:00Z", tick=False):
        gone = Customer.objects.get(pk=world.gamma.pk)
        tree.purge_customer(customer=gone, by=system_actor(world.beta))
    assert _kinds(world, "recurring", "refund") == {
        "acme": [-48, 33, -6],  # 2 days more
        "beta": [-32, 22, -4],
        "gamma": [],
    }
    row = BilledFeature.objects.get(feature=Feature.NUMBER)
    assert (row.customer, row.ended_at) == (world.beta, None)


@pytest.mark.django_db(transaction=True)
def test_deleting_while_lines_are_removed_gives_each_back_once(world: World) -> None:
    _everybody_refunds(world)
    price(world.beta_plan, 31)
    today = timezone.localdate()
    _set(
        world.gamma,
        credit_limit=10_000,
        billed_until=today + timedelta(days=40),
    )
    for name in ("acme", "beta"):
        _set(getattr(world, name), billed_until=today + timedelta(days=40))
    add(world.gamma, item(1), item(2), item(3))
    paid = -balance(world.gamma)

    def delete() -> None:
        with scopes_disabled():  # threads have scopes of their own
            tree.delete_customer(customer=world.gamma, by=system_actor(world.beta))

    def take(number: int) -> None:
        with scopes_disabled():
            remove(world.gamma, item(number))

    results = race(delete, lambda: take(1), lambda: take(2))
    assert not any(isinstance(result, Exception) for result in results), results
    rows = LedgerEntry.objects.filter(kind="refund", account=world.gamma.account)
    assert rows.aggregate(count=Sum("quantity"))["count"] == 3
    # One day of each is used.
    assert Decimal(0) < -balance(world.gamma) < paid / 10
