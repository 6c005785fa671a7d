"""One rounding rule, one table of minor units, one way to write an amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from portal.core.money import (
    CURRENCIES,
    currency_choices,
    format_money,
    has_minor_unit_precision,
    minor_unit,
    round_money,
    validate_currency,
)

# One currency for each number of minor units that ISO 4217 has in use.
UNITS = {"JPY": 0, "EUR": 2, "KWD": 3}
amounts = st.decimals(min_value=-(10**13), max_value=10**13, places=9, allow_nan=False)
currencies = st.sampled_from(sorted(UNITS))


@pytest.mark.parametrize(
    ("currency", "places"),
    [*UNITS.items(), ("USD", 2), ("CLP", 0), ("BHD", 3), ("TND", 3)],
)
def test_minor_unit_is_that_of_iso_4217(currency: str, places: int) -> None:
    assert minor_unit(currency) == places


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "EUR", "0.01"),
        ("-0.005", "EUR", "-0.01"),
        ("0.0049999999", "EUR", "0.00"),
        ("-0.0049999999", "EUR", "0.00"),  # not -0.00
        ("2.675", "EUR", "2.68"),
        ("-2.675", "EUR", "-2.68"),
        ("0.5", "JPY", "1"),
        ("-0.5", "JPY", "-1"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("0.0005", "KWD", "0.001"),
        ("99999999999999.995", "EUR", "100000000000000.00"),
    ],
)
def test_half_is_rounded_away_from_zero(
    amount: str, currency: str, rounded: str
) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded


@given(amounts, currencies)
def test_rounding_twice_changes_nothing(amount: Decimal, currency: str) -> None:
    once = round_money(amount, currency)
    assert round_money(once, currency) == once


@given(amounts, currencies)
def test_rounding_moves_by_half_a_unit_at_most(amount: Decimal, currency: str) -> None:
    half = Decimal("0.5").scaleb(-UNITS[currency])
    moved = round_money(amount, currency) - amount
    assert abs(moved) <= half
    if abs(moved) == half:
        assert abs(amount + moved) > abs(amount)  # away from zero


@given(amounts, currencies)
def test_rounding_is_the_same_on_both_sides_of_zero(
    amount: Decimal, currency: str
) -> None:
    assert round_money(-amount, currency) == -round_money(amount, currency)


@given(amounts, currencies)
def test_rounded_amount_has_the_places_of_its_currency(
    amount: Decimal, currency: str
) -> None:
    rounded = round_money(amount, currency)
    assert -int(rounded.as_tuple().exponent) == UNITS[currency]
    assert has_minor_unit_precision(rounded, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [
        ("0.5", "JPY", False),
        ("1.000000", "JPY", True),
        ("0.01", "EUR", True),
        ("0.001", "EUR", False),
        ("0.001", "KWD", True),
        ("0.0001", "KWD", False),
        ("-1", "EUR", True),
    ],
)
def test_amount_smaller_than_the_minor_unit_is_found(
    amount: str, currency: str, fits: bool
) -> None:
    assert has_minor_unit_precision(Decimal(amount), currency) is fits


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        ("1234.5", "EUR", "en", "€1,234.50"),
        ("1234.5", "EUR", "de", "1.234,50\xa0€"),
        ("-0.005", "EUR", "en", "-€0.01"),
        ("1234.5", "JPY", "en", "¥1,235"),
        ("1.5", "KWD", "en", "KWD1.500"),
        # More than a float could hold.
        ("12345678901234.56", "USD", "en", "$12,345,678,901,234.56"),
    ],
)
def test_amount_is_written_as_its_reader_writes(
    amount: str, currency: str, language: str, text: str
) -> None:
    with translation.override(language):
        assert format_money(Decimal(amount), currency) == text


@pytest.mark.parametrize("code", ["", "eur", "EURO", "DEM", "XXX", "XAU", "€", "<b>"])
def test_what_is_no_currency_today_is_refused(code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        validate_currency(code)
    assert refusal.value.code == "invalid_currency"


def test_every_currency_offered_is_accepted_and_has_a_name() -> None:
    choices = currency_choices()
    assert [code for code, _name in choices] == list(CURRENCIES)
    assert len(CURRENCIES) > 140
    for code, name in choices:
        validate_currency(code)
        assert name.startswith(f"{code} – ")
        assert name != f"{code} – {code}"
