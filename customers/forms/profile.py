"""Settings: about oneself."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from customers.choices import DateFormat, TimeFormat, time_zone_choices
from customers.forms.sign_in import ChoosePasswordForm, CodeField, PasswordField
from customers.models import Person
from customers.services.people import PROFILE_FIELDS
from portal.core.forms import Columns, EmailsField, NumberField, PortalForm, Section


class ProfileForm(PortalForm):
    """What people change about themselves; no language or zone: the company's."""

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        initial = {name: getattr(person, name) for name in PROFILE_FIELDS}
        super().__init__(*args, initial=initial, **kwargs)
        country = person.country or person.customer.country
        self.fields |= {
            "title": forms.CharField(
                label=_("Title"),
                required=False,
                max_length=30,
                widget=forms.TextInput({"autocomplete": "honorific-prefix"}),
            ),
            "first_name": forms.CharField(
                label=_("First name"),
                required=False,
                max_length=60,
                widget=forms.TextInput({"autocomplete": "given-name"}),
            ),
            "last_name": forms.CharField(
                label=_("Last name"),
                required=False,
                max_length=60,
                widget=forms.TextInput({"autocomplete": "family-name"}),
            ),
            "emails": EmailsField(
                label=_("E-mail"),
                required=False,
                max_length=500,
                help_text=_(
                    "Links to choose a password go here. Separate several by commas."
                ),
                widget=forms.TextInput({"autocomplete": "email"}),
            ),
            "telephone": NumberField(
                label=_("Telephone"), required=False, country=country, max_length=40
            ),
            "mobile": NumberField(
                label=_("Mobile"), required=False, country=country, max_length=40
            ),
            "fax": NumberField(
                label=_("Fax"), required=False, country=country, max_length=40
            ),
            "language": forms.ChoiceField(
                label=_("Language"),
                required=False,
                choices=_language_choices(person),
            ),
            "time_zone": forms.ChoiceField(
                label=_("Time zone"),
                required=False,
                choices=[
                    (
                        "",
                        gettext("Company's (%(value)s)")
                        % {"value": person.customer.time_zone.replace("_", " ")},
                    ),
                    *time_zone_choices(),
                ],
            ),
            "date_format": forms.ChoiceField(
                label=_("Date format"), choices=DateFormat.choices
            ),
            "time_format": forms.ChoiceField(
                label=_("Time format"), choices=TimeFormat.choices
            ),
            "public_key": forms.CharField(
                label=_("GPG public key"),
                required=False,
                max_length=20_000,
                widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
            ),
        }
        self.helper.layout = Layout(
            Section(
                _("Person"),
                Columns("first_name", "last_name"),
                Columns("title"),
                id="person",
                is_open=True,
            ),
            Section(
                _("Contact"),
                Columns("emails", "telephone"),
                Columns("mobile", "fax"),
                id="contact",
                is_open=True,
            ),
            Section(
                _("Language and time"),
                Columns("language", "time_zone"),
                Columns("date_format", "time_format"),
                id="language-and-time",
                description=_("Every page is shown to you this way."),
                is_open=True,
            ),
            Section(_("Encryption"), "public_key", id="encryption"),
        )


class PasswordChangeForm(ChoosePasswordForm):
    """The old password, and the new one twice."""

    old_password = PasswordField(
        label=_("Present password"),
        error_messages={"required": _("Enter the password you log in with now.")},
    )
    field_order = ("old_password", "new_password1", "new_password2")


class SecondFactorSetUpForm(PortalForm):
    """The first code of the app proves that it has the secret."""

    code = CodeField(
        label=_("Code from the app"),
        help_text=_("Six digits; the app shows new ones every half minute."),
        error_messages={"required": _("Enter the six digits that the app shows.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class PasswordConfirmForm(PortalForm):
    """Something that wants the password once more."""

    password = PasswordField(
        label=_("Your password"), error_messages={"required": _("Enter your password.")}
    )


class SecondFactorOffForm(PasswordConfirmForm):
    code = forms.CharField(
        label=_("Code from the app, or a recovery code"),
        max_length=40,
        error_messages={"required": _("Enter a code.")},
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autocapitalize": "none"}
        ),
    )


def _language_choices(person: Person) -> list[tuple[str, str]]:
    """Each language by its own name; first the one that holds when none is chosen."""
    default = person.customer.language or settings.LANGUAGE_CODE
    company = gettext("Company's (%(value)s)") % {"value": _own_name(default)}
    return [
        ("", company),
        *((code, _own_name(code)) for code, _n in settings.LANGUAGES),
    ]


def _own_name(code: str) -> str:
    name: str = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]
