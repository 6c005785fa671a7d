"""What the QR code of a SEPA transfer says, and its reference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import segno
from stdnum import iso11649

from billing.einvoice.qr import creditor_reference, epc_text

IBAN = "DE02 1203 0000 0000 2020 51"
REFERENCE = "RF18 5390 0754 7034"


def said(**values: Any) -> str:
    return epc_text(
        **{"name": "Nordwind", "iban": IBAN, "amount": Decimal("12.5"), **values}
    )


@pytest.mark.parametrize(
    ("values", "line", "text"),
    [
        ({}, 0, "BCD"),
        ({}, 1, "002"),
        ({}, 2, "1"),
        ({}, 3, "SCT"),
        ({}, 4, ""),
        ({"bic": "byla dem1 001"}, 4, "BYLADEM1001"),
        ({}, 5, "Nordwind"),
        ({"name": " Nord\nwind "}, 5, "Nord wind"),
        ({"name": "Ä" * 71}, 5, "Ä" * 70),
        ({}, 6, "DE02120300000000202051"),
        ({}, 7, "EUR12.50"),
        ({"amount": Decimal("0.01")}, 7, "EUR0.01"),
        ({"amount": Decimal("999999999.99")}, 7, "EUR999999999.99"),
        ({"amount": Decimal("1E+3")}, 7, "EUR1000.00"),
        ({"reference": REFERENCE}, 8, ""),
        ({"reference": REFERENCE}, 9, "RF18539007547034"),
        ({"text": "Invoice\n17"}, 9, ""),
        ({"text": "Invoice\n17"}, 10, "Invoice 17"),
        ({"text": "x" * 140}, 10, "x" * 140),
    ],
)
def test_line_of_the_payload(values: dict[str, Any], line: int, text: str) -> None:
    assert said(**values).split("\n")[line] == text


def test_empty_lines_at_the_end_are_left_out() -> None:
    assert len(said().split("\n")) == 8


@pytest.mark.parametrize(
    "values",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal("-1")},
        {"amount": Decimal("1000000000")},
        {"amount": Decimal("0.001")},
        {"iban": "DE02 1203 0000 0000 2020 52"},
        {"iban": ""},
        {"name": " "},
        {"reference": "RF19539007547034"},
        {"reference": "2026-17"},
        {"reference": REFERENCE, "text": "17"},
        {"text": "x" * 141},
        {"name": "語" * 70, "text": "語" * 70},
    ],
    ids=str,
)
def test_what_no_transfer_can_hold_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        said(**values)


def test_the_largest_payload_fits_the_largest_code_of_the_standard() -> None:
    largest = said(name="Ä" * 35, bic="BYLADEM1001", text="ä" * 60)
    assert len(largest.encode()) > 240
    code = segno.make(largest, error="m", boost_error=False, encoding="utf-8")
    assert int(code.version) <= 13


@pytest.mark.parametrize(
    ("number", "reference"),
    [
        ("539007547034", "RF18539007547034"),
        ("RE-2026/0001", "RF40RE20260001"),
        ("re 2026 0001", "RF40RE20260001"),
        ("Ü-7", "RF097"),
        ("A" * 30 + "1", "RF18" + "A" * 20 + "1"),
    ],
)
def test_reference_of_a_number(number: str, reference: str) -> None:
    assert creditor_reference(number) == reference
    assert iso11649.is_valid(reference)


def test_numbers_that_differ_have_references_that_differ() -> None:
    numbers = [f"NORDWIND-TELEKOM-GMBH-2026-{at:05}" for at in range(50)]
    assert len(set(map(creditor_reference, numbers))) == 50


@pytest.mark.parametrize("number", ["", "---", "№"])
def test_number_without_letter_or_digit_has_no_reference(number: str) -> None:
    with pytest.raises(ValueError, match="letter or digit"):
        creditor_reference(number)
