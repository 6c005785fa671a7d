"""Documents to write and judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.einvoice.record import (
    Address,
    Contact,
    Delivery,
    Document,
    DocumentCharge,
    DocumentType,
    Endpoint,
    Line,
    Party,
    Payment,
    Period,
    VatCategory,
)
from billing.einvoice.sums import Reason, breakdown, totals

SELLER = Party(
    name="Nordwind Telekom GmbH",
    trading_name="Nordwind",
    address=Address("DE", "Kaistraße 4", "Haus B", "Hamburg", "20457"),
    register_number="HRB 104812",
    vat_id="DE136695976",
    legal_form="Sitz der Gesellschaft: Hamburg",
    endpoint=Endpoint("9930", "DE136695976"),
    contact=Contact("Anna Weber", "+49 40 2312520", "rechnung@nordwind.example"),
)
BUYER = Party(
    name="Bäckerei Morgenrot <& Söhne>",
    address=Address("DE", "Mühlenweg 11", "", "Hamburg", "20095"),
    identifier="100001",
    vat_id="DE129273398",
    endpoint=Endpoint("0204", "04011000-1234512345-06"),
)
PAYMENT = Payment(
    "58", "RF18539007547034", "DE02120300000000202051", "Nordwind", "BYLADEM1001"
)
REASONS = {
    VatCategory.EXEMPT: Reason("Exempt by § 4 UStG"),
    VatCategory.REVERSE_CHARGE: Reason("Reverse charge", "VATEX-EU-AE"),
    VatCategory.INTRA_COMMUNITY: Reason("Intra-Community supply", "VATEX-EU-IC"),
    VatCategory.EXPORT: Reason("Export outside the EU", "VATEX-EU-G"),
    VatCategory.OUTSIDE: Reason("Not subject to VAT", "VATEX-EU-O"),
}


def without_vat_ids(**more: Any) -> dict[str, Any]:
    """Parties of a document that is not subject to VAT (BR-O-02)."""
    return {
        "seller": replace(SELLER, vat_id="", register_number="0912"),
        "buyer": replace(BUYER, vat_id=""),
        **more,
    }


def line(
    net: str,
    category: VatCategory = VatCategory.STANDARD,
    rate: str = "19",
    **values: Any,
) -> Line:
    """One of quantity 1, or -1, at the price that gives ``net``."""
    amount = Decimal(net)
    return Line(
        **{
            "number": "1",
            "name": "Telephone line",
            "quantity": Decimal(-1 if amount < 0 else 1),
            "unit": "C62",
            "price": abs(amount),
            "net": amount,
            "category": category,
            "rate": Decimal(rate),
            **values,
        }
    )


RENTAL = line(
    "16.45",
    name="Number Silver, rental",
    quantity=Decimal(17),
    unit="DAY",
    price=Decimal("30.00"),
    price_quantity=Decimal(31),
    description="Two of them",
    period=Period(date(2026, 1, 15), date(2026, 1, 31)),
)


def document(
    lines: Sequence[Line] = (RENTAL,),
    charges: Sequence[DocumentCharge] = (),
    *,
    currency: str = "EUR",
    prepaid: str = "0",
    **values: Any,
) -> Document:
    numbered = tuple(
        replace(each, number=str(place)) for place, each in enumerate(lines, 1)
    )
    vat = breakdown(numbered, charges, currency=currency, reasons=REASONS)
    return Document(
        **{
            "type": DocumentType.INVOICE,
            "number": "2026-00017",
            "issued_on": date(2026, 2, 1),
            "due_on": date(2026, 2, 15),
            "currency": currency,
            "seller": SELLER,
            "buyer": BUYER,
            "lines": numbered,
            "charges": tuple(charges),
            "vat": vat,
            "totals": totals(numbered, charges, vat, prepaid=Decimal(prepaid)),
            "period": Period(date(2026, 1, 1), date(2026, 1, 31)),
            "delivery": Delivery(date(2026, 1, 31), "DE"),
            "terms": "Payable within 14 days.",
            "note": "Thank you.",
            "buyer_reference": "04011000-1234512345-06",
            "order_reference": "PO 12",
            "payment": PAYMENT,
            **values,
        }
    )
