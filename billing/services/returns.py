"""What a deleted customer pays when it is restored, and who pays for numbers it gives back.

It has again what it had, as new rows of `BilledFeature`, charged from today on at every
level like something new, without sign-up fees. Days that are paid already, because nothing
was given back for them, are not charged again. See docs/adr/0017.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from billing import keys, ledger
from billing.choices import EntryKind
from billing.models import BilledFeature, LedgerEntry
from billing.pricing import Level, price_down
from billing.selectors import Rates, count_features, load_levels
from billing.services.charges import pass_over
from billing.services.credit import shortage_refusal
from billing.services.fee_lines import (
    FeeLine,
    begin_billing,
    chargeable,
    is_charged_now,
    label_of,
    recurring_line,
    running_until,
    signup_line,
)
from billing.services.fees import locked_levels, refuse_above_maximum
from billing.services.refunds import paid_by, part_of
from portal.core.actor import Actor
from portal.core.money import ZERO
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod, Feature, Occurs


@dataclass(frozen=True)
class ReturnQuote:
    """What restoring a customer would cost it, and give it back of its contract."""

    level: Level
    lines: list[FeeLine] = field(default_factory=list)
    back: list[FeeLine] = field(default_factory=list)
    refusal: ValidationError | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.gross for line in self.lines), ZERO)

    @property
    def total_back(self) -> Decimal:
        return sum((line.gross for line in self.back), ZERO)


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows of one kind that begin again, and what that costs."""

    rows: list[BilledFeature]
    lines: list[FeeLine]


@dataclass(frozen=True, slots=True)
class _Paid:
    """What a level has paid beyond the moment that things ended."""

    kept: set[int]  # ids of rows whose running period is paid, and was not given back
    until: date | None  # otherwise the day that what was given back begins with


def quote_return(customer: Any, *, by: Actor) -> ReturnQuote:
    """What restoring the deleted ``customer`` would cost at its own level; posts nothing."""
    levels = load_levels(customer)
    own = levels[-1]
    rows = _gone(customer)
    owes_signups = _owes_signups(own)
    own.account.billed_until = running_until(own)
    try:
        groups = _groups(levels, rows, customer, by=by, owes_signups=owes_signups)
    except ValidationError as error:
        return ReturnQuote(own, refusal=error)
    lines = [line for group in groups for line in group.lines if line.level is own]
    back = [line for _key, line in _contracts_back([own], rows)]
    return ReturnQuote(own, lines, back)


@transaction.atomic
def begin_everything_again(customer: Any, *, by: Actor) -> None:
    """Bill again what the deleted ``customer`` had, before it is restored.

    Charges that fell due while it was deleted are left out. What it has paid for the rest
    of its contract goes back from today on: its periods cost again. Its own limit does not
    stop that, since it can get no money while it is deleted; those of the accounts above
    do, and so do the maxima of their plans.
    Raises ValidationError as billing.services.fees says.
    """
    levels, now = locked_levels(customer)
    own = levels[-1]
    _end_what_stands(customer)
    rows = _gone(customer)
    owes_signups = _owes_signups(own)
    _resume(own, customer.deleted_at)
    groups = _groups(levels, rows, customer, by=by, owes_signups=owes_signups)
    postings = [
        posting for group in groups for posting in _begin(group, customer.pk, now)
    ]
    postings += (line.credit(key) for key, line in _contracts_back(levels, rows))
    above = [each for each in postings if each.account_id != own.account.pk]
    try:
        ledger.post(above, by=by, within_limits=True, at=now)
    except ledger.CreditError as error:
        raise shortage_refusal(error, levels, by=by) from error
    mine = [each for each in postings if each.account_id == own.account.pk]
    ledger.post(mine, by=by, within_limits=False, at=now)


@transaction.atomic
def hand_numbers_up(customer: Any, *, to: Any, by: Actor) -> None:
    """Bill the numbers of the deleted ``customer`` to the account above, ``to``.

    It is being purged, and they come back to whom they are from: no limit stops that.
    """
    levels, now = locked_levels(to)
    _end_what_stands(customer)
    rows = [row for row in _gone(customer) if row.feature == Feature.NUMBER]
    groups = _groups(levels, rows, to, by=None, owes_signups=False)
    postings = [posting for group in groups for posting in _begin(group, to.pk, now)]
    ledger.post(postings, by=by, within_limits=False, at=now)


def _end_what_stands(customer: Any) -> None:
    """End rows that were laid, or left, open for somebody who is deleted."""
    BilledFeature.objects.filter(customer=customer.pk, ended_at=None).update(
        ended_at=Greatest(F("started_at"), customer.deleted_at)
    )


def _gone(customer: Any) -> list[BilledFeature]:
    """What ended when ``customer`` was deleted, the oldest first."""
    rows = BilledFeature.objects.filter(customer=customer.pk)
    present = rows.filter(ended_at=None) | rows.filter(
        ended_at__gte=customer.deleted_at
    )
    return list(present.order_by("started_at", "pk"))


def _owes_signups(own: Level) -> bool:
    """Whether billing was delayed, and the customer deleted before it began."""
    account = own.account
    is_untouched = account.fees_from >= account.billed_until
    return is_untouched and account.billed_until <= own.today


