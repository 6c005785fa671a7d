"""Giving back what was paid for days that are not used, where the plan says so (D 3.2).

A refund is a part of the entry that charged for those days, never a new price: what a plan
says today need not be what it said when the period was charged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.choices import EntryKind
from billing.models import BilledFeature, LedgerEntry
from billing.pricing import Level, LevelPrice
from billing.services.fee_lines import FeeLine, days_text, label_of, thing
from billing.taxes import TaxPart
from portal.core.money import round_money
from portal.core.periods import ONE_DAY, months_in
from portal.core.scope import scopes_disabled
from rateplans.choices import Feature


@dataclass(frozen=True, slots=True)
class Refund:
    """A part of one entry that goes back, and the features that leave for it."""

    line: FeeLine
    rows: tuple[BilledFeature, ...]

    def posting(self) -> ledger.Posting:
        object_id = self.rows[0].object_id if len(self.rows) == 1 else None
        return self.line.credit(keys.refund(self.rows[0].pk), object_id=object_id)


def refunds(
    levels: Sequence[Level],
    losing: Collection[str],
    leaving: Sequence[BilledFeature],
    *,
    since: date | None = None,
) -> list[Refund]:
    """The days after today of ``leaving``, at the levels of the paths ``losing``.

    With ``since`` those from that day on only. Ask before they end: they must still be
    among those that are billed.
    """
    found: list[Refund] = []
    for level in levels:
        begin, end = level.today + ONE_DAY, level.account.billed_until
        begin = max(begin, since or begin)
        if (
            level.path not in losing
            or begin >= end
            or not level.plan.value("refund_on_removal")
        ):
            continue
        pairs = spared(level, leaving)
        paid = paid_by(level, [row for row, _for in pairs])
        groups: dict[LedgerEntry, list[BilledFeature]] = defaultdict(list)
        for row, leaver in pairs:
            if entry := paid.get(row.pk):
                groups[entry].append(leaver)
        for entry, rows in groups.items():
            quantity = min(len(rows), entry.quantity)
            line = part_of(level, entry, begin, quantity, label_of(rows))
            if line.gross:
                found.append(Refund(line, tuple(rows)))
    return found


def part_of(
    level: Level, paid: LedgerEntry, begin: date, quantity: int, label: str
) -> FeeLine:
    """What the days from ``begin`` on are of ``paid``, for ``quantity`` of its features."""
    assert paid.period_start is not None
    assert paid.period_end is not None
    begin = max(begin, paid.period_start)
    share = (
        months_in(begin, paid.period_end)
        / months_in(paid.period_start, paid.period_end)
        * Fraction(quantity, paid.quantity)
    )
    feature = Feature(paid.feature)
    with translation.override(level.language):
        description = _("%(thing)s, not used: %(days)s") % {
            "thing": thing(feature, label),
            "days": days_text(begin, paid.period_end),
        }
    net = _part(paid.net, share, level.currency)
    return FeeLine(
        LevelPrice(level, net, None),
        EntryKind.REFUND,
        feature,
        quantity,
        net,
        tuple(
            TaxPart(
                tax.tax_id,
                tax.name,
                tax.rate,
                _part(tax.amount, share, level.currency),
                tax.is_vat,
            )
            for tax in paid.taxes.all()
        ),
        description,
        (begin, paid.period_end),
        is_on_balance=paid.is_on_balance,
    )


def _part(charged: Decimal, share: Fraction, currency: str) -> Decimal:
    return round_money(-charged * share.numerator / share.denominator, currency)


def spared(
    level: Level, leaving: Sequence[BilledFeature]
) -> list[tuple[BilledFeature, BilledFeature]]:
    """Those that cost nothing any more at this level, each with the one it leaves for.

    The oldest ones are those included. If one of them goes, the first that was paid for
    takes its place; if there is none, nothing is spared for it.
    """
    groups: dict[str, list[BilledFeature]] = defaultdict(list)
    for row in leaving:
        groups[row.feature].append(row)
    found: list[tuple[BilledFeature, BilledFeature]] = []
    for feature, rows in groups.items():
        included = level.plan.included(Feature(feature)).value
        if included:
            found += _spared(level, rows, included)
        else:
            found += [(row, row) for row in rows]
    return found


def _spared(
    level: Level, leaving: Sequence[BilledFeature], included: int
) -> list[tuple[BilledFeature, BilledFeature]]:
    with scopes_disabled():  # at each level everything below it counts
        oldest = list(
            BilledFeature.objects.filter(
                customer__path__gte=level.path,
                customer__path__lt=f"{level.path}:",
                customer__deleted_at=None,
                feature=leaving[0].feature,
                ended_at=None,
            ).order_by("started_at", "pk")[: included + len(leaving)]
        )
    gone = {row.pk for row in leaving}
    free_now = {row.pk for row in oldest[:included]}
    staying = [row for row in oldest if row.pk not in gone]
    promoted = [row for row in staying[:included] if row.pk not in free_now]
    freed = [row for row in leaving if row.pk in free_now]
    paid = [(row, row) for row in leaving if row.pk not in free_now]
    return [*paid, *zip(promoted, freed, strict=False)]


def paid_by(level: Level, rows: Sequence[BilledFeature]) -> dict[int, LedgerEntry]:
    """The entries that charged ``rows``, by their ids, for the period that runs.

    Without those that nobody charged, and whose entry was taken back.
    """
    pasts = _pasts(level, rows)
    kind = str(EntryKind.RECURRING)
    with scopes_disabled():  # accounts above the tenant have paid too
        entries = list(
            LedgerEntry.objects.filter(
                Q(at__in={row.started_at for past in pasts.values() for row in past})
                | Q(key__regex=keys.period_fees(kind)),
                account=level.account,
                kind=kind,
                feature__in={row.feature for row in rows},
                period_end=level.account.billed_until,
                key__startswith=keys.fees(kind),
                reversed_by=None,
            ).prefetch_related("taxes")
        )
    # Charged when they were added: several added at once have the key of the first.
    added: dict[tuple[datetime, str], list[tuple[int, LedgerEntry]]] = defaultdict(list)
    # Charged with all others when the period began.
    of_period: dict[tuple[str, int | None], LedgerEntry] = {}
    for entry in entries:
        fee = keys.read_fee(entry.key)
        if isinstance(fee, keys.AddedFee):
            added[entry.at, entry.feature].append((fee.first, entry))
        else:
            of_period[fee.feature, fee.number_class_id] = entry
    found = {}
    for row in rows:
        period = of_period.get((row.feature, row.number_class_id))
        for each in pasts[row.pk]:
            together = added[each.started_at, each.feature]
            ours = [item for item in together if item[0] <= each.pk]
            if ours:
                found[row.pk] = max(ours, key=lambda item: item[0])[1]
                break
            if period is not None and _stood(each, period.at):
                found[row.pk] = period
                break
    return found


def _stood(row: BilledFeature, at: datetime) -> bool:
    return row.started_at < at and (row.ended_at is None or row.ended_at >= at)


def _pasts(
    level: Level, rows: Sequence[BilledFeature]
) -> dict[int, list[BilledFeature]]:
    """Each row and what went before it at this level, the newest first, by its id.

    A number that is handed on goes on as another row, and so does all that a customer has
    which is deleted and restored, unless the level got something back when it ended.
    """
    with scopes_disabled():  # it may have been at any account below the level
        ended = list(
            BilledFeature.objects.filter(
                feature__in={row.feature for row in rows},
                object_id__in={row.object_id for row in rows},
                customer__path__gte=level.path,
                customer__path__lt=f"{level.path}:",
                ended_at__gt=F("started_at"),
            ).order_by("-ended_at", "-pk")
        )
        refunded = set(
            LedgerEntry.objects.filter(
                account=level.account,
                kind=EntryKind.REFUND,
                at__in={row.ended_at for row in ended},
                reversed_by=None,
            ).values_list("at", "feature")
            if ended
            else ()
        )
    earlier: dict[tuple[str, int], list[BilledFeature]] = defaultdict(list)
    for row in ended:
        earlier[row.feature, row.object_id].append(row)
    pasts = {}
    for row in rows:
        past = [row]
        for each in earlier[row.feature, row.object_id]:
            if each.ended_at is None or each.ended_at > past[-1].started_at:
                continue  # it is this row, or a later one
            if (each.ended_at, each.feature) in refunded:
                break
            past.append(each)
        pasts[row.pk] = past
    return pasts
