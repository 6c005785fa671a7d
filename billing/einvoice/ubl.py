"""UBL 2.1 Invoice and CreditNote, by EN 16931 (CEN/TS 16931-3-2) and Peppol BIS Billing 3."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from billing.einvoice.record import (
    DIRECT_DEBITS,
    Address,
    Contact,
    Delivery,
    Document,
    DocumentCharge,
    DocumentType,
    Line,
    Party,
    Payment,
    Period,
    VatBreakdown,
    VatCategory,
)
from billing.einvoice.tree import Node, plain

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_NAMESPACES: dict[str | None, str] = {
    "cac": f"{_UBL}:CommonAggregateComponents-2",
    "cbc": f"{_UBL}:CommonBasicComponents-2",
}
EN_16931: Final = "urn:cen.eu:en16931:2017"
PEPPOL: Final = f"{EN_16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROCESS: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"


def ubl(document: Document) -> bytes:
    """The document as UBL.

    It names Peppol BIS Billing 3 as its specification where both parties have an electronic
    address and the buyer a reference, without which Peppol carries nothing (R003, R010, R020),
    and a direct debit its mandate (R061).
    """
    is_credit_note = document.type is DocumentType.CREDIT_NOTE
    kind = "CreditNote" if is_credit_note else "Invoice"
    own: dict[str | None, str] = {None: f"{_UBL}:{kind}-2"}
    root = Node.root(kind, own | _NAMESPACES)
    _head(root, document, is_credit_note=is_credit_note)
    creditor = document.payment.creditor if document.payment is not None else ""
    seller = root.add("cac:AccountingSupplierParty")
    _party(seller, document.seller, is_seller=True, creditor=creditor)
    _party(root.add("cac:AccountingCustomerParty"), document.buyer, is_seller=False)
    _delivery(root.add("cac:Delivery"), document.delivery)
    if document.payment is not None:
        _payment(root, document, document.payment, is_credit_note=is_credit_note)
    if document.terms:
        root.add("cac:PaymentTerms").text("cbc:Note", document.terms)
    for charge in document.charges:
        _charge(root, charge, document.currency)
    _taxes(root, document)
    _totals(root, document)
    for line in document.lines:
        _line(root, line, document.currency, is_credit_note=is_credit_note)
    return root.serialized()


def is_for_peppol(document: Document) -> bool:
    has_addresses = document.seller.endpoint and document.buyer.endpoint
    has_reference = document.buyer_reference or document.order_reference
    payment = document.payment
    lacks_mandate = (
        payment is not None and payment.means in DIRECT_DEBITS and not payment.mandate
    )
    return bool(has_addresses and has_reference and not lacks_mandate)


def _head(root: Node, document: Document, *, is_credit_note: bool) -> None:
    if is_for_peppol(document):
        root.text("cbc:CustomizationID", PEPPOL)
        root.text("cbc:ProfileID", PEPPOL_PROCESS)
    else:
        root.text("cbc:CustomizationID", EN_16931)
    root.text("cbc:ID", document.number)
    root.day("cbc:IssueDate", document.issued_on)
    if is_credit_note:
        root.text("cbc:CreditNoteTypeCode", document.type)
    else:
        root.day("cbc:DueDate", document.due_on)
        root.text("cbc:InvoiceTypeCode", document.type)
    root.text("cbc:Note", document.note)
    root.text("cbc:DocumentCurrencyCode", document.currency)
    if document.vat_in_books is not None:
        root.text("cbc:TaxCurrencyCode", document.vat_currency)
    root.text("cbc:BuyerReference", document.buyer_reference)
    _period(root, document.period)
    if document.order_reference:
        root.add("cac:OrderReference").text("cbc:ID", document.order_reference)
    if document.preceding is not None:
        reference = root.add("cac:BillingReference").add("cac:InvoiceDocumentReference")
        reference.text("cbc:ID", document.preceding.number)
        reference.day("cbc:IssueDate", document.preceding.issued_on)


def _period(parent: Node, period: Period | None) -> None:
    if period is not None:
        node = parent.add("cac:InvoicePeriod")
        node.day("cbc:StartDate", period.first)
        node.day("cbc:EndDate", period.last)


def _party(parent: Node, party: Party, *, is_seller: bool, creditor: str = "") -> None:
    node = parent.add("cac:Party")
    if party.endpoint is not None:
        node.text(
            "cbc:EndpointID", party.endpoint.value, schemeID=party.endpoint.scheme
        )
    if party.identifier:
        node.add("cac:PartyIdentification").text("cbc:ID", party.identifier)
    if creditor:  # BT-90
        identification = node.add("cac:PartyIdentification")
        identification.text("cbc:ID", creditor, schemeID="SEPA")
    if party.trading_name:
        node.add("cac:PartyName").text("cbc:Name", party.trading_name)
    _address(node, party.address)
    for number, scheme in _tax_numbers(party, is_seller=is_seller):
        tax = node.add("cac:PartyTaxScheme")
        tax.text("cbc:CompanyID", number)
        tax.add("cac:TaxScheme").text("cbc:ID", scheme)
    legal = node.add("cac:PartyLegalEntity")
    legal.text("cbc:RegistrationName", party.name)
    legal.text("cbc:CompanyID", party.register_number)
    if is_seller:
        legal.text("cbc:CompanyLegalForm", party.legal_form)
    _contact(node, party.contact)


def _tax_numbers(party: Party, *, is_seller: bool) -> list[tuple[str, str]]:
    """BT-31 and BT-48, and the seller's BT-32, which any word but VAT stands for."""
    numbers = [(party.vat_id, "VAT")]
    if is_seller:
        numbers.append((party.tax_number, "TAX"))
    return [(number, scheme) for number, scheme in numbers if number]


