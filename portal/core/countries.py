"""Countries by their codes of ISO 3166-1 alpha-2, named in the active language."""

from __future__ import annotations

from functools import cache

from babel import Locale
from django.utils.translation import get_language, to_locale

# CLDR's extra codes: regions and placeholders that ISO 3166-1 does not assign.
_NOT_COUNTRIES = frozenset(
    [
        "AC",
        "CP",
        "CQ",
        "DG",
        "EA",
        "EU",
        "EZ",
        "IC",
        "QO",
        "TA",
        "UN",
        "XA",
        "XB",
        "XK",
        "ZZ",
    ]
)
COUNTRY_CODES = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
)


def country_choices() -> list[tuple[str, str]]:
    """(code, name), by name."""
    return list(_choices(get_language() or "en"))


def country_name(code: str) -> str:
    return _name(code, get_language() or "en")


@cache
def _choices(language: str) -> tuple[tuple[str, str], ...]:
    named = ((code, _name(code, language)) for code in COUNTRY_CODES)
    return tuple(sorted(named, key=lambda country: country[1].casefold()))


def _name(code: str, language: str) -> str:
    return str(Locale.parse(to_locale(language)).territories.get(code, code))
