"""A tax: a percentage, an amount, or both (D 4)."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import HTML, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Tax
from portal.core.forms import AmountField, Columns, Section
from portal.core.money import currency_choices
from portal.core.row_forms import RowForm, model_field, name_field


def rate_field(**options: Any) -> AmountField:
    return AmountField(
        label=_("Rate in percent"),
        required=False,
        min_value=0,
        max_value=100,
        max_digits=9,
        decimal_places=6,
        help_text=_("Of the net price. Leave empty for none."),
        **options,
    )


def amount_field(**options: Any) -> AmountField:
    return AmountField(
        label=_("Amount"),
        required=False,
        min_value=0,
        max_digits=20,
        help_text=_("Added after the rate, once to each item. Leave empty for none."),
        **options,
    )


class TaxExampleForm(forms.Form):
    """The three values that the worked example beside the form needs."""

    rate = rate_field()
    amount = amount_field()
    currency = forms.ChoiceField(choices=currency_choices)


class TaxForm(RowForm):
    name = name_field(Tax, "name", help_text=_("As it stands on invoices: VAT 19 %."))
    description = model_field(
        Tax, "description", max_length=2000, widget=forms.Textarea({"rows": 2})
    )
    rate = rate_field()
    amount = amount_field()
    currency = forms.ChoiceField(
        label=_("Currency of the amount"),
        choices=currency_choices,
        help_text=_(
            "Converted on the day of each entry where customers pay in others."
        ),
    )
    is_vat = model_field(Tax, "is_vat")
    applies_accounts = model_field(
        Tax,
        "applies_accounts",
        help_text=_(
            "For an amount once per customer and period, tick this and nothing else."
        ),
    )
    applies_features = model_field(Tax, "applies_features")
    applies_numbers = model_field(Tax, "applies_numbers")
    applies_calls = model_field(Tax, "applies_calls")
    applies_messages = model_field(Tax, "applies_messages")
    applies_products = model_field(Tax, "applies_products")
    applies_charges = model_field(Tax, "applies_charges")
    liable = model_field(
        Tax,
        "liable",
        widget=forms.RadioSelect,
        help_text=_("Each customer's own page can say otherwise at any time."),
    )
    is_shared = model_field(Tax, "is_shared")

    def __init__(self, *args: Any, may_share: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["is_shared"]
        optional = ["is_shared"] if may_share else []
        self.helper.layout = Layout(
            "seen",
            Section(_("Tax"), "name", "description", id="tax", is_open=True),
            Section(
                _("How much"),
                "rate",
                Columns("amount", "currency"),
                HTML('{% include "billing/_tax_example.html" %}'),
                "is_vat",
                id="how-much",
                is_open=True,
            ),
            Section(
                _("Applies to"),
                "applies_accounts",
                "applies_features",
                "applies_numbers",
                "applies_calls",
                "applies_messages",
                "applies_products",
                "applies_charges",
                id="applies",
                description=_("A liable customer pays it on what is ticked here."),
                is_open=True,
            ),
            Section(
                _("Who is liable"), "liable", *optional, id="liability", is_open=True
            ),
        )

    def clean_rate(self) -> Any:
        return self.cleaned_data["rate"] or 0

    def clean_amount(self) -> Any:
        return self.cleaned_data["amount"] or 0
