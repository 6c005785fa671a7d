"""Reports » Audit log: who did what, as whom, where, with old and new values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.audit_groups import Group, Page, page_of
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
from portal.core.display import format_moment, format_time
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.tables import PAGE_SIZE, Cell, Column, Empty, Row, Table
from portal.core.urls import row_id, with_query
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

    def table(self, queryset: QuerySet[AuditEvent], *, is_filtered: bool) -> Table:
        """Events of a run or a bank file as one line each, unless they are asked for."""
        table = super().table(queryset.none(), is_filtered=is_filtered)
        query = self.request.GET
        if any(query.get(name) for name in ("action", "span", "sort")):
            return super().table(queryset, is_filtered=is_filtered)
        after, before = (row_id(query.get(name, "")) for name in ("after", "before"))
        page = self.page(queryset, after=after, before=before)
        if not page.groups:
            # What stood there is gone: begin again.
            after = before = None
            page = self.page(queryset)
        if not page.groups:
            return table
        table.rows = self.rows(queryset, page)
        is_backwards = before is not None
        if page.has_more if is_backwards else after is not None:
            table.previous_url = self._page_url(before=page.newest)
        if is_backwards or page.has_more:
            table.next_url = self._page_url(after=page.oldest)
        return table

    def page(
        self,
        events: QuerySet[AuditEvent],
        *,
        after: int | None = None,
        before: int | None = None,
    ) -> Page:
        """The lines below the event ``after``, or above ``before``, or the newest."""
        if before is not None:
            return page_of(events.filter(pk__gt=before).order_by("pk"), size=PAGE_SIZE)
        if after is not None:
            events = events.filter(pk__lt=after)
        return page_of(events.order_by("-pk"), size=PAGE_SIZE)

    def _page_url(self, **place: int) -> str:
        query = self.request.GET.copy()
        for name in ("after", "before", "at"):
            query.pop(name, None)
        query.update({name: str(pk) for name, pk in place.items()})
        return f"?{query.urlencode()}"

    def rows(self, queryset: QuerySet[AuditEvent], page: Page) -> list[Row]:
        """The lines of a page, newest first."""
        alone: list[tuple[int, Group | None]] = []
        for group in page.groups:
            if group.is_told_as_one:
                alone.append((group.last.pk, group))
            else:
                alone += [(event.pk, None) for event in group.events]
        found = queryset.in_bulk([pk for pk, _group in alone])
        column = self.columns()[0]
        return [
            Row(
                pk=pk,
                label=str(found[pk]),
                url="",
                cells=[Cell(column, self.line(found[pk], group))],
            )
            for pk, group in sorted(alone, key=lambda line: -line[0])
            if pk in found
        ]

    def line(self, event: AuditEvent, group: Group | None) -> SafeString:
        return (
            self.event_item(event) if group is None else self.group_item(event, group)
        )

    def group_item(self, event: AuditEvent, group: Group) -> SafeString:
        """``event`` stands for its group, whose newest it is."""
        count = len(group.events)
        url = self.url("customers:audit-list")
        query = {"action": event.action, "span": str(group.span)}
        told = describe(event, reader=self.reader) | {
            "title": f"{action_label(event.action).title} × {number_format(count)}",
            "when": period_of(group.first.at, group.last.at),
            "place": event.customer_name
            if group.customers == 1
            else ngettext("%(count)s account", "%(count)s accounts", group.customers)
            % {"count": number_format(group.customers)},
            "changes": [],
            "more_url": f"{url}?{urlencode(query)}",
        }
        html = render_to_string("_components/timeline_item.html", {"event": told})
        return mark_safe(html)

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


def period_of(first: datetime, last: datetime) -> str:
    """From when to when, the day of the end only if it is another."""
    begin = format_moment(first)
    if format_moment(last) == begin:
        return begin
    is_same_day = localtime(first).date() == localtime(last).date()
    end = format_time(last) if is_same_day else format_moment(last)
    return f"{begin} – {end}"


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
