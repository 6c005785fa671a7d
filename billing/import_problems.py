"""Why a line of a bank statement is not sure: kept as a code with values, said to each reader.

What services refuse is a sentence already, as are rows that are older than the codes: these
are said as they are.
"""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.core.money import format_money

_MOST = 200  # characters of `PaymentImportLine.problem`


class Problem(StrEnum):
    NO_AMOUNT = "no_amount"
    AMOUNT = "amount"
    DAY = "day"
    OUTGOING = "outgoing"
    KNOWN = "known"
    CURRENCY = "currency"
    OPEN = "open"
    TAKEN = "taken"
    ALL = "all"
    SEVERAL = "several"
    DEBT = "debt"
    PAID = "paid"
    NONE = "none"
    BY_HAND = "by_hand"
    RETURNED = "returned"
    UNEXPECTED = "unexpected"


_TEXTS: dict[str, Any] = {
    Problem.NO_AMOUNT: _("There is no amount."),
    Problem.AMOUNT: _("The amount cannot be read for certain: %(text)s"),
    Problem.DAY: _("The day cannot be read: %(text)s"),
    Problem.OUTGOING: _("This is outgoing money."),
    Problem.KNOWN: _("The same line was booked before."),
    Problem.CURRENCY: _("It is in another currency than invoice %(number)s."),
    Problem.OPEN: _("%(open)s is open on invoice %(number)s."),
    Problem.TAKEN: _("Another line pays invoice %(number)s."),
    Problem.ALL: _("It pays all of %(numbers)s."),
    Problem.SEVERAL: _("It names several invoices."),
    Problem.DEBT: _("It is all that %(customer)s has open."),
    Problem.PAID: _("Invoice %(number)s has nothing left to pay."),
    Problem.NONE: _("It names no invoice."),
    Problem.BY_HAND: _("Left out by hand."),
    Problem.RETURNED: _("Its payment was taken back: %(reason)s"),
    Problem.UNEXPECTED: _("Something unexpected. Try to book it by itself."),
}


def kept(problem: Problem, **values: str | tuple[Decimal, str]) -> str:
    """What a row holds of a problem; an amount is a pair with its currency.

    A text that leaves no room is cut.
    """
    held: dict[str, Any] = {
        name: value[:_MOST] if isinstance(value, str) else [str(value[0]), value[1]]
        for name, value in values.items()
    }
    while len(row := _row(problem, held)) > _MOST:
        longest = max(
            (name for name in held if isinstance(held[name], str)),
            key=lambda name: len(held[name]),
        )
        held[longest] = held[longest][:-1]
    return row


def _row(problem: Problem, held: dict[str, Any]) -> str:
    return json.dumps([problem.value, held], ensure_ascii=False, separators=(",", ":"))


def problem_text(row: str) -> str:
    """A problem in the reader's language; "" if there is none."""
    if not row.startswith('["'):
        return row
    code, held = json.loads(row)
    values = {
        name: value
        if isinstance(value, str)
        else format_money(Decimal(value[0]), value[1])
        for name, value in held.items()
    }
    return str(_TEXTS[code]) % values
