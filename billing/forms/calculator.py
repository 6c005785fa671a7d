"""What the price calculator is asked: which feature or product, for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.utils.translation import gettext as _

from billing.models import Product
from portal.core.forms import Columns, PortalForm
from rateplans.choices import Feature
from rateplans.models import NumberClass
from rateplans.wording import feature_text


class CalculatorForm(PortalForm):
    """``customers`` are (id, name) of some that are on the plan."""

    def __init__(
        self,
        *args: Any,
        classes: Mapping[int, NumberClass],
        products: Mapping[int, Product],
        customers: Sequence[tuple[int, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        numbers = [
            (f"number:{pk}", feature_text(Feature.NUMBER, pk, dict(classes)))
            for pk in classes
        ]
        features: list[tuple[str, Any]] = [
            (feature.value, feature.label)
            for feature in Feature
            if feature != Feature.NUMBER
        ]
        if numbers:
            features.append((str(Feature.NUMBER.label), numbers))
        if products:
            named = [(f"product:{pk}", row.name) for pk, row in products.items()]
            features.append((_("Product"), named))
        self.fields["feature"] = forms.ChoiceField(
            label=_("Feature or product"), choices=features, required=False
        )
        anybody = [("", _("A new customer of yours"))]
        self.fields["customer"] = forms.ChoiceField(
            label=_("For"),
            choices=[*anybody, *((str(pk), name) for pk, name in customers)],
            required=False,
        )
        self.helper.layout = Layout(Columns("feature", "customer"))
