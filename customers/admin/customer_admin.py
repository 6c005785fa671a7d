"""Customers: changed in the portal; here their tree can be mended by its services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models import BillingAccount
from customers.admin.parts import YesNoFilter, portal_page
from customers.choices import Lock, RestOfContract
from customers.models import Company, Customer, Note, Person
from customers.selectors import matching_names
from customers.services import locks, tree
from portal.core.admin_base import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    actor_of,
    is_confirmed,
)
from portal.core.display import format_day
from portal.core.money import format_money
from rateplans.models import RatePlan


class DeletedFilter(YesNoFilter):
    title = _("deleted")
    parameter_name = "deleted"
    condition = Q(deleted_at__isnull=False)


class AccountInline(ReadOnlyInline):
    model = BillingAccount
    fk_name = "customer"
    fields = (
        *("provider", "plan", "bill_type", "payment_type"),
        *("balance_shown", "credit_shown"),
    )
    verbose_name_plural = _("billing account")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider", "plan")

    @admin.display(description=_("balance"))
    def balance_shown(self, obj: BillingAccount) -> str:
        return format_money(obj.balance, obj.currency)

    @admin.display(description=_("credit limit"))
    def credit_shown(self, obj: BillingAccount) -> str:
        return format_money(obj.credit_limit, obj.currency)


class PeopleInline(ReadOnlyInline):
    model = Person
    fields = ("username", "first_name", "last_name", "role", "is_active", "last_login")
    verbose_name_plural = _("people (the first ones)")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("role")


class NoteInline(ReadOnlyInline):
    model = Note
    fields = ("created_at", "author_name", "subject", "body")
    verbose_name_plural = _("notes (the newest)")


class LockForm(forms.Form):
    lock = forms.ChoiceField(
        label=_("Locked"),
        choices=[each for each in Lock.choices if each[0] != Lock.NONE],
        initial=Lock.BOTH,
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class DeleteForm(forms.Form):
    contract = forms.ChoiceField(
        label=_("The rest of minimum contracts that run"),
        choices=[
            ("", _("Delete nobody whose contract runs")),
            *RestOfContract.choices,
        ],
        required=False,
    )


class MoveForm(forms.Form):
    """Under whom, and on which of that account's plans."""

    parent = forms.ModelChoiceField(
        Customer._base_manager.none(), label=_("New parent")
    )
    plan = forms.ModelChoiceField(
        RatePlan._base_manager.none(),
        label=_("Rate plan"),
        help_text=_("One of the new parent's own plans, or one shared with it."),
    )

    def __init__(self, *args: Any, admin_site: AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, model, field in (
            ("parent", Customer, "parent"),
            ("plan", BillingAccount, "plan"),
        ):
            choice: Any = self.fields[name]
            widget = AutocompleteSelect(model._meta.get_field(field), admin_site)
            widget.choices = choice.choices
            choice.widget = widget
            choice.queryset = choice.queryset.model.objects.all()


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Every customer; "Open in the portal" leads to where it is changed."""

    list_display = (
        "name",
        "kind",
        "account_number",
        "parent",
        "plan",
        "balance_shown",
        "status",
        "created_on",
    )
    list_filter = (
        "kind",
        "lock",
        DeletedFilter,
        "region",
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("parent", "account__plan")
    search_fields = ("name",)
    search_help_text = _("A name or an account number, or a part of it.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("name", "kind", "account_number", "description"),
                    *("parent", "path", "created_at", "deleted_at"),
                )
            },
        ),
        (
            _("Telephony"),
            {
                "fields": (
                    *("lock", "lock_reason", "concurrent_calls", "bulk_calls"),
                    *("voicemail_days", "voicemail_maximum", "callerid"),
                    *("callerid_in_external", "is_in_directory", "prefix"),
                    *("region", "dial_plan", "time_zone", "language"),
                )
            },
        ),
        (
            _("Address"),
            {
                "fields": (
                    *("address1", "address2", "address3"),
                    *("address_code", "address_city", "address_state"),
                    *("address_other", "country", "telephone", "fax", "email"),
                )
            },
        ),
        (_("Bookkeeping"), {"fields": ("account_counter", "version")}),
    )
    inlines = (AccountInline, PeopleInline, NoteInline)
    actions = ("lock", "unlock", "delete", "undelete", "purge", "move")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not (term := search_term.strip()):
            return queryset, False
        return matching_names(queryset, term), False

    def view_on_site(self, obj: Customer) -> str:
        return portal_page(obj)

    def autocomplete_label(self, obj: Customer) -> str:
        return f"{obj.name} · {obj.account_number}"

    @admin.display(description=_("rate plan"))
    def plan(self, obj: Customer) -> str:
        return "" if obj.is_root else str(obj.account.plan)

    @admin.display(description=_("balance"))
    def balance_shown(self, obj: Customer) -> str:
        if obj.is_root:
            return ""
        return format_money(obj.account.balance, obj.account.currency)

    @admin.display(description=_("status"))
    def status(self, obj: Customer) -> str:
        return gettext("Deleted") if obj.is_deleted else obj.get_lock_display()

    @admin.display(description=_("created"), ordering="created_at")
    def created_on(self, obj: Customer) -> str:
        return format_day(obj.created_at)

    @admin.action(description=_("Lock …"))
    def lock(self, request: HttpRequest, queryset: QuerySet[Customer]) -> Any:
        form = LockForm(request.POST if is_confirmed(request) else None)
        if not form.is_valid():
            return self.ask_first(
                request,
                queryset,
                form=form,
                title=gettext("Lock customers"),
                text=gettext("People locked out of the web are logged out at once."),
                submit_label=gettext("Lock"),
            )
        by = actor_of(request)
        lock, reason = Lock(form.cleaned_data["lock"]), form.cleaned_data["reason"]
        self.do_for_each(
            request,
            queryset,
            lambda row: locks.set_lock(customer=row, lock=lock, reason=reason, by=by),
            done=gettext("Locked"),
        )
        return None

    @admin.action(description=_("Unlock"))
    def unlock(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: locks.set_lock(customer=row, lock=Lock.NONE, reason="", by=by),
            done=gettext("Unlocked"),
        )

    @admin.action(description=_("Delete …"))
    def delete(self, request: HttpRequest, queryset: QuerySet[Customer]) -> Any:
        form = DeleteForm(request.POST if is_confirmed(request) else None)
        if not form.is_valid():
            return self.ask_first(
                request,
                queryset,
                form=form,
                title=gettext("Delete customers"),
                text=gettext(
                    "They cannot use the system any more. They can be restored."
                ),
                submit_label=gettext("Delete"),
            )
        by, contract = actor_of(request), form.cleaned_data["contract"]
        self.do_for_each(
            request,
            queryset,
            lambda row: tree.delete_customer(customer=row, by=by, contract=contract),
            done=gettext("Deleted"),
        )
        return None

    @admin.action(description=_("Restore deleted ones"))
    def undelete(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: tree.undelete_customer(customer=row, by=by),
            done=gettext("Restored"),
        )

    @admin.action(description=_("Purge deleted ones …"))
    def purge(self, request: HttpRequest, queryset: QuerySet[Customer]) -> Any:
        if not is_confirmed(request):
            return self.ask_first(
                request,
                queryset,
                form=forms.Form(),
                title=gettext("Purge customers"),
                text=gettext(
                    "They and all they own are destroyed for good. Their numbers go"
                    " back to the account above."
                ),
                submit_label=gettext("Purge for good"),
            )
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: tree.purge_customer(customer=row, by=by),
            done=gettext("Purged"),
        )
        return None

    @admin.action(description=_("Move to another parent …"))
    def move(self, request: HttpRequest, queryset: QuerySet[Customer]) -> Any:
        data = request.POST if is_confirmed(request) else None
        form = MoveForm(data, admin_site=self.admin_site)
        if not form.is_valid():
            return self.ask_first(
                request,
                queryset,
                form=form,
                title=gettext("Move customers"),
                text=gettext(
                    "Everything below moves along. The balance must be settled before."
                ),
                submit_label=gettext("Move"),
            )
        by = actor_of(request)
        parent, plan = form.cleaned_data["parent"], form.cleaned_data["plan"]
        self.do_for_each(
            request,
            queryset,
            lambda row: tree.move_customer(
                customer=row, parent=parent, plan=plan, by=by
            ),
            done=gettext("Moved"),
        )
        return None


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    """How accounts present themselves: changed at Settings » Company."""

    list_display = (
        "customer",
        "display_name",
        "colour",
        "service_email",
        "requires_second_factor",
    )
    list_filter = ("requires_second_factor",)
    list_select_related = ("customer",)
    related_search = ("customer",)
    search_fields = ("display_name",)

    def view_on_site(self, obj: Company) -> str:
        return portal_page(obj.customer)


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    """What resellers wrote down about their customers."""

    list_display = ("created_at", "subject", "customer", "author_name")
    list_display_links = ("subject",)
    list_select_related = ("customer",)
    date_hierarchy = "created_at"
    related_search = ("customer",)
    search_fields = ("subject", "author_name")

    def view_on_site(self, obj: Note) -> str:
        return portal_page(obj.customer)
