"""Numbers, lines and mailboxes; new numbers come in here, all else is the portal's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers.admin.parts import YesNoFilter, portal_page
from customers.models import Customer, Mailbox, Number, TelephoneLine
from customers.services import numbers
from portal.core.admin_base import ReadOnlyAdmin, actor_of, is_confirmed
from portal.core.forms import NumberField
from portal.core.views import add_refusal
from rateplans.models import NumberClass


class FreeFilter(YesNoFilter):
    title = _("free")
    parameter_name = "free"
    condition = Q(line=None, mailbox=None)


class AddNumbersForm(forms.Form):
    customer = forms.ModelChoiceField(Customer._base_manager.none(), label=_("Held by"))
    number = NumberField(label=_("First number"))
    count = forms.IntegerField(
        label=_("How many in a row"),
        initial=1,
        min_value=1,
        max_value=numbers.MAXIMUM_RANGE,
    )
    number_class = forms.ModelChoiceField(
        NumberClass.objects.all(), label=_("Class"), empty_label=None
    )
    description = forms.CharField(
        label=_("Description"), max_length=200, required=False
    )

    def __init__(self, *args: Any, admin_site: AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        holder: Any = self.fields["customer"]
        widget = AutocompleteSelect(Number._meta.get_field("customer"), admin_site)
        widget.choices = holder.choices
        holder.widget = widget
        holder.queryset = Customer.objects.all()


@admin.register(Number)
class NumberAdmin(ReadOnlyAdmin):
    """Every number of the system, and who holds it."""

    list_display = (
        "number",
        "number_class",
        "customer",
        "country",
        "area",
        "line",
        "is_free",
    )
    list_filter = (FreeFilter, "number_class")
    list_select_related = ("customer", "number_class", "line")
    related_search = ("customer",)
    search_fields = ("number",)
    search_help_text = _("Digits of a number, or a customer.")
    actions = ("release",)

    def search_condition(self, term: str) -> Q:
        digits = "".join(char for char in term if char.isdigit()).lstrip("0")
        return Q(number__contains=digits) if len(digits) > 2 else Q(pk=None)

    def view_on_site(self, obj: Number) -> str:
        return portal_page(obj.customer)

    @admin.display(description=_("free"), boolean=True)
    def is_free(self, obj: Number) -> bool:
        return obj.is_free

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One number, or a range; by the service that reseller's staff use as well."""
        data = request.POST if request.method == "POST" else None
        form = AddNumbersForm(data, admin_site=self.admin_site)
        if form.is_valid():
            try:
                added = self._add(form.cleaned_data, request)
            except ValidationError as error:
                add_refusal(form, error)
            else:
                text = ngettext("%d number added.", "%d numbers added.", len(added))
                messages.success(request, text % len(added))
                return redirect("admin:customers_number_changelist")
        return self.form_page(
            request,
            form=form,
            title=gettext("Add numbers"),
            text="",
            submit_label=gettext("Add"),
        )

    def _add(self, values: dict[str, Any], request: HttpRequest) -> list[Number]:
        added = numbers.add_numbers(
            customer=values["customer"],
            numbers=numbers.expand_range(values["number"], values["count"]),
            number_class=values["number_class"],
            description=values["description"],
            by=actor_of(request),
        )
        for number in added:
            self.log_addition(request, number, gettext("Added"))
        return added

    @admin.action(description=_("Give up: back to the account above …"))
    def release(self, request: HttpRequest, queryset: QuerySet[Number]) -> Any:
        if not is_confirmed(request):
            return self.ask_first(
                request,
                queryset,
                form=forms.Form(),
                title=gettext("Give numbers up"),
                text=gettext(
                    "Each goes back to the account above its holder; the system owner's"
                    " own leave the system."
                ),
                submit_label=gettext("Give up"),
            )
        by = actor_of(request)
        self.do_for_each(
            request,
            queryset,
            lambda row: numbers.release_number(number=row, by=by),
            done=gettext("Given up"),
        )
        return None


@admin.register(TelephoneLine)
class TelephoneLineAdmin(ReadOnlyAdmin):
    """SIP accounts, without their passwords."""

    list_display = ("name", "username", "extension", "customer", "is_enabled")
    list_filter = ("is_enabled", "is_external_allowed", "dial_plan")
    list_select_related = ("customer",)
    ordering = ("-pk",)
    related_search = ("customer",)
    search_help_text = _("A customer, or a whole SIP user name.")

    def search_condition(self, term: str) -> Q:
        return Q(Exact(Lower("username"), Lower(Value(term))))

    def view_on_site(self, obj: TelephoneLine) -> str:
        return portal_page(obj.customer)


@admin.register(Mailbox)
class MailboxAdmin(ReadOnlyAdmin):
    """Mailboxes, without their PINs."""

    list_display = ("name", "box_number", "customer", "emails", "is_enabled")
    list_filter = ("is_enabled",)
    list_select_related = ("customer",)
    ordering = ("-pk",)
    related_search = ("customer",)

    def view_on_site(self, obj: Mailbox) -> str:
        return portal_page(obj.customer)
