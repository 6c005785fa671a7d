"""Puts the pages of a list behind the front, on the stationery that the front brings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
)


def join(front: bytes, listing: bytes, layers: Iterable[bytes]) -> bytes:
    """All as one file, which stays PDF/A where all are.

    The last page of ``front`` is none of its own: it lies under every page of ``listing``. The
    pages of ``layers``, one after the other, lie under one page each.
    """
    writer = PdfWriter(clone_from=BytesIO(front))
    writer.pdf_header = "%PDF-1.7"
    sheet = writer.pages[-1]
    stationery = _as_form(writer, sheet, sheet.raw_get("/Resources"))
    writer.remove_page(len(writer.pages) - 1)
    under = _forms(writer, layers)
    for page in PdfReader(BytesIO(listing)).pages:
        own = next(under, None)
        _lay_under(
            writer, writer.add_page(page), [stationery, own] if own else [stationery]
        )
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def _forms(writer: PdfWriter, layers: Iterable[bytes]) -> Iterator[IndirectObject]:
    for layer in layers:
        for page in PdfReader(BytesIO(layer)).pages:
            yield _as_form(writer, page, page["/Resources"].clone(writer))


def _as_form(
    writer: PdfWriter, page: PageObject, resources: PdfObject
) -> IndirectObject:
    """A page as something that other pages draw, kept once in the file."""
    contents = page.get_contents()
    assert contents is not None
    form = StreamObject()
    form.set_data(contents.get_data())
    form[NameObject("/Type")] = NameObject("/XObject")
    form[NameObject("/Subtype")] = NameObject("/Form")
    form[NameObject("/FormType")] = NumberObject(1)
    form[NameObject("/BBox")] = ArrayObject(page.mediabox)
    form[NameObject("/Resources")] = resources
    return writer._add_object(form.flate_encode())


def _lay_under(
    writer: PdfWriter, page: PageObject, forms: Sequence[IndirectObject]
) -> None:
    """Written here rather than merged by pypdf, which would read all of a page's content."""
    resources = page["/Resources"].get_object()
    assert isinstance(resources, DictionaryObject)
    named = {NameObject(f"/Under{at}"): form for at, form in enumerate(forms)}
    resources[NameObject("/XObject")] = DictionaryObject(named)
    drawing = StreamObject()
    drawing.set_data("".join(f"q {name} Do Q\n" for name in named).encode())
    page[NameObject("/Contents")] = ArrayObject(
        [writer._add_object(drawing), page.raw_get("/Contents")]
    )
