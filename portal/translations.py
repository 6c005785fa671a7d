"""The catalogues of texts: what the code marks, merged into each language, and compiled.

Django's makemessages needs the gettext tools and leaves dates and names in the files; this
needs Babel only, sees into f-strings, and writes the same bytes for the same texts.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("billing", "customers", "portal", "rateplans")
# Made-up names, and samples that only developers see.
UNTRANSLATED = ("portal/demo/", "portal/dashboard/gallery")

# A text by its context and its one or two forms.
Key = tuple[str | None, tuple[str, ...]]

_TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_TEMPLATE_CALL = re.compile(rf"\b(?:_|n?p?gettext)\(\s*{_TEXT}(?:,\s*{_TEXT})*")
# Which arguments of a function are the context and the text's forms.
_ARGUMENTS: dict[str, tuple[int | None, tuple[int, ...]]] = {
    "gettext": (None, (0,)),
    "ngettext": (None, (0, 1)),
    "pgettext": (0, (1,)),
    "npgettext": (0, (1, 2)),
}
_FUNCTIONS = {
    "_": _ARGUMENTS["gettext"],
    "gettext_noop": _ARGUMENTS["gettext"],
    **_ARGUMENTS,
    **{f"{name}_lazy": arguments for name, arguments in _ARGUMENTS.items()},
}


class StableCatalog(Catalog):
    """One language's texts; its header holds nothing that changes by itself."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Project-Id-Version", "Trunkline"),
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Content-Transfer-Encoding", "8bit\n"),
        ]


def languages() -> list[str]:
    """Those that have a catalogue; the texts in the code are English."""
    return [code for code, _name in settings.LANGUAGES if code != "en"]


def source(language: str) -> Path:
    """The catalogue that people write."""
    folder = ROOT / "portal" / "locale" / language / "LC_MESSAGES"
    return folder / "django.po"


def compiled(language: str) -> Path:
    """The catalogue that Django reads."""
    return source(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    with source(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> list[Key]:
    """Bring the catalogue in line with the code and compile it; gives what it lacks.

    Translations of texts that are gone, or were reworded, are dropped.
    """
    old, new = read(language), StableCatalog(locale=language)
    head = source(language).read_text().partition('msgid ""')[0]
    new.header_comment = head.replace("#, fuzzy\n", "").strip()
    new.fuzzy = False
    for context, forms in texts_in_use():
        text = forms if len(forms) > 1 else forms[0]
        known = old.get(text, context)
        if known and isinstance(known.id, str) != isinstance(text, str):
            known = None  # it was given a plural, or lost it
        new.add(
            text,
            known.string if known and not known.fuzzy else None,
            user_comments=known.user_comments if known else (),
            context=context,
        )
    source(language).write_bytes(_as_po(new))
    compiled(language).write_bytes(_as_mo(new))
    return untranslated(new)


def untranslated(catalogue: Catalog) -> list[Key]:
    """The texts that have no translation, or not in every form."""
    return [
        (message.context, _forms(message.id))
        for message in catalogue
        if message.id and not all(_forms(message.string or ""))
    ]


def texts_in_use() -> list[Key]:
    """Every text that the code and the templates mark, in alphabetical order."""
    found = {*_texts_in_code(), *_texts_in_templates()}
    return sorted(found, key=lambda key: (key[1], key[0] or ""))


def _texts_in_code() -> Iterator[Key]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(UNTRANSLATED):
                yield from texts_in_python(path.read_text(), name=str(path))


def _texts_in_templates() -> Iterator[Key]:
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            yield from texts_in_template(path.read_text(), name=str(path))


def texts_in_template(content: str, *, name: str) -> Iterator[Key]:
    for call in _TEMPLATE_CALL.findall(templatize(content, origin=name)):
        yield from texts_in_python(f"{call})", name=name)


def texts_in_python(content: str, *, name: str) -> Iterator[Key]:
    """The texts marked in ``content``. Raises ValueError for one that nobody can know.

    Variables are let pass: they hold texts that are marked elsewhere.
    """
    for node in ast.walk(ast.parse(content, name)):
        if not isinstance(node, ast.Call):
            continue
        function = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if function not in _FUNCTIONS:
            continue
        if any(isinstance(each, ast.JoinedStr) for each in node.args):
            raise ValueError(
                f"{name}:{node.lineno}: a marked text cannot be an f-string"
            )
        context, forms = _FUNCTIONS[function]
        texts = [_constant(node, index) for index in forms]
        if all(texts):
            where = None if context is None else _constant(node, context)
            yield where, tuple(map(str, texts))


def _constant(call: ast.Call, index: int) -> str | None:
    value = call.args[index] if index < len(call.args) else None
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return str(value.value) if is_text else None  # type: ignore[union-attr]


def _forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _as_po(catalogue: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalogue, width=88, no_location=True, sort_output=True)
    return file.getvalue().rstrip() + b"\n"


def _as_mo(catalogue: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()
