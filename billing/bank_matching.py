"""Which invoice a line of a bank statement pays, by the reference in its words. No queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from billing.einvoice.qr import creditor_reference

SHORTEST = 3  # of a number: anything shorter stands in every text
# Banks break lines and people write blanks, also within a number.
_WIDEST_GAP = 3


def squeezed(text: str) -> str:
    """Letters and digits only, in capitals."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


@dataclass(frozen=True, slots=True)
class References:
    """The ways invoices are named in a text, with the ids of those that go by each.

    ``lengths`` are those of the ways that begin with three given signs, the longest first:
    a file has thousands of lines, and its owner thousands of invoices.
    """

    ids: Mapping[str, set[int]]
    lengths: Mapping[str, tuple[int, ...]]

    def at(self, plain: str, begin: int) -> Iterator[tuple[int, set[int]]]:
        """What may be named from there on: how long it is, and whose."""
        for length in self.lengths.get(plain[begin : begin + SHORTEST], ()):
            if ids := self.ids.get(plain[begin : begin + length]):
                yield length, ids


def references(numbers: Mapping[int, str]) -> References:
    """The ways in which the invoices of these ``numbers``, by id, are named in a text."""
    ids: dict[str, set[int]] = {}
    for pk, number in numbers.items():
        plain = squeezed(number)
        if len(plain) < SHORTEST:
            continue
        ids.setdefault(plain, set()).add(pk)
        ids.setdefault(creditor_reference(number), set()).add(pk)
    lengths: dict[str, set[int]] = {}
    for way in ids:
        lengths.setdefault(way[:SHORTEST], set()).add(len(way))
    return References(
        ids, {head: tuple(sorted(found)) for head, found in lengths.items()}
    )


def named_in(text: str, known: References) -> set[int]:
    """The ids of all that ``text`` names; a number within a longer one does not count."""
    text = text.upper()  # first: that may be longer, as ß is SS
    signs = [(sign, at) for at, sign in enumerate(text) if sign.isalnum()]
    plain = "".join(sign for sign, _at in signs)
    candidates = [
        (length, begin, ids)
        for begin in range(len(plain) - SHORTEST + 1)
        for length, ids in known.at(plain, begin)
    ]
    taken: list[tuple[int, int]] = []
    found: set[int] = set()
    for length, begin, ids in sorted(candidates, key=lambda each: (-each[0], each[1])):
        end = begin + length
        if any(begin < till and end > since for since, till in taken):
            continue
        places = [at for _sign, at in signs[begin:end]]
        if _is_whole(text, places) and _is_together(places):
            taken.append((begin, end))
            found |= ids
    return found


def names_customer(payer: str, text: str, *, number: str, name: str) -> bool:
    """Whether a line names a customer: its whole number, or exactly its name as payer."""
    if squeezed(name) and squeezed(payer) == squeezed(name):
        return True
    return (
        bool(number)
        and re.search(rf"(?<!\w){re.escape(number)}(?!\w)", text) is not None
    )


def _is_whole(text: str, places: list[int]) -> bool:
    """Whether no digit stands right before or behind it."""
    before, behind = places[0] - 1, places[-1] + 1
    return not (before >= 0 and text[before].isdigit()) and not (
        behind < len(text) and text[behind].isdigit()
    )


def _is_together(places: Iterable[int]) -> bool:
    return all(
        later - earlier <= _WIDEST_GAP + 1 for earlier, later in pairwise(places)
    )