def _address(parent: Node, address: Address) -> None:
    node = parent.add("cac:PostalAddress")
    node.text("cbc:StreetName", address.street)
    node.text("cbc:AdditionalStreetName", address.extra)
    node.text("cbc:CityName", address.city)
    node.text("cbc:PostalZone", address.post_code)
    node.text("cbc:CountrySubentity", address.region)
    node.add("cac:Country").text("cbc:IdentificationCode", address.country)


def _contact(parent: Node, contact: Contact) -> None:
    if contact:
        node = parent.add("cac:Contact")
        node.text("cbc:Name", contact.name)
        node.text("cbc:Telephone", contact.telephone)
        node.text("cbc:ElectronicMail", contact.email)


def _delivery(node: Node, delivery: Delivery) -> None:
    node.day("cbc:ActualDeliveryDate", delivery.on)
    address = node.add("cac:DeliveryLocation").add("cac:Address")
    address.add("cac:Country").text("cbc:IdentificationCode", delivery.country)


def _payment(
    root: Node, document: Document, payment: Payment, *, is_credit_note: bool
) -> None:
    node = root.add("cac:PaymentMeans")
    node.text("cbc:PaymentMeansCode", payment.means)
    if is_credit_note:
        node.day("cbc:PaymentDueDate", document.due_on)
    node.text("cbc:PaymentID", payment.reference)
    if payment.mandate:
        mandate = node.add("cac:PaymentMandate")
        mandate.text("cbc:ID", payment.mandate)
        if payment.debited_iban:
            account = mandate.add("cac:PayerFinancialAccount")
            account.text("cbc:ID", payment.debited_iban)
    elif payment.iban or payment.account:
        account = node.add("cac:PayeeFinancialAccount")
        account.text("cbc:ID", payment.iban or payment.account)
        account.text("cbc:Name", payment.holder)
        if payment.bic:
            account.add("cac:FinancialInstitutionBranch").text("cbc:ID", payment.bic)


def _charge(root: Node, charge: DocumentCharge, currency: str) -> None:
    node = root.add("cac:AllowanceCharge")
    node.text("cbc:ChargeIndicator", "true")
    node.text("cbc:AllowanceChargeReasonCode", charge.code)
    node.text("cbc:AllowanceChargeReason", charge.reason)
    node.number("cbc:Amount", charge.amount, currencyID=currency)
    category = _category(node, "cac:TaxCategory", charge.category, charge.rate)
    category.add("cac:TaxScheme").text("cbc:ID", "VAT")


def _category(parent: Node, name: str, category: VatCategory, rate: Decimal) -> Node:
    node = parent.add(name)
    node.text("cbc:ID", category)
    if category.has_rate:
        node.text("cbc:Percent", plain(rate))
    return node


def _taxes(root: Node, document: Document) -> None:
    node = root.add("cac:TaxTotal")
    node.number("cbc:TaxAmount", document.totals.vat, currencyID=document.currency)
    for part in document.vat:
        _subtotal(node, part, document.currency)
    if document.vat_in_books is not None:
        root.add("cac:TaxTotal").number(
            "cbc:TaxAmount", document.vat_in_books, currencyID=document.vat_currency
        )


def _subtotal(parent: Node, part: VatBreakdown, currency: str) -> None:
    node = parent.add("cac:TaxSubtotal")
    node.number("cbc:TaxableAmount", part.base, currencyID=currency)
    node.number("cbc:TaxAmount", part.amount, currencyID=currency)
    category = _category(node, "cac:TaxCategory", part.category, part.rate)
    category.text("cbc:TaxExemptionReasonCode", part.reason_code)
    category.text("cbc:TaxExemptionReason", part.reason)
    category.add("cac:TaxScheme").text("cbc:ID", "VAT")


def _totals(root: Node, document: Document) -> None:
    totals, currency = document.totals, document.currency
    node = root.add("cac:LegalMonetaryTotal")
    node.number("cbc:LineExtensionAmount", totals.lines, currencyID=currency)
    node.number("cbc:TaxExclusiveAmount", totals.net, currencyID=currency)
    node.number("cbc:TaxInclusiveAmount", totals.gross, currencyID=currency)
    if document.charges:
        node.number("cbc:ChargeTotalAmount", totals.charges, currencyID=currency)
    if totals.prepaid:
        node.number("cbc:PrepaidAmount", totals.prepaid, currencyID=currency)
    node.number("cbc:PayableAmount", totals.payable, currencyID=currency)


def _line(root: Node, line: Line, currency: str, *, is_credit_note: bool) -> None:
    node = root.add("cac:CreditNoteLine" if is_credit_note else "cac:InvoiceLine")
    node.text("cbc:ID", line.number)
    quantity = "cbc:CreditedQuantity" if is_credit_note else "cbc:InvoicedQuantity"
    node.number(quantity, line.quantity, unitCode=line.unit)
    node.number("cbc:LineExtensionAmount", line.net, currencyID=currency)
    _period(node, line.period)
    item = node.add("cac:Item")
    item.text("cbc:Description", line.description)
    item.text("cbc:Name", line.name)
    tax = _category(item, "cac:ClassifiedTaxCategory", line.category, line.rate)
    tax.add("cac:TaxScheme").text("cbc:ID", "VAT")
    price = node.add("cac:Price")
    price.number("cbc:PriceAmount", line.price, currencyID=currency)
    if line.price_quantity != 1:
        price.number("cbc:BaseQuantity", line.price_quantity, unitCode=line.unit)
