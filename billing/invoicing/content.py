"""All that an invoice says, frozen when it is issued; documents are drawn from this alone.

What machines read is `einvoice.record.Document`; the rest is what people see beside it. Texts
are in the invoice's language already, amounts rounded to its currency: to draw one is to copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from billing.einvoice.record import Document, Period
from portal.core.money import ZERO

# Of the shape of `Content`. What is frozen can never be rewritten, so a field that gets
# another name or meaning makes a new version, and `thaw` reads each one that there was.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One printed row: what it is for, how many, and its net amount."""

    text: str
    net: Decimal
    quantity: int = 1
    day: date | None = None
    period: Period | None = None
    taxes: str = ""  # their names and rates, "VAT 19 %"


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind, such as recurring fees; without rows only its sum is told."""

    title: str
    net: Decimal
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What a tax comes to; ``rate`` is 0 for one of a flat amount."""

    name: str
    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came in (positive) or went out in the period."""

    day: date
    text: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Deduction:
    """What comes off the total (positive) or is to be paid on top; ``day`` of a payment.

    ``is_settlement``: of a payment that settles this very invoice, moved from another.
    """

    text: str
    amount: Decimal
    day: date | None = None
    is_settlement: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """The seller's letterhead. ``logo`` is the hash its image is kept by, "" for none."""

    name: str
    colour: str
    contrast: str
    logo: str = ""
    website: str = ""
    telephone: str = ""
    email: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """One invoice or credit note.

    ``total_due`` and ``balance`` are None where the billing type does not show them (D 1.5).
    ``qr`` is the text of the QR code that starts a SEPA transfer, "" for none.
    ``buyer_lines`` and ``seller_lines`` are the addresses as on an envelope, names included.
    ``credited``: the numbers of the invoice's lines that a credit note gives back one by one.
    ``deductions`` add up to ``carried_over``, and ``payments`` count nothing beside them;
    None in documents of before, whose ``payments`` may be part of it.
    """

    document: Document
    language: str
    time_zone: str
    detail: str
    look: Look
    seller_lines: tuple[str, ...]
    buyer_lines: tuple[str, ...]
    sections: tuple[Section, ...]
    taxes: tuple[TaxLine, ...]
    payments: tuple[Movement, ...] = ()
    total_due: Decimal | None = None
    balance: Decimal | None = None
    carried_over: Decimal = ZERO  # what payments and earlier debts take off the total
    customer_number: str = ""
    customer_reference: str = ""  # the billing reference
    qr: str = ""
    credited: tuple[str, ...] = ()
    deductions: tuple[Deduction, ...] | None = None
    version: int = VERSION


def freeze(content: Content) -> Any:
    """As JSON keeps it: amounts and days are texts, so that nothing is lost."""
    return msgspec.to_builtins(content)


def thaw(frozen: Any) -> Content:
    """What `freeze` made, of any version; msgspec.ValidationError for anything else."""
    content = msgspec.convert(frozen, Content)
    if content.version != VERSION:
        raise msgspec.ValidationError(f"Version {content.version} is not known.")
    return content
