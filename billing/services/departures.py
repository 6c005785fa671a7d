"""What it comes to when a whole customer is deleted: days given back, contracts paid off.

A deleted customer has nothing that is billed: all its rows of `BilledFeature` end with it.
What it pays when it is restored is the matter of `returns`. See docs/adr/0017.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.models import BilledFeature, LedgerEntry
from billing.pricing import Level, LevelPrice, price_down
from billing.selectors import Rates, load_levels
from billing.services.charge_chains import paid_above
from billing.services.charges import charge_due, lines_due
from billing.services.fee_lines import (
    FeeLine,
    days_text,
    label_of,
    recurring_line,
    running_until,
    thing,
)
from billing.services.fees import hold_chain, locked_levels
from billing.services.refunds import Refund, refunds, spared
from portal.core.actor import Actor
from portal.core.money import ZERO
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, Feature, Occurs


@dataclass(frozen=True, slots=True)
class Rest:
    """The fees of a contract's days that are not paid yet, and what they are for."""

    line: FeeLine
    rows: tuple[BilledFeature, ...]

    def posting(self) -> ledger.Posting:
        return self.line.debit(keys.contract_rest(self.rows[0].pk))


@dataclass(frozen=True)
class DepartureQuote:
    """What a customer itself pays until today and for the rest of its contract, and gets back.

    ``due`` are entries that are not posted: what late runs have left.
    """

    level: Level
    due: list[LedgerEntry] = field(default_factory=list)
    back: list[FeeLine] = field(default_factory=list)
    rest: list[FeeLine] = field(default_factory=list)

    @property
    def refunds(self) -> bool:
        """Whether the plan gives anything back at all."""
        return bool(self.level.plan.value("refund_on_removal"))

    @property
    def total_due(self) -> Decimal:
        return -sum((entry.amount for entry in self.due), ZERO)

    @property
    def total_back(self) -> Decimal:
        return sum((line.gross for line in self.back), ZERO)

    @property
    def total_rest(self) -> Decimal:
        return sum((line.gross for line in self.rest), ZERO)


def quote_departure(
    customer: Any, *, contract_until: date | None = None
) -> DepartureQuote:
    """What deleting ``customer`` would come to at its own level; posts nothing.

    ``contract_until``, not None, is the end of a contract that is charged in full.
    Raises ValidationError where a currency has no rate.
    """
    levels = load_levels(customer)
    if not _is_anything_due(levels):
        return _quote(levels, contract_until)
    # What comes back is a part of what is charged before: it is charged for a moment.
    with transaction.atomic():
        hold_chain(customer)
        own = levels[-1].account
        newest = own.entries.aggregate(newest=Max("pk"))["newest"] or 0
        levels, _now = locked_levels(customer)
        charge_due(own.pk)
        due = own.entries.filter(pk__gt=newest).prefetch_related("taxes").order_by("pk")
        quote = _quote(levels, contract_until, due=list(due))
        transaction.set_rollback(True)
    return quote


def _is_anything_due(levels: Sequence[Level]) -> bool:
    own = levels[-1]
    if any(level.account.billed_until <= level.today for level in levels):
        return True
    with scopes_disabled():  # what a level below has bought is looked at, too
        return own.rules.has_monthly_fees and bool(lines_due(own.account, own.today))


def _quote(
    levels: Sequence[Level],
    contract_until: date | None,
    *,
    due: Sequence[LedgerEntry] = (),
) -> DepartureQuote:
    own = levels[-1]
    leaving = _leaving(own.account.customer)
    back = refunds(levels, {own.path}, leaving, since=contract_until)
    rest = _rests(levels, {own.path}, leaving, contract_until)
    return DepartureQuote(
        own, list(due), [each.line for each in back], [each.line for each in rest]
    )


@transaction.atomic
def end_everything(
    customer: Any, *, by: Actor, contract_until: date | None = None
) -> datetime:
    """End all that is billed of ``customer``, which is being deleted; returns since when.

    What was due is charged. At each level whose plan refunds, the days after today go back.
    With ``contract_until`` the recurring fees of every level from the end of what it has
    paid up to that day are charged, at today's prices, and no day before it goes back.
    Limits do not stop it: the customer agreed to the contract when it got it.
    Raises ValidationError where a currency has no rate.
    """
    levels, now = locked_levels(customer)
    own = levels[-1].account
    charge_due(own.pk)
    above = {charge.account for charge in paid_above(own) if charge.account}
    for account in sorted(above, key=lambda account: account.pk):
        charge_due(account.pk)  # due there, too, only while this customer exists
    leaving = _leaving(customer)
    paths = [level.path for level in levels]
    ends: list[Refund | Rest] = [
        *refunds(levels, paths, leaving, since=contract_until),
        *_rests(levels, paths, leaving, contract_until),
    ]
    ledger.post((end.posting() for end in ends), by=by, within_limits=False, at=now)
    BilledFeature.objects.filter(pk__in=[row.pk for row in leaving]).update(
        ended_at=now
    )
    return now


def _leaving(customer: Any) -> list[BilledFeature]:
    rows = BilledFeature.objects.filter(customer=customer.pk, ended_at=None)
    return list(rows.order_by("pk"))


def _rests(
    levels: Sequence[Level],
    paths: Collection[str],
    leaving: Sequence[BilledFeature],
    until: date | None,
) -> list[Rest]:
    """The fees up to ``until`` of what each level of ``paths`` would be spared."""
    if until is None:
        return []
    rates = Rates(levels[-1].today)
    prices: dict[tuple[str, int | None], dict[str, LevelPrice]] = {}
    found = []
    for level in levels:
        begin = max(running_until(level), level.account.fees_from)
        is_charged = level.rules.has_monthly_fees
        is_endless = level.period == BillingPeriod.INDEFINITE
        if level.path not in paths or begin >= until or is_endless or not is_charged:
            continue
        groups: dict[tuple[str, int | None], list[BilledFeature]] = defaultdict(list)
        for row, leaver in spared(level, leaving):
            groups[row.feature, row.number_class_id].append(leaver)
        for kind, rows in groups.items():
            feature = Feature(kind[0])
            if kind not in prices:
                down = price_down(
                    levels, feature, Occurs.RECURRING, kind[1], rates.convert
                )
                prices[kind] = {price.level.path: price for price in down}
            line = _rest(prices[kind][level.path], feature, rows, (begin, until), rates)
            if line.gross:
                found.append(Rest(line, tuple(rows)))
    return found


def _rest(
    price: LevelPrice,
    feature: Feature,
    rows: Sequence[BilledFeature],
    period: tuple[date, date],
    rates: Rates,
) -> FeeLine:
    line = recurring_line(price, feature, len(rows), "", period, rates)
    with translation.override(price.level.language):
        description = _("%(thing)s, rest of the minimum contract: %(days)s") % {
            "thing": thing(feature, label_of(rows)),
            "days": days_text(*period),
        }
    return replace(line, description=description)
