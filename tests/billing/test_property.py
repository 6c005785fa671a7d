"""Random business over a random tree gives what a simple model in plain Python says.

The model keeps days and lists, no rows and no locks. It is naive on purpose: where it and
the portal differ, one of them does not do what the table of fees promises.
"""

from __future__ import annotations

import copy
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from billing import ledger
from billing.choices import EntryKind
from billing.models import BillingAccount, LedgerEntry
from billing.services import checking, runs, transactions
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, BillType, Feature, Occurs
from tests.billing.tariffs import add, item, permit, price, remove, set_account
from tests.world import World, _customer, _plan

pytestmark = pytest.mark.django_db
BEGIN = date(2024, 1, 20)  # so that the leap day is among the first days tried
LENGTHS = {"monthly": 1, "quarterly": 3, "annually": 12}
ZONES = (
    "Europe/Berlin",
    "Pacific/Kiritimati",
)  # at noon in UTC it is another day there
REVERSIBLE = ("credit", "debit", "recurring", "signup")


@dataclass
class Paid:
    """An entry that charged for something, as far as a refund asks."""

    kind: str
    amount: Decimal
    quantity: int = 1
    begin: date = date.min
    end: date = date.min
    group: int | None = None  # charged when these were added; else with a period
    is_reversed: bool = False


@dataclass
class Account:
    parent: int | None
    signup: Decimal | None
    monthly: Decimal | None
    included: int
    maximum: int
    refunds: bool
    period: str
    on_balance: bool
    delays: bool
    zone: str
    limit: Decimal
    balance: Decimal = Decimal(0)
    charged_from: date = BEGIN
    charged_until: date = BEGIN
    entries: list[Paid] = field(default_factory=list)

    def today(self, day: date) -> date:
        return day + timedelta(days=self.zone == ZONES[1])


@dataclass
class Thing:
    number: int
    owner: int
    since: date  # noon in UTC
    group: int
    until: date | None = None


def cents(amount: Fraction | Decimal) -> Decimal:
    exact = Fraction(amount)
    quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
    return quotient.quantize(Decimal("0.01"), ROUND_HALF_UP)


def share(begin: date, end: date) -> Fraction:
    """Months, day by day."""
    total, day = Fraction(0), begin
    while day < end:
        total += Fraction(1, monthrange(day.year, day.month)[1])
        day += timedelta(days=1)
    return total


