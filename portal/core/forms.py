"""Form parts that every screen shares: sections, amounts, "plan default" choices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import LayoutObject
from crispy_forms.utils import TEMPLATE_PACK, render_field
from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.formats import get_format
from django.utils.safestring import mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from portal.core.money import minor_unit, plain_amount
from portal.core.validators import clean_emails, clean_number

# Said of a number outside its bounds; a field with better words of its own keeps them.
RANGE_MESSAGES: dict[str, Any] = {
    "min_value": _("Enter %(limit_value)s or more."),
    "max_value": _("Enter %(limit_value)s or less."),
}


class Section(LayoutObject):
    """A titled group of fields that can be folded; folded, it tells its values in a line.

    A section with an error is always open. ``fields`` are names or layout objects.
    """

    def __init__(
        self,
        title: Any,
        *fields: Any,
        id: str,  # noqa: A002 - the name of the HTML attribute it becomes
        description: Any = "",
        is_open: bool = False,
    ) -> None:
        self.title, self.id, self.description = title, id, description
        self.is_open = is_open
        self.fields = list(fields)

    def render(
        self, form: Any, context: Any, template_pack: Any = TEMPLATE_PACK, **kwargs: Any
    ) -> str:
        names = [pointer.name for pointer in self.get_field_names()]
        has_errors = any(name in form.errors for name in names)
        html = "".join(
            str(render_field(field, form, context, template_pack=template_pack))
            for field in self.fields
        )
        return render_to_string(
            "_components/section.html",
            {
                "title": self.title,
                "id": self.id,
                "description": self.description,
                "open": self.is_open or has_errors,
                "has_errors": has_errors,
                "summary": form.section_summary(names) if not self.is_open else "",
                "fields": mark_safe(html),
            },
        )


class Columns(LayoutObject):
    """Fields beside one another where there is room."""

    def __init__(self, *fields: Any, widths: Sequence[int] = ()) -> None:
        self.fields = list(fields)
        self.widths = list(widths)

    def render(
        self, form: Any, context: Any, template_pack: Any = TEMPLATE_PACK, **kwargs: Any
    ) -> str:
        cells = [
            mark_safe(
                str(render_field(field, form, context, template_pack=template_pack))
            )
            for field in self.fields
        ]
        return render_to_string("_components/columns.html", {"cells": cells})


class PortalForm(forms.Form):
    """Base of the portal's forms: rendered by crispy inside the page's own form tag."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.helper = FormHelper(self)
        self.helper.form_tag = False
        self.helper.disable_csrf = True  # the page's form tag carries it
        for field in self.fields.values():
            for code, message in RANGE_MESSAGES.items():
                field.error_messages.setdefault(code, message)

    @property
    def has_required(self) -> bool:
        """Whether a field carries the mark of those that must be filled in."""
        return any(bound.field.required for bound in self.visible_fields())

    def section_summary(self, names: Sequence[str]) -> str:
        """The values of ``names`` in one readable line, for a folded section."""
        parts = []
        for name in names:
            if name not in self.fields:
                continue
            text = self.readable_value(name)
            if text.strip("0.,"):  # nothing, 0 and 0.00 say nothing
                parts.append(f"{self[name].label}: {text}")
        return " · ".join(parts)

    def readable_value(self, name: str) -> str:
        """How the field's present value reads; empty when it says nothing."""
        bound = self[name]
        field, value = bound.field, bound.value()
        if isinstance(field, forms.BooleanField) and not isinstance(
            field, forms.NullBooleanField
        ):
            return str(_("yes") if value else _("no"))
        if isinstance(field, forms.ModelMultipleChoiceField):
            chosen = {str(getattr(item, "pk", item)) for item in value or ()}
            return ", ".join(
                str(row) for row in field.queryset or () if str(row.pk) in chosen
            )
        if isinstance(field, (PlanDefaultField, LimitField)):
            return field.readable(value)
        choices: Any = getattr(field, "choices", None)
        if choices is not None:
            label = _flat_label(choices, "" if value is None else value)
            return label if label.strip("-") else ""  # "---------" says nothing
        return "" if value is None else str(value)


def _flat_label(choices: Any, value: Any) -> str:
    for key, label in choices:
        if isinstance(label, (list, tuple)):
            found = _flat_label(label, value)
            if found:
                return found
        elif str(key) == str(value):
            return str(label)
    return ""


# One group of digits behind the other language's separator, by one's own.
_THOUSANDS = {
    ".": re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}"),
    ",": re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}"),
}


class AmountField(forms.DecimalField):
    """An amount of money as people type it: 12.50 or 12,50, plain digits, no exponent.

    What the active language reads as thousands, "1,234" or "1.234", is refused.
    ``currency`` sets how many decimal places are accepted; without one, six (the ledger's).
    """

    widget = forms.TextInput
    default_error_messages = RANGE_MESSAGES

    def __init__(self, *, currency: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 18)
        kwargs.setdefault("decimal_places", minor_unit(currency) if currency else 6)
        super().__init__(**kwargs)
        self.currency = currency
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off"})
        self.widget.attrs.setdefault("class", "amount")

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().replace("\u00a0", "").replace(" ", "")
            are_thousands = _THOUSANDS[str(get_format("DECIMAL_SEPARATOR"))]
            if are_thousands.fullmatch(value):
                raise self._not_plain()
            if "," in value and "." not in value and value.count(",") == 1:
                value = value.replace(",", ".")
            if value and not set(value) <= set("0123456789.-+"):
                raise self._not_plain()
        return super().to_python(value)

    def _not_plain(self) -> ValidationError:
        return ValidationError(
            _("Enter an amount in plain digits, such as 50 or 12.50."), code="invalid"
        )

    def prepare_value(self, value: Any) -> Any:
        """Show 50.000000 as 50.00: at least the minor unit, no useless zeros."""
        if not isinstance(value, Decimal):
            return value
        places = minor_unit(self.currency) if self.currency else 2
        return plain_amount(value, places=places)


