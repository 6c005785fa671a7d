"""A product, its price in a plan, and its purchase (D 5.2, 3.5)."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.choices import CALL_TYPES, ProductType
from billing.forms.charges import price_input
from billing.models import Product, Tax
from billing.services.products import MOST_CALLS
from billing.services.purchases import MOST_AT_ONCE
from portal.core.forms import AmountField, Columns, PortalForm, Section
from portal.core.money import currency_choices
from portal.core.row_forms import RowForm, model_field, name_field

INHERITED, FIXED, MARKUP = "inherited", "fixed", "markup"
_MISSING = {
    "minutes": _("Enter how much call time it gives."),
    "calls": _("Enter how many calls at once it gives."),
}


class ProductForm(RowForm):
    own_fields = frozenset({"seen", "taxes", "minutes", "calls"})

    name = name_field(Product, "name")
    description = model_field(
        Product,
        "description",
        widget=forms.Textarea({"rows": 2}),
        help_text=_("For yourself; buyers do not see it."),
    )
    type = forms.ChoiceField(
        label=_("Type"), choices=ProductType.choices, widget=forms.RadioSelect
    )
    minutes = forms.IntegerField(
        label=_("Minutes of call time"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=_(
            "For call time only. It lasts until the end of the month it was bought in."
        ),
    )
    calls = forms.IntegerField(
        label=_("Number of calls"),
        required=False,
        min_value=1,
        max_value=MOST_CALLS,
        help_text=_(
            "For calls at once only. Beyond the customer's limit; for as long as a"
            " recurring price is paid, otherwise for good."
        ),
    )
    information = model_field(
        Product,
        "information",
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Buyers read it before they buy."),
    )
    create_fee = price_input(
        label=_("Price"), required=False, help_text=_("Once, without taxes.")
    )
    create_buy = price_input(
        label=_("Cost to you"), required=False, help_text=_("Nobody else sees it.")
    )
    period = forms.ChoiceField(
        label=_("Recurring"),
        required=False,
        choices=[
            ("", _("Never")),
            *Product._meta.get_field("period").choices,  # type: ignore[misc]
        ],
    )
    period_fee = price_input(
        label=_("Recurring price"),
        required=False,
        help_text=_("Without taxes; first due on the day of purchase."),
    )
    period_buy = price_input(label=_("Recurring cost to you"), required=False)
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=currency_choices,
        help_text=_("Buyers with another one pay at the rate of the day."),
    )
    reach = model_field(
        Product,
        "reach",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, taxes: QuerySet[Tax], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["taxes"] = forms.ModelMultipleChoiceField(
            label=_("Taxes"),
            queryset=taxes,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("Charged to buyers that are liable for them."),
        )
        self.helper.layout = Layout(
            "seen",
            Section(
                _("Product"),
                "name",
                "description",
                "type",
                Columns("minutes", "calls"),
                id="product",
                is_open=True,
            ),
            Section(
                _("Price"),
                "currency",
                Columns("create_fee", "create_buy"),
                Columns("period", "period_fee", "period_buy"),
                "taxes",
                id="price",
                is_open=True,
            ),
            Section(_("Offer"), "reach", "information", id="offer", is_open=True),
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in ("create_fee", "create_buy", "period_fee", "period_buy"):
            data[name] = data.get(name) or 0
        wanted = self._amount_field(data.get("type", ""))
        if wanted and not data.get(wanted) and wanted not in self.errors:
            self.add_error(wanted, _MISSING[wanted])
        return data

    @staticmethod
    def _amount_field(type_: str) -> str:
        """The field that says how much a product of the type gives, if any."""
        if type_ == ProductType.CALL_TIME:
            return "minutes"
        return "calls" if type_ in CALL_TYPES else ""

    def values(self) -> dict[str, Any]:
        name = self._amount_field(self.cleaned_data["type"])
        amount = self.cleaned_data[name] if name else 0
        return super().values() | {
            "amount": amount * 60 if name == "minutes" else amount
        }


class PlanProductForm(PortalForm):
    """What a product costs on one plan."""

    price = forms.ChoiceField(label=_("Price on this plan"), widget=forms.RadioSelect)
    create_fee = price_input(
        label=_("Price"), required=False, help_text=_("Once, without taxes.")
    )
    period_fee = price_input(
        label=_("Recurring price"), required=False, help_text=_("Without taxes.")
    )
    create_markup = AmountField(
        label=_("Mark-up in percent"),
        required=False,
        min_value=-100,
        max_value=10_000,
        max_digits=9,
        decimal_places=4,
    )
    create_margin = price_input(
        label=_("Margin"), required=False, help_text=_("Added after the percentage.")
    )
    period_markup = AmountField(
        label=_("Recurring: mark-up in percent"),
        required=False,
        min_value=-100,
        max_value=10_000,
        max_digits=9,
        decimal_places=4,
    )
    period_margin = price_input(label=_("Recurring: margin"), required=False)

    def __init__(
        self, *args: Any, currency: str, recurs: bool, passes: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"].choices = [  # type: ignore[attr-defined]
            (INHERITED, passes),
            (FIXED, _("A price of its own, in %(currency)s") % {"currency": currency}),
            (MARKUP, _("A mark-up on the usual price")),
        ]
        if not recurs:
            for name in ("period_fee", "period_markup", "period_margin"):
                del self.fields[name]
        fixed = ["create_fee", *(["period_fee"] if recurs else [])]
        markup: list[Any] = [Columns("create_markup", "create_margin")]
        if recurs:
            markup.append(Columns("period_markup", "period_margin"))
        self.helper.layout = Layout(
            Section(_("Price"), "price", id="which", is_open=True),
            Section(_("A price of its own"), Columns(*fixed), id="fixed", is_open=True),
            Section(
                _("Mark-up"),
                *markup,
                id="markup",
                description=_("Usual price × (1 + mark-up ÷ 100) + margin."),
                is_open=True,
            ),
        )

    def values(self) -> dict[str, Any] | None:
        """What the service sets; None for no price of its own."""
        data = {name: value or 0 for name, value in self.cleaned_data.items()}
        kind = data.pop("price")
        if kind == INHERITED:
            return None
        empty = dict.fromkeys(
            ("create_fee", "period_fee", "create_markup", "create_margin"), 0
        ) | {"period_markup": 0, "period_margin": 0}
        belongs = (lambda name: "fee" in name) if kind == FIXED else _is_markup
        kept = {name: value for name, value in data.items() if belongs(name)}
        return empty | kept | {"uses_markups": kind == MARKUP}


def _is_markup(name: str) -> bool:
    return "fee" not in name


class PurchaseForm(PortalForm):
    quantity = forms.IntegerField(
        label=_("Quantity"), min_value=1, max_value=MOST_AT_ONCE, initial=1
    )
