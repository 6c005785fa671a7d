"""The days of reminders: how they are written, kept and read."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from rateplans.reminders import clean_days, days_of, validate_days
from rateplans.wording import setting_text


@pytest.mark.parametrize(
    ("typed", "kept", "days"),
    [
        ("7,14,21", "7, 14, 21", (7, 14, 21)),
        (" 21 7; 7 ", "7, 21", (7, 21)),
        ("0", "0", ()),
        ("000", "0", ()),
        ("365", "365", (365,)),
    ],
)
def test_days_are_kept_in_one_writing(
    typed: str, kept: str, days: tuple[int, ...]
) -> None:
    assert clean_days(typed) == kept
    assert days_of(kept) == days
    validate_days(kept)


@pytest.mark.parametrize(
    "typed", ["", "0, 7", "-7", "seven", "7.5", "366", "1 2 3 4 5 6 7", "٧"]
)
def test_other_days_are_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        clean_days(typed)


def test_other_writings_are_not_kept() -> None:
    with pytest.raises(ValidationError):
        validate_days("14,7")


def test_setting_in_words() -> None:
    assert setting_text("reminder_days", "0", "EUR") == "none"
    assert setting_text("reminder_days", "7, 14", "EUR") == (
        "day 7, 14 after the due day"
    )