class EmailsField(forms.CharField):
    """One or several e-mail addresses; gives them joined by ", ", each once."""

    def to_python(self, value: Any) -> str:
        return clean_emails(super().to_python(value) or "")


class NumberField(forms.CharField):
    """A telephone number as people write it; gives E.164. National with ``country``."""

    def __init__(self, *, country: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.country = country
        self.widget.attrs.update({"inputmode": "tel"})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return clean_number(text, country=self.country) if text else ""


class PlanDefaultField(forms.TypedChoiceField):
    """A choice whose first option leaves it to the rate plan, and says what that is.

    The script shows the value of whichever plan is chosen; ``plan_key`` names it there.
    ``first_label`` is for forms of plans themselves, which inherit from one another.
    """

    def __init__(
        self,
        *,
        choices: Any,
        plan_key: str,
        plan_value: str = "",
        first_label: str = "",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("empty_value", "")
        first = ("", first_label or plan_default_label(plan_value))
        super().__init__(choices=[first, *choices], **kwargs)
        self.plan_value = plan_value
        self.widget.attrs["data-plan-default"] = plan_key

    def readable(self, value: Any) -> str:
        return (
            self.plan_value if value in (None, "") else _flat_label(self.choices, value)
        )


def plan_default_label(value: str) -> str:
    if not value:
        return str(_("Rate plan's setting"))
    return str(_("Rate plan's setting (%(value)s)") % {"value": value})


class LimitWidget(forms.MultiWidget):
    """Rate plan's setting, no limit, or at most a number; the number shows when it counts."""

    def __init__(
        self,
        *,
        choices: Any,
        label: Any,
        plan_key: str,
        is_amount: bool,
        is_limit: bool = True,
    ) -> None:
        # Two controls share one visible label, which can point at neither.
        attrs = {
            "data-limit": "",
            "data-plan-default": plan_key,
            "aria-label": label,
        }
        number = {
            "inputmode": "decimal" if is_amount else "numeric",
            "class": "amount",
            "aria-label": format_lazy(
                "{}: {}", label, _("at most") if is_limit else _("number")
            ),
        }
        super().__init__(
            [forms.Select(attrs=attrs, choices=choices), forms.TextInput(number)]
        )

    def decompress(self, value: Any) -> list[Any]:
        if value is None or value == "":
            return [LimitField.PLAN, ""]
        return [LimitField.NONE, ""] if value == -1 else [LimitField.NUMBER, value]


class LimitField(forms.MultiValueField):
    """A limit that the plan may set: None = the plan's, -1 = no limit, else at most that.

    With ``is_limit`` False any other number that may be left to the plan, such as days.
    """

    PLAN, NONE, NUMBER = "plan", "none", "number"

    def __init__(
        self,
        *,
        plan_key: str,
        plan_value: str = "",
        first_label: str = "",
        is_limit: bool = True,
        number_field: forms.Field | None = None,
        **kwargs: Any,
    ) -> None:
        self.plan_value = plan_value
        limits = [(self.NONE, _("No limit")), (self.NUMBER, _("At most …"))]
        choices = [
            (self.PLAN, first_label or plan_default_label(plan_value)),
            *(limits if is_limit else [(self.NUMBER, _("Set here …"))]),
        ]
        field = number_field or forms.IntegerField(
            required=False, min_value=0, error_messages=RANGE_MESSAGES
        )
        super().__init__(
            fields=[forms.ChoiceField(choices=choices, required=False), field],
            require_all_fields=False,
            required=False,
            widget=LimitWidget(
                choices=choices,
                label=kwargs.get("label", ""),
                plan_key=plan_key,
                is_amount=isinstance(field, forms.DecimalField),
                is_limit=is_limit,
            ),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        """An amount as its own field shows it; all else is left to the widget."""
        if isinstance(value, Decimal) and value >= 0:
            return [self.NUMBER, self.fields[1].prepare_value(value)]
        return value

    def readable(self, value: Any) -> str:
        is_typed = isinstance(value, (list, tuple))
        chosen, number = value if is_typed else self.widget.decompress(value)
        if chosen == self.NUMBER:
            return str(number)
        if chosen == self.NONE:
            return str(_("no limit"))
        return self.plan_value

    def clean(self, value: Any) -> Any:
        """What was typed before another option was chosen counts no more, right or wrong."""
        if isinstance(value, (list, tuple)) and value and value[0] != self.NUMBER:
            value = [value[0], ""]
        return super().clean(value)

    def compress(self, data_list: Any) -> Any:
        if not data_list or data_list[0] in {"", self.PLAN}:
            return None
        if data_list[0] == self.NONE:
            return -1
        if data_list[1] in (None, ""):
            raise ValidationError(
                _("Enter the number, or choose another option."), code="incomplete"
            )
        return data_list[1]
