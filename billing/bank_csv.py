"""Reading the statement of a bank: which sign divides, what columns hold, days and amounts.

Banks write CSV each in its own way. What cannot be told for certain is not guessed: the line
says so and is left to a person. No queries.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LARGEST_FILE = 1_000_000  # bytes
MOST_LINES = 1000
MOST_COLUMNS = 60
# Before the header banks tell of the account, in some lines of their own.
_HEADER_WITHIN = 30
_DELIMITERS = ";,\t|"

DAY, AMOUNT, TEXT, PAYER, CURRENCY = "day", "amount", "text", "payer", "currency"
NEEDED = (DAY, AMOUNT, TEXT)
COLUMNS = (DAY, AMOUNT, TEXT, PAYER, CURRENCY)
# What banks call the columns, in small letters without accents; the first found counts.
_NAMES: dict[str, tuple[str, ...]] = {
    DAY: (
        *("value date", "valuta", "valutadatum", "wertstellung", "wertstellungsdatum"),
        *("booking date", "buchungstag", "buchungsdatum", "buchung", "date", "datum"),
        *("transaction date", "date de valeur", "date operation", "fecha", "data"),
        *("fecha valor", "data valuta", "rentedatum", "date comptable", "posted date"),
    ),
    AMOUNT: (
        *("amount", "betrag", "betrag (eur)", "betrag (€)", "umsatz", "umsatz in eur"),
        *("credit", "credit amount", "paid in", "haben", "gutschrift", "montant"),
        *(
            "importe",
            "importo",
            "bedrag",
            "bedrag (eur)",
            "amount (eur)",
            "amount (usd)",
        ),
    ),
    TEXT: (
        *("verwendungszweck", "remittance information", "payment reference"),
        *("reference", "purpose", "description", "details", "memo", "buchungstext"),
        *("libelle", "communication", "concepto", "causale", "omschrijving"),
        *("mededelingen", "narrative", "transaction description", "text"),
    ),
    PAYER: (
        *("payer", "payer name", "counterparty", "counterparty name", "name"),
        *("beguenstigter/zahlungspflichtiger", "begunstigter/zahlungspflichtiger"),
        *("auftraggeber/beguenstigter", "auftraggeber", "zahlungspflichtiger"),
        *("name zahlungsbeteiligter", "partner", "nom", "nombre", "ordinante"),
        *("naam / omschrijving", "debtor name", "payer/payee"),
    ),
    CURRENCY: ("currency", "wahrung", "waehrung", "devise", "divisa", "munt"),
}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_OTHER = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})")
_JUNK = re.compile(r"[\s\u00a0\u202f'’]|[A-Z]{3}|[€$£¥]")
_FIGURES = re.compile(r"[0-9.,]*[0-9]")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as rows: those below the header, each with the number of its line."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class BankLine:
    """What a row says; ``problem`` says what could not be read."""

    number: int
    day: date | None
    amount: Decimal | None
    currency: str
    payer: str
    text: str
    problem: str = ""


def read_sheet(data: bytes) -> Sheet:
    """The rows of a file. Raises ValidationError for what is no such file."""
    if len(data) > LARGEST_FILE:
        raise ValidationError(_("The file is too large."), code="size")
    text = _decoded(data)
    rows = [
        (number, tuple(cell.strip() for cell in row))
        for number, row in _rows(text)
        if any(cell.strip() for cell in row)
    ]
    place = _header_place([row for _number, row in rows])
    if place is None or place + 1 >= len(rows):
        raise ValidationError(
            _("There are no lines with several columns in this file."), code="empty"
        )
    header = rows[place][1]
    below = tuple((number, row) for number, row in rows[place + 1 :] if len(row) > 1)
    if len(below) > MOST_LINES:
        raise ValidationError(
            _("A file may have %(count)d lines: split it."),
            code="lines",
            params={"count": MOST_LINES},
        )
    if len(header) > MOST_COLUMNS:
        raise ValidationError(_("This file has too many columns."), code="columns")
    return Sheet(header, below)


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\x00" in text or any(
        unicodedata.category(sign) == "Cc" and sign not in "\r\n\t" for sign in text
    ):
        raise ValidationError(_("This is no text file."), code="text")
    return text


def _rows(text: str) -> list[tuple[int, list[str]]]:
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValidationError(
            _("This file cannot be read as CSV."), code="csv"
        ) from error


def _delimiter(text: str) -> str:
    """The sign that divides most lines into the same number of columns, of more than one."""

    def score(sign: str) -> tuple[int, int]:
        counts = Counter(line.count(sign) for line in text.splitlines()[:200])
        counts.pop(0, None)
        if not counts:
            return 0, 0
        columns, lines = counts.most_common(1)[0]
        return lines, columns

    return max(_DELIMITERS, key=score)


def _header_place(rows: Sequence[tuple[str, ...]]) -> int | None:
    """The row that names day and amount; else the first of the widest ones."""
    first = rows[:_HEADER_WITHIN]
    for place, row in enumerate(first):
        if {DAY, AMOUNT} <= columns_by_name(row).keys():
            return place
    widths = [len(row) for row in first]
    widest = max(widths, default=0)
    return widths.index(widest) if widest > 1 else None


def columns_by_name(header: Sequence[str]) -> dict[str, int]:
    """Which column holds what, as far as the header's words are known."""
    names = [_plain(cell) for cell in header]
    found: dict[str, int] = {}
    for column, known in _NAMES.items():
        places = [names.index(name) for name in known if name in names]
        if places:
            found[column] = places[0]
    return found


