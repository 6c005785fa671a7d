"""The pages of a plan with its prices, mark-ups and permissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from portal.core.display import format_day
from portal.core.money import format_price
from portal.core.urls import day_of
from rateplans.forms.prices import (
    DatedForm,
    MarkupsForm,
    PermissionsForm,
    PlanOnDay,
    PricesForm,
)
from rateplans.models import NumberClass, PlanMarkup, PlanPrice
from rateplans.pricing import Markup
from rateplans.selectors import effective_plan
from rateplans.services import preview, prices
from rateplans.services.preview import Effect
from rateplans.views.parts import CarefulFormPage
from rateplans.wording import markup_text, number_classes, price_label


class PricePage(CarefulFormPage):
    """Values of a day: of today, or the one that the address names (``?on=``)."""

    @cached_property
    def shown_on(self) -> date:
        named = day_of(self.request.GET.get("on", ""))
        return named if named and named > self.today else self.today

    @cached_property
    def plan_on_day(self) -> PlanOnDay:
        return PlanOnDay(
            effective=effective_plan(self.plan, on=self.shown_on),
            on=self.shown_on,
            sources=self.sources,
            is_top=self.owner.parent_id is None,
        )

    def present_state(self) -> str:
        return prices.state_of_prices(self.plan)

    def change(self, form: Any) -> None:
        """Call the service that saves ``form``."""
        raise NotImplementedError

    def effects(self, form: Any) -> tuple[list[Effect], list[str]]:
        on = form.cleaned_data.get("from_on") or self.today
        return preview.effects(self.plan, lambda: self.change(form), on=on), []

    def save(self, form: Any) -> str:
        self.change(form)
        return self.request.path


class DatedPage(PricePage):
    form_class: ClassVar[type[DatedForm]]

    def form_kwargs(self) -> dict[str, Any]:
        return {}

    def build_form(self, data: Any = None, files: Any = None) -> DatedForm:
        return self.form_class(
            data,
            plan=self.plan_on_day,
            seen=self.present_state(),
            **self.form_kwargs(),
        )

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {"planned": self.planned()}

    def planned(self) -> list[dict[str, Any]]:
        """What changes later: label, day and the address that shows that day."""
        found = []
        told = [(row, *self.told(row)) for row in self.dated_rows()]
        begins = {(label, row.valid.lower) for row, label, _text in told}
        for row, label, text in told:
            begin, end = row.valid.lower, row.valid.upper
            if begin and begin > self.today:
                found.append((begin, label, text))
            if end and end > self.today and (label, end) not in begins:
                found.append((end, label, _("inherited again")))
        return [
            {
                "label": _("From %(day)s: %(label)s")
                % {"day": format_day(day), "label": label},
                "detail": text,
                "url": f"{self.request.path}?on={day.isoformat()}",
            }
            for day, label, text in sorted(found)
        ]

    def dated_rows(self) -> Iterable[Any]:
        """The rows behind the form, of all days."""
        raise NotImplementedError

    def told(self, row: Any) -> tuple[str, str]:
        """What a row is about, and what it says."""
        raise NotImplementedError


class PlanPrices(DatedPage):
    tab = "prices"
    form_class = PricesForm

    @cached_property
    def classes(self) -> Mapping[int, NumberClass]:
        return number_classes()

    def form_kwargs(self) -> dict[str, Any]:
        return {"classes": self.classes}

    def change(self, form: PricesForm) -> None:
        prices.set_prices(
            plan=self.plan,
            values=form.values(),
            from_on=form.cleaned_data["from_on"],
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )

    def dated_rows(self) -> Iterable[PlanPrice]:
        return self.plan.prices.all()

    def told(self, row: PlanPrice) -> tuple[str, str]:
        key = (row.feature, row.number_class_id, row.occurs)
        label = price_label(key, dict(self.classes))
        return label, format_price(row.amount, self.plan.currency)


class PlanMarkups(DatedPage):
    tab = "markups"
    form_class = MarkupsForm

    def change(self, form: MarkupsForm) -> None:
        prices.set_markups(
            plan=self.plan,
            values=form.values(),
            from_on=form.cleaned_data["from_on"],
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )

    def dated_rows(self) -> Iterable[PlanMarkup]:
        return self.plan.markups.all()

    def told(self, row: PlanMarkup) -> tuple[str, str]:
        text = markup_text(Markup(row.markup, row.margin), self.plan.currency)
        return str(row.get_kind_display()), text


class PlanPermissions(PricePage):
    tab = "permissions"

    def build_form(self, data: Any = None, files: Any = None) -> PermissionsForm:
        return PermissionsForm(
            data,
            plan=self.plan_on_day,
            own=prices.own_maxima(self.owner),
            seen=self.present_state(),
        )

    def change(self, form: PermissionsForm) -> None:
        prices.set_permissions(
            plan=self.plan,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )
