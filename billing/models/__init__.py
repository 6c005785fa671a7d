from billing.models.account import BillingAccount
from billing.models.tax import Tax, TaxLiability

__all__ = ["BillingAccount", "Tax", "TaxLiability"]
