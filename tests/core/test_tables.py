"""Lists cut into pages by what was last seen: every row once, whatever the order."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import RequestFactory
from django.utils.html import format_html
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import BillingAccount
from customers.models import Customer
from customers.services.customers import _next_id
from portal.core import tables
from portal.core.scope import subtree
from portal.core.tables import BulkAction, Column, Empty, Table, build_table
from tests.books import give
from tests.world import World

COLUMNS = (
    Column("name", "Name", lambda row: row.name, sort="name_key"),
    Column("number", "Number", lambda row: row.account_number, sort="account_number"),
    Column("created", "Created", lambda row: row.created_at, sort="created_at"),
    Column("balance", "Balance", lambda row: "", sort="account__balance", align="end"),
    Column("kind", "Kind", lambda row: row.kind),
)
# How each sortable column orders rows, told again independently of the database.
ORDERS: dict[str, Callable[[Customer], Any]] = {
    "name": lambda row: row.name_key.encode(),
    "number": lambda row: row.account_number.encode(),
    "created": lambda row: row.created_at,
    "balance": lambda row: row.account.balance,
}
BEGIN = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """What distinguishes a made-up customer: values that often fall together."""

    name: str
    number: str
    microseconds: int
    balance: Decimal


made = st.builds(
    Made,
    name=st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=5
    ),
    number=st.text("019aZ", max_size=3),
    microseconds=st.integers(0, 2500),
    balance=st.decimals(-2, 2, places=6, allow_nan=False),
)


def _make(world: World, everybody: list[Made]) -> list[Customer]:
    """These customers below Gamma, who has none otherwise."""
    rows = []
    for position, each in enumerate(everybody):
        pk = _next_id()
        rows.append(
            Customer(
                pk=pk,
                parent=world.gamma,
                path=f"{world.gamma.path}{pk}.",
                name=f"{each.name} {position}",
                account_number=f"{each.number}-{position}",
                email="a@b.test",
                created_at=BEGIN + timedelta(microseconds=each.microseconds),
            )
        )
    Customer.objects.bulk_create(rows)
    BillingAccount.objects.bulk_create(
        BillingAccount(
            customer=row,
            provider=world.gamma,
            plan=world.beta_plan,
            currency="EUR",
            bill_type="prepaid",
        )
        for row in rows
    )
    for row, each in zip(rows, everybody, strict=True):
        give(row, each.balance)
    return list(Customer.objects.filter(parent=world.gamma).select_related("account"))


def _table(query: str = "", *, size: int = 3, queryset: Any = None) -> Table:
    if queryset is None:
        queryset = Customer.objects.select_related("account")
    return build_table(
        RequestFactory().get(f"/{query}"),
        queryset,
        COLUMNS,
        id="rows",
        caption="Rows",
        default_sort="name",
        row_url=lambda row: f"/{row.pk}/",
        empty=Empty("Nothing", "Nothing yet."),
        page_size=size,
    )


def _walk(query: str, *, size: int, of: Any) -> tuple[list[list[int]], list[list[int]]]:
    """Page by page to the end, then back to the beginning."""
    forward, back = [], []
    table = _table(query, size=size, queryset=of)
    forward.append([row.pk for row in table.rows])
    while table.next_url:
        table = _table(table.next_url, size=size, queryset=of)
        forward.append([row.pk for row in table.rows])
    back.append([row.pk for row in table.rows])
    while table.previous_url:
        table = _table(table.previous_url, size=size, queryset=of)
        back.append([row.pk for row in table.rows])
    return forward, back


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    everybody=st.lists(made, min_size=1, max_size=11),
    key=st.sampled_from(sorted(ORDERS)),
    descending=st.booleans(),
    size=st.integers(1, 4),
)
def test_walking_there_and_back_gives_every_row_once(
    world: World, everybody: list[Made], key: str, descending: bool, size: int
) -> None:
    with transaction.atomic(), subtree(world.gamma):
        rows = _make(world, everybody)
        order = ORDERS[key]
        expected = [
            row.pk
            for row in sorted(
                rows, key=lambda row: (order(row), row.pk), reverse=descending
            )
        ]
        queryset = Customer.objects.filter(parent=world.gamma).select_related("account")
        query = f"?sort={'-' if descending else ''}{key}"
        forward, back = _walk(query, size=size, of=queryset)
        transaction.set_rollback(True)
    assert [pk for page in forward for pk in page] == expected
    assert all(page for page in forward)
    assert back == forward[::-1]


@pytest.fixture
def seven(world: World) -> Any:
    """Seven customers of Gamma, in its scope."""
    with subtree(world.gamma):
        _make(
            world,
            [Made(f"Kunde {n}", "1", 1000 * n, Decimal(n)) for n in range(7)],
        )
        yield Customer.objects.filter(parent=world.gamma).select_related("account")


def _first(table: Table) -> str:
    return table.rows[0].label


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?sort=",
        "?sort=kind",  # not sortable
        "?sort=-kind",
        "?sort=--name",
        "?sort=pk",
        "?sort=parent__email",
        "?sort=name;drop",
        "?after=",
        "?after=%21",
        "?after=AAAA",
        "?before=é",
        "?after=a&at=x",
        "?page=2",
    ],
)
def test_wrong_sort_or_cursor_gives_the_first_page(seven: Any, query: str) -> None:
    table = _table(query, queryset=seven)
    assert _first(table) == "Kunde 0 0"
    assert table.previous_url == ""
    assert table.count_text == "1\u20133 of 7"


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


@pytest.mark.parametrize("direction", ["after", "before"])
@pytest.mark.parametrize(
    ("sort", "forged"),
    [
        ("name", '["a\\u0000b", 1]'),
        ("name", '["\\ud800", 1]'),
        ("name", "[null, 1]"),
        ("name", '["a", null]'),
        ("name", '["a", "x"]'),
        ("name", '["a", Infinity]'),
        ("name", '["a", NaN]'),
        ("name", '["a"]'),
        ("name", '["a", 1, 2]'),
        ("name", '{"a": 1}'),
        ("name", "7"),
        ("name", "[" * 5000),
        ("balance", '["NaN", 1]'),
        ("balance", '["Infinity", 1]'),
        ("balance", '["1e400000", 1]'),
        ("balance", '["x", 1]'),
        ("balance", "[[1], 1]"),
        ("created", '["2026-01-01", 1]'),
        ("created", '["2026-01-01T00:00:00", 1]'),
        ("created", '["never", 1]'),
        ("created", "[5, 1]"),
    ],
)
def test_forged_cursor_is_no_cursor(
    seven: Any, sort: str, forged: str, direction: str
) -> None:
    table = _table(f"?sort={sort}&{direction}={_cursor(forged)}", queryset=seven)
    assert _first(table) == "Kunde 0 0"


@pytest.mark.parametrize("place", ["²", "-5", "9" * 30, "9" * 5000, "", "x"])
def test_forged_place_is_no_place(seven: Any, place: str) -> None:
    cursor = _cursor(json.dumps(["", 0]))
    table = _table(f"?after={cursor}&at={place}", queryset=seven)
    assert table.count_text == "1\u20133 of 7"


def test_ids_beyond_any_row_end_the_list_where_it_ends(seven: Any) -> None:
    after = _cursor(json.dumps(["zzz", 10**30]))
    table = _table(f"?after={after}", queryset=seven)
    assert _first(table) == "Kunde 0 0"  # nothing is there, so it begins again
    before = _cursor(json.dumps(["zzz", 10**30]))
    table = _table(f"?before={before}", queryset=seven)
    assert [row.label for row in table.rows][-1] == "Kunde 6 6"


def test_page_whose_rows_are_gone_gives_the_first(seven: Any) -> None:
    second = _table(queryset=seven).next_url
    left = seven.filter(name__in=["Kunde 0 0", "Kunde 1 1"])
    table = _table(second, queryset=left)
    assert [row.label for row in table.rows] == ["Kunde 0 0", "Kunde 1 1"]
    assert table.count_text == "1\u20132 of 2"


def test_links_keep_the_filters_and_sorting_begins_at_the_top(seven: Any) -> None:
    first = _table("?q=kunde&sort=-name&x=%26", queryset=seven)
    second = _table(first.next_url, queryset=seven)
    assert _first(second) == "Kunde 3 3"
    for url in (first.next_url, second.previous_url):
        assert "q=kunde" in url
        assert "sort=-name" in url
        assert "x=%26" in url
    headings = {heading.key: heading for heading in second.columns}
    assert headings["name"].sorted == "desc"
    assert headings["name"].sort_url == "?q=kunde&sort=name&x=%26"
    assert headings["created"].sort_url == "?q=kunde&sort=created&x=%26"
    assert headings["kind"].sort_url == ""


def test_counting_stops_at_its_limit(
    seven: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _table(queryset=seven).count_text == "1\u20133 of 7"
    monkeypatch.setattr(tables, "COUNT_LIMIT", 5)
    table = _table(queryset=seven)
    assert table.count_text == "1\u20133 of more than 5"
    second = _table(table.next_url, queryset=seven)
    assert second.count_text == "4\u20136 of more than 5"


def test_empty_list_shows_what_to_do_and_no_count(world: World) -> None:
    with subtree(world.gamma):
        table = _table(queryset=Customer.objects.none())
    assert (table.rows, table.count_text, table.next_url) == ([], "", "")
    assert table.empty.title == "Nothing"


def test_cells_are_escaped_unless_they_are_safe(seven: Any) -> None:
    seven.filter(name="Kunde 0 0").update(name="<b>0")
    row = _table(queryset=seven).rows[0]
    assert row.cells[0].html == "&lt;b&gt;0"
    safe = Column("safe", "Safe", lambda each: format_html("<i>{}</i>", each.name))
    table = build_table(
        RequestFactory().get("/"),
        seven,
        [COLUMNS[0], safe],
        id="rows",
        caption="Rows",
        default_sort="name",
        row_url=lambda each: "",
        empty=Empty("", ""),
        bulk_actions=[BulkAction("lock", "Lock", "lock")],
    )
    assert table.rows[0].cells[1].html == "<i>&lt;b&gt;0</i>"
    assert table.selectable


def test_page_costs_two_queries_wherever_it_is(
    seven: Any, django_assert_num_queries: Any
) -> None:
    url = ""
    for _page in range(3):
        with django_assert_num_queries(2):
            url = _table(url, queryset=seven).next_url
