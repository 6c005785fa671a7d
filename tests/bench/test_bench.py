"""The bench on tiny sizes: it runs, counts and reports. Seconds are never asserted."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.models import Invoice
from billing.services import checking
from customers.models import Customer
from portal.bench import charging, charging_rows, invoicing, measuring
from portal.bench.charging import Rate
from portal.bench.entries import entries_of
from portal.bench.invoicing import Memory
from portal.bench.measuring import Figures, Scenario, Side, WrongAnswerError, percentile
from portal.bench.report import (
    LIST_RATIO,
    MOST_QUERIES,
    Line,
    Report,
    invoicing_markdown,
    machine,
    memory_words,
    rates_markdown,
)
from portal.core.scope import scopes_disabled
from portal.demo import business
from portal.management.commands import bench
from tests.world import World

NAMES = [
    "List: first page",
    "List: deep page, by name",
    "List: filtered",
    "List: sorted by balance",
    "List: deep page, by balance",
    "List: all levels",
    "List: search as one types, many found",
    "List: search by a whole name",
    "Search box, as one types",
    "Open a customer",
    "Open the form: normal",
    "Open the form: residential",
    "Create a normal customer",
    "Create a residential customer",
    "Django admin: list of customers",
    "Django admin: search",
]
RATES = [
    "Charges on one hot account",
    "Charges on 20 accounts",
    "Charges through a chain of 4 levels",
    "Close of a period: 3 accounts with 3 fees each",
    "Close of a period: 7 accounts with 3 fees each",
    "Effective plan, on its own",
    "Effective plan, 6 levels deep",
]


def _databases() -> set[str]:
    with connection.cursor() as cursor:
        # Those of other workers come and go meanwhile.
        cursor.execute("SELECT datname FROM pg_database WHERE datname !~ '^test_'")
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_every_page_is_measured_at_both_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "WARM_UP", 1)
    monkeypatch.setattr(business, "MONTHS", 2)
    reports: list[Report] = []
    monkeypatch.setattr(bench, "write", lambda report, path: reports.append(report))
    before = _databases()
    call_command(
        "bench",
        sizes=[60, 300],
        repetitions=2,
        rounds=0,
        report=tmp_path / "performance.md",
        stdout=StringIO(),
    )
    [report] = reports
    assert [line.scenario.name for line in report.lines] == NAMES
    for line in report.lines:
        assert len(line.small.times) == len(line.large.times) == 2
        assert line.small.queries == line.large.queries > 0, line.scenario.name
        if line.scenario.is_page:
            assert line.large.queries <= MOST_QUERIES, line.scenario.name
    assert _databases() == before
    with scopes_disabled():  # the larger size is in the database itself
        assert Customer.objects.filter(name__startswith="Bench ").count() == 4


@pytest.mark.django_db(transaction=True)
def test_charging_is_measured(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging, "CLIENTS", 2)
    monkeypatch.setattr(charging_rows, "ACCOUNTS", 20)
    before = _databases()
    rates = charging.measure_charging(seconds=0.2, rounds=1, accounts=[3, 7])
    assert [rate.name for rate in rates] == RATES
    assert all(rate.per_second > 0 for rate in rates)
    assert "| Close of a period: 7 accounts" in rates_markdown(rates)
    assert _databases() == before
    with scopes_disabled():  # what was charged can be proven
        assert checking.check_ledger().faults == 0


@pytest.mark.django_db(transaction=True)
def test_invoicing_is_measured(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charging_rows, "ACCOUNTS", 20)
    figures = invoicing.measure_invoicing(rounds=1, customers=5, pdfs=2, lines=(3, 40))
    names = [rate.name for rate in figures.rates]
    assert names[0] == "PDF of 1 page"
    assert names[2:] == [
        "XML: UBL, written",
        "XML: UBL, written and validated",
        "XML: CII, written",
        "XML: CII, written and validated",
        "Run: 5 customers charged and invoiced, 1 worker",
        "Run: 5 customers charged and invoiced, 2 workers",
    ]
    assert all(rate.per_second > 0 for rate in figures.rates)
    assert figures.memory.after_many >= figures.memory.after_few > 0
    assert "| PDF of 1 page |" in invoicing_markdown(figures)
    with scopes_disabled():  # what was charged and invoiced can be proven
        assert checking.check_ledger().faults == 0
        assert Invoice.objects.count() == 10


@pytest.mark.parametrize(
    ("after_many", "verdict"), [(125.0, "met"), (126.0, "missed: over 1.25 times")]
)
def test_memory_is_bounded(after_many: float, verdict: str) -> None:
    memory = Memory(few=50, after_few=100.0, many=500, after_many=after_many)
    assert memory.verdict == verdict
    assert verdict in memory_words(memory)


def test_a_database_with_data_is_refused(world: World, tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    with pytest.raises(CommandError, match="empty one"):
        call_command("bench", report=path, stdout=StringIO())
    assert not path.exists()


def test_a_page_that_does_not_work_is_no_figure(db: None) -> None:
    scenario = Scenario("Broken", iter([lambda: HttpResponse(status=500)]))
    with pytest.raises(WrongAnswerError, match="Broken: 500 instead of 200"):
        measuring.measure([Side(connection, scenario)], 1)


@pytest.mark.parametrize(
    ("times", "share", "expected"),
    [
        ([5.0], 50, 5.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 95, 95.0),
        ([float(n) for n in range(1, 101)], 50, 50.0),
        ([1.0, 2.0], 95, 2.0),
    ],
)
def test_percentile(times: list[float], share: int, expected: float) -> None:
    assert percentile(times, share) == expected


def _line(small: float, large: float, *, queries: int = 10, status: int = 200) -> Line:
    scenario = Scenario("Page", iter(()), status=status, is_list=True)
    return Line(scenario, Figures(queries, [small]), Figures(queries, [large]))


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (_line(10, 10), "met"),
        (_line(10, 10 * LIST_RATIO), "met"),
        (_line(10, 15.1), "missed: over 1.5 times"),
        (_line(10, 10, queries=31), "missed: over 30 queries"),
        (_line(10, 20, queries=31), "missed: over 1.5 times, over 30 queries"),
        (_line(10, 20, queries=99, status=302), ""),
    ],
)
def test_targets(line: Line, verdict: str) -> None:
    assert line.verdict == verdict


@pytest.mark.parametrize(
    ("ratio", "target", "verdict"),
    [
        (0.7, 0.7, "met"),
        (0.69, 0.7, "missed: below 0.7"),
        (0.1, None, ""),
        (None, None, ""),
    ],
)
def test_targets_of_rates(
    ratio: float | None, target: float | None, verdict: str
) -> None:
    assert Rate("Charges", 100, "pgbench", ratio, target).verdict == verdict


def test_report_names_machine_day_and_ratio(db: None) -> None:
    report = Report(
        lines=[_line(10, 12)],
        sizes=(1_000, 100_000),
        on=date(2026, 11, 22),
        machine=machine(),
    )
    page = report.markdown()
    assert "Measured on 2026-11-22" in page
    assert "cores" in page
    assert "PostgreSQL" in page
    assert "| Page | 1.20 | 10.0 | 10.0 | 12.0 | 12.0 | 10 | met |" in page
    assert report.text().splitlines()[1].split()[:2] == ["Page", "1.20"]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<input name="a" value="1">', {"a": ["1"]}),
        ('<input name="a">', {"a": [""]}),
        ('<input type="submit" name="a" value="1">', {}),
        ('<input type="checkbox" name="a">', {}),
        ('<input type="checkbox" name="a" checked>', {"a": ["on"]}),
        (
            '<input type="checkbox" name="a" value="1" checked>'
            '<input type="checkbox" name="a" value="2" checked>',
            {"a": ["1", "2"]},
        ),
        ('<input type="radio" name="a" value="1" checked>', {"a": ["1"]}),
        (
            "<select name=a><option value=1><option value=2 selected></select>",
            {"a": ["2"]},
        ),
        ("<select name=a><option value=1><option value=2></select>", {"a": ["1"]}),
        ("<textarea name=a>two\nlines</textarea>", {"a": ["two\nlines"]}),
        ("</form><input name=a>", {}),
    ],
)
def test_entries_are_what_a_browser_sends(
    html: str, expected: dict[str, list[str]]
) -> None:
    page = f'<form><input name="x"></form><form data-guard>{html}</form>'
    assert entries_of(page) == expected


def test_a_page_without_the_form_is_no_form(db: None) -> None:
    with pytest.raises(LookupError):
        entries_of("<p>Choose a rate plan first.</p>")


def test_the_forms_of_the_portal_are_understood(world: World) -> None:
    client: Client = world.client(world.ann)
    url = reverse("customers:normal-create", kwargs={"account": world.acme.pk})
    entries = entries_of(client.get(url).content.decode())
    assert entries["plan"] == [str(world.acme_plan.pk)]
    assert entries["time_zone"] == ["Europe/Berlin"]
    assert entries["has_administrator"] == ["on"]
    assert "csrfmiddlewaretoken" in entries
