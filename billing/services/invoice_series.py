"""Numbers of invoices: continuous for each seller, without gaps (docs/adr/0020)."""

from __future__ import annotations

from typing import Any

from django.db import connection

from billing.choices import InvoiceType
from billing.models import InvoiceSeries

PREFIXES = {InvoiceType.INVOICE: "", InvoiceType.CREDIT_NOTE: "C-"}


def next_number(issuer: Any, kind: InvoiceType, year: int) -> str:
    """Take the next number of the issuer's series.

    The series waits for the end of the transaction: take it last. What is rolled back gives
    its number back, so that there are no gaps.
    """
    series = series_of(issuer, kind)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_seriescount AS count (series_id, year, last)"
            " VALUES (%s, %s, 1) ON CONFLICT (series_id, year)"
            " DO UPDATE SET last = count.last + 1 RETURNING last",
            [series.pk, year if series.has_year else 0],
        )
        (last,) = cursor.fetchone()
    return series.number(year, last)


def series_of(issuer: Any, kind: InvoiceType) -> InvoiceSeries:
    """How the issuer numbers documents of this kind; as usual until it says otherwise."""
    series, _is_new = InvoiceSeries.objects.get_or_create(
        issuer=issuer, type=kind, defaults={"prefix": PREFIXES[kind]}
    )
    return series
