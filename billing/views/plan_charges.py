"""Commerce » Rate plans » a plan » Charges: its own, and those that it inherits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import Charge
from billing.services import charge_rows
from billing.views.charge_cells import (
    charge_line,
    next_on_plan,
    plan_status_cell,
)
from billing.views.charges import ChargeCreate, ChargeList, OfPlan, plan_crumbs
from billing.views.parts import account_of
from portal.core.display import format_day
from portal.core.tables import Column, Empty
from portal.core.views import Crumb
from rateplans.views.parts import plan_tabs, sources_of


class PlanCharges(OfPlan, ChargeList):
    template_name = "billing/plan_charges.html"

    def title(self) -> str:
        return self.plan.name

    def breadcrumbs(self) -> list[Crumb]:
        return plan_crumbs(self, self.plan)[:1]

    @cached_property
    def payers(self) -> int:
        return charge_rows.count_payers(self.plan)

    def columns(self) -> Sequence[Column]:
        today = self.today()
        kept = {column.key: column for column in super().columns()}
        return (
            *(kept[key] for key in ("name", "price", "due", "from")),
            Column(
                "next",
                _("Next due"),
                lambda c: format_day(day) if (day := next_on_plan(c, today)) else "",
            ),
            Column("customers", _("Customers"), self.payers_cell, align="end"),
            Column(
                "status", _("Status"), lambda c: plan_status_cell(c, today), narrow=True
            ),
        )

    def payers_cell(self, charge: Charge) -> str:
        return number_format(0 if charge.ended_at else self.payers, force_grouping=True)

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(
            subtitle=self.subtitle(),
            tabs=plan_tabs(self, self.plan, "charges"),
            inherited=self.inherited(),
            **context,
        )

    def subtitle(self) -> str:
        values = {"name": self.plan.name, "count": self.payers}
        if not self.payers:
            text = _(
                "Customers on %(name)s, and on plans that inherit from it, pay them:"
                " nobody so far."
            )
            return text % values
        return (
            ngettext(
                "%(count)d customer on %(name)s, or on a plan that inherits from it, pays"
                " them.",
                "%(count)d customers on %(name)s, or on a plan that inherits from it, pay"
                " them.",
                self.payers,
            )
            % values
        )

    def inherited(self) -> list[dict[str, Any]]:
        """Charges of plans further up, for _components/detail_list.html."""
        sources = sources_of(account_of(self))
        return [
            {
                "label": charge.name,
                "html": charge_line(charge),
                "help": _("From %(plan)s") % {"plan": sources.name(charge.plan, way)},
            }
            for charge, way in charge_rows.inherited_charges(self.plan)
        ]

    def empty(self) -> Empty:
        return Empty(
            icon="receipt-text",
            title=_("No charge yet"),
            text=_("A charge of a plan is an extra item for every customer on it."),
            action_url=self.create_url(),
            action_label=_("Add the first charge"),
        )


class PlanChargeCreate(OfPlan, ChargeCreate):
    def form_context(self, form: Any) -> dict[str, Any]:
        payers = number_format(charge_rows.count_payers(self.plan), force_grouping=True)
        facts = [{"label": _("Customers who will pay it"), "value": payers}]
        return super().form_context(form) | {"facts": facts}
