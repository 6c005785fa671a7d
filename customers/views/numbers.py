"""Features » Numbers: which the account has, where they lead, and new ones (D 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.services.maxima import refusal_of_another
from billing.services.quotes import Wish
from customers.choices import country_choices
from customers.filters.features import NumberFilter
from customers.forms.numbers import NumberEnterForm, NumberForm, NumberTakeForm
from customers.models import Customer, Mailbox, Number, TelephoneLine
from customers.number_picker import picker_context
from customers.price_box import refund_consequences
from customers.selectors import numbers_in_stock
from customers.services import numbers
from customers.views.features import (
    FeatureConfirmPage,
    FeatureEditPage,
    FeatureFormPage,
    FeatureList,
    account_of,
)
from customers.views.parts import pill
from customers.views.prices import PricedByClass
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, PortalView
from portal.templatetags.portal import telephone
from rateplans.choices import Feature
from rateplans.models import NumberClass

LIST = "customers:number-list"
EDIT = "customers:number-edit"


class NumberList(FeatureList):
    feature = Feature.NUMBER
    create_name = "customers:number-new"
    table_id = "numbers"
    default_sort = "number"
    filterset_class = NumberFilter

    def title(self) -> str:
        return _("Numbers")

    def get_queryset(self) -> QuerySet[Number]:
        return Number.objects.filter(customer=self.actor.customer.pk).select_related(
            "number_class", "line", "mailbox"
        )

    def columns(self) -> Sequence[Column]:
        return (
            Column("number", _("Number"), number_cell, sort="number", narrow=True),
            Column(
                "class",
                _("Class"),
                lambda number: number.number_class.name,
                sort="number_class__rank",
            ),
            Column(
                "area",
                _("Area"),
                lambda number: number.area or number.country,
                sort="area",
            ),
            Column("leads", _("Leads to"), leads_cell, narrow=True),
            Column("description", _("Description"), lambda number: number.description),
            Column("status", _("Status"), status_cell, narrow=True),
        )

    def row_url(self, row: Number) -> str:
        if not self.actor.can(Permission.ADMINISTRATOR):
            return ""
        return self.url(EDIT, pk=row.pk)

    def may_create(self) -> bool:
        return bool(ways_to_new(self))

    def refusal(self) -> str:
        return refusal_of_another(
            account_of(self), self.feature, by=self.actor, is_held_above=True
        )

    def empty(self) -> Empty:
        return Empty(
            icon="hash",
            title=_("No number yet"),
            text=_("A number rings at a telephone line, or goes to a mailbox."),
            action_url=self.create_url(),
            action_label=_("Add the first number"),
        )


def number_cell(number: Number) -> SafeString:
    return format_html('<bdi class="text-nowrap">{}</bdi>', telephone(number.number))


def leads_cell(number: Number) -> str:
    """The line, and the mailbox for calls that nobody answers there."""
    if number.line and number.mailbox:
        return _("%(line)s, then %(mailbox)s") % {
            "line": number.line.name,
            "mailbox": number.mailbox.name,
        }
    target = number.line or number.mailbox
    return target.name if target else ""


def status_cell(number: Number) -> SafeString:
    if number.is_free:
        return pill("info", _("Free"), "circle-dashed")
    return pill("success", _("In use"))


def ways_to_new(view: PortalView) -> list[dict[str, Any]]:
    """How the actor may get numbers for this account, as choice cards."""
    ways = []
    if not view.actor.can(Permission.ADMINISTRATOR):
        return []
    if not account_of(view).is_root:
        ways.append(
            {
                "title": _("Take from your provider's stock"),
                "icon": "library",
                "text": _("Choose one of the free numbers that your provider holds."),
                "creates": [
                    _("The number is yours at once"),
                    _("It rings at the line you choose"),
                ],
                "url": view.url("customers:number-take"),
                "label": _("Choose a number"),
            }
        )
    if view.actor.can(Permission.COMMERCE):
        ways.append(
            {
                "title": _("Enter a number"),
                "icon": "keyboard",
                "text": _("For numbers that you got from a carrier: one, or a block."),
                "creates": [
                    _("New numbers in the system, up to 1000 in a row"),
                    _("Free for your customers or for yourself"),
                ],
                "url": view.url("customers:number-enter"),
                "label": _("Enter numbers"),
            }
        )
    return ways


class NumberNew(PortalView):
    """The first question: from the provider, or new to the system."""

    permission = Permission.ADMINISTRATOR

    def title(self) -> str:
        return _("New number")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Numbers"), self.url(LIST))]

    def get(self, request: Any) -> HttpResponseBase:
        ways = ways_to_new(self)
        if len(ways) == 1:
            return redirect(ways[0]["url"])
        context = self.page_context(choices=ways)
        return render(request, "customers/number_new.html", context)


class NumberFormPage(FeatureFormPage):
    list_title = gettext_lazy("Numbers")
    list_url = LIST

    def choices(self) -> dict[str, Any]:
        """What may be chosen: the account's own rows only."""
        account = account_of(self)
        return {
            "account": account,
            "lines": TelephoneLine.objects.filter(customer=account),
            "mailboxes": Mailbox.objects.filter(customer=account),
        }


