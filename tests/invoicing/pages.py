"""What the tests of the pages of invoices do alike."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from billing.choices import InvoiceStatus
from billing.invoice_statuses import SHOWN_TO_CUSTOMERS
from billing.models import BillingAccount, Invoice
from customers.models import Customer
from portal.core.urls import account_url
from tests.invoicing.bills import charge, issued


def invoice_of(
    customer: Customer,
    net: str = "10.00",
    *,
    name: str = "1",
    status: InvoiceStatus | None = None,
    **details: Any,
) -> Invoice:
    """An invoice of ``customer`` over one charge, set to ``status`` if one is named."""
    account = BillingAccount.objects.get(customer=customer)
    charge(account, net, **details)
    invoice = issued(account, f"request:{name}")
    if status is not None:
        set_to(invoice, status)
    return invoice


def set_to(invoice: Invoice, status: InvoiceStatus) -> None:
    """As if it had come that far; what is shown to customers was sent."""
    invoice.status = status
    invoice.sent_at = timezone.now() if status in SHOWN_TO_CUSTOMERS else None
    invoice.save(update_fields=["status", "sent_at"])


def url_of(customer: Customer, name: str, **kwargs: Any) -> str:
    app = "customers" if name in {"customer-invoices", "invoice-mail"} else "billing"
    return account_url(customer.pk, f"{app}:{name}", **kwargs)


def numbers_of(page: Any) -> list[str]:
    """The numbers in the list of a page, in its order."""
    assert page.status_code == 200, page.status_code
    return [row.label for row in page.context["table"].rows]


def text_of(page: Any) -> str:
    """All of the page in one line, without the spaces that only lay it out."""
    return " ".join(page.content.decode().split())


def said_by(page: Any) -> list[str]:
    """The messages that a page, or the one it leads to, shows."""
    return [str(message) for message in page.context["messages"]]
