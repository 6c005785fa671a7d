"""Reading the statement of a bank: which sign divides, and what its columns hold.

Banks write CSV each in its own way (days and amounts: `billing.bank_values`). What cannot
be told for certain is not guessed: the line says so and is left to a person. No queries.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing import bank_xml
from billing.bank_values import decimal_mark, plain, read_amount, read_day, signed
from billing.bank_values import month_first as first_in_days
from billing.import_problems import Problem, kept

LARGEST_FILE = 16_000_000  # bytes
MOST_LINES = 50_000
MOST_COLUMNS = 60
# Before the header banks tell of the account, in some lines of their own.
_HEADER_WITHIN = 30
_DELIMITERS = ";,\t|"

DAY, AMOUNT, TEXT, PAYER, CURRENCY = "day", "amount", "text", "payer", "currency"
SIGN = "sign"  # whether money came or went, where the amount does not say it
NEEDED = (DAY, AMOUNT, TEXT)
COLUMNS = (DAY, AMOUNT, TEXT, PAYER, CURRENCY, SIGN)
# What banks call the columns, in small letters without accents; the first found counts.
_NAMES: dict[str, tuple[str, ...]] = {
    DAY: (
        *("value date", "valuta", "valutadatum", "wertstellung", "wertstellungsdatum"),
        *("wertstellung (valuta)", "wert", "buchungstag", "buchungsdatum", "buchung"),
        *("booking date", "posting date", "posted date", "date", "datum"),
        *("transaction date", "settlement date", "completed date", "date completed"),
        *("date de valeur", "date operation", "date comptable", "date de l'operation"),
        *("fecha valor", "fecha", "data valuta", "data", "rentedatum"),
    ),
    AMOUNT: (
        *("amount", "transaction amount", "amount (eur)", "amount (usd)"),
        *("amount (gbp)", "betrag", "betrag (eur)", "betrag (€)", "betrag in eur"),
        *("umsatz", "umsatz in eur", "credit", "credit amount", "paid in", "money in"),
        *("haben", "gutschrift", "montant", "importe", "importo"),
        *("bedrag", "bedrag (eur)", "bedrag eur"),
    ),
    TEXT: (
        *("verwendungszweck", "remittance information", "payment reference"),
        *("reference", "purpose", "description", "details", "memo", "buchungstext"),
        *("buchungsdetails", "vwz", "libelle", "communication", "concepto"),
        *("causale", "omschrijving", "mededelingen", "narrative"),
        *("transaction description", "text"),
    ),
    PAYER: (
        *("payer", "payer name", "counterparty", "counterparty name", "name"),
        *("beguenstigter/zahlungspflichtiger", "begunstigter/zahlungspflichtiger"),
        *("auftraggeber/beguenstigter", "begunstigter / auftraggeber"),
        *("auftraggeber/empfanger", "auftraggeber", "zahlungspflichtiger"),
        *("zahlungspflichtige*r", "name zahlungsbeteiligter", "partner"),
        *("partner name", "nom", "nombre", "ordinante", "naam / omschrijving"),
        *("debtor name", "payer/payee"),
    ),
    CURRENCY: ("currency", "wahrung", "waehrung", "devise", "divisa", "munt"),
    SIGN: (
        *("soll/haben", "soll/haben-kennzeichen", "soll-/haben-kennzeichen", "s/h"),
        *("debit/credit", "credit/debit", "credit debit indicator", "d/c", "c/d"),
        *("cr/dr", "dr/cr", "af bij"),
    ),
}
# What no text holds: controls, but for line ends and tabs.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SEP = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # how Excel is told what divides


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
    if bank_xml.looks_like_xml(data):
        return _xml_sheet(data)
    rows = [
        (number, tuple(cell.strip() for cell in row))
        for number, row in _rows(_decoded(data))
        if any(cell.strip() for cell in row)
    ]
    place = _header_place([row for _number, row in rows])
    if place is None or place + 1 >= len(rows):
        raise ValidationError(
            _("There are no lines with several columns in this file."), code="empty"
        )
    header = rows[place][1]
    below = tuple((number, row) for number, row in rows[place + 1 :] if len(row) > 1)
    return _checked(Sheet(header, below))


def _xml_sheet(data: bytes) -> Sheet:
    try:
        rows = bank_xml.rows_of(data)
    except ValueError as error:
        raise ValidationError(
            _("This XML file is not a bank statement: it must be camt.053."), code="xml"
        ) from error
    if not rows:
        raise ValidationError(_("There is no booking in this file."), code="empty")
    return _checked(Sheet(bank_xml.HEADER, tuple(enumerate(rows, start=1))))


def _checked(sheet: Sheet) -> Sheet:
    if len(sheet.rows) > MOST_LINES:
        raise ValidationError(
            _("A file may have %(count)d lines: split it."),
            code="lines",
            params={"count": MOST_LINES},
        )
    if max(map(len, (sheet.header, *(row for _number, row in sheet.rows)))) > (
        MOST_COLUMNS
    ):
        raise ValidationError(_("This file has too many columns."), code="columns")
    return sheet


def _decoded(data: bytes) -> str:
    """As its first bytes say, else UTF-8 or the old encoding of western Windows."""
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if _CONTROL.search(text):
        raise ValidationError(_("This is no text file."), code="text")
    return text


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first = data[:200]
    # Of text in our letters every second byte is 0 then; a file without it has none.
    if len(first) > 3 and not any(first[1::2]) and all(first[::2]):
        return "utf-16-le"
    if len(first) > 3 and not any(first[::2]) and all(first[1::2]):
        return "utf-16-be"
    return "utf-8-sig"


def _rows(text: str) -> list[tuple[int, list[str]]]:
    said = _SEP.match(text)
    # The line stays there, as an empty one: others keep their numbers.
    text = text[said.end(1) :] if said else text
    delimiter = said[1] if said else _delimiter(text)
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
    names = [plain(cell) for cell in header]
    found: dict[str, int] = {}
    for column, known in _NAMES.items():
        places = [names.index(name) for name in known if name in names]
        if places:
            found[column] = places[0]
    return found


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
    order = first_in_days((cells[DAY] for _number, cells in cut), default=month_first)
    return [_line(number, cells, mark, order) for number, cells in cut]


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _line(
    number: int, cells: Mapping[str, str], mark: str, month_first: bool
) -> BankLine:
    day = read_day(cells[DAY], month_first=month_first)
    amount = read_amount(cells[AMOUNT], mark)
    if amount is not None:
        amount = signed(amount, cells.get(SIGN, ""))
    problem = ""
    if not cells[AMOUNT]:
        problem = kept(Problem.NO_AMOUNT)
    elif amount is None:
        problem = kept(Problem.AMOUNT, text=cells[AMOUNT][:40])
    elif day is None:
        problem = kept(Problem.DAY, text=cells[DAY][:40])
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
    """On one line, without what nobody can see or what would turn the line around."""
    line = " ".join(text.split())
    return "".join(c for c in line if unicodedata.category(c)[0] != "C").strip()


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
                plain(line.payer),
                plain(line.text),
            ]
        )
        seen[said] += 1
        whole = f"{said}|{seen[said]}"
        found.append(hashlib.sha256(whole.encode()).hexdigest())
    return found
