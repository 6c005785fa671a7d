"""What a plan says with everything it inherits, and the arithmetic of prices; no queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, TypeVar

from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.models import PlanFeature, PlanMarkup, PlanPrice, RatePlan
from rateplans.settings import DEFAULTS, NO_LIMIT, is_set

HUNDRED = Decimal(100)
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T_co]):
    """A value and the plan it comes from; no plan means the system's default."""

    value: T_co
    plan: RatePlan | None


@dataclass(frozen=True, slots=True)
class Markup:
    """A percentage and an amount in the currency of the plan that says so."""

    percent: Decimal
    margin: Decimal


NO_MARKUP = Markup(Decimal(0), Decimal(0))
PriceKey = tuple[str, int | None, str]


@dataclass(frozen=True)
class EffectivePlan:
    """A plan as it works on one day: its own values, then those it inherits.

    ``chain`` begins with the plan itself and goes on to what it inherits from.
    """

    chain: tuple[RatePlan, ...]
    prices: Mapping[int, Mapping[PriceKey, Decimal]] = field(default_factory=dict)
    markups: Mapping[int, Mapping[str, Markup]] = field(default_factory=dict)
    features: Mapping[int, Mapping[str, PlanFeature]] = field(default_factory=dict)

    @property
    def plan(self) -> RatePlan:
        return self.chain[0]

    def setting(self, name: str) -> Sourced[Any]:
        """One of rateplans.settings.DEFAULTS, with the plan that sets it."""
        for plan in self.chain:
            value = getattr(plan, name)
            if is_set(value):
                return Sourced(value, plan)
        return Sourced(DEFAULTS[name], None)

    def value(self, name: str) -> Any:
        return self.setting(name).value

    def inherited(self, name: str) -> Sourced[Any]:
        """What the setting would be if the plan itself said nothing."""
        return EffectivePlan(self.chain[1:]).setting(name)

    def price(
        self, feature: Feature, occurs: Occurs, number_class_id: int | None = None
    ) -> Sourced[Decimal] | None:
        """The net price in the currency of the plan it comes from; None passes through."""
        key = (str(feature), number_class_id, str(occurs))
        for plan in self.chain:
            amount = self.prices.get(plan.pk, {}).get(key)
            if amount is not None:
                return Sourced(amount, plan)
        return None

    def markup(self, kind: MarkupKind) -> Sourced[Markup]:
        for plan in self.chain:
            markup = self.markups.get(plan.pk, {}).get(str(kind))
            if markup is not None:
                return Sourced(markup, plan)
        return Sourced(NO_MARKUP, None)

    def maximum(self, feature: Feature) -> Sourced[int]:
        """How many there may be; -1 for no limit, 0 if it is forbidden."""
        return self._permission(feature, "maximum", NO_LIMIT)

    def included(self, feature: Feature) -> Sourced[int]:
        """How many of them cost nothing."""
        return self._permission(feature, "included", 0)

    def counts(self, feature: Feature) -> bool:
        """Whether it matters how many there are already: some are included, or not more."""
        return (
            self.maximum(feature).value != NO_LIMIT or self.included(feature).value > 0
        )

    def _permission(self, feature: Feature, name: str, default: int) -> Sourced[int]:
        for plan in self.chain:
            row = self.features.get(plan.pk, {}).get(str(feature))
            value = getattr(row, name, None)
            if value is not None:
                return Sourced(int(value), plan)
        return Sourced(default, None)


def by_plan_prices(
    rows: Iterable[PlanPrice],
) -> dict[int, dict[PriceKey, Decimal]]:
    """Rows of one day, as `EffectivePlan` keeps them."""
    found: dict[int, dict[PriceKey, Decimal]] = {}
    for row in rows:
        key = (row.feature, row.number_class_id, row.occurs)
        found.setdefault(row.plan_id, {})[key] = row.amount
    return found


def by_plan_markups(rows: Iterable[PlanMarkup]) -> dict[int, dict[str, Markup]]:
    found: dict[int, dict[str, Markup]] = {}
    for row in rows:
        found.setdefault(row.plan_id, {})[row.kind] = Markup(row.markup, row.margin)
    return found


def by_plan_features(
    rows: Iterable[PlanFeature],
) -> dict[int, dict[str, PlanFeature]]:
    found: dict[int, dict[str, PlanFeature]] = {}
    for row in rows:
        found.setdefault(row.plan_id, {})[row.feature] = row
    return found


def marked_up(cost: Decimal, markup: Markup) -> Decimal:
    """cost * (1 + percent/100) + margin (D 1.3); all in one currency, not rounded."""
    return cost * (1 + markup.percent / HUNDRED) + markup.margin
