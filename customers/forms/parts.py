"""What the forms of people, lines, numbers and mailboxes have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.row_forms import RowForm as FeatureForm
from portal.core.row_forms import model_field, name_field

__all__ = ["AS_TYPED", "FeatureForm", "SuggestInput", "model_field", "name_field"]

# SIP user names and the like: no correction, no capital at the start.
AS_TYPED = {
    "autocapitalize": "none",
    "autocomplete": "off",
    "autocorrect": "off",
    "spellcheck": "false",
}


class SuggestInput(forms.TextInput):
    """A text field that proposes values; anything else may be typed as well.

    ``suggestions`` gives (value, label) pairs when the field is shown.
    """

    def __init__(
        self, suggestions: Callable[[], Iterable[tuple[str, str]]], **attrs: Any
    ) -> None:
        super().__init__(attrs)
        self.suggestions = suggestions

    def render(
        self, name: str, value: Any, attrs: Any = None, renderer: Any = None
    ) -> SafeString:
        list_id = f"{(attrs or {}).get('id', name)}-list"
        field = super().render(
            name, value, {**(attrs or {}), "list": list_id}, renderer
        )
        options = format_html_join(
            "", '<option value="{}">{}</option>', self.suggestions()
        )
        return format_html('{}<datalist id="{}">{}</datalist>', field, list_id, options)
