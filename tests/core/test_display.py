"""Days and moments are written as the reader wants them, and nobody else's way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from customers.choices import DateFormat
from portal.core.display import (
    activate_display,
    format_day,
    format_moment,
    format_short_day,
    reset_display,
    whole_dates,
)

# Still Saturday in New York, already Sunday in Tokyo.
MOMENT = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Reader:
    effective_language: str = "en"
    effective_time_zone: str = "Asia/Tokyo"
    date_format: str = "d.m.Y"
    time_format: str = "g:i A"


@pytest.fixture(autouse=True)
def forgotten_afterwards() -> Iterator[None]:
    language = translation.get_language()
    yield
    reset_display()
    translation.activate(language)


@pytest.mark.parametrize(
    ("zone", "day", "moment"),
    [
        ("Asia/Tokyo", "22.11.2026", "22.11.2026 8:30 AM"),
        ("America/New_York", "21.11.2026", "21.11.2026 6:30 PM"),
        ("UTC", "21.11.2026", "21.11.2026 11:30 PM"),
    ],
)
def test_moment_stands_in_the_readers_zone(zone: str, day: str, moment: str) -> None:
    activate_display(Reader(effective_time_zone=zone))
    assert format_day(MOMENT) == day
    assert format_moment(MOMENT) == moment


def test_plain_day_is_in_no_zone() -> None:
    activate_display(Reader(effective_time_zone="America/New_York"))
    assert format_day(date(2026, 11, 22)) == "22.11.2026"


def test_month_is_named_in_the_readers_language() -> None:
    activate_display(Reader(effective_language="de", date_format="j. F Y"))
    assert format_day(date(2026, 12, 1)) == "1. Dezember 2026"


def test_summer_and_winter_time_are_told_apart() -> None:
    activate_display(Reader(effective_time_zone="Europe/Berlin", time_format="H:i"))
    assert format_moment(datetime(2026, 7, 1, 12, tzinfo=UTC)).endswith("14:00")
    assert format_moment(datetime(2026, 12, 1, 12, tzinfo=UTC)).endswith("13:00")


def test_reset_forgets_zone_and_formats() -> None:
    activate_display(Reader())
    reset_display()
    assert format_moment(MOMENT) == "2026-11-21 23:30"
    assert timezone.get_current_timezone_name() == "UTC"


def test_another_thread_reads_its_own_way() -> None:
    activate_display(Reader())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(format_day, date(2026, 11, 22)).result() == "2026-11-22"
    assert format_day(date(2026, 11, 22)) == "22.11.2026"


@pytest.mark.parametrize("choice", DateFormat.values)
def test_a_short_day_is_the_readers_day_without_its_year(choice: str) -> None:
    expected = {"Y-m-d": "11-21", "d/m/Y": "21/11", "m/d/Y": "11/21", "d.m.Y": "21.11."}
    activate_display(Reader(date_format=choice))
    assert format_short_day(MOMENT.date()) == expected[choice]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("paid", "paid"),
        ("", ""),
        (
            "until 2026-11-22, or 31/12/2026",
            'until <span class="whole">2026-11-22</span>,'
            ' or <span class="whole">31/12/2026</span>',
        ),
        ("2026-11-22 14:05", '<span class="whole">2026-11-22</span> 14:05'),
        ("<b> 2026-11-22", '&lt;b&gt; <span class="whole">2026-11-22</span>'),
        ("+49-2026-11-222", "+49-2026-11-222"),
        ("22.11.2026", "22.11.2026"),
        ("of 2026-00040", 'of <span class="whole">2026-00040</span>'),
        ("C-2026-00003.", '<span class="whole">C-2026-00003</span>.'),
        ("RE/A-2026-1", '<span class="whole">RE/A-2026-1</span>'),
        ("0301-2345-6", "0301-2345-6"),
        ("owes -€9.52.", 'owes <span class="whole">-€9.52.</span>'),
        ("CHF\xa05", "CHF\xa05"),
        ("-CHF\xa05", '<span class="whole">-CHF\xa05</span>'),
        ("9-5, 20-30", "9-5, 20-30"),
        (
            SafeString('<time datetime="2026-11-22">2026-11-22</time>'),
            '<time datetime="2026-11-22"><span class="whole">2026-11-22</span></time>',
        ),
    ],
)
def test_dates_numbers_and_amounts_stay_whole(text: str, html: str) -> None:
    assert whole_dates(text) == html


def test_filter_leaves_numbers_to_the_template() -> None:
    shown = Template("{% load portal %}{{ count|whole_dates }} {{ day|whole_dates }}")
    assert shown.render(Context({"count": 5, "day": "<2026-11-22"})) == (
        '5 &lt;<span class="whole">2026-11-22</span>'
    )
