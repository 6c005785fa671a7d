"""CSV files: sent as they are read, with nothing in them that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

ROWS_AT_ONCE = 200
# What spreadsheets take for the beginning of a formula, full-width signs included.
_FORMULA_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
# A signed number, such as an amount or a telephone number, calculates nothing.
_SIGNED_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")
# Without this mark Excel reads UTF-8 as the machine's old code page.
_BYTE_ORDER_MARK = "\ufeff"


def stream_csv(
    filename: str, header: Sequence[object], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """A download of ``rows`` below ``header``; rows are taken while the file is sent.

    They are still read in the tenant scope, the language and the time zone of the
    request, so ``rows`` may be a generator over a query of any length.
    """
    return StreamingHttpResponse(
        _in_this_context(_chunks(header, rows)),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, filename) or "",
            "Cache-Control": "private, no-store",
        },
    )


def safe_cell(value: object) -> str:
    """``value`` as the text of one cell; what would be run as a formula gets a quote.

    Numbers are plain with a decimal point; days and moments are ISO 8601, the latter in
    the active time zone.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).replace("\x00", "")
    if text[:1] in {"\t", "\r", "\n"}:
        return f"'{text}"
    begin = text.lstrip()[:1]
    if begin in _FORMULA_SIGNS and not _SIGNED_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _chunks(
    header: Sequence[object], rows: Iterable[Sequence[object]]
) -> Iterator[str]:
    """The file in pieces of some hundred lines, so that no file is ever held whole."""
    buffer = io.StringIO()
    buffer.write(_BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow([safe_cell(cell) for cell in header])
    for count, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(cell) for cell in row])
        if count % ROWS_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _in_this_context(chunks: Iterator[str]) -> Iterator[str]:
    """``chunks``, each made in the context of now: they are sent after the request."""
    context = copy_context()
    end = object()
    take: Callable[..., Any] = next
    return iter(lambda: context.run(take, chunks, end), end)
