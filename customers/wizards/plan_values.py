"""What "the rate plan's setting" stands for, plan by plan, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core.money import format_money
from rateplans.models import RatePlan
from rateplans.models.plan import NO_LIMIT


def plan_values(plan: RatePlan) -> dict[str, str]:
    """The plan's values by the name of the field that they stand in for."""
    return {
        "call_maximum": _("no limit")
        if plan.call_maximum == NO_LIMIT
        else format_money(plan.call_maximum, plan.currency),
        "concurrent_calls": _limit(plan.concurrent_calls),
        "bulk_calls": _limit(plan.bulk_calls),
        "callerid_in_external": _("yes") if plan.callerid_in_external else _("no"),
        "dial_plan": plan.dial_plan.name if plan.dial_plan else _("none"),
        "due_days": ngettext("%(days)d day", "%(days)d days", plan.due_days)
        % {"days": plan.due_days},
        "send_invoices": _("yes") if plan.send_invoices else _("no"),
        "invoice_format": plan.get_invoice_format_display(),
        "invoice_detail": plan.get_invoice_detail_display(),
        "contract": plan.get_contract_display(),
        "currency": plan.currency,
        "bill_type": plan.get_bill_type_display(),
    }


def all_plan_values(plans: Iterable[RatePlan]) -> dict[str, dict[str, str]]:
    """`plan_values` by plan id, for the page's script."""
    return {str(plan.pk): plan_values(plan) for plan in plans}


def _limit(value: int) -> str:
    return _("no limit") if value == NO_LIMIT else str(value)
