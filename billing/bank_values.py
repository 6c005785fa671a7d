"""Days and amounts as banks write them. What can be read in two ways is not read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache

from babel import Locale

# An amount of this, or with more decimals, is no payment.
LARGEST, PLACES = Decimal(10) ** 12, 6
# Whose months are known by their names, beside those written in figures.
_MONTHS_OF = ("en", "de", "fr", "es", "it", "nl", "pt")
_TIME = r"(?:[T ,].*)?"
_ISO = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_OTHER = re.compile(rf"(\d{{1,2}})([./-])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_NAMED = re.compile(r"(\d{1,2})[-./ ]*([a-z]{3,})[-./ ,]*(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([a-z]{3,})[. ]*(\d{1,2})[, ]+(\d{4})")

_MINUS = re.compile("[\u2010-\u2015\u2212]")  # hyphens, dashes and the minus of print
_JUNK = re.compile(r"[\s\u00a0\u202f'’]|[A-Z]{3}|[€$£¥]")
_FIGURES = re.compile(r"[0-9.,]*[0-9]")
# Said behind an amount, or in a column of its own; as `plain` writes them.
CREDIT = frozenset(
    {"+", "h", "haben", "c", "cr", "credit", "crdt", "gutschrift", "bij"}
)
DEBIT = frozenset(
    {"-", "s", "soll", "d", "dr", "debit", "dbit", "lastschrift", "belastung", "af"}
)
_MARKED = re.compile(r"(.*\d)\s*(SOLL|HABEN|CR|DR|S|H|C|D)")


def plain(text: str) -> str:
    """In small letters, without accents and needless blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


# --- Amounts --------------------------------------------------------------------------


def decimal_mark(amounts: Iterable[str]) -> str:
    """The sign before the decimals, as all amounts of a file show it; "" if none does.

    Raises nothing: where amounts contradict each other, none counts.
    """
    found = {mark for text in amounts if (mark := _mark_of(_cut(text)[0]))}
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


def _cut(text: str) -> tuple[str, bool]:
    """The figures of an amount, and whether it went out: "12,50-", "(12.50)", "12,50 S"."""
    text = _MINUS.sub("-", text.upper()).strip()
    mark = _MARKED.fullmatch(text)
    if mark is not None:
        text = mark[1]
    is_debit = mark is not None and mark[2].lower() in DEBIT
    if text.startswith("(") and text.endswith(")"):
        text, is_debit = text[1:-1], True
    return _JUNK.sub("", text).strip("+-"), is_debit or "-" in text


def read_amount(text: str, mark: str) -> Decimal | None:
    """An amount, below 0 if it went out; None where it cannot be read, or in two ways."""
    figures, is_debit = _cut(text)
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
    if amount >= LARGEST or amount != round(amount, PLACES):
        return None
    return -amount if is_debit else amount


def _is_grouped(whole: str, group: str) -> bool:
    """Whether separators stand before every three digits, or not at all."""
    first, *others = whole.split(group)
    return not others or (1 <= len(first) <= 3 and all(len(o) == 3 for o in others))


def signed(amount: Decimal, said: str) -> Decimal | None:
    """The amount as the word of another column says: money that came, or went out.

    None for a word that nobody knows. An amount with a sign of its own keeps it.
    """
    word = plain(said)
    if not word or word in CREDIT:
        return amount
    return -abs(amount) if word in DEBIT else None


# --- Days -----------------------------------------------------------------------------


def month_first(days: Iterable[str], *, default: bool) -> bool:
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
    """A day as banks write it: 2026-01-31, 20260131, 31.01.2026, 31/01/26, 31 Jan 2026."""
    text = text.strip()
    if match := _ISO.fullmatch(text):
        return _day(int(match[1]), int(match[3]), int(match[4]))
    if match := _COMPACT.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _OTHER.fullmatch(text):
        day, month = int(match[1]), int(match[3])
        if month_first and match[2] == "/":
            day, month = month, day
        return _day(int(match[4]), month, day)
    words = plain(text)
    if match := _NAMED.fullmatch(words):
        return _day(int(match[3]), _months().get(match[2], 0), int(match[1]))
    if match := _NAMED_FIRST.fullmatch(words):
        return _day(int(match[3]), _months().get(match[1], 0), int(match[2]))
    return None


def _day(year: int, month: int, day: int) -> date | None:
    year += 2000 if year < 100 else 0
    try:
        return datetime(year, month, day).date()  # noqa: DTZ001 - a day has no zone
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """Months by their names, whole and cut; a name that means two is not there."""
    found: dict[str, set[int]] = {}
    for language in _MONTHS_OF:
        names = Locale.parse(language).months["format"]
        for width in ("wide", "abbreviated"):
            for month, name in names[width].items():
                found.setdefault(plain(name).strip("."), set()).add(int(month))
    for name, months in list(found.items()):
        found.setdefault(name[:3], set()).update(months)
    return {name: months.pop() for name, months in found.items() if len(months) == 1}
