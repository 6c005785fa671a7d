"""From prices to lines: what fees come to at one level, with taxes, and their postings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing import ledger
from billing.choices import EntryKind
from billing.models import BilledFeature
from billing.pricing import Level, LevelPrice, for_months, next_period, price_down
from billing.selectors import Rates
from billing.taxes import TaxPart, on_feature, tax_parts
from portal.core.money import ZERO, round_money
from portal.core.periods import ONE_DAY, months_in
from rateplans.choices import BillingPeriod, Feature, Occurs


@dataclass(frozen=True, slots=True)
class FeatureItem:
    """Something a customer gets or gives up; numbers have a class, which prices them."""

    feature: Feature
    object_id: int
    label: str
    number_class_id: int | None = None


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One fee at one level. All amounts are positive, in the currency of its account."""

    price: LevelPrice
    kind: EntryKind
    feature: Feature
    quantity: int
    net: Decimal
    taxes: tuple[TaxPart, ...]
    description: str
    period: tuple[date, date] | None = None
    is_on_balance: bool | None = None  # None: as the billing type says now
    said: Decimal = ZERO  # the net in the currency of the plan that says the price

    @property
    def level(self) -> Level:
        return self.price.level

    @property
    def tax(self) -> Decimal:
        return sum((part.amount for part in self.taxes), ZERO)

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def details(self) -> dict[str, Any]:
        """What a posting tells beyond its amount."""
        begin, end = self.period or (None, None)
        moves = self.level.rules.transactions_move_balance
        return {
            "taxes": self.taxes,
            "quantity": self.quantity,
            "feature": str(self.feature),
            "is_on_balance": moves
            if self.is_on_balance is None
            else self.is_on_balance,
            "period_start": begin,
            "period_end": end,
        }

    def debit(self, key: str, **more: Any) -> ledger.Posting:
        if self.said:
            more |= {
                "original_amount": -self.said,
                "original_currency": self.price.said_currency,
                "exchange_rate": self.price.rate,
            }
        return ledger.debit(
            self.level.account.pk,
            key,
            self.kind,
            self.net,
            self.description,
            **self.details(),
            **more,
        )

    def credit(self, key: str, **more: Any) -> ledger.Posting:
        return ledger.credit(
            self.level.account.pk,
            key,
            self.kind,
            self.net,
            self.description,
            **self.details(),
            **more,
        )


def begin_billing(
    customer_id: int, things: Iterable[FeatureItem | BilledFeature], now: datetime
) -> list[BilledFeature]:
    """Rows, in their order, that bill the customer for ``things`` from ``now`` on."""
    return BilledFeature.objects.bulk_create(
        BilledFeature(
            customer_id=customer_id,
            feature=each.feature,
            object_id=each.object_id,
            number_class_id=each.number_class_id,
            label=each.label[:150],
            started_at=now,
        )
        for each in things
    )


def is_charged_now(level: Level) -> bool:
    """Whether fees are due at this level at all, and not only from the next period on."""
    return level.rules.has_monthly_fees and level.account.fees_from <= level.today


def chargeable(level: Level, feature: Feature, quantity: int, before: int) -> int:
    """How many of ``quantity`` new ones cost something when there are ``before`` already."""
    free = max(0, level.plan.included(feature).value - before)
    return max(0, quantity - free)


def signup_line(
    price: LevelPrice, feature: Feature, quantity: int, label: str, rates: Rates
) -> FeeLine:
    level = price.level
    net = round_money(price.amount * quantity, level.currency)
    said = round_money(price.said * quantity, price.said_currency or level.currency)
    with translation.override(level.language):
        description = _("%(thing)s, sign-up fee") % {"thing": thing(feature, label)}
    return FeeLine(
        price,
        EntryKind.SIGNUP,
        feature,
        quantity,
        net,
        _taxes(level, feature, net, rates),
        description,
        said=said if price.is_converted else ZERO,
    )


def recurring_line(
    price: LevelPrice,
    feature: Feature,
    quantity: int,
    label: str,
    period: tuple[date, date],
    rates: Rates,
) -> FeeLine:
    """The fee for the days of ``period``, which may be a part of the billing period."""
    level = price.level
    months = months_in(*period)
    net = for_months(price.amount, months, quantity, level.currency)
    with translation.override(level.language):
        description = f"{thing(feature, label)}, {days_text(*period)}"
    said = (
        for_months(price.said, months, quantity, price.said_currency)
        if price.is_converted
        else ZERO
    )
    return FeeLine(
        price,
        EntryKind.RECURRING,
        feature,
        quantity,
        net,
        _taxes(level, feature, net, rates),
        description,
        period,
        said=said,
    )


def lines_for_new(
    levels: Sequence[Level],
    feature: Feature,
    number_class_id: int | None,
    quantity: int,
    label: str,
    counts: dict[str, dict[Feature, int]],
    gaining: set[str],
) -> list[FeeLine]:
    """Sign-up fee and the rest of the running period, at every level that gains something.

    ``levels`` run from the top down; ``counts`` say by path what is there before.
    """
    found: list[FeeLine] = []
    rates = Rates(levels[-1].today) if levels else None
    if rates is None:
        return found
    signups, monthly = (
        price_down(levels, feature, occurs, number_class_id, rates.convert)
        for occurs in (Occurs.SIGNUP, Occurs.RECURRING)
    )
    for signup, recurring in zip(signups, monthly, strict=True):
        level = signup.level
        if level.path not in gaining or not is_charged_now(level):
            continue
        before = counts[level.path].get(feature, 0)
        paid = chargeable(level, feature, quantity, before)
        if not paid:
            continue
        found.append(signup_line(signup, feature, paid, label, rates))
        if level.period != BillingPeriod.INDEFINITE:
            period = (level.today, running_until(level))
            found.append(recurring_line(recurring, feature, paid, label, period, rates))
    return [line for line in found if line.gross]


def running_until(level: Level) -> date:
    """The end of the period that the level's today is in, also while its run is late."""
    end = level.account.billed_until
    while end <= level.today:
        end = next_period(end, level.period)[1]
    return end


def days_text(begin: date, end: date) -> str:
    """The days from ``begin`` to before ``end``, in the order every language sorts."""
    return f"{begin.isoformat()} – {(end - ONE_DAY).isoformat()}"


def thing(feature: Feature, label: str) -> str:
    return f"{feature.label} {label}".strip()


def label_of(items: Iterable[FeatureItem | BilledFeature]) -> str:
    """The first one's name, and how many more there are."""
    first, *others = items
    if not others:
        return first.label
    return _("%(first)s and %(count)d more") % {
        "first": first.label,
        "count": len(others),
    }


def _taxes(
    level: Level, feature: Feature, net: Decimal, rates: Rates
) -> tuple[TaxPart, ...]:
    return tax_parts(
        net,
        on_feature(level.taxes, feature),
        currency=level.currency,
        convert=rates.convert,
    )
