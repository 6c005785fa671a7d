"""Adding and removing features: what is charged where, refused, given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import ledger
from billing.choices import EntryKind
from billing.models import BilledFeature, LedgerEntry, Tax, TaxLiability
from billing.services.maxima import refusal_of_another
from billing.services.quotes import Wish, quote_features, quote_removal
from customers.models import Customer
from customers.price_box import refund_consequences
from portal.core.actor import Actor, system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, Feature, Occurs
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
from tests.books import give
from tests.race import race
from tests.world import World

pytestmark = pytest.mark.django_db
MID = "2026-01-16T12:00Z"  # of January: 16 of 31 days are left, the 16th among them
ONE = Decimal(1)
MONTH = {"fees_from": date(2020, 1, 1), "billed_until": date(2026, 2, 1)}


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # accounts of several tenants are looked at
        yield


@pytest.fixture
def gamma(world: World) -> Customer:
    """All accounts are charged until February, and nobody's limit is in the way."""
    for customer in (world.acme, world.beta, world.gamma, world.rival):
        set_account(customer, credit_limit=1000, **MONTH)
    return world.gamma


def _as(world: World, person: str, customer: Customer) -> Actor:
    one = getattr(world, person)
    return Actor(
        customer=customer,
        person=one,
        permissions=frozenset(one.role.permissions),
        own=one.customer,
    )


def test_feature_and_its_fees_come_together(world: World, gamma: Customer) -> None:
    price(world.root_plan, "3.10")
    price(world.acme_plan, "6.20")
    price(world.beta_plan, "9.30")
    price(world.beta_plan, 5, occurs=Occurs.SIGNUP)
    with time_machine.travel(MID, tick=False):
        add(gamma, item(7))
    fields = ("kind", "net", "quantity", "object_id", "period_start", "period_end")
    period = date(2026, 1, 16), date(2026, 2, 1)
    assert entries(gamma, *fields) == [
        ("signup", -5, 1, 7, None, None),
        ("recurring", Decimal("-4.80"), 1, 7, *period),
    ]
    assert entries(world.beta, *fields) == [
        ("recurring", Decimal("-3.20"), 1, 7, *period)
    ]
    assert entries(world.acme, *fields) == [
        ("recurring", Decimal("-1.60"), 1, 7, *period)
    ]
    assert balance(world.rival) == 0


def test_taxes_are_those_of_the_feature_and_the_customer(
    world: World, gamma: Customer
) -> None:
    price(world.beta_plan, 31)
    price(world.beta_plan, 31, Feature.ACCOUNT)
    on_lines = Tax.objects.create(
        owner=world.beta, name="Lines", rate=10, applies_accounts=False
    )
    flat = Tax.objects.create(
        owner=world.beta, name="Flat", amount=1, is_vat=False, applies_features=False
    )
    for tax in (on_lines, flat):
        TaxLiability.objects.create(account=gamma.account, tax=tax)
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1), item(gamma.pk, Feature.ACCOUNT))
    assert entries(gamma, "feature", "net", "amount", "taxes__name") == [
        ("account", -16, -17, "Flat"),
        ("line", -16, Decimal("-17.60"), "Lines"),
    ]


