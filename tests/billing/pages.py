"""What the tests of Commerce pages do alike."""

from __future__ import annotations

from typing import Any

from customers.models import Customer
from portal.core.urls import account_url


def url_of(customer: Customer, name: str, **kwargs: Any) -> str:
    return account_url(customer.pk, f"billing:{name}", **kwargs)


def labels_of(page: Any) -> list[str]:
    """What the rows of a list page are called, in their order."""
    return [row.label for row in page.context["table"].rows]
