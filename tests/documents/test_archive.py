"""What archives and machines ask of a file: PDF/A-3, its XML inside, the same bytes again."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from facturx import get_facturx_level, get_xml_from_pdf
from lxml import etree
from PIL import Image
from pypdf.generic import BooleanObject

from billing.documents import engine
from billing.documents.metadata import EXTENSION, FX, PROPERTIES, PROPERTY, SCHEMA
from billing.documents.pdf import render_pdf
from billing.einvoice.cii import cii
from billing.invoicing.content import Content, freeze, thaw
from tests.documents.reading import base_fonts, read, texts
from tests.documents.samples import content, credit_note, itemised

PDFA = "http://www.aiim.org/pdfa/ns/id/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DIFFERENT = {
    "one page": content,
    "list": lambda: itemised(60),
    "list of Pango's": lambda: itemised(60, text="مكالمة {}"),
    "credit note": credit_note,
}


@pytest.fixture(params=DIFFERENT.values(), ids=list(DIFFERENT))
def what(request: pytest.FixtureRequest) -> Content:
    drawn: Content = request.param()
    return drawn


def logo() -> bytes:
    target = BytesIO()
    Image.new("RGBA", (120, 40), (11, 92, 143, 128)).save(target, "PNG")
    return target.getvalue()


def xml_of(what: Content) -> bytes:
    return cii(what.document)


def xmp(pdf: bytes) -> Any:
    data = read(pdf).trailer["/Root"]["/Metadata"].get_object().get_data()
    return ElementTree.fromstring(data)


def test_file_is_pdf_a_3b(what: Content) -> None:
    pdf = render_pdf(what, logo=logo(), xml=xml_of(what))
    assert pdf.startswith(b"%PDF-1.7")
    (description,) = (
        each
        for each in xmp(pdf).iter(f"{{{RDF}}}Description")
        if f"{{{PDFA}}}part" in each.attrib
    )
    assert description.attrib[f"{{{PDFA}}}part"] == "3"
    assert description.attrib[f"{{{PDFA}}}conformance"] == "B"
    reader = read(pdf)
    (intent,) = reader.trailer["/Root"]["/OutputIntents"]
    assert intent.get_object()["/S"] == "/GTS_PDFA1"
    assert len(reader.trailer["/ID"]) == 2
    assert "/Encrypt" not in reader.trailer


def test_no_image_is_smoothed(what: Content) -> None:
    """PDF/A forbids it, and WeasyPrint asks for it unless told otherwise."""
    reader = read(render_pdf(what, logo=logo()))
    images = [
        each.get_object()
        for each in reader.pages[0]["/Resources"]["/XObject"].values()
        if each.get_object()["/Subtype"] == "/Image"
    ]
    assert images
    for image in images:
        assert image["/Interpolate"] == BooleanObject(False)
        assert image["/SMask"]["/Interpolate"] == BooleanObject(False)


def test_all_fonts_are_embedded_and_ours(what: Content) -> None:
    found = base_fonts(render_pdf(what))
    assert found
    for name, descriptor in found.items():
        assert "FiraGO" in name
        assert "/FontFile2" in descriptor


def test_xml_is_in_it_as_factur_x_wants(what: Content) -> None:
    xml = xml_of(what)
    pdf = render_pdf(what, xml=xml)
    root = read(pdf).trailer["/Root"]
    name, reference = root["/Names"]["/EmbeddedFiles"]["/Names"]
    assert name == "factur-x.xml"
    file = reference.get_object()
    assert file["/AFRelationship"] == "/Alternative"
    assert file["/UF"] == "factur-x.xml"
    assert [each.get_object() for each in root["/AF"]] == [file], "named once"
    stream = file["/EF"]["/F"].get_object()
    assert stream["/Subtype"] == "/text/xml"
    assert stream.get_data() == xml
    assert stream["/Params"]["/ModDate"].startswith("D:20261201")


def test_metadata_names_the_xml_and_declares_the_names(what: Content) -> None:
    found = xmp(render_pdf(what, xml=xml_of(what)))
    assert len(list(found.iter(f"{{{RDF}}}RDF"))) == 1, "readers look at the first only"
    for name, value, _meaning in PROPERTIES:
        (said,) = found.iter(f"{{{FX}}}{name}")
        assert said.text == value
    (schema,) = found.iter(f"{{{EXTENSION}}}schemas")
    (namespace,) = schema.iter(f"{{{SCHEMA}}}namespaceURI")
    assert namespace.text == FX
    declared = [each.text for each in schema.iter(f"{{{PROPERTY}}}name")]
    assert declared == [name for name, _value, _meaning in PROPERTIES]


def test_readers_of_others_find_the_xml(what: Content) -> None:
    xml = xml_of(what)
    name, found = get_xml_from_pdf(render_pdf(what, xml=xml), check_xsd=True)
    assert name == "factur-x.xml"
    assert found == xml
    assert get_facturx_level(etree.fromstring(found)) == "en16931"


def test_without_xml_nothing_is_said_of_any(what: Content) -> None:
    pdf = render_pdf(what)
    root = read(pdf).trailer["/Root"]
    assert "/AF" not in root
    assert "/EmbeddedFiles" not in root.get("/Names", {})
    assert not [each for each in xmp(pdf).iter() if each.tag.startswith(f"{{{FX}}}")]


def test_same_content_gives_the_same_bytes(what: Content) -> None:
    first = render_pdf(what, logo=logo(), xml=xml_of(what))
    again = render_pdf(thaw(freeze(what)), logo=logo(), xml=xml_of(what))
    assert first == again


PROGRAM = """
import hashlib, sys
import django
django.setup()
from billing.documents.pdf import render_pdf
from tests.documents.samples import content, itemised
for what in (content(), itemised(60)):
    print(hashlib.sha256(render_pdf(what, xml=b"<xml/>")).hexdigest())
