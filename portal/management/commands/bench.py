"""Measures the pages at two sizes and compares them; how fast is charged and invoiced."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from customers.services.installation import system_owner
from portal.bench.charging import measure_charging
from portal.bench.databases import two_databases, using
from portal.bench.invoicing import measure_invoicing
from portal.bench.measuring import Side, measure
from portal.bench.report import Line, Report, machine, write
from portal.bench.scenarios import Reseller
from portal.demo import building, crowd


class Command(BaseCommand):
    help = (
        "Fill an empty database with customers, measure the pages at two sizes, and"
        " write docs/performance.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sizes",
            type=int,
            nargs=2,
            default=[1_000, 100_000],
            metavar=("SMALL", "LARGE"),
            help="customers at which to measure (1000 100000)",
        )
        parser.add_argument(
            "--repetitions",
            type=int,
            default=100,
            help="requests that each figure is made of (100)",
        )
        parser.add_argument(
            "--accounts",
            type=int,
            nargs=2,
            default=[1_000, 10_000],
            metavar=("FEW", "MANY"),
            help="accounts of which a period is closed (1000 10000)",
        )
        parser.add_argument(
            "--seconds",
            type=float,
            default=5,
            help="of charging, in each of three rounds (5)",
        )
        parser.add_argument(
            "--rounds",
            type=int,
            default=3,
            help="of charging and pgbench, and of PDFs, in turns; 0 measures pages only (3)",
        )
        parser.add_argument(
            "--customers",
            type=int,
            default=1_000,
            help="whom a run charges and invoices (1000)",
        )
        parser.add_argument(
            "--pdfs",
            type=int,
            default=500,
            help="that a process draws, whose memory is measured (500)",
        )
        parser.add_argument(
            "--report",
            type=Path,
            default=settings.BASE_DIR / "docs/performance.md",
            help="the page to write (docs/performance.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if system_owner() is not None:
            raise CommandError("The bench fills the database: give it an empty one.")
        logging.disable(logging.INFO)  # of signing in
        small, large = options["sizes"]
        repetitions = options["repetitions"]
        building.build_world()  # what both begin with
        with two_databases() as (first, second):
            lines = self._measure({small: first, large: second}, repetitions)
            rates, invoicing = [], None
            if options["rounds"]:
                self.stdout.write("Measuring charges, closes and plans …")
                with using(first):
                    rates = measure_charging(
                        seconds=options["seconds"],
                        rounds=options["rounds"],
                        accounts=options["accounts"],
                    )
                self.stdout.write("Measuring invoices …")
                with using(second):
                    invoicing = measure_invoicing(
                        rounds=options["rounds"],
                        customers=options["customers"],
                        pdfs=options["pdfs"],
                    )
        report = Report(
            lines=lines,
            sizes=(small, large),
            on=timezone.localdate(),
            machine=machine(),
            rates=rates,
            invoicing=invoicing,
        )
        write(report, options["report"])
        self.stdout.write(f"\n{report.text()}\n\nWritten to {options['report']}.")

    def _measure(
        self, databases: dict[int, BaseDatabaseWrapper], repetitions: int
    ) -> list[Line]:
        """The figures of every page, at the smaller and at the larger size."""
        resellers = []
        for size, database in databases.items():
            self.stdout.write(f"Loading {size:,} customers …")
            with using(database):
                big = crowd.load_crowd(count=size, seed=size)
                resellers.append((database, Reseller(big, repetitions=repetitions)))
        lines = []
        for scenarios in zip(
            *(each.scenarios() for _db, each in resellers), strict=True
        ):
            self.stdout.write(f"Measuring {scenarios[0].name} …")
            sides = [
                Side(database, scenario)
                for (database, _reseller), scenario in zip(
                    resellers, scenarios, strict=True
                )
            ]
            first, second = measure(sides, repetitions)
            lines.append(Line(scenarios[0], first, second))
        return lines
