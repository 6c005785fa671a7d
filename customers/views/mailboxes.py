"""Features » Mailboxes: voice messages of the account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.services.quotes import Wish
from customers.filters.features import MailboxFilter
from customers.forms.mailboxes import MailboxForm
from customers.models import Mailbox
from customers.price_box import refund_consequences
from customers.services import mailboxes
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
from portal.core.tables import Column, Empty
from portal.core.views import PortalView
from portal.templatetags.portal import telephone
from rateplans.choices import Feature

LIST = "customers:mailbox-list"
EDIT = "customers:mailbox-edit"


class MailboxList(FeatureList):
    feature = Feature.MAILBOX
    create_name = "customers:mailbox-create"
    table_id = "mailboxes"
    default_sort = "name"
    filterset_class = MailboxFilter

    def title(self) -> str:
        return _("Mailboxes")

    def get_queryset(self) -> QuerySet[Mailbox]:
        return Mailbox.objects.filter(customer=self.actor.customer.pk)

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), lambda box: box.name, sort="name", narrow=True),
            Column(
                "box_number",
                _("Mailbox number"),
                lambda box: format_html("<bdi>{}</bdi>", box.box_number),
                sort="box_number",
                narrow=True,
            ),
            Column("emails", _("E-mail for new messages"), lambda box: box.emails),
            Column("mailing", _("What is mailed"), mailing_cell),
            Column("status", _("Status"), status_cell, narrow=True),
        )

    def row_url(self, row: Mailbox) -> str:
        if not self.actor.can(Permission.ADMINISTRATOR):
            return ""
        return self.url(EDIT, pk=row.pk)

    def empty(self) -> Empty:
        return Empty(
            icon="voicemail",
            title=_("No mailbox yet"),
            text=_("A mailbox takes messages when nobody answers, and mails them."),
            action_url=self.create_url(),
            action_label=_("Add the first mailbox"),
        )


def mailing_cell(mailbox: Mailbox) -> str:
    if not mailbox.emails:
        return ""
    if not mailbox.is_audio_attached:
        return _("A notice")
    if mailbox.is_deleted_after_mail:
        return _("The recording, then deleted")
    return _("The recording")


def status_cell(mailbox: Mailbox) -> SafeString:
    if mailbox.is_enabled:
        return pill("success", _("Enabled"))
    return pill("neutral", _("Not enabled"), "circle-slash")


class MailboxFormPage(FeatureFormPage):
    list_title = gettext_lazy("Mailboxes")
    list_url = LIST


class MailboxCreate(PricedForm, MailboxFormPage):
    focuses_first = True

    def wishes(self) -> Sequence[Wish]:
        return [Wish(Feature.MAILBOX)]

    def title(self) -> str:
        return _("New mailbox")

    def build_form(self, data: Any = None, files: Any = None) -> MailboxForm:
        initial = {
            "box_number": mailboxes.propose_box_number(account_of(self)),
            "is_audio_attached": True,
            "is_enabled": True,
        }
        return MailboxForm(data, initial=initial)

    def save(self, form: MailboxForm) -> str:
        mailbox, pin = mailboxes.create_mailbox(
            customer=account_of(self),
            values=form.values(),
            price_seen=self.price_seen(),
            by=self.actor,
        )
        show_pin(self, mailbox, pin)
        return self.url(EDIT, pk=mailbox.pk)

    def success_message(self, form: MailboxForm) -> str:
        return _("The mailbox is ready.")


class MailboxEdit(FeatureEditPage, MailboxFormPage):
    model = Mailbox
    state_fields = mailboxes.FIELDS

    def title(self) -> str:
        return str(self.row)

    def build_form(self, data: Any = None, files: Any = None) -> MailboxForm:
        return MailboxForm(
            data,
            initial=self.initial(),
            is_customers_own=mailboxes.is_customers_own(self.row),
        )

    def save(self, form: MailboxForm) -> str:
        mailboxes.update_mailbox(
            mailbox=self.row,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
        return self.url(LIST)

    def form_context(self, form: Any) -> dict[str, Any]:
        return {
            "secrets": take_shown_once(self.request, f"mailbox:{self.row.pk}"),
            "leads_title": _("Unanswered calls come from"),
            "leads": self.leads(),
            "steps": list(self.steps()),
        }

    def leads(self) -> list[dict[str, str]]:
        """The numbers and lines whose unanswered calls end here."""
        numbers = [
            {
                "label": telephone(number.number),
                "detail": number.description,
                "url": self.url("customers:number-edit", pk=number.pk),
            }
            for number in self.row.numbers.order_by("number")
        ]
        lines = [
            {
                "label": line.name,
                "detail": _("Telephone line"),
                "url": self.url("customers:line-edit", pk=line.pk),
            }
            for line in self.row.lines.order_by("name")
        ]
        return numbers + lines

    def steps(self) -> Sequence[dict[str, Any]]:
        delete: dict[str, Any] = {
            "title": _("Delete"),
            "text": _("Its messages are lost; unanswered calls just ring out."),
            "icon": "trash-2",
            "label": _("Delete"),
            "url": self.url("customers:mailbox-delete", pk=self.row.pk),
            "is_danger": True,
        }
        if mailboxes.is_customers_own(self.row):
            delete = {
                "title": _("Cannot be deleted"),
                "text": _(
                    "The residential customer consists of this mailbox. Disable it"
                    " instead."
                ),
                "icon": "info",
            }
        return (
            {
                "title": _("PIN"),
                "text": _("For a PIN that was forgotten, or that got about."),
                "icon": "key-round",
                "label": _("Renew PIN"),
                "url": self.url("customers:mailbox-renew-pin", pk=self.row.pk),
            },
            delete,
        )


def show_pin(view: PortalView, mailbox: Mailbox, pin: str) -> None:
    """Show the PIN on the mailbox's page, once."""
    show_once(view.request, f"mailbox:{mailbox.pk}", {_("Mailbox PIN"): pin})


class MailboxConfirm(FeatureConfirmPage):
    model = Mailbox
    list_title = gettext_lazy("Mailboxes")
    list_url = LIST
    edit_url = EDIT


class MailboxRenewPin(MailboxConfirm):
    submit_label = gettext_lazy("Renew PIN")

    def title(self) -> str:
        return _("Renew the PIN of %(name)s") % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        return (
            _("The present PIN opens the mailbox no more."),
            _("The new one is shown once, on the next page."),
        )

    def save(self, form: forms.BaseForm) -> str:
        show_pin(self, self.row, mailboxes.renew_pin(mailbox=self.row, by=self.actor))
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return _("The PIN is renewed.")


class MailboxDelete(MailboxConfirm):
    submit_label = gettext_lazy("Delete")

    def title(self) -> str:
        return _("Delete %(name)s") % {"name": self.row}

    def consequences(self) -> Sequence[str]:
        return (
            _("The messages in it are lost."),
            _("Lines and numbers that led here lead to no mailbox any more."),
            *refund_consequences(account_of(self), mailboxes.billed(self.row)),
        )

    def refusal(self) -> str:
        if mailboxes.is_customers_own(self.row):
            return _("The residential customer consists of this mailbox.")
        return ""

    def save(self, form: forms.BaseForm) -> str:
        mailboxes.delete_mailbox(mailbox=self.row, by=self.actor)
        return self.url(LIST)

    def success_message(self, form: Any) -> str:
        return _("Deleted.")
