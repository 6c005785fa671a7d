"""What pages show of an account: figures, its billing type in words, its balance over time."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.models import BillingAccount, LedgerEntry
from billing.statement import balances_by_day
from billing.types import rules_of
from portal.core.display import format_day, format_short_day
from portal.core.money import format_money, format_price
from portal.core.plots import Mark, Plot, Value, step_plot
from rateplans.choices import BillingPeriod, BillType
from rateplans.selectors import effective_plan

PLOT_DAYS = 90
DATES = 5  # about so many stand below a plot
FAR = 4  # times the balance at its largest


def amount_cell(amount: Decimal, currency: str) -> SafeString:
    """An amount of the ledger as pages show it: what is below zero stands out."""
    kind = "amount is-negative" if amount < 0 else "amount"
    return format_html(
        '<span class="{}">{}</span>', kind, format_price(amount, currency)
    )


def account_tiles(account: BillingAccount) -> list[dict[str, Any]]:
    """Balance, available credit, billing type and the next fees, at a glance."""
    rules = rules_of(account.bill_type)
    tiles: list[dict[str, Any]] = []
    if rules.uses_balance:
        left = account.available
        tiles += [
            {
                "label": _("Balance"),
                "value": format_money(account.balance, account.currency),
                "icon": "wallet",
                "detail": _balance_detail(account),
                "kind": "danger" if account.balance < 0 and left <= 0 else "",
            },
            {
                "label": _("Available"),
                "value": format_money(left, account.currency),
                "icon": "piggy-bank",
                "detail": _("Credit limit %(limit)s")
                % {"limit": format_money(account.credit_limit, account.currency)},
                "kind": "warning" if left <= 0 else "",
            },
        ]
    next_day = next_fees_on(account)
    tiles.append(
        {
            "label": _("Next fees"),
            "value": format_day(next_day) if next_day else _("None"),
            "icon": "calendar-clock",
            "detail": account.plan.name
            if next_day
            else _("No fees are charged on this account."),
        }
    )
    return tiles


def _balance_detail(account: BillingAccount) -> str:
    if account.low_since is not None:
        return _("Low since %(day)s") % {"day": format_day(account.low_since)}
    if account.balance < 0:
        return _("owed to the provider")
    return _("in credit") if account.balance else ""


def next_fees_on(account: BillingAccount) -> date | None:
    """The first day that fees are still to be charged for; None if there never are any."""
    if not rules_of(account.bill_type).has_monthly_fees:
        return None
    today = timezone.localdate()
    period = effective_plan(account.plan, on=today).value("billing_period")
    if period == BillingPeriod.INDEFINITE:
        return None
    return max(account.billed_until, account.fees_from)


def bill_type_sentences(bill_type: str) -> list[str]:
    """A billing type in plain words (D 1.5), for the customer as for its provider."""
    rules = rules_of(bill_type)
    if not rules.uses_balance:
        where = (
            _("What is used is charged by another application, not here.")
            if bill_type == BillType.EXTERNAL
            else _("Nothing is charged.")
        )
        return [where, _("No balance is kept, so no credit limit applies.")]
    sentences = []
    if rules.runs_negative:
        sentences.append(
            _(
                "Calls and fees are paid afterwards: they add up below zero, and the"
                " credit limit is the most that may be owed."
            )
        )
    elif rules.transactions_move_balance:
        sentences.append(
            _(
                "Calls and fees are paid in advance: they lower the balance, and top-ups"
                " raise it. Nothing more can be had when balance and credit are used up."
            )
        )
    else:
        sentences.append(
            _(
                "Calls are paid in advance from the balance. Fees and purchases do not"
                " touch it: they are listed, and paid by invoice."
            )
        )
    if rules.resets_on_invoice:
        sentences.append(
            _("Each invoice takes what it bills off the balance, which begins anew.")
        )
    elif rules.has_topup_invoices:
        sentences.append(_("Every top-up has its invoice."))
    return sentences


def balance_plot(account: BillingAccount) -> Plot:
    """The balance at the end of each of the last days, with the limit it may not pass."""
    zone = timezone.get_current_timezone_name()
    last = timezone.localdate()
    opened = timezone.localdate(account.customer.created_at)
    first = min(max(opened, last - timedelta(days=PLOT_DAYS - 1)), last - timedelta(6))
    days = balances_by_day(account, first=first, last=last, zone=zone)
    # None near the end, where it would not fit.
    every = max(len(days) // DATES, 1)
    ticks = range(0, len(days) - every // 2, every)
    return step_plot(
        [
            Value(
                format_day(day),
                balance,
                format_money(balance, account.currency),
                format_short_day(day) if place in ticks else "",
            )
            for place, (day, balance) in enumerate(days)
        ],
        mark=_limit_mark(account, [balance for _day, balance in days]),
        id="balance-plot",
        title=_("Balance (%(currency)s)") % {"currency": account.currency},
        label_heading=_("Day"),
        value_heading=_("Balance"),
    )


def _limit_mark(account: BillingAccount, balances: list[Decimal]) -> Mark | None:
    """The credit limit, unless it is so far off that all else would look level."""
    limit = account.credit_limit
    if not limit or limit > FAR * max(map(abs, balances)):
        return None
    return Mark(_("Credit limit"), -limit, format_money(limit, account.currency))


def overview(account: BillingAccount) -> dict[str, Any]:
    """What stands above a ledger (billing/_account_overview.html)."""
    rules = rules_of(account.bill_type)
    return {
        "tiles": account_tiles(account),
        "bill_type": account.get_bill_type_display(),
        "sentences": bill_type_sentences(account.bill_type),
        "plot": balance_plot(account) if rules.uses_balance else None,
    }


def kind_cell(entry: LedgerEntry) -> SafeString | str:
    """What the entry is for; with a word if it leaves the balance as it was."""
    label = entry.get_kind_display()
    if entry.is_on_balance:
        return label
    return format_html(
        '{}<span class="cell-sub">{}</span>', label, _("beside the balance")
    )
