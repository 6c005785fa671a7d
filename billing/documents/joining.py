"""Puts the pages of a list behind the front, on the stationery that the front brings."""

from __future__ import annotations

from io import BytesIO

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    StreamObject,
)

STATIONERY = "/Stationery"


def join(front: bytes, listing: bytes, *, stationery: int) -> bytes:
    """Both as one file, which stays PDF/A where both are.

    The last ``stationery`` pages of ``front`` are no pages of their own: they lie under those
    of ``listing``, one under each, or a single one under all.
    """
    writer = PdfWriter(clone_from=BytesIO(front))
    writer.pdf_header = "%PDF-1.7"
    sheets = list(writer.pages[-stationery:])
    forms = [_as_form(writer, sheet) for sheet in sheets]
    for _sheet in sheets:
        writer.remove_page(len(writer.pages) - 1)
    for at, page in enumerate(PdfReader(BytesIO(listing)).pages):
        _lay_under(writer, writer.add_page(page), forms[min(at, stationery - 1)])
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def _as_form(writer: PdfWriter, page: PageObject) -> IndirectObject:
    """A page as something that other pages draw, kept once in the file."""
    contents = page.get_contents()
    assert contents is not None
    form = StreamObject()
    form.set_data(contents.get_data())
    form[NameObject("/Type")] = NameObject("/XObject")
    form[NameObject("/Subtype")] = NameObject("/Form")
    form[NameObject("/FormType")] = NumberObject(1)
    form[NameObject("/BBox")] = page["/MediaBox"].get_object()
    form[NameObject("/Resources")] = page.raw_get("/Resources")
    return writer._add_object(form.flate_encode())


def _lay_under(writer: PdfWriter, page: PageObject, form: IndirectObject) -> None:
    """Written here rather than merged by pypdf, which would read all of a page's content."""
    resources = page["/Resources"].get_object()
    assert isinstance(resources, DictionaryObject)
    resources[NameObject("/XObject")] = DictionaryObject({NameObject(STATIONERY): form})
    drawing = StreamObject()
    drawing.set_data(f"q {STATIONERY} Do Q\n".encode())
    page[NameObject("/Contents")] = ArrayObject(
        [writer._add_object(drawing), page.raw_get("/Contents")]
    )
