"""How a person wants to read the portal: language, time zone, date and time format."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.dateformat import format as format_with
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString


class Reader(Protocol):
    @property
    def effective_language(self) -> str: ...
    @property
    def effective_time_zone(self) -> str: ...
    @property
    def date_format(self) -> str: ...
    @property
    def time_format(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Formats:
    date: str = "Y-m-d"
    time: str = "H:i"


DEFAULT_FORMATS = Formats()
# What has places to break at and is not to be broken: dates in two of the formats, numbers
# of invoices ("C-2026-00012"), amounts below zero ("-€9.52").
_WHOLE_TEXT = re.compile(
    r"\b(?:\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4})\b"
    r"|(?<![\w-])(?:[A-Z][A-Z0-9._/-]{0,9})?\d{4}-\d{1,10}\b(?!-)"
    r"|(?<![\w.,;/-])-(?:[A-Z]{3}\xa0?|[€$£¥]\xa0?)?\d[\d.,\xa0]*"
)
_TAG = re.compile(r"(<[^>]*>)")
_WHOLE = r'<span class="whole">\g<0></span>'
_formats: ContextVar[Formats] = ContextVar("formats", default=DEFAULT_FORMATS)


def activate_display(person: Reader) -> None:
    """Use the person's preferences for the rest of this request."""
    translation.activate(person.effective_language)
    timezone.activate(ZoneInfo(person.effective_time_zone))
    _formats.set(Formats(date=person.date_format, time=person.time_format))


def reset_display() -> None:
    """Forget them: the thread goes on to somebody else's request."""
    timezone.deactivate()
    _formats.set(DEFAULT_FORMATS)


def whole_dates(value: Any) -> SafeString:
    """``value`` as HTML in which no line ends within a date, a number or an amount.

    Escaped unless it is safe. Browsers take the hyphens in them for places to break at.
    """
    html = conditional_escape(value)
    if not _WHOLE_TEXT.search(html):
        return html
    pieces = _TAG.split(html)
    pieces[::2] = (_WHOLE_TEXT.sub(_WHOLE, text) for text in pieces[::2])
    return SafeString("".join(pieces))


def format_day(value: date) -> str:
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return format_with(value, _formats.get().date)


def format_days(first: date, last: date) -> str:
    """From the first to the last day, both included; a single one stands once."""
    if first == last:
        return format_day(first)
    return f"{format_day(first)} – {format_day(last)}"


def format_short_day(value: date) -> str:
    """A day of this year or the last, for little room: the reader's format, no year."""
    return format_with(value, _formats.get().date.replace("Y", "").strip("-/"))


def format_moment(value: datetime) -> str:
    """Date and time in the active zone."""
    local = timezone.localtime(value)
    formats = _formats.get()
    return format_with(local, f"{formats.date} {formats.time}")


def format_time(value: datetime) -> str:
    """The time of day in the active zone."""
    return format_with(timezone.localtime(value), _formats.get().time)
