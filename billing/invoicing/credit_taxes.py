"""Which taxes of the ledger a credit note gives back. No queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.einvoice.record import Document, VatCategory
from portal.core.money import ZERO, round_money


@dataclass(frozen=True, slots=True)
class BookedTax:
    """A tax of the invoice's entries: what of it they bear, and in which VAT rate."""

    tax_id: int
    name: str
    rate: Decimal
    is_vat: bool
    group_rate: Decimal  # of all VAT on the same line together
    amount: Decimal


def taxes_by_id(document: Document, booked: Sequence[BookedTax]) -> dict[int, Decimal]:
    """The taxes of a credit note, spread over those that the invoice's entries bear."""
    outside = any(part.category is VatCategory.OUTSIDE for part in document.vat)
    found: dict[int, Decimal] = {}
    for part in document.vat:
        if part.category is VatCategory.STANDARD:
            own = [tax for tax in booked if tax.is_vat and tax.group_rate == part.rate]
            _spread(part.amount, own, document.currency, found)
    for charge in document.charges:
        own = [
            tax
            for tax in booked
            if tax.name == charge.reason and (outside or not tax.is_vat)
        ]
        _spread(charge.amount, own, document.currency, found)
    return {tax_id: amount for tax_id, amount in found.items() if amount}


def _spread(
    amount: Decimal,
    taxes: Sequence[BookedTax],
    currency: str,
    found: dict[int, Decimal],
) -> None:
    weights: dict[int, Decimal] = {}
    for tax in taxes:
        weights[tax.tax_id] = weights.get(tax.tax_id, ZERO) + tax.amount
    whole = sum(weights.values(), ZERO)
    if not whole:
        return
    seen = given = ZERO
    for tax_id, weight in weights.items():
        seen += weight
        upto = round_money(amount * seen / whole, currency)
        found[tax_id] = found.get(tax_id, ZERO) + upto - given
        given = upto
