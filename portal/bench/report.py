"""The figures as a table, on the screen and in docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import django
from django.db import connection

from portal.bench.charging import CLIENTS, Rate
from portal.bench.invoicing import Invoicing, Memory
from portal.bench.measuring import Figures, Scenario

# The targets: a list at the larger size against the smaller one, and queries of a page.
LIST_RATIO = 1.5
MOST_QUERIES = 30


@dataclass(frozen=True, slots=True)
class Line:
    """A scenario at both sizes."""

    scenario: Scenario
    small: Figures
    large: Figures

    @property
    def ratio(self) -> float:
        """How much longer it takes at the larger size (p95)."""
        return self.large.p95 / self.small.p95

    @property
    def verdict(self) -> str:
        """What the targets say; they are about pages, not about saving."""
        if not self.scenario.is_page:
            return ""
        missed = []
        if self.scenario.is_list and self.ratio > LIST_RATIO:
            missed.append(f"over {LIST_RATIO} times")
        if self.large.queries > MOST_QUERIES:
            missed.append(f"over {MOST_QUERIES} queries")
        return f"missed: {', '.join(missed)}" if missed else "met"


@dataclass(frozen=True, slots=True)
class Report:
    """One run: its lines, at which sizes, when and where."""

    lines: Sequence[Line]
    sizes: tuple[int, int]
    on: date
    machine: str
    rates: Sequence[Rate] = ()
    invoicing: Invoicing | None = None

    def text(self) -> str:
        """Columns for the screen."""
        pages = [self._heading(), *(self._cells(line) for line in self.lines)]
        text = _columns(pages, {0, 7})
        if self.rates:
            text = f"{text}\n\n{_rates_text('Charging', self.rates)}"
        if self.invoicing:
            text = f"{text}\n\n{_rates_text('Invoices', self.invoicing.rates)}"
            text = f"{text}\n\n{memory_words(self.invoicing.memory)}"
        return text

    def markdown(self) -> str:
        """The page docs/performance.md."""
        small, large = self.sizes
        rows = "\n".join(f"| {' | '.join(self._cells(line))} |" for line in self.lines)
        return f"""# Performance

Measured on {self.on.isoformat()} by `make bench`, which writes this page.

Machine: {self.machine}.

Milliseconds of server time of a request, without the network: middleware, queries and
templates. Each figure is made of {len(self.lines[0].large.times)} requests after a warm-up,
every one with other rows, in turns at both sizes. The reseller measured has 60 % of all
customers directly below it. Ratio: p95 at {large:,} customers to p95 at {small:,}.
Targets: a list within {LIST_RATIO} times, a page with at most {MOST_QUERIES} queries.

| {" | ".join(self._heading())} |
|---|---:|---:|---:|---:|---:|---:|---|
{rows}

Saving counts every statement: the savepoints, the audit log and the mail that is written
with the customer. The last lines are the Django admin's list of the same customers, for
comparison; it looks through all levels of the tree.
{rates_markdown(self.rates)}{invoicing_markdown(self.invoicing)}"""

    def _heading(self) -> tuple[str, ...]:
        small, large = (f"{size:,}" for size in self.sizes)
        return (
            "Page",
            "Ratio",
            f"p50 at {small}",
            f"p95 at {small}",
            f"p50 at {large}",
            f"p95 at {large}",
            "Queries",
            "Targets",
        )

    def _cells(self, line: Line) -> tuple[str, ...]:
        return (
            line.scenario.name,
            f"{line.ratio:.2f}",
            f"{line.small.p50:.1f}",
            f"{line.small.p95:.1f}",
            f"{line.large.p50:.1f}",
            f"{line.large.p95:.1f}",
            f"{line.large.queries}",
            line.verdict,
        )


RATE_HEADING = ("A second", "Compared with", "Ratio", "Target")


def rates_markdown(rates: Sequence[Rate]) -> str:
    """The part of the page about charging, if it was measured."""
    if not rates:
        return ""
    return f"""
## Charging

A charge is one ledger entry within a credit limit, on each level that pays; {CLIENTS} clients
charge at once, in processes of their own, in turns with pgbench. The ratio is the median of
the ratios of the rounds, to be trusted where the rates themselves depend on what else the
machine does. pgbench -s 1 has one row that all its transactions update, as a hot account is.

{_rates_table("Charging", rates)}
"""


def invoicing_markdown(figures: Invoicing | None) -> str:
    """The part of the page about invoices, if they were measured."""
    if figures is None:
        return ""
    return f"""
## Invoices

PDFs are PDF/A-3 with their XML inside, in turns with WeasyPrint laying out the same document,
all its rows in one table, as a plain PDF: a ratio of 2 is twice as fast. XML is that of the
shortest invoice; validated is by the schema and the official rules. A run charges the fees
and issues the invoices of its customers, in processes that share its parts; files are drawn
afterwards.

{_rates_table("Invoices", figures.rates)}

{memory_words(figures.memory)}
"""


def memory_words(memory: Memory) -> str:
    """How much a process that draws has held at most, in a sentence."""
    return (
        f"Memory of a process that draws PDFs: {memory.after_few:.0f} MB at most after"
        f" {memory.few}, {memory.after_many:.0f} MB after {memory.many}:"
        f" {memory.ratio:.2f} times as much; {memory.verdict}."
    )


def _rates_table(title: str, rates: Sequence[Rate]) -> str:
    rows = "\n".join(f"| {' | '.join(_rate_cells(rate))} |" for rate in rates)
    return f"| {' | '.join((title, *RATE_HEADING))} |\n|---|---:|---|---:|---|\n{rows}"


def _rates_text(title: str, rates: Sequence[Rate]) -> str:
    cells = [(title, *RATE_HEADING), *(_rate_cells(rate) for rate in rates)]
    return _columns(cells, {0, 2, 4})


def _rate_cells(rate: Rate) -> tuple[str, ...]:
    ratio = "" if rate.ratio is None else f"{rate.ratio:.2f}"
    return (
        rate.name,
        _figure(rate.per_second),
        rate.compared_with,
        ratio,
        rate.verdict,
    )


def _figure(per_second: float) -> str:
    """Whole, but for the slow ones."""
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.3g}"


def _columns(rows: Sequence[tuple[str, ...]], texts: set[int]) -> str:
    """Aligned for the screen; the columns ``texts`` to the left, figures to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in texts else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def machine() -> str:
    """Cores, memory and versions, as far as figures depend on them."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    return (
        f"{os.cpu_count()} cores, {_memory()} GiB of memory, {platform.system()}"
        f" {platform.machine()}, Python {platform.python_version()},"
        f" Django {django.get_version()}, PostgreSQL {postgres.split()[0]}"
    )


def _memory() -> int:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return round(pages * size / 1024**3)


def write(report: Report, path: Path) -> None:
    path.write_text(report.markdown(), encoding="utf-8")
