"""What a PDF says of itself: that it is PDF/A-3, and holds the XML of Factur-X."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import (
    Element,
    SubElement,
    fromstring,
    register_namespace,
    tostring,
)

XML_NAME = "factur-x.xml"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
SCHEMA = "http://www.aiim.org/pdfa/ns/schema#"
PROPERTY = "http://www.aiim.org/pdfa/ns/property#"
PREFIXES = {
    "fx": FX,
    "pdfaExtension": EXTENSION,
    "pdfaSchema": SCHEMA,
    "pdfaProperty": PROPERTY,
}
# The four properties, their values, and what the schema says of each.
PROPERTIES = (
    ("DocumentFileName", XML_NAME, "The name of the embedded XML document"),
    ("DocumentType", "INVOICE", "The type of the hybrid document"),
    ("Version", "1.0", "The version of the standard of the embedded XML document"),
    ("ConformanceLevel", "EN 16931", "The profile of the embedded XML document"),
)


def describe_xml(document: Any) -> None:
    """Have a rendered WeasyPrint document say that the invoice is in it as XML.

    WeasyPrint's own option appends a second RDF, which readers overlook; so the method
    that makes the first is wrapped.
    """
    metadata = document.metadata
    generate = metadata.generate_rdf_metadata

    def with_xml(*arguments: Any) -> bytes:
        for prefix, uri in PREFIXES.items():
            register_namespace(prefix, uri)
        rdf = fromstring(generate(*arguments))
        _add_values(rdf)
        _add_schema(rdf)
        described: bytes = tostring(rdf, encoding="utf-8")
        return described

    metadata.generate_rdf_metadata = with_xml


def _description(rdf: Element) -> Element:
    return SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})


def _add_values(rdf: Element) -> None:
    description = _description(rdf)
    for name, value, _meaning in PROPERTIES:
        SubElement(description, f"{{{FX}}}{name}").text = value


def _add_schema(rdf: Element) -> None:
    """PDF/A wants every property declared that is not its own."""
    schemas = SubElement(_description(rdf), f"{{{EXTENSION}}}schemas")
    bag = SubElement(schemas, f"{{{RDF}}}Bag")
    schema = _resource(bag)
    SubElement(schema, f"{{{SCHEMA}}}schema").text = "Factur-X PDFA Extension Schema"
    SubElement(schema, f"{{{SCHEMA}}}namespaceURI").text = FX
    SubElement(schema, f"{{{SCHEMA}}}prefix").text = "fx"
    declared = SubElement(schema, f"{{{SCHEMA}}}property")
    sequence = SubElement(declared, f"{{{RDF}}}Seq")
    for name, _value, meaning in PROPERTIES:
        item = _resource(sequence)
        SubElement(item, f"{{{PROPERTY}}}name").text = name
        SubElement(item, f"{{{PROPERTY}}}valueType").text = "Text"
        SubElement(item, f"{{{PROPERTY}}}category").text = "external"
        SubElement(item, f"{{{PROPERTY}}}description").text = meaning


def _resource(parent: Element) -> Element:
    return SubElement(parent, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})
