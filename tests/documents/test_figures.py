"""Amounts, days and colours as documents write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.documents.figures import Figures, grouped_iban, grouped_reference
from billing.documents.palette import READABLE, Palette
from billing.documents.paper import A4, LETTER, Paper, paper_of
from billing.einvoice.record import Period
from portal.core.colours import luminance_of


@pytest.mark.parametrize(
    ("language", "currency", "amount", "bare", "money"),
    [
        ("en", "EUR", "1234.5", "1,234.50", "€1,234.50"),
        ("en", "EUR", "-0.005", "-0.01", "-€0.01"),
        ("en", "EUR", "12345678901234.56", "12,345,678,901,234.56", None),
        ("de", "EUR", "-1234.5", "-1.234,50", "-1.234,50\u00a0€"),
        ("en", "JPY", "1234", "1,234", "¥1,234"),
        ("en", "KWD", "1234.5675", "1,234.568", "KWD\u00a01,234.568"),
        # Faces lack the narrow space that groups figures in French.
        ("fr", "EUR", "1234.5", "1\u00a0234,50", "1\u00a0234,50\u00a0€"),
    ],
)
def test_amount(
    language: str, currency: str, amount: str, bare: str, money: str | None
) -> None:
    figures = Figures(language, currency)
    assert figures.amount(Decimal(amount)) == bare
    assert money is None or figures.money(Decimal(amount)) == money


@pytest.mark.parametrize(
    ("language", "first", "last", "text"),
    [
        ("en", date(2026, 11, 1), date(2026, 11, 30), "Nov 1\u00a0–\u00a030, 2026"),
        ("en", date(2026, 11, 1), date(2026, 11, 1), "Nov 1, 2026"),
        ("de", date(2026, 11, 1), date(2026, 11, 30), "1.–30. Nov. 2026"),
    ],
)
def test_days(language: str, first: date, last: date, text: str) -> None:
    assert Figures(language, "EUR").days(Period(first, last)) == text


def test_iban_is_in_groups_of_four() -> None:
    assert grouped_iban("DE02120300000000202051") == "DE02 1203 0000 0000 2020 51"


@pytest.mark.parametrize(
    ("reference", "text"),
    [("RF18539007547034", "RF18 5390 0754 7034"), ("2026-0017", "2026-0017"), ("", "")],
)
def test_reference_is_grouped_where_it_is_of_the_standard(
    reference: str, text: str
) -> None:
    assert grouped_reference(reference) == text


@pytest.mark.parametrize(
    "colour", ["#0b5c8f", "#f2b705", "#ffffff", "#000000", "#ffff00", "#b3202a"]
)
def test_text_in_a_brands_colour_can_be_read(colour: str) -> None:
    palette = Palette.of(colour)
    assert luminance_of(palette.ink) <= READABLE
    assert luminance_of(palette.tint) > 700_000


@pytest.mark.parametrize(
    ("colour", "band"),
    [("#ffffff", "#737373"), ("#fffff0", None), ("#ffff00", "#ffff00")],
)
def test_band_is_seen_on_white_paper(colour: str, band: str | None) -> None:
    palette = Palette.of(colour)
    assert palette.brand == (band or palette.ink)


def test_colour_that_can_be_read_stays() -> None:
    assert Palette.of("#0b5c8f").ink == "#0b5c8f"


@pytest.mark.parametrize(
    ("country", "paper"), [("DE", A4), ("US", LETTER), ("CA", LETTER), ("", A4)]
)
def test_paper_is_that_of_the_sellers_country(country: str, paper: Paper) -> None:
    assert paper_of(country) == paper
