"""A ledger read back: balances at a time, day by day, and who may know who booked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing import ledger, statement
from billing.choices import EntryKind
from billing.models import BillingAccount, LedgerEntry
from portal.core.actor import Actor, system_actor
from portal.core.scope import scopes_disabled
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None):
    with scopes_disabled():
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    """Three entries of November; the second was booked last, the third beside the balance."""
    for day, amount in ((1, "100"), (20, "-30"), (10, "-5.5")):
        move(world, amount, datetime(2026, 11, day, 12, tzinfo=UTC))
    move(world, "-9", datetime(2026, 11, 12, tzinfo=UTC), is_on_balance=False)
    return BillingAccount.objects.get(customer=world.gamma)


def move(
    world: World,
    amount: str,
    at: datetime,
    *,
    by: Actor | None = None,
    is_on_balance: bool = True,
) -> LedgerEntry:
    account = BillingAccount.objects.get(customer=world.gamma)
    value = Decimal(amount)
    kind = ledger.credit if value > 0 else ledger.debit
    posting = kind(
        account.pk,
        f"test:{at.isoformat()}",
        EntryKind.CORRECTION,
        abs(value),
        f"On the {at.day}th",
        is_on_balance=is_on_balance,
    )
    by = by or system_actor(world.beta)
    [posted] = ledger.post([posting], by=by, within_limits=False, at=at)
    return LedgerEntry.objects.select_related("person__customer").get(
        pk=posted.entry_id
    )


@pytest.mark.parametrize(
    ("at", "balance"),
    [
        (datetime(2026, 11, 1, 12, tzinfo=UTC), "0"),
        (datetime(2026, 11, 1, 12, 1, tzinfo=UTC), "100"),
        (datetime(2026, 11, 15, tzinfo=UTC), "94.5"),
        (datetime(2030, 1, 1, tzinfo=UTC), "64.5"),
    ],
)
def test_balance_of_a_time_counts_what_is_dated_before(
    account: BillingAccount, at: datetime, balance: str
) -> None:
    assert statement.balance_before(account, at) == Decimal(balance)


def test_lines_add_up_in_the_order_of_their_dates(account: BillingAccount) -> None:
    begin = datetime(2026, 11, 5, tzinfo=UTC)
    end = datetime(2026, 12, 1, tzinfo=UTC)
    opening = statement.balance_before(account, begin)
    lines = list(statement.lines_between(account, begin, end, opening=opening))
    assert [(line.entry.amount, line.balance) for line in lines] == [
        (Decimal("-5.5"), Decimal("94.5")),
        (Decimal(-9), Decimal("94.5")),
        (Decimal(-30), Decimal("64.5")),
    ]
    assert lines[-1].balance == statement.balance_before(account, end)


def test_days_are_those_of_the_zone(world: World) -> None:
    move(world, "7", datetime(2026, 11, 9, 23, 30, tzinfo=UTC))
    account = BillingAccount.objects.get(customer=world.gamma)
    first, last = date(2026, 11, 9), date(2026, 11, 11)
    assert statement.balances_by_day(account, first=first, last=last, zone="UTC") == [
        (date(2026, 11, 9), 7),
        (date(2026, 11, 10), 7),
        (date(2026, 11, 11), 7),
    ]
    in_berlin = statement.balances_by_day(
        account, first=first, last=last, zone="Europe/Berlin"
    )
    assert [balance for _day, balance in in_berlin] == [0, 7, 7]


def test_days_begin_with_what_was_there(account: BillingAccount) -> None:
    found = statement.balances_by_day(
        account, first=date(2026, 11, 19), last=date(2026, 11, 21), zone="UTC"
    )
    assert [balance for _day, balance in found] == [
        Decimal("94.5"),
        Decimal("64.5"),
        Decimal("64.5"),
    ]


def test_names_from_above_stay_unknown(world: World) -> None:
    entry = move(
        world, "1", datetime(2026, 11, 2, tzinfo=UTC), by=world.actor(world.ben)
    )
    assert statement.who_booked(entry, reader=world.beta) == "Ben Braun"
    assert statement.who_booked(entry, reader=world.gamma) == "Your provider"


def test_name_of_who_acted_from_above_stays_unknown(world: World) -> None:
    by = replace(world.actor(world.ann, world.beta), acting_as=world.ben)
    entry = move(world, "1", datetime(2026, 11, 2, tzinfo=UTC), by=by)
    assert statement.who_booked(entry, reader=world.acme) == "Ann Weber"
    assert statement.who_booked(entry, reader=world.beta) == "Your provider"


def test_who_booked_before_a_move_is_not_the_present_provider(world: World) -> None:
    by = world.actor(world.ben)
    entry = move(world, "1", datetime(2026, 11, 2, tzinfo=UTC), by=by)
    world.gamma.parent = world.rival
    world.gamma.path = f"{world.rival.path}{world.gamma.pk}."
    world.gamma.save()
    for reader in (world.rival, world.gamma):
        assert statement.who_booked(entry, reader=reader) == "Another account"
    assert statement.who_booked(entry, reader=world.root) == "Ben Braun"


def test_what_jobs_book_is_the_systems(world: World) -> None:
    entry = move(world, "1", datetime(2026, 11, 2, tzinfo=UTC))
    assert statement.who_booked(entry, reader=world.gamma) == "The system"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("-78.660000", "EUR", "-78.66"),
        ("100.000000", "EUR", "100.00"),
        ("0", "EUR", "0.00"),
        ("0E-6", "EUR", "0.00"),
        ("0.012300", "EUR", "0.0123"),
        ("-1.000001", "EUR", "-1.000001"),
        ("1200.000000", "JPY", "1200"),
        ("1200.500000", "JPY", "1200.5"),
        ("1.500000", "KWD", "1.500"),
        ("99999999999999.999999", "EUR", "99999999999999.999999"),
    ],
)
def test_statement_gives_the_places_of_the_currency_or_more(
    amount: str, currency: str, text: str
) -> None:
    assert f"{statement.exact_money(Decimal(amount), currency):f}" == text
