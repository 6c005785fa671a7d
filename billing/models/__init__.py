from billing.models.account import BillingAccount, out_of_credit
from billing.models.charge import Charge
from billing.models.currency import ExchangeRate
from billing.models.extra_calls import ExtraCalls
from billing.models.feature import BilledFeature
from billing.models.ledger import EntryTax, LedgerEntry
from billing.models.product import CallTime, Product, ProductException
from billing.models.run import LedgerCheck, LedgerFault, PeriodRun, RunFailure
from billing.models.tax import Tax, TaxLiability

__all__ = [
    "BilledFeature",
    "BillingAccount",
    "CallTime",
    "Charge",
    "EntryTax",
    "ExchangeRate",
    "ExtraCalls",
    "LedgerCheck",
    "LedgerEntry",
    "LedgerFault",
    "PeriodRun",
    "Product",
    "ProductException",
    "RunFailure",
    "Tax",
    "TaxLiability",
    "out_of_credit",
]
