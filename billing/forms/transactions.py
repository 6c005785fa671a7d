"""Booking by hand: a credit, a debit or a correction, and taking an entry back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import EntryKind
from billing.models import BillingAccount, Tax
from billing.services.transactions import MANUAL_KINDS
from portal.core.forms import AmountField, Columns, PortalForm, Section
from portal.core.money import format_money
from portal.core.validators import validate_visible

_KINDS = {
    EntryKind.CREDIT: gettext_lazy("Credit: raises the balance, such as a payment"),
    EntryKind.DEBIT: gettext_lazy("Debit: lowers the balance, such as work done"),
    EntryKind.CORRECTION: gettext_lazy(
        "Correction: puts the balance right; with a minus it lowers it"
    ),
}


class TransactionForm(PortalForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[(kind, _KINDS[kind]) for kind in MANUAL_KINDS],
        widget=forms.RadioSelect,
        initial=EntryKind.CREDIT,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        validators=[validate_visible],
        help_text=gettext_lazy("The customer can see it in the ledger."),
    )
    is_tax_free = forms.BooleanField(
        label=gettext_lazy("Tax-free"), required=False, initial=True
    )
    ignores_limit = forms.BooleanField(
        label=gettext_lazy("Even beyond its credit"),
        required=False,
        help_text=gettext_lazy(
            "Without the tick, nothing that lowers the balance goes below the credit"
            " limit."
        ),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        account: BillingAccount,
        taxes: Sequence[Tax],
        maximum: Decimal | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        currency = account.currency
        self.fields["amount"] = AmountField(
            label=_("Amount (%(currency)s)") % {"currency": currency},
            currency=currency,
            help_text=_("Your role allows %(maximum)s at once.")
            % {"maximum": format_money(maximum, currency)}
            if maximum is not None
            else "",
        )
        if taxes:
            names = ", ".join(tax.name for tax in taxes)
            self.fields["is_tax_free"].help_text = _(
                "Without the tick, the taxes that the customer is liable for are added"
                " to the amount: %(names)s."
            ) % {"names": names}
        else:
            del self.fields["is_tax_free"]
        tax_fields = ["is_tax_free"] if taxes else []
        self.helper.layout = Layout(
            Section(
                _("Transaction"),
                "kind",
                Columns("amount", "reason"),
                *tax_fields,
                "ignores_limit",
                id="transaction",
                is_open=True,
            )
        )

    def clean(self) -> dict[str, Any]:
        """Only a correction has a sign; the service says the same to other callers."""
        cleaned: dict[str, Any] = super().clean() or {}
        amount, kind = cleaned.get("amount"), cleaned.get("kind")
        if amount is not None and amount < 0 and kind != EntryKind.CORRECTION:
            self.add_error(
                "amount",
                ValidationError(
                    _("Enter it without a minus: the kind says which way it goes."),
                    code="sign",
                ),
            )
        return cleaned


class ReversalForm(PortalForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=120,
        validators=[validate_visible],
        help_text=gettext_lazy("The customer can see it in the ledger."),
    )
