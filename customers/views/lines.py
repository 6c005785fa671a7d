"""Features » Telephone lines: the SIP accounts of the account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponseBase
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.services.quotes import Wish
from customers.filters.features import LineFilter
from customers.forms.lines import LineForm
from customers.models import DialPlan, Mailbox, Number, TelephoneLine
from customers.price_box import refund_consequences
from customers.services import lines
from customers.views.features import (
    FeatureConfirmPage,
    FeatureEditPage,
    FeatureFormPage,
    FeatureList,
    account_of,
)
from customers.views.parts import pill
from customers.views.prices import PricedForm
from portal.core.permissions import Permission
from portal.core.reveal import show_once, take_shown_once
from portal.core.tables import PAGE_SIZE, BulkAction, Column, Empty
from portal.core.urls import row_id
from portal.core.views import PortalView
from portal.templatetags.portal import telephone
from rateplans.choices import Feature

LIST = "customers:line-list"
EDIT = "customers:line-edit"
ENABLE, DISABLE = "enable", "disable"


class LineList(FeatureList):
    feature = Feature.LINE
    create_name = "customers:line-create"
    table_id = "lines"
    default_sort = "name"
    filterset_class = LineFilter

    def title(self) -> str:
        return _("Telephone lines")

    def get_queryset(self) -> QuerySet[TelephoneLine]:
        numbers = Number.objects.order_by("number")
        return (
            TelephoneLine.objects.filter(customer=self.actor.customer.pk)
            .select_related("mailbox")
            .prefetch_related(Prefetch("numbers", queryset=numbers))
        )

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda line: line.name, sort="name", narrow=True),
            Column("username", _("SIP user name"), username_cell, sort="username"),
            Column(
                "extension",
                _("Extension"),
                lambda line: line.extension,
                sort="extension",
                narrow=True,
            ),
            Column("numbers", _("Numbers"), numbers_cell, narrow=True),
            Column("callerid", _("Caller id"), lambda line: telephone(line.callerid)),
            Column(
                "mailbox",
                _("Mailbox"),
                lambda line: line.mailbox.name if line.mailbox else "",
            ),
            Column("status", _("Status"), status_cell, narrow=True),
        )

    def row_url(self, row: TelephoneLine) -> str:
        if not self.actor.can(Permission.ADMINISTRATOR):
            return ""
        return self.url(EDIT, pk=row.pk)

    def empty(self) -> Empty:
        return Empty(
            icon="phone",
            title=_("No telephone line yet"),
            text=_(
                "A line is what a telephone or an app registers with, to make calls."
            ),
            action_url=self.create_url(),
            action_label=_("Add the first line"),
        )

    def bulk_actions(self) -> Sequence[BulkAction]:
        if not self.actor.can(Permission.ADMINISTRATOR):
            return ()
        return (
            BulkAction(ENABLE, _("Enable"), "phone"),
            BulkAction(
                DISABLE,
                _("Disable"),
                "phone-off",
                confirm=_(
                    "The ticked lines neither make nor take calls until enabled."
                ),
                danger=True,
            ),
        )

    def bulk_url(self) -> str:
        return self.url("customers:line-bulk")


def username_cell(line: TelephoneLine) -> SafeString:
    return format_html('<bdi class="font-monospace">{}</bdi>', line.username)


def numbers_cell(line: TelephoneLine) -> SafeString:
    shown = [(telephone(number.number),) for number in line.numbers.all()[:3]]
    more = len(line.numbers.all()) - len(shown)
    cell = format_html_join(", ", '<bdi class="text-nowrap">{}</bdi>', shown)
    return format_html("{} +{}", cell, more) if more else cell


def status_cell(line: TelephoneLine) -> SafeString:
    if line.is_enabled:
        return pill("success", _("Enabled"))
    return pill("neutral", _("Not enabled"), "phone-off")


class LineFormPage(FeatureFormPage):
    list_title = gettext_lazy("Telephone lines")
    list_url = LIST

    def choices(self) -> dict[str, Any]:
        """What may be chosen: the account's own rows only."""
        account = account_of(self)
        return {
            "account": account,
            "numbers": Number.objects.filter(customer=account),
            "mailboxes": Mailbox.objects.filter(customer=account),
            "dial_plans": DialPlan.objects.all(),
        }


class LineCreate(PricedForm, LineFormPage):
    focuses_first = True

    def wishes(self) -> Sequence[Wish]:
        return [Wish(Feature.LINE)]

    def title(self) -> str:
        return _("New telephone line")

    def build_form(self, data: Any = None, files: Any = None) -> LineForm:
        initial = {
            "username": lines.propose_username(account_of(self)),
            "is_external_allowed": lines.may_call_out(account_of(self)),
            "is_enabled": True,
        }
        return LineForm(data, initial=initial, **self.choices())

    def save(self, form: LineForm) -> str:
        line, password = lines.create_line(
            customer=account_of(self),
            values=form.values(),
            price_seen=self.price_seen(),
            by=self.actor,
        )
        show_password(self, line, password)
        return self.url(EDIT, pk=line.pk)

    def success_message(self, form: LineForm) -> str:
        return _("The line is ready: enter its data into the telephone.")


