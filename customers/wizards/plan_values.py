"""What "the rate plan's setting" stands for, plan by plan, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core.money import format_money
from rateplans.choices import BillType, Contract, InvoiceDetail, InvoiceFormat
from rateplans.pricing import EffectivePlan
from rateplans.settings import NO_LIMIT


def plan_values(plan: EffectivePlan) -> dict[str, str]:
    """The plan's values by the name of the field that they stand in for."""
    currency = plan.plan.currency
    call_maximum, days = plan.value("call_maximum"), plan.value("due_days")
    dial_plan = plan.value("dial_plan")
    return {
        "call_maximum": _("no limit")
        if call_maximum == NO_LIMIT
        else format_money(call_maximum, currency),
        "concurrent_calls": _limit(plan.value("concurrent_calls")),
        "bulk_calls": _limit(plan.value("bulk_calls")),
        "callerid_in_external": _yes_no(plan.value("callerid_in_external")),
        "dial_plan": dial_plan.name if dial_plan else _("none"),
        "due_days": ngettext("%(days)d day", "%(days)d days", days) % {"days": days},
        "send_invoices": _yes_no(plan.value("send_invoices")),
        "invoice_format": str(InvoiceFormat(plan.value("invoice_format")).label),
        "invoice_detail": str(InvoiceDetail(plan.value("invoice_detail")).label),
        "contract": str(Contract(plan.value("contract")).label),
        "currency": currency,
        "bill_type": str(BillType(plan.value("bill_type")).label),
    }


def _yes_no(value: bool) -> str:
    return _("yes") if value else _("no")


def _limit(value: int) -> str:
    return _("no limit") if value == NO_LIMIT else str(value)
