"""The customer form's three uses: new normal, new residential, and editing."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import HTML, Field
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.selectors import name_is_taken, username_is_taken
from customers.services import customers as customer_services
from customers.wizards.customer_form import CustomerForm
from customers.wizards.fields import name_field
from portal.core.forms import Columns, EmailsField, Section
from portal.core.integrity import constraint_message


class NormalForm(CustomerForm):
    """A normal customer with its first administrator."""

    name = name_field()
    has_administrator = forms.BooleanField(
        label=_("Make a first administrator and send login details"),
        required=False,
        initial=True,
        help_text=_("Without one, the account is reached by switching only."),
    )
    person_username = forms.CharField(
        label=_("User name"),
        required=False,
        max_length=150,
        help_text=_("Leave empty to use the billing e-mail address."),
        widget=forms.TextInput({"autocomplete": "off", "data-check": "username"}),
    )
    person_first_name = forms.CharField(
        label=_("First name"), required=False, max_length=60
    )
    person_last_name = forms.CharField(
        label=_("Last name"), required=False, max_length=60
    )
    person_emails = EmailsField(
        label=_("E-mail"),
        required=False,
        max_length=500,
        help_text=_(
            "Login details go here. Leave empty to use the billing e-mail address."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = self.choices.roles
        self.fields["person_role"] = forms.ModelChoiceField(
            label=_("Role"),
            queryset=roles,
            required=False,
            empty_label=_("Administrator of its own account"),
            help_text=_("A reseller may have customers of its own."),
        )
        self.helper.layout.append(
            Section(
                _("First administrator"),
                "has_administrator",
                Columns("person_first_name", "person_last_name"),
                Columns("person_username", "person_emails"),
                "person_role",
                id="administrator",
                is_open=True,
            )
        )

    def name_fields(self) -> list[Any]:
        return [Field("name"), HTML('<div id="name-check" aria-live="polite"></div>')]

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if name_is_taken(name):
            raise name_taken()
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("has_administrator") and not data.get("person_username"):
            data["person_username"] = (data.get("email") or "").split(", ")[0]
        username = data.get("person_username")
        if data.get("has_administrator") and username and username_is_taken(username):
            self.add_error(
                "person_username",
                ValidationError(
                    _("The user name %(name)s is taken. Enter another."),
                    code="taken",
                    params={"name": username},
                ),
            )
        return data

    def administrator(self) -> customer_services.NewPerson | None:
        data = self.cleaned_data
        if not data["has_administrator"]:
            return None
        return customer_services.NewPerson(
            username=data["person_username"],
            first_name=data["person_first_name"],
            last_name=data["person_last_name"],
            emails=data["person_emails"],
            role=data["person_role"],
        )


class ResidentialForm(CustomerForm):
    """A residential customer: one free number and one person (D 2.2)."""

    person_first_name = forms.CharField(label=_("First name"), max_length=60)
    person_last_name = forms.CharField(label=_("Last name"), max_length=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"] = forms.ModelChoiceField(
            queryset=self.choices.free_numbers,
            widget=forms.HiddenInput,
            error_messages={
                "required": _("Choose a number."),
                "invalid_choice": _(
                    "This number is not free any more. Choose another; everything else"
                    " you typed is still here."
                ),
            },
        )

    def name_fields(self) -> list[Any]:
        return [
            HTML("{% include 'customers/_number_picker.html' %}"),
            Columns("person_first_name", "person_last_name"),
        ]

    def person(self) -> customer_services.NewPerson:
        data = self.cleaned_data
        return customer_services.NewPerson(
            username="",
            first_name=data["person_first_name"],
            last_name=data["person_last_name"],
            emails=data["email"],
        )


class EditForm(CustomerForm):
    """An existing customer. A residential one keeps its number as its name."""

    name = name_field()

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, customer=customer, **kwargs)
        if customer.is_residential:
            del self.fields["name"]

    def name_fields(self) -> list[Any]:
        assert self.customer is not None
        if self.customer.is_residential:
            return ["version"]
        return [
            "version",
            Field("name"),
            HTML('<div id="name-check" aria-live="polite"></div>'),
        ]

    def clean_name(self) -> str:
        assert self.customer is not None
        name = " ".join(self.cleaned_data["name"].split())
        if name_is_taken(name, except_id=self.customer.pk):
            raise name_taken()
        return name


def name_taken() -> ValidationError:
    """The database's own sentence for it, so that both say the same."""
    return ValidationError(
        constraint_message(Customer, "customer_name_once"), code="taken"
    )
