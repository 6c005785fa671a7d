"""On which days after the due day customers are reminded of an invoice: "7, 14, 21"."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

NO_REMINDERS = "0"
MOST = 6
_LATEST = 365
_SEPARATORS = re.compile(r"[\s,;]+")


def days_of(value: str) -> tuple[int, ...]:
    """What a kept setting says, in ascending order; empty for no reminders."""
    days = tuple(int(part) for part in _SEPARATORS.split(value) if part)
    return () if days == (0,) else days


def clean_days(value: str) -> str:
    """The days as they are kept: ascending, each once; "0" alone for none.

    Raises ValidationError that says what is wrong.
    """
    parts = [part for part in _SEPARATORS.split(value.strip()) if part]
    if not parts or not all(
        part.isascii() and part.isdecimal() and len(part) < 4 for part in parts
    ):
        raise ValidationError(
            _("Enter numbers of days with commas between them, such as 7, 14, 21."),
            code="invalid",
        )
    days = sorted({int(part) for part in parts})
    if days == [0]:
        return NO_REMINDERS
    if not all(1 <= day <= _LATEST for day in days):
        raise ValidationError(
            _("Each is from 1 to %(latest)d days after the due day; 0 alone for none."),
            code="range",
            params={"latest": _LATEST},
        )
    if len(days) > MOST:
        raise ValidationError(
            _("At most %(count)d reminders."), code="many", params={"count": MOST}
        )
    return ", ".join(map(str, days))


def validate_days(value: str) -> None:
    """Refuse what is not as `clean_days` would keep it."""
    if clean_days(value) != value:
        raise ValidationError(
            _("Enter numbers of days with commas between them, such as 7, 14, 21."),
            code="invalid",
        )
