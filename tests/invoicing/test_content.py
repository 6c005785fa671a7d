"""What was frozen once can be read for ever, whatever the code has become meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from billing.documents.pdf import render_pdf
from billing.invoicing.content import freeze, thaw

# One file for each version, never to be changed: documents like these are in databases.
FROZEN = sorted((Path(__file__).parent / "frozen").glob("*.json"))


def read_again(old: Any) -> Any:
    """What a row would hold that is frozen anew, as JSON gives it back."""
    return json.loads(json.dumps(freeze(thaw(old))))


def lost(old: Any, new: Any, where: str = "") -> list[str]:
    """Where ``new`` does not say what ``old`` said; what is new in it does not matter."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            place
            for name, value in old.items()
            for place in lost(value, new.get(name), f"{where}.{name}")
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            place
            for number, (before, after) in enumerate(zip(old, new, strict=True))
            for place in lost(before, after, f"{where}[{number}]")
        ]
    return [] if old == new else [where]


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.stem)
def test_an_old_document_thaws_and_nothing_of_it_is_lost(path: Path) -> None:
    old = json.loads(path.read_text())

    assert lost(old, read_again(old)) == []


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.stem)
def test_an_old_document_is_drawn(path: Path) -> None:
    assert render_pdf(thaw(json.loads(path.read_text()))).startswith(b"%PDF-1.7")


def test_a_version_that_nobody_knows_is_refused() -> None:
    old = json.loads(FROZEN[-1].read_text())

    with pytest.raises(msgspec.ValidationError, match="Version 99"):
        thaw({**old, "version": 99})


def test_a_value_that_would_be_dropped_is_noticed() -> None:
    old = json.loads(FROZEN[-1].read_text())
    old["look"]["slogan"] = "Ring the world"

    assert lost(old, read_again(old)) == [".look.slogan"]
