"""The mails people get: about signing in, about their balance, with their invoices.

Each is written once and sent after the commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from billing.choices import InvoiceType
from billing.documents.figures import Figures, grouped_iban
from billing.einvoice.record import Payment
from billing.invoicing.content import thaw
from billing.models import BillingAccount, Invoice, Seller
from billing.services import invoice_files
from billing.types import rules_of
from customers import tokens
from customers.branding import brand_seen_by
from customers.customs import customs_for
from customers.models import Customer, Person
from portal.core.mail import LINK_MARKER, Brand, OwnTexts, queue_email
from portal.core.models import OutgoingEmail
from portal.core.money import ZERO, format_money
from portal.core.urls import account_url
from portal.core.validators import split_emails
from rateplans.choices import CustomName
from rateplans.texts import fill, paragraphs

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
_BUTTONS = {
    LOGIN_DETAILS: gettext_lazy("Choose your password"),
    PASSWORD_RESET: gettext_lazy("Choose a new password"),
    PASSWORD_CHANGED: gettext_lazy("Choose a new password"),
    LOW_BALANCE: gettext_lazy("See your account"),
    INVOICE: gettext_lazy("See it in your account"),
    REMINDER: gettext_lazy("See it in your account"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def recipients_of(person: Person) -> list[str]:
    """The person's own addresses, else the customer's billing addresses."""
    return person.email_addresses or split_emails(person.customer.email)


def send_login_details(person: Person) -> OutgoingEmail:
    """User name and a link to choose a password; every call makes a new link."""
    days = settings.WELCOME_LINK_TIMEOUT // 86400
    return _send(
        person,
        kind=LOGIN_DETAILS,
        one_time_link=tokens.welcome_link(person),
        context={"valid_days": days},
        values={"days": days, "link": LINK_MARKER},
    )


def send_password_reset(person: Person) -> OutgoingEmail:
    """A link to choose a new password, for who has forgotten the old one."""
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return _send(
        person,
        kind=PASSWORD_RESET,
        one_time_link=tokens.reset_link(person),
        context={"valid_hours": hours},
        values={"hours": hours, "link": LINK_MARKER},
    )


def send_password_changed(person: Person) -> OutgoingEmail | None:
    """Tell the person, in case it was somebody else; None if there is no address."""
    to = recipients_of(person)
    forgotten = f"{settings.PUBLIC_URL}{reverse('password-forgotten')}"
    if not to:
        return None
    return _send(
        person,
        kind=PASSWORD_CHANGED,
        to=to,
        context={"forgotten_url": forgotten},
        values={"link": forgotten},
    )


def send_email_changed(person: Person, *, old: str) -> OutgoingEmail | None:
    """Tell the addresses that mails went to until now; None if there were none."""
    to = split_emails(old)
    if not to:
        return None
    return _send(
        person,
        kind=EMAIL_CHANGED,
        to=to,
        context={"new_emails": person.email_addresses},
        values={"emails": ", ".join(person.email_addresses)},
    )


def low_balance_key(account: BillingAccount) -> str:
    """One mail for each time the balance fell below: its moment in microseconds."""
    assert account.low_since is not None
    moment = (account.low_since - _EPOCH) // timedelta(microseconds=1)
    return f"{LOW_BALANCE}:{account.pk}:{moment}"


def send_low_balance(account: BillingAccount) -> OutgoingEmail:
    """Tell the billing addresses that the balance is low, and what to do.

    The account is low now and has its customer loaded. Telling it again gives the first
    mail, until the balance has been back above and falls once more.
    """
    customer: Customer = account.customer
    brand = brand_seen_by(customer)
    language = customer.spoken_language()
    with translation.override(language):
        context = {
            "balance": format_money(account.balance, account.currency),
            "threshold": format_money(account.low_balance, account.currency),
            "credit_left": format_money(max(account.available, ZERO), account.currency),
            "advice": _advice(account, brand.name),
        }
    link = f"{settings.PUBLIC_URL}{account_url(customer.pk, 'billing:account')}"
    values = {"account_number": customer.account_number, "link": link, **context}
    brand, own = _in_own_words(LOW_BALANCE, customer, brand, language, values)
    return queue_email(
        key=low_balance_key(account),
        kind=LOW_BALANCE,
        customer=customer,
        to=split_emails(customer.email),
        brand=brand,
        language=language,
        context={"customer": customer, "account_url": link, **context},
        own=own,
    )


def send_invoice(invoice: Invoice, *, again: int = 0) -> OutgoingEmail:
    """Send an invoice that was issued and drawn to the billing addresses, once.

    With a copy to the seller's own where it wishes one (`Seller.copy_invoices`). ``again``
    counts the mails that there were before, for who wants one more.
    """
    customer: Customer = invoice.account.customer
    issuer: Customer = invoice.issuer
    brand = brand_seen_by(customer)
    seller = Seller.objects.filter(customer=issuer, copy_invoices=True).first()
    if seller is not None:
        brand = replace(brand, copies=(*brand.copies, *split_emails(issuer.email)))
    language = thaw(invoice.content).language
    with translation.override(language):
        context = {
            "document": str(InvoiceType(invoice.type).label),
            "number": invoice.number,
            "total": format_money(invoice.total, invoice.currency),
            "settlement": _settlement(invoice),
        }
    page = account_url(customer.pk, "billing:own-invoice-detail", pk=invoice.pk)
    link = f"{settings.PUBLIC_URL}{page}"
    values = {"account_number": customer.account_number, "link": link, **context}
    brand, own = _in_own_words(INVOICE, customer, brand, language, values)
    kind = invoice_files.SENT[invoice.format]
    return queue_email(
        key=invoice_key(invoice) + (f":{again}" if again else ""),
        kind=INVOICE,
        customer=customer,
        to=split_emails(customer.email),
        brand=brand,
        language=language,
        context={"customer": customer, "account_url": link, **context},
        own=own,
        files={
            invoice_files.file_name(invoice, kind): invoice_files.file_of(invoice, kind)
        },
    )


def invoice_key(invoice: Invoice) -> str:
    """What the mail of an invoice is known by."""
    return f"{INVOICE}:{invoice.pk}"


def reminder_key(invoice: Invoice, day: int) -> str:
    """The reminder of an invoice on the ``day``-th day after it was due."""
    return f"{REMINDER}:{invoice.pk}:{day}"


def send_reminder(invoice: Invoice, *, day: int, late: int) -> OutgoingEmail:
    """Remind the billing addresses of what is open, with the invoice attached once more.

    ``day`` is the reminder's own of the plan's; ``late`` how many days it is since.
    """
    customer: Customer = invoice.account.customer
    brand = brand_seen_by(customer)
    content = thaw(invoice.content)
    figures = Figures(content.language, invoice.currency)
    assert invoice.due_on is not None
    with translation.override(content.language):
        context = {
            "number": invoice.number,
            "open": format_money(invoice.open, invoice.currency),
            "due_on": figures.day(invoice.due_on),
            "late": late,
            "payment": _where_to_pay(content.document.payment, invoice.number),
        }
    page = account_url(customer.pk, "billing:own-invoice-detail", pk=invoice.pk)
    link = f"{settings.PUBLIC_URL}{page}"
    values = {"account_number": customer.account_number, "link": link, **context}
    brand, own = _in_own_words(REMINDER, customer, brand, content.language, values)
    kind = invoice_files.SENT[invoice.format]
    return queue_email(
        key=reminder_key(invoice, day),
        kind=REMINDER,
        customer=customer,
        to=split_emails(customer.email),
        brand=brand,
        language=content.language,
        context={"customer": customer, "account_url": link, **context},
        own=own,
        files={
            invoice_files.file_name(invoice, kind): invoice_files.file_of(invoice, kind)
        },
    )


def _where_to_pay(payment: Payment | None, number: str) -> str:
    """The bank account as the invoice names it; for others, what to quote."""
    if payment is None or not payment.iban:
        return gettext("Please quote %(number)s.") % {"number": number}
    text = gettext("Please pay to %(iban)s (%(holder)s) with the reference %(number)s.")
    return text % {
        "iban": grouped_iban(payment.iban),
        "holder": payment.holder,
        "number": number,
    }


def _settlement(invoice: Invoice) -> str:
    """What is to be paid until when, in the active language."""
    if invoice.type == InvoiceType.CREDIT_NOTE:
        return gettext("The amount is credited to you.")
    if invoice.open <= 0 or invoice.due_on is None:
        return gettext("Nothing is left to pay.")
    return gettext("Please pay %(amount)s by %(day)s.") % {
        "amount": format_money(invoice.open, invoice.currency),
        "day": invoice.due_on.isoformat(),
    }


def _advice(account: BillingAccount, brand: str) -> str:
    """What happens next and what to do against it, by the account's billing type."""
    if account.available > 0:
        outlook = gettext(
            "When your credit is used up, calls and features that cost money are refused."
        )
    else:
        outlook = gettext(
            "Your credit is used up: calls and features that cost money are refused."
        )
    if rules_of(account.bill_type).may_top_up:
        remedy = gettext("Top up your balance, or ask %(brand)s for more credit.")
    else:
        remedy = gettext("Pay your open invoices, or ask %(brand)s for more credit.")
    return f"{outlook} {remedy % {'brand': brand}}"


