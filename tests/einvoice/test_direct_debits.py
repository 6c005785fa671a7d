"""SEPA direct debits on invoices: for machines by the official rules, for people in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from billing.choices import PaymentType
from billing.documents import front
from billing.documents.figures import Figures
from billing.einvoice.cii import cii
from billing.einvoice.record import Document
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import PEPPOL, ubl
from billing.invoicing.readiness import debit_gaps, in_the_way
from billing.invoicing.sides import payment_of
from billing.models import BillingAccount, Seller
from tests.einvoice.documents import document

GOLDEN = Path(__file__).parent / "golden"
SELLER = {"creditor_id": "DE98ZZZ09999999999", "iban": "DE89370400440532013000"}
ACCOUNT = {
    "payment_type": PaymentType.DIRECT_DEBIT,
    "currency": "EUR",
    "mandate_reference": "M-2026/17",
    "debited_iban": "DE02120300000000202051",
}


def debited(**changes: Any) -> Document:
    account = {name: value for name, value in changes.items() if name in ACCOUNT}
    seller = {name: value for name, value in changes.items() if name in SELLER}
    return document(
        payment=payment_of(
            BillingAccount(**(ACCOUNT | account)), Seller(**(SELLER | seller))
        )
    )


@pytest.mark.parametrize(
    ("changes", "means", "gaps"),
    [
        ({}, "59", []),
        ({"creditor_id": ""}, "49", ["seller.creditor_id"]),
        ({"mandate_reference": ""}, "49", ["buyer.mandate_reference"]),
        ({"debited_iban": ""}, "49", ["buyer.debited_iban"]),
        ({"currency": "USD"}, "49", []),
        ({"payment_type": PaymentType.MANUAL}, "58", []),
    ],
)
def test_debits_are_of_sepa_where_all_is_there(
    changes: dict[str, Any], means: str, gaps: list[str]
) -> None:
    found = debited(**changes)
    assert found.payment is not None
    assert found.payment.means == means
    account = BillingAccount(
        **(ACCOUNT | {name: changes[name] for name in changes if name in ACCOUNT})
    )
    seller = Seller(
        **(SELLER | {name: changes[name] for name in changes if name in SELLER})
    )
    told = debit_gaps(account, seller)
    assert [gap.code for gap in told] == gaps
    assert in_the_way(told) == []  # an invoice is valid without


@pytest.mark.parametrize(
    ("syntax", "write"), [(Syntax.UBL, ubl), (Syntax.CII, cii)], ids=["ubl", "cii"]
)
def test_debit_is_written_as_the_rules_want(syntax: Syntax, write: Any) -> None:
    written = write(debited())
    assert findings(written, syntax) == []
    assert written == (GOLDEN / f"direct_debit.{syntax}.xml").read_bytes()


def test_own_account_of_the_customer_is_never_given_as_the_sellers() -> None:
    payment = debited().payment
    assert payment is not None
    assert (payment.iban, payment.holder) == (
        "",
        "",
    )  # so no QR code, nor "please pay to"
    assert payment.debited_iban == ACCOUNT["debited_iban"]


def test_peppol_is_named_only_with_a_mandate() -> None:
    assert PEPPOL.encode() in ubl(debited())
    assert PEPPOL.encode() not in ubl(debited(mandate_reference=""))


def test_people_read_what_is_collected_from_where_and_why() -> None:
    found = debited()
    figures = Figures("en", "EUR")
    said = front.how_to_pay(found, figures)
    assert said.startswith("We will collect €")
    assert "from IBAN …2051 on " in said
    facts = {fact.label: fact.text for fact in front.payment_details(found.payment)}
    assert facts["Mandate"] == "M-2026/17"
    assert facts["Creditor ID"] == "DE98ZZZ09999999999"
    assert ACCOUNT["debited_iban"] not in "".join(facts.values()).replace(" ", "")


def test_without_a_mandate_less_is_said() -> None:
    found = debited(mandate_reference="")
    assert "from your account" in front.how_to_pay(found, Figures("en", "EUR"))
    assert "Mandate" not in {
        fact.label for fact in front.payment_details(found.payment)
    }
