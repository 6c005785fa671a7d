"""Settings » Invoicing: what the account says of itself on the invoices it issues."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from billing.forms.parties import (
    BicField,
    CreditorIdField,
    IbanField,
    VatIdField,
    clean_endpoint_fields,
)
from billing.models import Seller
from billing.party_choices import EndpointScheme
from portal.core.forms import Columns, Section
from portal.core.money import currency_choices
from portal.core.row_forms import RowForm, model_field


def _currencies() -> list[tuple[str, Any]]:
    return [("", _("None: the currency of the invoice is enough")), *currency_choices()]


class SellerForm(RowForm):
    legal_name = model_field(Seller, "legal_name")
    trading_name = model_field(Seller, "trading_name")
    register_number = model_field(Seller, "register_number")
    legal_form = model_field(Seller, "legal_form")
    vat_id = model_field(Seller, "vat_id", form_class=VatIdField)
    tax_number = model_field(Seller, "tax_number")
    endpoint_scheme = forms.ChoiceField(
        label=_("Kind of electronic address"),
        choices=[("", _("None")), *EndpointScheme.choices],
        required=False,
        help_text=_("The kind of number that your address in the Peppol network is."),
    )
    endpoint_id = model_field(Seller, "endpoint_id")
    contact_name = model_field(Seller, "contact_name")
    contact_telephone = model_field(Seller, "contact_telephone")
    contact_email = model_field(Seller, "contact_email")
    account_holder = model_field(Seller, "account_holder")
    iban = model_field(Seller, "iban", form_class=IbanField)
    bic = model_field(Seller, "bic", form_class=BicField)
    bank_name = model_field(Seller, "bank_name")
    bank_code = model_field(Seller, "bank_code")
    account_number = model_field(Seller, "account_number")
    creditor_id = model_field(Seller, "creditor_id", form_class=CreditorIdField)
    payment_terms = model_field(Seller, "payment_terms")
    tax_rounding = model_field(Seller, "tax_rounding", widget=forms.RadioSelect)
    untaxed_category = model_field(Seller, "untaxed_category", widget=forms.RadioSelect)
    untaxed_reason = model_field(Seller, "untaxed_reason")
    books_currency = forms.ChoiceField(
        label=_("Currency of the tax office"),
        choices=lazy(_currencies, list)(),
        required=False,
        help_text=_(
            "Invoices in other currencies state their VAT in this one as well."
        ),
    )
    reviews_invoices = model_field(Seller, "reviews_invoices")
    copy_invoices = model_field(Seller, "copy_invoices")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            "seen",
            Section(
                _("Company"),
                Columns("legal_name", "trading_name"),
                Columns("register_number", "legal_form"),
                Columns("vat_id", "tax_number"),
                id="company",
                is_open=True,
            ),
            Section(
                _("Contact"),
                "contact_name",
                Columns("contact_telephone", "contact_email"),
                id="contact",
                description=_(
                    "If left empty, your billing e-mail and telephone are used."
                ),
                is_open=True,
            ),
            Section(
                _("Bank account"),
                Columns("iban", "bic"),
                Columns("account_number", "bank_code"),
                Columns("account_holder", "bank_name"),
                Columns("creditor_id", "payment_terms"),
                id="bank",
                is_open=True,
            ),
            Section(
                _("Electronic invoices"),
                Columns("endpoint_scheme", "endpoint_id"),
                id="electronic",
                is_open=True,
            ),
            Section(
                _("Taxes"),
                "tax_rounding",
                "untaxed_category",
                "untaxed_reason",
                "books_currency",
                id="taxes",
                is_open=True,
            ),
            Section(
                _("Mailing"),
                "reviews_invoices",
                "copy_invoices",
                id="mailing",
                is_open=True,
            ),
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        clean_endpoint_fields(self)
        return data
