"""The ledger: what is posted, refused, and guarded by the database itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from billing import ledger
from billing.choices import EntryKind
from billing.models import BillingAccount, LedgerEntry
from billing.taxes import TaxPart
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from tests.books import give
from tests.race import race
from tests.world import World


@pytest.fixture
def everywhere() -> object:
    with scopes_disabled():  # the ledger of several tenants is looked at
        yield


@pytest.fixture
def account(world: World, everywhere: object) -> BillingAccount:
    return world.gamma.account


def _post(
    world: World, *postings: ledger.Posting, within_limits: bool = True
) -> list[ledger.Posted]:
    return ledger.post(
        postings, by=system_actor(world.root), within_limits=within_limits
    )


def _debit(account: BillingAccount, amount: str, key: str = "k") -> ledger.Posting:
    return ledger.debit(account.pk, key, EntryKind.DEBIT, Decimal(amount), "Test")


def test_credit_raises_and_debit_lowers(world: World, account: BillingAccount) -> None:
    credit = ledger.credit(account.pk, "c", EntryKind.CREDIT, Decimal(10), "In")
    posted = _post(world, credit, _debit(account, "2.5"))
    assert [entry.balance_after for entry in posted] == [Decimal(10), Decimal("7.5")]
    account.refresh_from_db()
    assert account.balance == Decimal("7.5")


def test_event_is_posted_once(world: World, account: BillingAccount) -> None:
    give(world.gamma, 10)
    assert len(_post(world, _debit(account, "3"))) == 1
    assert _post(world, _debit(account, "3")) == []
    account.refresh_from_db()
    assert account.balance == 7


def test_taxes_stand_beside_the_net(world: World, account: BillingAccount) -> None:
    give(world.gamma, 10)
    part = TaxPart(world.acme_tax.pk, "VAT", Decimal(19), Decimal("0.19"), is_vat=True)
    _post(
        world,
        ledger.debit(
            account.pk, "t", EntryKind.DEBIT, Decimal(1), "Taxed", taxes=[part]
        ),
    )
    entry = LedgerEntry.objects.get(key="t")
    assert (entry.net, entry.amount, entry.tax) == (
        Decimal(-1),
        Decimal("-1.19"),
        Decimal("-0.19"),
    )
    assert [tax.amount for tax in entry.taxes.all()] == [Decimal("-0.19")]


@pytest.mark.parametrize("others", [0, 1])
def test_part_smaller_than_the_ledger_is_rounded_before_it_moves_anything(
    world: World, account: BillingAccount, others: int
) -> None:
    give(world.gamma, 1)
    more = [_debit(world.beta.account, "1", key="other")] * others
    _post(world, _debit(account, "0.0000005"), *more, within_limits=False)
    entry = LedgerEntry.objects.get(account=account, key="k")
    assert (entry.amount, entry.balance_after) == (
        Decimal("-0.000001"),
        Decimal("0.999999"),
    )


def test_entry_off_the_balance_leaves_it(world: World, account: BillingAccount) -> None:
    posting = ledger.debit(
        account.pk, "off", EntryKind.DEBIT, Decimal(5), "Apart", is_on_balance=False
    )
    [entry] = _post(world, posting)
    assert entry.balance_after == 0


@pytest.mark.parametrize(
    ("balance", "limit", "cost", "missing"),
    [
        ("0", "0", "0.000001", "0.000001"),
        ("10", "0", "10", None),
        ("10", "0", "10.01", "0.01"),
        ("-5", "10", "5", None),
        ("-5", "10", "5.5", "0.5"),
        ("-20", "10", "1", "11"),
    ],
)
def test_credit_limit_is_met_exactly(
    world: World,
    account: BillingAccount,
    balance: str,
    limit: str,
    cost: str,
    missing: str | None,
) -> None:
    give(world.gamma, balance)
    BillingAccount.objects.filter(pk=account.pk).update(credit_limit=Decimal(limit))
    if missing is None:
        assert len(_post(world, _debit(account, cost))) == 1
        return
    with pytest.raises(ledger.CreditError) as caught:
        _post(world, _debit(account, cost))
    assert caught.value.shortages[0].missing == Decimal(missing)
    account.refresh_from_db()
    assert account.balance == Decimal(balance)


def test_what_is_owed_is_owed(world: World, account: BillingAccount) -> None:
    _post(world, _debit(account, "99"), within_limits=False)
    account.refresh_from_db()
    assert account.balance == -99


@pytest.mark.parametrize("amount", ["99999999999999", "100000000000000"])
def test_what_no_account_can_hold_is_refused(
    world: World, account: BillingAccount, amount: str
) -> None:
    give(world.gamma, 10)
    wanted = ledger.credit(account.pk, "c", EntryKind.CREDIT, Decimal(amount), "In")
    with pytest.raises(ValidationError) as caught:
        _post(world, wanted)
    assert caught.value.code == "too_large"
    account.refresh_from_db()  # what is read after it belongs to the same transaction
    assert account.balance == 10


def test_one_short_account_stops_the_whole_chain(
    world: World, account: BillingAccount
) -> None:
    give(world.gamma, 10)
    above = world.beta.account
    with pytest.raises(ledger.CreditError) as caught:
        _post(world, _debit(account, "1"), _debit(above, "1"))
    assert [short.account_id for short in caught.value.shortages] == [above.pk]
    account.refresh_from_db()
    assert account.balance == 10
    assert not LedgerEntry.objects.filter(key="k").exists()


def test_crossing_the_threshold_is_noted_and_forgotten(
    world: World, account: BillingAccount
) -> None:
    BillingAccount.objects.filter(pk=account.pk).update(low_balance=Decimal(5))
    give(world.gamma, 10)
    account.refresh_from_db()
    assert account.low_since is None
    first = give(world.gamma, "-5.01").low_since
    assert first is not None
    assert give(world.gamma, -1).low_since == first
    assert give(world.gamma, 2).low_since is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_ledgerentry SET description = 'x'",
        "DELETE FROM billing_ledgerentry",
        "UPDATE billing_billingaccount SET balance = balance + 1",
        "INSERT INTO billing_ledgerentry (account_id, key, kind, amount, net,"
        " is_on_balance, balance_after, description, reference, quantity,"
        " original_currency, feature, person_name, acting_as_name, at, created_at)"
        " SELECT id, 'raw', 'credit', 1, 1, true, balance + 1, '', '', 1, '', '', '', '',"
        " now(), now() FROM billing_billingaccount",
        "INSERT INTO billing_ledgerentry (account_id, key, kind, amount, net,"
        " is_on_balance, balance_after, description, reference, quantity,"
        " original_currency, feature, person_name, acting_as_name, at, created_at)"
        " SELECT id, 'raw', 'credit', 1, 1, false, 0, '', '', 1, '', '', '', '',"
        " now(), now() FROM billing_billingaccount WHERE balance <> 0",
    ],
)
def test_database_refuses_what_the_ledger_did_not_write(
    world: World, everywhere: object, statement: str
) -> None:
    give(world.gamma, 10)
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db(transaction=True)
def test_threads_never_overshoot_a_limit(world: World) -> None:
    with scopes_disabled():  # both accounts are looked at
        BillingAccount.objects.filter(customer=world.gamma).update(
            credit_limit=Decimal(5)
        )
        account = world.gamma.account

        def charge(number: int) -> object:
            return _post(world, _debit(account, "1", key=f"race:{number // 2}"))

        results = race(*(lambda n=n: charge(n) for n in range(16)))
        account.refresh_from_db()
        entries = LedgerEntry.objects.filter(account=account)
        assert all(
            isinstance(result, (list, ledger.CreditError)) for result in results
        ), results
        assert account.balance == -5
        assert entries.count() == 5
