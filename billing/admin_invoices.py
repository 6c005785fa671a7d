"""Invoices, their files and numbers in the Django admin, to look at: documents are final."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import (
    Invoice,
    InvoiceFile,
    InvoiceLogo,
    InvoiceSeries,
    SeriesCount,
)
from portal.core.admin_base import ReadOnlyAdmin, ReadOnlyInline
from portal.core.money import format_money


class InvoiceFileInline(ReadOnlyInline):
    model = InvoiceFile
    fields = ("kind", "created_at")


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """All invoices and credit notes, those that are held back among them."""

    list_display = (
        "__str__",
        "issuer",
        "customer",
        "type",
        "occasion",
        "status",
        "total_shown",
        "open_shown",
        "issued_on",
        "due_on",
    )
    list_filter = ("status", "type", "occasion", "format")
    list_select_related = ("issuer", "account__customer")
    ordering = ("-pk",)
    search_fields = ("number",)
    related_search = ("issuer",)
    search_help_text = _("A number, or who issued it.")
    inlines = (InvoiceFileInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("content")

    @admin.display(description=_("customer"))
    def customer(self, obj: Invoice) -> str:
        return str(obj.account.customer)

    @admin.display(description=_("total"))
    def total_shown(self, obj: Invoice) -> str:
        return format_money(obj.total, obj.currency)

    @admin.display(description=_("open"))
    def open_shown(self, obj: Invoice) -> str:
        return format_money(obj.open, obj.currency)


@admin.register(InvoiceFile)
class InvoiceFileAdmin(ReadOnlyAdmin):
    """What was drawn, and when; the files themselves are downloaded in the portal."""

    list_display = ("invoice", "kind", "created_at")
    list_filter = ("kind",)
    list_select_related = ("invoice",)
    ordering = ("-pk",)
    search_fields = ("invoice__number",)
    search_help_text = _("The whole number of an invoice.")


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(ReadOnlyAdmin):
    """How each account numbers what it issues."""

    list_display = ("issuer", "type", "prefix", "has_year", "width")
    list_filter = ("type",)
    list_select_related = ("issuer",)
    ordering = ("-pk",)
    search_fields = ("prefix",)
    related_search = ("issuer",)
    search_help_text = _("A prefix, or whose series it is.")


@admin.register(SeriesCount)
class SeriesCountAdmin(ReadOnlyAdmin):
    """How far each series has counted."""

    list_display = ("series", "issuer", "year", "last")
    list_filter = ("year",)
    list_select_related = ("series__issuer",)
    ordering = ("-pk",)

    @admin.display(description=_("issued by"))
    def issuer(self, obj: SeriesCount) -> str:
        return str(obj.series.issuer)


@admin.register(InvoiceLogo)
class InvoiceLogoAdmin(ReadOnlyAdmin):
    """Logos that stand on invoices, by their hash."""

    list_display = ("hash",)
    ordering = ("hash",)
    search_fields = ("hash",)
