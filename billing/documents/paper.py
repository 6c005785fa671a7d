"""The paper a document is laid out for, and where the type area lies on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paper:
    """Millimetres. The address on page one is placed by document.css, by ``name``."""

    name: str
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge of the type area."""
        return self.width - MARGIN_RIGHT

    @property
    def bottom(self) -> float:
        return self.height - MARGIN_BOTTOM


# Of every page; on page one the letterhead takes the place of the top margin.
MARGIN_LEFT = 25.0
MARGIN_RIGHT = 20.0
MARGIN_TOP = 30.0
MARGIN_BOTTOM = 33.0

A4 = Paper("A4", 210, 297)
LETTER = Paper("letter", 215.9, 279.4)

# Where letters are written on US Letter (CLDR, paperSize).
LETTER_COUNTRIES = {
    *("BZ", "CA", "CL", "CO", "CR", "GT", "MX"),
    *("NI", "PA", "PH", "PR", "SV", "US", "VE"),
}


def paper_of(country: str) -> Paper:
    """What a seller in ``country`` prints on."""
    return LETTER if country in LETTER_COUNTRIES else A4
