"""The table every list page is made of: columns, keyset pages, an empty state.

Pages are cut by "rows after this one" in the order shown, never by counting rows away, so the
last page of a million costs what the first does. Counts stop at `COUNT_LIMIT`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, reduce
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.core.display import whole_dates
from portal.core.urls import row_id

PAGE_SIZE = 50
COUNT_LIMIT = 1000


@dataclass(frozen=True)
class Column:
    """One column. ``render`` gives the cell's text (escaped) or safe HTML.

    ``sort`` is the path of the field it sorts by, empty if it cannot; the field must not be
    nullable. ``narrow`` columns stay on a telephone's screen; those ``in_cards`` come back
    there, where each row is a card with room for them, unless they are empty.
    """

    key: str
    label: str
    render: Callable[[Any], str]
    sort: str = ""
    align: str = "start"
    narrow: bool = False
    in_cards: bool = False

    @cached_property
    def cell_tag(self) -> SafeString:
        """What its cells begin with, made once for all rows."""
        classes = [f"align-{self.align}"]
        if not self.narrow:
            classes.append("is-wide")
        if self.in_cards:
            classes.append("in-cards")
        if not self.label:
            classes.append("is-actions")
        return format_html(
            '<td class="{}" role="cell" data-label="{}">', " ".join(classes), self.label
        )


@dataclass(frozen=True, slots=True)
class BulkAction:
    """A button over the ticked rows; posts ``action=<name>`` and ``row`` ids.

    A download leaves the page as it is, so it may be pressed again.
    """

    name: str
    label: str
    icon: str
    confirm: str = ""
    danger: bool = False
    is_download: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """What stands where rows would: an invitation, or "nothing matches"."""

    title: str
    text: str
    icon: str = "inbox"
    action_url: str = ""
    action_label: str = ""
    filtered: bool = False
    clear_url: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    column: Column
    html: SafeString


@dataclass(frozen=True, slots=True)
class Row:
    pk: int
    label: str
    url: str
    cells: list[Cell]
    selectable: bool = True

    @property
    def heading(self) -> SafeString:
        """The first cell, which says what the row is about."""
        return whole_dates(self.cells[0].html)

    @property
    def other_cells(self) -> SafeString:
        """All but the heading. Not left to the template, for which hundreds are much."""
        cells = (
            (cell.column.cell_tag, whole_dates(cell.html)) for cell in self.cells[1:]
        )
        return format_html_join("\n", "{}{}</td>", cells)

    @property
    def tick_label(self) -> str:
        return _("Tick %(name)s") % {"name": self.label}


@dataclass(frozen=True, slots=True)
class Heading:
    """A column as the page shows it, with its sort link."""

    key: str
    label: str
    align: str
    narrow: bool
    sort_url: str
    sorted: str


@dataclass(slots=True)
class Table:
    id: str
    caption: str
    columns: list[Heading]
    rows: list[Row]
    empty: Empty
    count_text: str = ""
    previous_url: str = ""
    next_url: str = ""
    bulk_url: str = ""
    bulk_actions: Sequence[BulkAction] = field(default_factory=tuple)

    @property
    def selectable(self) -> bool:
        return bool(self.bulk_actions and self.rows)


def build_table(
    request: HttpRequest,
    queryset: QuerySet[Any],
    columns: Sequence[Column],
    *,
    id: str,  # noqa: A002 - the name of the HTML attribute it becomes
    caption: str,
    default_sort: str,
    row_url: Callable[[Any], str],
    empty: Empty,
    bulk_actions: Sequence[BulkAction] = (),
    bulk_url: str = "",
    page_size: int = PAGE_SIZE,
) -> Table:
    """The page of ``queryset`` that the request's ``sort``, ``after`` and ``before`` ask for.

    ``sort`` is a column's key, with a leading "-" for descending. A wrong sort or cursor
    gives the first page in the default order, and so does one behind the last row.
    """
    order = request.GET.get("sort", "")
    sortable = {column.key: column for column in columns if column.sort}
    if order.removeprefix("-") not in sortable:
        order = default_sort
    column, descending = sortable[order.removeprefix("-")], order.startswith("-")
    page = _page(
        queryset,
        column.sort,
        descending=descending,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        position=request.GET.get("at", ""),
        size=page_size,
    )
    return Table(
        id=id,
        caption=caption,
        columns=[_heading(request.GET, each, order) for each in columns],
        rows=[
            Row(
                pk=row.pk,
                label=str(row),
                url=row_url(row),
                cells=[
                    Cell(each, conditional_escape(each.render(row))) for each in columns
                ],
            )
            for row in page.rows
        ],
        empty=empty,
        count_text=_count_text(page) if page.rows else "",
        previous_url=_url(request.GET, before=page.before, at=page.start - page_size)
        if page.before
        else "",
        next_url=_url(request.GET, after=page.after, at=page.start + page_size)
        if page.after
        else "",
        bulk_actions=bulk_actions,
        bulk_url=bulk_url,
    )


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    before: str  # cursor of the page before; empty if there is none
    after: str
    start: int  # number of rows above, as far as the links told
    total: int  # rows in all, at most COUNT_LIMIT + 1


def _page(
    queryset: QuerySet[Any],
    path: str,
    *,
    descending: bool,
    after: str,
    before: str,
    position: str,
    size: int,
) -> _Page:
    cursor = _decode(queryset.model, path, before or after)
    backwards = bool(before) and cursor is not None
    reverse = descending != backwards
    prefix = "-" if reverse else ""
    rows_query = queryset.order_by(f"{prefix}{path}", f"{prefix}pk")
    if cursor:
        rows_query = rows_query.filter(_beyond(path, cursor, less=reverse))
    rows = list(rows_query[: size + 1])
    if cursor and not rows:
        # What stood there is gone: begin again instead of showing an end without a way.
        return _page(
            queryset,
            path,
            descending=descending,
            after="",
            before="",
            position="",
            size=size,
        )
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    start = row_id(position) or 0 if cursor else 0
    has_before = more if backwards else bool(cursor)
    has_after = bool(cursor) if backwards else more
    return _Page(
        rows=rows,
        before=_encode(rows[0], path) if rows and has_before else "",
        after=_encode(rows[-1], path) if rows and has_after else "",
        start=start if has_before else 0,
        total=_bounded_count(queryset),
    )


def _beyond(path: str, cursor: tuple[Any, int], *, less: bool) -> Q:
    value, pk = cursor
    beyond, bound = ("lt", "lte") if less else ("gt", "gte")
    # The bound says the same once more, as a range that the index can start from.
    return Q(**{f"{path}__{bound}": value}) & (
        Q(**{f"{path}__{beyond}": value}) | Q(**{f"pk__{beyond}": pk})
    )


def _bounded_count(queryset: QuerySet[Any]) -> int:
    return queryset.order_by().values("pk")[: COUNT_LIMIT + 1].count()


def _encode(row: models.Model, path: str) -> str:
    value: Any = reduce(getattr, path.split("__"), row)
    # Moments whole: Django's encoder cuts them to milliseconds, which skips rows.
    text = json.dumps([value, row.pk], default=_as_text)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _decode(
    model: type[models.Model], path: str, cursor: str
) -> tuple[Any, int] | None:
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        value, pk = json.loads(base64.urlsafe_b64decode(padded))
        value, pk = _field(model, path).to_python(value), int(pk)
    except (
        binascii.Error,
        ArithmeticError,
        RecursionError,
        TypeError,
        ValidationError,
        ValueError,
    ):
        return None
    return (value, pk) if _is_comparable(value) else None


def _is_comparable(value: Any) -> bool:
    """Whether the database takes ``value``, which anybody may have written."""
    if isinstance(value, str):
        return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) < 100
    if isinstance(value, datetime):
        return timezone.is_aware(value)
    return value is not None


def _field(model: type[models.Model], path: str) -> Any:
    *relations, name = path.split("__")
    for relation in relations:
        model = model._meta.get_field(relation).related_model  # type: ignore[assignment]
    found = model._meta.get_field(name)
    # A generated column reads like the field that it stores.
    return getattr(found, "output_field", found)


def _heading(query: QueryDict, column: Column, order: str) -> Heading:
    direction = ""
    if order.removeprefix("-") == column.key:
        direction = "desc" if order.startswith("-") else "asc"
    next_order = f"-{column.key}" if direction == "asc" else column.key
    return Heading(
        key=column.key,
        label=column.label,
        align=column.align,
        narrow=column.narrow,
        sort_url=_url(query, sort=next_order) if column.sort else "",
        sorted=direction,
    )


def _url(query: QueryDict, **changes: object) -> str:
    """The page's own address with another sort or place; a new sort begins at the top."""
    params = query.copy()
    for name in ("after", "before", "at"):
        params.pop(name, None)
    for name, value in changes.items():
        params[name] = str(value)
    return "?" + params.urlencode()


def _count_text(page: _Page) -> str:
    first, last = page.start + 1, page.start + len(page.rows)
    if page.total > COUNT_LIMIT:
        return _("%(first)s–%(last)s of more than %(total)s") % {
            "first": number_format(first),
            "last": number_format(last),
            "total": number_format(COUNT_LIMIT, force_grouping=True),
        }
    return _("%(first)s–%(last)s of %(total)s") % {
        "first": first,
        "last": last,
        "total": page.total,
    }
