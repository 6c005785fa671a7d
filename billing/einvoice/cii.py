"""UN/CEFACT Cross Industry Invoice D16B, by EN 16931 (CEN/TS 16931-3-3) and Factur-X 1.0."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billing.einvoice.record import (
    Address,
    Contact,
    Delivery,
    Document,
    DocumentCharge,
    Line,
    Party,
    Payment,
    Period,
    VatBreakdown,
    VatCategory,
)
from billing.einvoice.tree import Node, plain

_CEFACT = "urn:un:unece:uncefact:data:standard"
_NAMESPACES: dict[str | None, str] = {
    "rsm": f"{_CEFACT}:CrossIndustryInvoice:100",
    "ram": f"{_CEFACT}:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_CEFACT}:UnqualifiedDataType:100",
    "qdt": f"{_CEFACT}:QualifiedDataType:100",
}
EN_16931 = "urn:cen.eu:en16931:2017"
YYYYMMDD = "102"  # of UNTDID 2379


def cii(document: Document) -> bytes:
    """The document as CII in the EN 16931 profile, which Factur-X embeds in its PDF."""
    root = Node.root("rsm:CrossIndustryInvoice", _NAMESPACES)
    context = root.add("rsm:ExchangedDocumentContext")
    guideline = context.add("ram:GuidelineSpecifiedDocumentContextParameter")
    guideline.text("ram:ID", EN_16931)
    _head(root.add("rsm:ExchangedDocument"), document)
    trade = root.add("rsm:SupplyChainTradeTransaction")
    for line in document.lines:
        _line(trade.add("ram:IncludedSupplyChainTradeLineItem"), line)
    _agreement(trade.add("ram:ApplicableHeaderTradeAgreement"), document)
    _delivery(trade.add("ram:ApplicableHeaderTradeDelivery"), document.delivery)
    _settlement(trade.add("ram:ApplicableHeaderTradeSettlement"), document)
    return root.serialized()


def _head(node: Node, document: Document) -> None:
    node.text("ram:ID", document.number)
    node.text("ram:TypeCode", document.type)
    _day(node, "ram:IssueDateTime", document.issued_on)
    if document.note:
        node.add("ram:IncludedNote").text("ram:Content", document.note)


def _day(
    parent: Node, name: str, value: date, *, type_of_string: str = "udt:DateTimeString"
) -> None:
    node = parent.add(name)
    node.text(type_of_string, value.strftime("%Y%m%d"), format=YYYYMMDD)


def _line(node: Node, line: Line) -> None:
    node.add("ram:AssociatedDocumentLineDocument").text("ram:LineID", line.number)
    product = node.add("ram:SpecifiedTradeProduct")
    product.text("ram:Name", line.name)
    product.text("ram:Description", line.description)
    price = node.add("ram:SpecifiedLineTradeAgreement").add(
        "ram:NetPriceProductTradePrice"
    )
    price.number("ram:ChargeAmount", line.price)
    if line.price_quantity != 1:
        price.number("ram:BasisQuantity", line.price_quantity, unitCode=line.unit)
    delivery = node.add("ram:SpecifiedLineTradeDelivery")
    delivery.number("ram:BilledQuantity", line.quantity, unitCode=line.unit)
    settlement = node.add("ram:SpecifiedLineTradeSettlement")
    _tax(settlement.add("ram:ApplicableTradeTax"), line.category, line.rate)
    _period(settlement, line.period)
    sums = settlement.add("ram:SpecifiedTradeSettlementLineMonetarySummation")
    sums.number("ram:LineTotalAmount", line.net)


def _tax(node: Node, category: VatCategory, rate: Decimal) -> None:
    node.text("ram:TypeCode", "VAT")
    node.text("ram:CategoryCode", category)
    if category.has_rate:
        node.text("ram:RateApplicablePercent", plain(rate))


def _period(parent: Node, period: Period | None) -> None:
    if period is not None:
        node = parent.add("ram:BillingSpecifiedPeriod")
        _day(node, "ram:StartDateTime", period.first)
        _day(node, "ram:EndDateTime", period.last)


def _agreement(node: Node, document: Document) -> None:
    node.text("ram:BuyerReference", document.buyer_reference)
    _party(node.add("ram:SellerTradeParty"), document.seller, is_seller=True)
    _party(node.add("ram:BuyerTradeParty"), document.buyer, is_seller=False)
    if document.order_reference:
        order = node.add("ram:BuyerOrderReferencedDocument")
        order.text("ram:IssuerAssignedID", document.order_reference)


def _party(node: Node, party: Party, *, is_seller: bool) -> None:
    node.text("ram:ID", party.identifier)
    node.text("ram:Name", party.name)
    if is_seller:
        node.text("ram:Description", party.legal_form)
    if party.register_number or party.trading_name:
        legal = node.add("ram:SpecifiedLegalOrganization")
        legal.text("ram:ID", party.register_number)
        legal.text("ram:TradingBusinessName", party.trading_name)
    _contact(node, party.contact)
    _address(node.add("ram:PostalTradeAddress"), party.address)
    if party.endpoint is not None:
        communication = node.add("ram:URIUniversalCommunication")
        communication.text(
            "ram:URIID", party.endpoint.value, schemeID=party.endpoint.scheme
        )
    for number, scheme in (
        (party.tax_number if is_seller else "", "FC"),
        (party.vat_id, "VA"),
    ):
        if number:
            registration = node.add("ram:SpecifiedTaxRegistration")
            registration.text("ram:ID", number, schemeID=scheme)


def _contact(parent: Node, contact: Contact) -> None:
    if not contact:
        return
    node = parent.add("ram:DefinedTradeContact")
    node.text("ram:PersonName", contact.name)
    if contact.telephone:
        telephone = node.add("ram:TelephoneUniversalCommunication")
        telephone.text("ram:CompleteNumber", contact.telephone)
    if contact.email:
        email = node.add("ram:EmailURIUniversalCommunication")
        email.text("ram:URIID", contact.email)


def _address(node: Node, address: Address) -> None:
    node.text("ram:PostcodeCode", address.post_code)
    node.text("ram:LineOne", address.street)
    node.text("ram:LineTwo", address.extra)
    node.text("ram:CityName", address.city)
    node.text("ram:CountryID", address.country)
    node.text("ram:CountrySubDivisionName", address.region)


def _delivery(node: Node, delivery: Delivery) -> None:
    place = node.add("ram:ShipToTradeParty").add("ram:PostalTradeAddress")
    place.text("ram:CountryID", delivery.country)
    if delivery.on is not None:
        event = node.add("ram:ActualDeliverySupplyChainEvent")
        _day(event, "ram:OccurrenceDateTime", delivery.on)


def _settlement(node: Node, document: Document) -> None:
    payment = document.payment
    if payment is not None:
        node.text("ram:CreditorReferenceID", payment.creditor)
        node.text("ram:PaymentReference", payment.reference)
    if document.vat_in_books is not None:
        node.text("ram:TaxCurrencyCode", document.vat_currency)
    node.text("ram:InvoiceCurrencyCode", document.currency)
    if payment is not None:
        _payment(node.add("ram:SpecifiedTradeSettlementPaymentMeans"), payment)
    for part in document.vat:
        _breakdown(node.add("ram:ApplicableTradeTax"), part)
    _period(node, document.period)
    for charge in document.charges:
        _charge(node.add("ram:SpecifiedTradeAllowanceCharge"), charge)
    _terms(node, document)
    _totals(node.add("ram:SpecifiedTradeSettlementHeaderMonetarySummation"), document)
    if document.preceding is not None:
        reference = node.add("ram:InvoiceReferencedDocument")
        reference.text("ram:IssuerAssignedID", document.preceding.number)
        if document.preceding.issued_on is not None:
            _day(
                reference,
                "ram:FormattedIssueDateTime",
                document.preceding.issued_on,
                type_of_string="qdt:DateTimeString",
            )


def _payment(node: Node, payment: Payment) -> None:
    node.text("ram:TypeCode", payment.means)
    if payment.mandate:
        if payment.debited_iban:
            debtor = node.add("ram:PayerPartyDebtorFinancialAccount")
            debtor.text("ram:IBANID", payment.debited_iban)
    elif payment.iban or payment.account:
        account = node.add("ram:PayeePartyCreditorFinancialAccount")
        account.text("ram:IBANID", payment.iban)
        account.text("ram:AccountName", payment.holder)
        account.text("ram:ProprietaryID", payment.account)
        if payment.bic:
            bank = node.add("ram:PayeeSpecifiedCreditorFinancialInstitution")
            bank.text("ram:BICID", payment.bic)


def _breakdown(node: Node, part: VatBreakdown) -> None:
    node.number("ram:CalculatedAmount", part.amount)
    node.text("ram:TypeCode", "VAT")
    node.text("ram:ExemptionReason", part.reason)
    node.number("ram:BasisAmount", part.base)
    node.text("ram:CategoryCode", part.category)
    node.text("ram:ExemptionReasonCode", part.reason_code)
    if part.category.has_rate:
        node.text("ram:RateApplicablePercent", plain(part.rate))


def _charge(node: Node, charge: DocumentCharge) -> None:
    node.add("ram:ChargeIndicator").text("udt:Indicator", "true")
    node.number("ram:ActualAmount", charge.amount)
    node.text("ram:ReasonCode", charge.code)
    node.text("ram:Reason", charge.reason)
    _tax(node.add("ram:CategoryTradeTax"), charge.category, charge.rate)


def _terms(parent: Node, document: Document) -> None:
    mandate = document.payment.mandate if document.payment is not None else ""
    if not (document.terms or document.due_on or mandate):
        return
    node = parent.add("ram:SpecifiedTradePaymentTerms")
    node.text("ram:Description", document.terms)
    if document.due_on is not None:
        _day(node, "ram:DueDateDateTime", document.due_on)
    node.text("ram:DirectDebitMandateID", mandate)


def _totals(node: Node, document: Document) -> None:
    totals = document.totals
    node.number("ram:LineTotalAmount", totals.lines)
    if document.charges:
        node.number("ram:ChargeTotalAmount", totals.charges)
    node.number("ram:TaxBasisTotalAmount", totals.net)
    node.number("ram:TaxTotalAmount", totals.vat, currencyID=document.currency)
    if document.vat_in_books is not None:
        node.number(
            "ram:TaxTotalAmount",
            document.vat_in_books,
            currencyID=document.vat_currency,
        )
    node.number("ram:GrandTotalAmount", totals.gross)
    if totals.prepaid:
        node.number("ram:TotalPrepaidAmount", totals.prepaid)
    node.number("ram:DuePayableAmount", totals.payable)
