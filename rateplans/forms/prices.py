"""What a plan charges, adds to costs and allows; what is left empty is inherited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.core.display import format_day
from portal.core.forms import AmountField, Columns, LimitField, PortalForm, Section
from portal.core.row_forms import RowForm
from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.models import NumberClass
from rateplans.pricing import EffectivePlan, Markup, PriceKey, Sourced
from rateplans.services.prices import Permission
from rateplans.settings import NO_LIMIT
from rateplans.wording import (
    Sources,
    limit_text,
    markup_text,
    price_code,
    price_label,
    price_text,
)

LARGEST_COUNT = 1_000_000


@dataclass(frozen=True)
class PlanOnDay:
    """A plan as it is on a day, and as it would be if it said nothing itself."""

    effective: EffectivePlan
    on: date
    sources: Sources
    is_top: bool  # the system owner's: there is nobody above whose prices pass through

    @property
    def currency(self) -> str:
        return self.effective.plan.currency

    @property
    def without(self) -> EffectivePlan:
        effective = self.effective
        return EffectivePlan(
            effective.chain[1:],
            effective.prices,
            effective.markups,
            effective.features,
        )

    def own_price(self, key: PriceKey) -> Decimal | None:
        return self.effective.prices.get(self.effective.plan.pk, {}).get(key)

    def own_markup(self, kind: MarkupKind) -> Markup | None:
        return self.effective.markups.get(self.effective.plan.pk, {}).get(str(kind))

    def own_permission(self, feature: Feature) -> Permission:
        row = self.effective.features.get(self.effective.plan.pk, {}).get(str(feature))
        return (row.maximum, row.included) if row else (None, None)

    def price_if_empty(self, key: PriceKey) -> str:
        feature, number_class_id, occurs = key
        found = self.without.price(Feature(feature), Occurs(occurs), number_class_id)
        if found is not None:
            return self._if_empty(price_text(found), found)
        if self.is_top:
            return _("If empty: nothing is charged.")
        return _("If empty: what you pay yourself is passed through.")

    def markup_if_empty(self, kind: MarkupKind) -> str:
        found = self.without.markup(kind)
        currency = found.plan.currency if found.plan else self.currency
        return self._if_empty(markup_text(found.value, currency), found)

    def inherited_maximum(self, feature: Feature) -> str:
        found = self.without.maximum(feature)
        return self._inherited(limit_text(found.value), found)

    def inherited_included(self, feature: Feature) -> str:
        found = self.without.included(feature)
        return self._inherited(str(found.value), found)

    def _if_empty(self, text: str, found: Sourced[Any]) -> str:
        if found.plan is None:
            return _("If empty: %(value)s.") % {"value": text}
        return _("If empty: %(value)s, from %(plan)s.") % {
            "value": text,
            "plan": self.sources.name(found.plan, self.without.chain),
        }

    def _inherited(self, text: str, found: Sourced[Any]) -> str:
        return self.sources.inherited(text, found.plan, self.without.chain)


@dataclass(frozen=True, slots=True)
class Planned:
    """A change to come of the price or mark-up ``code``: it says ``text`` from ``day`` on."""

    code: str
    label: str
    day: date
    text: str
    url: str  # of the page as it is on that day

    @property
    def value(self) -> str:
        """How a button names it."""
        return f"{self.code}@{self.day.isoformat()}"

    def shown(self) -> SafeString:
        """A line below the price, with a button of the form beside this one."""
        told = _("From %(day)s: %(label)s") % {
            "day": format_day(self.day),
            "label": self.text,
        }
        return format_html(
            '<span class="d-block"><a href="{}">{}</a> '
            '<button class="btn btn-quiet btn-sm" type="submit" form="withdraw"'
            ' name="planned" value="{}" aria-label="{}: {}. {}">{}</button></span>',
            self.url,
            told,
            self.value,
            _("Withdraw"),
            self.label,
            told,
            _("Withdraw"),
        )


def date_field(initial: date) -> forms.DateField:
    return forms.DateField(
        label=_("Valid from"),
        initial=initial,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_(
            "Today or later. What you change here holds from the beginning of that day;"
            " what is planned for later stays planned."
        ),
    )


class WithdrawForm(PortalForm):
    """Which planned change is called off: `Planned.value`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planned"] = forms.CharField(widget=forms.HiddenInput)
        self.helper.layout = Layout("planned")