@pytest.mark.parametrize(
    ("who", "short", "code", "text"),
    [
        ("gil", "gamma", "credit", "Your credit is not enough"),
        ("gil", "beta", "provider", "Your provider cannot supply"),
        ("gil", "acme", "provider", "Your provider cannot supply"),
        ("ben", "gamma", "credit", "The credit of Gamma Bakery"),
        ("ben", "beta", "credit", "Your own credit with your provider is not enough"),
        ("ben", "acme", "provider", "Your provider cannot supply"),
        ("ann", "beta", "credit", "The credit of Beta Voice"),
        ("ann", "acme", "credit", "Your own credit with your provider is not enough"),
        ("olga", "acme", "credit", "The credit of Acme Telecom"),
    ],
)
def test_shortage_reads_differently_for_each(
    world: World, gamma: Customer, who: str, short: str, code: str, text: str
) -> None:
    price(world.root_plan, 31)
    short_one = getattr(world, short)
    set_account(short_one, credit_limit=Decimal("15.99"))
    with time_machine.travel(MID, tick=False), pytest.raises(ValidationError) as caught:
        add(gamma, item(1), by=_as(world, who, gamma))
    [message] = caught.value.messages
    assert caught.value.code == code
    assert text in message
    assert ("0.01" in message) == (code == "credit")
    if code == "provider":
        assert short_one.name not in message
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize(
    ("who", "level", "maximum", "code", "text"),
    [
        ("gil", "beta", 0, "forbidden", "Your rate plan does not allow this"),
        ("gil", "beta", 1, "maximum", "your rate plan allows 1"),
        ("gil", "acme", 1, "provider", "Your provider cannot supply"),
        ("ben", "beta", 1, None, ""),  # whoever comes from above may (D 7.5)
        ("ben", "acme", 1, "maximum", "your rate plan allows 1"),
        ("ben", "root", 1, "provider", "Your provider cannot supply"),
        ("ann", "acme", 0, "forbidden", "The rate plan of Beta Voice does not allow"),
        ("ann", "root", 1, "maximum", "your rate plan allows 1"),
        ("olga", "root", 1, "maximum", "the rate plan of Acme Telecom allows 1"),
        ("gil", "beta", 2, None, ""),
        ("gil", "beta", -1, None, ""),
    ],
)
def test_maximum_reads_differently_for_each(
    world: World,
    gamma: Customer,
    who: str,
    level: str,
    maximum: int,
    code: str | None,
    text: str,
) -> None:
    add(gamma, item(1))
    permit(getattr(world, f"{level}_plan"), maximum=maximum)
    actor = _as(world, who, gamma)
    # What a list says beforehand is what the service says.
    assert text in (told := refusal_of_another(gamma, Feature.LINE, by=actor))
    assert bool(told) == (code is not None)
    if code is None:
        add(gamma, item(2), by=actor)
        return
    with pytest.raises(ValidationError) as caught:
        add(gamma, item(2), by=actor)
    assert caught.value.code == code
    assert text in caught.value.messages[0]


def test_maximum_counts_everything_below(world: World, gamma: Customer) -> None:
    permit(world.acme_plan, maximum=3)
    add(gamma, item(1), item(2))
    with pytest.raises(ValidationError):
        add(world.beta, item(3), item(4))
    add(world.beta, item(3))
    remove(gamma, item(1))
    add(world.beta, item(4))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_pass_the_maximum(world: World) -> None:
    for customer in (world.acme, world.beta, world.gamma):
        set_account(customer, billed_until=date(2999, 1, 1))
    permit(world.acme_plan, maximum=3)

    def one(number: int) -> None:
        with scopes_disabled():  # threads have scopes of their own
            add(world.gamma if number % 2 else world.beta, item(number))

    results = race(*(lambda n=n: one(n) for n in range(8)))
    refused = [result for result in results if isinstance(result, ValidationError)]
    assert len(refused) == 5, results
    assert BilledFeature.objects.filter(ended_at=None).count() == 3


@pytest.mark.parametrize("type_", [BillType.EXTERNAL, BillType.NONE])
def test_maximum_holds_without_billing_too(
    world: World, gamma: Customer, type_: BillType
) -> None:
    set_account(gamma, bill_type=type_)
    permit(world.beta_plan, maximum=0)
    with pytest.raises(ValidationError):
        add(gamma, item(1), by=_as(world, "gil", gamma))


def _refunding(world: World) -> None:
    world.beta_plan.refund_on_removal = True
    world.beta_plan.save()


