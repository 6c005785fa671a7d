"""The kinds of mails, as the log of e-mails and the plans' own words name them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

LOGIN_DETAILS = "login_details"
PASSWORD_RESET = "password_reset"
PASSWORD_CHANGED = "password_changed"
EMAIL_CHANGED = "email_changed"
LOW_BALANCE = "low_balance"
INVOICE = "invoice"
REMINDER = "reminder"
KINDS = {
    LOGIN_DETAILS: gettext_lazy("Login details"),
    PASSWORD_RESET: gettext_lazy("Forgotten password"),
    PASSWORD_CHANGED: gettext_lazy("Password changed"),
    EMAIL_CHANGED: gettext_lazy("E-mail address changed"),
    LOW_BALANCE: gettext_lazy("Low balance"),
    INVOICE: gettext_lazy("Invoice"),
    REMINDER: gettext_lazy("Payment reminder"),
}
# What the one thing to do is called, where a sender's own text has it as a button.
BUTTONS = {
    LOGIN_DETAILS: gettext_lazy("Choose your password"),
    PASSWORD_RESET: gettext_lazy("Choose a new password"),
    PASSWORD_CHANGED: gettext_lazy("Choose a new password"),
    LOW_BALANCE: gettext_lazy("See your account"),
    INVOICE: gettext_lazy("See it in your account"),
    REMINDER: gettext_lazy("See it in your account"),
}
