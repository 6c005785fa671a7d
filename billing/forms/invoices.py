"""What narrows lists of invoices, and the forms of the pages about one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import django_filters
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.choices import InvoiceOccasion, InvoiceStatus, InvoiceType
from billing.forms.ledger import day_input
from billing.invoice_selectors import matching
from billing.invoice_statuses import SHOWN_TO_CUSTOMERS, UNPAID
from billing.models import Invoice, InvoiceSeries
from portal.core.forms import Columns, PortalForm, Section
from portal.core.row_forms import model_field
from portal.core.validators import validate_visible

HIGHEST_COUNT = 999_999_999  # so that a number fits wherever one is kept
REVIEWED, OPEN = "review", "open"
# Several statuses at once, as somebody means them who looks for work to do.
GROUPS: dict[str, tuple[InvoiceStatus, ...]] = {
    REVIEWED: (InvoiceStatus.QUEUED, InvoiceStatus.APPROVED),
    OPEN: UNPAID,
}
_GROUP_LABELS = {
    REVIEWED: _("To be approved or sent"),
    OPEN: _("To be paid"),
}


def _status_choices(statuses: Any, groups: tuple[str, ...]) -> list[tuple[str, Any]]:
    return [
        *((group, _GROUP_LABELS[group]) for group in groups),
        *((status.value, status.label) for status in statuses),
    ]


class OwnInvoiceFilter(django_filters.FilterSet):
    """What an account was invoiced: by number or amount, status, and days."""

    q = django_filters.CharFilter(label=_("Number or amount"), method="search")
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=_status_choices(SHOWN_TO_CUSTOMERS, (OPEN,)),
        empty_label=_("All"),
        method="filter_status",
    )
    since = django_filters.DateFilter(
        label=_("From"),
        field_name="issued_on",
        lookup_expr="gte",
        widget=day_input(),
    )
    until = django_filters.DateFilter(
        label=_("Until"),
        field_name="issued_on",
        lookup_expr="lte",
        widget=day_input(),
    )

    class Meta:
        model = Invoice
        fields: list[str] = []

    def search(
        self, queryset: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        return matching(queryset, value)

    def filter_status(
        self, queryset: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        return queryset.filter(status__in=GROUPS.get(value, (value,)))


class CustomerInvoiceFilter(OwnInvoiceFilter):
    """What one customer was invoiced, as its provider sees it."""

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=_status_choices(InvoiceStatus, (REVIEWED, OPEN)),
        empty_label=_("All"),
        method="filter_status",
    )
    type = django_filters.ChoiceFilter(
        label=_("Type"), choices=InvoiceType.choices, empty_label=_("All types")
    )
    occasion = django_filters.ChoiceFilter(
        label=_("Occasion"),
        choices=InvoiceOccasion.choices,
        empty_label=_("All occasions"),
    )


class InvoiceFilter(CustomerInvoiceFilter):
    """What an account has invoiced its customers."""

    q = django_filters.CharFilter(
        label=_("Number, customer or amount"), method="search"
    )

    def search(
        self, queryset: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        customers = self.request.reach.customers_named(value)
        return matching(queryset, value, customers=customers)


class UntilForm(PortalForm):
    """How far an invoice goes; today means up to this moment."""

    last = forms.DateField(
        label=_("Up to and including"),
        widget=day_input(),
        help_text=_("In the customer's time zone."),
    )

    def __init__(self, data: Any = None, *, today: date, **kwargs: Any) -> None:
        super().__init__(data, initial={"last": today}, **kwargs)
        self.today = today

    def clean_last(self) -> date:
        last: date = self.cleaned_data["last"]
        if last > self.today:
            raise ValidationError(
                _(
                    "What is still to come cannot be invoiced: choose today or an"
                    " earlier day."
                ),
                code="future",
            )
        return last


class IssueForm(UntilForm):
    """What is confirmed below a preview: the day it goes up to, as it was shown."""

    last = forms.DateField(widget=forms.HiddenInput)


class StatusForm(PortalForm):
    """Another status for an invoice, among those that it may have."""

    status = forms.ChoiceField(label=_("Status"), widget=forms.RadioSelect)
    overdue_from = forms.DateField(
        label=_("Overdue from"),
        widget=day_input(),
        required=False,
        help_text=_("For “Due”: reminders and locks wait for that day."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=120,
        required=False,
        validators=[validate_visible],
        help_text=_("Why the payment is taken back. The customer can see this, too."),
    )

    def __init__(
        self, data: Any = None, *, statuses: Any, asks_reason: bool, **kwargs: Any
    ) -> None:
        """``statuses`` in their order; Due asks for a day."""
        super().__init__(data, **kwargs)
        field: Any = self.fields["status"]
        field.choices = [(status.value, status.label) for status in statuses]
        if not asks_reason:
            del self.fields["reason"]
        if InvoiceStatus.DUE not in statuses:
            del self.fields["overdue_from"]
        self.helper.layout = Layout(*self.fields)

    def clean_status(self) -> InvoiceStatus:
        return InvoiceStatus(self.cleaned_data["status"])


class SeriesForm(PortalForm):
    """How invoices and credit notes are numbered, from the next on.

    ``next_counts`` has the count of the next document of each kind, with and without the
    year. Who goes on with a higher one leaves a gap for good: that is asked first.
    """

    invoice_prefix = model_field(InvoiceSeries, "prefix")
    invoice_has_year = model_field(InvoiceSeries, "has_year")
    invoice_width = model_field(InvoiceSeries, "width")
    credit_note_prefix = model_field(InvoiceSeries, "prefix")
    credit_note_has_year = model_field(InvoiceSeries, "has_year")
    credit_note_width = model_field(InvoiceSeries, "width")

    def __init__(
        self,
        data: Any = None,
        *,
        next_numbers: Mapping[Any, str],
        next_counts: Mapping[Any, Mapping[bool, int]],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.next_counts = next_counts
        for kind in InvoiceType:
            self._add_fields(kind)
        titles = {
            InvoiceType.INVOICE: _("Invoices"),
            InvoiceType.CREDIT_NOTE: _("Credit notes"),
        }
        self.helper.layout = Layout(
            *(
                Section(
                    titles[kind],
                    Columns(f"{kind}_prefix", f"{kind}_width"),
                    f"{kind}_has_year",
                    f"{kind}_next",
                    *([f"{kind}_skips"] if f"{kind}_skips" in self.fields else []),
                    f"{kind}_seen",
                    id=f"series-{kind}",
                    description=_("The next number is %(number)s.")
                    % {"number": next_numbers[kind]},
                    is_open=True,
                )
                for kind in InvoiceType
            )
        )

    def _add_fields(self, kind: InvoiceType) -> None:
        """The count of the next document; the one that the page showed goes with it, so
        that who only changes a prefix is not held to it."""
        has_year = bool(self.initial[f"{kind}_has_year"])
        shown = self.next_counts[kind][has_year]
        self.fields[f"{kind}_next"] = forms.IntegerField(
            label=_("Next number"),
            min_value=1,
            max_value=HIGHEST_COUNT,
            initial=shown,
            help_text=_(
                "Only the count, without prefix and year. If you issued documents"
                " elsewhere before, go on from there."
            ),
        )
        self.fields[f"{kind}_seen"] = forms.IntegerField(
            widget=forms.HiddenInput, initial=shown, required=False
        )
        if self.is_bound and self._skipped(kind):
            self.fields[f"{kind}_skips"] = forms.BooleanField(
                label=_("Leave these numbers out for good"), required=False
            )

    def _skipped(self, kind: InvoiceType) -> tuple[int, int] | None:
        """The first and the last count that would be left out, by what was sent."""
        try:
            wanted = int(self.data.get(f"{kind}_next", ""))
        except ValueError:
            return None
        expected = self.next_counts[kind][f"{kind}_has_year" in self.data]
        if str(wanted) == self.data.get(f"{kind}_seen") or wanted <= expected:
            return None
        return expected, wanted - 1

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for kind in InvoiceType:
            skipped = self._skipped(kind)
            if skipped is None or data.get(f"{kind}_skips"):
                continue
            first, last = skipped
            said = (
                _("The number %(first)s would never be used.")
                if first == last
                else _("The numbers %(first)s to %(last)s would never be used.")
            )
            self.add_error(
                f"{kind}_next",
                ValidationError(
                    said, code="skips", params={"first": first, "last": last}
                ),
            )
        return data

    def values(self) -> dict[InvoiceType, dict[str, Any]]:
        """What was entered, by the kind of document; "next" only if it was changed."""
        found = {}
        for kind in InvoiceType:
            entered = {
                name: self.cleaned_data[f"{kind}_{name}"]
                for name in ("prefix", "has_year", "width", "next")
            }
            if entered["next"] == self.cleaned_data[f"{kind}_seen"]:
                entered["next"] = None
            found[kind] = entered
        return found
