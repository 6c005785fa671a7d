"""The statement of a bank: the file, its columns, and what a person decides of a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.bank_csv import COLUMNS, LARGEST_FILE, NEEDED, SIGN
from billing.choices import ImportLineState
from billing.models import PaymentImportLine
from portal.core.forms import Columns, PortalForm, Section
from portal.core.validators import validate_visible

LEAVE, OTHER = "leave", "other"
_LABELS = {
    "day": gettext_lazy("Day"),
    "amount": gettext_lazy("Amount"),
    "text": gettext_lazy("Reference text"),
    "payer": gettext_lazy("Payer"),
    "currency": gettext_lazy("Currency"),
    "sign": gettext_lazy("Debit or credit"),
}


class StatementForm(PortalForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,.xml,text/csv"}),
        help_text=gettext_lazy(
            "The statement of your bank, as its online banking exports it: CSV or"
            " camt.053 (XML). Nothing is booked yet: the next page shows what was"
            " understood."
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise ValidationError(_("The file is too large."), code="size")
        return file


class ColumnsForm(PortalForm):
    """Which column holds what; some of them may be left out."""

    def __init__(
        self, data: Any = None, *, header: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        choices = [
            (str(place), f"{place + 1}. {name}" if name else str(place + 1))
            for place, name in enumerate(header)
        ]
        for name in COLUMNS:
            is_needed = name in NEEDED
            first = _("Choose …") if is_needed else _("There is none")
            self.fields[name] = forms.ChoiceField(
                label=_LABELS[name],
                choices=[("", first), *choices],
                required=is_needed,
            )
        self.fields[SIGN].help_text = _(
            "Only where the amount does not say it: the column with S and H, or D and C."
        )
        self.helper.layout = Layout(
            Section(
                _("Columns"),
                Columns("day", "amount"),
                "text",
                Columns("payer", "currency"),
                "sign",
                id="columns",
                is_open=True,
            )
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("day") and cleaned.get("day") == cleaned.get("amount"):
            self.add_error(
                "amount", ValidationError(_("That column is used for the day."))
            )
        return cleaned

    @property
    def columns(self) -> dict[str, int]:
        return {
            name: int(place) for name, place in self.cleaned_data.items() if place != ""
        }


class LineForm(PortalForm):
    """What becomes of one line: one of the suggestions, something else, or nothing."""

    target = forms.ChoiceField(
        label=gettext_lazy("Book it on"), widget=forms.RadioSelect
    )
    other = forms.CharField(
        label=gettext_lazy("Invoice or account number"),
        required=False,
        max_length=30,
        validators=[validate_visible],
        help_text=gettext_lazy(
            "For another invoice, or another customer: its oldest open invoices are"
            " paid first, the rest goes to the balance."
        ),
    )

    def __init__(
        self, data: Any = None, *, suggestions: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["target"]
        field.choices = [
            *suggestions,
            (OTHER, _("Another invoice or customer:")),
            (LEAVE, _("Nothing: leave it out")),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("target") == OTHER and not cleaned.get("other"):
            self.add_error(
                "other", ValidationError(_("Enter the number."), code="required")
            )
        return cleaned


class LineFilter(django_filters.FilterSet):
    """Lines of a statement by words, and by what became of them."""

    q = django_filters.CharFilter(label=gettext_lazy("Payer or text"), method="search")
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=ImportLineState.choices,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = PaymentImportLine
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[PaymentImportLine], name: str, value: str
    ) -> QuerySet[PaymentImportLine]:
        words = value.strip()
        return queryset.filter(Q(payer__icontains=words) | Q(text__icontains=words))
