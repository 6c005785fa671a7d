"""What is missing for a valid electronic invoice, in words a reseller understands.

Pure: rows in, gaps out. Pages list them, and an invoice with one of `Standard.EN16931` that
is to be written as XML is held back with the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.utils.translation import gettext as _

from billing.choices import PaymentType
from billing.models import BillingAccount, Seller
from billing.parties import vat_id_in
from billing.party_choices import SEPA_CURRENCY, VatTreatment

# BR-IC-02 and BR-G-02: a tax number is not enough.
_NEED_SELLERS_VAT_ID = (VatTreatment.INTRA_COMMUNITY, VatTreatment.EXPORT)


class Standard(StrEnum):
    """What a gap stands in the way of; Peppol wants all of EN 16931 and more."""

    EN16931 = "en16931"
    PEPPOL = "peppol"


class Side(StrEnum):
    """Who the gap is about, so who can close it."""

    SELLER = "seller"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something missing: a code, a sentence, and the form field that it belongs into.

    `billing.views.readiness.gap_url` says on which page the field is.
    """

    code: str
    text: str
    side: Side
    field: str
    standard: Standard = Standard.EN16931


class Addressed(Protocol):
    """The customer's row behind a seller or a buyer, as far as it matters here."""

    @property
    def country(self) -> str: ...


def seller_gaps(
    seller: Seller,
    customer: Addressed,
    *,
    asks_transfers: bool = True,
    treatment: str = VatTreatment.STANDARD,
) -> list[Gap]:
    """What is missing of the account that issues invoices; ``customer`` is its own row.

    ``asks_transfers``: whether somebody pays by bank transfer, so must be told where to;
    ``treatment`` is the buyer's, where one is meant.
    """
    gaps = []
    is_outside = seller.is_outside_vat or treatment == VatTreatment.OUTSIDE

    def miss(code: str, text: str, field: str, **options: Standard) -> None:
        gaps.append(Gap(f"seller.{code}", text, Side.SELLER, field, **options))

    if not customer.country:
        miss("country", _("Your country is missing."), "country")
    if not (is_outside or seller.vat_id or seller.tax_number):
        text = _(
            "Your VAT ID or tax number is missing; without one, choose that nothing you"
            " sell is subject to VAT."
        )
        miss("vat_id", text, "vat_id")
    elif treatment in _NEED_SELLERS_VAT_ID and not (is_outside or seller.vat_id):
        text = _("Your VAT ID is missing: %(treatment)s needs it.")
        miss("vat_id", text % {"treatment": _quoted(treatment)}, "vat_id")
    elif (is_outside or not seller.vat_id) and not seller.register_number:
        # BR-CO-26: a VAT ID, where one may be named, or else this tells who it is.
        text = _(
            "Your register number is missing: without a VAT ID, it is what"
            " identifies you."
        )
        miss("register_number", text, "register_number")
    if asks_transfers and not seller.bank_account:
        text = _("Your IBAN is missing: customers cannot tell where to transfer to.")
        miss("iban", text, "iban")
    if not seller.endpoint_id:
        text = _("Your electronic address is missing.")
        miss("endpoint", text, "endpoint_scheme", standard=Standard.PEPPOL)
    return gaps


def debit_gaps(account: BillingAccount, seller: Seller) -> list[Gap]:
    """What is missing to collect by SEPA direct debit from a customer who pays so.

    Invoices are valid without it, but not Peppol's (R061), and say less.
    """
    if (
        account.payment_type != PaymentType.DIRECT_DEBIT
        or account.currency != SEPA_CURRENCY
    ):
        return []
    gaps = []

    def miss(side: Side, field: str, text: str) -> None:
        gaps.append(Gap(f"{side}.{field}", text, side, field, Standard.PEPPOL))

    if not seller.creditor_id:
        text = _("Your creditor identifier is missing: direct debits need it.")
        miss(Side.SELLER, "creditor_id", text)
    if not account.mandate_reference:
        text = _("The reference of the customer's SEPA mandate is missing.")
        miss(Side.BUYER, "mandate_reference", text)
    if not account.debited_iban:
        text = _("The IBAN that you collect from is missing.")
        miss(Side.BUYER, "debited_iban", text)
    return gaps


def buyer_gaps(
    account: BillingAccount, customer: Addressed, *, seller: Seller
) -> list[Gap]:
    """What is missing of the customer that gets invoices; ``customer`` is its row.

    A ``seller`` outside VAT writes documents that know none (BR-O-11), so asks for no VAT ID
    and no reason, whatever the treatment says.
    """
    gaps = []

    def miss(code: str, text: str, field: str, **options: Standard) -> None:
        gaps.append(Gap(f"buyer.{code}", text, Side.BUYER, field, **options))

    if not customer.country:
        miss("country", _("The customer's country is missing."), "country")
    treatment = VatTreatment(account.vat_treatment)
    if seller.is_outside_vat:
        treatment = VatTreatment.OUTSIDE
    if treatment.needs_vat_id and not vat_id_in(account.tax_reference):
        text = _(
            "The customer's VAT ID is missing, or does not begin with the letters of its"
            " country: %(treatment)s needs it."
        ) % {"treatment": _quoted(treatment)}
        miss("vat_id", text, "tax_reference")
    if treatment == VatTreatment.EXEMPT and not account.vat_reason:
        text = _("The law by which the customer is exempt from VAT is missing.")
        miss("vat_reason", text, "vat_reason")
    if not account.endpoint_id:
        text = _("The customer's electronic address is missing.")
        miss("endpoint", text, "endpoint_scheme", standard=Standard.PEPPOL)
    if not (account.buyer_reference or account.order_reference):
        text = _("The customer's reference or order number is missing.")
        miss("reference", text, "buyer_reference", standard=Standard.PEPPOL)
    return gaps


def _quoted(treatment: str) -> str:
    return _("“%(text)s”") % {"text": VatTreatment(treatment).label}


def in_the_way(gaps: Iterable[Gap]) -> list[Gap]:
    """Those without which there is no valid document at all."""
    return [gap for gap in gaps if gap.standard == Standard.EN16931]
