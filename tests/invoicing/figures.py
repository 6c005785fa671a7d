"""Entries taxed as the ledger does, and the figures of documents to compare."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml import etree

from billing.choices import EntryKind
from billing.einvoice.cii import cii
from billing.einvoice.record import Document
from billing.einvoice.rules import Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.content import thaw
from billing.models import BillingAccount, Invoice, LedgerEntry, Tax
from billing.taxes import tax_parts
from portal.core.money import ZERO
from tests.invoicing.bills import charge

# Totals by their names in UBL and CII: net, with taxes, to be paid.
_TOTALS = (
    ("TaxExclusiveAmount", "TaxBasisTotalAmount"),
    ("TaxInclusiveAmount", "GrandTotalAmount"),
    ("PayableAmount", "DuePayableAmount"),
)


def book(account: BillingAccount, net: str, *taxes: Tax, **details: Any) -> LedgerEntry:
    """An entry of ``net`` with what ``taxes`` come to; below 0 it is given back."""
    parts = tax_parts(
        abs(Decimal(net)),
        taxes,
        currency=account.currency,
        convert=lambda amount, _currency, _wanted: amount,
    )
    by_id = {tax.pk: tax for tax in taxes}
    if Decimal(net) < 0:
        details.setdefault("kind", EntryKind.REFUND)
    pairs = tuple((by_id[part.tax_id], str(part.amount)) for part in parts)
    return charge(account, net, taxes=pairs, **details)


def document_of(invoice: Invoice) -> Document:
    return thaw(invoice.content).document


def broken(document: Document) -> list[str]:
    """The official rules that either XML breaks."""
    found = (
        *findings(ubl(document), Syntax.UBL),
        *findings(cii(document), Syntax.CII),
    )
    return [each.rule for each in found]


def stated_alike(document: Document) -> None:
    """Both XML state the document's totals and its VAT, to the last digit."""
    sums = document.totals
    in_ubl = etree.fromstring(ubl(document))
    in_cii = etree.fromstring(cii(document))
    wanted = (sums.net, sums.gross, sums.payable)
    for (ubl_name, cii_name), amount in zip(_TOTALS, wanted, strict=True):
        assert Decimal(in_ubl.findtext(f".//{{*}}{ubl_name}")) == amount
        assert Decimal(in_cii.findtext(f".//{{*}}{cii_name}")) == amount
    vat = [part.amount for part in document.vat]
    assert _amounts(in_ubl, ".//{*}TaxSubtotal/{*}TaxAmount") == vat
    assert (
        _amounts(
            in_cii,
            ".//{*}ApplicableHeaderTradeSettlement/{*}ApplicableTradeTax"
            "/{*}CalculatedAmount",
        )
        == vat
    )
    assert sum(vat, ZERO) == sums.vat
    nets = [line.net for line in document.lines]
    found = _amounts(in_ubl, "./*/{*}LineExtensionAmount")  # the first is their sum
    assert found[1:] == nets
    assert (
        _amounts(
            in_cii,
            ".//{*}SpecifiedTradeSettlementLineMonetarySummation/{*}LineTotalAmount",
        )
        == nets
    )


def _amounts(tree: Any, path: str) -> list[Decimal]:
    return [Decimal(element.text) for element in tree.findall(path)]
