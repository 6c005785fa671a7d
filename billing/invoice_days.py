"""The days of invoices as the database says them; `Invoice` has the same for one row."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import DateField, F
from django.db.models.functions import Cast, Coalesce


def first_overdue_day() -> Coalesce:
    """`Invoice.first_overdue_day`."""
    return Coalesce("overdue_from", "overdue_on")


def due_day(of: str = "") -> Cast:
    """`Invoice.due_day`; ``of`` leads to the invoice, such as "invoices__"."""
    given = Coalesce(F(f"{of}overdue_from") - F(f"{of}overdue_on"), timedelta())
    return Cast(F(f"{of}due_on") + given, DateField())
