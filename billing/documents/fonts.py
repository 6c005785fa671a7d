"""The faces of documents. They come with packages, so that all machines draw alike.

FiraGO has Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Thai and Georgian. Chinese,
Japanese and Korean are WenQuanYi Micro Hei, which fontconfig finds on the system.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from io import BytesIO
from typing import Any

import pymupdf_fonts

FAMILY = "FiraGO"
OTHERS = "WenQuanYi Micro Hei"
REGULAR = "FiraGO-Regular"
BOLD = "FiraGO-Bold"
FACES = {REGULAR: "figo", BOLD: "figbo"}  # the package's own names

# Right-to-left letters and numbers, and what is placed above, below or around others.
BIDIRECTIONAL = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"}
COMBINING = {"Mn", "Mc", "Me"}


@cache
def face(name: str) -> bytes:
    """The font file, REGULAR or BOLD."""
    file: bytes = pymupdf_fonts.fontbuffers[FACES[name]]()
    return file


@cache
def fixed(name: str) -> Any:
    """The face for ReportLab, with figures all of one width, as columns of amounts need.

    WeasyPrint asks the font for them ("tnum"); ReportLab knows no such features, so its
    table of characters points to those figures instead. The file stays as it is.
    """
    from fontTools.ttLib import TTFont as Tables
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    font = TTFont(name, BytesIO(face(name)))
    tables = Tables(BytesIO(face(name)), lazy=True)
    names, units = tables.getBestCmap(), tables["head"].unitsPerEm
    for figure in map(ord, "0123456789"):
        glyph = f"{names[figure]}.tf"
        font.face.charToGlyph[figure] = tables.getGlyphID(glyph)
        font.face.charWidths[figure] = tables["hmtx"][glyph][0] * 1000 / units
    pdfmetrics.registerFont(font)
    return font


@cache
def _is_plain(character: str) -> bool:
    return (
        ord(character) in fixed(REGULAR).face.charToGlyph
        and unicodedata.bidirectional(character) not in BIDIRECTIONAL
        and unicodedata.category(character) not in COMBINING
    )


def is_plain(text: str) -> bool:
    """Whether letter after letter is right: FiraGO has all, none joins or turns around.

    ReportLab can set such a text; others need the layout of Pango.
    """
    return text.isascii() or all(map(_is_plain, text))
