"""What an electronic invoice says, in the terms of EN 16931 (BT and BG numbers are its own).

All amounts are rounded already, and sums are checked nowhere below: the writers of UBL and CII
copy, they never add or round. `billing.einvoice.sums` makes the sums.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class DocumentType(StrEnum):
    """BT-3, of UNTDID 1001."""

    INVOICE = "380"
    CREDIT_NOTE = "381"


class VatCategory(StrEnum):
    """BT-118 and BT-151, of UNTDID 5305."""

    STANDARD = "S"
    ZERO_RATED = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE = "O"  # not subject to VAT: alone in its document (BR-O-11)

    @property
    def has_rate(self) -> bool:
        """Whether a rate is written, though it be 0 (BR-O-05)."""
        return self is not VatCategory.OUTSIDE

    @property
    def needs_reason(self) -> bool:
        """BR-E-10, BR-AE-10, BR-IC-10, BR-G-10 and BR-O-10."""
        return self not in {VatCategory.STANDARD, VatCategory.ZERO_RATED}


@dataclass(frozen=True, slots=True)
class Address:
    """BG-5 and BG-8. ``country`` is ISO 3166-1 alpha-2."""

    country: str
    street: str = ""
    extra: str = ""
    city: str = ""
    post_code: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An electronic address (BT-34, BT-49): an id in a scheme of the EAS code list."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class Contact:
    """BG-6 and BG-9."""

    name: str = ""
    telephone: str = ""
    email: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.telephone or self.email)


@dataclass(frozen=True, slots=True)
class Party:
    """The seller (BG-4) or the buyer (BG-7)."""

    name: str
    address: Address
    trading_name: str = ""
    identifier: str = ""  # BT-29, BT-46: what the other side knows it by
    register_number: str = ""  # BT-30, BT-47
    vat_id: str = ""  # BT-31, BT-48: with the country's letters in front (BR-CO-09)
    tax_number: str = ""  # BT-32 of the seller; of a buyer, who has none, for people
    legal_form: str = ""  # BT-33
    endpoint: Endpoint | None = None
    contact: Contact = field(default_factory=Contact)


@dataclass(frozen=True, slots=True)
class Period:
    """BG-14 and BG-26; both days belong to it."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Line:
    """BG-25. ``price`` (BT-146) is of ``price_quantity`` units (BT-149), not rounded.

    ``unit`` is of UN/ECE Recommendation 20; ``net`` (BT-131) is rounded.
    """

    number: str
    name: str
    quantity: Decimal
    unit: str
    price: Decimal
    net: Decimal
    category: VatCategory
    rate: Decimal
    price_quantity: Decimal = Decimal(1)
    description: str = ""
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class DocumentCharge:
    """BG-21: a levy on the whole document. ``code`` is of UNTDID 7161."""

    amount: Decimal
    reason: str
    category: VatCategory
    rate: Decimal
    code: str = "ABK"


@dataclass(frozen=True, slots=True)
class VatBreakdown:
    """BG-23: one for each category and rate."""

    category: VatCategory
    rate: Decimal
    base: Decimal
    amount: Decimal
    reason: str = ""
    reason_code: str = ""  # BT-121, of the VATEX list


DIRECT_DEBITS = frozenset({"49", "59"})  # of UNTDID 4461


@dataclass(frozen=True, slots=True)
class Payment:
    """BG-16. ``means`` is of UNTDID 4461: 58 SEPA transfer, 59 SEPA debit, 30, 48, 1."""

    means: str
    reference: str = ""  # BT-83
    iban: str = ""  # BT-84
    holder: str = ""  # BT-85
    bic: str = ""  # BT-86
    mandate: str = ""  # BT-89
    creditor: str = ""  # BT-90
    debited_iban: str = ""  # BT-91
    account: str = (
        ""  # BT-84 where there are no IBANs, with its bank for people to read
    )
    bank: str = ""
    bank_code: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """BG-22."""

    lines: Decimal  # BT-106
    charges: Decimal  # BT-108
    net: Decimal  # BT-109
    vat: Decimal  # BT-110
    gross: Decimal  # BT-112
    prepaid: Decimal  # BT-113
    payable: Decimal  # BT-115


@dataclass(frozen=True, slots=True)
class Delivery:
    """BG-13: the last day of what is invoiced, and its country (BR-IC-12).

    None where that day is still to come: BR-IC-11 is content with the period (BG-14).
    """

    on: date | None
    country: str


@dataclass(frozen=True, slots=True)
class Preceding:
    """BG-3: the invoice that a credit note is about."""

    number: str
    issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One invoice or credit note; amounts of a credit note are positive."""

    type: DocumentType
    number: str
    issued_on: date
    currency: str
    seller: Party
    buyer: Party
    delivery: Delivery
    lines: tuple[Line, ...]
    vat: tuple[VatBreakdown, ...]
    totals: Totals
    charges: tuple[DocumentCharge, ...] = ()
    period: Period | None = None
    due_on: date | None = None
    terms: str = ""  # BT-20
    note: str = ""  # BT-22
    buyer_reference: str = ""  # BT-10
    order_reference: str = ""  # BT-13
    preceding: Preceding | None = None
    payment: Payment | None = None
    # BT-6 and BT-111: the VAT once more in the currency that the seller's books are kept in.
    vat_currency: str = ""
    vat_in_books: Decimal | None = None
