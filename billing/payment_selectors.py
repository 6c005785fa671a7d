"""Reads of payments, and of what is still open."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import Payment, Settlement
from portal.core.actor import TenantRow
from portal.core.money import ZERO


def payments_to(provider: TenantRow) -> QuerySet[Payment]:
    """What an account's customers paid it, with ``settled``, what that settles now."""
    holding = Q(settlements__undone_at=None)
    return (
        Payment.objects.filter(provider=provider.pk)
        .select_related("account__customer")
        .annotate(settled=Coalesce(Sum("settlements__amount", filter=holding), ZERO))
    )


def with_settlements(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """With all they ever settled, newest first, and the invoices' numbers."""
    rows = Settlement.objects.select_related("invoice").defer("invoice__content")
    return payments.prefetch_related(Prefetch("settlements", rows.order_by("-pk")))
