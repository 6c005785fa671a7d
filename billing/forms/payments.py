"""Recording payments and taking them back; what narrows their list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from crispy_forms.layout import Layout
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from billing.choices import PaymentMethod
from billing.forms.ledger import day_input
from billing.invoice_selectors import amount_of
from billing.models import BillingAccount, Invoice, Payment
from billing.services.payments import Received
from portal.core.display import format_day
from portal.core.forms import AmountField, Columns, PortalForm, Section
from portal.core.money import format_money
from portal.core.row_forms import model_field
from portal.core.validators import validate_visible

BOOKED, BACK = "booked", "back"
REFUSED, MISTAKE = "refused", "mistake"


class PaymentForm(PortalForm):
    """Money that came in, and the invoice it is for, if one is named."""

    received_on = forms.DateField(label=gettext_lazy("Received on"), widget=day_input())
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=[
            choice
            for choice in PaymentMethod.choices
            if choice[0] != PaymentMethod.WRITE_OFF  # by which no money comes in
        ],
        initial=PaymentMethod.TRANSFER,
    )
    invoice = forms.ChoiceField(
        label=gettext_lazy("For"),
        required=False,
        help_text=gettext_lazy(
            "Any surplus pays the oldest open invoices; the rest goes to the balance."
        ),
    )
    reference = model_field(
        Payment,
        "reference",
        help_text=gettext_lazy("As on the bank statement. The customer can see it."),
    )
    note = model_field(Payment, "note")

    def __init__(
        self,
        data: Any = None,
        *,
        account: BillingAccount,
        invoices: Sequence[Invoice],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        currency = account.currency
        self.fields["amount"] = AmountField(
            label=_("Amount (%(currency)s)") % {"currency": currency}, currency=currency
        )
        self.by_id = {str(invoice.pk): invoice for invoice in invoices}
        field: Any = self.fields["invoice"]
        field.choices = [
            ("", _("The oldest open invoices")),
            *((key, _open_text(invoice)) for key, invoice in self.by_id.items()),
        ]
        if not invoices:
            del self.fields["invoice"]
        for_fields = ["invoice"] if invoices else []
        self.helper.layout = Layout(
            Section(
                _("Payment"),
                Columns("amount", "received_on"),
                Columns("method", "reference"),
                *for_fields,
                "note",
                id="payment",
                is_open=True,
            )
        )

    @property
    def received(self) -> Received:
        values = self.cleaned_data
        return Received(
            amount=values["amount"],
            method=PaymentMethod(values["method"]),
            on=values["received_on"],
            reference=values["reference"],
            note=values["note"],
        )

    @property
    def wanted(self) -> Invoice | None:
        return self.by_id.get(self.cleaned_data.get("invoice", ""))


def _open_text(invoice: Invoice) -> str:
    """An invoice with what is open of it."""
    amount = format_money(invoice.open, invoice.currency)
    if invoice.due_day is None:
        return f"{invoice.number}: {amount}"
    return _("%(number)s: %(amount)s, due on %(day)s") % {
        "number": invoice.number,
        "amount": amount,
        "day": format_day(invoice.due_day),
    }


class PaymentReversalForm(PortalForm):
    """Why a payment is taken back; a write-off never came from anywhere."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=[
            (REFUSED, gettext_lazy("The bank or card company reversed it")),
            (MISTAKE, gettext_lazy("It was recorded by mistake")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=120,
        validators=[validate_visible],
        help_text=gettext_lazy("The customer can see it in the ledger."),
    )

    def __init__(
        self, data: Any = None, *, is_write_off: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        if is_write_off:
            del self.fields["kind"]
        self.helper.layout = Layout(*self.fields)

    @property
    def is_refused(self) -> bool:
        return self.cleaned_data.get("kind") == REFUSED


class WriteOffForm(PortalForm):
    """How much of an invoice will never be paid, and why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        validators=[validate_visible],
        help_text=gettext_lazy("For your own people; customers do not see it."),
    )

    def __init__(self, data: Any = None, *, invoice: Invoice, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        currency = invoice.currency
        self.fields["amount"] = AmountField(
            label=_("Amount (%(currency)s)") % {"currency": currency},
            currency=currency,
            help_text=_("%(amount)s is open.")
            % {"amount": format_money(invoice.open, currency)},
        )
        self.initial.setdefault("amount", invoice.open)
        self.helper.layout = Layout("amount", "reason")


class PaymentFilter(django_filters.FilterSet):
    """Payments by customer, reference or amount, method, state, and days."""

    q = django_filters.CharFilter(
        label=gettext_lazy("Customer, reference or amount"), method="search"
    )
    method = django_filters.ChoiceFilter(
        label=gettext_lazy("Method"),
        choices=PaymentMethod.choices,
        empty_label=gettext_lazy("All"),
    )
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=[
            (BOOKED, gettext_lazy("Booked")),
            (BACK, pgettext_lazy("payment", "Taken back")),
        ],
        empty_label=gettext_lazy("All"),
        method="filter_state",
    )
    since = django_filters.DateFilter(
        label=gettext_lazy("From"),
        field_name="received_on",
        lookup_expr="gte",
        widget=day_input(),
    )
    until = django_filters.DateFilter(
        label=gettext_lazy("Until"),
        field_name="received_on",
        lookup_expr="lte",
        widget=day_input(),
    )

    class Meta:
        model = Payment
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        customers = self.request.reach.customers_named(value)
        found = Q(reference__icontains=value.strip()) | Q(
            account__customer__in=customers.order_by().values("pk")
        )
        if (amount := amount_of(value.strip())) is not None:
            found |= Q(amount=amount)
        return queryset.filter(found)

    def filter_state(
        self, queryset: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        return queryset.filter(reversed_at__isnull=value == BOOKED)
