"""Amounts as people type them, in either language."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from portal.core.forms import AmountField, LimitField
from portal.core.money import plain_amount


@pytest.mark.parametrize(
    ("language", "amount", "places", "text"),
    [
        ("en", "1234.500000", 2, "1234.50"),
        ("de", "1234.500000", 2, "1234,50"),
        ("de", "0", 2, "0,00"),
        ("de", "0.000123", 2, "0,000123"),
        ("de", "-5", 2, "-5,00"),
        ("de", "1E+3", 0, "1000"),
    ],
)
def test_plain_amount(language: str, amount: str, places: int, text: str) -> None:
    with translation.override(language):
        assert plain_amount(Decimal(amount), places=places) == text


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("12.50", "12.50"),
        ("12,50", "12.50"),
        (" 1 234,5 ", "1234.5"),
        ("0,005", "0.005"),
        ("0.005", "0.005"),
        ("1234.567", "1234.567"),
    ],
)
def test_amount_field_takes_point_and_comma(
    language: str, typed: str, amount: str
) -> None:
    with translation.override(language):
        assert AmountField().clean(typed) == Decimal(amount)


@pytest.mark.parametrize(
    ("language", "typed", "amount"),
    [("en", "1.234", "1.234"), ("de", "1,234", "1.234")],
)
def test_amount_field_takes_three_places_behind_ones_own_separator(
    language: str, typed: str, amount: str
) -> None:
    with translation.override(language):
        assert AmountField().clean(typed) == Decimal(amount)


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "5,000"),
        ("de", "5.000"),
        ("de", "-12.345"),
        ("en", "1,234.50"),
        ("de", "1.234,50"),
        ("de", "1e9"),
    ],
)
def test_amount_field_refuses_what_may_be_thousands(language: str, typed: str) -> None:
    with (
        translation.override(language),
        pytest.raises(ValidationError, match=r"12[.,]50"),
    ):
        AmountField().clean(typed)


def test_what_a_field_shows_it_takes_back() -> None:
    field = AmountField(currency="EUR")
    with translation.override("de"):
        shown = field.prepare_value(Decimal("5000.000000"))
        assert (shown, field.clean(shown)) == ("5000,00", Decimal("5000.00"))


def test_a_limit_shows_its_amount_as_people_type_it() -> None:
    field = LimitField(plan_key="limit", number_field=AmountField(required=False))
    with translation.override("de"):
        assert field.prepare_value(Decimal("25.000000")) == ["number", "25,00"]
        assert field.prepare_value(Decimal(-1)) == Decimal(-1)
        assert field.prepare_value(None) is None
        assert field.clean(["number", "25,00"]) == Decimal("25.00")
