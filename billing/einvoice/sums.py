"""The sums of EN 16931: by category and rate, then in all (BR-CO-10 to BR-CO-16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from billing.einvoice.record import (
    DocumentCharge,
    Line,
    Totals,
    VatBreakdown,
    VatCategory,
)
from portal.core.money import ZERO, round_stated

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a category bears no VAT."""

    text: str = ""
    code: str = ""  # of the VATEX list


def vat_on(base: Decimal, rate: Decimal, currency: str) -> Decimal:
    """VAT of ``rate`` in percent, as documents state it (BR-CO-17)."""
    return round_stated(base * rate / HUNDRED, currency)


def breakdown(
    lines: Iterable[Line],
    charges: Iterable[DocumentCharge],
    *,
    currency: str,
    reasons: Mapping[VatCategory, Reason] | None = None,
) -> tuple[VatBreakdown, ...]:
    """BG-23: VAT is worked out once for each category and rate, on their sum (BR-CO-17)."""
    bases: dict[tuple[VatCategory, Decimal], Decimal] = {}
    for item in lines:
        key = item.category, item.rate
        bases[key] = bases.get(key, ZERO) + item.net
    for charge in charges:
        key = charge.category, charge.rate
        bases[key] = bases.get(key, ZERO) + charge.amount
    found = []
    for (category, rate), base in sorted(bases.items()):
        reason = (reasons or {}).get(category, Reason())
        found.append(
            VatBreakdown(
                category=category,
                rate=rate,
                base=base,
                amount=vat_on(base, rate, currency),
                reason=reason.text if category.needs_reason else "",
                reason_code=reason.code if category.needs_reason else "",
            )
        )
    return tuple(found)


def totals(
    lines: Iterable[Line],
    charges: Iterable[DocumentCharge],
    vat: Iterable[VatBreakdown],
    *,
    prepaid: Decimal = ZERO,
) -> Totals:
    """BG-22, of amounts that are rounded already."""
    of_lines = sum((line.net for line in lines), ZERO)
    of_charges = sum((charge.amount for charge in charges), ZERO)
    of_vat = sum((part.amount for part in vat), ZERO)
    gross = of_lines + of_charges + of_vat
    return Totals(
        lines=of_lines,
        charges=of_charges,
        net=of_lines + of_charges,
        vat=of_vat,
        gross=gross,
        prepaid=prepaid,
        payable=gross - prepaid,
    )
