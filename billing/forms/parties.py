"""Fields that sellers and buyers have alike: typed with spaces, kept without."""

from __future__ import annotations

from typing import Any

from django import forms

from billing.parties import (
    clean_bic,
    clean_creditor_id,
    clean_endpoint,
    clean_iban,
    clean_vat_id,
    endpoint_errors,
    format_iban,
)
from portal.core.forms import PortalForm


class _CodeField(forms.CharField):
    """Longer while it is typed, with its spaces, than it may be when they are gone."""

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class IbanField(_CodeField):
    """An IBAN, shown in groups of four."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return clean_iban(text) if text else ""

    def prepare_value(self, value: Any) -> Any:
        is_kept = isinstance(value, str) and " " not in value
        return format_iban(value) if is_kept else value


class CreditorIdField(_CodeField):
    """A SEPA creditor identifier."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return clean_creditor_id(text) if text else ""


class BicField(_CodeField):
    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return clean_bic(text) if text else ""


class VatIdField(_CodeField):
    """A VAT ID with its country's letters."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return clean_vat_id(text) if text else ""


def clean_endpoint_fields(form: PortalForm) -> None:
    """Bring the electronic address into its form, or tell at its fields what is wrong."""
    data = form.cleaned_data
    scheme, value = data.get("endpoint_scheme", ""), data.get("endpoint_id", "")
    if "endpoint_scheme" in form.errors or "endpoint_id" in form.errors:
        return
    try:
        if scheme and value:
            data["endpoint_id"] = value = clean_endpoint(scheme, value)
    except forms.ValidationError as error:
        form.add_error("endpoint_id", error)
        return
    for name, refusal in endpoint_errors(scheme, value).items():
        form.add_error(name, refusal)
