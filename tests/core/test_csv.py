"""CSV files: formulas are quoted, and nothing is read before it is sent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import StreamingHttpResponse
from django.utils import timezone, translation

from portal.core.csv import ROWS_AT_ONCE, safe_cell, stream_csv


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  =HYPERLINK(1)", "'  =HYPERLINK(1)"),
        ("+1+1", "'+1+1"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("-", "'-"),
        ("+4930901820", "+4930901820"),
        ("-12.50", "-12.50"),
        ("-1-1", "'-1-1"),
        ("Beta GmbH", "Beta GmbH"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (-7, "-7"),
        (Decimal("-0.000001"), "-0.000001"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 3, 1), "2026-03-01"),
        (translation.gettext_lazy("Saved."), "Saved."),
    ],
)
def test_safe_cell_of_each_kind_of_value(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_safe_cell_of_a_moment_stands_in_the_active_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        cell = safe_cell(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    assert cell == "2026-07-02 00:30:00+02:00"


def test_stream_gives_every_row_back() -> None:
    rows = [(number, f'say "{number}"', "two\nlines") for number in range(401)]
    response = stream_csv("people.csv", ["No.", "Text", "=Note"], rows)
    read = list(csv.reader(io.StringIO(_text(response))))
    assert read[0] == ["No.", "Text", "'=Note"]
    assert read[1:] == [[str(n), text, note] for n, text, note in rows]


def test_stream_names_the_file_and_keeps_it_out_of_caches() -> None:
    response = stream_csv('a"b.csv', ["x"], [])
    assert response["Content-Disposition"] == r'attachment; filename="a\"b.csv"'
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_stream_takes_rows_only_as_it_is_sent() -> None:
    taken = []

    def rows() -> Iterator[list[int]]:
        for number in range(ROWS_AT_ONCE * 3):
            taken.append(number)
            yield [number]

    stream = iter(stream_csv("numbers.csv", ["number"], rows()))
    assert taken == []
    next(stream)
    assert len(taken) == ROWS_AT_ONCE


def test_stream_is_written_in_the_language_and_zone_of_the_request() -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with translation.override("de"), timezone.override(ZoneInfo("Asia/Tokyo")):
        response = stream_csv(
            "x.csv", ["x"], ([moment, _language()] for moment in [at])
        )
    assert _text(response).splitlines()[1] == "2026-01-01 21:00:00+09:00,de"


def _language() -> str:
    return translation.get_language() or ""


def _text(response: StreamingHttpResponse) -> str:
    content: bytes = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    return content.decode("utf-8-sig")
