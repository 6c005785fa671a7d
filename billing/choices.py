"""Fixed values of billing: accounts, entries, charges, products and taxes."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PaymentType(TextChoices):
    """How invoices are paid (D 1.6)."""

    MANUAL = "manual", _("Manual")
    CREDIT_CARD = "credit_card", _("Credit card")
    DIRECT_DEBIT = "direct_debit", _("Direct debit")


class PaymentMethod(TextChoices):
    """How money came in."""

    TRANSFER = "transfer", _("Bank transfer")
    CARD = "card", pgettext_lazy("payment", "Card")
    DIRECT_DEBIT = "direct_debit", _("Direct debit")
    CASH = "cash", _("Cash")
    OTHER = "other", pgettext_lazy("payment", "Other")
    # No money: what of an invoice will never be paid.
    WRITE_OFF = "write_off", _("Write-off")


class ImportLineState(TextChoices):
    """What becomes of a line of a bank statement."""

    NEW = "new", pgettext_lazy("bank line", "Not read yet")
    EXACT = "exact", pgettext_lazy("bank line", "Sure")
    OPEN = "open", pgettext_lazy("bank line", "For you to decide")
    BOOKED = "booked", pgettext_lazy("bank line", "Booked")
    KNOWN = "known", pgettext_lazy("bank line", "Booked before")
    LEFT = "left", pgettext_lazy("bank line", "Left out")


class CardOutcome(TextChoices):
    """What a gateway says of an order to charge a card."""

    PENDING = "pending", pgettext_lazy("card", "Not known yet")
    PAID = "paid", pgettext_lazy("card", "Paid")
    REFUSED = "refused", pgettext_lazy("card", "Refused")


class OverdueLock(TextChoices):
    """Whether an account's customer is locked because an invoice is overdue."""

    NONE = "none", pgettext_lazy("overdue", "Not locked")
    LOCKED = "locked", pgettext_lazy("overdue", "Locked")
    # Somebody locked or unlocked the customer since: that stands until all is paid.
    WAIVED = "waived", pgettext_lazy("overdue", "Left to people")


class AffiliateType(TextChoices):
    """What an affiliate's share is a percentage of (D 5.6)."""

    REVENUE = "revenue", _("Revenue")
    PROFIT = "profit", _("Profit")


class TaxDefault(TextChoices):
    """Who is liable for a new tax (D 4)."""

    NOBODY = "nobody", _("Nobody until ticked")
    NEW = "new", _("New customers")
    ALL = "all", _("New and existing customers")


class EntryKind(TextChoices):
    """What a ledger entry is for."""

    SIGNUP = "signup", _("Sign-up fee")
    RECURRING = "recurring", _("Recurring fee")
    CHARGE = "charge", _("Charge")
    PRODUCT = "product", _("Product")
    CALL = "call", _("Calls")
    REFUND = "refund", _("Refund")
    CREDIT = "credit", pgettext_lazy("ledger entry", "Credit")
    DEBIT = "debit", _("Debit")
    CORRECTION = "correction", _("Correction")
    REVERSAL = "reversal", _("Reversal")
    TOPUP = "topup", _("Top-up")
    PAYMENT = "payment", _("Payment")
    INVOICE = "invoice", _("Moved to an invoice")
    AFFILIATE = "affiliate", _("Affiliate fee")
    ROUNDING = "rounding", _("Rounding")
    OPENING = "opening", _("Opening balance")
    WRITE_OFF = "write_off", _("Write-off")


class ChargePeriod(TextChoices):
    """How often a charge is due (D 5.1)."""

    ONCE = "once", _("Once")
    MONTHLY = "monthly", _("Monthly")
    QUARTERLY = "quarterly", _("Quarterly")
    ANNUALLY = "annually", _("Annually")

    @property
    def months(self) -> int:
        """Months from one time to the next; 0 if there is no next."""
        return {"monthly": 1, "quarterly": 3, "annually": 12}.get(self.value, 0)


class ProductPeriod(TextChoices):
    """How often a product's recurring price is due (D 5.2)."""

    MONTHLY = "monthly", _("Monthly")
    QUARTERLY = "quarterly", _("Quarterly")
    ANNUALLY = "annually", _("Annually")


