"""Seller and buyer as an invoice names them: for machines, on envelope and letterhead."""

from __future__ import annotations

from typing import Any

from billing.choices import PaymentType
from billing.einvoice.record import Address, Contact, Endpoint, Party, Payment
from billing.invoicing.content import Look
from billing.models import BillingAccount, Seller
from billing.parties import vat_id_in
from billing.party_choices import SEPA_CURRENCY
from portal.core.colours import DEFAULT_COLOUR, contrast_of
from portal.core.countries import country_name


def seller_party(issuer: Any, seller: Seller, *, with_vat: bool) -> Party:
    """BG-4. Outside VAT neither side may name a VAT ID (BR-O-02)."""
    return Party(
        name=seller.legal_name or issuer.name,
        trading_name=seller.trading_name,
        address=_address(issuer),
        register_number=seller.register_number,
        vat_id=seller.vat_id if with_vat else "",
        tax_number=seller.tax_number if with_vat else "",
        legal_form=seller.legal_form,
        endpoint=_endpoint(seller),
        contact=Contact(
            seller.contact_name,
            seller.contact_telephone or issuer.telephone,
            seller.contact_email or first_address(issuer.email),
        ),
    )


def buyer_party(account: BillingAccount, *, with_vat: bool) -> Party:
    """BG-7. A tax reference that is no VAT ID is for people alone."""
    customer = account.customer
    vat_id = vat_id_in(account.tax_reference) if with_vat else ""
    return Party(
        name=account.legal_name or customer.name,
        address=_address(customer),
        identifier=customer.account_number,
        register_number=account.register_number,
        vat_id=vat_id,
        tax_number="" if vat_id else account.tax_reference,
        endpoint=_endpoint(account),
        contact=Contact("", customer.telephone, first_address(customer.email)),
    )


def first_address(emails: str) -> str:
    """The first of several e-mail addresses with commas between them."""
    return emails.split(",")[0].strip()


def envelope(name: str, customer: Any, *, home: str) -> tuple[str, ...]:
    """Name and address as on an envelope that is posted in the country ``home``.

    Letters to another one name it in capitals, as the posts ask.
    """
    lines = customer.addressed_to(name)
    if customer.country and customer.country != home:
        lines.append(country_name(customer.country).upper())
    return tuple(lines)


def payment_of(account: BillingAccount, seller: Seller) -> Payment:
    """BG-16, without its reference; the means are those of UNTDID 4461."""
    if account.payment_type == PaymentType.CREDIT_CARD:
        return Payment("48")
    if account.payment_type == PaymentType.DIRECT_DEBIT:
        return _debit_of(account, seller)
    holder = seller.account_holder or seller.legal_name
    if not seller.bank_account:
        return Payment("1")
    if not seller.iban:
        return Payment(
            "30",
            holder=holder,
            account=seller.account_number,
            bank=seller.bank_name,
            bank_code=seller.bank_code,
        )
    means = "58" if account.currency == "EUR" else "30"
    return Payment(
        means,
        iban=seller.iban,
        holder=holder,
        bic=seller.bic,
    )


def _debit_of(account: BillingAccount, seller: Seller) -> Payment:
    """As SEPA direct debit where all is there that it needs, else as debit of any kind."""
    if account.currency != SEPA_CURRENCY or not (
        seller.creditor_id and account.mandate_reference and account.debited_iban
    ):
        return Payment("49")
    return Payment(
        "59",
        mandate=account.mandate_reference,
        creditor=seller.creditor_id,
        debited_iban=account.debited_iban,
    )


def look_of(issuer: Any, seller: Seller) -> Look:
    """The letterhead: the issuer's own brand."""
    company = getattr(issuer, "company", None)
    colour = (company.colour if company else "") or DEFAULT_COLOUR
    shown = company.display_name if company else ""
    return Look(
        name=shown or seller.trading_name or seller.legal_name or issuer.name,
        colour=colour,
        contrast=contrast_of(colour),
        logo=company.logo_hash if company else "",
        website=company.website if company else "",
        telephone=(company.service_telephone if company else "") or issuer.telephone,
        email=(company.service_email if company else "") or first_address(issuer.email),
    )


def _address(customer: Any) -> Address:
    return Address(
        country=customer.country,
        street=customer.address1,
        extra=customer.address2 or customer.address3,
        city=customer.address_city,
        post_code=customer.address_code,
        region=customer.address_state,
    )


def _endpoint(row: Any) -> Endpoint | None:
    if not row.endpoint_scheme or not row.endpoint_id:
        return None
    return Endpoint(row.endpoint_scheme, row.endpoint_id)
