"""Fixed values of rate plans; billing accounts offer the same ones."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BillType(TextChoices):
    """How a customer pays (D 1.5); behaviour is a table in billing.types."""

    PREPAID = "prepaid", _("Pre-paid, invoices for top-ups")
    PREPAID_INVOICES = "prepaid_invoices", _("Pre-paid, full invoices")
    PREPAID_CALLS = "prepaid_calls", _("Pre-paid, balance is calls only")
    POSTPAID = "postpaid", _("Post-paid")
    EXTERNAL = "external", _("External application")
    NONE = "none", _("None")


class Feature(TextChoices):
    """What a plan permits and prices, one by one (D 3.3, 3.4)."""

    ACCOUNT = "account", _("Customer account")
    LINE = "line", _("Telephone line")
    NUMBER = "number", _("Number")
    MAILBOX = "mailbox", _("Mailbox")
    PERSON = "person", _("Person")


class Occurs(TextChoices):
    """When a fee is due (D 3.3)."""

    SIGNUP = "signup", _("Sign-up")
    RECURRING = "recurring", _("Per month")


class MarkupKind(TextChoices):
    """The six pairs of mark-up and margin (D 1.3)."""

    IN_CONNECT = "inconnect", _("Inbound connect fee")
    IN_COST = "incost", _("Inbound cost per minute")
    IN_MESSAGE = "inmessage", _("Inbound message")
    OUT_CONNECT = "outconnect", _("Outbound connect fee")
    OUT_COST = "outcost", _("Outbound cost per minute")
    OUT_MESSAGE = "outmessage", _("Outbound message")


class Sharing(TextChoices):
    """Who below may put customers on a plan (D 3.2, row 5)."""

    NO = "no", _("Not shared")
    DIRECT = "direct", _("Shared with own resellers")
    RECURSIVE = "recursive", _("Shared with all resellers below")


class BillingPeriod(TextChoices):
    MONTHLY = "monthly", _("Monthly")
    QUARTERLY = "quarterly", _("Quarterly")
    ANNUALLY = "annually", _("Annually")
    INDEFINITE = "indefinite", _("Indefinite: fees are never charged")

    @property
    def months(self) -> int:
        """Length in months; 0 for a period that never ends."""
        return {"monthly": 1, "quarterly": 3, "annually": 12}.get(self.value, 0)


class InvoiceFormat(TextChoices):
    PDF = "pdf", _("PDF")
    XML = "xml", _("XML")


class InvoiceDetail(TextChoices):
    TOTAL = "total", _("Total only")
    SUMMARY = "summary", _("Summary by kind")
    DESTINATION = "destination", _("By destination")
    ITEMISED = "itemised", _("Itemised")


class LockWhenOverdue(TextChoices):
    """What customers are locked out of while an invoice is overdue."""

    NONE = "none", pgettext_lazy("overdue", "Nothing")
    WEB = "web", _("Web interface")
    CALLS = "calls", _("Making calls")
    BOTH = "both", _("Web interface and calls")


class Contract(TextChoices):
    """Minimum contract (D 2.3, row 26)."""

    NONE = "none", _("None")
    ONE_MONTH = "1_month", _("1 month")
    THREE_MONTHS = "3_month", _("3 months")
    SIX_MONTHS = "6_month", _("6 months")
    ONE_YEAR = "1_year", _("1 year")
    EIGHTEEN_MONTHS = "18_month", _("18 months")
    TWO_YEARS = "2_year", _("2 years")
    THREE_YEARS = "3_year", _("3 years")

    @property
    def months(self) -> int:
        """Length in months; 0 for none."""
        if self is Contract.NONE:
            return 0
        count, unit = self.value.split("_")
        return int(count) * (12 if unit == "year" else 1)


class CustomName(TextChoices):
    """What a plan's custom settings replace (D 9); what each may hold: rateplans.texts."""

    FOOTER_TEXT = "footer_text", _("Foot of mails: text")
    FOOTER_URL = "footer_url", _("Foot of mails: web address")
    LOGIN_DETAILS_SUBJECT = "login_details_subject", _("Login details: subject")
    LOGIN_DETAILS_TEXT = "login_details_text", _("Login details: text")
    PASSWORD_RESET_SUBJECT = "password_reset_subject", _("Forgotten password: subject")
    PASSWORD_RESET_TEXT = "password_reset_text", _("Forgotten password: text")
    PASSWORD_CHANGED_SUBJECT = (
        "password_changed_subject",
        _("Password changed: subject"),
    )
    PASSWORD_CHANGED_TEXT = "password_changed_text", _("Password changed: text")
    EMAIL_CHANGED_SUBJECT = (
        "email_changed_subject",
        _("E-mail address changed: subject"),
    )
    EMAIL_CHANGED_TEXT = "email_changed_text", _("E-mail address changed: text")
    LOW_BALANCE_SUBJECT = "low_balance_subject", _("Low balance: subject")
    LOW_BALANCE_TEXT = "low_balance_text", _("Low balance: text")
    INVOICE_SUBJECT = "invoice_subject", _("Invoice: subject")
    INVOICE_TEXT = "invoice_text", _("Invoice: text")
    REMINDER_SUBJECT = "reminder_subject", _("Payment reminder: subject")
    REMINDER_TEXT = "reminder_text", _("Payment reminder: text")


class CustomReach(TextChoices):
    """Who below the plan's owner a custom setting is for (D 9)."""

    EVERYBODY = "everybody", _("Everybody below")
    DIRECT = "direct", _("Own customers only")
