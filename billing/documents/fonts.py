"""The faces of documents. They come with packages, so that all machines draw alike.

FiraGO has Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Thai and Georgian. Emoji, other
signs and other scripts have faces of their own, which only documents with such letters load.
Chinese, Japanese and Korean are WenQuanYi Micro Hei, which fontconfig finds on the system.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import pymupdf_fonts

FAMILY = "FiraGO"
REGULAR = "FiraGO-Regular"
BOLD = "FiraGO-Bold"
FACES = {REGULAR: "figo", BOLD: "figbo"}  # the package's own names

SIGNS = {"Symbols": "symbol2", "Letterlike": "symbol1", "Mathematics": "math"}
SCRIPTS = (
    *("Armenian", "Bengali", "Ethiopic", "Gujarati", "Gurmukhi", "Kannada"),
    *("Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu"),
)
EMOJI = "NotoEmoji"
EAST_ASIAN_FACE = "WenQuanYi Micro Hei"
# Those that are asked for letters which FiraGO lacks, in this order.
OTHERS = (EMOJI, *SIGNS, *SCRIPTS)
# They join others, choose between two forms or turn the direction, and are not drawn.
UNSEEN = frozenset(
    map(
        chr,
        (
            *range(0x200B, 0x2010),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x206A),
            *(0xFE0E, 0xFE0F),
            *range(0xE0020, 0xE0080),
        ),
    )
)
# Beginnings of the names of what WenQuanYi is asked for.
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH")
EAST_ASIAN_SIGNS = ("IDEOGRAPHIC", "POSTAL MARK", "HALFWIDTH", "KANGXI", "DITTO MARK")

# Right-to-left letters and numbers, and what is placed above, below or around others.
BIDIRECTIONAL = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"}
COMBINING = {"Mn", "Mc", "Me"}


@cache
def face(name: str) -> bytes:
    """The font file, REGULAR or BOLD."""
    file: bytes = pymupdf_fonts.fontbuffers[FACES[name]]()
    return file


@cache
def other_face(name: str) -> bytes:
    """The font file of one of OTHERS."""
    if name in SIGNS:
        file: bytes = pymupdf_fonts.fontbuffers[SIGNS[name]]()
        return file
    known = name if name == EMOJI else f"NotoSans{name}"
    return (files("manimgx_fonts") / f"{known}[wght].ttf").read_bytes()


@cache
def _letters(name: str) -> frozenset[str]:
    from fontTools.ttLib import TTFont as Tables

    tables = Tables(BytesIO(other_face(name)), lazy=True)
    return frozenset(map(chr, tables.getBestCmap()))


def others_for(text: str) -> tuple[list[str], dict[int, None]]:
    """The faces a text needs beside FiraGO, and the letters that none has.

    Those are to be left out (`str.translate`): PDF/A forbids the box that would stand for them.
    """
    lacking = {each for each in text if not each.isascii() and _is_lacking(each)}
    names = []
    for name in OTHERS if lacking else ():
        if found := lacking & _letters(name):
            names.append(name)
            lacking -= found
    return names, dict.fromkeys(map(ord, lacking))


@cache
def _is_lacking(character: str) -> bool:
    if ord(character) in fixed(REGULAR).face.charToGlyph or character in UNSEEN:
        return False
    return not unicodedata.name(character, "").startswith(EAST_ASIAN + EAST_ASIAN_SIGNS)


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


def guessed_ems(text: str, name: str) -> float:
    """How wide a text becomes that is not plain, rather too wide than too narrow."""
    return sum(_guessed_em(character, name) for character in text)


@cache
def _guessed_em(character: str, name: str) -> float:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.05
    if ord(character) in fixed(name).face.charToGlyph:
        return float(fixed(name).stringWidth(character, 1)) * 1.05
    return 0.8
