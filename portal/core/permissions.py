"""What a role may open (D 7.3) and which menus it shows (D 12)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Permission(TextChoices):
    USER = "user", _("Log in, see the own account and the own profile")
    ADMINISTRATOR = "administrator", _("Create and change things in the own account")
    WHOLESALE = "wholesale", _("Administer a trunking account")
    COMMERCE = (
        "commerce",
        _("Run the customers below: accounts, plans, prices, invoices"),
    )
    PAYMENT = "payment", _("Top up and use vouchers")
    REPORTS = "reports", _("See transactions, invoices and e-mails")
    CDRS = "cdrs", _("See the call history")
    CALLSHOP = "callshop", _("Run a call shop")
    AUDIT = "audit", _("See the audit log")
    USER_REPORTS = "user_reports", _("Search the people of all customers below")
    SEND_EMAILS = "send_emails", _("Send e-mails to many")
    SETTINGS = "settings", _("Change the company's settings")
    SYSTEM = "system", _("System administration; system owner only")


class Menu(TextChoices):
    ACTIONS = "actions", _("Actions")
    FEATURES = "features", _("Features")
    REPORTS = "reports", _("Reports")
    COMMERCE = "commerce", _("Commerce")
    SETTINGS = "settings", _("Settings")
    SYSTEM = "system", _("System")
