"""The pages of a plan with its prices, mark-ups and permissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.display import format_day
from portal.core.money import format_price
from portal.core.urls import day_of
from portal.core.views import ConfirmPage, Crumb, clean_token
from rateplans.forms.prices import (
    DatedForm,
    MarkupsForm,
    PermissionsForm,
    Planned,
    PlanOnDay,
    PricesForm,
    WithdrawForm,
)
from rateplans.models import NumberClass, RatePlan
from rateplans.pricing import Markup
from rateplans.selectors import effective_plan
from rateplans.services import preview, prices
from rateplans.services.preview import Effect
from rateplans.views.parts import CarefulFormPage, PlanPage, Unconfirmed
from rateplans.wording import markup_text, number_classes, price_code, price_label

WITHDRAW = "rateplans:plan-withdraw"


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
            planned=self.planned,
            **self.form_kwargs(),
        )

    @property
    def planned(self) -> list[Planned]:
        """What changes later on this page."""
        raise NotImplementedError

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {
            "planned": self.planned,
            "withdraw_url": self.url(WITHDRAW, pk=self.plan.pk),
        }


Told = tuple[
    Any, str, str, str
]  # a row, its code in the log, its label and what it says


def told_prices(plan: RatePlan, classes: Mapping[int, NumberClass]) -> list[Told]:
    """Prices of all days."""
    found: list[Told] = []
    for row in plan.prices.all():
        key = (row.feature, row.number_class_id, row.occurs)
        text = format_price(row.amount, plan.currency)
        found.append((row, price_code(key), price_label(key, dict(classes)), text))
    return found


def told_markups(plan: RatePlan) -> list[Told]:
    """Mark-ups of all days."""
    found: list[Told] = []
    for row in plan.markups.all():
        text = markup_text(Markup(row.markup, row.margin), plan.currency)
        found.append((row, f"markup:{row.kind}", str(row.get_kind_display()), text))
    return found


def planned_changes(told: Iterable[Told], today: date, path: str) -> list[Planned]:
    """What changes after ``today``, by day; ``path`` is the page that shows each day."""
    told = list(told)
    begins = {(code, row.valid.lower) for row, code, _label, _text in told}
    found = []
    for row, code, label, text in told:
        begin, end = row.valid.lower, row.valid.upper
        if begin and begin > today:
            found.append((begin, code, label, text))
        if end and end > today and (code, end) not in begins:
            found.append((end, code, label, _("inherited again")))
    return [
        Planned(code, label, day, text, f"{path}?on={day.isoformat()}")
        for day, code, label, text in sorted(found)
    ]


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

    @property
    def planned(self) -> list[Planned]:
        told = told_prices(self.plan, self.classes)
        return planned_changes(told, self.today, self.request.path)


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

    @property
    def planned(self) -> list[Planned]:
        return planned_changes(told_markups(self.plan), self.today, self.request.path)


class PlanWithdraw(PlanPage, ConfirmPage):
    """Calls off a change that is planned, once it is seen what comes of that."""

    http_method_names = ["post"]
    template_name = "rateplans/plan_withdraw.html"
    submit_label = gettext_lazy("Withdraw")
    is_danger = False

    @cached_property
    def planned(self) -> Planned | None:
        """The change that the button names; None if it is not planned, or not any more."""
        told = [*told_prices(self.plan, number_classes()), *told_markups(self.plan)]
        named = self.request.POST.get("planned", "")
        found = planned_changes(told, self.today, self.cancel_url())
        return next((each for each in found if each.value == named), None)

    @property
    def change(self) -> Planned:
        assert self.planned is not None
        return self.planned

    @cached_property
    def found(self) -> Unconfirmed:
        """What it changes for customers, as it is asked before."""
        effects = preview.effects(self.plan, self.withdraw, on=self.change.day)
        return Unconfirmed(effects, [], self.change.day)

    def withdraw(self) -> None:
        prices.withdraw(
            plan=self.plan, code=self.change.code, on=self.change.day, by=self.actor
        )

    def title(self) -> str:
        values = {"day": format_day(self.change.day)}
        return _("Withdraw what is planned from %(day)s") % values

    def breadcrumbs(self) -> list[Crumb]:
        return [*super().breadcrumbs(), Crumb(self.plan.name, self.cancel_url())]

    def cancel_url(self) -> str:
        is_markup = self.request.POST.get("planned", "").startswith("markup:")
        name = "rateplans:plan-markups" if is_markup else "rateplans:plan-prices"
        return self.url(name, pk=self.plan.pk)

    def consequences(self) -> Sequence[str]:
        values = {"price": self.change.label, "value": self.change.text}
        return (
            _("This planned change is dropped: “%(price)s”, %(value)s.") % values,
            _("What holds before that day goes on."),
        )

    def build_form(self, data: Any = None, files: Any = None) -> WithdrawForm:
        return WithdrawForm(data)

    def post(self, request: Any, **kwargs: Any) -> HttpResponseBase:
        if self.planned is None:
            messages.info(request, _("This is not planned any more."))
            return self.redirect(self.cancel_url())
        if request.POST.get("confirmed") != self.found.mark:
            token = clean_token(request.POST.get("form_token", ""))
            return self.render_form(self.build_form(request.POST), token=token)
        return super().post(request, **kwargs)

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {"found": self.found}

    def save(self, form: Any) -> str:
        self.withdraw()
        return self.cancel_url()

    def success_message(self, form: Any) -> str:
        return _("Withdrawn.")


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
