"""Money for tests: balances come from entries only, in tests too."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from billing import ledger
from billing.choices import EntryKind
from billing.models import BillingAccount
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled


def give(customer: Customer, amount: Decimal | int | str) -> BillingAccount:
    """Credit ``amount`` to the balance, or take it off if it is negative; the account now."""
    with scopes_disabled():  # tests look at every account
        account = BillingAccount.objects.get(customer=customer)
        wanted = Decimal(amount)
        if not wanted:
            return account
        move = ledger.credit if wanted > 0 else ledger.debit
        kind = EntryKind.CREDIT if wanted > 0 else EntryKind.DEBIT
        posting = move(account.pk, f"test:{uuid4()}", kind, abs(wanted), "For the test")
        ledger.post([posting], by=system_actor(customer), within_limits=False)
        account.refresh_from_db()
    return account
