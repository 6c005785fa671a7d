"""A custom setting: what a plan says in place of the portal's own words."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.core.forms import Columns, Section
from portal.core.row_forms import RowForm, model_field
from rateplans.choices import CustomName
from rateplans.models import CustomSetting
from rateplans.texts import LONGEST_TEXT, RULES

ALL_LANGUAGES = _("All languages")


def language_choices() -> list[tuple[str, Any]]:
    return [("", ALL_LANGUAGES), *settings.LANGUAGES]


class CustomForm(RowForm):
    """``name`` is what the setting is for; None lets one choose, for a new one."""

    name = forms.ChoiceField(label=_("What"), choices=CustomName.choices)
    language = model_field(CustomSetting, "language")
    reach = model_field(
        CustomSetting,
        "reach",
        widget=forms.RadioSelect,
        help_text=_(
            "A reseller below can say something else to its own customers, in its plans."
        ),
    )
    value = forms.CharField(
        label=_("Text"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea({"rows": 10}),
        help_text=_(
            "Plain text. An empty line begins a paragraph; words in braces are filled in."
        ),
    )

    def __init__(self, *args: Any, name: CustomName | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label=self.fields["language"].label,
            choices=language_choices(),
            required=False,
            help_text=self.fields["language"].help_text,
        )
        which: list[Any] = ["name", "language"]
        if name is not None:
            del self.fields["name"]
            which.remove("name")
            if RULES[name].is_line:
                self.fields["value"].widget.attrs["rows"] = 2
        self.helper.layout = Layout(
            "seen",
            Section(
                _("What it is for"), Columns(*which), "reach", id="for", is_open=True
            ),
            Section(_("In your own words"), "value", id="words", is_open=True),
        )


class PreviewForm(forms.Form):
    """What the preview needs of a form that one is still filling in."""

    name = forms.ChoiceField(choices=CustomName.choices)
    language = forms.ChoiceField(choices=language_choices, required=False)
    value = forms.CharField(max_length=LONGEST_TEXT, required=False)
