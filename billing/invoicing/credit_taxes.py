"""Which taxes of the ledger a credit note gives back. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from billing.einvoice.record import Document, VatBreakdown, VatCategory
from billing.invoicing.credit_parts import nets_of
from portal.core.money import ZERO, round_stated


@dataclass(frozen=True, slots=True)
class BookedTax:
    """A tax of the invoice's entries: what of it they bear, and in which VAT rate."""

    tax_id: int
    name: str
    rate: Decimal
    is_vat: bool
    group_rate: Decimal  # of all VAT on the same line together
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """A net amount and the taxes on it; both below 0 where a discount is taken back."""

    net: Decimal
    taxes: dict[int, Decimal]  # by the ids of the taxes

    @property
    def gross(self) -> Decimal:
        return self.net + sum(self.taxes.values(), ZERO)


def shares(document: Document, booked: Sequence[BookedTax]) -> list[Share]:
    """What a credit note gives back, in as few entries as can say it.

    An entry and its net have one sign. Where the net of all is below 0 and its taxes are
    not, what is given back and what is taken back are entries of their own.
    """
    nets = nets_of(document.lines)
    whole = _share(document, booked, nets.values(), document.vat)
    if whole.net >= 0 and (whole.gross or not whole.net):
        return [whole]
    is_above = {group: net > 0 for group, net in nets.items()}
    return [
        _share(
            document if above else replace(document, charges=()),
            booked,
            [net for net in nets.values() if (net > 0) is above],
            [
                part
                for part in document.vat
                if is_above.get((part.category, part.rate), True) is above
            ],
        )
        for above in (True, False)
    ]


def _share(
    document: Document,
    booked: Sequence[BookedTax],
    nets: Iterable[Decimal],
    vat: Iterable[VatBreakdown],
) -> Share:
    """``nets`` and ``vat`` of a document, with its charges: all that is no tax is net."""
    parts = tuple(vat)
    taxes = _taxes_by_id(document, parts, booked)
    gross = (
        sum(nets, ZERO)
        + sum((part.amount for part in parts), ZERO)
        + sum((charge.amount for charge in document.charges), ZERO)
    )
    return Share(gross - sum(taxes.values(), ZERO), taxes)


def _taxes_by_id(
    document: Document, vat: Iterable[VatBreakdown], booked: Sequence[BookedTax]
) -> dict[int, Decimal]:
    """The taxes of a credit note, spread over those that the invoice's entries bear."""
    outside = any(part.category is VatCategory.OUTSIDE for part in document.vat)
    found: dict[int, Decimal] = {}
    for part in vat:
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
    if not sum(weights.values(), ZERO):
        # Of many small prices each bore less than a cent: then rates must do.
        weights = {tax.tax_id: tax.rate for tax in taxes}
    whole = sum(weights.values(), ZERO)
    if not whole:
        return
    seen = given = ZERO
    for tax_id, weight in weights.items():
        seen += weight
        upto = round_stated(amount * seen / whole, currency)
        found[tax_id] = found.get(tax_id, ZERO) + upto - given
        given = upto
    # All of it, though the invoice is older than the rule that rounds it.
    found[tax_id] += amount - given