class NumberTake(PricedByClass, NumberFormPage):
    focuses_first = True
    template_name = "customers/number_take.html"
    submit_label = gettext_lazy("Take this number")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if account_of(self).is_root:
            raise Http404  # there is nobody above to take a number from
        return super().dispatch(request, *args, **kwargs)

    def title(self) -> str:
        return _("Take a number")

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        if numbers_in_stock(account_of(self)).exists():
            return super().get(request, **kwargs)
        context = PortalView.page_context(self, empty=self.nothing_in_stock())
        return render(request, "_empty_page.html", context)

    def nothing_in_stock(self) -> Empty:
        title = _("Your provider has no free numbers at present")
        if not self.actor.can(Permission.COMMERCE):
            return Empty(icon="library", title=title, text=_("Ask for some."))
        return Empty(
            icon="library",
            title=title,
            text=_("Ask for some, or enter numbers that you got from a carrier."),
            action_url=self.url("customers:number-enter"),
            action_label=_("Enter numbers"),
        )

    def build_form(self, data: Any = None, files: Any = None) -> NumberTakeForm:
        stock = numbers_in_stock(account_of(self))
        return NumberTakeForm(data, stock=stock, **self.choices())

    def came_from(self) -> Customer | None:
        return account_of(self).parent

    def wish(self, form: Any) -> Wish | None:
        number = getattr(form, "cleaned_data", {}).get("number")
        if number is None:
            return None
        return Wish(Feature.NUMBER, number_class_id=number.number_class_id)

    def form_context(self, form: Any) -> dict[str, Any]:
        picker = picker_context(
            self.request,
            numbers_in_stock(account_of(self)),
            chosen=str(form["number"].value() or ""),
        )
        return picker | super().form_context(form)

    def save(self, form: NumberTakeForm) -> str:
        numbers.take_number(
            number=form.cleaned_data["number"],
            customer=account_of(self),
            values=form.values(),
            price_seen=self.price_seen(form),
            by=self.actor,
        )
        return self.url(LIST)

    def success_message(self, form: NumberTakeForm) -> str:
        taken = form.cleaned_data["number"].number
        return _("%(number)s is yours.") % {"number": telephone(taken)}


class NumberStock(PortalView):
    """The provider's free numbers that match what is searched, for the form."""

    permission = Permission.ADMINISTRATOR

    def get(self, request: Any) -> HttpResponse:
        context = picker_context(
            request,
            numbers_in_stock(account_of(self)),
            chosen=request.GET.get("number", ""),
        )
        return render(request, "customers/_number_options.html", context)


