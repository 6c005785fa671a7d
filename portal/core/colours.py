"""Colours of brands: which text can be read on them."""

from __future__ import annotations

DEFAULT_COLOUR = "#0c6763"  # as in static/css/tokens.css


def contrast_of(colour: str) -> str:
    """Black or white, whichever reads better on ``colour``.

    They change places at a luminance of 0.179 (WCAG 2.2), where both reach 4.6 : 1.
    """
    return "#000000" if luminance_of(colour) > _MIDDLE else "#ffffff"


# In millionths, so that no binary fraction decides.
_MIDDLE = 179_000


def luminance_of(colour: str) -> int:
    """Relative luminance of ``#rrggbb`` in millionths (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    red, green, blue = (_linear(channel) for channel in channels)
    return (212_600 * red + 715_200 * green + 72_200 * blue) // 1_000_000


def _linear(channel: int) -> int:
    """One channel of sRGB, 0 to 255, as linear light in millionths."""
    value = channel / 255
    linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    return round(linear * 1_000_000)
