"""How many calls an account may have at once: its limit, and what it bought (docs/adr/0019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from billing.choices import CallKind, ProductType
from billing.models import BillingAccount, ExtraCalls, LedgerEntry
from billing.schedules import schedule_of
from portal.core.periods import local_date
from rateplans.pricing import EffectivePlan
from rateplans.selectors import effective_plan
from rateplans.settings import NO_LIMIT


@dataclass(frozen=True, slots=True)
class CallsAtOnce:
    """What one account may have at once. A call beyond what is `allowed` is not connected.

    ``limit`` is the customer's own or, unless ``is_own``, its plan's; it holds for calls of
    every kind together. ``bought`` comes on top of it, by what was bought.
    """

    limit: int
    is_own: bool
    bought: Mapping[ProductType, int]

    @property
    def is_unlimited(self) -> bool:
        return self.limit == NO_LIMIT

    def extra(self, *kinds: CallKind, is_below: bool = False) -> int:
        """How many more calls of ``kinds`` were bought, all of them together.

        ``is_below``: those that customers below may have of them.
        """
        return sum(
            calls
            for type_, calls in self.bought.items()
            if type_.call_kinds.intersection(kinds)
            and (type_.is_for_below or not is_below)
        )

    def allowed(self, *kinds: CallKind, is_below: bool = False) -> int | None:
        """The most calls of ``kinds`` at once, all of them together; None for no limit.

        Counted are those of the account and of everything below it; with ``is_below`` only
        the latter. Inbound, outbound and internal calls may each be as many as allowed, as
        long as no two of them, nor all three, are more than is allowed for them together.
        """
        if self.is_unlimited:
            return None
        return self.limit + self.extra(*kinds, is_below=is_below)


def calls_at_once(
    account: BillingAccount, *, plan: EffectivePlan | None = None
) -> CallsAtOnce:
    """What ``account`` may have today; ``plan`` is its plan of today if that is at hand."""
    today = local_date(account.customer.time_zone)
    own = account.customer.concurrent_calls
    if own is None:
        plan = plan or effective_plan(account.plan, on=today)
        limit = int(plan.value("concurrent_calls"))
    else:
        limit = own
    return CallsAtOnce(limit, own is not None, _bought(account, today))


def _bought(account: BillingAccount, today: date) -> Counter[ProductType]:
    rows = ExtraCalls.objects.filter(account=account)
    found: Counter[ProductType] = Counter()
    for row in rows.select_related("charge", "entry__reversed_by"):
        if still_counts(row, today):
            found[ProductType(row.type)] += row.calls
    return found


def calls_bought_with(entry: LedgerEntry) -> ExtraCalls | None:
    """The calls that a purchase gave, of which ``entry`` is the first."""
    return ExtraCalls.objects.filter(entry=entry).select_related("charge").first()


def still_counts(row: ExtraCalls, today: date) -> bool:
    """Whether what was bought is still had on the day ``today``."""
    if (charge := row.charge) is not None:
        return charge.ended_at is None and not schedule_of(charge).has_ended(today)
    return row.entry is None or not hasattr(row.entry, "reversed_by")
