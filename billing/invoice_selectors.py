"""Reads of invoices: who sees which, and finding some among a million."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.formats import get_format

from billing.choices import InvoiceStatus
from billing.models import Invoice
from portal.core.actor import TenantRow

# From so many on, some are found soon in whichever order one looks.
MANY_MATCHES = 2000
# The ledger's digits before the decimal point: a longer number is no amount of anything.
LONGEST_AMOUNT = 14
_AMOUNT = re.compile(r"\d{1,14}(?:[.,]\d{1,3})?")


def issued_by(issuer: TenantRow) -> QuerySet[Invoice]:
    """All invoices of an account to its customers, those held back among them."""
    return _rows().filter(issuer=issuer.pk)


def received_by(customer: TenantRow) -> QuerySet[Invoice]:
    """What an account was invoiced, as far as it was sent to it (D 6.2).

    What was cancelled before nobody has seen, so nobody sees it.
    """
    return _rows().filter(account__customer=customer.pk, sent_at__isnull=False)


def _rows() -> QuerySet[Invoice]:
    """What is said in the document is left out: lists show none of it."""
    return Invoice.objects.select_related("account__customer").defer("content", "gaps")


def matching(
    invoices: QuerySet[Invoice], text: str, *, customers: QuerySet[Any] | None = None
) -> QuerySet[Invoice]:
    """Those with ``text`` in their number, with that total, or of one of ``customers``.

    One or two characters are looked for at the end of numbers, where the count stands.
    They are looked up before they are put in order, as `customers.selectors.matching_names`
    does and for the same reason.
    """
    text = text.strip()
    lookup = "icontains" if len(text) > 2 else "iendswith"
    conditions = [Q(**{f"number__{lookup}": text})]
    amount = amount_of(text)
    if amount is not None:
        conditions.append(Q(total=amount))
    if customers is not None:
        conditions.append(_of_customers(customers))
    found: set[int] = set()
    for condition in conditions:
        ids = invoices.filter(condition).order_by().values_list("pk", flat=True)
        found.update(ids[: MANY_MATCHES + 1])
    if len(found) > MANY_MATCHES:
        return invoices.filter(reduce(or_, conditions))
    return invoices.filter(pk__any_of=sorted(found)) if found else invoices.none()


def _of_customers(customers: QuerySet[Any]) -> Q:
    ids = list(customers.order_by().values_list("pk", flat=True)[: MANY_MATCHES + 1])
    if len(ids) > MANY_MATCHES:
        return Q(account__customer__in=customers.order_by().values("pk"))
    return Q(account__customer__id__any_of=ids)


def amount_of(text: str) -> Decimal | None:
    """The amount that somebody means by ``text``: 119, 119.00 or 119,00; None if none."""
    if not _AMOUNT.fullmatch(text):
        return None
    separator = str(get_format("DECIMAL_SEPARATOR"))
    other = {",": ".", ".": ","}.get(separator, ",")
    if re.fullmatch(rf"\d{{1,3}}{re.escape(other)}\d{{3}}", text):
        return Decimal(text.replace(other, ""))  # thousands, as this reader writes them
    return Decimal(text.replace(",", "."))


def counts_by_status(
    invoices: QuerySet[Invoice], statuses: Sequence[InvoiceStatus]
) -> dict[InvoiceStatus, int]:
    """How many of ``invoices`` have each status, each at most `MANY_MATCHES` + 1."""
    return {
        status: invoices.filter(status=status)
        .order_by()
        .values("pk")[: MANY_MATCHES + 1]
        .count()
        for status in statuses
    }