def end_of(day: date, period: str) -> date:
    length = LENGTHS[period]
    months = day.year * 12 + (day.month - 1) // length * length + length
    return date(months // 12, months % 12 + 1, 1)


class RefusedError(Exception):
    pass


class Model:
    def __init__(self, accounts: list[Account]) -> None:
        self.accounts = accounts
        self.things: list[Thing] = []
        self.groups = 0

    def chain(self, index: int) -> list[int]:
        parent = self.accounts[index].parent
        return [*(self.chain(parent) if parent is not None else []), index]

    def price(self, index: int, name: str) -> Fraction:
        for place in reversed(self.chain(index)):
            own: Decimal | None = getattr(self.accounts[place], name)
            if own is not None:
                return Fraction(own)
        return Fraction(0)

    def below(self, index: int) -> list[Thing]:
        return [thing for thing in self.things if index in self.chain(thing.owner)]

    def living(self, index: int) -> list[Thing]:
        return [thing for thing in self.below(index) if thing.until is None]

    def post(self, index: int, paid: Paid) -> None:
        if paid.amount:
            account = self.accounts[index]
            account.entries.append(paid)
            if account.on_balance:
                account.balance += paid.amount

    def close(self, index: int, day: date) -> None:
        account = self.accounts[index]
        while account.charged_until <= account.today(day):
            begin = account.charged_until
            end = end_of(begin, account.period)
            then = [
                thing
                for thing in self.below(index)
                if account.today(thing.since) < begin
                and (thing.until is None or account.today(thing.until) >= begin)
            ]
            count = max(0, len(then) - account.included)
            if account.charged_from <= begin:
                net = cents(self.price(index, "monthly") * count * share(begin, end))
                self.post(index, Paid("recurring", -net, count, begin, end))
                if account.charged_from == begin:
                    net = cents(self.price(index, "signup") * count)
                    self.post(index, Paid("signup", -net))
            account.charged_until = end

    def add(self, index: int, numbers: list[int], day: date) -> None:
        self.groups += 1
        for place in self.chain(index):
            self.close(place, day)
        for place in self.chain(index):
            account = self.accounts[place]
            before = len(self.living(place))
            if 0 <= account.maximum < before + len(numbers):
                raise RefusedError
            free = max(0, account.included - before)
            count = max(0, len(numbers) - free)
            today, cost = account.today(day), account.balance
            if count and account.charged_from <= today:
                net = cents(self.price(place, "signup") * count)
                self.post(place, Paid("signup", -net))
                end = account.charged_until
                net = cents(self.price(place, "monthly") * count * share(today, end))
                paid = Paid("recurring", -net, count, today, end, self.groups)
                self.post(place, paid)
            if account.balance < cost and account.balance < -account.limit:
                raise RefusedError
        self.things += [Thing(number, index, day, self.groups) for number in numbers]

    def remove(self, number: int, day: date) -> None:
        [thing] = [one for one in self.things if one.number == number]
        for place in self.chain(thing.owner):
            self.close(place, day)
        for place in self.chain(thing.owner):
            account = self.accounts[place]
            living = self.living(place)
            spared = thing
            if thing in living[: account.included]:
                if len(living) <= account.included:
                    continue
                spared = living[account.included]
            begin, end = account.today(day) + timedelta(days=1), account.charged_until
            if account.refunds and begin < end:
                self.refund(place, spared, begin, end)
        thing.until = day

    def refund(self, index: int, thing: Thing, begin: date, end: date) -> None:
        account = self.accounts[index]
        of_period = [
            paid
            for paid in account.entries
            if paid.kind == "recurring" and paid.end == end
        ]
        found = [paid for paid in of_period if paid.group == thing.group] or [
            paid
            for paid in of_period
            if paid.group is None and paid.begin > account.today(thing.since)
        ]
        if found and not found[0].is_reversed:
            paid = found[0]
            part = share(begin, end) / share(paid.begin, end) / paid.quantity
            amount = cents(Fraction(-paid.amount) * part)
            self.post(index, Paid("refund", amount))

    def reverse(self, index: int, which: int) -> bool:
        account = self.accounts[index]
        choice = [
            paid
            for paid in account.entries
            if paid.kind in REVERSIBLE and not paid.is_reversed
        ]
        if not choice:
            return False
        paid = choice[which % len(choice)]
        paid.is_reversed = True
        account.entries.append(Paid("reversal", -paid.amount))
        if account.on_balance or paid.kind in {"credit", "debit"}:
            account.balance -= paid.amount
        return True


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # the whole tree is looked at
        yield


prices = st.none() | st.sampled_from(["0", "1", "9.99", "0.005", "12.345678901"]).map(
    Decimal
)


@st.composite
def trees(draw: Any) -> list[Account]:
    return [
        Account(
            parent=None if place == 0 else draw(st.integers(0, place - 1)),
            signup=draw(prices),
            monthly=draw(prices),
            included=draw(st.sampled_from([0, 0, 1, 2])),
            maximum=draw(st.sampled_from([-1, -1, -1, 4])),
            refunds=draw(st.booleans()),
            period=draw(st.sampled_from(["monthly", "monthly", *LENGTHS])),
            on_balance=draw(st.sampled_from([True, True, False])),
            delays=draw(st.sampled_from([False, False, True])),
            zone=draw(st.sampled_from(ZONES)),
            limit=draw(st.sampled_from(["0", "15", "1000"]).map(Decimal)),
        )
        for place in range(draw(st.integers(1, 4)))
    ]


operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["add"] * 5
            + ["remove"] * 3
            + ["days"] * 5
            + ["run", "credit", "debit", "move", "reverse"]
        ),
        st.integers(0, 3),
        st.integers(0, 50),
    ),
    min_size=5,
    max_size=16,
)


