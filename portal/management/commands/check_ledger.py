"""Proves that balances, running balances and taxes are what the entries say."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.models import LedgerFault
from billing.services import checking


class Command(BaseCommand):
    help = (
        "Prove the books of all accounts: balances are the sums of their entries, each"
        " entry continues the one before it, and taxes add up. Exits with 1 and names the"
        " accounts that are wrong."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        check = checking.check_ledger()
        self.stdout.write(
            f"Accounts: {check.accounts:,}, entries: {check.entries:,},"
            f" faults: {check.faults:,}."
        )
        if check.faults:
            found = checking.faults_of(check)
            lines = [_line(fault) for fault in found]
            if check.faults > len(found):
                lines.append(f"and {check.faults - len(found):,} more")
            raise CommandError("\n".join(lines))


def _line(fault: LedgerFault) -> str:
    where = f", entry {fault.entry_id}" if fault.entry_id else ""
    return (
        f"{fault.account.customer.name} (account {fault.account_id}{where}): {fault.kind}"
        f" is {fault.present:f}, expected {fault.expected:f}"
    )
