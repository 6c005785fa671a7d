"""Fixed values of billing accounts."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PaymentType(TextChoices):
    """How invoices are paid (D 1.6)."""

    MANUAL = "manual", _("Manual")
    CREDIT_CARD = "credit_card", _("Credit card")
    DIRECT_DEBIT = "direct_debit", _("Direct debit")


class AffiliateType(TextChoices):
    """What an affiliate's share is a percentage of (D 5.6)."""

    REVENUE = "revenue", _("Revenue")
    PROFIT = "profit", _("Profit")


class TaxDefault(TextChoices):
    """Who is liable for a new tax (D 4)."""

    NOBODY = "nobody", _("Nobody until ticked")
    NEW = "new", _("New customers")
    ALL = "all", _("New and existing customers")
