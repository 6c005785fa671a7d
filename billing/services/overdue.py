"""What passing days do to invoices: due ones become overdue, where their customers are."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateField, DateTimeField, F, Func, QuerySet, Value
from django.utils import timezone

from billing.choices import InvoiceStatus, InvoiceType
from billing.invoice_days import due_day, first_overdue_day
from billing.models import BillingAccount, Invoice
from portal.core.scope import scopes_disabled

BATCH = 1000
# Nowhere is it more than a day later than in UTC.
_FURTHEST = timedelta(days=1)


class LocalDay(Func):
    """The day it is in the zone that the expression names, ``days`` and ``hours`` ago."""

    template = (
        "(timezone(%(expressions)s)"
        " - make_interval(days => %(days)s, hours => %(hours)s))::date"
    )
    output_field = DateField()

    def __init__(self, zone: str, *, days: int = 0, hours: int = 0) -> None:
        now = Value(timezone.now(), output_field=DateTimeField())
        super().__init__(F(zone), now, days=days, hours=hours)


def mark_overdue() -> int:
    """Make due invoices overdue whose first overdue day has come; how many there were.

    One that is paid at the same moment stays paid: its status is looked at again.
    """
    marked = 0
    with scopes_disabled():  # the worker serves every tenant
        while ids := list(_newly_overdue().values_list("pk", flat=True)[:BATCH]):
            rows = Invoice.objects.filter(pk__in=ids, status=InvoiceStatus.DUE)
            marked += rows.update(status=InvoiceStatus.OVERDUE)
    return marked


def _newly_overdue() -> QuerySet[Invoice]:
    return Invoice.objects.alias(first_day=first_overdue_day()).filter(
        type=InvoiceType.INVOICE,
        status=InvoiceStatus.DUE,
        due_on__lte=timezone.now().date() + _FURTHEST,
        first_day__lte=LocalDay("account__customer__time_zone"),
    )


def past_due(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Those of ``invoices`` whose day to pay by has passed where their customers are."""
    today = LocalDay("account__customer__time_zone")
    return invoices.alias(last_day=due_day()).filter(last_day__lt=today)


def has_overdue(account: BillingAccount) -> bool:
    """Whether an invoice of the account is overdue, or was refused and would be."""
    return late_invoices().filter(account=account.pk).exists()


def late_invoices() -> QuerySet[Invoice]:
    """Invoices that are overdue, or were refused and would be."""
    return Invoice.objects.alias(first_day=first_overdue_day()).filter(
        type=InvoiceType.INVOICE,
        status__in=[InvoiceStatus.OVERDUE, InvoiceStatus.PAYMENT_REFUSED],
        first_day__lte=LocalDay("account__customer__time_zone"),
        payable__gt=F("settled"),
    )
