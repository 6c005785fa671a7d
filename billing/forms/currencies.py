"""The exchange rate of a day, and files of them."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.services.rate_file import read_rates
from portal.core.forms import AmountField, Columns, PortalForm, Section
from portal.core.money import currency_choices

LARGEST_FILE = 5_000_000  # bytes; all the ECB's rates since 1999 are less than a third
# What a page can carry back, with room for its other fields.
LARGEST_PACK = settings.DATA_UPLOAD_MAX_MEMORY_SIZE * 9 // 10


def rated_currencies() -> list[tuple[str, str]]:
    return [(code, label) for code, label in currency_choices() if code != "EUR"]


class RateForm(PortalForm):
    currency = forms.ChoiceField(label=_("Currency"), choices=rated_currencies)
    on = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("It holds from this day on, until a later one has its own."),
    )
    rate = AmountField(
        label=pgettext_lazy("exchange", "Rate"),
        max_digits=18,
        decimal_places=9,
        help_text=_("Units of this currency for 1 EUR."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            Section(
                _("Exchange rate"),
                "currency",
                Columns("on", "rate"),
                id="rate",
                is_open=True,
            )
        )


class RateFileForm(PortalForm):
    file = forms.FileField(
        label=_("CSV file"),
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        help_text=_(
            "In the form of the European Central Bank's euro reference rates, of one day or"
            " of many: first line “Date, USD, JPY, …”. Unpack it if it came as a ZIP file."
        ),
    )

    def clean_file(self) -> str:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise ValidationError(_("The file is too large."), code="size")
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValidationError(_("This is no text file."), code="text") from error
        found = read_rates(text)
        if not found.values:
            raise ValidationError(
                found.errors or [_("There is no rate in this file.")], code="form"
            )
        if len(pack(text)) > LARGEST_PACK:  # numbers without any order hardly shrink
            raise ValidationError(_("The file is too large."), code="size")
        return text


class CheckedFileForm(PortalForm):
    """A file that was checked, packed into the page that asks whether to import it."""

    content = forms.CharField(
        max_length=LARGEST_FILE, widget=forms.HiddenInput, strip=False
    )


def pack(text: str) -> str:
    """Small enough to be carried by a page: rates compress to a third."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(content: str) -> str | None:
    """What `pack` was given; None for anything else, or if it is larger than a file may be."""
    unpacker = zlib.decompressobj()
    try:
        data = base64.b64decode(content, validate=True)
        return unpacker.decompress(data, LARGEST_FILE).decode()
    except (binascii.Error, ValueError, zlib.error):
        return None
