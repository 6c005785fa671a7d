"""What invoices and credit notes say on paper."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from billing.documents.pdf import render_pdf
from billing.einvoice.record import VatCategory
from billing.invoicing.content import Section, TaxLine
from tests.documents.reading import (
    collisions,
    drawn,
    pieces,
    read,
)
from tests.documents.samples import (
    SELLER,
    content,
    credit_note,
    itemised,
    row,
    section,
)


def test_invoice_says_all_that_is_asked_of_one() -> None:
    page = "\n".join(
        drawn(
            content(
                carried_over="20",
                in_document={
                    "note": "Thank you for calling.",
                    "terms": "2 % in 7 days.",
                },
                customer_reference="B-77",
            )
        )
    )
    page = " ".join(page.split())
    for said in (
        "Invoice 2026-00017",
        "For Nov 1 - 30, 2026",
        "Total due €89.36",
        "Due on Dec 15, 2026",
        "Nordwind Telekom GmbH · Kaistraße 4 · 20457 Hamburg",
        "Bäckerei Morgenrot & Söhne Mühlenweg 11 20095 Hamburg",
        "Customer number 100001",
        "Billing reference B-77",
        "Your order PO 4711",
        "Your VAT ID DE129273398",
        "Nov 1 - 30, 2026 Number Silver, rental 2 VAT 19 % 30.00",
        "Nov 5, 2026 Set-up by a technician 1 VAT 19 % 49.00",
        "Net 91.90",
        "VAT 19 % on 91.90 17.46",
        "Total (EUR) 109.36",
        "Payments and earlier balance -20.00",
        "Please transfer €89.36 by Dec 15, 2026.",
        "2 % in 7 days.",
        "IBAN DE02 1203 0000 0000 2020 51",
        "BIC BYLADEM1001",
        "Reference RF85 2026 0001 7",
        "Scan with a banking app",
        "Thank you for calling.",
        "HRB 104812, Amtsgericht Hamburg",
        "VAT ID DE136695976",
        "Geschäftsführerin: Anna Weber",
        "rechnung@nordwind.example",
        "Days are those of the time zone Europe/Berlin.",
        "Page 1 of 2",
    ):
        assert said in page, said


@pytest.mark.parametrize(
    ("values", "shown", "not_shown"),
    [
        ({}, "Total due", "Balance"),
        ({"total_due": None}, "Total\n€109.36", "Total due"),
        (
            {"total_due": None, "balance": Decimal("12.3")},
            "Balance\n€12.30",
            "Total due",
        ),
        ({"balance": Decimal("-7")}, "Balance\n-€7.00", "Preview"),
    ],
)
def test_total_due_and_balance_are_shown_where_the_billing_type_says(
    values: dict[str, Any], shown: str, not_shown: str
) -> None:
    (page,) = drawn(content(**values))
    assert shown in page
    assert not_shown not in page


def test_page_one_is_a_summary_where_the_rows_are_many() -> None:
    first, second, third = drawn(itemised(60))
    assert "Recurring fees 42.90\nCharges 20.70\nDetails from page 2 on." in first
    assert "Call to" not in first
    assert "Carried forward" in second
    assert "Brought forward" in third
    assert "Charges (continued)" in third
    assert third.count("63.60") == 1  # the total of both
    assert [
        f"Page {at} of 3" in page for at, page in enumerate((first, second, third), 1)
    ]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (200, 7), (5000, 130)], ids=str
)
def test_pages_and_their_numbers(count: int, expected: int) -> None:
    pages = read(render_pdf(itemised(count))).pages
    assert len(pages) == expected
    said = {
        at: pages[at - 1].extract_text() for at in {1, (expected + 1) // 2, expected}
    }
    for at, text in said.items():
        assert f"Page {at} of {expected}" in text
    assert f"Call to +49 30 {5550000 + count - 1}" in said[expected]


LONG_NOTE = "\n\n".join(f"Paragraph {at} of a long note." for at in range(40))


def test_numbers_are_right_where_the_front_is_longer_than_a_page() -> None:
    pages = drawn(itemised(60, in_document={"note": LONG_NOTE}))
    assert len(pages) == 4
    assert "Details from page 3 on." in pages[0]
    assert all(f"Page {at} of {len(pages)}" in page for at, page in enumerate(pages, 1))
    assert "Nordwind · Invoice 2026-00017 · Bäckerei Morgenrot" in pages[1]


def test_head_and_foot_of_both_parts_are_alike() -> None:
    pdf = render_pdf(itemised(60, in_document={"note": LONG_NOTE}))
    front, listing = read(pdf).pages[1], read(pdf).pages[-1]
    wanted = ("Nordwind ·", "Page ", "HRB 104812", "VAT ID")
    for start in wanted:
        (one,) = (each for each in pieces(front) if each.text.startswith(start))
        (other,) = (each for each in pieces(listing) if each.text.startswith(start))
        assert one.top == pytest.approx(other.top, abs=0.2), start
        assert one.right == pytest.approx(other.right, abs=1), start


def test_sections_without_rows_tell_their_sums() -> None:
    sums = (Section("Calls", Decimal("913.44")), Section("Refunds", Decimal("-35.10")))
    (page,) = drawn(content(sums))
    assert "Calls 913.44" in page
    assert "Refunds -35.10" in page
    assert "Quantity" not in page


def test_credit_note_names_its_invoice_and_asks_for_nothing() -> None:
    (page,) = drawn(credit_note())
    assert "Credit note C-2026-0003" in page
    assert "For invoice 2026-00017 of Dec 1, 2026" in page
    assert "Total credited\n€15.35" in page
    assert "Please" not in page
    assert "Due on" not in page


@pytest.mark.parametrize(
    ("category", "reason"),
    [
        (VatCategory.REVERSE_CHARGE, "Reverse charge"),
        (VatCategory.INTRA_COMMUNITY, "Intra-Community supply"),
        (VatCategory.OUTSIDE, "Not subject to VAT"),
    ],
)
def test_reason_for_no_vat_is_told(category: VatCategory, reason: str) -> None:
    (page,) = drawn(content(category=category))
    assert reason in page
    assert "Total (EUR) 91.90" in page


def test_vat_is_told_in_the_currency_of_the_books() -> None:
    what = content(
        in_document={"vat_currency": "SEK", "vat_in_books": Decimal("201.5")}
    )
    assert "VAT in SEK: SEK 201.50" in drawn(what)[0]


def test_levy_of_a_flat_amount_has_no_base() -> None:
    taxes = (TaxLine("Emergency call levy", Decimal(0), Decimal(0), Decimal("1.1")),)
    assert "Emergency call levy 1.10" in drawn(content(taxes=taxes))[0]


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ("58", "Please transfer €109.36 by Dec 15, 2026."),
        ("59", "We collect €109.36 from your account on Dec 15, 2026."),
        ("48", "We charge €109.36 to your card."),
        ("1", "Please pay €109.36 by Dec 15, 2026."),
    ],
)
def test_way_to_pay(means: str, said: str) -> None:
    what = content()
    assert what.document.payment
    payment = replace(what.document.payment, means=means)
    paid = replace(what, document=replace(what.document, payment=payment), qr="")
    (page,) = drawn(paid)
    assert said in page
    assert "Scan" not in page


def test_preview_says_on_every_page_that_it_is_none() -> None:
    for page in drawn(itemised(60, in_document={"number": ""}), preview=True):
        assert "Preview - not an invoice" in page
    assert "Preview" not in drawn(content())[0]


def test_texts_are_in_the_documents_language() -> None:
    (page,) = drawn(content(language="de"))
    assert "1.-30. Nov. 2026" in page
    assert "109,36 €" in page
    assert "15.12.2026" in page


@pytest.mark.parametrize(
    ("currency", "net", "shown"),
    [("JPY", "-1200", "-1,200"), ("KWD", "1.234", "1.234"), ("USD", "5.00", "5.00")],
)
def test_currency_has_its_own_decimals(currency: str, net: str, shown: str) -> None:
    (page,) = drawn(content((section("Fees", (row("Line", net),)),), currency=currency))
    assert f"Line VAT 19 % {shown}" in page
    assert f"Net ({currency})" in page
    assert "Scan" not in page, "only transfers in euros have the code"


def test_sellers_in_america_have_their_paper() -> None:
    seller = replace(SELLER, address=replace(SELLER.address, country="US"))
    pdf = read(render_pdf(itemised(60, in_document={"seller": seller})))
    for page in pdf.pages:
        assert float(page.mediabox.width) == pytest.approx(612, abs=0.1)
        assert float(page.mediabox.height) == pytest.approx(792, abs=0.1)
        assert collisions(page) == []
