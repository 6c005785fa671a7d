"""Who is told to be ready writes documents that the official rules take, and nobody else."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from billing.einvoice.cii import cii
from billing.einvoice.record import Delivery, VatCategory
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.readiness import buyer_gaps, in_the_way, seller_gaps
from billing.invoicing.sides import buyer_party, payment_of, seller_party
from billing.models import BillingAccount, Seller
from billing.party_choices import VatTreatment
from customers.models import Customer
from tests.einvoice.documents import document, line

SELLERS: dict[str, dict[str, str]] = {
    "VAT ID": {"vat_id": "DE123456788"},
    "VAT ID and register": {"vat_id": "DE123456788", "register_number": "HRB 1"},
    "tax number": {"tax_number": "27/123/45678"},
    "tax number and register": {"tax_number": "27/1", "register_number": "HRB 1"},
    "register alone": {"register_number": "HRB 1"},
    "outside VAT": {"untaxed_category": "O", "register_number": "NY 1"},
    "outside VAT, unknown": {"untaxed_category": "O"},
}
BUYERS: dict[str, dict[str, str]] = {
    "VAT ID": {"tax_reference": "ATU12345675"},
    "another number": {"tax_reference": "27/123/45678"},
    "nothing": {},
}
# What the rules let pass and laws do not: see einvoice.sums for what they do not catch.
STRICTER = {"buyer.vat_id", "buyer.vat_reason"}


def _document(seller: Seller, account: BillingAccount, issuer: Customer) -> Any:
    treatment = VatCategory(account.vat_treatment)
    is_outside = seller.is_outside_vat or treatment is VatCategory.OUTSIDE
    category = VatCategory.OUTSIDE if is_outside else treatment
    rate = "19" if category is VatCategory.STANDARD else "0"
    return document(
        [line("5.00", category, rate)],
        seller=seller_party(issuer, seller, with_vat=not is_outside),
        buyer=buyer_party(account, with_vat=not is_outside),
        delivery=Delivery(document().delivery.on, account.customer.country),
        payment=payment_of(account, seller),
        buyer_reference="",
        order_reference="",
    )


@pytest.mark.parametrize(
    ("of_seller", "of_buyer", "treatment"),
    list(product(SELLERS, BUYERS, VatTreatment)),
)
def test_ready_is_what_the_rules_take(
    of_seller: str, of_buyer: str, treatment: VatTreatment
) -> None:
    issuer = Customer(name="Acme", country="DE", email="billing@acme.test")
    customer = Customer(name="Beta", country="AT", email="billing@beta.test")
    seller = Seller(iban="DE89370400440532013000", **SELLERS[of_seller])
    account = BillingAccount(
        customer=customer,
        currency="EUR",
        vat_treatment=treatment,
        vat_reason="§ 4 UStG",
        **BUYERS[of_buyer],
    )
    gaps = in_the_way(
        [
            *seller_gaps(seller, issuer, treatment=treatment),
            *buyer_gaps(account, customer, seller=seller),
        ]
    )
    broken = findings(ubl(_document(seller, account, issuer)), Syntax.UBL)
    if not gaps:
        assert broken == []
    elif {gap.code for gap in gaps} - STRICTER:
        assert broken


@pytest.mark.parametrize("treatment", VatTreatment)
def test_seller_outside_vat_asks_buyers_for_nothing_of_it(
    treatment: VatTreatment,
) -> None:
    issuer = Customer(name="Acme", country="US")
    customer = Customer(name="Beta", country="AT")
    seller = Seller(iban="DE89370400440532013000", **SELLERS["outside VAT"])
    account = BillingAccount(customer=customer, currency="EUR", vat_treatment=treatment)
    gaps = buyer_gaps(account, customer, seller=seller)
    assert in_the_way(gaps) == []
    written = _document(seller, account, issuer)
    assert findings(ubl(written), Syntax.UBL) == []
    assert findings(cii(written), Syntax.CII) == []


@pytest.mark.parametrize("side", ["seller", "buyer"])
def test_countries_are_what_the_rules_miss(side: str) -> None:
    issuer = Customer(name="Acme", country="" if side == "seller" else "DE")
    customer = Customer(name="Beta", country="" if side == "buyer" else "DE")
    seller = Seller(iban="DE89370400440532013000", vat_id="DE123456788")
    account = BillingAccount(customer=customer, currency="EUR")
    gaps = [
        *seller_gaps(seller, issuer),
        *buyer_gaps(account, customer, seller=seller),
    ]
    assert [gap.code for gap in in_the_way(gaps)] == [f"{side}.country"]
    assert findings(ubl(_document(seller, account, issuer)), Syntax.UBL)
