"""Settings, prices and where they come from, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core.money import format_money, format_price, plain_amount
from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.models import NumberClass, RatePlan
from rateplans.pricing import Markup, PriceKey, Sourced
from rateplans.reminders import days_of
from rateplans.settings import NO_LIMIT


def setting_label(name: str) -> str:
    """What a setting is called, in the middle of a sentence."""
    return str(RatePlan._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def setting_text(name: str, value: Any, currency: str) -> str:
    """A value of one of rateplans.settings.DEFAULTS."""
    column: Any = RatePlan._meta.get_field(name)
    if column.choices:
        return str(dict(column.flatchoices)[value])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        return limit_text(value) if value == NO_LIMIT else format_money(value, currency)
    if name in {"due_days", "overdue_days"}:
        return ngettext("%(days)d day", "%(days)d days", value) % {"days": value}
    if name == "reminder_days":
        if not days_of(value):
            return _("none")
        return _("day %(days)s after the due day") % {"days": value}
    if isinstance(value, int):
        return limit_text(value)
    if name == "cos_timegroup" and value is not None:
        return f"{value}: {value.times()}"
    return str(value) if value else _("none")


def limit_text(value: Any) -> str:
    return _("no limit") if value == NO_LIMIT else str(value)


def price_text(price: Sourced[Decimal] | None) -> str:
    """A price, or that there is none of its own."""
    if price is None:
        return _("passed through")
    assert price.plan is not None
    return format_price(price.value, price.plan.currency)


def markup_text(markup: Markup, currency: str) -> str:
    percent = plain_amount(markup.percent, places=0)
    if not markup.margin:
        return f"{percent} %"
    return f"{percent} % + {format_price(markup.margin, currency)}"


def feature_text(
    feature: str, number_class_id: int | None, classes: dict[int, NumberClass]
) -> str:
    """A feature; a number with its class, which prices it."""
    label = str(Feature(feature).label)
    if number_class_id is None:
        return label
    return f"{label}, {classes[number_class_id].name}"


def price_label(key: PriceKey, classes: dict[int, NumberClass]) -> str:
    """What a price is for: "Telephone line: Sign-up"."""
    feature, number_class_id, occurs = key
    thing = feature_text(feature, number_class_id, classes)
    return f"{thing}: {Occurs(occurs).label}"


def price_code(key: PriceKey) -> str:
    """What a price is called in the audit log: "price:number:3:signup"."""
    feature, number_class_id, occurs = key
    place = f":{number_class_id}" if number_class_id else ""
    return f"price:{feature}{place}:{occurs}"


def code_label(code: str) -> str:
    """What the audit log's name of a price, mark-up or permission means; empty if none."""
    kind, *parts = code.split(":")
    if kind == "price":
        number_class_id = int(parts[1]) if len(parts) == 3 else None
        classes = number_classes()
        if number_class_id is not None and number_class_id not in classes:
            number_class_id = None  # the class is gone
        return price_label((parts[0], number_class_id, parts[-1]), classes)
    if kind == "markup":
        return str(MarkupKind(parts[0]).label)
    labels = {"maximum": _("%(thing)s: maximum"), "included": _("%(thing)s: included")}
    if kind in labels and parts:
        return labels[kind] % {"thing": Feature(parts[0]).label}
    return ""


def number_classes() -> dict[int, NumberClass]:
    """By id, in the order they are listed."""
    return {row.pk: row for row in NumberClass.objects.all()}


@dataclass(frozen=True)
class Sources:
    """Names of the plans that values come from, for whom they may be named to.

    Tenants are blind to what is above them (D 1.1): of plans there only those have a name
    that were opened to the owner, and what stands further up comes from the nearest one.
    """

    owner_id: int
    known: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, owner_id: int, plans: Iterable[RatePlan | None]) -> Sources:
        return cls(owner_id, frozenset(plan.pk for plan in plans if plan is not None))

    def name(self, plan: RatePlan | None, chain: Iterable[RatePlan]) -> str:
        """The plan that a value of ``chain`` comes from, or through; empty for none."""
        if plan is None:
            return ""
        found = ""
        for step in chain:
            if not found or step.owner_id == self.owner_id or step.pk in self.known:
                found = step.name
            if step.pk == plan.pk:
                break
        return found

    def inherited(self, text: str, plan: RatePlan | None, chain: Any) -> str:
        """The first choice of a setting: what it is if the plan itself says nothing."""
        if plan is None:
            return _("System default (%(value)s)") % {"value": text}
        return _("Inherited (%(value)s, from %(plan)s)") % {
            "value": text,
            "plan": self.name(plan, chain),
        }