@pytest.mark.parametrize(
    ("refunds", "at", "expected"),
    [
        (False, "2026-01-16T12:00Z", []),
        (True, "2026-01-16T12:00Z", [15]),  # the day it was used is paid
        (True, "2026-01-26T12:00Z", [5]),
        (True, "2026-01-31T12:00Z", []),
        (True, "2026-01-31T23:30Z", [27]),  # February has begun, and is charged first
    ],
)
def test_removing_gives_back_the_days_after(
    world: World, gamma: Customer, refunds: bool, at: str, expected: list[int]
) -> None:
    price(world.acme_plan, 310)  # a level that does not refund keeps what it has
    price(world.beta_plan, 31, until=date(2026, 2, 1))
    price(world.beta_plan, 28, since=date(2026, 2, 1))
    world.beta_plan.refund_on_removal = refunds
    world.beta_plan.save()
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1))
    with time_machine.travel(at, tick=False):
        remove(gamma, item(1))
        remove(gamma, item(1))  # which is gone
    found = [net for kind, net in entries(gamma, "kind", "net") if kind == "refund"]
    assert found == expected
    assert "refund" not in {kind for (kind,) in entries(world.beta, "kind")}


def test_an_index_finds_what_was_paid_for_a_period(
    world: World, gamma: Customer
) -> None:
    """Of an account with much else in its ledger."""
    _refunding(world)
    price(world.beta_plan, 31)
    others = [
        ledger.debit(gamma.account.pk, f"other:{n}", EntryKind.CHARGE, ONE, "Router")
        for n in range(500)
    ]
    ledger.post(others, by=system_actor(gamma), within_limits=False)
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1))
        with CaptureQueriesContext(connection) as captured:
            remove(gamma, item(1))
    [found] = [each["sql"] for each in captured if "'^recurring:" in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_ledgerentry")
        cursor.execute(f"EXPLAIN {found}")
        assert "entry_of_period" in str(cursor.fetchall())


def test_refund_is_of_what_was_paid_whatever_it_costs_now(
    world: World, gamma: Customer
) -> None:
    _refunding(world)
    price(world.beta_plan, 31, until=date(2026, 1, 20))
    price(world.beta_plan, 3100, since=date(2026, 1, 20))
    tax = Tax.objects.create(
        owner=world.beta, name="T", rate=10, amount=1, is_vat=False
    )
    TaxLiability.objects.create(account=gamma.account, tax=tax)
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1), item(2))
    assert entries(gamma, "net", "amount") == [(-32, Decimal("-36.20"))]
    tax.rate, tax.amount, tax.is_vat = Decimal(50), Decimal(0), True
    tax.save()
    set_account(gamma, bill_type=BillType.PREPAID_CALLS)
    with time_machine.travel("2026-01-23T12:00Z", tick=False):
        line = quote_removal(gamma, item(1))
        remove(gamma, item(1))
        remove(gamma, item(2))
    assert line.total == Decimal("9.05")
    # 8 of 16 days of one of two: a quarter of the tax, the flat part included.
    expected = (8, Decimal("9.05"), True)
    assert entries(gamma, "net", "amount", "is_on_balance")[1:] == [expected, expected]
    assert entries(gamma, "taxes__is_vat", "taxes__rate") == [(False, 10)] * 3


@pytest.mark.parametrize(
    ("at", "due", "back"),
    [
        ("2026-01-20T12:00Z", 0, 11),
        ("2026-02-10T12:00Z", 28, 18),  # February is not charged yet
    ],
)
def test_removal_is_quoted_with_what_a_late_run_has_left(
    world: World, gamma: Customer, at: str, due: int, back: int
) -> None:
    _refunding(world)
    price(world.beta_plan, 31, until=date(2026, 2, 1))
    price(world.beta_plan, 28, since=date(2026, 2, 1))
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1))
    before = balance(gamma)
    with time_machine.travel(at, tick=False):
        quote = quote_removal(gamma, item(1))
        assert (quote.due, quote.total) == (due, back)
        assert balance(gamma) == before  # only quoted
        said = refund_consequences(gamma, item(1))
        remove(gamma, item(1))
    assert balance(gamma) - before == back - due
    assert any("due by today" in text for text in said) == bool(due)


