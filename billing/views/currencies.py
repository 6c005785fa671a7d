"""Commerce » Exchange rates: everybody reads them, the system owner enters them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.filters import RateFilter
from billing.forms.currencies import RateFileForm, RateForm
from billing.models import ExchangeRate
from billing.services import currencies
from billing.services.rate_file import RateFile, read_rates
from portal.core.display import format_day
from portal.core.forms import PortalForm
from portal.core.money import CURRENCIES, currency_name, plain_amount
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.views import ConfirmPage, Crumb, FormPage, ListPage

LIST = "billing:rate-list"
KEPT_FOR = 3600  # seconds between the check of a file and its import


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
        day = _day(self.request.GET.get("on", ""))
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


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None


class RateImport(RatePage):
    """Takes a file and leads to what it holds; nothing is written yet."""

    submit_label = gettext_lazy("Check the file")

    def title(self) -> str:
        return _("Import exchange rates")

    def build_form(self, data: Any = None, files: Any = None) -> RateFileForm:
        return RateFileForm(data, files)

    def save(self, form: RateFileForm) -> str:
        token = uuid4()
        cache.set(_key(self, token), form.cleaned_data["file"], KEPT_FOR)
        return f"{self.url('billing:rate-import-check')}?file={token}"

    def success_message(self, form: RateFileForm) -> str:
        return _("The file is checked. Nothing is imported yet.")


def _key(view: FormPage, token: UUID) -> str:
    """Where the file waits: nobody else's import finds it."""
    return f"rate-file:{view.request.user.pk}:{token}"


class RateImportCheck(ConfirmPage, RatePage):
    """What a file would change, and its mistakes; then imports what is right in it."""

    template_name = "billing/rate_import_check.html"
    submit_label = gettext_lazy("Import")
    is_danger = False

    def title(self) -> str:
        return _("Import exchange rates")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.actor.require(self.permission)
        if self.file is None:
            messages.warning(request, _("Choose the file once more."))
            return redirect(self.url("billing:rate-import"))
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def file(self) -> RateFile | None:
        try:
            token = UUID(self.request.GET.get("file", ""))
        except ValueError:
            return None
        text = cache.get(_key(self, token))
        return read_rates(text) if text else None

    def build_form(self, data: Any = None, files: Any = None) -> forms.BaseForm:
        return PortalForm(data)

    def form_context(self, form: Any) -> dict[str, Any]:
        file = self.file
        assert file is not None
        counts = currencies.check_import(file)
        return super().form_context(form) | {
            "rows": [
                {"label": _("New rates"), "value": counts.added},
                {"label": _("Rates that change"), "value": counts.changed},
                {"label": _("Rates that are there already"), "value": counts.same},
                {"label": _("Without a value (N/A)"), "value": file.empty},
                {
                    "label": _("Of currencies no longer in use: left out"),
                    "value": file.left_out,
                    "help": ", ".join(file.old_currencies),
                },
                {"label": _("Wrong: left out"), "value": file.wrong},
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
        assert self.file is not None
        self.counts = currencies.import_rates(file=self.file, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: forms.BaseForm) -> str:
        written = self.counts.added + self.counts.changed
        return ngettext(
            "%(count)d rate imported.", "%(count)d rates imported.", written
        ) % {"count": written}
