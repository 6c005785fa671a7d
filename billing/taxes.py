"""Which taxes a price bears, and how much they are (D 4); no queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing.models import Charge, Product, Tax
from portal.core.money import round_money
from rateplans.choices import Feature

HUNDRED = Decimal(100)
# An amount, its currency, the currency wanted.
Convert = Callable[[Decimal, str, str], Decimal]
# The switch of a tax that says whether it applies to the fees of a feature.
SWITCHES: dict[Feature, str] = {
    Feature.ACCOUNT: "applies_accounts",
    Feature.LINE: "applies_features",
    Feature.MAILBOX: "applies_features",
    Feature.PERSON: "applies_features",
    Feature.NUMBER: "applies_numbers",
}


@dataclass(frozen=True, slots=True)
class TaxPart:
    """A tax on one price: what it is called, its rate in percent, and how much it is.

    ``is_vat`` as the tax says when it is charged: documents tell VAT from levies by that.
    """

    tax_id: int
    name: str
    rate: Decimal
    amount: Decimal
    is_vat: bool


def on_feature(taxes: Iterable[Tax], feature: Feature) -> list[Tax]:
    """Those that apply to the fees of a feature."""
    return [tax for tax in taxes if getattr(tax, SWITCHES[feature])]


def on_sold(liable: Iterable[Tax], sold: Charge | Product, switch: str) -> list[Tax]:
    """Those of ``liable`` that a charge or a product bears; its taxes are loaded.

    Its ticks decide (docs/adr/0015). What its owner could not tick, taxes of a reseller
    between it and who pays, applies as ``switch`` of that tax says.
    """
    ticked = {tax.pk for tax in sold.taxes.all()}
    known = {sold.owner_id, *sold.owner.ancestor_ids}
    return [
        tax
        for tax in liable
        if tax.pk in ticked or (tax.owner_id not in known and getattr(tax, switch))
    ]


def tax_parts(
    net: Decimal, taxes: Iterable[Tax], *, currency: str, convert: Convert
) -> tuple[TaxPart, ...]:
    """Each tax on a positive ``net`` in ``currency``: net * rate / 100 + amount.

    Every tax is computed on the net price and rounded by itself; those of 0 are left out,
    unless it is VAT with a rate: a price of which that is less than a cent is taxed all the
    same, and the sum of many such prices has it.
    """
    if not net:
        return ()
    parts = (
        TaxPart(
            tax.pk,
            tax.name,
            tax.rate,
            round_money(
                net * tax.rate / HUNDRED
                + (convert(tax.amount, tax.currency, currency) if tax.amount else 0),
                currency,
            ),
            tax.is_vat,
        )
        for tax in taxes
    )
    return tuple(part for part in parts if part.amount or (part.is_vat and part.rate))
