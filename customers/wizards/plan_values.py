"""What "the rate plan's setting" stands for, plan by plan, in words."""

from __future__ import annotations

from rateplans.pricing import EffectivePlan
from rateplans.wording import setting_text

# Settings that a customer's own field may overrule, by that field's name.
SETTINGS = (
    *("call_maximum", "concurrent_calls", "bulk_calls", "callerid_in_external"),
    *("dial_plan", "due_days", "send_invoices", "invoice_format", "invoice_detail"),
    *("contract", "bill_type"),
)


def plan_values(plan: EffectivePlan) -> dict[str, str]:
    """The plan's values by the name of the field that they stand in for."""
    values = {"currency": plan.plan.currency}
    for name in SETTINGS:
        found = plan.setting(name)
        currency = (found.plan or plan.plan).currency
        values[name] = setting_text(name, found.value, currency)
    return values
