"""Reports » E-mails: what was sent to whom, and how far it came."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from email.header import decode_header, make_header
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_deny

from customers.filters.reports import EmailFilter
from customers.services import outgoing
from customers.views.mail_parts import (
    explain,
    kind_label,
    mail_pill,
    mail_tone,
)
from customers.visibility import may_see_link, visible_emails
from portal.core.display import format_moment
from portal.core.mail import LINK_MARKER, LOGO_ID, with_link
from portal.core.models import EmailAttachment, OutgoingEmail
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, ListPage, PortalView

LIST = "customers:email-list"
# The mail's own styles and pictures, and nothing that runs, loads, submits or opens.
PREVIEW_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class EmailList(ListPage):
    permission = Permission.REPORTS
    table_id = "emails"
    default_sort = "-time"
    filterset_class = EmailFilter

    def title(self) -> str:
        return _("E-mails")

    def get_queryset(self) -> QuerySet[OutgoingEmail]:
        return (
            visible_emails(self.actor)
            .select_related("customer")
            .defer("text", "html", "logo", "secret")
        )

    def columns(self) -> Sequence[Column]:
        return (
            Column("subject", _("Subject"), lambda email: email.subject, narrow=True),
            Column("to", _("To"), recipients_cell, narrow=True),
            Column("customer", _("Customer"), lambda email: email.customer.name),
            Column("kind", _("Kind"), kind_label),
            Column(
                "time",
                _("Written"),
                lambda email: format_moment(email.created_at),
                sort="id",
            ),
            Column("status", _("Status"), mail_pill, narrow=True),
        )

    def row_url(self, row: OutgoingEmail) -> str:
        return self.url("customers:email-detail", pk=row.pk)

    def empty(self) -> Empty:
        return Empty(
            icon="mails",
            title=_("No e-mail yet"),
            text=_(
                "Every mail the portal writes to people here is listed, with its state."
            ),
        )


def recipients_cell(email: OutgoingEmail) -> SafeString:
    more = len(email.to) - 1
    text = f"{email.to[0]} +{more}" if more > 0 else ", ".join(email.to)
    return format_html("<bdi>{}</bdi>", text)


class EmailPage(PortalView):
    """Base of the pages about one mail; those that are not the reader's answer 404."""

    permission = Permission.REPORTS

    @cached_property
    def email(self) -> OutgoingEmail:
        emails = visible_emails(self.actor).select_related("customer", "person__role")
        return get_object_or_404(emails, pk=self.kwargs["pk"])

    def title(self) -> str:
        return self.email.subject

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("E-mails"), self.url(LIST))]


class EmailDetail(EmailPage):
    """Text, state and attempts of one mail; its link for who must hand it over."""

    def get(self, request: Any, pk: int) -> HttpResponse:
        email = self.email
        shows_link = may_see_link(email, self.actor)
        refusal = outgoing.refusal(email)
        may_resend = self.actor.can(Permission.ADMINISTRATOR)
        context = self.page_context(
            email=email,
            state={
                "kind": mail_tone(email),
                "title": email.get_status_display(),
                "detail": explain(email),
                "action_url": self.url("customers:email-resend", pk=pk)
                if may_resend and not refusal
                else "",
                "action_label": _("Send again") if email.sent_at else _("Send now"),
                "action_icon": "send",
            },
            refusal=refusal if may_resend else "",
            facts=self.facts(),
            text=readable_text(email, shows_link=shows_link),
            shows_link=shows_link,
            html_url=self.url("customers:email-html", pk=pk) if email.html else "",
            files=self.files(),
        )
        response = render(request, "customers/email_detail.html", context)
        if shows_link:
            response["Cache-Control"] = "private, no-store"
        return response

    def facts(self) -> list[dict[str, Any]]:
        email = self.email
        copies = (
            [{"label": _("Copy to"), "value": ", ".join(email.copy_to)}]
            if email.copy_to
            else []
        )
        return [
            {"label": _("To"), "value": ", ".join(email.to)},
            *copies,
            {
                "label": _("From"),
                "value": str(make_header(decode_header(email.sender))),
            },
            {"label": _("Reply to"), "value": email.reply_to},
            {"label": _("Customer"), "value": email.customer.name},
            {"label": _("Kind"), "value": kind_label(email)},
            {"label": _("Written"), "value": format_moment(email.created_at)},
            {"label": _("Attempts"), "value": email.attempts},
            {"label": _("Answer of the mail server"), "value": email.error},
        ]

    def files(self) -> list[dict[str, Any]]:
        """What goes with it: names, bytes, and where to have them."""
        rows = EmailAttachment.objects.filter(email=self.email).annotate(
            bytes=Func(
                F("file__data"), function="octet_length", output_field=IntegerField()
            )
        )
        return [
            {
                "name": name,
                "bytes": size,
                "url": self.url("customers:email-file", pk=self.email.pk, file=pk),
            }
            for pk, name, size in rows.values_list("pk", "name", "bytes")
        ]


class EmailFile(EmailPage):
    """A file that went with a mail, for whoever may read the mail."""

    def get(self, request: Any, pk: int, file: int) -> HttpResponse:
        rows = EmailAttachment.objects.filter(email=self.email).select_related("file")
        found = get_object_or_404(rows, pk=file)
        return HttpResponse(
            bytes(found.file.data),
            content_type=found.file.content_type,
            headers={
                "Content-Disposition": content_disposition_header(True, found.name)
                or "",
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )


class EmailHtml(EmailPage):
    """The mail as its reader sees it: a page of its own, on which nothing can run."""

    def get(self, request: Any, pk: int) -> HttpResponseBase:
        return xframe_options_deny(self.preview)(request)

    def preview(self, request: Any) -> HttpResponse:
        if not self.email.html:
            raise Http404
        html = readable_html(
            self.email, shows_link=may_see_link(self.email, self.actor)
        )
        headers = {
            "Content-Security-Policy": PREVIEW_POLICY,
            "Cache-Control": "private, no-store",
        }
        return HttpResponse(html, headers=headers)


class EmailResend(EmailPage):
    """POST: send the mail again, with a fresh link if it had one."""

    permission = Permission.ADMINISTRATOR
    http_method_names = ["post"]

    def post(self, request: Any, pk: int) -> HttpResponseBase:
        self.actor.require(Permission.REPORTS)
        email = self.email
        try:
            email = outgoing.resend(email=email, by=self.actor)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            to = ", ".join(email.to)
            messages.success(request, _("Written again, to %(to)s.") % {"to": to})
        return self.redirect(self.url("customers:email-detail", pk=email.pk))


def readable_text(email: OutgoingEmail, *, shows_link: bool) -> str:
    """The text part, with the one-time link or with words in its place."""
    if shows_link:
        return with_link(email.text, email)
    return email.text.replace(LINK_MARKER, hidden_link())


def readable_html(email: OutgoingEmail, *, shows_link: bool) -> str:
    """The HTML part with its logo inside, and the link as in `readable_text`."""
    html = email.html
    if email.logo:
        logo = base64.b64encode(bytes(email.logo)).decode()
        html = html.replace(f"cid:{LOGO_ID}", f"data:image/png;base64,{logo}")
    if shows_link:
        return with_link(html, email, is_html=True)
    html = html.replace(f'href="{LINK_MARKER}"', 'href="#"')
    return html.replace(LINK_MARKER, hidden_link())


def hidden_link() -> str:
    return _("[one-time link, for the recipient only]")
