"""Which lines of a long list stand on which page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.documents.listing import KEPT, Entry, Kind, Page, height, pages
from billing.invoicing.content import Row, Section

CAPACITY = 20.0


def rows(count: int, net: str = "1") -> tuple[Row, ...]:
    return tuple(Row(f"row {at}", Decimal(net)) for at in range(count))


def section(title: str, count: int) -> Section:
    return Section(title, Decimal(count), rows(count))


def laid(
    *sections: Section, long: int = 1, taxes: int = 0, payments: Section | None = None
) -> list[Page]:
    total = sum((each.net for each in sections), Decimal(0))
    return pages(
        sections,
        capacity=CAPACITY,
        wrap=lambda text: (text,) * long,
        wrap_taxes=lambda text: (text,) * taxes,
        total=total,
        payments=payments,
    )


def kinds(page: Page) -> list[Kind]:
    return [entry.kind for entry in page.entries]


def entries(found: list[Page]) -> list[Entry]:
    return [entry for page in found for entry in page.entries]


def test_one_section_has_a_heading_its_rows_and_its_sum() -> None:
    (page,) = laid(section("Fees", 2))
    assert kinds(page) == [Kind.HEADING, Kind.ROW, Kind.ROW, Kind.SUM, Kind.TOTAL]


def test_what_goes_on_is_carried_forward_and_brought_forward() -> None:
    first, second = laid(section("Fees", 25))
    assert kinds(first)[-1] is Kind.FORWARD
    assert kinds(second)[:2] == [Kind.CONTINUED, Kind.BROUGHT]
    shown = kinds(first).count(Kind.ROW)
    assert first.entries[-1].amount == second.entries[1].amount == shown


@pytest.mark.parametrize("count", [1, 5, 15, 16, 17, 18, 40, 300])
@pytest.mark.parametrize("long", [1, 3])
def test_no_page_overflows_and_no_row_is_lost(count: int, long: int) -> None:
    found = laid(section("Fees", count), section("Charges", 7), long=long)
    assert all(page.used <= CAPACITY for page in found)
    texts = [entry.row.text for entry in entries(found) if entry.row]
    assert texts == [f"row {at}" for at in (*range(count), *range(7))]


@pytest.mark.parametrize("count", range(1, 20))
def test_no_heading_stands_alone_at_the_foot(count: int) -> None:
    for page in laid(section("Fees", count), section("Charges", 4)):
        assert page.entries[-1].kind is not Kind.HEADING
        for at, kind in enumerate(kinds(page)):
            if kind in {Kind.HEADING, Kind.BROUGHT}:
                assert page.entries[at + 1].kind is Kind.ROW


def test_entries_follow_each_other_without_a_gap() -> None:
    for page in laid(section("Fees", 50), long=2):
        place = 0.0
        for entry in page.entries:
            assert entry.top == pytest.approx(place)
            place += height(entry.kind, entry.texts, entry.taxes)


def test_section_without_rows_tells_its_sum() -> None:
    (page,) = laid(Section("Calls", Decimal(9)), section("Fees", 1))
    assert kinds(page)[0] is Kind.SUM
    assert page.entries[0].texts == ("Calls",)
    assert page.entries[-1].amount == Decimal(10)


def test_row_longer_than_the_rest_of_a_page_goes_to_the_next() -> None:
    found = laid(section("Fees", 4), long=6)
    assert [kinds(page).count(Kind.ROW) for page in found] == [2, 2]


def test_row_is_as_high_as_its_taxes() -> None:
    (page,) = laid(section("Fees", 2), long=1, taxes=3)
    first, second = (entry for entry in page.entries if entry.kind is Kind.ROW)
    assert second.top - first.top == pytest.approx(3.12)


@pytest.mark.parametrize("count", range(5, 60))
def test_last_page_holds_some_rows_with_their_sum_and_the_total(count: int) -> None:
    last = kinds(laid(section("Fees", count))[-1])
    assert last.count(Kind.ROW) >= KEPT
    assert last[-2:] == [Kind.SUM, Kind.TOTAL]


@pytest.mark.parametrize("before", range(1, 20))
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_short_section_stays_together(before: int, count: int) -> None:
    found = laid(section("Fees", before), section("Charges", count))
    (page,) = (
        page
        for page in found
        if any(entry.texts == ("Charges",) for entry in page.entries)
    )
    assert Kind.CONTINUED not in kinds(page)[2:]
    assert kinds(page)[-1] is Kind.TOTAL
    assert kinds(page)[-3 - count : -2] == [Kind.HEADING, *[Kind.ROW] * count]


def test_payments_follow_the_total() -> None:
    payments = section("Payments", 2)
    (page,) = laid(section("Fees", 2), payments=payments)
    assert kinds(page)[-5:] == [
        Kind.TOTAL,
        Kind.PAYMENTS,
        Kind.PAYMENT,
        Kind.PAYMENT,
        Kind.SUM,
    ]
    assert not page.payments


@pytest.mark.parametrize("count", [1, 5, 30])
def test_pages_of_payments_say_so_once(count: int) -> None:
    found = laid(payments=section("Payments", count))
    assert all(page.payments == "Payments" for page in found)
    shown = [kind for page in found for kind in kinds(page)]
    assert Kind.PAYMENTS not in shown
    assert Kind.TOTAL not in shown
    assert shown.count(Kind.PAYMENT) == count
    assert shown.count(Kind.SUM) == (count > 1), "the sum of one is that one"
