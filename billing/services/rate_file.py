"""Reading a file of exchange rates in the form of the ECB's reference rates; no queries.

The first line names the currencies: ``Date, USD, JPY, ...``. Each other line is a day, the
newest first, with the units of each currency for one euro, or N/A. The file of one day
writes its day in words, "20 November 2026"; the files of many days as 2026-11-20.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from portal.core.money import CURRENCIES

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
NO_VALUE = {"", "N/A", "-"}
LARGEST = Decimal(10) ** 9
PLACES = Decimal("1e-9")
# More mistakes than these nobody reads; they are counted all the same.
MOST_SHOWN = 50


@dataclass
class RateFile:
    """What a file holds: every value of it is a rate, empty, left out, or wrong."""

    rates: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    values: int = 0
    empty: int = 0  # N/A
    left_out: int = 0  # of currencies that are no more
    old_currencies: list[str] = field(default_factory=list)
    wrong: int = 0
    errors: list[str] = field(default_factory=list)  # the first ones, with their line

    def refuse(self, line: int, text: str, count: int = 1) -> None:
        self.wrong += count
        if len(self.errors) < MOST_SHOWN:
            self.errors.append(
                _("Line %(line)d: %(text)s") % {"line": line, "text": text}
            )


def read_rates(text: str) -> RateFile:
    """Every value of the file ``text``, told apart; it is never refused as a whole."""
    found = RateFile()
    rows = _rows(text)
    _number, header = next(rows, (1, None))
    if header is None or len(header) < 2 or header[0].casefold() != "date":
        found.refuse(1, _("The first line must read: Date, USD, JPY, and so on."))
        return found
    codes = [code.upper() for code in header[1:]]
    found.old_currencies = sorted({code for code in codes if code not in CURRENCIES})
    for number, row in rows:
        if row is None:
            found.values += len(codes)
            found.refuse(number, _("This cannot be read."), len(codes))
        else:
            _read_row(found, number, codes, row)
    return found


def _rows(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """(line number, cells) of each line that is not empty; a comma at its end is nothing.

    None for what is no line of a CSV file, such as a quotation mark that never ends.
    """
    # However the lines end, it is one sign for the reader.
    lines = io.StringIO(text.removeprefix("\ufeff"), newline=None)
    reader = csv.reader(lines, skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, None
            continue
        row = [cell.strip() for cell in cells]
        if row and not row[-1]:
            row.pop()
        if row:
            yield reader.line_num, row


def _read_row(found: RateFile, number: int, codes: list[str], row: list[str]) -> None:
    found.values += len(codes)
    if len(row) - 1 != len(codes):
        text = _("%(found)d values where %(wanted)d belong.")
        found.refuse(
            number, text % {"found": len(row) - 1, "wanted": len(codes)}, len(codes)
        )
        return
    day = _day(row[0])
    if day is None:
        text = _("“%(text)s” is no date.") % {"text": row[0][:30]}
        found.refuse(number, text, len(codes))
        return
    for code, value in zip(codes, row[1:], strict=True):
        _read_value(found, number, code, day, value)


def _read_value(found: RateFile, number: int, code: str, day: date, value: str) -> None:
    if value.upper() in NO_VALUE:
        found.empty += 1
        return
    if code not in CURRENCIES or code == "EUR":
        found.left_out += 1
        return
    rate = _rate(value)
    place = {"currency": code, "text": value[:30]}
    if rate is None:
        found.refuse(number, _("%(currency)s: “%(text)s” is no rate.") % place)
    elif (code, day) in found.rates:
        found.refuse(number, _("%(currency)s stands there twice for this day.") % place)
    else:
        found.rates[code, day] = rate


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        day, month, year = text.split()
        return date(int(year), MONTHS.index(month.capitalize()) + 1, int(day))
    except (ValueError, OverflowError):
        return None


def _rate(text: str) -> Decimal | None:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    if not rate.is_finite() or not 0 < rate < LARGEST:
        return None
    rate = rate.quantize(PLACES)
    return rate if rate else None
