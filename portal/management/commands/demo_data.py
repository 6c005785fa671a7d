"""Fills a database with an invented world, to look at or to measure with."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.demo import building, guard, logins


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
            "--print-logins",
            action="store_true",
            help="show who can sign in, one line for each role",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["first_start"]:
                building.build_world()
            if options["print_logins"]:
                self._print_logins()
        except guard.ForeignOwnerError as error:
            raise CommandError(str(error)) from error

    def _print_logins(self) -> None:
        if guard.demo_owner() is None:
            raise CommandError("There is no demo data yet: add --first-start.")
        self.stdout.write(logins.table(logins.demo_logins()))