def _send(
    person: Person,
    *,
    kind: str,
    context: Mapping[str, Any],
    values: Mapping[str, Any],
    to: list[str] | None = None,
    one_time_link: str = "",
) -> OutgoingEmail:
    """``context`` is for the templates, ``values`` for what plans say in their own words."""
    customer, language = person.customer, person.effective_language
    values = {"name": person.display_name, "username": person.username, **values}
    brand = brand_seen_by(customer)
    brand, own = _in_own_words(kind, customer, brand, language, values)
    return queue_email(
        key=f"{kind}:{person.pk}:{uuid.uuid4()}",
        kind=kind,
        customer=customer,
        person=person,
        to=recipients_of(person) if to is None else to,
        brand=brand,
        language=language,
        one_time_link=one_time_link,
        context={
            "person": person,
            "customer": customer,
            "portal_url": settings.PUBLIC_URL,
            **context,
        },
        own=own,
    )


def _in_own_words(
    kind: str,
    customer: Customer,
    brand: Brand,
    language: str,
    values: Mapping[str, Any],
) -> tuple[Brand, OwnTexts]:
    """What the customer's plan and those above it say in place of the portal's texts."""
    subject, text = CustomName(f"{kind}_subject"), CustomName(f"{kind}_text")
    footer, address = CustomName.FOOTER_TEXT, CustomName.FOOTER_URL
    said = customs_for(customer, (subject, text, footer, address), language=language)
    values = {"brand": brand.name, "customer": customer.name, **values}
    brand = replace(
        brand,
        footer=fill(said.get(footer, ""), values),
        website=said.get(address, brand.website),
    )
    with translation.override(language):
        button = str(_BUTTONS.get(kind, ""))
    own = OwnTexts(
        subject=fill(said.get(subject, ""), values),
        text=fill(said.get(text, ""), values),
        paragraphs=paragraphs(said.get(text, ""), values),
        button=button,
    )
    return brand, own
