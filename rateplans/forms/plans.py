"""A rate plan's own page: what it is called, what it inherits from, its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.db import models
from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.forms import (
    AmountField,
    Columns,
    EmailsField,
    LimitField,
    NumberField,
    PlanDefaultField,
    PortalForm,
    Section,
)
from portal.core.money import currency_choices
from portal.core.row_forms import RowForm, model_field, name_field
from portal.core.staleness import state_of
from rateplans.choices import Sharing
from rateplans.models import RatePlan
from rateplans.pricing import EffectivePlan
from rateplans.reminders import clean_days
from rateplans.services.plans import FIELDS
from rateplans.settings import DEFAULTS, NO_LIMIT, SECTIONS, is_set
from rateplans.wording import Sources, setting_text

OWN = "own"
YES_NO = [("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]
# Where the setting alone does not say what comes of it.
HELP = {
    "service_email": gettext_lazy(
        "Answers to e-mails go to the first address. It counts before Settings » Company."
    ),
    "copy_service_email": gettext_lazy(
        "On all but those with a link to choose a password."
    ),
    "service_telephone": gettext_lazy(
        "Stands below e-mails. It counts before Settings » Company."
    ),
}


@dataclass(frozen=True)
class Offer:
    """What a plan of ``owner`` may be built on, and what it would inherit from there."""

    owner: Any
    plans: Sequence[RatePlan]
    own: RatePlan | None
    effective: Mapping[int, EffectivePlan]
    rows: Mapping[str, QuerySet[Any]]  # of the settings that are rows, by their name
    sources: Sources

    def base_choices(self) -> list[tuple[str, Any]]:
        choices: list[tuple[str, Any]] = [("", _("Nothing: the system's defaults"))]
        if self.own is not None:
            label = _("Your own rate plan (%(name)s)") % {"name": self.own.name}
            choices.append((OWN, label))
        mine = [
            (str(plan.pk), plan.name)
            for plan in self.plans
            if plan.owner_id == self.owner.pk
        ]
        shared = [
            (str(plan.pk), plan.name)
            for plan in self.plans
            if plan.owner_id != self.owner.pk
        ]
        if mine:
            choices.append((_("Your rate plans"), mine))
        if shared:
            choices.append((_("Shared with you"), shared))
        return choices

    def base_of(self, choice: str) -> EffectivePlan | None:
        """The plan that a choice stands for, with all that it inherits."""
        if choice == OWN:
            return self.effective.get(self.own.pk) if self.own else None
        return self.effective.get(int(choice)) if choice.isdecimal() else None

    def value_text(self, name: str, choice: str, currency: str) -> str:
        base = self.base_of(choice)
        if base is None:
            return setting_text(name, DEFAULTS[name], currency)
        found = base.setting(name)
        return setting_text(
            name, found.value, found.plan.currency if found.plan else currency
        )

    def label(self, name: str, choice: str, currency: str) -> str:
        """The first choice of a setting for a plan built on ``choice``."""
        base = self.base_of(choice)
        text = self.value_text(name, choice, currency)
        if base is None:
            return self.sources.inherited(text, None, ())
        return self.sources.inherited(text, base.setting(name).plan, base.chain)

    def labels(self, currency: str) -> dict[str, dict[str, str]]:
        """For the page's script: labels by base and setting."""
        choices = ["", *([OWN] if self.own else []), *(str(p.pk) for p in self.plans)]
        return {
            choice: {name: self.label(name, choice, currency) for name in DEFAULTS}
            for choice in choices
        }