class NumberEnter(PricedByClass, NumberFormPage):
    focuses_first = True
    permission = Permission.COMMERCE

    def title(self) -> str:
        return _("Enter numbers")

    def build_form(self, data: Any = None, files: Any = None) -> NumberEnterForm:
        classes = NumberClass.objects.all()
        return NumberEnterForm(data, account=account_of(self), classes=classes)

    def wish(self, form: Any) -> Wish | None:
        data = getattr(form, "cleaned_data", {})
        count, number_class = data.get("count"), data.get("number_class")
        if not count or number_class is None:
            return None
        return Wish(Feature.NUMBER, count, number_class.pk)

    def save(self, form: NumberEnterForm) -> str:
        data = form.cleaned_data
        self.added = numbers.add_numbers(
            customer=account_of(self),
            numbers=numbers.expand_range(data["number"], data["count"]),
            number_class=data["number_class"],
            description=data["description"],
            price_seen=self.price_seen(form),
            by=self.actor,
        )
        if len(self.added) == 1:
            return self.url(EDIT, pk=self.added[0].pk)
        return self.url(LIST)

    def success_message(self, form: NumberEnterForm) -> str:
        count = len(self.added)
        text = ngettext("%(count)d number added.", "%(count)d numbers added.", count)
        return text % {"count": count}


class NumberEdit(FeatureEditPage, NumberFormPage):
    model = Number
    related = ("customer__parent", "number_class")
    state_fields = numbers.FIELDS

    def title(self) -> str:
        return telephone(self.row.number)

    def build_form(self, data: Any = None, files: Any = None) -> NumberForm:
        initial = self.initial()
        initial["is_in_directory"] = {True: "yes", False: "no", None: ""}[
            initial["is_in_directory"]
        ]
        return NumberForm(data, initial=initial, **self.choices())

    def save(self, form: NumberForm) -> str:
        numbers.update_number(
            number=self.row,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.url(LIST)

    def form_context(self, form: Any) -> dict[str, Any]:
        number = self.row
        return {
            "facts_title": _("The number"),
            "facts": [
                {"label": _("Class"), "value": number.number_class.name},
                {"label": _("Area"), "value": number.area},
                {
                    "label": _("Country"),
                    "value": dict(country_choices()).get(number.country, ""),
                },
            ],
            "steps": list(self.steps()),
        }

    def steps(self) -> Sequence[dict[str, Any]]:
        if numbers.is_customers_own(self.row):
            return (
                {
                    "title": _("Cannot be released"),
                    "text": _("The residential customer is named by this number."),
                    "icon": "info",
                },
            )
        return (
            {
                "title": _("Release"),
                "text": where_it_goes(self.row),
                "icon": "undo-2",
                "label": _("Release"),
                "url": self.url("customers:number-release", pk=self.row.pk),
                "is_danger": True,
            },
        )


def where_it_goes(number: Number) -> str:
    """What becomes of a released number. Who the provider is, is not told (D 1.1)."""
    if number.customer.is_root:
        return _("It leaves the system and can be entered again.")
    return _("It goes back to your provider, who may give it to somebody else.")


class NumberRelease(FeatureConfirmPage):
    model = Number
    related = ("customer__parent", "line", "mailbox")
    list_title = gettext_lazy("Numbers")
    list_url = LIST
    edit_url = EDIT
    submit_label = gettext_lazy("Release")

    def row_name(self) -> str:
        return telephone(self.row.number)

    def title(self) -> str:
        return _("Release %(number)s") % {"number": telephone(self.row.number)}

    def consequences(self) -> Sequence[str]:
        number = self.row
        target = leads_cell(number)
        return (
            where_it_goes(number),
            *(
                [
                    _("Calls to it do not reach %(target)s any more.")
                    % {"target": target}
                ]
                if target
                else []
            ),
            *refund_consequences(
                number.customer, numbers.billed(number), goes_to=number.customer.parent
            ),
        )

    def refusal(self) -> str:
        if numbers.is_customers_own(self.row):
            return _("The residential customer is named by this number.")
        return ""

    def save(self, form: forms.BaseForm) -> str:
        numbers.release_number(number=self.row, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: Any) -> str:
        return _("Released.")
