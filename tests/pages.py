"""What a browser does with a form page: read it, change some fields, send it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.test import Client

Entries = dict[str, Any]


def entries_of(response: Any, **changes: Any) -> Entries:
    """All that a browser would send from the form on this page, with ``changes`` typed.

    A field that is changed to None is not sent at all, like a box that is not ticked.
    """
    entries: Entries = {}
    for bound in response.context["form"]:
        entries |= _entries_of_field(bound)
    if token := response.context.get("form_token"):
        entries["form_token"] = token
    return {
        name: value for name, value in (entries | changes).items() if value is not None
    }


def send(client: Client, url: str, **changes: Any) -> Any:
    """Open the form at ``url``, type ``changes`` and save."""
    page = client.get(url)
    assert page.status_code == 200, page.status_code
    return client.post(url, entries_of(page, **changes))


def errors_of(response: Any) -> dict[str, list[str]]:
    """The form's errors as the page shows them; the page must be a refusal."""
    assert response.status_code == 422, response.status_code
    errors: dict[str, list[str]] = response.context["form"].errors
    return {name: list(map(str, found)) for name, found in errors.items()}


def _entries_of_field(bound: Any) -> Entries:
    value, widget, name = bound.value(), bound.field.widget, bound.html_name
    if isinstance(widget, forms.MultiWidget):
        parts: list[Any] = (
            value if isinstance(value, list) else widget.decompress(value) or []
        )
        return {
            f"{name}_{position}": _text(part) for position, part in enumerate(parts)
        }
    if isinstance(widget, forms.CheckboxSelectMultiple | forms.SelectMultiple):
        return {name: [_text(item) for item in value or ()]}
    if isinstance(widget, forms.CheckboxInput):
        return {name: "on"} if value else {}
    if isinstance(widget, forms.FileInput):
        return {}
    if isinstance(widget, forms.Select):
        return {name: _chosen(widget, bound.field.prepare_value(value))}
    return {name: _text(bound.field.prepare_value(value))}


def _chosen(widget: forms.Select, value: Any) -> str:
    """The option that is selected; where none is, a browser takes the first."""
    wanted = "" if value is None else str(value)
    options = [
        str(key)
        for choice, label in widget.choices
        for key in (
            [k for k, _ in label] if isinstance(label, list | tuple) else [choice]
        )
    ]
    return wanted if wanted in options else next(iter(options), "")


def _text(value: Any) -> str:
    return "" if value is None else str(getattr(value, "pk", value))
