"""Amounts and days as a document writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_interval
from babel.numbers import format_currency, format_decimal
from django.utils.translation import to_locale
from stdnum import iban as ibans
from stdnum import iso11649

from billing.einvoice.record import Period
from portal.core.money import round_money


@dataclass(frozen=True, slots=True)
class Figures:
    """How one language writes amounts of one currency, and days."""

    language: str
    currency: str

    @property
    def locale(self) -> Locale:
        return _locale(self.language)

    def amount(self, amount: Decimal) -> str:
        """Without the currency: a column says it once, in its head."""
        return self._currency_text(amount, "#,##0.00")

    def money(self, amount: Decimal) -> str:
        """With the currency, as the language places it: "1.234,50 €"."""
        said = self._currency_text(amount, None)
        return CODE_BEFORE_FIGURE.sub("\u00a0", said)

    def of(self, currency: str) -> Figures:
        """The same for amounts of another currency."""
        return Figures(self.language, currency)

    def _currency_text(self, amount: Decimal, pattern: str | None) -> str:
        said = format_currency(
            round_money(amount, self.currency),
            self.currency,
            format=pattern,
            locale=self.locale,
            currency_digits=True,
        )
        return str(said).translate(NARROW)

    def number(self, number: Decimal | int) -> str:
        return str(format_decimal(number, locale=self.locale)).translate(NARROW)

    def day(self, day: date) -> str:
        return _day(self.language, day)

    def days(self, period: Period) -> str:
        """From the first to the last day: "Nov 1 – 30, 2026"."""
        return _days(self.language, period.first, period.last)


# Thin spaces of babel's, which many faces lack, as ordinary ones that do not break.
NARROW = str.maketrans({"\u2009": "\u00a0", "\u202f": "\u00a0"})
# "KWD1.000" reads like one word.
CODE_BEFORE_FIGURE = re.compile(r"(?<=[A-Z])(?=\d)")


def grouped_iban(iban: str) -> str:
    """In groups of four, as people read it out."""
    return str(ibans.format(iban))


def grouped_reference(reference: str) -> str:
    """A reference of ISO 11649 likewise; any other as it is."""
    if iso11649.is_valid(reference):
        return str(iso11649.format(reference))
    return reference


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))


# Long lists name the same few days over and over, and an interval takes babel long.
@lru_cache(maxsize=4096)
def _day(language: str, day: date) -> str:
    return str(format_date(day, "medium", locale=_locale(language)))


@lru_cache(maxsize=4096)
def _days(language: str, first: date, last: date) -> str:
    if first == last:
        return _day(language, first)
    said = str(format_interval(first, last, "yMMMd", locale=_locale(language)))
    return said.translate(NARROW)