class LineEdit(FeatureEditPage, LineFormPage):
    model = TelephoneLine
    state_fields = lines.FIELDS

    def title(self) -> str:
        return str(self.row)

    def build_form(self, data: Any = None, files: Any = None) -> LineForm:
        return LineForm(
            data,
            initial=self.initial(),
            is_customers_own=lines.is_customers_own(self.row),
            **self.choices(),
        )

    def save(self, form: LineForm) -> str:
        lines.update_line(
            line=self.row,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.url(LIST)

    def form_context(self, form: Any) -> dict[str, Any]:
        line = self.row
        return {
            "secrets": take_shown_once(self.request, f"line:{line.pk}"),
            "setup": [
                {
                    "id": "sip-server",
                    "label": _("Server"),
                    "value": settings.SIP_SERVER,
                },
                {"id": "sip-user", "label": _("User name"), "value": line.username},
            ],
            "leads_title": _("Numbers that ring here"),
            "leads": [
                {
                    "label": telephone(number.number),
                    "detail": number.description,
                    "url": self.url("customers:number-edit", pk=number.pk),
                }
                for number in line.numbers.order_by("number")
            ],
            "steps": list(self.steps()),
        }

    def steps(self) -> Sequence[dict[str, Any]]:
        delete: dict[str, Any] = {
            "title": _("Delete"),
            "text": _("The telephone stops working; its numbers ring nowhere."),
            "icon": "trash-2",
            "label": _("Delete"),
            "url": self.url("customers:line-delete", pk=self.row.pk),
            "is_danger": True,
        }
        if lines.is_customers_own(self.row):
            delete = {
                "title": _("Cannot be deleted"),
                "text": _(
                    "The residential customer consists of this line. Disable it"
                    " instead."
                ),
                "icon": "info",
            }
        return (
            {
                "title": _("Password"),
                "text": _(
                    "For a telephone that was lost, or a password that got about."
                ),
                "icon": "key-round",
                "label": _("Renew password"),
                "url": self.url("customers:line-renew-password", pk=self.row.pk),
            },
            delete,
        )


def show_password(view: PortalView, line: TelephoneLine, password: str) -> None:
    """Show the password on the line's page, once."""
    show_once(view.request, f"line:{line.pk}", {_("SIP password"): password})


class LineConfirm(FeatureConfirmPage):
    model = TelephoneLine
    list_title = gettext_lazy("Telephone lines")
    list_url = LIST
    edit_url = EDIT


class LineRenewPassword(LineConfirm):
    submit_label = gettext_lazy("Renew password")

    def title(self) -> str:
        return _("Renew the password of %(name)s") % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        return (
            _("The present password stops working: the telephone cannot register."),
            _("The new one is shown once, on the next page. Enter it there."),
        )

    def save(self, form: forms.BaseForm) -> str:
        password = lines.renew_password(line=self.row, by=self.actor)
        show_password(self, self.row, password)
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return _("The password is renewed.")


class LineDelete(LineConfirm):
    submit_label = gettext_lazy("Delete")

    def title(self) -> str:
        return _("Delete %(name)s") % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        ringing = self.row.numbers.count()
        numbers = ngettext(
            "%(count)d number rings here; it stays yours and rings nowhere.",
            "%(count)d numbers ring here; they stay yours and ring nowhere.",
            ringing,
        ) % {"count": ringing}
        return (
            _("The telephone is cut off at once, and its password is lost."),
            *([numbers] if ringing else []),
            *refund_consequences(account_of(self), lines.billed(self.row)),
        )

    def refusal(self) -> str:
        if lines.is_customers_own(self.row):
            return _("The residential customer consists of this line.")
        return ""

    def save(self, form: forms.BaseForm) -> str:
        lines.delete_line(line=self.row, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: Any) -> str:
        return _("Deleted.")


class LineBulk(PortalView):
    """POST: enable or disable the ticked lines; ids of other accounts do nothing."""

    permission = Permission.ADMINISTRATOR
    http_method_names = ["post"]

    def post(self, request: Any) -> HttpResponseBase:
        action = request.POST.get("action", "")
        if action not in {ENABLE, DISABLE}:
            raise Http404
        changed = lines.set_enabled(
            customer=account_of(self),
            line_ids=row_ids(request),
            is_enabled=action == ENABLE,
            by=self.actor,
        )
        text = ngettext("%(count)d line changed.", "%(count)d lines changed.", changed)
        messages.success(request, text % {"count": changed})
        return self.redirect(self.url(LIST))


def row_ids(request: Any) -> list[int]:
    """The ticked rows of one page; what is no id is left out."""
    ids = map(row_id, request.POST.getlist("row")[:PAGE_SIZE])
    return [pk for pk in ids if pk is not None]