def test_refund_of_an_included_one_frees_the_next(
    world: World, gamma: Customer
) -> None:
    _refunding(world)
    gold = NumberClass.objects.create(name="Gold")
    normal = NumberClass.objects.get(name="Normal")
    price(world.beta_plan, 3100, Feature.NUMBER, number_class=gold)
    price(world.beta_plan, 31, Feature.NUMBER, number_class=normal)
    permit(world.beta_plan, Feature.NUMBER, included=1)
    first = item(1, Feature.NUMBER, gold)
    with time_machine.travel(MID, tick=False):
        add(gamma, first)
    with time_machine.travel("2026-01-17T12:00Z", tick=False):
        add(gamma, item(2, Feature.NUMBER, normal))
        remove(gamma, first)
        remove(gamma, item(2, Feature.NUMBER, normal))
    assert entries(gamma, "kind", "net") == [("recurring", -15), ("refund", 14)]


def test_numbers_that_move_are_paid_by_who_gains_them(
    world: World, gamma: Customer
) -> None:
    _refunding(world)
    normal = NumberClass.objects.get(name="Normal")
    price(world.acme_plan, 31, Feature.NUMBER, number_class=normal)
    number = item(1, Feature.NUMBER, normal)
    with time_machine.travel(MID, tick=False):
        add(world.beta, number)
        add(gamma, number, came_from=world.beta)
    with time_machine.travel("2026-01-17T12:00Z", tick=False):
        remove(gamma, number, goes_to=world.beta)
        remove(world.beta, number)
    assert entries(world.beta, "kind", "net") == [("recurring", -16)]
    assert entries(gamma, "kind", "net") == [("recurring", -16), ("refund", 14)]
    assert not BilledFeature.objects.filter(ended_at=None).exists()


def test_quote_is_what_is_charged(world: World, gamma: Customer) -> None:
    price(world.acme_plan, 31)
    price(world.acme_plan, 5, occurs=Occurs.SIGNUP)
    permit(world.beta_plan, included=1)
    wish = Wish(Feature.LINE, 3)
    with time_machine.travel("2026-02-01T12:00Z", tick=False):  # not closed yet
        quote = quote_features(gamma, [wish], by=system_actor(gamma))
        add(gamma, *(item(number) for number in range(3)))
    assert quote.total == -balance(gamma) == 72
    assert quote.monthly == 62


def test_account_off_the_balance_needs_no_credit(world: World, gamma: Customer) -> None:
    set_account(gamma, bill_type=BillType.PREPAID_CALLS, credit_limit=0)
    price(world.beta_plan, 31)
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1))
    assert entries(gamma, "net", "is_on_balance", "balance_after") == [(-16, False, 0)]


def test_equality_is_enough(world: World, gamma: Customer) -> None:
    set_account(gamma, credit_limit=6)
    give(gamma, 10)
    price(world.beta_plan, 31)
    with time_machine.travel(MID, tick=False):
        add(gamma, item(1))
        assert balance(gamma) == -6
        with pytest.raises(ValidationError):
            add(gamma, item(2))


def test_what_is_charged_and_what_counts_is_of_one_moment(
    world: World, gamma: Customer
) -> None:
    """Near midnight the one could else fall into the next period, and the other not."""
    price(world.beta_plan, 31)
    set_account(gamma, billed_until=date(2999, 1, 1), credit_limit=10**9)
    add(gamma, item(1))
    [feature] = BilledFeature.objects.all()
    assert entries(gamma, "at") == [(feature.started_at,)]


@pytest.mark.parametrize(
    ("permission", "is_counted"),
    [
        ({}, False),
        ({"included": 1}, True),
        ({"maximum": 5}, True),
        ({"maximum": 0}, True),
    ],
)
def test_features_are_counted_only_where_a_plan_asks_how_many(
    world: World, gamma: Customer, permission: dict[str, int], *, is_counted: bool
) -> None:
    if permission:
        permit(world.acme_plan, Feature.LINE, **permission)
    with CaptureQueriesContext(connection) as captured:
        quote_features(gamma, [Wish(Feature.LINE)], by=_as(world, "ann", world.acme))
    counting = [query for query in captured if "count(*)" in query["sql"]]
    assert bool(counting) is is_counted
