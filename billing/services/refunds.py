"""Giving back what was paid for days that are not used, where the plan says so (D 3.2).

A refund is a part of the entry that charged for those days, never a new price: what a plan
says today need not be what it said when the period was charged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.utils import translation
from django.utils.translation import gettext as _

from billing.choices import EntryKind
from billing.models import BilledFeature, LedgerEntry
from billing.pricing import Level, LevelPrice
from billing.services.fee_lines import FeeLine, days_text, thing
from billing.taxes import TaxPart
from portal.core.money import round_money
from portal.core.periods import ONE_DAY, months_in
from portal.core.scope import scopes_disabled
from rateplans.choices import Feature


def refund_lines(
    levels: Sequence[Level], losing: set[str], leaving: BilledFeature
) -> list[FeeLine]:
    """The days after today of ``leaving``, at the levels of the paths ``losing``.

    Ask before it ends: it must still be among those that are billed.
    """
    found = []
    for level in levels:
        begin, end = level.today + ONE_DAY, level.account.billed_until
        if (
            level.path in losing
            and begin < end
            and level.plan.value("refund_on_removal")
        ):
            line = _refund_line(level, leaving, begin, end)
            if line is not None and line.gross:
                found.append(line)
    return found


def _refund_line(
    level: Level, leaving: BilledFeature, begin: date, end: date
) -> FeeLine | None:
    spared = _spared(level, leaving)
    paid = _paid_by(level, spared, end) if spared else None
    if paid is None:
        return None
    assert paid.period_start is not None
    assert paid.period_end is not None
    begin = max(begin, paid.period_start)
    share = (
        months_in(begin, paid.period_end)
        / months_in(paid.period_start, paid.period_end)
        / paid.quantity
    )
    feature = Feature(leaving.feature)
    with translation.override(level.language):
        name = thing(feature, leaving.label)
        description = _("%(thing)s, not used: %(days)s") % {
            "thing": name,
            "days": days_text(begin, paid.period_end),
        }
    return FeeLine(
        LevelPrice(level, _part(paid.net, share, level.currency), None),
        EntryKind.REFUND,
        feature,
        1,
        _part(paid.net, share, level.currency),
        tuple(
            TaxPart(
                tax.tax_id, tax.name, tax.rate, _part(tax.amount, share, level.currency)
            )
            for tax in paid.taxes.all()
        ),
        description,
        (begin, paid.period_end),
        is_on_balance=paid.is_on_balance,
    )


def _part(charged: Decimal, share: Fraction, currency: str) -> Decimal:
    return round_money(-charged * share.numerator / share.denominator, currency)


def _spared(level: Level, leaving: BilledFeature) -> BilledFeature | None:
    """The one that costs nothing any more at this level; None if nothing was paid.

    The oldest ones are those included. If one of them goes, the first that was paid for
    takes its place.
    """
    included = level.plan.included(Feature(leaving.feature)).value
    if not included:
        return leaving
    with scopes_disabled():  # at each level everything below it counts
        oldest = list(
            BilledFeature.objects.filter(
                customer__path__gte=level.path,
                customer__path__lt=f"{level.path}:",
                customer__deleted_at=None,
                feature=leaving.feature,
                ended_at=None,
            ).order_by("started_at", "pk")[: included + 1]
        )
    if leaving not in oldest[:included]:
        return leaving
    return oldest[included] if len(oldest) > included else None


def _paid_by(level: Level, feature: BilledFeature, end: date) -> LedgerEntry | None:
    """The entry that charged for ``feature`` in the period that lasts until ``end``.

    None if there is none, or if it was taken back.
    """
    kind = str(EntryKind.RECURRING)
    first = _first_of(level, feature)
    with scopes_disabled():  # accounts above the tenant have paid too
        entries = (
            LedgerEntry.objects.filter(
                account=level.account,
                kind=kind,
                feature=feature.feature,
                period_end=end,
            )
            .select_related("reversed_by")
            .prefetch_related("taxes")
        )
        # Charged when it was added: several added at once have the key of the first.
        added = [
            (int(entry.key.rpartition(":")[2]), entry)
            for entry in entries.filter(at=first.started_at, key__regex=r"^\w+:\d+$")
        ]
        ours = [item for item in added if item[0] <= first.pk]
        if ours:
            paid: LedgerEntry | None = max(ours, key=lambda item: item[0])[1]
        else:
            # Charged with all others when the period began.
            number_class = feature.number_class_id or ""
            paid = entries.filter(
                at__gt=first.started_at,
                key__endswith=f":{feature.feature}:{number_class}",
            ).first()
    return None if paid is None or hasattr(paid, "reversed_by") else paid


def _first_of(level: Level, feature: BilledFeature) -> BilledFeature:
    """Where it began at this level: a number goes on as another row when it is handed on."""
    while True:
        with scopes_disabled():  # it may have been at any account below the level
            before = BilledFeature.objects.filter(
                feature=feature.feature,
                object_id=feature.object_id,
                ended_at=feature.started_at,
                started_at__lt=feature.started_at,
                customer__path__gte=level.path,
                customer__path__lt=f"{level.path}:",
            ).first()
        if before is None:
            return feature
        feature = before
