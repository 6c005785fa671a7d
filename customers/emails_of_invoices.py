"""The mails with invoices: new ones and reminders. Their files have been drawn before.

Invoices that are passed in have their account's customer and their issuer with its seller
loaded (`MAILED_WITH`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from billing.choices import InvoiceType
from billing.documents.figures import Figures, grouped_iban, grouped_reference
from billing.einvoice.record import DIRECT_DEBITS, Document, Payment
from billing.invoicing.content import thaw
from billing.models import Invoice
from billing.services import invoice_files
from customers.mail_kinds import INVOICE, REMINDER
from customers.models import Customer
from customers.sender_book import SenderBook, in_own_words
from portal.core.mail import queue_email
from portal.core.models import OutgoingEmail
from portal.core.money import format_money
from portal.core.urls import account_url
from portal.core.validators import split_emails

MAILED_WITH = ("account__customer", "issuer__seller")


def invoice_key(invoice: Invoice) -> str:
    """What the mail of an invoice is known by."""
    return f"{INVOICE}:{invoice.pk}"


def reminder_key(invoice: Invoice, day: int) -> str:
    """The reminder of an invoice on the ``day``-th day after it was due, anew each time
    that day is moved."""
    given = f":{invoice.overdue_from}" if invoice.overdue_from else ""
    return f"{REMINDER}:{invoice.pk}{given}:{day}"


def send_invoice(
    invoice: Invoice, book: SenderBook, *, again: int = 0
) -> OutgoingEmail:
    """Send an invoice to the billing addresses, once.

    With a copy to the seller's own where it wishes one (`Seller.copy_invoices`). ``again``
    counts the mails that there were before, for who wants one more.
    """
    content = thaw(invoice.content)
    figures = Figures(content.language, invoice.currency)
    with translation.override(content.language):
        context = {
            "document": str(InvoiceType(invoice.type).label),
            "is_credit_note": invoice.type == InvoiceType.CREDIT_NOTE,
            "number": invoice.number,
            "total": format_money(invoice.total, invoice.currency),
            "settlement": _settlement(invoice, content.document, figures),
        }
    seller = getattr(invoice.issuer, "seller", None)
    is_copied = seller is not None and seller.copy_invoices
    return _queue(
        INVOICE,
        invoice,
        book,
        key=invoice_key(invoice) + (f":{again}" if again else ""),
        language=content.language,
        context=context,
        copies=split_emails(invoice.issuer.email) if is_copied else [],
    )


def send_reminder(
    invoice: Invoice, book: SenderBook, *, day: int, late: int
) -> OutgoingEmail:
    """Remind the billing addresses of what is open, with the invoice attached once more.

    ``day`` is the reminder's own of the plan's; ``late`` how many days it is since.
    """
    content = thaw(invoice.content)
    figures = Figures(content.language, invoice.currency)
    assert invoice.due_day is not None
    with translation.override(content.language):
        context = {
            "number": invoice.number,
            "open": format_money(invoice.open, invoice.currency),
            "due_on": figures.day(invoice.due_day),
            "late": late,
            "payment": _where_to_pay(content.document.payment, invoice.number),
        }
    return _queue(
        REMINDER,
        invoice,
        book,
        key=reminder_key(invoice, day),
        language=content.language,
        context=context,
    )


def _queue(
    kind: str,
    invoice: Invoice,
    book: SenderBook,
    *,
    key: str,
    language: str,
    context: Mapping[str, Any],
    copies: list[str] | None = None,
) -> OutgoingEmail:
    """The mail about an invoice, with its file and the way to its page."""
    account = invoice.account
    customer: Customer = account.customer
    brand = book.brand(account)
    brand = replace(brand, copies=(*brand.copies, *(copies or ())))
    page = account_url(customer.pk, "billing:own-invoice-detail", pk=invoice.pk)
    link = f"{settings.PUBLIC_URL}{page}"
    values = {"account_number": customer.account_number, "link": link, **context}
    said = book.said(account, kind, language)
    brand, own = in_own_words(kind, customer, brand, said, language, values)
    name = invoice_files.file_name(invoice, invoice_files.SENT[invoice.format])
    return queue_email(
        key=key,
        kind=kind,
        customer=customer,
        to=split_emails(customer.email),
        brand=brand,
        language=language,
        context={"customer": customer, "account_url": link, **context},
        own=own,
        files={name: invoice_files.sent_file(invoice)},
    )


def _where_to_pay(payment: Payment | None, number: str) -> str:
    """The bank account and the reference as the invoice names them; for others, what to
    quote."""
    if payment is None or not payment.iban:
        return gettext("Please quote %(number)s.") % {"number": number}
    text = gettext("Please pay to %(iban)s (%(holder)s) with the reference %(number)s.")
    return text % {
        "iban": grouped_iban(payment.iban),
        "holder": payment.holder,
        "number": grouped_reference(payment.reference) or number,
    }


def _settlement(invoice: Invoice, document: Document, figures: Figures) -> str:
    """What is to be paid until when, in the active language."""
    if invoice.type == InvoiceType.CREDIT_NOTE:
        # What becomes of it: taken off, credited, or moved to a new invoice (BT-20).
        return document.terms or gettext("The amount is credited to you.")
    if invoice.open <= 0 or invoice.due_day is None:
        return gettext("Nothing is left to pay.")
    payment = document.payment
    # Where it was sent late, its customer has more time than the document says.
    is_later = document.due_on is not None and invoice.due_day > document.due_on
    if payment is not None and payment.means in DIRECT_DEBITS:
        text = gettext("We will collect %(amount)s from your account on %(day)s.")
    elif is_later:
        text = gettext(
            "Please pay %(amount)s by %(day)s; that is later than the invoice says."
        )
    else:
        text = gettext("Please pay %(amount)s by %(day)s.")
    return text % {
        "amount": format_money(invoice.open, invoice.currency),
        "day": figures.day(invoice.due_day),
    }
