"""What jobs look through, over all sellers, is found by an index of what is not settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from billing.choices import InvoiceOccasion, InvoiceStatus
from billing.models import BillingAccount, Invoice
from billing.services import collecting, invoice_drawing, overdue
from customers.services import invoice_mails, reminders
from portal.core.scope import scopes_disabled
from rateplans.choices import InvoiceDetail, InvoiceFormat
from tests.invoicing.bills import account_of
from tests.world import World

SCANS: dict[str, tuple[str, Callable[[], QuerySet[Any]]]] = {
    "held back": (
        "invoice_unsettled",
        lambda: Invoice.objects.filter(status=InvoiceStatus.PENDING).order_by("?"),
    ),
    "newly overdue": ("invoice_unsettled", lambda: overdue._newly_overdue()),
    "late": ("invoice_unsettled", lambda: overdue.late_invoices()),
    "open": ("invoice_unsettled", lambda: reminders._open()),
    "reminded of": ("invoice_unsettled", lambda: reminders._unsent(7, 14)),
    "cards": ("invoice_unsettled", lambda: collecting.to_collect()),
    "not drawn": (
        "invoice_not_drawn",
        lambda: invoice_drawing.undrawn().filter(draw_due_at__lte=timezone.now()),
    ),
    "not mailed": ("invoice_not_mailed", lambda: invoice_mails._to_mail()),
}


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # jobs look at every tenant
        yield


def _lay_settled(account: BillingAccount, count: int) -> None:
    now = timezone.now()
    Invoice.objects.bulk_create(
        Invoice(
            account=account,
            issuer_id=account.provider_id,
            key=f"request:{number}",
            occasion=InvoiceOccasion.REQUEST,
            status=InvoiceStatus.PAID,
            number=f"{number:05}",
            customer_number=number,
            currency="EUR",
            period_start=date(2026, 1, 1),
            period_end=date(2026, 2, 1),
            detail=InvoiceDetail.SUMMARY,
            format=InvoiceFormat.PDF,
            content={},
            issued_on=now.date(),
            due_on=now.date(),
            overdue_on=now.date(),
            issued_at=now,
            sent_at=now,
            drawn_at=now,
            mailed_at=now,
        )
        for number in range(1, count + 1)
    )


def test_indexes_serve_the_scans(world: World) -> None:
    _lay_settled(account_of(world.beta), 3000)
    served = {}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_invoice")
        for name, (index, rows) in SCANS.items():
            sql, values = rows().order_by().values("pk").query.sql_with_params()
            cursor.execute(f"EXPLAIN {sql}", values)
            served[name] = index in str(cursor.fetchall())
    assert served == dict.fromkeys(SCANS, True)
