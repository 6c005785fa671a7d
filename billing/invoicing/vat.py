"""How the taxes of our ledger appear in the terms of EN 16931 (docs/adr/0021).

The standard knows VAT in categories and nothing else. A seller, or a supply, outside VAT puts
all lines into category O and every tax beside them as a charge of the document; else VAT goes
into the breakdown, and any other levy is a charge that bears no VAT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.einvoice.record import VatCategory
from billing.einvoice.sums import Reason
from portal.core.money import ZERO

# Of the VATEX code list; exempt has a code for each clause, so the seller's words must do.
CODES: dict[VatCategory, str] = {
    VatCategory.REVERSE_CHARGE: "VATEX-EU-AE",
    VatCategory.INTRA_COMMUNITY: "VATEX-EU-IC",
    VatCategory.EXPORT: "VATEX-EU-G",
    VatCategory.OUTSIDE: "VATEX-EU-O",
}


@dataclass(frozen=True, slots=True)
class TaxOnLine:
    """A tax that a line bears; ``amount`` is positive where the line is charged."""

    tax_id: int
    name: str
    rate: Decimal
    amount: Decimal
    is_vat: bool


@dataclass(frozen=True, slots=True)
class VatRules:
    """What holds for one seller and one buyer.

    ``untaxed`` is what a line is that bears no VAT though the buyer is an ordinary one; of a
    seller who knows no VAT it is O.
    """

    treatment: VatCategory
    untaxed: VatCategory = VatCategory.ZERO_RATED
    untaxed_reason: str = ""
    reason: str = ""

    @property
    def is_outside(self) -> bool:
        """Whether the whole document is: O stands alone (BR-O-11)."""
        return VatCategory.OUTSIDE in (self.treatment, self.untaxed)

    def outside(self) -> VatRules:
        """The same for a document about nothing that is taxed."""
        return replace(self, treatment=VatCategory.OUTSIDE, reason="")

    def of_line(self, taxes: Iterable[TaxOnLine]) -> tuple[VatCategory, Decimal]:
        """The category and rate in percent of a line that bears ``taxes``."""
        if self.is_outside:
            return VatCategory.OUTSIDE, ZERO
        rate = sum((tax.rate for tax in taxes if tax.is_vat), ZERO)
        if rate:
            return VatCategory.STANDARD, rate
        return self.without_vat, ZERO

    @property
    def without_vat(self) -> VatCategory:
        """The category of what bears no VAT."""
        if self.is_outside:
            return VatCategory.OUTSIDE
        if self.treatment is VatCategory.STANDARD:
            return self.untaxed
        return self.treatment

    @property
    def of_levies(self) -> VatCategory:
        """The category of taxes that are not VAT: they are never in its base."""
        return VatCategory.OUTSIDE if self.is_outside else self.untaxed

    def is_charge(self, tax: TaxOnLine) -> bool:
        """Whether a tax stands beside the lines, not in the breakdown of VAT."""
        return self.is_outside or not tax.is_vat

    def reasons(self) -> dict[VatCategory, Reason]:
        """Why a category bears no VAT, in the active language."""
        said = {
            VatCategory.REVERSE_CHARGE: _("Reverse charge: the customer owes the VAT"),
            VatCategory.INTRA_COMMUNITY: _("Intra-Community supply, exempt from VAT"),
            VatCategory.EXPORT: _("Export, exempt from VAT"),
            VatCategory.OUTSIDE: _("Not subject to VAT"),
            VatCategory.EXEMPT: self.untaxed_reason or _("Exempt from VAT"),
        }
        if self.reason:
            said[self.treatment] = self.reason
        return {
            category: Reason(text, CODES.get(category, ""))
            for category, text in said.items()
        }
