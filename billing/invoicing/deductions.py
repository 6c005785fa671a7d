"""What lies between a total and what is to be paid of it, item by item. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.invoicing.content import Deduction
from portal.core.money import ZERO, round_stated


def from_balance(
    gross: Decimal, balance: Decimal, counted: Iterable[Deduction]
) -> tuple[Deduction, ...]:
    """What a post-paid balance makes of ``gross``: all that moved it, and what was before.

    ``balance`` is what it comes to with ``gross``, and ``counted`` what changed it since
    the invoice before. What is above 0 stays there, for the next.
    """
    listed = sorted(counted, key=_day_of)
    earlier = balance + gross - sum((each.amount for each in listed), ZERO)
    kept = max(ZERO, balance)
    return (
        Deduction(_("Earlier balance"), earlier),
        *listed,
        Deduction(_("Stays on your balance"), -kept),
    )


def to_balance(amount: Decimal) -> tuple[Deduction, ...]:
    """What a pre-paid balance has borne already, or was given back."""
    text = (
        _("Charged to your balance") if amount >= 0 else _("Credited to your balance")
    )
    return (Deduction(text, amount),)


def adding_up(
    known: Iterable[Deduction], total: Decimal, currency: str
) -> tuple[Deduction, ...]:
    """Rounded, and without what is nothing then; together they are ``total``."""
    rounded = [
        replace(each, amount=round_stated(each.amount, currency)) for each in known
    ]
    rest = total - sum((each.amount for each in rounded), ZERO)
    if rest:
        rounded.append(Deduction(_("Rounding"), rest))
    return tuple(each for each in rounded if each.amount)


def with_paid(
    known: Sequence[Deduction], total: Decimal, paid: Iterable[Deduction]
) -> tuple[Deduction, ...]:
    """``known`` of an invoice that had another total before, and ``paid`` since.

    What was deducted then is not lost where less than that is charged now.
    """
    rest = total - sum((each.amount for each in known), ZERO)
    kept = (Deduction(_("Stays on your balance"), rest),) if rest else ()
    return (*known, *kept, *paid)


def _day_of(deduction: Deduction) -> str:
    return deduction.day.isoformat() if deduction.day else ""
