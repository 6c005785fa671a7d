"""What a plan's prices were on a day, and every change of them with who made it."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.core.display import format_moment
from portal.core.forms import PortalForm
from portal.core.models import AuditEvent
from portal.core.money import format_price
from portal.core.periods import ONE_DAY
from portal.core.urls import day_of
from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.forms.prices import price_keys
from rateplans.models import NumberClass
from rateplans.pricing import EffectivePlan, Markup
from rateplans.selectors import effective_plan
from rateplans.views.parts import PlanPage
from rateplans.wording import (
    feature_text,
    markup_text,
    number_classes,
    price_code,
    price_label,
    price_text,
)

# So many changes are looked through for who made them, the newest first.
MOST_EVENTS = 1000


class DayForm(PortalForm):
    """The day that prices are asked for; of any age."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"] = forms.DateField(
            label=_("Prices on this day"),
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        )
        self.helper.layout = Layout("on")


class PlanHistory(PlanPage):
    tab = "history"

    @cached_property
    def shown_on(self) -> date:
        return day_of(self.request.GET.get("on", "")) or self.today

    @cached_property
    def classes(self) -> dict[int, NumberClass]:
        return number_classes()

    def get(self, request: Any, pk: int) -> HttpResponse:
        plan = effective_plan(self.plan, on=self.shown_on)
        context = self.page_context(
            form=DayForm(initial={"on": self.shown_on}),
            shown_on=self.shown_on,
            prices=self.prices(plan),
            markups=[
                {
                    "label": kind.label,
                    "value": markup_text(
                        plan.markup(kind).value,
                        (plan.markup(kind).plan or self.plan).currency,
                    ),
                    "help": self.source(plan.markup(kind).plan, plan),
                }
                for kind in MarkupKind
            ],
            ranges=self.ranges(),
        )
        return render(request, "rateplans/plan_history.html", context)

    def prices(self, plan: EffectivePlan) -> list[dict[str, str]]:
        """One row for each feature and class: sign-up and per month, with their sources."""
        rows: dict[tuple[Feature, int | None], dict[str, str]] = {}
        for feature, class_id, occurs in price_keys(self.classes):
            label = feature_text(feature, class_id, self.classes)
            row = rows.setdefault((feature, class_id), {"label": label})
            price = plan.price(feature, occurs, class_id)
            row[occurs] = price_text(price)
            row[f"{occurs}_source"] = self.source(price.plan, plan) if price else ""
        return list(rows.values())

    def source(self, plan: Any, effective: EffectivePlan) -> str:
        if plan is None:
            return ""
        if plan.pk == self.plan.pk:
            return _("set here")
        name = self.sources.name(plan, effective.chain)
        return _("inherited from %(plan)s") % {"plan": name}

    def ranges(self) -> list[dict[str, Any]]:
        """Everything the plan itself said, says and will say, with who said it when."""
        rows: list[tuple[str, str, str, Any]] = [
            (
                price_label(
                    (row.feature, row.number_class_id, row.occurs), self.classes
                ),
                format_price(row.amount, self.plan.currency),
                price_code((row.feature, row.number_class_id, Occurs(row.occurs))),
                row,
            )
            for row in self.plan.prices.all()
        ]
        rows += [
            (
                str(row.get_kind_display()),
                markup_text(Markup(row.markup, row.margin), self.plan.currency),
                f"markup:{row.kind}",
                row,
            )
            for row in self.plan.markups.all()
        ]
        found = [
            {
                "label": label,
                "value": value,
                "begin": row.valid.lower,
                "last": row.valid.upper and row.valid.upper - ONE_DAY,
                "is_now": self.today in row.valid,
                "who": self.authors.get((code, str(row.valid.lower)), ""),
            }
            for label, value, code, row in rows
        ]
        return sorted(found, key=lambda entry: entry["begin"] or date.min, reverse=True)

    @cached_property
    def authors(self) -> dict[tuple[str, str], str]:
        """Who last changed a price from a day on, by its code in the log and the day."""
        events = (
            AuditEvent.objects.filter(
                object_type=self.plan._meta.label_lower,
                object_id=self.plan.pk,
                action="plan.priced",
            )
            .select_related("person__customer")
            .prefetch_related("changes")
            .order_by("-pk")[:MOST_EVENTS]
        )
        found: dict[tuple[str, str], str] = {}
        for event in events:
            changes = {change.field: change.new for change in event.changes.all()}
            text = _("%(who)s, %(when)s") % {
                "who": self.who(event),
                "when": format_moment(event.at),
            }
            for code in changes:
                found.setdefault((code, changes.get("valid_from", "")), text)
        return found

    def who(self, event: AuditEvent) -> str:
        """Who made a change; people from above the reader's account stay unknown."""
        own = self.request.reach.own
        if event.person and not event.person.customer.path.startswith(own.path):
            return _("Your provider")
        return event.person_name or _("The system")
