"""The kernel's rows in the Django admin: all of them to look at only."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from portal.core.admin_base import ReadOnlyAdmin, ReadOnlyInline
from portal.core.models import (
    AuditChange,
    AuditEvent,
    EmailAttachment,
    OutgoingEmail,
    Session,
    StoredFile,
    Submission,
)


class AuditChangeInline(ReadOnlyInline):
    model = AuditChange
    fields = ("field", "old", "new")
    show_change_link = False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The portal's log: who did what, as whom, from where."""

    list_display = (
        "at",
        "action",
        "object_name",
        "person_name",
        "acting_as_name",
        "customer_name",
        "source_ip",
    )
    list_filter = (("at", admin.DateFieldListFilter),)
    # Names are searched where they are few: a log of years is not read through.
    related_search = ("customer", "person")
    search_fields = ("action__exact",)
    search_help_text = _("A customer, a person, or an action such as customer.locked.")
    inlines = (AuditChangeInline,)


@admin.register(AuditChange)
class AuditChangeAdmin(ReadOnlyAdmin):
    """The fields that changed, over all events."""

    list_display = ("event", "field", "old", "new")
    list_select_related = ("event",)
    ordering = ("-pk",)
    search_fields = ("field__exact",)
    search_help_text = _("The name of a field, such as credit_limit.")


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnlyAdmin):
    """Mails; the one-time link of one that is waiting is never shown."""

    list_display = (
        "created_at",
        "subject",
        "to",
        "customer",
        "kind",
        "status",
        "attempts",
        "sent_at",
    )
    list_display_links = ("subject",)
    list_filter = ("status", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("customer",)
    related_search = ("customer", "person")
    search_help_text = _("A customer, a person, a kind of mail or a whole address.")

    def search_condition(self, term: str) -> Q:
        return Q(kind=term) | Q(to__contains=[term])


@admin.register(EmailAttachment)
class EmailAttachmentAdmin(ReadOnlyAdmin):
    """Which files went with which mails."""

    list_display = ("name", "email")
    list_select_related = ("email",)
    ordering = ("-pk",)
    search_fields = ("name__exact",)
    search_help_text = _("The whole name of a file.")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    """Files that were made once; who may read one is said by what refers to it."""

    list_display = ("pk", "content_type", "created_at")
    list_filter = ("content_type",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("data")


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Who is signed in, with what. A row has no page: its key would let one in."""

    list_display = ("person", "source_ip", "user_agent", "created_at", "seen_at")
    list_display_links = None
    list_filter = (("seen_at", admin.DateFieldListFilter),)
    list_select_related = ("person",)
    ordering = ("-seen_at",)
    related_search = ("person",)
    actions = None

    def search_condition(self, term: str) -> Q:
        return Q(source_ip=term) if is_address(term) else Q()

    def change_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        raise Http404

    def history_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        raise Http404


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """Forms that were saved in the last two days, by the token each carried."""

    list_display = ("created_at", "person", "url")
    list_select_related = ("person",)
    ordering = ("-created_at",)
    related_search = ("person",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Django's own log of what was done on these pages."""

    list_display = ("action_time", "user", "action_flag", "content_type", "object_repr")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    date_hierarchy = "action_time"
    related_search = ("user",)
    search_fields = ("object_repr",)


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
