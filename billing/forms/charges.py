"""An extra item on a customer or on a rate plan (D 5.1)."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.choices import ChargePeriod
from billing.models import Charge, Tax
from portal.core.forms import AmountField, Columns, Section
from portal.core.money import currency_choices
from portal.core.row_forms import RowForm, model_field, name_field

IMMEDIATELY = "now"


def day_field(**options: Any) -> forms.DateField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, **options)


def price_input(**options: Any) -> AmountField:
    """A net price, as fine as the database keeps it."""
    return AmountField(min_value=0, max_digits=18, decimal_places=9, **options)


class ChargeForm(RowForm):
    own_fields = frozenset({"seen", "taxes"})

    name = name_field(Charge, "name", help_text=_("As it stands on the account."))
    description = model_field(Charge, "description", widget=forms.Textarea({"rows": 2}))
    amount = price_input(label=_("Price"), help_text=_("For one, without taxes."))
    buy = price_input(
        label=_("Cost to you"),
        required=False,
        help_text=_("Only for your figures of profit; the customer never sees it."),
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=currency_choices)
    quantity = model_field(Charge, "quantity", min_value=1, max_value=1_000_000)
    period = forms.ChoiceField(label=_("Due"), choices=ChargePeriod.choices)
    number = model_field(Charge, "number", min_value=1, max_value=1200)
    starts_on = day_field(
        label=_("From"),
        help_text=_(
            "Due on this day, and on the same day of the months that follow if it recurs."
        ),
    )
    ends_on = day_field(
        label=_("Ends before"),
        required=False,
        help_text=_("It is not charged on this day any more. Leave empty for no end."),
    )

    def __init__(
        self,
        *args: Any,
        taxes: QuerySet[Tax],
        may_be_immediate: bool = False,
        is_charged: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if may_be_immediate:
            now = (IMMEDIATELY, _("Immediately"))
            self.fields["period"].choices = [now, *ChargePeriod.choices]  # type: ignore[attr-defined]
            self.fields["starts_on"].required = False
        if is_charged:
            for name in ("currency", "period", "starts_on"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("It was charged already.")
        self.fields["taxes"] = forms.ModelMultipleChoiceField(
            label=_("Taxes"),
            queryset=taxes,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("Charged to customers that are liable for them."),
        )
        self.helper.layout = Layout(
            "seen",
            Section(_("Charge"), "name", "description", id="charge", is_open=True),
            Section(
                _("Price"),
                Columns("amount", "currency"),
                Columns("quantity", "buy"),
                "taxes",
                id="price",
                is_open=True,
            ),
            Section(
                _("When"),
                Columns("period", "starts_on"),
                Columns("number", "ends_on"),
                id="when",
                description=_("A charge that is due once needs no number and no end."),
                is_open=True,
            ),
        )

    def clean_buy(self) -> Any:
        return self.cleaned_data["buy"] or 0

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        is_once = data.get("period") in {IMMEDIATELY, ChargePeriod.ONCE}
        if not is_once and not data.get("starts_on") and "starts_on" not in self.errors:
            self.add_error("starts_on", _("Enter the day it is due first."))
        return data
