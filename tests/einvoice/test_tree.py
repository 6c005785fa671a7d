"""How texts and amounts are written into a tree."""

from __future__ import annotations

import pytest
from lxml import etree

from billing.einvoice.tree import Node

NAMES: dict[str | None, str] = {None: "urn:example"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ber\x0blin", "Berlin"),
        ("A\ufffeB\uffff", "AB"),
        ("\ud800A", "A"),
        ("Tab\tand\nline", "Tab\tand\nline"),
        ("𝔘nd 🍕", "𝔘nd 🍕"),
        ("<b> & co", "<b> & co"),
    ],
)
def test_what_xml_has_no_place_for_is_left_out(text: str, written: str) -> None:
    root = Node.root("Root", NAMES)
    root.text("Name", text)

    [name] = etree.fromstring(root.serialized())

    assert name.text == written
