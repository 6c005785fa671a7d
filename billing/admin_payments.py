"""Payments, what they settle, and statements of banks in the Django admin, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import (
    CardOrder,
    Payment,
    PaymentImport,
    PaymentImportLine,
    Settlement,
)
from portal.core.admin_base import ReadOnlyAdmin, ReadOnlyInline
from portal.core.money import format_money


class SettlementInline(ReadOnlyInline):
    model = Settlement
    fields = ("amount", "created_at", "undone_at")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """All payments; one that came back is taken back on the portal's own pages."""

    list_display = (
        "received_on",
        "provider",
        "customer",
        "amount_shown",
        "method",
        "reference",
        "created_at",
        "reversed_at",
    )
    list_filter = ("method", ("reversed_at", admin.EmptyFieldListFilter))
    list_select_related = ("provider", "account__customer")
    ordering = ("-pk",)
    search_fields = ("reference",)
    related_search = ("provider",)
    search_help_text = _("A reference, or who was paid.")
    inlines = (SettlementInline,)

    @admin.display(description=_("customer"))
    def customer(self, obj: Payment) -> str:
        return str(obj.account.customer)

    @admin.display(description=_("amount"))
    def amount_shown(self, obj: Payment) -> str:
        return format_money(obj.amount, obj.currency)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    """What payments and credit notes took off invoices."""

    list_display = ("pk", "invoice", "payment", "credit_note", "amount", "undone_at")
    list_filter = (("undone_at", admin.EmptyFieldListFilter),)
    list_select_related = ("invoice", "payment", "credit_note")
    ordering = ("-pk",)
    search_fields = ("invoice__number",)
    search_help_text = _("The number of the invoice.")


@admin.register(CardOrder)
class CardOrderAdmin(ReadOnlyAdmin):
    """What gateways were asked to take from cards, and what they said."""

    list_display = ("key", "invoice", "attempt", "amount_shown", "outcome", "asked_at")
    list_filter = ("outcome",)
    list_select_related = ("invoice",)
    ordering = ("-pk",)
    search_fields = ("invoice__number",)
    search_help_text = _("The number of the invoice.")

    @admin.display(description=_("amount"))
    def amount_shown(self, obj: CardOrder) -> str:
        return format_money(obj.amount, obj.currency)


@admin.register(PaymentImport)
class PaymentImportAdmin(ReadOnlyAdmin):
    """Statements of banks that were uploaded."""

    list_display = ("file_name", "owner", "person_name", "created_at")
    list_select_related = ("owner",)
    ordering = ("-pk",)
    search_fields = ("file_name",)
    related_search = ("owner",)
    search_help_text = _("The name of the file, or who imported it.")


@admin.register(PaymentImportLine)
class PaymentImportLineAdmin(ReadOnlyAdmin):
    """Their lines, and what became of them."""

    list_display = ("pk", "source", "number", "day", "amount", "text", "state")
    list_filter = ("state",)
    list_select_related = ("source",)
    ordering = ("-pk",)
    search_fields = ("text", "payer")
    search_help_text = _("Words of the line.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("cells")
