"""What things would cost, in the words and amounts that pages show beforehand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from billing.choices import EntryKind
from billing.models import LedgerEntry
from billing.pricing import for_months
from billing.services.fee_lines import FeeLine
from billing.services.quotes import Quote, quote_removal
from portal.core.display import format_day
from portal.core.money import ZERO, format_money
from portal.core.periods import ONE_DAY
from rateplans.models import NumberClass

# What nothing costs: for a form that was changed on its way.
NO_TOTAL = Decimal(-1)
TOO_MUCH = Decimal("1e30")  # for any price; what is far more cannot be multiplied


def price_box(quote: Quote) -> dict[str, Any] | None:
    """For customers/_price.html; None where nothing costs anything."""
    level = quote.level
    if level is None or not (quote.total or quote.monthly):
        return None
    currency = level.currency
    missing = quote.missing
    return {
        "rows": [
            *(_row(_label(line), line.net, currency) for line in quote.lines),
            *_tax_rows(quote.lines, currency),
        ],
        "total": format_money(quote.total, currency),
        "seen": str(quote.total),
        "recurring": _recurring(quote) if quote.monthly else "",
        "recurring_from": format_day(level.account.billed_until),
        "period": level.period.value,
        "is_on_balance": level.rules.transactions_move_balance,
        "balance_after": format_money(quote.balance_after, currency),
        "credit_limit": format_money(level.account.credit_limit, currency)
        if level.account.credit_limit
        else "",
        "missing": format_money(missing, currency) if missing else "",
        "is_short": bool(missing),
    }


def fee_box(
    lines: Sequence[FeeLine], *, title: str, total_label: str
) -> dict[str, Any] | None:
    """The same about ``lines`` at one level only; None if there are none."""
    if not lines:
        return None
    currency = lines[0].level.currency
    total = sum((line.gross for line in lines), ZERO)
    return {
        "title": title,
        "rows": [
            *(_row(_label(line), line.net, currency) for line in lines),
            *_tax_rows(lines, currency),
        ],
        "total_label": total_label,
        "total": format_money(total, currency),
        "is_bare": True,
    }


def entry_box(
    entries: Sequence[LedgerEntry], *, currency: str, title: str, total_label: str
) -> dict[str, Any] | None:
    """The same about charges as the account will have them, in its own words."""
    if not entries:
        return None
    total = -sum((entry.amount for entry in entries), ZERO)
    taxes: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for part in (part for entry in entries for part in entry.taxes.all()):
        taxes[part.name] -= part.amount
    return {
        "title": title,
        "rows": [
            *(_row(entry.description, -entry.net, currency) for entry in entries),
            *(_row(name, amount, currency) for name, amount in taxes.items()),
        ],
        "total_label": total_label,
        "total": format_money(total, currency),
        "is_bare": True,
    }


def total_of(text: str) -> Decimal:
    """The amount that a form carries; one that nothing costs if it is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return NO_TOTAL
    is_amount = amount.is_finite() and 0 <= amount < TOO_MUCH
    return amount if is_amount else NO_TOTAL


def class_prices(
    classes: Sequence[NumberClass], quotes: Sequence[Quote]
) -> list[dict[str, str]]:
    """What one number of each class costs, as quoted; empty where none costs anything."""
    if not any(quote.total or quote.monthly for quote in quotes):
        return []
    return [
        {
            "name": number_class.name,
            "now": format_money(quote.total, quote.level.currency),
            "recurring": _recurring(quote),
            "period": quote.level.period.value,
        }
        for number_class, quote in zip(classes, quotes, strict=True)
        if quote.level is not None
    ]


def refund_sentence(quote: Quote) -> str:
    """For a page that asks before removing something with a recurring fee."""
    if not quote.total or quote.level is None:
        return ""
    return _("%(amount)s of the fee for this period come back to the balance.") % {
        "amount": format_money(quote.total, quote.level.currency)
    }


def refund_consequences(customer: Any, item: Any, *, goes_to: Any = None) -> list[str]:
    quote = quote_removal(customer, item, goes_to=goes_to)
    found = []
    if quote.due and quote.level is not None:
        text = _("First, %(amount)s due by today is charged: the last run left it out.")
        amount = format_money(quote.due, quote.level.currency)
        found.append(text % {"amount": amount})
    if sentence := refund_sentence(quote):
        found.append(sentence)
    return found


def _recurring(quote: Quote) -> str:
    """What a whole period costs: prices are per month, but a quarter is charged at once."""
    assert quote.level is not None
    months, currency = Fraction(quote.level.period.months), quote.level.currency
    return format_money(for_months(quote.monthly, months, 1, currency), currency)


def _row(label: str, amount: Decimal, currency: str) -> dict[str, str]:
    return {"label": label, "amount": format_money(amount, currency)}


def _label(line: FeeLine) -> str:
    values = {"feature": line.feature.label, "count": line.quantity}
    if line.kind == EntryKind.SIGNUP or line.period is None:
        if line.quantity > 1:
            return _("%(feature)s × %(count)d, sign-up fee") % values
        return _("%(feature)s, sign-up fee") % values
    values |= {
        "begin": format_day(line.period[0]),
        "last": format_day(line.period[1] - ONE_DAY),
    }
    if line.quantity > 1:
        return _("%(feature)s × %(count)d, %(begin)s – %(last)s") % values
    return _("%(feature)s, %(begin)s – %(last)s") % values


def _tax_rows(lines: Sequence[FeeLine], currency: str) -> list[dict[str, str]]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        for part in line.taxes:
            sums[part.name] += part.amount
    return [_row(name, amount, currency) for name, amount in sums.items()]
