"""Commerce » Exchange rates: everybody reads them, the system owner enters them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.filters import RateFilter
from billing.forms.currencies import (
    CheckedFileForm,
    RateFileForm,
    RateForm,
    pack,
    unpack,
)
from billing.models import ExchangeRate
from billing.services import currencies
from billing.services.rate_file import RateFile, read_rates
from portal.core.display import format_day
from portal.core.forms import PortalForm
from portal.core.money import CURRENCIES, currency_name, plain_amount
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.urls import day_of
from portal.core.views import Crumb, FormPage, ListPage, clean_token

LIST = "billing:rate-list"
CHECK_TEMPLATE = "billing/rate_import_check.html"


class RateList(ListPage):
    permission = Permission.COMMERCE
    template_name = "billing/rate_list.html"
    table_id = "rates"
    filterset_class = RateFilter

    @property
    def default_sort(self) -> str:  # type: ignore[override]
        return "-on" if self.request.GET.get("currency") else "currency"

    def title(self) -> str:
        return _("Exchange rates")

    def get_queryset(self) -> QuerySet[ExchangeRate]:
        return ExchangeRate.objects.all()

    def columns(self) -> Sequence[Column]:
        return (
            Column(
                "currency",
                _("Currency"),
                lambda rate: f"{rate.currency} – {currency_name(rate.currency)}",
                sort="currency",
                narrow=True,
            ),
            Column(
                "rate",
                _("For 1 EUR"),
                lambda rate: plain_amount(rate.rate),
                sort="rate",
                align="end",
                narrow=True,
            ),
            Column(
                "on",
                _("Since"),
                lambda rate: format_day(rate.on),
                sort="on",
                align="end",
                narrow=True,
            ),
        )

    def row_url(self, row: ExchangeRate) -> str:
        if not self.actor.can(Permission.SYSTEM):
            return f"{self.url(LIST)}?currency={row.currency}"
        create = self.url("billing:rate-create")
        return f"{create}?currency={row.currency}&on={row.on.isoformat()}"

    def page_actions(self) -> Sequence[dict[str, str]]:
        if not self.actor.can(Permission.SYSTEM):
            return ()
        return (
            {
                "label": _("New"),
                "url": self.url("billing:rate-create"),
                "icon": "plus",
                "shortcut": "n",
            },
            {
                "label": _("Import CSV"),
                "url": self.url("billing:rate-import"),
                "icon": "upload",
            },
        )

    def empty(self) -> Empty:
        may_enter = self.actor.can(Permission.SYSTEM)
        return Empty(
            icon="coins",
            title=_("No exchange rate yet"),
            text=_(
                "Rates are needed where a price and the account that pays it have"
                " different currencies. Enter them, or import the file that the European"
                " Central Bank publishes."
            )
            if may_enter
            else _("The system owner enters them."),
            action_url=self.url("billing:rate-import") if may_enter else "",
            action_label=_("Import rates"),
        )


class RatePage(FormPage):
    permission = Permission.SYSTEM

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Exchange rates"), self.url(LIST))]

    def cancel_url(self) -> str:
        return self.url(LIST)


class RateCreate(RatePage):
    """The rate of a currency on a day, also of one that has a rate: it is replaced."""

    focuses_first = True

    def title(self) -> str:
        return _("Enter a rate")

    def build_form(self, data: Any = None, files: Any = None) -> RateForm:
        return RateForm(data, initial=self.initial())

    def initial(self) -> dict[str, Any]:
        currency = self.request.GET.get("currency", "")
        day = day_of(self.request.GET.get("on", ""))
        rate = None
        if currency in CURRENCIES and day:
            rate = ExchangeRate.objects.filter(currency=currency, on=day).first()
        return {
            "currency": currency,
            "on": day or timezone.localdate(),
            "rate": rate.rate if rate else None,
        }

    def save(self, form: RateForm) -> str:
        currencies.set_rate(by=self.actor, **form.cleaned_data)
        return self.url(LIST)


class RateImport(RatePage):
    """Takes a file, shows what it would change and its mistakes, then imports the rest.

    The page between carries the file itself, so that nothing is kept anywhere meanwhile.
    """

    def title(self) -> str:
        return _("Import exchange rates")

    def build_form(self, data: Any = None, files: Any = None) -> PortalForm:
        if data is not None and "content" in data:
            return CheckedFileForm(data)
        return RateFileForm(data, files)

    def post(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        if "content" in request.POST:
            if self.checked is None:
                messages.warning(request, _("Choose the file once more."))
                return self.redirect(request.path)
            return super().post(request)
        form = RateFileForm(request.POST, request.FILES)
        token = clean_token(request.POST.get("form_token", ""))
        if not form.is_valid():
            return self.render_form(form, token=token, status=422)
        text = form.cleaned_data["file"]
        self.checked = read_rates(text)
        asking = CheckedFileForm(initial={"content": pack(text)})
        return self.render_form(asking, token=token)

    @cached_property
    def checked(self) -> RateFile | None:
        """The file that the page carried here; None if it carried none."""
        text = unpack(self.request.POST.get("content", ""))
        return read_rates(text) if text else None

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        is_checked = isinstance(form, CheckedFileForm) and self.checked is not None
        self.template_name = CHECK_TEMPLATE if is_checked else "_form_page.html"
        self.submit_label = _("Import") if is_checked else _("Check the file")
        return super().render_form(form, **kwargs)

    def form_context(self, form: Any) -> dict[str, Any]:
        file = self.checked
        if file is None:
            return {}
        counts = currencies.check_import(file)
        return {
            "rows": [
                {"label": _("New rates"), "value": counts.added},
                {"label": _("Rates that change"), "value": counts.changed},
                {"label": _("Rates that are there already"), "value": counts.same},
                {"label": _("Without a value (N/A)"), "value": file.empty},
                {
                    "label": _("Of currencies no longer in use: not imported"),
                    "value": file.left_out,
                    "help": ", ".join(file.old_currencies),
                },
                {"label": _("Not understood: not imported"), "value": file.wrong},
                {"label": _("Values in the file"), "value": file.values},
            ],
            "mistakes": file.errors,
            "refusal": ""
            if counts.added or counts.changed
            else _("There is nothing to import: every rate is there already.")
            if counts.same
            else _("There is nothing to import in this file."),
        }

    def save(self, form: forms.BaseForm) -> str:
        assert self.checked is not None
        self.counts = currencies.import_rates(file=self.checked, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: forms.BaseForm) -> str:
        written = self.counts.added + self.counts.changed
        return ngettext(
            "%(count)d rate imported.", "%(count)d rates imported.", written
        ) % {"count": written}
