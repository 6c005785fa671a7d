"""What a browser would send from a form as it was served."""

from __future__ import annotations

from html.parser import HTMLParser

Attributes = dict[str, str | None]


def entries_of(html: str) -> dict[str, list[str]]:
    """Names and values of the fields of the page's first guarded form.

    Raises LookupError if there is none: the page is not what it was taken for.
    """
    parser = _Form()
    parser.feed(html)
    if not parser.was_found:
        raise LookupError("The page has no form with unsaved-changes guard.")
    return parser.entries


class _Form(HTMLParser):
    """Collects the fields inside <form data-guard>, as browsers do."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, list[str]] = {}
        self.was_found = False
        self._is_inside = False
        self._select = ""
        self._first_option: str | None = None
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and "data-guard" in values and not self.was_found:
            self.was_found = self._is_inside = True
        elif not self._is_inside:
            return
        elif tag == "input":
            self._take_input(values)
        elif tag == "select":
            self._select, self._first_option = values.get("name") or "", None
        elif tag == "option" and self._select:
            self._take_option(values)
        elif tag == "textarea":
            self._textarea = values.get("name") or ""
            self._add(self._textarea, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select" and self._select:
            # Nothing was marked as selected, so a browser shows the first option.
            if self._select not in self.entries and self._first_option is not None:
                self._add(self._select, self._first_option)
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.entries[self._textarea][-1] += data

    def _take_input(self, values: Attributes) -> None:
        kind, name = values.get("type", "text"), values.get("name")
        if not name or kind in {"submit", "button", "file"}:
            return
        if kind not in {"checkbox", "radio"}:
            self._add(name, values.get("value") or "")
        elif "checked" in values:
            self._add(name, values.get("value") or "on")

    def _take_option(self, values: Attributes) -> None:
        value = values.get("value") or ""
        if self._first_option is None:
            self._first_option = value
        if "selected" in values:
            self._add(self._select, value)

    def _add(self, name: str, value: str) -> None:
        if name:
            self.entries.setdefault(name, []).append(value)
