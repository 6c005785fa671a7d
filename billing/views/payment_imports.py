"""Importing the statement of a bank: upload, columns, what would be booked, single lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from billing.bank_csv import COLUMNS
from billing.choices import ImportLineState as State
from billing.forms.payment_imports import (
    ColumnsForm,
    LineFilter,
    StatementForm,
)
from billing.import_problems import problem_text
from billing.models import PaymentImport, PaymentImportLine
from billing.services import payment_imports
from billing.views.import_parts import LIST, ImportPage, line_amount, progress_of
from portal.core.display import format_day, format_moment
from portal.core.pills import pill
from portal.core.tables import Column, Empty
from portal.core.views import Crumb, FormPage, ListPage

_TONES = {
    State.NEW: ("neutral", "circle-question-mark"),
    State.EXACT: ("success", "target"),
    State.OPEN: ("warning", "circle-question-mark"),
    State.BOOKED: ("success", "check"),
    State.KNOWN: ("neutral", "copy"),
    State.LEFT: ("neutral", "x"),
}


class NoFilter(django_filters.FilterSet):
    class Meta:
        model = PaymentImport
        fields: list[str] = []


class ImportList(ImportPage, ListPage):
    """All statements that were uploaded, the newest first."""

    table_id = "imports"
    default_sort = "-time"
    filterset_class = NoFilter

    def title(self) -> str:
        return _("Bank statements")

    def breadcrumbs(self) -> list[Crumb]:
        return super().breadcrumbs()[:1]

    def get_queryset(self) -> QuerySet[PaymentImport]:
        def of(state: State) -> Coalesce:
            """Counted for the rows of the page alone: each has thousands of lines."""
            lines = PaymentImportLine.objects.filter(source=OuterRef("pk"), state=state)
            counted = lines.order_by().values("source").annotate(count=Count("pk"))
            return Coalesce(Subquery(counted.values("count")), 0)

        return self.imports().annotate(
            sure=of(State.EXACT), open=of(State.OPEN), booked=of(State.BOOKED)
        )

    def columns(self) -> Sequence[Column]:
        return (
            Column("file", _("File"), _file, narrow=True),
            Column("time", _("Uploaded"), _uploaded, sort="id", narrow=True),
            Column("person", _("By"), _person),
            Column("sure", _("Sure"), _count("sure"), align="end"),
            Column("open", _("To decide"), _count("open"), align="end", narrow=True),
            Column("booked", _("Booked"), _count("booked"), align="end", narrow=True),
        )

    def row_url(self, row: PaymentImport) -> str:
        return self.url("billing:import-detail", pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return [
            {
                "label": _("Import a bank statement"),
                "url": self.url("billing:import-new"),
                "icon": "upload",
            }
        ]

    def empty(self) -> Empty:
        return Empty(
            icon="file-spreadsheet",
            title=_("No bank statements yet"),
            text=_(
                "Import a statement: its payments are matched to invoices by"
                " their reference."
            ),
            action_url=self.url("billing:import-new"),
            action_label=_("Import a bank statement"),
        )


def _file(row: PaymentImport) -> SafeString:
    if row.columns:
        return format_html("<bdi>{}</bdi>", row.file_name)
    return format_html(
        '<bdi>{}</bdi><span class="cell-sub">{}</span>',
        row.file_name,
        _("Columns to choose"),
    )


def _uploaded(row: PaymentImport) -> str:
    return format_moment(row.created_at)


def _person(row: PaymentImport) -> SafeString:
    return format_html("<bdi>{}</bdi>", row.person_name)


def _count(name: str) -> Any:
    """How many lines; none are told apart before their columns are chosen."""
    return lambda row: str(getattr(row, name)) if row.columns else "–"


class ImportNew(ImportPage, FormPage):
    submit_label = gettext_lazy("Read the file")

    def title(self) -> str:
        return _("Import a bank statement")

    def build_form(self, data: Any = None, files: Any = None) -> StatementForm:
        return StatementForm(data, files)

    def cancel_url(self) -> str:
        return self.url(LIST)

    def save(self, form: StatementForm) -> str:
        file = form.cleaned_data["file"]
        try:
            source = payment_imports.upload(
                file_name=file.name,
                data=file.read(),
                owner=self.actor.customer,
                by=self.actor,
            )
        except ValidationError as error:
            raise ValidationError({"file": error.messages}) from error
        name = "import-detail" if source.columns else "import-columns"
        return self.url(f"billing:{name}", pk=source.pk)

    def success_message(self, form: StatementForm) -> str:
        return _("The file is read. Nothing is booked yet.")


class ImportColumns(ImportPage, FormPage):
    """Which column holds what, where their names do not say it."""

    template_name = "billing/payment_imports/columns.html"
    submit_label = gettext_lazy("Read the lines")

    def title(self) -> str:
        return _("Columns of %(file)s") % {"file": self.source.file_name}

    def cancel_url(self) -> str:
        return self.source_url()

    def build_form(self, data: Any = None, files: Any = None) -> ColumnsForm:
        chosen = self.source.columns
        initial = {name: str(chosen[name]) for name in COLUMNS if name in chosen}
        return ColumnsForm(data, header=self.source.header, initial=initial)

    def form_context(self, form: Any) -> dict[str, Any]:
        rows = self.source.lines.order_by("number")[:5]
        return {"header": self.source.header, "rows": [row.cells for row in rows]}

    def save(self, form: ColumnsForm) -> str:
        payment_imports.choose_columns(
            source=self.source, columns=form.columns, by=self.actor
        )
        return self.source_url()

    def success_message(self, form: ColumnsForm) -> str:
        return _("The lines are read. Nothing is booked yet.")


class ImportDetail(ImportPage, ListPage):
    """The lines of a statement: what is sure, and what somebody has to decide."""

    template_name = "billing/payment_imports/detail.html"
    table_id = "lines"
    default_sort = "number"
    filterset_class = LineFilter

    def title(self) -> str:
        return self.source.file_name

    def get(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.source.columns:
            return self.redirect(self.url("billing:import-columns", pk=self.source.pk))
        return super().get(request)

    def get_queryset(self) -> QuerySet[PaymentImportLine]:
        return (
            PaymentImportLine.objects.filter(source=self.source)
            .select_related("invoice__account__customer", "payment__account__customer")
            .defer("invoice__content", "cells")
        )

    def page_context(self, **context: Any) -> dict[str, Any]:
        is_booking = self.source.is_booking
        if is_booking:
            context["progress"] = progress_of(self.source)
        if self.sums[State.EXACT][0] and not is_booking:
            context["book_url"] = self.url("billing:import-book", pk=self.source.pk)
        if not (self.sums[State.BOOKED][0] or is_booking):
            url = self.url("billing:import-columns", pk=self.source.pk)
            context["columns_url"] = url
        return super().page_context(tiles=self.tiles(), **context)

    @cached_property
    def sums(self) -> dict[State, tuple[int, Decimal]]:
        rows = (
            PaymentImportLine.objects.filter(source=self.source)
            .order_by()
            .values_list("state")
            .annotate(Count("pk"), Sum("amount"))
        )
        found = {State(state): (count, sum_) for state, count, sum_ in rows}
        return {state: found.get(state, (0, Decimal(0))) for state in State}

    def tiles(self) -> list[dict[str, Any]]:
        shown = (
            (State.EXACT, _("Sure"), "target", ""),
            (State.OPEN, _("For you to decide"), "circle-question-mark", "warning"),
            (State.BOOKED, _("Booked"), "check", ""),
            (State.KNOWN, _("Booked before"), "copy", ""),
            (State.LEFT, _("Left out"), "x", ""),
        )
        return [
            {
                "label": label,
                "value": str(self.sums[state][0]),
                "icon": icon,
                "kind": kind if self.sums[state][0] else "",
                "url": f"?state={state}",
            }
            for state, label, icon, kind in shown
        ]

    def columns(self) -> Sequence[Column]:
        return (
            Column(
                "number", pgettext("file", "Line"), _line, sort="number", narrow=True
            ),
            Column("day", _("Day"), _day, narrow=True),
            Column("amount", _("Amount"), line_amount, align="end", narrow=True),
            Column("for", _("For"), self.target, narrow=True),
            Column("state", _("State"), _state, narrow=True),
        )

    def target(self, line: PaymentImportLine) -> SafeString:
        """Whose payment it became, else whose invoice it names."""
        if line.payment is None:
            return _target(line)
        return format_html(
            '<bdi>{}</bdi><span class="cell-sub"><a href="{}">{}</a></span>',
            line.payment.account.customer.name,
            self.url("billing:payment-detail", pk=line.payment_id),
            _("Payment"),  # of what, its page says: a person may have decided otherwise
        )

    def row_url(self, row: PaymentImportLine) -> str:
        if row.payment_id:
            return self.url("billing:payment-detail", pk=row.payment_id)
        return self.url("billing:import-line", pk=self.source.pk, row=row.pk)

    def empty(self) -> Empty:
        return Empty(
            title=_("No lines"), text=_("The file has no lines below its header.")
        )


def _line(line: PaymentImportLine) -> SafeString:
    return format_html(
        '<bdi>{}</bdi><span class="cell-sub"><bdi>{}</bdi></span>',
        line.payer or line.text or str(line.number),
        line.text if line.payer else "",
    )


def _day(line: PaymentImportLine) -> str:
    return format_day(line.day) if line.day else "–"


def _target(line: PaymentImportLine) -> SafeString:
    if line.invoice is None:
        return format_html(
            '<span class="cell-sub is-long">{}</span>',
            problem_text(line.problem) or "–",
        )
    return format_html(
        '{} <bdi>{}</bdi><span class="cell-sub is-long">{}</span>',
        line.invoice.number,
        line.invoice.account.customer.name,
        problem_text(line.problem),
    )


def _state(line: PaymentImportLine) -> SafeString:
    kind, icon = _TONES[State(line.state)]
    return pill(kind, str(line.get_state_display()), icon)
