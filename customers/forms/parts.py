"""What the forms of people, lines, numbers and mailboxes have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.forms import PortalForm
from portal.core.validators import validate_name

# SIP user names and the like: no correction, no capital at the start.
AS_TYPED = {
    "autocapitalize": "none",
    "autocomplete": "off",
    "autocorrect": "off",
    "spellcheck": "false",
}


class FeatureForm(PortalForm):
    """A form about one row; ``seen`` tells the state it was opened in."""

    # Fields that are about the form itself and not told to the service.
    own_fields: ClassVar[frozenset[str]] = frozenset({"seen"})

    seen = forms.CharField(required=False, max_length=24, widget=forms.HiddenInput)

    def values(self) -> dict[str, Any]:
        """What was entered, by the names of the service."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in self.own_fields
        }


def model_field(model: type[models.Model], name: str, **options: Any) -> Any:
    """The form field of a model's field: its label, help, length and validators."""
    field: Any = model._meta.get_field(name)
    return field.formfield(validators=field.validators, **options)


def name_field(model: type[models.Model], name: str, **options: Any) -> Any:
    """A name that people read: any script, but nothing invisible or deceiving."""
    field = model_field(model, name, **options)
    field.validators.append(validate_name)
    return field


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
