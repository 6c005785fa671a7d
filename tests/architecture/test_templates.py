"""What templates must not hold, and what they name must be there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.template.loader import get_template

BASE = Path(settings.BASE_DIR)
TEMPLATES = sorted((BASE / "templates").rglob("*.html"))
# Mail programs know styles in the text only; no policy reaches them.
PAGES = [path for path in TEMPLATES if "emails" not in path.parts]
SOURCES = [
    path
    for package in ("portal", "customers", "billing", "rateplans")
    for path in sorted((BASE / package).rglob("*.py"))
]

FORBIDDEN = re.compile(
    r"""<style|\sstyle=|\son[a-z]+=["'{]|javascript:|<script(?![^>]*\ssrc=)""",
    re.IGNORECASE,
)
COMMENT = re.compile(r"{#.*?#}|{% comment.*?endcomment %}|<!--.*?-->", re.DOTALL)
ICON = re.compile(r"""{% lucide "([^"]+)"|\bicon="([^"{]+)\"""")


def _name(path: Path) -> str:
    return str(path.relative_to(BASE))


def _text(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


def _icons_of_templates() -> set[str]:
    found = (ICON.findall(_text(path)) for path in TEMPLATES)
    return {first or second for matches in found for first, second in matches}


def _icons_of_code() -> set[str]:
    """Texts given as ``icon``: in calls, and as what a class or function has for it."""
    named = [text for text in map(Path.read_text, SOURCES) if "icon" in text]
    keywords = [
        node.value
        for text in named
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.keyword) and node.arg == "icon"
    ]
    return {
        node.value
        for node in keywords
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    }


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_page_has_no_style_or_script_of_its_own(path: Path) -> None:
    """The Content-Security-Policy would drop it silently."""
    assert FORBIDDEN.findall(_text(path)) == []


@pytest.mark.parametrize(
    "fault",
    [
        '<p style="color: red">',
        "<style>",
        "<script>go()</script>",
        '<a onclick="go()">',
        "<a href='javascript:go()'>",
    ],
)
def test_fault_is_seen(fault: str) -> None:
    assert FORBIDDEN.search(fault)


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_template_can_be_read(path: Path) -> None:
    """Also one that no test opens: its tags, and the files it extends, are known."""
    get_template(str(path.relative_to(BASE / "templates")))


@pytest.mark.parametrize("name", sorted(_icons_of_templates() | _icons_of_code()))
def test_icon_exists(name: str) -> None:
    template = Template("{% load lucide %}{% lucide name %}")
    assert "<svg" in template.render(Context({"name": name}))


def test_icons_are_found_in_both() -> None:
    assert {"chevron-right", "undo-2"} <= _icons_of_templates()
    assert {"phone", "users"} <= _icons_of_code()
