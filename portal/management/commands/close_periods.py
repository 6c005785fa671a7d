"""Charges what is due, recurring fees of periods and charges, and issues invoices."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.models import PeriodRun
from billing.selectors import invoices_of
from billing.services.runs import BATCH, charge_all_due
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled

# What is charged in advance cannot be taken back at once: a year is meant, not a century.
FARTHEST = timedelta(days=366)


class Command(BaseCommand):
    help = (
        "Charge on every account the fees and charges that are due, then issue the invoices"
        " of the periods that have ended. It may be repeated, or go on after it was killed:"
        " nothing is charged or invoiced twice. Exits with 1 if an account failed; the"
        " others are charged all the same."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--on",
            type=date.fromisoformat,
            metavar="DATE",
            help="charge what is due by this day, such as 2026-02-01; by default the"
            " present day of each account, and a later day, at most a year from now,"
            " charges in advance",
        )
        parser.add_argument(
            "--batch",
            type=int,
            metavar="N",
            help=f"accounts that are charged in one transaction, {BATCH} at most by default",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        latest = local_date("UTC") + FARTHEST
        if options["on"] is not None and options["on"] > latest:
            raise CommandError(f"Nothing was charged: name a day until {latest}.")
        batch = options["batch"]
        run = self._run(options["on"], batch and max(1, batch))
        made = invoices_of(run)
        self.stdout.write(
            f"Accounts charged: {run.done}, failed: {run.failed}.\n"
            f"Accounts invoiced: {run.invoiced}, failed: {run.invoice_failed}."
            f" Invoices issued: {made.issued}, held back: {made.held}."
        )
        if run.is_stopped:
            raise CommandError(
                "The run was stopped before its end; it can be continued."
            )
        if run.failed + run.invoice_failed:
            raise CommandError("\n".join(_failures(run)))

    def _run(self, on: date | None, batch: int | None) -> PeriodRun:
        try:
            return charge_all_due(on=on, batch=batch)
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: workers go on with it, or the same command."
            ) from None


def _failures(run: PeriodRun) -> list[str]:
    with scopes_disabled():  # a command, run by nobody
        rows = run.failures.select_related("account__customer")
        return [
            f"{row.account.customer.name} (account {row.account_id}): {row.reason}"
            for row in rows
        ]
