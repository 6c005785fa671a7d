"""Sixteen threads charge the customers of one reseller; the books stay exact."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from django.core.exceptions import ValidationError

from billing import ledger
from billing.choices import EntryKind
from billing.models import BilledFeature, BillingAccount, LedgerEntry
from billing.services import checking
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import Occurs
from tests.billing.tariffs import add, item, price, remove, set_account
from tests.books import give
from tests.race import race
from tests.world import World, _customer

THREADS = 16
CUSTOMERS = 50
EVENTS = 20  # of each thread, most of which another thread has too
FAR = {"fees_from": date(2020, 1, 1), "billed_until": date(2999, 1, 1)}


def _lay(world: World) -> list[Customer]:
    """Enough money for some of what is coming, at every level for another part of it."""
    clients = [
        _customer(world.beta, f"Client {number}", f"7{number}", plan=world.beta_plan)
        for number in range(CUSTOMERS)
    ]
    for customer in clients:
        set_account(customer, credit_limit=Decimal("1.5"), **FAR)
    give(world.beta, 40)
    give(world.acme, 60)
    for customer in (world.acme, world.beta):
        set_account(customer, credit_limit=Decimal("12.345678"), **FAR)
    return clients


@pytest.mark.django_db(transaction=True)
def test_limits_hold_and_sums_are_exact(world: World) -> None:
    with scopes_disabled():  # the whole tree is charged
        clients = _lay(world)
        chains = [
            [BillingAccount.objects.get(customer=one).pk for one in chain]
            for chain in ([client, world.beta, world.acme] for client in clients)
        ]
        actor = system_actor(world.root)
        posted: list[list[ledger.Posted]] = [[] for _thread in range(THREADS)]
        refused: Counter[int] = Counter()

        def charge(thread: int) -> None:
            draw = Random(thread // 2)  # two threads each have the same events
            for number in range(EVENTS):
                chain = draw.choice(chains)
                cost = Decimal(draw.randint(1, 999_999)) / 1_000_000
                costs = [cost * 3, cost * 2, cost]
                key = f"event:{thread // 2}:{number}"
                try:
                    posted[thread] += ledger.post(
                        [
                            ledger.debit(pk, key, EntryKind.DEBIT, part, "Stress")
                            for pk, part in zip(chain, costs, strict=True)
                        ],
                        by=actor,
                        within_limits=True,
                    )
                except ledger.CreditError as error:
                    refused.update(short.account_id for short in error.shortages)

        before = dict(BillingAccount.objects.values_list("pk", "balance"))
        results = race(*(lambda n=n: charge(n) for n in range(THREADS)))
        assert results == [None] * THREADS

        entries = LedgerEntry.objects.filter(description="Stress")
        by_account: dict[int, Decimal] = defaultdict(Decimal)
        for account_id, amount in entries.values_list("account_id", "amount"):
            by_account[account_id] += amount
        for account in BillingAccount.objects.all():
            assert account.balance >= -account.credit_limit
            assert account.balance == before[account.pk] + by_account[account.pk]
        # Nothing twice, and each entry was reported to exactly one thread.
        reported = [entry.entry_id for part in posted for entry in part]
        assert sorted(reported) == sorted(entries.values_list("pk", flat=True))
        # Whole chains or nothing.
        levels = Counter(entries.values_list("key", flat=True))
        assert levels
        assert set(levels.values()) == {3}
        assert refused, "the limits were never met: the test tries too little"
        assert checking.check_ledger().faults == 0


@pytest.mark.django_db(transaction=True)
def test_features_come_and_go_in_many_threads(world: World) -> None:
    """Chains are locked in the order of ids: nobody waits for a thread that waits."""
    with scopes_disabled():  # the whole tree is charged
        clients = _lay(world)
        price(world.root_plan, "0.25", occurs=Occurs.SIGNUP)
        price(world.acme_plan, "0.5", occurs=Occurs.SIGNUP)
        for plan in (world.root_plan, world.acme_plan):
            plan.refund_on_removal = True
            plan.save()

    def work(thread: int) -> int:
        draw, made = Random(thread), 0
        with scopes_disabled():  # threads have scopes of their own
            for number in range(3):
                customer = draw.choice([*clients, world.beta, world.acme])
                line = item(thread * 100 + number)
                try:
                    add(customer, line)
                except ValidationError:
                    continue
                made += 1
                if draw.random() < 0.3:
                    remove(customer, line)
                    made -= 1
        return made

    results = race(*(lambda n=n: work(n) for n in range(THREADS)))
    assert all(isinstance(result, int) for result in results), results
    with scopes_disabled():  # the whole tree is looked at
        assert BilledFeature.objects.filter(ended_at=None).count() == sum(results)
        for account in BillingAccount.objects.all():
            assert account.balance >= -account.credit_limit
        assert checking.check_ledger().faults == 0
