"""Settings » Number series: what may be set, and that no number comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone

from billing.choices import InvoiceType
from billing.models import Invoice, InvoiceSeries
from billing.services import invoice_series
from portal.core.actor import Actor
from portal.core.models import AuditChange
from portal.core.scope import scopes_disabled
from tests.customers.features import actions_of
from tests.invoicing.bills import seller
from tests.invoicing.pages import invoice_of, text_of, url_of
from tests.pages import entries_of, errors_of
from tests.race import race
from tests.world import World, build_world

INVOICE, NOTE = InvoiceType.INVOICE, InvoiceType.CREDIT_NOTE
USUAL: dict[str, Any] = {"prefix": "", "has_year": True, "width": 5}
NOTES = {**USUAL, "prefix": "C-"}


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def year(world: World) -> int:
    """Acme has issued two invoices this year: 00001 and 00002."""
    seller(world.acme)
    invoice_of(world.beta, name="1")
    invoice_of(world.beta, name="2")
    return timezone.now().year


def set_to(world: World, invoices: dict[str, Any], notes: dict[str, Any]) -> None:
    invoice_series.update_series(
        issuer=world.acme,
        values={INVOICE: {**USUAL, **invoices}, NOTE: {**NOTES, **notes}},
        by=world.actor(world.ann),
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"prefix": "INV-"}, "INV-{year}-00003"),
        ({"width": 3}, "{year}-003"),
        ({"width": 10}, "{year}-0000000003"),
        ({"has_year": False}, "00001"),
        ({"has_year": False, "prefix": "R", "width": 1}, "R1"),
    ],
)
def test_next_invoice_has_the_number_that_was_set(
    world: World, year: int, values: dict[str, Any], expected: str
) -> None:
    set_to(world, values, {})
    number = expected.format(year=year)
    assert invoice_series.next_numbers(world.acme, year)[INVOICE] == number
    assert invoice_of(world.beta, name="next").number == number


@pytest.mark.parametrize(
    ("invoices", "notes", "field", "code"),
    [
        # 2026-00001 was given out while the year stood for itself.
        (
            {"prefix": "{year}-", "has_year": False},
            {},
            "invoice_prefix",
            "again",
        ),
        (
            {"has_year": False},
            {"prefix": "", "has_year": False},
            "credit_note_prefix",
            "shared",
        ),
        ({}, {"prefix": ""}, "credit_note_prefix", "shared"),
        ({}, {"prefix": "", "width": 9}, "credit_note_prefix", "shared"),
        # 1 + 00005 would be what counting to 100005 makes.
        (
            {"has_year": False},
            {"prefix": "1", "has_year": False},
            "credit_note_prefix",
            "shared",
        ),
        (
            {},
            {"prefix": "{year}-", "has_year": False},
            "credit_note_prefix",
            "shared",
        ),
    ],
)
def test_numbers_that_would_come_twice_are_refused(
    world: World,
    year: int,
    invoices: dict[str, Any],
    notes: dict[str, Any],
    field: str,
    code: str,
) -> None:
    filled = [
        {
            name: value.format(year=year) if name == "prefix" else value
            for name, value in values.items()
        }
        for values in (invoices, notes)
    ]
    with pytest.raises(ValidationError) as caught:
        set_to(world, *filled)
    [error] = caught.value.error_dict[field]
    assert error.code == code
    assert invoice_of(world.beta, name="next").number == f"{year}-00003"


def test_going_back_to_an_old_prefix_counts_on(world: World, year: int) -> None:
    set_to(world, {"prefix": "A"}, {})
    assert invoice_of(world.beta, name="a").number == f"A{year}-00003"
    set_to(world, {}, {})
    assert invoice_of(world.beta, name="b").number == f"{year}-00004"
    assert Invoice.objects.values("number").distinct().count() == 4


@pytest.mark.parametrize("missing", ["settings", "commerce"])
def test_only_those_who_may_set_it(world: World, missing: str) -> None:
    by = Actor(
        customer=world.acme, permissions=frozenset({"settings", "commerce"} - {missing})
    )
    with pytest.raises(PermissionDenied):
        invoice_series.update_series(
            issuer=world.acme, values={INVOICE: USUAL, NOTE: NOTES}, by=by
        )


@pytest.mark.parametrize(
    ("values", "expected", "told"),
    [
        ({"next": 1001}, "{year}-01001", ("{year}-00003", "{year}-01001")),
        ({"next": 3}, "{year}-00003", None),
        ({"next": None}, "{year}-00003", None),
        (
            {"next": 70, "has_year": False, "width": 2, "prefix": "R"},
            "R70",
            ("R01", "R70"),
        ),
        ({"next": 1000, "width": 3}, "{year}-1000", ("{year}-003", "{year}-1000")),
    ],
)
def test_counting_goes_on_from_a_higher_number(
    world: World,
    year: int,
    values: dict[str, Any],
    expected: str,
    told: tuple[str, str] | None,
) -> None:
    set_to(world, values, {})
    assert invoice_of(world.beta, name="next").number == expected.format(year=year)
    logged = AuditChange.objects.filter(field="next_number")
    assert list(logged.values_list("old", "new")) == (
        [tuple(number.format(year=year) for number in told)] if told else []
    )


def test_lower_number_is_refused(world: World, year: int) -> None:
    with pytest.raises(ValidationError) as caught:
        set_to(world, {"next": 2}, {})
    assert caught.value.message_dict == {
        "invoice_next": ["Lower numbers are in use already: enter 3 or more."]
    }
    assert invoice_of(world.beta, name="next").number == f"{year}-00003"


def test_series_that_was_never_used_begins_where_it_is_told(world: World) -> None:
    seller(world.acme)
    set_to(world, {"next": 500}, {"next": 20})
    year = timezone.now().year
    assert invoice_series.next_numbers(world.acme, year) == {
        INVOICE: f"{year}-00500",
        NOTE: f"C-{year}-00020",
    }
    with pytest.raises(ValidationError, match="enter 500 or more"):
        set_to(world, {"next": 499}, {})


@pytest.mark.django_db(transaction=True)
def test_numbers_taken_while_the_series_is_set_come_once() -> None:
    world = build_world()
    seller(world.acme)
    year = timezone.now().year
    start = Barrier(3, timeout=30)

    def take() -> list[str]:
        start.wait()
        return [take_one(world, year) for _number in range(10)]

    def skip() -> list[str]:
        start.wait()
        with scopes_disabled():
            for wanted in (50, 100, 200):
                set_to(world, {"next": wanted}, {})
        return []

    results = race(take, take, skip)
    assert not [each for each in results if isinstance(each, Exception)], results
    first, second, _none = results
    assert len({*first, *second}) == 20
    assert first == sorted(first)
    assert second == sorted(second)
    assert take_one(world, year) >= f"{year}-00200"


def take_one(world: World, year: int) -> str:
    with scopes_disabled(), transaction.atomic():
        return invoice_series.next_number(world.acme, INVOICE, year)


def test_change_is_told_once(world: World) -> None:
    set_to(world, {"prefix": "INV-"}, {})
    set_to(world, {"prefix": "INV-"}, {})
    [invoices] = InvoiceSeries.objects.filter(issuer=world.acme, type=INVOICE)
    [notes] = InvoiceSeries.objects.filter(issuer=world.acme, type=NOTE)
    assert (actions_of(invoices), actions_of(notes)) == (["series.updated"], [])


# --- The page ---------------------------------------------------------------------------


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def test_page_shows_the_next_numbers_and_takes_none(
    world: World, ann: Client, year: int
) -> None:
    url = url_of(world.acme, "number-series")
    shown = text_of(ann.get(url))
    assert f"The next number is {year}-00003." in shown
    assert f"The next number is C-{year}-00001." in shown
    assert f"{year}-00003" in text_of(ann.get(url))


def test_page_saves(world: World, ann: Client, year: int) -> None:
    url = url_of(world.acme, "number-series")
    entries = entries_of(ann.get(url), invoice_prefix="INV-", invoice_width="4")
    done = ann.post(url, entries, follow=True)
    assert f"The next number is INV-{year}-0003." in text_of(done)


def test_refusal_stands_at_its_field(world: World, ann: Client, year: int) -> None:
    url = url_of(world.acme, "number-series")
    entries = entries_of(ann.get(url), credit_note_prefix="")
    errors = errors_of(ann.post(url, entries))
    assert "the same numbers" in errors["credit_note_prefix"][0]
    bad = entries_of(ann.get(url), invoice_prefix="Ü", credit_note_width="11")
    assert set(errors_of(ann.post(url, bad))) == {"invoice_prefix", "credit_note_width"}


def test_gap_is_asked_before_it_is_made(world: World, ann: Client, year: int) -> None:
    url = url_of(world.acme, "number-series")
    entries = entries_of(ann.get(url), invoice_next="1001")
    refused = ann.post(url, entries)
    assert errors_of(refused) == {
        "invoice_next": ["The numbers 3 to 1000 would never be used."]
    }
    assert "Leave these numbers out for good" in text_of(refused)
    assert invoice_series.next_numbers(world.acme, year)[INVOICE] == f"{year}-00003"
    done = ann.post(url, entries_of(refused, invoice_skips="on"), follow=True)
    assert f"The next number is {year}-01001." in text_of(done)
    assert "Leave these numbers out for good" not in text_of(done)


def test_page_refuses_lower_numbers(world: World, ann: Client, year: int) -> None:
    url = url_of(world.acme, "number-series")
    entries = entries_of(ann.get(url), invoice_next="2")
    assert "enter 3 or more" in errors_of(ann.post(url, entries))["invoice_next"][0]


def test_number_given_out_meanwhile_does_not_stop_who_changes_a_prefix(
    world: World, ann: Client, year: int
) -> None:
    url = url_of(world.acme, "number-series")
    entries = entries_of(ann.get(url), invoice_prefix="INV-")
    invoice_of(world.beta, name="meanwhile")
    done = ann.post(url, entries, follow=True)
    assert f"The next number is INV-{year}-00004." in text_of(done)


def test_page_is_for_those_with_customers(world: World) -> None:
    url = url_of(world.gamma, "number-series")
    assert world.client(world.gil).get(url).status_code == 403
