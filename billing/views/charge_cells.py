"""What lists and pages of charges say of each, in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import ChargePeriod
from billing.models import Charge
from billing.schedules import schedule_of
from billing.services import charge_rows
from portal.core.display import format_day
from portal.core.money import format_price
from portal.core.periods import ONE_DAY
from portal.core.pills import pill
from portal.core.scope import scopes_disabled
from rateplans.models import RatePlan
from rateplans.wording import Sources


def price_cell(charge: Charge) -> SafeString:
    price = format_price(charge.amount, charge.currency)
    times = f"{charge.quantity} × " if charge.quantity > 1 else ""
    return format_html('<span class="amount">{}{}</span>', times, price)


def due_cell(charge: Charge) -> str:
    period = str(charge.get_period_display())
    if charge.number:
        text = ngettext(
            "%(period)s, %(number)d time", "%(period)s, %(number)d times", charge.number
        )
        period = text % {"period": period, "number": charge.number}
    if charge.below_id is not None:
        text = _("%(period)s, until the charge of the customer below ends")
        return text % {"period": period}
    return period


def charge_items(
    plan: RatePlan, sources: Sources | None = None
) -> list[dict[str, Any]]:
    """What customers on a plan are charged by it and by what it inherits from.

    For _components/detail_list.html; with ``sources`` each says which plan it comes from.
    """
    with scopes_disabled():  # the plan may be shared from above the tenant
        own = list(Charge.objects.filter(plan=plan, ended_at=None).order_by("pk"))
    found = [(charge, [plan]) for charge in own]
    return [
        {
            "label": charge.name,
            "html": charge_line(charge),
            "help": _("From %(plan)s") % {"plan": sources.name(way[-1], way)}
            if sources
            else "",
        }
        for charge, way in [*found, *charge_rows.inherited_charges(plan)]
    ]


def charge_line(charge: Charge) -> SafeString:
    """A charge of a plan in one line: its price, how often it is due and since when."""
    return format_html(
        "{} · {} · {}",
        price_cell(charge),
        due_cell(charge),
        _("from %(day)s") % {"day": format_day(charge.starts_on)},
    )


def plan_facts(charge: Charge, *, today: date) -> list[dict[str, Any]]:
    """A plan's charge at a glance; it is due on each customer by itself."""
    next_on = next_on_plan(charge, today)
    payers = charge_rows.count_payers(charge.plan) if charge.plan else 0
    return [
        {"label": _("Status"), "html": plan_status_cell(charge, today)},
        {"label": _("Next due"), "value": format_day(next_on) if next_on else ""},
        {
            "label": _("Customers who pay it"),
            "value": number_format(
                0 if charge.ended_at else payers, force_grouping=True
            ),
        },
    ]


def next_on_plan(charge: Charge, today: date) -> date | None:
    """The next day that the customers on a plan are charged, today included.

    None for what is paid once: it is due on the day somebody comes onto the plan, too.
    """
    if charge.ended_at is not None or charge.period == ChargePeriod.ONCE:
        return None
    return schedule_of(charge).first_after(today - ONE_DAY)


def plan_status_cell(charge: Charge, today: date) -> SafeString:
    is_once = charge.period == ChargePeriod.ONCE
    if charge.ended_at is None and not is_once and not next_on_plan(charge, today):
        return pill("neutral", _("Over"), "check")
    return status_cell(charge)


def next_cell(charge: Charge) -> str:
    return format_day(charge.next_on) if charge.next_on else ""


def status_cell(charge: Charge) -> SafeString:
    if charge.ended_at is not None:
        return pill("neutral", _("Ended"), "circle-stop")
    if charge.account_id is not None and charge.next_on is None:
        return pill("neutral", _("Charged"), "check")
    return pill("success", _("Active"))
