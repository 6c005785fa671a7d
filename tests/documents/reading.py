"""What stands where in a PDF, read back from its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from itertools import combinations
from typing import Any

from pypdf import PageObject, PdfReader

from billing.documents import fonts
from billing.documents.drawing import ASCENT, DESCENT
from billing.documents.fonts import BOLD, REGULAR
from billing.documents.pdf import render_pdf
from billing.invoicing.content import Content

MILLIMETRE = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Piece:
    """A text on a page; points, from the left and from the foot."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    font: str

    def overlaps(self, other: Piece) -> bool:
        return (
            min(self.right, other.right) - max(self.left, other.left) > 0.5
            and min(self.top, other.top) - max(self.bottom, other.bottom) > 1.5
        )


def read(pdf: bytes) -> Any:
    """As pypdf reads it; its objects know their types at run time only."""
    return PdfReader(BytesIO(pdf))


def texts(pdf: bytes) -> list[str]:
    """Of each page, with ordinary blanks."""
    return [
        page.extract_text().replace("\u00a0", " ").replace("\u2013", "-")
        for page in read(pdf).pages
    ]


def base_fonts(pdf: bytes) -> dict[str, Any]:
    """All fonts that any page uses, by name, with their descriptors."""
    found: dict[str, Any] = {}
    for page in read(pdf).pages:
        for resources in _resources(page):
            for font in resources.get("/Font", {}).values():
                font = font.get_object()
                below = font.get("/DescendantFonts", [font])[0].get_object()
                found[font["/BaseFont"]] = below["/FontDescriptor"].get_object()
    return found


def _resources(page: PageObject) -> list[Any]:
    own = page["/Resources"].get_object()
    forms = (each.get_object() for each in own.get("/XObject", {}).values())
    return [own, *(form["/Resources"] for form in forms if "/Resources" in form)]


def pieces(page: PageObject) -> list[Piece]:
    """Every text with the room it takes, by the widths of the documents' own face."""
    found: list[Piece] = []

    def see(
        text: str, cm: list[float], tm: list[float], font: Any, size: float
    ) -> None:
        said = text.strip("\n").rstrip()
        if not said or font is None:
            return
        points = size * abs(tm[3] * cm[3])
        left = tm[4] * cm[0] + cm[4]
        base = tm[5] * cm[3] + cm[5]
        name = str(font["/BaseFont"])
        face = fonts.fixed(BOLD if "Bold" in name else REGULAR)
        width = face.stringWidth(said, points)
        found.append(
            Piece(
                said,
                left,
                left + width,
                base - DESCENT * points,
                base + (ASCENT - 0.2) * points,
                name,
            )
        )

    page.extract_text(visitor_text=see)
    return found


def collisions(page: PageObject) -> list[tuple[str, str]]:
    return [
        (first.text, second.text)
        for first, second in combinations(pieces(page), 2)
        if first.overlaps(second)
    ]


def drawn(what: Content, **values: Any) -> list[str]:
    return texts(render_pdf(what, **values))


def words(what: Content) -> list[str]:
    """Of each page, with one blank between them."""
    return [" ".join(page.split()) for page in drawn(what)]


def on_first_page(what: Content, **values: Any) -> list[Piece]:
    return pieces(read(render_pdf(what, **values)).pages[0])
