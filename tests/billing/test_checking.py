"""The proof of the books finds what is wrong, wherever it is, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from billing import jobs, ledger
from billing.choices import EntryKind, LedgerFaultKind
from billing.models import BillingAccount, LedgerCheck
from billing.services import checking
from billing.taxes import TaxPart
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from tests.books import give
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # the books of several tenants are looked at
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    """One of four accounts, with three entries: one is taxed, one off the balance."""
    give(world.acme, 5)
    give(world.gamma, 10)
    account: BillingAccount = world.gamma.account
    part = TaxPart(world.acme_tax.pk, "VAT", Decimal(19), Decimal("0.19"), is_vat=True)
    taxed = ledger.debit(
        account.pk, "t", EntryKind.DEBIT, Decimal(1), "Taxed", taxes=[part]
    )
    apart = ledger.debit(
        account.pk, "a", EntryKind.DEBIT, Decimal(7), "Apart", is_on_balance=False
    )
    ledger.post([taxed, apart], by=system_actor(world.root), within_limits=True)
    return account


def _force(statement: str, account: BillingAccount) -> None:
    """What no trigger lets through: a broken disk, or a superuser at night."""
    with connection.cursor() as cursor:
        # What was posted rightly is looked at before; at the end it would seem wrong.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, [account.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_good_books_have_no_faults(
    world: World, account: BillingAccount, batch: int
) -> None:
    check = checking.check_ledger(batch=batch)
    assert (check.accounts, check.entries, check.faults) == (4, 4, 0)
    assert check.finished_at is not None
    assert checking.last_check() == check


def test_an_empty_system_is_right(db: None) -> None:
    assert checking.check_ledger().faults == 0


ENTRY = "UPDATE billing_ledgerentry SET {} WHERE account_id = %s AND key = '{}'"


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        (
            "UPDATE billing_billingaccount SET balance = balance + 0.000001 WHERE id = %s",
            ["balance"],
        ),
        (ENTRY.format("balance_after = balance_after + 1", "a"), ["chain"]),
        (ENTRY.format("balance_after = balance_after + 1", "t"), ["chain", "chain"]),
        (ENTRY.format("net = -1.01", "t"), ["taxes"]),
        (ENTRY.format("amount = -2, net = -1.81", "t"), ["balance", "chain"]),
        (ENTRY.format("is_on_balance = true", "a"), ["balance", "chain"]),
        (
            "DELETE FROM billing_entrytax WHERE entry_id IN"
            " (SELECT id FROM billing_ledgerentry WHERE account_id = %s)",
            ["taxes"],
        ),
        (
            "DELETE FROM billing_ledgerentry WHERE account_id = %s AND key LIKE 'test:%%'",
            ["balance", "chain"],
        ),
    ],
)
@pytest.mark.parametrize("batch", [1, 1000])
def test_fault_is_found_and_named(
    account: BillingAccount, statement: str, kinds: list[str], batch: int
) -> None:
    _force(statement, account)
    check = checking.check_ledger(batch=batch)
    found = checking.faults_of(check)
    assert [fault.kind for fault in found] == kinds
    assert {fault.account_id for fault in found} == {account.pk}
    assert check.faults == len(kinds)


def test_command_names_accounts_and_fails(
    account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = StringIO()
    call_command("check_ledger", stdout=output)
    assert output.getvalue() == "Accounts: 4, entries: 4, faults: 0.\n"
    _force("UPDATE billing_billingaccount SET balance = 1 WHERE id = %s", account)
    with pytest.raises(CommandError, match=rf"Gamma Bakery \(account {account.pk}\)"):
        call_command("check_ledger", stdout=output)
    _force(ENTRY.format("balance_after = 99", "t"), account)
    monkeypatch.setattr(checking, "MOST_FAULTS", 1)
    with pytest.raises(CommandError, match="and 2 more"):
        call_command("check_ledger", stdout=output)


def test_job_keeps_the_result_and_forgets_old_ones(
    account: BillingAccount, caplog: pytest.LogCaptureFixture
) -> None:
    old = timezone.now() - checking.KEPT - timedelta(days=1)
    LedgerCheck.objects.create(started_at=old, finished_at=old)
    _force("UPDATE billing_billingaccount SET balance = 1 WHERE id = %s", account)
    jobs.check_ledger()
    [check] = LedgerCheck.objects.all()
    assert check.found.get().kind == LedgerFaultKind.BALANCE
    assert "1 faults" in caplog.text
