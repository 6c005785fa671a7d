"""A person, as an administrator of the account sees it (D 7.1)."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import HTML, Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from customers.choices import country_choices, time_zone_choices
from customers.forms.parts import AS_TYPED, FeatureForm, model_field, name_field
from customers.models import Customer, Person, Role
from customers.selectors import username_is_taken
from portal.core.forms import Columns, EmailsField, NumberField, Section
from portal.core.validators import validate_digits

_KEY_BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_KEY_END = "-----END PGP PUBLIC KEY BLOCK-----"


class PersonForm(FeatureForm):
    """Every field of D 7.1 but the password, which people choose for themselves."""

    username = model_field(
        Person,
        "username",
        widget=forms.TextInput(AS_TYPED),
        error_messages={"required": _("Enter a user name.")},
    )
    emails = EmailsField(
        label=_("E-mail"),
        required=False,
        max_length=500,
        help_text=_("Separate several addresses by commas."),
    )
    is_active = model_field(Person, "is_active")
    title = name_field(Person, "title")
    first_name = name_field(Person, "first_name")
    last_name = name_field(Person, "last_name")
    company = name_field(Person, "company")
    description = model_field(Person, "description", widget=forms.Textarea({"rows": 3}))
    extension = model_field(
        Person,
        "extension",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    date_format = model_field(Person, "date_format")
    time_format = model_field(Person, "time_format")
    source_ips = model_field(
        Person,
        "source_ips",
        widget=forms.TextInput(
            {**AS_TYPED, "placeholder": "192.0.2.10, 2001:db8::/32"}
        ),
    )
    public_key = model_field(
        Person,
        "public_key",
        widget=forms.Textarea({**AS_TYPED, "rows": 5, "placeholder": _KEY_BEGIN}),
        help_text=_("For those who write to this person encrypted."),
    )

    def __init__(
        self,
        *args: Any,
        account: Customer,
        roles: QuerySet[Role],
        person_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.person_id = person_id
        self.fields["extension"].validators.append(validate_digits)
        self.fields["role"] = forms.ModelChoiceField(
            label=_("Role"),
            queryset=roles,
            error_messages={"required": _("Choose what this person may do.")},
            help_text=_("Decides what this person sees and may change."),
        )
        self.fields |= _choices_of(account) | _numbers_of(account)
        self.helper.layout = Layout("seen", *self.sections())

    def sections(self) -> list[Any]:
        return [
            Section(
                _("Login"),
                "username",
                HTML('<div id="username-check" aria-live="polite"></div>'),
                "emails",
                "role",
                "is_active",
                id="sign-in",
                is_open=True,
            ),
            Section(
                _("Person"),
                Columns("title", "first_name", "last_name"),
                "company",
                "description",
                id="person",
                is_open=True,
            ),
            Section(
                _("Contact"),
                Columns("telephone", "mobile"),
                Columns("fax", "extension"),
                "country",
                id="contact",
            ),
            Section(
                _("Language and time"),
                Columns("language", "time_zone"),
                Columns("date_format", "time_format"),
                id="language",
            ),
            Section(_("Security"), "source_ips", "public_key", id="security"),
        ]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        username = data.get("username")
        if username and username_is_taken(username, except_id=self.person_id):
            message = _("This user name is taken.")
            self.add_error("username", ValidationError(message, code="taken"))
        return data

    def clean_public_key(self) -> str:
        key: str = self.cleaned_data["public_key"].strip()
        if key and not (key.startswith(_KEY_BEGIN) and key.endswith(_KEY_END)):
            raise ValidationError(
                _("Paste the whole public key, from %(begin)s to %(end)s."),
                code="public_key",
                params={"begin": _KEY_BEGIN, "end": _KEY_END},
            )
        return key


class NewPersonForm(PersonForm):
    """A person to be; without a user name, the first e-mail address is it."""

    own_fields = PersonForm.own_fields | {"sends_login_details"}

    sends_login_details = forms.BooleanField(
        label=_("Send login details"),
        required=False,
        initial=True,
        help_text=_("A mail with the user name and a link to choose a password."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.required = False
        username.help_text = _("Leave empty to use the first e-mail address.")

    def sections(self) -> list[Any]:
        first, *others = super().sections()
        first.fields.append("sends_login_details")
        return [first, *others]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "username" in data and not data["username"]:
            data["username"] = (data.get("emails") or "").split(", ")[0]
            if not data["username"]:
                message = _("Enter a user name or an e-mail address.")
                self.add_error("username", ValidationError(message, code="required"))
        return super().clean()


class OwnPersonForm(PersonForm):
    """Oneself: nobody takes rights or the sign-in away from oneself by mistake."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("role", "is_active"):
            self.fields[name].disabled = True
            self.fields[name].help_text = _(
                "Only somebody else can change this for you."
            )


def _choices_of(account: Customer) -> dict[str, forms.Field]:
    """The choices whose first option is what holds for the whole account."""
    language = account.language or settings.LANGUAGE_CODE
    own_language = get_language_info(language)["name_translated"]
    own_zone = account.time_zone.replace("_", " ")
    return {
        "country": forms.ChoiceField(
            label=_("Country"),
            required=False,
            choices=lambda: [("", _("Not given")), *country_choices()],
        ),
        "language": forms.ChoiceField(
            label=_("Language"),
            required=False,
            choices=[
                ("", _("As the account (%s)") % own_language),
                *settings.LANGUAGES,
            ],
        ),
        "time_zone": forms.ChoiceField(
            label=_("Time zone"),
            required=False,
            choices=[("", _("As the account (%s)") % own_zone), *time_zone_choices()],
        ),
    }


def _numbers_of(account: Customer) -> dict[str, forms.Field]:
    """Telephone numbers may be typed as one dials them in the account's country."""
    return {
        name: NumberField(
            label=model_field(Person, name).label,
            required=False,
            max_length=40,
            country=account.country,
        )
        for name in ("telephone", "mobile", "fax")
    }
