"""The settings of rate plans: which there are, and what holds where no plan says anything.

A plan sets a value or leaves it empty; empty means what the plan it inherits from says
(D 3.2, row 3), and at the end of that chain the defaults here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rateplans.choices import (
    BillingPeriod,
    BillType,
    Contract,
    InvoiceDetail,
    InvoiceFormat,
)

NO_LIMIT = -1

# By the name of the plan's column, in the order of D 3.2.
DEFAULTS: dict[str, Any] = {
    "bill_type": BillType.PREPAID,
    "due_days": 14,
    "overdue_days": 14,
    "billing_period": BillingPeriod.MONTHLY,
    "bill_defer": False,
    "refund_on_removal": False,
    "contract": Contract.NONE,
    "send_invoices": True,
    "invoice_format": InvoiceFormat.PDF,
    "invoice_detail": InvoiceDetail.SUMMARY,
    "service_email": "",
    "copy_service_email": False,
    "service_telephone": "",
    "divert_when_stopped": False,
    "call_precision": 4,
    "auto_topup_target": Decimal(0),
    "call_maximum": Decimal(NO_LIMIT),
    "concurrent_calls": NO_LIMIT,
    "bulk_calls": NO_LIMIT,
    "conference_calls": NO_LIMIT,
    "huntgroup_dests": NO_LIMIT,
    "callerid_in_external": True,
    "external_out": True,
    "dial_plan": None,
    "included_seconds": 0,
    "carry_forward_seconds": False,
    "included_messages": 0,
    "carry_forward_messages": False,
}


def is_set(value: Any) -> bool:
    """Whether a plan's column says something itself."""
    return value is not None and value != ""