class CallKind(TextChoices):
    """Which way a call goes, for limits of calls at once."""

    INBOUND = "inbound", _("Inbound calls at once")
    OUTBOUND = "outbound", _("Outbound calls at once")
    INTERNAL = "internal", _("Internal calls at once")


class ProductType(TextChoices):
    """What buying a product gives (D 5.2, docs/adr/0019)."""

    PRODUCT = "product", _("Goods or a service")
    CALL_TIME = "call_time", _("Call time")
    CALLS_IN = "calls_in", _("Inbound calls at once")
    CALLS_OUT = "calls_out", _("Outbound calls at once")
    CALLS_IN_OUT = "calls_in_out", _("Inbound or outbound calls at once")
    CALLS_TOTAL = "calls_total", _("Calls at once of any kind, with customers below")
    CALLS_IN_TOTAL = (
        "calls_in_total",
        _("Inbound calls at once, with customers below"),
    )
    CALLS_OUT_TOTAL = (
        "calls_out_total",
        _("Outbound calls at once, with customers below"),
    )
    CALLS_IN_OUT_TOTAL = (
        "calls_in_out_total",
        _("Inbound or outbound calls at once, with customers below"),
    )

    @property
    def call_kinds(self) -> frozenset[CallKind]:
        """The calls that it allows more of at once; none for what is something else."""
        if self == ProductType.CALLS_TOTAL:
            return frozenset(CallKind)
        words = self.value.split("_")
        kinds = {"in": CallKind.INBOUND, "out": CallKind.OUTBOUND}
        return frozenset(kinds[word] for word in words if word in kinds)

    @property
    def is_for_below(self) -> bool:
        """Whether customers below the buyer make those calls, too."""
        return bool(self.call_kinds) and self.value.endswith("_total")


CALL_TYPES: tuple[ProductType, ...] = tuple(
    kind for kind in ProductType if kind.call_kinds
)


class ProductReach(TextChoices):
    """Whose customers may buy a product (D 5.2)."""

    DIRECT = "direct", _("Direct customers only")
    RECURSIVE = "recursive", _("Everybody below")


class LedgerFaultKind(TextChoices):
    """What can be wrong with an account's books."""

    BALANCE = "balance", _("The balance is not the sum of its entries")
    CHAIN = "chain", _("An entry does not continue the one before it")
    TAXES = "taxes", _("The taxes of an entry are not its amount without the net")


class RunStep(TextChoices):
    """What a billing run does on accounts, in this order."""

    CHARGES = "charges", _("Fees and charges")
    INVOICES = "invoices", _("Invoices")


class InvoiceType(TextChoices):
    INVOICE = "invoice", _("Invoice")
    CREDIT_NOTE = "credit_note", _("Credit note")


class InvoiceOccasion(TextChoices):
    """Why a document was made (D 6.1)."""

    PERIOD = "period", _("Billing period")
    TOPUP = "topup", _("Top-up")
    REQUEST = "request", _("On request")
    CORRECTION = "correction", _("Correction")


class InvoiceStatus(TextChoices):
    """How far an invoice has come (D 6.2); what may follow what: billing.invoice_statuses."""

    PENDING = "pending", pgettext_lazy("invoice", "Held back")
    QUEUED = "queued", pgettext_lazy("invoice", "To be approved")
    APPROVED = "approved", pgettext_lazy("invoice", "Approved")
    DUE = "due", pgettext_lazy("invoice", "Due")
    OVERDUE = "overdue", pgettext_lazy("invoice", "Overdue")
    PAID = "paid", pgettext_lazy("invoice", "Paid")
    PAYMENT_REFUSED = "payment_refused", pgettext_lazy("invoice", "Payment refused")
    PREPAID = "prepaid", pgettext_lazy("invoice", "Pre-paid")
    SUPERSEDED = "superseded", pgettext_lazy("invoice", "Superseded")
    CANCELLED = "cancelled", pgettext_lazy("invoice", "Cancelled")


class FileKind(TextChoices):
    """The forms a document has."""

    PDF = "pdf", _("PDF")
    UBL = "ubl", _("XML, UBL 2.1")
    CII = "cii", _("XML, UN/CEFACT CII")
