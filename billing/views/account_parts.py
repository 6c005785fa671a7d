"""What pages show of an account: figures, its billing type in words, its balance over time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.calls_at_once import calls_at_once
from billing.choices import InvoiceStatus
from billing.invoice_statuses import UNPAID
from billing.models import BillingAccount, Invoice, LedgerEntry
from billing.selectors import has_customers
from billing.services.forecast import Forecast, forecast
from billing.statement import balances_by_day
from billing.types import rules_of
from billing.views.call_parts import call_items
from portal.core.display import format_day, format_short_day
from portal.core.money import format_money, format_price
from portal.core.plots import Mark, Plot, Value, step_plot
from rateplans.choices import BillType

PLOT_DAYS = 90
DATES = 5  # about so many stand below a plot
FAR = 4  # times the balance at its largest


def amount_cell(amount: Decimal, currency: str) -> SafeString:
    """An amount of the ledger as pages show it: what is below zero stands out."""
    kind = "amount is-negative" if amount < 0 else "amount"
    return format_html(
        '<span class="{}">{}</span>', kind, format_price(amount, currency)
    )


def account_tiles(
    account: BillingAccount, coming: Forecast | None
) -> list[dict[str, Any]]:
    """Balance, available credit and the next fees, at a glance."""
    return [*credit_tiles(account), _fees_tile(account, coming)]


def credit_tiles(account: BillingAccount) -> list[dict[str, Any]]:
    """Balance and available credit; none where nothing moves the balance."""
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
    return tiles


def _fees_tile(account: BillingAccount, coming: Forecast | None) -> dict[str, Any]:
    tile = {"label": _("Next fees"), "icon": "calendar-clock"}
    if coming is None:
        detail = _("No fees are charged on this account.")
        return tile | {"value": _("None"), "detail": detail}
    day = format_day(coming.day)
    if coming.refusal is not None:
        return tile | {"value": day, "detail": account.plan.name}
    return tile | {
        "value": format_money(coming.total, account.currency),
        "detail": _("on %(day)s, taxes included") % {"day": day},
        "kind": "warning" if coming.missing else "",
    }


def _balance_detail(account: BillingAccount) -> str:
    if account.low_since is not None:
        return _("Low since %(day)s") % {"day": format_day(account.low_since)}
    if account.balance < 0:
        return _("owed to the provider")
    return _("in credit") if account.balance else ""


def coming_box(coming: Forecast | None) -> dict[str, Any] | None:
    """What the next fees are made of (billing/_coming.html); None if they come to nothing."""
    if coming is None or not coming.lines:
        return None
    account, day = coming.level.account, format_day(coming.day)
    short = _(
        "The credit does not cover what is charged on %(day)s. It is charged all the same,"
        " and will take the balance to %(balance)s, %(missing)s beyond the credit limit."
    ) % {
        "day": day,
        "balance": format_money(coming.balance_after, account.currency),
        "missing": format_money(coming.missing, account.currency),
    }
    rows = [(each.thing, each.line.net) for each in coming.lines]
    return {
        "day": day,
        "rows": [
            {"label": label, "amount": format_money(amount, account.currency)}
            for label, amount in (*rows, *coming.taxes.items())
        ],
        "total": format_money(coming.total, account.currency),
        "is_on_balance": coming.level.rules.transactions_move_balance,
        "short": short if coming.missing else "",
    }


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


def open_invoices_tile(account: BillingAccount, url: str) -> list[dict[str, Any]]:
    """What is to be paid by invoice, with the way there; none where nothing is."""
    if not url:
        return []
    unpaid = Invoice.objects.filter(
        account=account, status__in=UNPAID, payable__gt=F("settled")
    ).aggregate(
        count=Count("pk"),
        late=Count("pk", filter=Q(status=InvoiceStatus.OVERDUE)),
        total=Sum(F("payable") - F("settled")),
    )
    if not unpaid["count"]:
        return []
    count, late = unpaid["count"], unpaid["late"]
    text = ngettext("%(count)d invoice", "%(count)d invoices", count)
    detail = text % {"count": count}
    if late:
        overdue = ngettext("%(count)d overdue", "%(count)d overdue", late)
        detail = f"{detail}, {overdue % {'count': late}}"
    return [
        {
            "label": _("Invoices to pay"),
            "value": format_money(unpaid["total"], account.currency),
            "icon": "receipt-text",
            "detail": detail,
            "kind": "danger" if late else "",
            "url": f"{url}?status=open",
        }
    ]


def overview(account: BillingAccount, invoices_url: str = "") -> dict[str, Any]:
    """What stands above a ledger (billing/_account_overview.html)."""
    rules = rules_of(account.bill_type)
    coming = forecast(account)
    return {
        "tiles": [
            *account_tiles(account, coming),
            *open_invoices_tile(account, invoices_url),
        ],
        "coming": coming_box(coming),
        "bill_type": account.get_bill_type_display(),
        "sentences": bill_type_sentences(account.bill_type),
        "calls": call_items(
            calls_at_once(account, plan=coming.level.plan if coming else None),
            has_customers=has_customers(account),
        ),
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