class Portal:
    """The same operations through the services."""

    def __init__(self, world: World, accounts: list[Account]) -> None:
        self.customers: list[Customer] = []
        self.events = 0
        BillingAccount.objects.update(billed_until=date(2999, 1, 1))
        for place, account in enumerate(accounts):
            parent = (
                world.acme if account.parent is None else self.customers[account.parent]
            )
            plan = _plan(parent, f"Plan {place}")
            plan.billing_period = BillingPeriod(account.period)
            plan.refund_on_removal = account.refunds
            plan.save()
            permit(plan, included=account.included, maximum=account.maximum)
            for occurs, amount in (
                (Occurs.SIGNUP, account.signup),
                (Occurs.RECURRING, account.monthly),
            ):
                if amount is not None:
                    price(plan, str(amount), occurs=occurs)
            customer = _customer(parent, f"Node {place}", f"8{place}", plan=plan)
            customer.time_zone = account.zone
            customer.created_at = noon(BEGIN)
            customer.save(update_fields=["time_zone", "created_at"])
            account.charged_until = end_of(account.today(BEGIN), account.period)
            account.charged_from = (
                account.charged_until if account.delays else account.today(BEGIN)
            )
            set_account(
                customer,
                credit_limit=account.limit,
                bill_type=BillType.PREPAID
                if account.on_balance
                else BillType.PREPAID_CALLS,
                fees_from=account.charged_from,
                billed_until=account.charged_until,
            )
            self.customers.append(customer)

    def account(self, index: int) -> BillingAccount:
        return BillingAccount.objects.get(customer=self.customers[index])

    def book(self, moves: list[tuple[int, str, Decimal]]) -> None:
        self.events += 1
        postings = [
            (ledger.credit if kind == "credit" else ledger.debit)(
                self.account(index).pk,
                f"event:{self.events}",
                EntryKind(kind),
                amount,
                "Booked",
            )
            for index, kind, amount in moves
        ]
        for _twice in range(2):
            ledger.post(
                postings, by=system_actor(self.customers[0]), within_limits=True
            )

    def reverse(self, index: int, which: int) -> None:
        account = self.account(index)
        choice = account.entries.filter(kind__in=REVERSIBLE, reversed_by=None)
        entry = choice.order_by("pk")[which % choice.count()]
        provider = self.customers[index].parent
        assert provider is not None
        for _twice in range(2):
            transactions.reverse_entry(
                entry=entry, account=account, reason="Test", by=system_actor(provider)
            )


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # each step costs queries: no shrinking
    suppress_health_check=list(HealthCheck),
)
@given(accounts=trees(), steps=operations)
def test_books_are_those_of_a_simple_model(
    world: World, accounts: list[Account], steps: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        _compare(world, copy.deepcopy(accounts), steps)
        transaction.set_rollback(True)


def _compare(
    world: World, accounts: list[Account], steps: list[tuple[str, int, int]]
) -> None:
    portal = Portal(world, accounts)
    model = Model(accounts)
    day, number = BEGIN, 0
    for kind, place, amount in steps:
        index = place % len(accounts)
        if kind == "days":
            day += timedelta(days=amount)
            continue
        with time_machine.travel(noon(day), tick=False):
            if kind == "add":
                numbers = [number + one for one in range(1 + amount % 3)]
                number += len(numbers)
                model = _add(portal, model, index, numbers, day)
            elif kind == "remove":
                living = [thing for thing in model.things if thing.until is None]
                if living:
                    thing = living[amount % len(living)]
                    model.remove(thing.number, day)
                    remove(portal.customers[thing.owner], item(thing.number))
            elif kind == "run":
                for one in range(len(accounts)):
                    model.close(one, day)
                run = runs.charge_all_due(batch=1 + amount % 3)
                assert run.failed == 0
            elif kind == "reverse":
                if model.reverse(index, amount):
                    portal.reverse(index, amount)
            else:
                _book(portal, model, kind, index, Decimal(amount) / 7)
        _same(portal, model)
    assert checking.check_ledger().faults == 0


def _add(
    portal: Portal, model: Model, index: int, numbers: list[int], day: date
) -> Model:
    """Both add, or both refuse, and then nothing has changed."""
    attempt = copy.deepcopy(model)
    customer = portal.customers[index]
    try:
        attempt.add(index, numbers, day)
    except RefusedError:
        with pytest.raises(ValidationError):
            add(customer, *(item(number) for number in numbers))
        return model
    add(customer, *(item(number) for number in numbers))
    return attempt


def _book(portal: Portal, model: Model, kind: str, index: int, exact: Decimal) -> None:
    """A credit, a debit within the limit, or money from one account to another."""
    amount = cents(exact)
    if not amount:
        return
    moves = [(index, "credit" if kind == "credit" else "debit", amount)]
    if kind == "move":
        moves.append(((index + 1) % len(model.accounts), "credit", amount))
    totals = {place: Decimal(0) for place, _kind, _amount in moves}
    if len(totals) < len(moves):
        return  # from an account to itself
    for place, direction, part in moves:
        totals[place] += part if direction == "credit" else -part
    short = [
        place
        for place, total in totals.items()
        if total < 0
        and model.accounts[place].balance + total < -model.accounts[place].limit
    ]
    if short:
        with pytest.raises(ledger.CreditError):
            portal.book(moves)
        return
    portal.book(moves)
    for place, direction, part in moves:
        account = model.accounts[place]
        signed = part if direction == "credit" else -part
        account.entries.append(Paid(direction, signed))
        account.balance += signed


def _same(portal: Portal, model: Model) -> None:
    for index, account in enumerate(model.accounts):
        row = portal.account(index)
        entries = LedgerEntry.objects.filter(account=row).order_by("pk")
        found = sorted(entries.values_list("kind", "amount"))
        assert found == sorted((paid.kind, paid.amount) for paid in account.entries)
        assert row.balance == account.balance
        assert row.billed_until == account.charged_until
    assert set(_living(portal)) == {
        thing.number for thing in model.things if thing.until is None
    }


def _living(portal: Portal) -> Iterator[int]:
    for customer in portal.customers:
        yield from customer.billed_features.filter(
            ended_at=None, feature=Feature.LINE
        ).values_list("object_id", flat=True)
