"""What is missing for electronic invoices: told completely, and nothing that is there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from billing.invoicing.readiness import (
    Side,
    Standard,
    buyer_gaps,
    in_the_way,
    seller_gaps,
)
from billing.models import BillingAccount, Seller
from billing.views.readiness import gap_url, readiness_sign

GERMAN = SimpleNamespace(country="DE")
NOWHERE = SimpleNamespace(country="")
SELLER: dict[str, Any] = {
    "vat_id": "DE123456788",
    "iban": "DE89370400440532013000",
    "endpoint_scheme": "9930",
    "endpoint_id": "DE123456788",
}
REGISTERED = {"register_number": "HRB 1"}
BUYER: dict[str, Any] = {
    "tax_reference": "DE111111117",
    "endpoint_scheme": "9930",
    "endpoint_id": "DE111111117",
    "buyer_reference": "Filiale Altona",
}


@pytest.mark.parametrize(
    ("changes", "customer", "codes"),
    [
        ({}, GERMAN, []),
        ({}, NOWHERE, ["seller.country"]),
        ({"vat_id": ""}, GERMAN, ["seller.vat_id"]),
        ({"vat_id": "", "tax_number": "27/1"}, GERMAN, ["seller.register_number"]),
        ({"vat_id": "", "tax_number": "27/1", **REGISTERED}, GERMAN, []),
        ({"vat_id": "", "untaxed_category": "O", **REGISTERED}, GERMAN, []),
        (
            {"vat_id": "", "untaxed_category": "O"},
            GERMAN,
            ["seller.register_number"],
        ),
        ({"iban": ""}, GERMAN, ["seller.iban"]),
        ({"iban": "", "account_number": "123"}, GERMAN, []),
        ({"endpoint_id": ""}, GERMAN, ["seller.endpoint"]),
    ],
)
def test_what_a_seller_misses(changes: Any, customer: Any, codes: list[str]) -> None:
    gaps = seller_gaps(Seller(**(SELLER | changes)), customer)
    assert [gap.code for gap in gaps] == codes
    assert {gap.side for gap in gaps} <= {Side.SELLER}


@pytest.mark.parametrize(
    ("treatment", "changes", "codes"),
    [
        ("K", {}, []),
        ("K", {"vat_id": "", "tax_number": "27/1", **REGISTERED}, ["seller.vat_id"]),
        ("G", {"vat_id": "", "tax_number": "27/1", **REGISTERED}, ["seller.vat_id"]),
        ("AE", {"vat_id": "", "tax_number": "27/1", **REGISTERED}, []),
        ("K", {"vat_id": "", "untaxed_category": "O", **REGISTERED}, []),
        ("O", {}, ["seller.register_number"]),  # no VAT ID may be named (BR-O-02)
        ("O", REGISTERED, []),
    ],
)
def test_what_a_seller_misses_for_a_buyers_treatment(
    treatment: str, changes: dict[str, str], codes: list[str]
) -> None:
    seller = Seller(**(SELLER | changes))
    gaps = seller_gaps(seller, GERMAN, treatment=treatment)
    assert [gap.code for gap in gaps] == codes


def test_an_account_that_said_nothing_misses_everything() -> None:
    gaps = seller_gaps(Seller(), NOWHERE)
    assert [gap.field for gap in gaps] == [
        "country",
        "vat_id",
        "iban",
        "endpoint_scheme",
    ]
    assert len(in_the_way(gaps)) == 3, "no endpoint is needed but for Peppol"


def test_no_account_is_needed_where_nobody_transfers() -> None:
    seller = Seller(**(SELLER | {"iban": ""}))
    assert seller_gaps(seller, GERMAN, asks_transfers=False) == []


@pytest.mark.parametrize(
    ("changes", "customer", "codes"),
    [
        ({}, GERMAN, []),
        ({}, NOWHERE, ["buyer.country"]),
        ({"tax_reference": ""}, GERMAN, []),
        ({"vat_treatment": "AE"}, GERMAN, []),
        ({"vat_treatment": "AE", "tax_reference": ""}, GERMAN, ["buyer.vat_id"]),
        ({"vat_treatment": "K", "tax_reference": "27/1"}, GERMAN, ["buyer.vat_id"]),
        (
            {"vat_treatment": "K", "tax_reference": "DE111111118"},
            GERMAN,
            ["buyer.vat_id"],
        ),
        ({"vat_treatment": "G", "tax_reference": ""}, GERMAN, []),
        ({"vat_treatment": "O", "tax_reference": ""}, GERMAN, []),
        ({"vat_treatment": "E"}, GERMAN, ["buyer.vat_reason"]),
        ({"vat_treatment": "E", "vat_reason": "§ 4 UStG"}, GERMAN, []),
        ({"endpoint_id": ""}, GERMAN, ["buyer.endpoint"]),
        ({"buyer_reference": ""}, GERMAN, ["buyer.reference"]),
        ({"buyer_reference": "", "order_reference": "PO 1"}, GERMAN, []),
    ],
)
def test_what_a_buyer_misses(changes: Any, customer: Any, codes: list[str]) -> None:
    account = BillingAccount(**(BUYER | changes))
    gaps = buyer_gaps(account, customer, seller=Seller())
    assert [gap.code for gap in gaps] == codes
    assert {gap.side for gap in gaps} <= {Side.BUYER}


def test_a_household_with_a_country_is_ready_but_for_peppol() -> None:
    gaps = buyer_gaps(BillingAccount(), GERMAN, seller=Seller())
    assert {gap.standard for gap in gaps} == {Standard.PEPPOL}
    assert in_the_way(gaps) == []


def test_the_sentence_names_the_treatment_that_needs_a_vat_id() -> None:
    account = BillingAccount(vat_treatment="AE")
    (gap,) = in_the_way(buyer_gaps(account, GERMAN, seller=Seller()))
    assert "“Reverse charge: the customer owes the VAT” needs it" in gap.text
    assert gap.field == "tax_reference"


@pytest.mark.parametrize(
    ("side", "field", "url"),
    [
        ("seller", "country", "/a/7/settings/company/#id_country"),
        ("seller", "iban", "/a/7/settings/invoicing/#id_iban"),
        ("buyer", "country", "/a/7/commerce/customers/9/edit/#id_country"),
        ("buyer", "vat_reason", "/a/7/commerce/customers/9/edit/#id_vat_reason"),
    ],
)
def test_a_gap_leads_to_its_field(side: str, field: str, url: str) -> None:
    assert gap_url(side, field, account=7, customer=9) == url


@pytest.mark.parametrize(
    ("seller", "customer", "kind", "words", "links"),
    [
        (Seller(), NOWHERE, "warning", "Not ready", 3),
        (Seller(**(SELLER | {"endpoint_id": ""})), GERMAN, "success", "Peppol", 1),
        (Seller(**SELLER), GERMAN, "success", "Also through the Peppol", 0),
    ],
)
def test_the_sign_says_how_far_it_is(
    seller: Seller, customer: Any, kind: str, words: str, links: int
) -> None:
    sign = readiness_sign(seller_gaps(seller, customer), account=7)
    assert sign["kind"] == kind
    assert words in f"{sign['headline']} {sign['text']}"
    assert len(sign["gaps"]) == links
