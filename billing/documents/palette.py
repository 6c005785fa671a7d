"""What a brand's colour becomes on paper: readable as text, pale as a ground."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.colours import luminance_of

# In millionths: the brightest colour that reaches 4.5 : 1 against white (WCAG 2.2).
READABLE = 183_000
VISIBLE = 940_000  # beside white; yellow is below
WHITE = "#ffffff"
BLACK = "#000000"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as #rrggbb."""

    brand: str  # bands and bars
    ink: str  # text in the brand's colour
    tint: str  # a ground on which black is read

    @classmethod
    def of(cls, colour: str) -> Palette:
        ink = colour
        for percent in range(0, 101, 5):
            ink = mixed(colour, BLACK, percent)
            if luminance_of(ink) <= READABLE:
                break
        # What paper would swallow is no colour to draw with.
        brand = ink if luminance_of(colour) > VISIBLE else colour
        return cls(brand=brand, ink=ink, tint=mixed(ink, WHITE, 93))


def mixed(colour: str, other: str, percent: int) -> str:
    """``colour`` with so many hundredths of ``other``."""
    parts = (
        (_channel(colour, at) * (100 - percent) + _channel(other, at) * percent + 50)
        // 100
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


def _channel(colour: str, at: int) -> int:
    return int(colour[at : at + 2], 16)
