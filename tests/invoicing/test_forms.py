"""What people type into the forms of invoices, payments and credit notes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django import forms
from django.core.exceptions import ValidationError

from billing.choices import InvoiceStatus
from billing.forms import (
    credit_notes,
    invoices,
    payment_imports,
    payments,
    transactions,
)
from billing.forms.invoices import StatusForm
from portal.core.forms import PortalForm

MODULES = (credit_notes, invoices, payment_imports, payments, transactions)
# Turns the text around, is no part of XML, is never a character, cannot be seen.
HIDDEN = ("A\u202eB", "A\x0bB", "A\ufffeB", "A\u200bB")


def free_texts() -> Iterator[tuple[str, forms.CharField]]:
    """Each field that takes a text, by form and name."""
    for module in MODULES:
        for form in vars(module).values():
            if not isinstance(form, type) or not issubclass(form, PortalForm):
                continue
            for name, field in form.base_fields.items():
                if isinstance(field, forms.CharField):
                    yield f"{form.__name__}.{name}", field


TEXTS = dict(free_texts())


def test_the_forms_have_free_texts() -> None:
    assert {
        "StatusForm.reason",
        "CreditForm.reason",
        "PaymentForm.reference",
        "PaymentForm.note",
        "PaymentReversalForm.reason",
        "WriteOffForm.reason",
        "LineForm.other",
        "TransactionForm.reason",
        "ReversalForm.reason",
        "SeriesForm.invoice_prefix",
    } <= TEXTS.keys()


@pytest.mark.parametrize("text", HIDDEN, ids=ascii)
@pytest.mark.parametrize("name", TEXTS)
def test_no_free_text_takes_what_cannot_be_seen(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        TEXTS[name].clean(text)


def test_reason_of_a_status_is_looked_at() -> None:
    def form(reason: str) -> StatusForm:
        return StatusForm(
            {"status": "payment_refused", "reason": reason},
            statuses=[InvoiceStatus.PAYMENT_REFUSED],
            asks_reason=True,
        )

    assert form("Chargeback").is_valid()
    assert "reason" in form("A\u202e\x0bB").errors
