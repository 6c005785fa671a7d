"""What of an invoice is credited, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.einvoice.record import Document, Line
from billing.invoicing.credit_parts import Left, Part
from billing.invoicing.crediting import WHOLE, Wanted
from portal.core.display import format_days
from portal.core.forms import AmountField, PortalForm, Section
from portal.core.money import format_money
from portal.core.validators import validate_visible

CANCEL, AGAIN, LINES, AMOUNTS = "cancel", "again", "lines", "amounts"
# More lines than these nobody ticks one by one.
MOST_LINES = 200


class CreditForm(PortalForm):
    """All of an invoice, or some of its lines, or amounts by VAT rate and levy.

    ``is_whole``: all of it is what was asked for, so only the reason is.
    """

    how = forms.ChoiceField(
        label=gettext_lazy("What is credited"),
        # The ways that ask for more have the ids of the sections that do.
        widget=forms.RadioSelect({"data-opens-part": ""}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        validators=[validate_visible],
        help_text=gettext_lazy("Printed on the credit note."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        document: Document,
        left: Left,
        is_whole: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.parts = [part for part in left.parts if part.left]
        self.lines = left.lines
        self.document = document
        has_lines = 0 < len(self.lines) <= MOST_LINES
        has_lines = has_lines and (left.is_all or len(document.lines) > 1)
        field: Any = self.fields["how"]
        field.choices = list(self._ways(left.is_all, has_lines))
        self.initial.setdefault("how", CANCEL)
        if is_whole:
            [(_way, text), *_others] = field.choices
            field.choices, field.widget = [(CANCEL, text)], forms.HiddenInput()
            self.helper.layout = Layout(
                Section(
                    _("Credit note"),
                    "how",
                    "reason",
                    id="credit",
                    description=text,
                    is_open=True,
                )
            )
            return
        names = self._add_lines() if has_lines else []
        self.helper.layout = Layout(
            Section(_("Credit note"), "how", "reason", id="credit", is_open=True),
            *(
                [
                    Section(
                        _("Lines"),
                        *names,
                        id=LINES,
                        description=_("Only if you credit single lines."),
                        is_open=self._is(LINES),
                    )
                ]
                if names
                else []
            ),
            Section(
                _("Amounts"),
                *self._add_amounts(),
                id=AMOUNTS,
                description=_(
                    "Only if you credit amounts. Enter them without VAT, which is"
                    " worked out."
                ),
                is_open=self._is(AMOUNTS),
            ),
        )

    def _ways(self, is_untouched: bool, has_lines: bool) -> Any:
        if is_untouched:
            yield CANCEL, _("All of it: the invoice is cancelled")
            yield (
                AGAIN,
                _("All of it, and issue it again with today's details of both sides"),
            )
        else:
            yield CANCEL, _("All that is left: the invoice is cancelled")
        if has_lines:
            yield LINES, _("Single lines")
        yield AMOUNTS, _("Amounts")

    def _is(self, way: str) -> bool:
        return bool(self["how"].value() == way)

    def _add_lines(self) -> list[str]:
        currency = self.document.currency
        choices = [(line.number, self._line_text(line)) for line in self.lines]
        choices += [
            (part.id, f"{part.levy}: {format_money(part.total, currency)}")
            for part in self.parts
            if part.levy and part.left == part.total
        ]
        self.fields["lines"] = forms.MultipleChoiceField(
            label=_("Lines to credit"),
            choices=choices,
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        return ["lines"]

    def _line_text(self, line: Line) -> str:
        amount = format_money(line.net, self.document.currency)
        if line.period is None:
            return f"{line.name}: {amount}"
        days = format_days(line.period.first, line.period.last)
        return f"{line.name}, {days}: {amount}"

    def _add_amounts(self) -> list[str]:
        currency = self.document.currency
        for part in self.parts:
            self.fields[part.id] = AmountField(
                label=part_label(part),
                currency=currency,
                required=False,
                help_text=_("%(left)s left")
                % {"left": format_money(part.left, currency)},
            )
        return [part.id for part in self.parts]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("how") == LINES and not cleaned.get("lines"):
            self.add_error(
                "lines", ValidationError(_("Tick what to credit."), code="required")
            )
        return cleaned

    @property
    def wanted(self) -> Wanted:
        values = self.cleaned_data
        if values["how"] == LINES:
            return Wanted(lines=frozenset(values["lines"]))
        if values["how"] == AMOUNTS:
            return Wanted(
                amounts={part.id: values[part.id] or Decimal(0) for part in self.parts}
            )
        return WHOLE

    @property
    def is_reissued(self) -> bool:
        return bool(self.cleaned_data["how"] == AGAIN)


def part_label(part: Part) -> str:
    """A levy by its name; lines by their VAT."""
    if part.levy:
        return part.levy
    if part.rate:
        return _("Lines with VAT of %(rate)s %%") % {
            "rate": f"{part.rate.normalize():f}"
        }
    return _("Lines without VAT")
