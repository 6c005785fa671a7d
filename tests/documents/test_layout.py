"""Where things stand on paper, and that nothing is in another's place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.documents.pdf import render_pdf
from billing.invoicing.content import Content, Movement, Section
from tests.documents.reading import (
    MILLIMETRE,
    Piece,
    collisions,
    drawn,
    on_first_page,
    pieces,
    read,
    texts,
    words,
)
from tests.documents.samples import (
    BUYER,
    FEES,
    LOOK,
    NOVEMBER,
    SELLER,
    SIXTY,
    content,
    itemised,
    row,
    section,
)


def received(count: int) -> tuple[Movement, ...]:
    return tuple(
        Movement(date(2026, 11, 3), f"Bank transfer {at}", Decimal(1))
        for at in range(count)
    )


@pytest.mark.parametrize(("rows", "payments"), [(1, 1), (1, 2), (2, 1), (0, 3)])
def test_few_rows_and_payments_are_on_one_page(rows: int, payments: int) -> None:
    what = content((section("Charges", FEES[:rows]),), payments=received(payments))
    (page,) = drawn(what)
    assert f"Bank transfer {payments - 1}" in page
    assert "Page 1 of 1" in page


@pytest.mark.parametrize(("rows", "payments"), [(4, 2), (6, 1), (2, 9)])
def test_payments_follow_the_rows_where_a_page_is_too_small(
    rows: int, payments: int
) -> None:
    first, second = words(itemised(rows, payments=received(payments)))
    assert "Bank transfer" not in first
    assert "Total net" in second
    assert f"Bank transfer {payments - 1} 1.00" in second


def test_payments_alone_are_listed_under_their_own_head() -> None:
    sums = (Section("Calls", Decimal(9)),)
    first, second = words(content(sums, payments=received(20)))
    assert "Calls 9.00" in first
    assert "Details from page 2 on." in first
    assert second.count("Payments in this period") == 2, "as the head, and as the sum"
    assert "Total net" not in second
    assert "Payments in this period 20.00" in second


HARBOUR = (
    "Harbour Voice Communications (Northern Europe) Limited",
    "Unit 14, Harbourside Business Park",
    "Merchants Quay Road",
    "Bristol",
    "BS1 4QA",
)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            HARBOUR,
            "Harbour Voice Communications (Northern Europe) Limited · Bristol · BS1 4QA",
        ),
        (
            ("Nordwind Telekom GmbH", "Am Sandtorkai 30", "20457 Hamburg", "GERMANY"),
            "Nordwind Telekom GmbH · Am Sandtorkai 30 · 20457 Hamburg · GERMANY",
        ),
        (
            (SIXTY, "Straße des 17. Juni 135", "10623 Berlin"),
            f"{SIXTY} · 10623 Berlin",
        ),
        (
            ("Harbour Voice Ltd", *HARBOUR[1:]),
            "Harbour Voice Ltd · Unit 14, Harbourside Business Park · Bristol · BS1 4QA",
        ),
    ],
)
def test_sender_is_on_one_line_above_the_address(
    lines: tuple[str, ...], said: str
) -> None:
    found = on_first_page(content(seller_lines=lines))
    (address,) = (each for each in found if each.text == "Mühlenweg 11")
    above = [
        each
        for each in found
        if each.left < 26 * MILLIMETRE and 0 < each.bottom - address.top < 90
    ]
    (name, sender) = sorted(above, key=lambda each: each.top)[:2]
    assert name.text == BUYER.name
    assert sender.text == said
    assert sender.bottom >= name.top - 1
    assert sum(each.text.startswith(lines[0][:9]) for each in above) == 1


def test_sender_without_a_place_to_break_is_cut() -> None:
    what = content(seller_lines=("X" * 200, "20457 Hamburg"))
    (page,) = read(render_pdf(what)).pages
    assert collisions(page) == []
    assert any(
        each.text.startswith("XXX") and "…" in each.text for each in pieces(page)
    )


@pytest.mark.parametrize("lines", [HARBOUR, (SIXTY, "Straße 1", "10623 Berlin")])
def test_foot_stays_on_the_paper(lines: tuple[str, ...]) -> None:
    found = on_first_page(content(seller_lines=lines))
    assert min(each.bottom for each in found) > 4 * MILLIMETRE
    (iban,) = (each for each in found if each.text.startswith("IBAN DE"))
    assert iban.text.endswith("51")


LONG_TAXES = "North Carolina sales tax 4.75 %, Universal service contribution, 911 fee"


@pytest.mark.parametrize("count", [1, 40])
def test_long_names_of_taxes_are_told_in_full(count: int) -> None:
    rows = tuple(row(SIXTY, "1", taxes=LONG_TAXES, quantity=2) for _ in range(count))
    pdf = render_pdf(content((section("Fees", rows),)))
    said = " ".join("\n".join(texts(pdf)).split())
    for tax in ("sales tax", "Universal service", "contribution", "911 fee"):
        assert said.count(tax) == count, tax
    assert "…" not in said
    for page in read(pdf).pages:
        assert collisions(page) == []


def overfull() -> Content:
    rows = (
        row(SIXTY, "12345678901234.56", quantity=1234567, period=NOVEMBER),
        row("X" * 60, "-98765432109876.54", day=date(2026, 11, 30), taxes=SIXTY),
        row("Donaudampfschifffahrtsgesellschaftskapitänspatentverleihung", "0.01"),
    )
    return content(
        (section(SIXTY, rows), section("Recurring fees", FEES[:1])),
        buyer_lines=(SIXTY, SIXTY, SIXTY, SIXTY, "10623 Berlin", "Deutschland"),
        seller_lines=(SIXTY, "Straße des 17. Juni 135", "10623 Berlin"),
        look=replace(LOOK, name=SIXTY, footer=SIXTY * 2),
        customer_reference="A" * 60,
        balance=Decimal("-98765432109876.54"),
        in_document={
            "buyer": replace(BUYER, name=SIXTY),
            "seller": replace(SELLER, name=SIXTY),
            "order_reference": "04011000-1234512345-06",
            "payment": None,
        },
        qr="",
    )


def test_long_names_and_amounts_overlap_nothing() -> None:
    for page in read(render_pdf(overfull())).pages:
        assert collisions(page) == []
        right = float(page.mediabox.right)
        assert all(each.left > 0 and each.right < right for each in pieces(page))


def test_long_names_and_amounts_overlap_nothing_in_a_list() -> None:
    what = overfull()
    many = tuple(replace(each, rows=each.rows * 20) for each in what.sections)
    pages = read(render_pdf(replace(what, sections=many))).pages
    assert len(pages) > 2
    for page in pages:
        assert collisions(page) == []


def test_colliding_texts_would_be_seen() -> None:
    """The check itself: the same text twice at one place, and one beside."""
    piece = Piece("a", 10, 20, 10, 18, "")
    assert piece.overlaps(replace(piece, left=15, right=25))
    assert not piece.overlaps(replace(piece, left=21, right=31))
    assert not piece.overlaps(replace(piece, bottom=18, top=26))


@pytest.mark.parametrize("lines", [3, 6, 9])
def test_address_stands_in_the_window(lines: int) -> None:
    """DIN 5008, form B: 20 to 105 mm from the left, 45 to 90 mm from the top."""
    names = tuple(f"Addressee {at}" for at in range(lines))
    found = on_first_page(content(buyer_lines=names))
    inside = [each for each in found if each.text.startswith("Addressee")]
    assert len(inside) == lines
    height = 297 * MILLIMETRE
    for each in inside:
        assert each.left > 20 * MILLIMETRE
        assert each.right < 105 * MILLIMETRE
        assert height - each.top > 45 * MILLIMETRE
        assert height - each.bottom < 90.5 * MILLIMETRE


def test_labels_of_any_language_keep_off_what_they_label() -> None:
    what = content(language="de", customer_reference="Beschaffungsstelle 12")
    (page,) = read(render_pdf(what)).pages
    label, text = (
        next(each for each in pieces(page) if each.text.startswith(start))
        for start in ("Abrechnungsreferenz", "Beschaffungsstelle")
    )
    assert text.left - label.right > 2 * MILLIMETRE
