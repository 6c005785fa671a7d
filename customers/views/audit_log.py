"""Reports » Audit log: who did what, as whom, where, with old and new values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from customers.audit_labels import (
    action_label,
    changes_of,
    describe,
    is_person_known,
    object_type_label,
    who_label,
)
from customers.filters.reports import EventFilter
from customers.models import Customer
from customers.visibility import visible_events
from portal.core.csv import stream_csv
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.tables import Column, Empty
from portal.core.urls import with_query
from portal.core.views import ListPage


class AuditLog(ListPage):
    permission = Permission.AUDIT
    template_name = "customers/audit_list.html"
    part_template = "customers/_audit_region.html"
    table_id = "events"
    default_sort = "-time"
    filterset_class = EventFilter

    def title(self) -> str:
        return _("Audit log")

    @property
    def reader(self) -> Customer:
        """The own account of who signed in: what is above it stays unknown."""
        own: Customer = self.request.reach.own
        return own

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return (
            visible_events(self.actor, reader=self.reader)
            .select_related("person__customer")
            .prefetch_related("changes")
        )

    def columns(self) -> Sequence[Column]:
        # The template tells events in a timeline: one cell holds all of it.
        return (Column("time", _("Event"), self.event_item, sort="id"),)

    def event_item(self, event: AuditEvent) -> SafeString:
        told = describe(event, reader=self.reader) | {"place": event.customer_name}
        html = render_to_string("_components/timeline_item.html", {"event": told})
        return mark_safe(html)

    def row_url(self, row: AuditEvent) -> str:
        return ""

    def page_actions(self) -> Sequence[dict[str, str]]:
        url = self.url("customers:audit-export")
        return (
            {
                "label": _("Export CSV"),
                "url": with_query(url, self.request.GET),
                "icon": "download",
                "follows": "filters",
            },
        )

    def empty(self) -> Empty:
        return Empty(
            icon="scroll-text",
            title=_("Nothing has been changed yet"),
            text=_("Whatever is made, changed or deleted here is written down."),
        )


class AuditExport(AuditLog):
    """The log as it is filtered, as CSV: one line for each value that changed."""

    def get(self, request: Any) -> HttpResponseBase:
        filterset = self.filterset_class(
            request.GET, queryset=self.get_queryset(), request=request
        )
        header = [
            _("Time"),
            _("Person"),
            _("Acting as"),
            _("Source address"),
            _("Customer"),
            _("Action"),
            _("Kind of object"),
            _("Object"),
            _("Field"),
            _("Old value"),
            _("New value"),
        ]
        events = filterset.qs.order_by("-pk")
        return stream_csv("audit-log.csv", header, export_rows(events, self.reader))


def export_rows(
    events: QuerySet[AuditEvent], reader: Customer
) -> Iterator[Sequence[object]]:
    for event in events.iterator(chunk_size=1000):
        about = (
            event.at,
            who_label(event, reader=reader),
            event.acting_as_name,
            event.source_ip if is_person_known(event, reader=reader) else "",
            event.customer_name,
            action_label(event.action).title,
            object_type_label(event.object_type),
            event.object_name,
        )
        nothing = [{"label": "", "old": "", "new": ""}]
        for change in changes_of(event, reader=reader, is_whole=True) or nothing:
            yield (*about, change["label"], change["old"], change["new"])
