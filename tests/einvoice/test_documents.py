"""Documents of every kind, written as UBL and CII, keep schema and rules of EN 16931."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.einvoice.cii import cii
from billing.einvoice.record import (
    Document,
    DocumentCharge,
    DocumentType,
    Payment,
    Preceding,
    VatCategory,
)
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from tests.einvoice.documents import BUYER, RENTAL, document, line, without_vat_ids

Write = Callable[[Document], bytes]
OUTSIDE = VatCategory.OUTSIDE
LEVY = DocumentCharge(Decimal("1.00"), "E911", VatCategory.STANDARD, Decimal(19))
USF = DocumentCharge(Decimal("3.27"), "Universal Service Fund", OUTSIDE, Decimal(0))
DEBIT = Payment(
    "59",
    "2026-00017",
    mandate="M-1",
    creditor="DE98ZZZ09999999999",
    debited_iban="DE02120300000000202051",
)
CASES: dict[str, Document] = {
    "pro rata rental": document(),
    "two rates": document([RENTAL, line("10.00", rate="7"), line("0.02")]),
    "zero-rated": document([line("5.00", VatCategory.ZERO_RATED, "0")]),
    "exempt beside standard": document([RENTAL, line("5.00", VatCategory.EXEMPT, "0")]),
    "reverse charge": document([line("5.00", VatCategory.REVERSE_CHARGE, "0")]),
    "within the Community": document([line("5.00", VatCategory.INTRA_COMMUNITY, "0")]),
    "export": document([line("5.00", VatCategory.EXPORT, "0")]),
    "outside VAT with a levy": document(
        [line("20.00", OUTSIDE, "0")], [USF], currency="USD", **without_vat_ids()
    ),
    "levy in the VAT base": document([RENTAL], [LEVY]),
    "no cents": document([line("1200", rate="10")], currency="JPY"),
    "VAT in the books' currency": document(
        vat_currency="SEK", vat_in_books=Decimal("34.61")
    ),
    "negative line": document([line("20.00"), line("-5.00")]),
    "nothing to pay": document([line("20.00"), line("-20.00")]),
    "paid in advance": document([line("20.00")], prepaid="23.80"),
    "direct debit": document(payment=DEBIT),
    "direct debit without its mandate": document(payment=Payment("49", "2026-00017")),
    "direct debit credited": document(
        type=DocumentType.CREDIT_NOTE, payment=DEBIT, preceding=Preceding("2026-00016")
    ),
    "no reference": document(buyer_reference="", order_reference=""),
    "least": document(
        buyer=replace(BUYER, vat_id="", endpoint=None, identifier=""),
        period=None,
        payment=None,
        note="",
        terms="",
        due_on=date(2026, 2, 15),
    ),
    "1,000 lines": document([line("0.01")] * 1000),
}
CASES |= {
    "credit note": replace(
        CASES["two rates"],
        type=DocumentType.CREDIT_NOTE,
        preceding=Preceding("2026-00016", date(2026, 1, 1)),
    )
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("syntax", "write"), [(Syntax.UBL, ubl), (Syntax.CII, cii)])
def test_rules_find_nothing(case: str, syntax: Syntax, write: Write) -> None:
    assert findings(write(CASES[case]), syntax) == []


@pytest.mark.parametrize(("syntax", "write"), [(Syntax.UBL, ubl), (Syntax.CII, cii)])
@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"totals": replace(document().totals, gross=Decimal("99.00"))}, {"BR-CO-15"}),
        ({"buyer": replace(BUYER, name="")}, {"BR-07"}),
        (
            {"buyer": replace(BUYER, address=replace(BUYER.address, country="UK"))},
            # Factur-X numbers its code lists by itself.
            {"BR-CL-14", "FX-SCH-A-000568"},
        ),
        ({"seller": replace(document().seller, vat_id="")}, {"BR-S-02"}),
    ],
)
def test_rules_name_what_is_wrong(
    syntax: Syntax, write: Write, change: dict[str, Any], rules: set[str]
) -> None:
    broken = {found.rule for found in findings(write(document(**change)), syntax)}
    assert rules & broken
