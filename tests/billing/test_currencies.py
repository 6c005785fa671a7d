"""Exchange rates: conversion, entering, files, pages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from billing.forms.currencies import LARGEST_FILE, pack, unpack
from billing.models import ExchangeRate
from billing.selectors import Rates
from billing.services import currencies
from billing.services.rate_file import read_rates
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from tests.billing.pages import labels_of, url_of
from tests.customers.features import actions_of, queries_of, refusals_of
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World, build_world

HISTORY = """Date,USD,JPY,CYP,
2026-11-20,1.0850,165.20,N/A,
2026-11-19,1.0800,164.90,N/A,
2007-12-31,1.4721,164.93,0.585274,
"""
ONE_DAY = "Date, USD, JPY, GBP, \n20 November 2026, 1.0850, 165.20, 0.83190, \n"


@pytest.fixture
def rates(db: None) -> None:
    for currency, day, rate in (
        ("USD", "2026-11-10", "1.10"),
        ("USD", "2026-11-20", "1.25"),
        ("JPY", "2026-11-19", "160"),
        ("GBP", "2026-11-25", "0.8"),
    ):
        ExchangeRate.objects.create(currency=currency, on=day, rate=rate)


@pytest.fixture
def olga(world: World) -> Client:
    return world.client(world.olga)


# --- Conversion -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "amount", "currency", "wanted", "expected"),
    [
        ("2026-11-20", "10", "EUR", "EUR", "10"),
        ("2026-11-20", "10", "EUR", "USD", "12.5"),
        ("2026-11-20", "10", "USD", "EUR", "8"),
        ("2026-11-25", "10", "EUR", "USD", "12.5"),  # the last one before it
        ("2026-11-19", "10", "EUR", "USD", "11"),
        ("2026-11-10", "10", "EUR", "USD", "11"),
        ("2026-11-20", "1.25", "USD", "JPY", "160"),  # across the euro
        ("2026-11-20", "0", "USD", "KWD", "0"),  # nothing needs no rate
    ],
)
def test_amounts_are_converted_with_the_rate_of_the_day_or_the_last_before(
    rates: None, day: str, amount: str, currency: str, wanted: str, expected: str
) -> None:
    table = Rates(date.fromisoformat(day))
    assert table.convert(Decimal(amount), currency, wanted) == Decimal(expected)


@pytest.mark.parametrize(
    ("day", "currency"), [("2026-11-09", "USD"), ("2026-11-20", "GBP")]
)
def test_a_rate_of_a_later_day_does_not_count(
    rates: None, day: str, currency: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Rates(date.fromisoformat(day)).convert(Decimal(1), currency, "EUR")
    assert caught.value.code == "no_rate"


# --- Files ----------------------------------------------------------------------------


def test_a_file_of_many_days() -> None:
    file = read_rates(HISTORY)
    assert file.rates == {
        ("USD", date(2026, 11, 20)): Decimal("1.0850"),
        ("JPY", date(2026, 11, 20)): Decimal("165.20"),
        ("USD", date(2026, 11, 19)): Decimal("1.0800"),
        ("JPY", date(2026, 11, 19)): Decimal("164.90"),
        ("USD", date(2007, 12, 31)): Decimal("1.4721"),
        ("JPY", date(2007, 12, 31)): Decimal("164.93"),
    }
    assert (file.values, file.empty, file.left_out, file.wrong) == (9, 2, 1, 0)
    assert file.old_currencies == ["CYP"]


def test_a_file_of_one_day_with_its_date_in_words() -> None:
    file = read_rates(ONE_DAY)
    assert {day for _currency, day in file.rates} == {date(2026, 11, 20)}
    assert len(file.rates) == file.values == 3


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("2026-13-01,1,2", "Line 2: “2026-13-01” is no date."),
        ("31 Nov 2026,1,2", "Line 2: “31 Nov 2026” is no date."),
        ("2026-11-20,1", "Line 2: 1 values where 2 belong."),
        ("2026-11-20,1,2,3", "Line 2: 3 values where 2 belong."),
        ("2026-11-20,one,2", "Line 2: USD: “one” is no rate."),
        ("2026-11-20,0,2", "Line 2: USD: “0” is no rate."),
        ("2026-11-20,-1,2", "Line 2: USD: “-1” is no rate."),
        ("2026-11-20,NaN,2", "Line 2: USD: “NaN” is no rate."),
        ("2026-11-20,1e99,2", "Line 2: USD: “1e99” is no rate."),
        (
            "2026-11-20,1,2\n2026-11-20,1,N/A",
            "Line 3: USD stands there twice for this day.",
        ),
    ],
)
def test_mistakes_are_told_with_their_line_and_every_value_is_counted(
    line: str, error: str
) -> None:
    file = read_rates(f"Date,USD,JPY\n{line}\n2026-11-18,1.1,160\n")
    assert file.errors == [error]
    assert ("USD", date(2026, 11, 18)) in file.rates
    told = len(file.rates) + file.empty + file.left_out + file.wrong
    assert told == file.values


def test_lines_may_end_as_on_any_machine() -> None:
    for end in ("\r", "\n", "\r\n"):
        file = read_rates(f"Date,USD{end}2026-11-20,1.1{end}")
        assert file.rates == {("USD", date(2026, 11, 20)): Decimal("1.1")}


@pytest.mark.parametrize(
    ("row", "mistake"),
    [
        (f'"{"x" * 200_000}', "Line 3: This cannot be read."),
        (f"20 November {10**20},1.1", "is no date."),
    ],
)
def test_what_is_no_line_is_told_and_the_rest_is_read(row: str, mistake: str) -> None:
    file = read_rates(f"Date,USD\n2026-11-20,1.1\n{row}")
    assert len(file.rates) == file.wrong == 1
    assert file.errors[0].endswith(mistake)


@pytest.mark.parametrize("text", ["", "\n\n", "Day,USD\n", "Date\n", "{}", "\x00"])
def test_what_is_no_file_of_rates(text: str) -> None:
    file = read_rates(text)
    assert not file.rates
    assert file.errors == [
        "Line 1: The first line must read: Date, USD, JPY, and so on."
    ]


def test_importing_twice_changes_nothing_the_second_time(world: World) -> None:
    by, file = world.actor(world.olga), read_rates(HISTORY)
    assert currencies.check_import(file) == currencies.ImportCounts(6, 0, 0)
    assert not ExchangeRate.objects.exists()
    assert currencies.import_rates(file=file, by=by).added == 6
    assert currencies.import_rates(file=file, by=by) == currencies.ImportCounts(0, 0, 6)
    corrected = read_rates(HISTORY.replace("1.0850", "1.0851"))
    assert currencies.check_import(corrected) == currencies.ImportCounts(0, 1, 5)
    assert currencies.import_rates(file=corrected, by=by).changed == 1
    assert ExchangeRate.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_add_each_rate_once() -> None:
    world = build_world()
    by, file = world.actor(world.olga), read_rates(HISTORY)
    results = race(*[lambda: currencies.import_rates(file=file, by=by)] * 3)
    assert sorted(counts.added for counts in results) == [0, 0, 6]
    assert ExchangeRate.objects.count() == 6


# --- Entering -------------------------------------------------------------------------


def test_a_rate_entered_again_replaces_the_first_and_is_in_the_log(
    world: World,
) -> None:
    by, day = world.actor(world.olga), date(2026, 11, 20)
    for rate in ("1.1", "1.2", "1.2"):
        row = currencies.set_rate(currency="USD", on=day, rate=Decimal(rate), by=by)
    assert ExchangeRate.objects.get().rate == Decimal("1.2")
    assert actions_of(row) == ["exchange_rate.updated", "exchange_rate.created"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"currency": "EUR"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"rate": Decimal(0)}, "rate"),
        ({"rate": Decimal(-1)}, "rate"),
        ({"on": timezone.now().date() + timedelta(days=2)}, "on"),
    ],
)
def test_what_a_rate_cannot_be(
    world: World, values: dict[str, Any], field: str
) -> None:
    fields: dict[str, Any] = {
        "currency": "USD",
        "on": date(2026, 11, 20),
        "rate": Decimal(1),
    }
    with pytest.raises(ValidationError) as caught:
        currencies.set_rate(by=world.actor(world.olga), **(fields | values))
    assert list(refusals_of(caught)) == [field]


def test_only_the_system_owner_enters_rates(world: World) -> None:
    by = world.actor(world.ann)
    with pytest.raises(PermissionDenied):
        currencies.set_rate(currency="USD", on=date(2026, 1, 1), rate=Decimal(1), by=by)
    with pytest.raises(PermissionDenied):
        currencies.import_rates(file=read_rates(HISTORY), by=by)
    client = world.client(world.ann)
    for name in ("rate-create", "rate-import"):
        assert client.get(url_of(world.acme, name)).status_code == 403
    page = client.get(url_of(world.acme, "rate-list"))
    assert page.status_code == 200
    assert not page.context["page_actions"]


# --- Pages ----------------------------------------------------------------------------


def test_the_list_shows_the_newest_of_each_or_all_of_one(
    world: World, rates: None, olga: Client
) -> None:
    url = url_of(world.root, "rate-list")
    assert labels_of(olga.get(url)) == [
        "1 EUR = 0.8 GBP (2026-11-25)",
        "1 EUR = 160 JPY (2026-11-19)",
        "1 EUR = 1.25 USD (2026-11-20)",
    ]
    assert labels_of(olga.get(f"{url}?currency=USD")) == [
        "1 EUR = 1.25 USD (2026-11-20)",
        "1 EUR = 1.1 USD (2026-11-10)",
    ]


def test_the_list_costs_the_same_for_one_and_for_many(
    world: World, olga: Client
) -> None:
    url = url_of(world.root, "rate-list")
    ExchangeRate.objects.create(currency="USD", on="2026-01-01", rate=1)
    before = queries_of(olga, url)
    for day in range(2, 8):
        ExchangeRate.objects.create(currency="JPY", on=f"2026-01-0{day}", rate=1)
    assert queries_of(olga, url) == before <= 30


def test_a_rate_is_entered_on_its_page(world: World, olga: Client) -> None:
    url = f"{url_of(world.root, 'rate-create')}?currency=USD&on=2026-11-20"
    answer = send(olga, url, rate="1,0850")
    assert answer.url == url_of(world.root, "rate-list")
    assert ExchangeRate.objects.get().rate == Decimal("1.0850")
    form = olga.get(url).context["form"]
    assert form["rate"].value() == "1.085"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rate": "0"}, "rate"),
        ({"rate": "much"}, "rate"),
        ({"currency": "EUR"}, "currency"),
        ({"on": "never"}, "on"),
        ({"on": "2999-01-01"}, "on"),
    ],
)
def test_the_page_refuses_at_the_field(
    world: World, olga: Client, changes: dict[str, str], field: str
) -> None:
    entries = {"currency": "USD", "on": "2026-11-20", "rate": "1"} | changes
    answer = send(olga, url_of(world.root, "rate-create"), **entries)
    assert list(errors_of(answer)) == [field]


@pytest.mark.parametrize("query", ["currency=x&on=2026-99-99", "on=x", "currency=EUR"])
def test_odd_addresses_open_an_empty_form(
    world: World, olga: Client, query: str
) -> None:
    url = f"{url_of(world.root, 'rate-create')}?{query}"
    assert olga.get(url).status_code == 200


def upload(world: World, client: Client, content: bytes) -> Any:
    url = url_of(world.root, "rate-import")
    entries = entries_of(client.get(url))
    entries["file"] = SimpleUploadedFile("rates.csv", content, "text/csv")
    return client.post(url, entries)


def test_a_file_is_checked_first_and_then_imported(world: World, olga: Client) -> None:
    content = HISTORY + "2026-11-18,x,160,N/A,\n"
    page = upload(world, olga, content.encode())
    assert page.status_code == 200
    rows = {row["label"]: row["value"] for row in page.context["rows"]}
    whole = rows.pop("Values in the file")
    assert rows["New rates"] == 7
    assert rows["Not understood: not imported"] == 1
    assert sum(rows.values()) == whole == 12
    assert "Line 5: USD: “x” is no rate." in page.content.decode()
    assert not ExchangeRate.objects.exists()
    url = url_of(world.root, "rate-import")
    entries = entries_of(page)
    for _time in range(2):  # a second click does nothing more
        assert olga.post(url, entries).url == url_of(world.root, "rate-list")
    assert ExchangeRate.objects.count() == 7
    with scopes_disabled():
        events = AuditEvent.objects.filter(action="exchange_rate.imported")
        assert events.count() == 1


def test_a_file_with_nothing_new_has_no_button(world: World, olga: Client) -> None:
    currencies.import_rates(file=read_rates(HISTORY), by=world.actor(world.olga))
    page = upload(world, olga, HISTORY.encode())
    assert "every rate is there" in page.context["refusal"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hello", b"Date,USD\n"])
def test_what_is_no_file_of_rates_is_refused(
    world: World, olga: Client, content: bytes
) -> None:
    assert list(errors_of(upload(world, olga, content))) == ["file"]


def test_a_file_that_no_page_could_carry_back_is_refused_at_once(
    world: World, olga: Client
) -> None:
    chance = Random(1)  # the same numbers each time, without any order among them
    days = (date(2026, 11, 20) - timedelta(days=number) for number in range(9_000))
    lines = [
        ",".join([f"{day}", *(f"0.{chance.randrange(10**9)}" for _rate in range(40))])
        for day in days
    ]
    header = ",".join(["Date", *["USD"] * 40])
    content = "\n".join([header, *lines]).encode()
    assert len(content) < LARGEST_FILE
    assert errors_of(upload(world, olga, content)) == {
        "file": ["The file is too large."]
    }


@pytest.mark.parametrize("content", ["", "x", "AAAA", "é", pack("")])
def test_a_page_that_carries_no_file_asks_for_it_again(
    world: World, olga: Client, content: str
) -> None:
    url = url_of(world.root, "rate-import")
    assert olga.post(url, {"content": content}).url == url
    assert not ExchangeRate.objects.exists()


def test_a_packed_file_is_never_larger_than_a_file_may_be() -> None:
    text = "1" * (LARGEST_FILE + 10)
    assert unpack(pack(text)) == text[:LARGEST_FILE]
    assert unpack(pack("Größe")) == "Größe"


def test_a_day_to_come_is_refused_on_the_page(world: World, olga: Client) -> None:
    page = upload(world, olga, b"Date,USD\n2999-01-01,1.1\n")
    answer = olga.post(url_of(world.root, "rate-import"), entries_of(page))
    assert answer.status_code == 422
    assert "Rates of days to come" in answer.content.decode()