class PlanForm(RowForm):
    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer
        self.fields["name"] = name_field(
            RatePlan,
            "name",
            widget=forms.TextInput({"autocomplete": "off"}),
            help_text=_(
                "As you call it, and as resellers see it that you share it with."
            ),
        )
        self.fields["description"] = model_field(
            RatePlan, "description", widget=forms.Textarea({"rows": 2})
        )
        self.fields["base"] = forms.ChoiceField(
            label=_("Inherits from"),
            required=False,
            choices=offer.base_choices(),
            widget=forms.Select({"data-plan": ""}),
            help_text=_(
                "Whatever this plan leaves open, settings and prices, comes from there."
            ),
        )
        self.fields["may_be_inherited"] = model_field(RatePlan, "may_be_inherited")
        self.fields["share"] = forms.ChoiceField(
            label=_("Share with resellers"),
            choices=Sharing.choices,
            help_text=_(
                "They may put their customers on a shared plan, but not change it."
            ),
        )
        self.fields["offered_at_signup"] = model_field(RatePlan, "offered_at_signup")
        self.fields["currency"] = forms.ChoiceField(
            label=_("Currency"),
            choices=currency_choices,
            help_text=_("Of every price in this plan."),
        )
        self.base = self["base"].value() or ""
        self.currency = self["currency"].value() or ""
        for name in DEFAULTS:
            if name not in offer.rows or offer.rows[name].exists():
                self.fields[name] = self._setting(name)
        self.helper.layout = Layout("seen", *self._sections())

    def values(self) -> dict[str, Any]:
        """What was entered, by the names of the service."""
        values = super().values()
        base = values.pop("base")
        chosen = next((p for p in self.offer.plans if str(p.pk) == base), None)
        return values | {"base": chosen, "inherits_own": base == OWN}

    def _setting(self, name: str) -> Any:
        """The field of a setting; its first choice is what it would inherit."""
        column: Any = RatePlan._meta.get_field(name)
        common: dict[str, Any] = {
            "label": capfirst(column.verbose_name),
            "help_text": column.help_text or HELP.get(name, ""),
            "required": False,
        }
        first = self.offer.label(name, self.base, self.currency)
        text = self.offer.value_text(name, self.base, self.currency)
        default: dict[str, Any] = {
            "plan_key": name,
            "plan_value": text,
            "first_label": first,
        }
        if column.choices:
            return PlanDefaultField(choices=column.choices, **default, **common)
        if name in self.offer.rows:
            return RowField(
                name=name,
                queryset=self.offer.rows[name],
                empty_label=first,
                widget=forms.Select({"data-plan-default": name}),
                **common,
            )
        if name == "service_email":
            return EmailsField(
                max_length=500, widget=_placeholder(name, first), **common
            )
        if name == "reminder_days":
            return DaysField(max_length=40, widget=_placeholder(name, first), **common)
        if name == "service_telephone":
            country = self.offer.owner.country
            widget = _placeholder(name, first)
            return NumberField(country=country, widget=widget, **common)
        if isinstance(DEFAULTS[name], bool):
            return PlanDefaultField(
                choices=YES_NO,
                coerce=lambda value: value == "yes",
                empty_value=None,
                **default,
                **common,
            )
        del common["required"]
        is_limit = DEFAULTS[name] == NO_LIMIT
        if is_limit:
            common["help_text"] = ""  # "no limit" is one of the choices
        number: Any = (
            AmountField(required=False, min_value=0)
            if isinstance(column, models.DecimalField)
            else model_field(RatePlan, name, min_value=0)
        )
        return LimitField(number_field=number, is_limit=is_limit, **default, **common)

    def _sections(self) -> Iterable[Section]:
        yield Section(_("Rate plan"), "name", "description", id="plan", is_open=True)
        yield Section(
            _("Inheritance and sharing"),
            "base",
            "may_be_inherited",
            "share",
            "offered_at_signup",
            id="inheritance",
            is_open=True,
        )
        for section in SECTIONS:
            rows = [[n for n in row if n in self.fields] for row in section.rows]
            yield Section(
                section.title,
                *(Columns(*row) if len(row) > 1 else row[0] for row in rows if row),
                id=section.id,
                is_open=section.id == "billing",
            )


class DaysField(forms.CharField):
    """Days after the due day, in any writing with commas or spaces between them."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        return clean_days(text) if text else ""


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the rows that a setting can be, as pages tell it everywhere."""

    def __init__(self, *, name: str, **kwargs: Any) -> None:
        self.name = name
        super().__init__(**kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return setting_text(self.name, obj, "")


def _placeholder(name: str, text: str) -> forms.TextInput:
    return forms.TextInput(
        {"placeholder": text, "data-plan-default": name, "autocomplete": "off"}
    )


def initial_of(plan: RatePlan) -> dict[str, Any]:
    """The form's values for a plan; what it leaves open stays empty."""
    values = {name: getattr(plan, name) for name in FIELDS}
    for name, default in DEFAULTS.items():
        if isinstance(default, bool) and is_set(values[name]):
            values[name] = "yes" if values[name] else "no"
    values["base"] = OWN if plan.inherits_own else str(plan.base_id or "")
    return values | {"seen": state_of(plan, FIELDS)}


class CopyForm(PortalForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = name_field(
            RatePlan,
            "name",
            label=_("Name of the copy"),
            widget=forms.TextInput({"autocomplete": "off"}),
        )
