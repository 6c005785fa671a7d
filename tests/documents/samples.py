"""Contents to draw: what an invoice says, without the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billing.einvoice.qr import creditor_reference, epc_text
from billing.einvoice.record import (
    Address,
    Contact,
    Document,
    DocumentType,
    Party,
    Payment,
    Period,
    Preceding,
    VatCategory,
)
from billing.invoicing.content import Content, Look, Row, Section, TaxLine
from portal.core.money import ZERO
from tests.einvoice.documents import document, line

SIXTY = "Gesellschaft für internationale Fernsprechverbindungen mbH &"
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
SELLER = Party(
    name="Nordwind Telekom GmbH",
    trading_name="Nordwind",
    address=Address("DE", "Kaistraße 4", "Haus B", "Hamburg", "20457"),
    register_number="HRB 104812, Amtsgericht Hamburg",
    vat_id="DE136695976",
    legal_form="Geschäftsführerin: Anna Weber",
    contact=Contact("Anna Weber", "+49 40 2312520", "rechnung@nordwind.example"),
)
BUYER = Party(
    name="Bäckerei Morgenrot & Söhne",
    address=Address("DE", "Mühlenweg 11", "", "Hamburg", "20095"),
    identifier="100001",
    vat_id="DE129273398",
)
LOOK = Look(
    name="Nordwind",
    colour="#0b5c8f",
    contrast="#ffffff",
    website="nordwind.example",
    telephone="+49 40 2312520",
    email="service@nordwind.example",
)
IBAN = "DE02120300000000202051"


def row(text: str, net: str, **values: Any) -> Row:
    return Row(text, Decimal(net), **{"taxes": "VAT 19 %", **values})


FEES = (
    row("Telephone line +49 40 5550101", "12.90", period=NOVEMBER),
    row("Number Silver, rental", "30.00", quantity=2, period=NOVEMBER),
)
CHARGES = (row("Set-up by a technician", "49.00", day=date(2026, 11, 5)),)


def section(title: str, rows: Sequence[Row]) -> Section:
    return Section(title, sum((each.net for each in rows), ZERO), tuple(rows))


TWO = (section("Recurring fees", FEES), section("Charges", CHARGES))


def content(
    sections: Sequence[Section] = TWO,
    *,
    currency: str = "EUR",
    category: VatCategory = VatCategory.STANDARD,
    carried_over: str = "0",
    in_document: dict[str, Any] | None = None,
    **values: Any,
) -> Content:
    """An invoice of these sections, all in one category of VAT; its sums agree."""
    rate = "19" if category is VatCategory.STANDARD else "0"
    net = sum((each.net for each in sections), ZERO)
    number = (in_document or {}).get("number", "2026-00017")
    said = document(
        (line(str(net), category, rate),),
        currency=currency,
        prepaid=carried_over,
        **{
            "number": number,
            "issued_on": date(2026, 12, 1),
            "due_on": date(2026, 12, 15),
            "seller": SELLER,
            "buyer": BUYER,
            "period": NOVEMBER,
            "payment": Payment(
                "58",
                creditor_reference(number) if number else "",
                IBAN,
                SELLER.name,
                "BYLADEM1001",
            ),
            "terms": "",
            "note": "",
            "buyer_reference": "",
            "order_reference": "PO 4711",
            **(in_document or {}),
        },
    )
    totals = said.totals
    standard = (TaxLine("VAT 19 %", Decimal(19), totals.net, totals.vat),)
    return Content(
        **{
            "document": said,
            "language": "en",
            "time_zone": "Europe/Berlin",
            "detail": "itemised",
            "look": LOOK,
            "seller_lines": (
                said.seller.name,
                "Kaistraße 4",
                "20457 Hamburg",
            ),
            "buyer_lines": (said.buyer.name, "Mühlenweg 11", "20095 Hamburg"),
            "sections": tuple(sections),
            "taxes": standard if rate != "0" else (),
            "total_due": totals.payable,
            "carried_over": totals.prepaid,
            "customer_number": "100001",
            "qr": _qr(said),
            **values,
        }
    )


def _qr(said: Document) -> str:
    payment, payable = said.payment, said.totals.payable
    if payment is None or said.currency != "EUR" or payable <= 0:
        return ""
    return epc_text(
        name=payment.holder,
        iban=payment.iban,
        bic=payment.bic,
        amount=payable,
        reference=payment.reference,
    )


def many_rows(count: int, text: str = "Call to +49 30 {}") -> tuple[Row, ...]:
    """Charges on the days of November, all different."""
    return tuple(
        row(
            text.format(5550000 + at),
            str(Decimal(at % 97) / 100 + Decimal("0.05")),
            day=date(2026, 11, 1) + timedelta(at % 30),
        )
        for at in range(count)
    )


def itemised(count: int, text: str = "Call to +49 30 {}", **values: Any) -> Content:
    """Two fees, and so many charges."""
    rows = many_rows(count, text)
    return content(
        (section("Recurring fees", FEES), section("Charges", rows)), **values
    )


def credit_note(**values: Any) -> Content:
    return content(
        (section("Recurring fees", FEES[:1]),),
        in_document={
            "type": DocumentType.CREDIT_NOTE,
            "number": "C-2026-0003",
            "preceding": Preceding("2026-00017", date(2026, 12, 1)),
            "due_on": None,
            "payment": None,
        },
        total_due=None,
        **values,
    )