class DatedForm(RowForm):
    """A form of values that hold from a day on. Only what was changed is told on."""

    own_fields = frozenset({"seen", "from_on"})

    def __init__(
        self,
        *args: Any,
        plan: PlanOnDay,
        seen: str,
        planned: Iterable[Planned],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, initial={"seen": seen}, **kwargs)
        self.plan = plan
        self.planned = list(planned)
        self.fields["from_on"] = date_field(plan.on)

    def help_on(self, code: str, text: str) -> SafeString:
        """What stands below a price: ``text``, and what it becomes later."""
        lines = [each.shown() for each in self.planned if each.code == code]
        return format_html("{}{}", text, SafeString("".join(lines)))

    def when_section(self) -> Section:
        return Section(_("From when"), "from_on", id="when", is_open=True)


class PricesForm(DatedForm):
    def __init__(
        self, *args: Any, classes: Mapping[int, NumberClass], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.keys: dict[str, PriceKey] = {}
        for feature, class_id, occurs in price_keys(classes):
            key = (str(feature), class_id, str(occurs))
            name = (
                f"{feature}_{class_id}_{occurs}" if class_id else f"{feature}_{occurs}"
            )
            self.keys[name] = key
            self.fields[name] = AmountField(
                label=price_label(key, dict(classes)),
                currency=self.plan.currency,
                decimal_places=9,
                min_value=0,
                required=False,
                initial=self.plan.own_price(key),
                help_text=self.help_on(price_code(key), self.plan.price_if_empty(key)),
            )
        self.helper.layout = Layout("seen", *self._sections())

    def values(self) -> dict[PriceKey, Decimal | None]:  # type: ignore[override]
        """The prices that are not what the page showed."""
        return {
            key: self.cleaned_data[name]
            for name, key in self.keys.items()
            if self.cleaned_data[name] != self.plan.own_price(key)
        }

    def _sections(self) -> Iterable[Section]:
        names = list(self.keys)
        pairs = [Columns(*names[at : at + 2]) for at in range(0, len(names), 2)]
        are_numbers = [self.keys[name][0] == Feature.NUMBER for name in names[::2]]
        yield self.when_section()
        yield Section(
            _("Fees in %(currency)s") % {"currency": self.plan.currency},
            *(
                p
                for p, is_number in zip(pairs, are_numbers, strict=True)
                if not is_number
            ),
            id="fees",
            is_open=True,
            description=_(
                "Net. Sign-up is charged once. What recurs is said per month, also where the"
                " billing period is longer."
            ),
        )
        yield Section(
            _("Number prices in %(currency)s") % {"currency": self.plan.currency},
            *(p for p, is_number in zip(pairs, are_numbers, strict=True) if is_number),
            id="numbers",
            is_open=True,
            description=_("By class: a number that is easy to remember may cost more."),
        )


def price_keys(
    classes: Iterable[int],
) -> Iterable[tuple[Feature, int | None, Occurs]]:
    """Everything that has a price, in the order of the page."""
    for feature in Feature:
        class_ids = list(classes) if feature == Feature.NUMBER else [None]
        for class_id in class_ids:
            for occurs in Occurs:
                yield feature, class_id, occurs


class MarkupsForm(DatedForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in MarkupKind:
            own = self.plan.own_markup(kind)
            self.fields[f"{kind}_markup"] = AmountField(
                label=_("%(kind)s: mark-up in %%") % {"kind": kind.label},
                max_digits=9,
                decimal_places=4,
                min_value=-100,
                max_value=10_000,
                required=False,
                initial=own.percent if own else None,
                help_text=self.help_on(
                    f"markup:{kind}", self.plan.markup_if_empty(kind)
                ),
            )
            self.fields[f"{kind}_margin"] = AmountField(
                label=_("%(kind)s: margin in %(currency)s")
                % {"kind": kind.label, "currency": self.plan.currency},
                currency=self.plan.currency,
                decimal_places=9,
                min_value=0,
                required=False,
                initial=own.margin if own else None,
            )
        self.helper.layout = Layout("seen", *self._sections())

    def values(self) -> dict[str, Markup | None]:
        """The pairs that are not what the page showed; of a pair, what is empty is 0."""
        found: dict[str, Markup | None] = {}
        for kind in MarkupKind:
            percent = self.cleaned_data[f"{kind}_markup"]
            margin = self.cleaned_data[f"{kind}_margin"]
            is_empty = percent is None and margin is None
            pair = (
                None
                if is_empty
                else Markup(percent or Decimal(0), margin or Decimal(0))
            )
            if pair != self.plan.own_markup(kind):
                found[str(kind)] = pair
        return found

    def _sections(self) -> Iterable[Section]:
        yield self.when_section()
        for title, kinds, identity in (
            (_("Outbound"), list(MarkupKind)[3:], "outbound"),
            (_("Inbound"), list(MarkupKind)[:3], "inbound"),
        ):
            yield Section(
                title,
                *(Columns(f"{kind}_markup", f"{kind}_margin") for kind in kinds),
                id=identity,
                is_open=True,
                description=_(
                    "On top of what it costs you: first the percentage, then the margin."
                ),
            )


class PermissionsForm(RowForm):
    def __init__(
        self,
        *args: Any,
        plan: PlanOnDay,
        own: Mapping[Feature, int],
        seen: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, initial={"seen": seen}, **kwargs)
        self.plan = plan
        for feature in Feature:
            maximum, included = plan.own_permission(feature)
            self.fields[f"{feature}_maximum"] = LimitField(
                label=_("%(feature)s: maximum") % {"feature": feature.label},
                plan_key="",
                first_label=plan.inherited_maximum(feature),
                number_field=_count_field(),
                initial=maximum,
                help_text=_own_limit(own[feature]),
            )
            self.fields[f"{feature}_included"] = LimitField(
                label=_("%(feature)s: included") % {"feature": feature.label},
                plan_key="",
                first_label=plan.inherited_included(feature),
                is_limit=False,
                number_field=_count_field(),
                initial=included,
            )
        self.helper.layout = Layout(
            "seen",
            Section(
                _("Permissions"),
                *(
                    Columns(f"{feature}_maximum", f"{feature}_included")
                    for feature in Feature
                ),
                id="permissions",
                is_open=True,
                description=_(
                    "The customer and everybody below it are counted together. A maximum of"
                    " 0 forbids it. Those included cost nothing: the oldest ones."
                ),
            ),
        )

    def values(self) -> dict[Feature, Permission]:  # type: ignore[override]
        """The features whose permission is not what the page showed."""
        found = {
            feature: (
                self.cleaned_data[f"{feature}_maximum"],
                self.cleaned_data[f"{feature}_included"],
            )
            for feature in Feature
        }
        return {
            feature: permission
            for feature, permission in found.items()
            if permission != self.plan.own_permission(feature)
        }


def _count_field() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, max_value=LARGEST_COUNT)


def _own_limit(limit: int) -> str:
    if limit == NO_LIMIT:
        return ""
    if limit == 0:
        return _("Your own rate plan does not allow any.")
    return ngettext(
        "Your own rate plan allows you %(count)d in all.",
        "Your own rate plan allows you %(count)d in all.",
        limit,
    ) % {"count": limit}
