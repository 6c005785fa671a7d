"""Worked examples of taxes, in plain tables (D 4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.models import Tax
from billing.taxes import on_feature, tax_parts
from rateplans.choices import Feature

# One euro in other currencies.
RATES = {"EUR": Decimal(1), "USD": Decimal("1.10"), "JPY": Decimal(160)}


def _convert(amount: Decimal, currency: str, wanted: str) -> Decimal:
    return amount * RATES[wanted] / RATES[currency]


def _tax(name: str, rate: str, amount: str = "0", currency: str = "EUR") -> Tax:
    return Tax(
        pk=len(name),
        name=name,
        rate=Decimal(rate),
        amount=Decimal(amount),
        currency=currency,
    )


@pytest.mark.parametrize(
    ("net", "currency", "rate", "amount", "expected"),
    [
        # percent only
        ("100.00", "EUR", "19", "0", "19.00"),
        ("9.99", "EUR", "19", "0", "1.90"),
        ("0.02", "EUR", "19", "0", "0.00"),  # 0.0038: no cent, but taxed all the same
        ("100.00", "EUR", "7.5", "0", "7.50"),
        ("100.00", "EUR", "8.875", "0", "8.88"),
        # half cents go up
        ("0.50", "EUR", "1", "0", "0.01"),
        ("2.50", "EUR", "19", "0", "0.48"),  # 0.475
        ("0.10", "EUR", "5", "0", "0.01"),  # 0.005
        ("0.10", "EUR", "4.9", "0", "0.00"),  # 0.0049
        # amount only, per item and not per cent
        ("100.00", "EUR", "0", "1.50", "1.50"),
        ("0.01", "EUR", "0", "1.50", "1.50"),
        # both: the amount is added after the rate
        ("100.00", "EUR", "19", "1.50", "20.50"),
        ("9.99", "EUR", "19", "0.10", "2.00"),  # 1.8981 + 0.10, rounded once
        # currencies without coins, and with smaller ones
        ("1000", "JPY", "10", "0", "100"),
        ("1005", "JPY", "10", "0", "101"),  # 100.5
        ("1004", "JPY", "10", "0", "100"),
        ("1.000", "KWD", "5", "0", "0.050"),
        ("0.010", "KWD", "5", "0", "0.001"),  # 0.0005
        # an amount in another currency is converted before it is rounded
        ("100.00", "USD", "0", "1.00", "1.10"),
        ("100.00", "USD", "10", "0.99", "11.09"),  # 10 + 1.089
        ("1000", "JPY", "0", "0.01", "2"),  # 1.6
        # nothing is owed on nothing, not even the amount
        ("0.00", "EUR", "19", "1.50", None),
    ],
)
def test_one_tax(
    net: str, currency: str, rate: str, amount: str, expected: str | None
) -> None:
    tax = _tax("VAT", rate, amount)
    parts = tax_parts(Decimal(net), [tax], currency=currency, convert=_convert)
    found = [str(part.amount) for part in parts]
    assert found == ([expected] if expected else [])


def test_levy_of_less_than_a_cent_is_none() -> None:
    levy, vat = _tax("Levy", "4.9"), _tax("VAT", "0")
    levy.is_vat = False
    parts = tax_parts(Decimal("0.10"), [levy, vat], currency="EUR", convert=_convert)
    assert parts == ()


def test_each_of_several_taxes_is_computed_on_the_net_and_rounded() -> None:
    taxes = [
        _tax("State", "4.225"),
        _tax("County", "1.3"),
        _tax("Fund", "0", "0.25", "USD"),
    ]
    parts = tax_parts(Decimal("10.00"), taxes, currency="USD", convert=_convert)
    assert [(part.name, str(part.amount)) for part in parts] == [
        ("State", "0.42"),
        ("County", "0.13"),
        ("Fund", "0.25"),
    ]


def test_a_part_keeps_name_and_rate_of_the_day() -> None:
    tax = _tax("VAT", "19")
    [part] = tax_parts(Decimal(1), [tax], currency="EUR", convert=_convert)
    tax.name, tax.rate = "Later", Decimal(21)
    assert (part.name, part.rate) == ("VAT", Decimal(19))


@pytest.mark.parametrize(
    ("switch", "features"),
    [
        ("applies_accounts", {Feature.ACCOUNT}),
        ("applies_features", {Feature.LINE, Feature.MAILBOX, Feature.PERSON}),
        ("applies_numbers", {Feature.NUMBER}),
        ("applies_calls", set()),
    ],
)
def test_a_tax_applies_to_the_fees_it_is_ticked_for(
    switch: str, features: set[Feature]
) -> None:
    switches = ("accounts", "features", "numbers", "calls", "messages")
    off = {f"applies_{name}": False for name in switches}
    tax = Tax(name="T", **(off | {switch: True}))
    assert {feature for feature in Feature if on_feature([tax], feature)} == features
