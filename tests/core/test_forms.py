"""What the shared fields say and pass over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError

from billing.models import Charge
from portal.core.forms import AmountField, LimitField, PortalForm
from portal.core.row_forms import model_field


class _Form(PortalForm):
    count = forms.IntegerField(min_value=2, max_value=5)
    own = forms.IntegerField(min_value=2, error_messages={"min_value": "More, please."})
    amount = AmountField(min_value=0, required=False)


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"count": "1", "own": "2"}, {"count": ["Enter 2 or more."]}),
        ({"count": "6", "own": "2"}, {"count": ["Enter 5 or less."]}),
        ({"count": "2", "own": "1"}, {"own": ["More, please."]}),
        (
            {"count": "2", "own": "2", "amount": "-0.01"},
            {"amount": ["Enter 0 or more."]},
        ),
        ({"count": "2", "own": "2", "amount": "0"}, {}),
    ],
)
def test_bounds_are_told_in_a_short_sentence(
    data: dict[str, str], errors: dict[str, Any]
) -> None:
    assert _Form(data).errors == errors


@pytest.mark.parametrize("typed", ["0", "-5"])
def test_a_field_of_a_model_tells_its_bound_once(typed: str) -> None:
    field = model_field(
        Charge, "quantity", min_value=1, max_value=9, error_messages={"min_value": "1+"}
    )
    with pytest.raises(ValidationError) as refused:
        field.clean(typed)
    assert refused.value.messages == ["1+"]
    assert field.clean("9") == 9
    with pytest.raises(ValidationError):
        field.clean("10")


@pytest.mark.parametrize(
    ("choice", "value"), [(LimitField.PLAN, None), (LimitField.NONE, -1)]
)
@pytest.mark.parametrize("typed", ["abc", "-5", "7"])
def test_a_limit_passes_over_a_number_of_another_choice(
    choice: str, value: int | None, typed: str
) -> None:
    assert LimitField(plan_key="limit").clean([choice, typed]) == value


def test_a_limit_still_judges_the_number_that_counts() -> None:
    with pytest.raises(ValidationError, match="Enter 0 or more"):
        LimitField(plan_key="limit").clean([LimitField.NUMBER, "-5"])


@pytest.mark.parametrize(
    ("amount", "line"), [("0", ""), ("0.000000", ""), ("0.5", "Amount: 0.50")]
)
def test_a_folded_section_leaves_out_amounts_of_nothing(amount: str, line: str) -> None:
    form = _Form(initial={"amount": Decimal(amount)})
    assert form.section_summary(["amount"]) == line
