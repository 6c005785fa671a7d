"""Forms of people who are not signed in yet, and those that ask for a password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    get_default_password_validators,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Person
from portal.core.forms import PortalForm

# User names are neither words nor sentences: no correction, no capital at the start.
_AS_TYPED = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}


class PasswordField(forms.CharField):
    """A password: taken as it is, never shown again, offered to the password manager.

    ``is_new`` makes the browser propose one instead of filling in the known one.
    """

    def __init__(self, *, is_new: bool = False, **kwargs: Any) -> None:
        attrs = {"autocomplete": "new-password" if is_new else "current-password"}
        kwargs.setdefault("strip", False)
        kwargs.setdefault(
            "max_length", 200
        )  # hashing an endless one would take for ever
        kwargs.setdefault("widget", forms.PasswordInput(attrs=attrs))
        super().__init__(**kwargs)


class CodeField(forms.CharField):
    """The six digits an authenticator app shows."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 20)
        super().__init__(**kwargs)
        self.widget.attrs.update(
            {
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "pattern": "[0-9 ]*",
            }
        )


class SignInForm(PortalForm):
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        error_messages={"required": _("Enter your user name.")},
        widget=forms.TextInput(attrs={"autocomplete": "username", **_AS_TYPED}),
    )
    password = PasswordField(
        label=_("Password"), error_messages={"required": _("Enter your password.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = "password" if self.initial.get("username") else "username"
        self.fields[first].widget.attrs["autofocus"] = True


class CodeForm(PortalForm):
    """The second step: a code of the app."""

    code = CodeField(
        label=_("Code"), error_messages={"required": _("Enter the six digits.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class RecoveryCodeForm(PortalForm):
    """The second step without the app."""

    code = forms.CharField(
        label=_("Recovery code"),
        max_length=40,
        error_messages={"required": _("Enter one of your recovery codes.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autofocus": True, **_AS_TYPED}
        ),
    )


class PasswordForgottenForm(PortalForm):
    identity = forms.CharField(
        label=_("User name or e-mail address"),
        max_length=254,
        error_messages={"required": _("Enter your user name or your e-mail address.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autofocus": True, **_AS_TYPED}
        ),
    )


class ChoosePasswordForm(PortalForm):
    """A new password, twice. Its rules are checked by the service."""

    new_password1 = PasswordField(
        label=_("New password"),
        is_new=True,
        error_messages={"required": _("Choose a password.")},
    )
    new_password2 = PasswordField(
        label=_("New password again"),
        is_new=True,
        error_messages={"required": _("Type the password a second time.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = next(iter(self.fields.values()))
        first.widget.attrs["autofocus"] = True

    def clean_new_password2(self) -> str:
        again: str = self.cleaned_data["new_password2"]
        first = self.cleaned_data.get("new_password1")
        if first and first != again:
            raise ValidationError(
                _("The two are not the same. Type the password again."), code="mismatch"
            )
        return again


def password_rules(person: Person) -> list[dict[str, Any]]:
    """What a password must be, in words; ``kind`` is what js/password.js can judge."""
    rules = []
    for validator in get_default_password_validators():
        kind, value = "", ""
        if isinstance(validator, MinimumLengthValidator):
            kind, value = "length", str(validator.min_length)
        elif isinstance(validator, NumericPasswordValidator):
            kind = "not_numeric"
        elif isinstance(validator, UserAttributeSimilarityValidator):
            kind, value = "differs", f"{person.username} {person.emails}"
        rules.append({"text": validator.get_help_text(), "kind": kind, "value": value})
    return rules
