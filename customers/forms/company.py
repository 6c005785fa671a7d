"""Settings » Company: the account's address and its looks."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import HTML, Layout
from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from customers.choices import country_choices, time_zone_choices
from customers.logos import read_logo
from customers.models import Company, Customer
from customers.services.company import (
    ADDRESS_FIELDS,
    COMPANY_FIELDS,
    ROOT_FIELDS,
)
from portal.core.forms import Columns, EmailsField, NumberField, PortalForm, Section
from portal.core.validators import validate_colour, validate_name


class CompanyForm(PortalForm):
    """Address, language and security; with customers below also brand and service.

    ``values`` after validation are what `services.company` takes.
    """

    def __init__(
        self,
        *args: Any,
        customer: Customer,
        company: Company | None,
        has_brand: bool,
        **kwargs: Any,
    ) -> None:
        self.customer = customer
        self.company = company or Company(customer=customer)
        self.has_brand = has_brand
        super().__init__(*args, initial=self._initial(), **kwargs)
        self.fields |= self._address_fields()
        if has_brand:
            self.fields |= self._brand_fields()
        if not self.company.logo_hash:
            self.fields.pop("remove_logo", None)
        self.helper.layout = Layout("version", *self._sections())

    def values(self) -> dict[str, Any]:
        return {
            name: self.cleaned_data[name]
            for name in (*ADDRESS_FIELDS, *ROOT_FIELDS, *COMPANY_FIELDS)
            if name in self.cleaned_data
        }

    def clean_logo(self) -> bytes | None:
        upload = self.cleaned_data.get("logo")
        return read_logo(upload) if upload else None

    def _initial(self) -> dict[str, Any]:
        own = {n: getattr(self.customer, n) for n in (*ADDRESS_FIELDS, *ROOT_FIELDS)}
        company = {n: getattr(self.company, n) for n in COMPANY_FIELDS}
        return {**own, **company, "version": self.customer.version}

    def _address_fields(self) -> dict[str, forms.Field]:
        country = self.customer.country
        fields: dict[str, forms.Field] = {
            "version": forms.IntegerField(widget=forms.HiddenInput),
            "address1": _text(_("Address"), 100),
            "address2": _text(_("Address, line 2"), 100),
            "address3": _text(_("Address, line 3"), 100),
            "address_code": _text(_("Post code"), 20),
            "address_city": _text(_("City"), 80),
            "address_state": _text(_("State or county"), 80),
            "address_other": _text(_("Other address details"), 100),
            "country": forms.ChoiceField(
                label=_("Country"),
                required=False,
                choices=[("", _("Not set")), *country_choices()],
            ),
            "telephone": NumberField(
                label=_("Telephone"), required=False, country=country, max_length=40
            ),
            "fax": NumberField(
                label=_("Fax"), required=False, country=country, max_length=40
            ),
            "time_zone": forms.ChoiceField(
                label=_("Time zone"),
                choices=time_zone_choices(),
                help_text=_("Of your people who chose none, and of invoices."),
            ),
            "language": forms.ChoiceField(
                label=_("Language"), required=False, choices=_language_choices()
            ),
            "requires_second_factor": forms.BooleanField(
                label=_("Everybody of this account must use a second factor"),
                required=False,
                help_text=_("Who has none is led to set it up at the next click."),
            ),
        }
        if self.customer.is_root:
            fields["email"] = EmailsField(label=_("Billing e-mail"), max_length=500)
        return fields

    def _brand_fields(self) -> dict[str, forms.Field]:
        return {
            "display_name": forms.CharField(
                label=_("Name shown to customers"),
                required=False,
                max_length=80,
                validators=[validate_name],
                help_text=_("Leave empty for %(name)s.") % {"name": self.customer.name},
            ),
            "logo": forms.FileField(
                label=_("Logo"),
                required=False,
                help_text=_(
                    "PNG, JPEG, WebP or GIF of at most 1 MB; best with a"
                    " transparent background."
                ),
                widget=forms.FileInput(
                    {"accept": "image/png,image/jpeg,image/webp,image/gif"}
                ),
            ),
            "remove_logo": forms.BooleanField(
                label=_("Remove the logo"), required=False
            ),
            "colour": forms.CharField(
                label=_("Colour"),
                required=False,
                max_length=7,
                validators=[validate_colour],
                help_text=_(
                    "Of buttons and links, such as #7a1f5c. Leave empty for Trunkline's."
                ),
                widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
            ),
            "website": forms.URLField(
                label=_("Web site"), required=False, assume_scheme="https"
            ),
            "sender_name": forms.CharField(
                label=_("Sender's name"),
                required=False,
                max_length=80,
                validators=[validate_name],
                help_text=_("Leave empty for the name shown to customers."),
            ),
            "sender_email": forms.EmailField(
                label=_("Sender's e-mail"),
                required=False,
                help_text=_("The mail server must be allowed to send for this domain."),
            ),
            "service_email": forms.EmailField(
                label=_("Customer service e-mail"),
                required=False,
                help_text=_("Answers to our mails go here."),
            ),
            "service_telephone": _text(_("Customer service telephone"), 40),
        }

    def _sections(self) -> list[Section]:
        address = Section(
            _("Address"),
            *(["email"] if self.customer.is_root else []),
            Columns("address1", "address2"),
            Columns("address3", "address_other"),
            Columns("address_code", "address_city"),
            Columns("address_state", "country"),
            Columns("telephone", "fax"),
            id="address",
            is_open=True,
        )
        language = Section(
            _("Language and time"), Columns("time_zone", "language"), id="language"
        )
        security = Section(
            _("Security"), "requires_second_factor", id="security", is_open=True
        )
        return [address, language, *self._brand_sections(), security]

    def _brand_sections(self) -> list[Section]:
        if not self.has_brand:
            return []
        logo = ["logo", "remove_logo"] if "remove_logo" in self.fields else ["logo"]
        return [
            Section(
                _("Brand"),
                Columns("display_name", "website"),
                HTML("{% include 'customers/_logo_preview.html' %}"),
                *logo,
                "colour",
                HTML("{% include 'customers/_colour_preview.html' %}"),
                id="brand",
                description=_("How pages and mails look to your customers."),
                is_open=True,
            ),
            Section(
                _("Mails and customer service"),
                Columns("sender_name", "sender_email"),
                Columns("service_email", "service_telephone"),
                id="service",
                is_open=True,
            ),
        ]


def _text(label: Any, max_length: int) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=max_length)


def _language_choices() -> list[tuple[str, str]]:
    names = [(c, get_language_info(c)["name_local"]) for c, _name in settings.LANGUAGES]
    return [("", gettext("That of the account above")), *names]
