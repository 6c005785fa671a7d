"""A document tree, element by element in the order that a schema wants."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

# All that XML 1.0 (section 2.2) has no place for; old rows may hold such signs.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Node:
    """An element to put others into; names are written "cbc:ID"."""

    def __init__(self, element: Any) -> None:
        self.element = element

    @classmethod
    def root(cls, name: str, namespaces: dict[str | None, str]) -> Node:
        prefix, _colon, local = name.rpartition(":")
        uri = namespaces[prefix or None]
        return cls(etree.Element(f"{{{uri}}}{local}", nsmap=namespaces))

    def add(self, name: str, **attributes: str) -> Node:
        return Node(self._append(name, attributes))

    def text(self, name: str, value: str, **attributes: str) -> None:
        """An element with a text; nothing at all for an empty one."""
        if value:
            self._append(name, attributes).text = _FORBIDDEN.sub("", value)

    def number(self, name: str, value: Decimal, **attributes: str) -> None:
        self._append(name, attributes).text = plain(value)

    def day(self, name: str, value: date | None) -> None:
        if value is not None:
            self.text(name, value.isoformat())

    def serialized(self) -> bytes:
        document: bytes = etree.tostring(
            self.element, xml_declaration=True, encoding="UTF-8", pretty_print=True
        )
        return document

    def _append(self, name: str, attributes: dict[str, str]) -> Any:
        prefix, _colon, local = name.rpartition(":")
        uri = self.element.nsmap[prefix or None]
        return etree.SubElement(self.element, f"{{{uri}}}{local}", attributes)


def plain(value: Decimal) -> str:
    """Digits and a point: an exponent is no xs:decimal.

    No zeros after the second place: a sum in dinars of three has no more (BR-DEC).
    """
    whole, point, places = f"{value:f}".partition(".")
    return f"{whole}{point}{places[:2]}{places[2:].rstrip('0')}"
