"""Forms about one row of a model."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from portal.core.forms import PortalForm
from portal.core.validators import validate_name


class RowForm(PortalForm):
    """A form about one row; ``seen`` tells the state it was opened in."""

    # Fields that are about the form itself and not told to the service.
    own_fields: ClassVar[frozenset[str]] = frozenset({"seen"})

    seen = forms.CharField(required=False, max_length=24, widget=forms.HiddenInput)

    def values(self) -> dict[str, Any]:
        """What was entered, by the names of the service."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in self.own_fields
        }


def model_field(model: type[models.Model], name: str, **options: Any) -> Any:
    """The form field of a model's field: its label, help, length and validators."""
    field: Any = model._meta.get_field(name)
    form_field = field.formfield(validators=field.validators, **options)
    form_field.validators = _tightest(form_field.validators)
    return form_field


def _tightest(validators: list[Any]) -> list[Any]:
    """Of several lower and upper bounds the one that counts: it is told once."""
    found = validators
    for kind, tightest in ((MinValueValidator, max), (MaxValueValidator, min)):
        bounds = [validator for validator in found if isinstance(validator, kind)]
        if bounds:
            one = tightest(bounds, key=lambda bound: bound.limit_value)
            found = [*(each for each in found if each not in bounds), one]
    return found


def name_field(model: type[models.Model], name: str, **options: Any) -> Any:
    """A name that people read: any script, but nothing invisible or deceiving."""
    field = model_field(model, name, **options)
    field.validators.append(validate_name)
    return field