def _resume(own: Level, left_at: datetime) -> None:
    """Let the days pass that ``own`` was out of use: they cost nothing."""
    account = own.account
    account.billed_until = running_until(own)
    account.save(update_fields=["billed_until"])
    if local_date(account.customer.time_zone, left_at) < own.today:
        pass_over(account, until=own.today)


def _groups(
    levels: Sequence[Level],
    rows: Sequence[BilledFeature],
    holder: Any,
    *,
    by: Actor | None,
    owes_signups: bool,
) -> list[_Group]:
    """``rows`` by kind, with what they cost at each of ``levels`` for ``holder``.

    Raises ValidationError where a plan does not allow ``by`` so many; None may all.
    """
    kinds: dict[tuple[Feature, int | None], list[BilledFeature]] = defaultdict(list)
    for row in rows:
        kinds[Feature(row.feature), row.number_class_id].append(row)
    counts = count_features(levels, {feature for feature, _class in kinds})
    paid = _paid(levels, rows)
    paths = {level.path for level in levels}
    groups = []
    for (feature, number_class_id), members in kinds.items():
        if by is not None:
            refuse_above_maximum(
                levels, paths, feature, len(members), counts, holder, by
            )
        lines = _lines(levels, feature, number_class_id, members, counts, paid)
        if owes_signups:
            lines += _signups(levels, feature, number_class_id, members, counts)
        groups.append(_Group(members, [line for line in lines if line.gross]))
        for path in paths:
            counts[path][feature] += len(members)
    return groups


def _lines(
    levels: Sequence[Level],
    feature: Feature,
    number_class_id: int | None,
    rows: Sequence[BilledFeature],
    counts: dict[str, dict[Feature, int]],
    paid: dict[str, _Paid],
) -> list[FeeLine]:
    """The rest of the running period at every level, without what is paid already."""
    if not levels:
        return []
    rates = Rates(levels[-1].today)
    found = []
    for price in price_down(
        levels, feature, Occurs.RECURRING, number_class_id, rates.convert
    ):
        level = price.level
        if not is_charged_now(level) or level.period == BillingPeriod.INDEFINITE:
            continue
        done = paid[level.path]
        quantity = chargeable(level, feature, len(rows), counts[level.path][feature])
        quantity -= sum(row.pk in done.kept for row in rows)
        begin, end = max(level.today, done.until or level.today), running_until(level)
        if quantity > 0 and begin < end:
            label = label_of(rows[-quantity:])
            line = recurring_line(price, feature, quantity, label, (begin, end), rates)
            found.append(line)
    return found


def _signups(
    levels: Sequence[Level],
    feature: Feature,
    number_class_id: int | None,
    rows: Sequence[BilledFeature],
    counts: dict[str, dict[Feature, int]],
) -> list[FeeLine]:
    """The sign-up fees that the customer itself would have paid when its fees began."""
    own = levels[-1]
    rates = Rates(own.today)
    quantity = chargeable(own, feature, len(rows), counts[own.path][feature])
    if not quantity or not is_charged_now(own):
        return []
    price = price_down(levels, feature, Occurs.SIGNUP, number_class_id, rates.convert)
    label = label_of(rows[-quantity:])
    return [signup_line(price[-1], feature, quantity, label, rates)]


def _paid(levels: Sequence[Level], rows: Sequence[BilledFeature]) -> dict[str, _Paid]:
    with scopes_disabled():  # accounts above the tenant got something back, too
        given = LedgerEntry.objects.filter(
            account__in=[level.account.pk for level in levels],
            kind=EntryKind.REFUND,
            key__in=[keys.refund(row.pk) for row in rows],
            reversed_by=None,
        ).values_list("account", "period_start")
        back: dict[int, date] = {}
        for account_id, begin in given:
            assert begin is not None  # of every refund of a feature
            back[account_id] = min(begin, back.get(account_id, begin))
    found = {}
    for level in levels:
        until = back.get(level.account.pk)
        kept = set() if until or not rows else set(paid_by(level, rows))
        found[level.path] = _Paid(kept, until)
    return found


def _begin(group: _Group, holder_id: int, now: datetime) -> list[ledger.Posting]:
    """Make the rows of ``group`` anew, and the postings of what they cost.

    Those that nothing is charged for come first, so that an entry, named after the first
    it charges for, is found for none of them.
    """
    begun = begin_billing(holder_id, group.rows, now)
    object_id = begun[0].object_id if len(begun) == 1 else None
    return [
        line.debit(
            keys.added_fee(line.kind, begun[-line.quantity].pk), object_id=object_id
        )
        for line in group.lines
    ]


def _contracts_back(
    levels: Sequence[Level], rows: Sequence[BilledFeature]
) -> list[tuple[str, FeeLine]]:
    """What was charged for the rest of a contract, from today on, by the key of it."""
    names = {keys.contract_rest(row.pk): row for row in rows}
    accounts = {level.account.pk: level for level in levels}
    with scopes_disabled():  # accounts above the tenant were charged, too
        charged = list(
            LedgerEntry.objects.filter(
                account__in=accounts, key__in=names, reversed_by=None
            ).prefetch_related("taxes")
        )
    found = []
    for entry in charged:
        level = accounts[entry.account_id]
        assert entry.period_end is not None
        if entry.period_end > level.today:
            times = entry.quantity
            row = names[entry.key]
            label = row.label if times == 1 else f"× {times}"
            line = part_of(level, entry, level.today, times, label)
            if line.gross:
                found.append((keys.contract_returned(row.pk), line))
    return found
