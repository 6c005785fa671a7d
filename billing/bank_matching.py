"""Which invoice a line of a bank statement pays, by the reference in its words. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from billing.einvoice.qr import creditor_reference

SHORTEST = 3  # of a number: anything shorter stands in every text
# Banks break lines and people write blanks, also within a number.
_WIDEST_GAP = 3


def squeezed(text: str) -> str:
    """Letters and digits only, in capitals."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def references(numbers: Mapping[int, str]) -> dict[str, set[int]]:
    """The ways invoices are named in a text, with the ids of those that go by it."""
    found: dict[str, set[int]] = {}
    for pk, number in numbers.items():
        plain = squeezed(number)
        if len(plain) < SHORTEST:
            continue
        found.setdefault(plain, set()).add(pk)
        found.setdefault(creditor_reference(number), set()).add(pk)
    return found


def named_in(text: str, known: Mapping[str, set[int]]) -> set[int]:
    """The ids of all that ``text`` names; a number within a longer one does not count."""
    signs = [(sign, at) for at, sign in enumerate(text.upper()) if sign.isalnum()]
    plain = "".join(sign for sign, _at in signs)
    lengths = sorted({len(reference) for reference in known}, reverse=True)
    taken: list[tuple[int, int]] = []
    found: set[int] = set()
    for length in lengths:
        for begin in range(len(plain) - length + 1):
            ids = known.get(plain[begin : begin + length])
            end = begin + length
            if not ids or any(begin < till and end > since for since, till in taken):
                continue
            places = [at for _sign, at in signs[begin:end]]
            if _is_whole(text, places) and _is_together(places):
                taken.append((begin, end))
                found |= ids
    return found


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