"""


def test_another_process_gives_the_same_bytes() -> None:
    """Whatever the order of its sets, and on another day."""
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(settings.BASE_DIR),
        check=True,
        capture_output=True,
        text=True,
    )
    here = [
        hashlib.sha256(render_pdf(each, xml=b"<xml/>")).hexdigest()
        for each in (content(), itemised(60))
    ]
    assert told.stdout.split() == here


def test_different_contents_have_different_identifiers() -> None:
    pdfs = [
        render_pdf(content()),
        render_pdf(content(customer_number="2")),
        render_pdf(content(), xml=b"<xml/>"),
        render_pdf(content(), preview=True),
        render_pdf(content(), logo=logo()),
    ]
    assert len({bytes(read(pdf).trailer["/ID"][0].original_bytes) for pdf in pdfs}) == 5


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/logo.png",
        "https://example.com/style.css",
        "file:///etc/hostname",
        "data:image/png;base64,AAAA",
        "document:other",
        "ftp://127.0.0.1/x",
    ],
)
@pytest.mark.parametrize(
    "html",
    [
        '<img src="{}">',
        '<link rel="stylesheet" href="{}">',
        '<object data="{}"></object>',
    ],
)
def test_nothing_is_fetched(
    html: str, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "weasyprint"):
        engine.render(html.format(address), "", {"logo": logo()})
    assert "Documents fetch nothing" in caplog.text


def test_a_document_is_drawn_without_a_complaint(
    what: Content, caplog: pytest.LogCaptureFixture
) -> None:
    """WeasyPrint says by log what it does not understand or cannot find."""
    with caplog.at_level(logging.WARNING):
        render_pdf(what, logo=logo(), xml=xml_of(what), preview=True)
    assert caplog.records == []


def test_markup_in_names_is_text() -> None:
    name = '<img src="http://127.0.0.1/x">&amp;'
    said = texts(render_pdf(content(buyer_lines=(name,))))
    assert name in said[0]
