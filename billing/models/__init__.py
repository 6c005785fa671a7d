from billing.models.account import BillingAccount, out_of_credit
from billing.models.card_order import CardOrder
from billing.models.charge import Charge
from billing.models.currency import ExchangeRate
from billing.models.extra_calls import ExtraCalls
from billing.models.feature import BilledFeature
from billing.models.invoice import Invoice, InvoiceFile, InvoiceLogo
from billing.models.ledger import EntryTax, LedgerEntry
from billing.models.payment import Payment, Settlement
from billing.models.payment_import import PaymentImport, PaymentImportLine
from billing.models.product import CallTime, Product, ProductException
from billing.models.run import (
    LedgerCheck,
    LedgerFault,
    PeriodRun,
    RunFailure,
    RunInvoice,
    RunPart,
)
from billing.models.seller import Seller
from billing.models.series import InvoiceSeries, SeriesCount
from billing.models.tax import Tax, TaxLiability

__all__ = [
    "BilledFeature",
    "BillingAccount",
    "CallTime",
    "CardOrder",
    "Charge",
    "EntryTax",
    "ExchangeRate",
    "ExtraCalls",
    "Invoice",
    "InvoiceFile",
    "InvoiceLogo",
    "InvoiceSeries",
    "LedgerCheck",
    "LedgerEntry",
    "LedgerFault",
    "Payment",
    "PaymentImport",
    "PaymentImportLine",
    "PeriodRun",
    "Product",
    "ProductException",
    "RunFailure",
    "RunInvoice",
    "RunPart",
    "Seller",
    "SeriesCount",
    "Settlement",
    "Tax",
    "TaxLiability",
    "out_of_credit",
]
