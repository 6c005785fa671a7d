"""Accounts and taxes in the Django admin; nothing here can move a balance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing import admin_invoices as admin_invoices  # registers those of invoices
from billing import admin_payments as admin_payments  # registers those of payments
from billing import admin_sales as admin_sales  # registers the models of sales
from billing.models import (
    BilledFeature,
    BillingAccount,
    EntryTax,
    LedgerCheck,
    LedgerEntry,
    LedgerFault,
    PeriodRun,
    RunFailure,
    RunInvoice,
    RunPart,
    Seller,
    Tax,
    TaxLiability,
)
from billing.services import taxes
from portal.core.admin_base import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    ServiceAdmin,
    actor_of,
)
from portal.core.money import format_money


class LiabilityInline(ReadOnlyInline):
    model = TaxLiability
    fields = ("tax",)
    verbose_name_plural = _("taxes liable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("tax")


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnlyAdmin):
    """What customers and their parents owe each other."""

    list_display = (
        "customer",
        "provider",
        "plan",
        "bill_type",
        "balance_shown",
        "credit_shown",
        "payment_type",
    )
    list_filter = ("bill_type", "payment_type")
    list_select_related = ("customer", "provider", "plan")
    ordering = ("-pk",)
    related_search = ("customer", "provider")
    search_help_text = _("The customer, or whose customer it is.")
    inlines = (LiabilityInline,)

    @admin.display(description=_("balance"))
    def balance_shown(self, obj: BillingAccount) -> str:
        return format_money(obj.balance, obj.currency)

    @admin.display(description=_("credit limit"))
    def credit_shown(self, obj: BillingAccount) -> str:
        return format_money(obj.credit_limit, obj.currency)


@admin.register(Seller)
class SellerAdmin(ReadOnlyAdmin):
    """What accounts say of themselves on invoices; changed in their Settings."""

    list_display = (
        "customer",
        "legal_name",
        "vat_id",
        "tax_rounding",
        "untaxed_category",
        "reviews_invoices",
    )
    list_filter = ("untaxed_category", "tax_rounding", "reviews_invoices")
    list_select_related = ("customer",)
    ordering = ("-pk",)
    search_fields = ("legal_name", "trading_name", "vat_id")
    related_search = ("customer",)
    search_help_text = _("A name, a VAT ID, or the account.")


@admin.register(Tax)
class TaxAdmin(ServiceAdmin):
    """Taxes; one that accounts are liable for cannot be deleted."""

    list_display = ("name", "owner", "rate", "amount", "is_vat", "liable", "is_shared")
    list_filter = ("is_vat", "liable", "is_shared")
    list_select_related = ("owner",)
    related_search = ("owner",)
    search_fields = ("name",)
    autocomplete_fields = ("owner",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Accounts are liable because of whose it is: the owner never changes."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "owner"] if obj else fields

    def deletion_refusals(self, obj: Tax) -> list[str]:
        return taxes.deletion_refusals(obj)

    def save_model(
        self, request: HttpRequest, obj: Tax, form: Any, change: bool
    ) -> None:
        by, entered = actor_of(request), form.cleaned_data
        if change:
            values = {name: entered[name] for name in form.changed_data}
            taxes.update_tax(tax=obj, values=values, by=by)
        else:
            values = {name: entered[name] for name in taxes.FIELDS if name in entered}
            obj.pk = taxes.create_tax(owner=obj.owner, values=values, by=by).pk

    def delete_model(self, request: HttpRequest, obj: Tax) -> None:
        taxes.delete_tax(tax=obj, by=actor_of(request))


@admin.register(TaxLiability)
class TaxLiabilityAdmin(ReadOnlyAdmin):
    """Which account is liable for which tax."""

    list_display = ("account", "tax")
    list_select_related = ("account__customer", "tax")
    ordering = ("-pk",)
    related_search = ("account", "tax")


class EntryTaxInline(ReadOnlyInline):
    model = EntryTax
    fields = ("name", "rate", "amount", "is_vat")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Every movement of every account; nobody changes one, a reversal is posted."""

    list_display = (
        "at",
        "customer",
        "kind",
        "description",
        "amount_shown",
        "balance_shown",
        "is_on_balance",
        "person_name",
    )
    list_filter = ("kind", "is_on_balance", "feature")
    list_select_related = ("account__customer",)
    ordering = ("-pk",)
    search_fields = ("description", "reference")
    search_help_text = _("The description or the reference of an entry.")
    inlines = (EntryTaxInline,)

    @admin.display(description=_("customer"))
    def customer(self, obj: LedgerEntry) -> str:
        return str(obj.account.customer)

    @admin.display(description=_("amount"))
    def amount_shown(self, obj: LedgerEntry) -> str:
        return format_money(obj.amount, obj.account.currency)

    @admin.display(description=_("balance after"))
    def balance_shown(self, obj: LedgerEntry) -> str:
        return format_money(obj.balance_after, obj.account.currency)


@admin.register(EntryTax)
class EntryTaxAdmin(ReadOnlyAdmin):
    """Taxes within entries, as they were then."""

    list_display = ("entry", "name", "rate", "amount", "is_vat")
    list_select_related = ("entry",)
    ordering = ("-pk",)
    search_fields = ("name",)


@admin.register(BilledFeature)
class BilledFeatureAdmin(ReadOnlyAdmin):
    """What fees are charged for, from when to when."""

    list_display = (
        "label",
        "feature",
        "customer",
        "number_class",
        "started_at",
        "ended_at",
    )
    list_filter = ("feature", "number_class", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("customer", "number_class")
    ordering = ("-pk",)
    related_search = ("customer",)
    search_fields = ("label",)
    search_help_text = _("The label, or the customer.")


class RunFailureInline(ReadOnlyInline):
    model = RunFailure


@admin.register(PeriodRun)
class PeriodRunAdmin(ReadOnlyAdmin):
    """Runs that charged fees and charges, with what failed."""

    list_display = ("pk", *(field.name for field in PeriodRun._meta.fields[1:]))
    ordering = ("-pk",)
    inlines = (RunFailureInline,)


@admin.register(RunFailure)
class RunFailureAdmin(ReadOnlyAdmin):
    list_display = ("pk", *(field.name for field in RunFailure._meta.fields[1:]))
    ordering = ("-pk",)


@admin.register(RunPart)
class RunPartAdmin(ReadOnlyAdmin):
    """What is left to do of runs that go on."""

    list_display = ("pk", "run", "step", "done", "leased_until", "finished_at")
    ordering = ("-pk",)


@admin.register(RunInvoice)
class RunInvoiceAdmin(ReadOnlyAdmin):
    list_display = ("pk", "run", "invoice")
    list_select_related = ("run", "invoice")
    ordering = ("-pk",)


class LedgerFaultInline(ReadOnlyInline):
    model = LedgerFault


@admin.register(LedgerCheck)
class LedgerCheckAdmin(ReadOnlyAdmin):
    """Proofs of the ledger: balances are their entries, and none was changed."""

    list_display = ("pk", *(field.name for field in LedgerCheck._meta.fields[1:]))
    ordering = ("-pk",)
    inlines = (LedgerFaultInline,)


@admin.register(LedgerFault)
class LedgerFaultAdmin(ReadOnlyAdmin):
    list_display = ("pk", *(field.name for field in LedgerFault._meta.fields[1:]))
    ordering = ("-pk",)
