"""The settings of rate plans: which there are, and what holds where no plan says anything.

A plan sets a value or leaves it empty; empty means what the plan it inherits from says
(D 3.2, row 3), and at the end of that chain the defaults here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from rateplans.choices import (
    BillingPeriod,
    BillType,
    Contract,
    InvoiceDetail,
    InvoiceFormat,
    LockWhenOverdue,
)
from rateplans.reminders import NO_REMINDERS

NO_LIMIT = -1

# By the name of the plan's column, in the order of D 3.2.
DEFAULTS: dict[str, Any] = {
    "bill_type": BillType.PREPAID,
    "due_days": 14,
    "overdue_days": 14,
    "reminder_days": NO_REMINDERS,
    "overdue_lock": LockWhenOverdue.NONE,
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
    "cos_timegroup": None,
    "included_seconds": 0,
    "carry_forward_seconds": False,
    "included_messages": 0,
    "carry_forward_messages": False,
}

# Settings that are rows which the system owner sets up; asked for once there are any.
ROWS: tuple[str, ...] = tuple(
    name for name, default in DEFAULTS.items() if default is None
)


class SettingSection(NamedTuple):
    """Settings that forms show together; those of one of its ``rows`` side by side."""

    id: str
    title: Any
    rows: tuple[tuple[str, ...], ...]


SECTIONS: tuple[SettingSection, ...] = (
    SettingSection(
        "billing",
        _("Billing"),
        (
            ("currency", "bill_type"),
            ("due_days", "overdue_days"),
            ("reminder_days", "overdue_lock"),
            ("billing_period", "bill_defer"),
            ("refund_on_removal", "contract"),
            ("auto_topup_target",),
        ),
    ),
    SettingSection(
        "invoices",
        _("Invoices"),
        (("send_invoices", "invoice_format", "invoice_detail"),),
    ),
    SettingSection(
        "service",
        _("Customer service"),
        (
            ("service_email", "copy_service_email"),
            ("service_telephone", "divert_when_stopped"),
        ),
    ),
    SettingSection(
        "telephony",
        _("Telephony"),
        (
            ("call_precision", "call_maximum"),
            ("concurrent_calls", "bulk_calls"),
            ("conference_calls", "huntgroup_dests"),
            ("callerid_in_external", "external_out"),
            ("dial_plan",),
            ("cos_timegroup",),
        ),
    ),
    SettingSection(
        "included",
        _("Included calls and messages"),
        (
            ("included_seconds", "carry_forward_seconds"),
            ("included_messages", "carry_forward_messages"),
        ),
    ),
)


def is_set(value: Any) -> bool:
    """Whether a plan's column says something itself."""
    return value is not None and value != ""
