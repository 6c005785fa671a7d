"""Commerce » Rate plans » a plan » Charges: its own, and those that it inherits.

Customers pay them: before one is added or changed, the page says what that makes of it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import ChargePeriod
from billing.forms.charges import ChargeForm
from billing.models import Charge
from billing.schedules import schedule_of
from billing.services import charge_rows
from billing.views.charge_cells import (
    charge_line,
    due_cell,
    next_on_plan,
    plan_status_cell,
    price_cell,
)
from billing.views.charges import (
    ChargeCreate,
    ChargeEdit,
    ChargeList,
    OfPlan,
    plan_crumbs,
)
from billing.views.losses import losses_of_charge
from billing.views.parts import account_of, due_text
from portal.core.display import format_day
from portal.core.money import format_price
from portal.core.periods import local_date
from portal.core.tables import Column, Empty
from portal.core.views import Crumb
from rateplans.services.preview import Effect
from rateplans.views.parts import CarefulForm, plan_tabs, sources_of


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


def payers_text(charge: Charge, count: int) -> str:
    text = ngettext(
        "%(count)d customer pays %(price)s from %(day)s on, net.",
        "%(count)d customers pay %(price)s each from %(day)s on, net.",
        count,
    )
    price = format_price(charge.amount * charge.quantity, charge.currency)
    return text % {
        "count": count,
        "price": due_text(price, charge.period),
        "day": format_day(charge.starts_on),
    }


def due_texts(
    charge: Charge,
    payers: Mapping[date, int],
    today: date,
    *,
    charged: Container[date] = (),
) -> list[str]:
    """What the next run charges for the days up to ``today``, those ``charged`` left out.

    ``payers`` are how many customers are charged for plans from which day on.
    """
    is_once = charge.period == ChargePeriod.ONCE
    days = schedule_of(charge).due(since=date.min, until=today)
    count = sum(
        # What is paid once is due whenever somebody came onto the plan.
        customers * sum(is_once or day >= since for day in days if day not in charged)
        for since, customers in payers.items()
        if since <= today
    )
    if not count:
        return []
    text = ngettext(
        "It is due %(count)d time by today already: the next run charges %(total)s, net.",
        "It is due %(count)d times by today already, for all customers together: the"
        " next run charges %(total)s, net.",
        count,
    )
    total = charge.amount * charge.quantity * count
    return [text % {"count": count, "total": format_price(total, charge.currency)}]


class PlanChargeCreate(CarefulForm, OfPlan, ChargeCreate):
    template_name = "billing/plan_charge_form.html"

    def effects(self, form: ChargeForm) -> tuple[list[Effect], list[str]]:
        """Who pays the charge from when on, and what of it is due at once."""
        payers = charge_rows.payers(self.plan)
        if not payers:
            return [], []
        with transaction.atomic():
            # Made and taken back, so that it is refused now if saving would refuse it.
            charge = self.add(form)
            transaction.set_rollback(True)
        return [], [
            payers_text(charge, sum(payers.values())),
            *due_texts(charge, payers, self.today()),
            *losses_of_charge(charge),
        ]

    def form_context(self, form: Any) -> dict[str, Any]:
        payers = number_format(charge_rows.count_payers(self.plan), force_grouping=True)
        facts = [{"label": _("Customers who will pay it"), "value": payers}]
        return super().form_context(form) | {"facts": facts}


class AnyChargeEdit(CarefulForm, ChargeEdit):
    """A charge of a plan is changed once it was asked about, one of a customer at once."""

    template_name = "billing/plan_charge_form.html"

    def effects(self, form: ChargeForm) -> tuple[list[Effect], list[str]]:
        """What the customers of the plan will pay instead, and what is due at once."""
        plan, today = self.row.plan, local_date(account_of(self).time_zone)
        payers = charge_rows.payers(plan, self.row) if plan else {}
        if not payers:
            return [], []
        before = terms_of(self.row)
        with transaction.atomic():
            # Made and taken back, so that it is refused now if saving would refuse it.
            charge = self.update(form)
            after = terms_of(charge)
            transaction.set_rollback(True)
        charged = self.charged_days(today)
        notes = due_texts(charge, payers, today, charged=charged)
        if before == after or not (
            notes or is_to_come(self.row, today) or is_to_come(charge, today)
        ):
            return [], []
        customers = sum(payers.values())
        effects = [
            Effect(label, old, after[label], customers)
            for label, old in before.items()
            if old != after[label]
        ]
        return effects, notes

    def charged_days(self, today: date) -> list[date]:
        """Days that who pays now was charged for: all, once the run has begun with it."""
        charge = self.row
        if charge.period == ChargePeriod.ONCE or not charge.entries.exists():
            return []
        return schedule_of(charge).due(since=date.min, until=today)


def terms_of(charge: Charge) -> dict[str, str]:
    """What of a charge matters to those who pay it."""
    return {
        _("Price"): price_cell(charge),
        _("Due"): due_cell(charge),
        _("From"): format_day(charge.starts_on),
        _("Ends before"): format_day(charge.ends_on) if charge.ends_on else "–",
        _("Taxes"): ", ".join(map(str, charge_rows.taxes_of(charge))) or "–",
    }


def is_to_come(charge: Charge, today: date) -> bool:
    """Whether anybody will still be charged."""
    is_once = charge.period == ChargePeriod.ONCE
    return is_once or next_on_plan(charge, today) is not None