def _plain(text: str) -> str:
    """In small letters, without accents and needless blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def read_lines(
    rows: Iterable[tuple[int, Sequence[str]]],
    columns: Mapping[str, int],
    *,
    month_first: bool,
) -> list[BankLine]:
    """What the rows say by ``columns``; ``month_first`` counts where days leave it open."""
    cut = [
        (number, {name: _cell(row, place) for name, place in columns.items()})
        for number, row in rows
    ]
    mark = decimal_mark(cells[AMOUNT] for _number, cells in cut)
    order = _month_first((cells[DAY] for _number, cells in cut), month_first)
    return [_line(number, cells, mark, order) for number, cells in cut]


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _line(
    number: int, cells: Mapping[str, str], mark: str, month_first: bool
) -> BankLine:
    day = read_day(cells[DAY], month_first=month_first)
    amount = read_amount(cells[AMOUNT], mark)
    problem = ""
    if not cells[AMOUNT]:
        problem = _("There is no amount.")
    elif amount is None:
        problem = _("The amount cannot be read for certain: %(text)s")
        problem = problem % {"text": cells[AMOUNT][:40]}
    elif day is None:
        problem = _("The day cannot be read: %(text)s") % {"text": cells[DAY][:40]}
    return BankLine(
        number=number,
        day=day,
        amount=amount,
        currency=cells.get(CURRENCY, "").upper()[:3],
        payer=_seen(cells.get(PAYER, ""))[:140],
        text=_seen(cells[TEXT])[:500],
        problem=problem,
    )


def _seen(text: str) -> str:
    """Without what nobody can see or what would turn the line around."""
    return " ".join(
        "".join(c for c in text if unicodedata.category(c)[0] != "C").split()
    )


def decimal_mark(amounts: Iterable[str]) -> str:
    """The sign before the decimals, as all amounts of a file show it; "" if none does.

    Raises nothing: where amounts contradict each other, none counts.
    """
    found = {mark for text in amounts if (mark := _mark_of(_figures(text)))}
    return found.pop() if len(found) == 1 else ""


def _mark_of(text: str) -> str:
    """What one amount alone tells: "1.234" tells nothing, "1.234,5" and "12.34" do."""
    signs = [sign for sign in text if sign in ".,"]
    if not signs:
        return ""
    last = signs[-1]
    if len(set(signs)) == 2:
        return last if signs.count(last) == 1 else ""
    if len(signs) > 1:
        return {".": ",", ",": "."}[last]  # it groups thousands
    return "" if len(text.rpartition(last)[2]) == 3 else last


def _figures(text: str) -> str:
    return _JUNK.sub("", text.upper()).strip("+-")


def read_amount(text: str, mark: str) -> Decimal | None:
    """An amount; None where it cannot be read, or in two ways."""
    figures = _figures(text)
    own = _mark_of(figures)
    if not _FIGURES.fullmatch(figures) or (own and mark and own != mark):
        return None
    mark = own or mark
    if not mark:
        if "." in figures or "," in figures:
            return None  # thousands or decimals
        mark = "."
    group = "," if mark == "." else "."
    whole, _dot, decimals = figures.partition(mark)
    if group in decimals or not _is_grouped(whole, group):
        return None
    try:
        amount = Decimal(f"{whole.replace(group, '')}.{decimals or 0}")
    except InvalidOperation:
        return None
    return -amount if "-" in text else amount


def _is_grouped(whole: str, group: str) -> bool:
    """Whether separators stand before every three digits, or not at all."""
    first, *others = whole.split(group)
    return not others or (1 <= len(first) <= 3 and all(len(o) == 3 for o in others))


def _month_first(days: Iterable[str], default: bool) -> bool:
    """Whether 03/04 is in March, as days above 12 elsewhere in the file show."""
    for text in days:
        if match := _OTHER.fullmatch(text.strip()):
            first, second = int(match[1]), int(match[3])
            if match[2] != "/" or first > 12:
                return False
            if second > 12:
                return True
    return default


def read_day(text: str, *, month_first: bool) -> date | None:
    """A day as banks write it: 2026-01-31, 20260131, 31.01.2026, 31/01/26, 01/31/2026."""
    text = text.strip()
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif match := _OTHER.fullmatch(text):
        day, month, year = int(match[1]), int(match[3]), int(match[4])
        if month_first and match[2] == "/":
            day, month = month, day
        year += 2000 if year < 100 else 0
    else:
        return None
    try:
        return datetime(year, month, day).date()  # noqa: DTZ001 - a day has no zone
    except ValueError:
        return None


def keys_of(lines: Sequence[BankLine]) -> list[str]:
    """What each line is known by: day, amount and words; of equal ones also which it is.

    So one that is in two files is the same, and two transfers alike in one file are two.
    """
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        amount = "" if line.amount is None else f"{line.amount.normalize():f}"
        said = "|".join(
            [
                str(line.day),
                amount,
                line.currency,
                _plain(line.payer),
                _plain(line.text),
            ]
        )
        seen[said] += 1
        whole = f"{said}|{seen[said]}"
        found.append(hashlib.sha256(whole.encode()).hexdigest())
    return found
