"""Fills a database with an invented world, to look at or to measure with."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.demo import building, crowd, guard, logins


class Command(BaseCommand):
    help = (
        "Load demo data. Never touches a database whose system owner is not the demo's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--first-start",
            action="store_true",
            help="make the small demo world unless it is there",
        )
        parser.add_argument(
            "--customers",
            type=int,
            default=0,
            metavar="N",
            help=f"add N customers in bulk, at least {crowd.MINIMUM}, five levels deep",
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=1,
            metavar="N",
            help="of the chance by which they are drawn (1)",
        )
        parser.add_argument(
            "--print-logins",
            action="store_true",
            help="show who can sign in, one line for each role",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["first_start"]:
                building.build_world()
            if options["customers"]:
                self._load_crowd(options["customers"], options["seed"])
            if options["print_logins"]:
                self._print_logins()
        except guard.ForeignOwnerError as error:
            raise CommandError(str(error)) from error

    def _load_crowd(self, count: int, seed: int) -> None:
        if count < crowd.MINIMUM:
            raise CommandError(f"--customers must be at least {crowd.MINIMUM}.")
        begin = time.monotonic()
        crowd.load_crowd(count=count, seed=seed)
        self.stdout.write(
            f"Added {count:,} customers in {time.monotonic() - begin:.0f} seconds."
        )

    def _print_logins(self) -> None:
        if guard.demo_owner() is None:
            raise CommandError("There is no demo data yet: add --first-start.")
        self.stdout.write(logins.table(logins.demo_logins()))
