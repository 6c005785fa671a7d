"""What the pages about one rate plan share: whose it is, its tabs, asking before a change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.row_pages import OneRow, RowConfirmPage
from portal.core.views import Crumb, FormPage, PortalView, clean_token
from rateplans.models import RatePlan
from rateplans.pricing import EffectivePlan
from rateplans.selectors import effective_plan, inheritable_plans, own_plan
from rateplans.services.preview import Effect, Kept
from rateplans.wording import Sources

NOBODY = Kept()
LIST = "rateplans:plan-list"
EDIT = "rateplans:plan-edit"
TERMS = "billing:plan-terms"
# The pages of a plan: name of the tab, its label, the address. Some are in billing.
TABS: tuple[tuple[str, Any, str], ...] = (
    ("settings", gettext_lazy("Settings"), EDIT),
    ("prices", gettext_lazy("Prices"), "rateplans:plan-prices"),
    ("permissions", gettext_lazy("Permissions"), "rateplans:plan-permissions"),
    ("markups", gettext_lazy("Mark-ups"), "rateplans:plan-markups"),
    ("charges", gettext_lazy("Charges"), "billing:plan-charges"),
    ("products", gettext_lazy("Products"), "billing:plan-products"),
    ("calculator", gettext_lazy("Calculator"), "billing:plan-calculator"),
    ("customs", gettext_lazy("Custom settings"), "rateplans:custom-list"),
    ("history", gettext_lazy("History"), "rateplans:plan-history"),
)


def plan_tabs(view: PortalView, plan: RatePlan, current: str) -> list[dict[str, Any]]:
    """Links between the pages of a plan, for _components/tabs.html."""
    return [
        {"label": label, "url": view.url(name, pk=plan.pk), "current": key == current}
        for key, label, name in TABS
    ]


class PlanPage(OneRow, PortalView):
    """Base of the pages about one plan of the account; 404 for all others alike."""

    permission = Permission.COMMERCE
    related = ("owner", "base")
    tab = ""

    def rows(self) -> Any:
        return RatePlan.objects.filter(owner=self.actor.customer.pk)

    @property
    def plan(self) -> RatePlan:
        plan: RatePlan = self.row
        return plan

    @cached_property
    def owner(self) -> Any:
        return self.request.reach.account

    @property
    def today(self) -> Any:
        """The owner's: prices begin and end with its days."""
        return local_date(self.owner.time_zone)

    @cached_property
    def effective(self) -> EffectivePlan:
        return effective_plan(self.plan, on=self.today)

    @cached_property
    def sources(self) -> Sources:
        return sources_of(self.owner)

    def title(self) -> str:
        return self.plan.name

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Rate plans"), self.url(LIST))]

    def page_context(self, **context: Any) -> dict[str, Any]:
        return super().page_context(
            plan=self.plan, tabs=plan_tabs(self, self.plan, self.tab), **context
        )


def shared_by(plan: RatePlan, reader: Any) -> str:
    """Where a plan comes from that is shared with ``reader``: accounts above have no name."""
    if plan.owner_id == reader.parent_id:
        return _("By your provider")
    return _("From further up")


def sources_of(owner: Any) -> Sources:
    """Which plans may be named to ``owner``: its own, those opened to it, the one it is on."""
    opened = inheritable_plans(owner_id=owner.pk, ancestor_ids=owner.ancestor_ids)
    return Sources.of(owner.pk, [*opened, own_plan(owner.pk)])


class Unconfirmed(Exception):
    """The change concerns customers and was not confirmed yet."""

    def __init__(
        self,
        effects: list[Effect],
        notes: Sequence[str],
        from_on: date | None = None,
    ) -> None:
        super().__init__()
        self.effects, self.notes, self.from_on = effects, notes, from_on

    @property
    def mark(self) -> str:
        """Stands for what is confirmed: if it is something else by now, it is asked again."""
        told = [(each.label, each.old, each.new) for each in self.effects]
        return hashlib.sha256(
            repr((told, self.notes, self.from_on)).encode()
        ).hexdigest()[:24]


class CarefulForm:
    """Mixed into a form page that, before it changes anything for customers, asks.

    The first save of such a change shows the form again as it was filled in, with what
    would change for how many; the second save does it.
    """

    def effects(self, form: Any) -> tuple[list[Effect], list[str]]:
        """What saving ``form`` would change, and what else is to be said."""
        raise NotImplementedError

    def post(self: Any, request: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = super().post(request, **kwargs)  # type: ignore[misc]
            return response
        except Unconfirmed as unconfirmed:
            self.submit_label = _("Confirm and save")
            self.unconfirmed: Unconfirmed | None = unconfirmed
            token = clean_token(request.POST.get("form_token", ""))
            form = self.build_form(request.POST, request.FILES)
            form.is_valid()
            asked: HttpResponse = self.render_form(form, token=token, is_dirty=True)
            return asked

    def save_once(self: Any, form: Any, key: str) -> tuple[str, bool]:
        effects, notes = self.effects(form)
        # From when on it counts, where a form says so.
        found = Unconfirmed(effects, notes, form.cleaned_data.get("from_on"))
        if (found.effects or found.notes) and self.request.POST.get(
            "confirmed"
        ) != found.mark:
            raise found
        saved: tuple[str, bool] = super().save_once(form, key)  # type: ignore[misc]
        return saved

    def form_context(self: Any, form: Any) -> dict[str, Any]:
        unconfirmed = getattr(self, "unconfirmed", None)
        context: dict[str, Any] = super().form_context(form)  # type: ignore[misc]
        return {**context, "unconfirmed": unconfirmed}


class CarefulFormPage(CarefulForm, PlanPage, FormPage):
    """A form about a plan that is careful of those who are on it."""

    template_name = "rateplans/plan_form.html"

    def cancel_url(self) -> str:
        return self.url(LIST)

    def render_form(self, form: Any, **kwargs: Any) -> HttpResponse:
        if kwargs.get("stale") is not None:
            # Saving again is then a decision: the form goes on from the present state.
            form.data = form.data.copy()
            form.data["seen"] = self.present_state()
            kwargs["stale"] = self.request.reach.missed_changes(self.plan)
        return super().render_form(form, **kwargs)

    def present_state(self) -> str:
        """What the form's ``seen`` would be if it were opened now."""
        raise NotImplementedError


class PlanConfirmPage(PlanPage, RowConfirmPage):
    list_title = gettext_lazy("Rate plans")
    list_url = LIST
    edit_url = EDIT

    def breadcrumbs(self) -> list[Crumb]:
        return RowConfirmPage.breadcrumbs(self)


def instead_of_deletion(plan: RatePlan) -> list[str]:
    """What to do with a plan that has to stay; nothing more with one that is archived."""
    return [] if plan.archived_at else [_("Archive it instead.")]


def kept_notes(now: Kept, before: Kept = NOBODY) -> list[str]:
    """Who goes on using a plan that is not opened to them any more, since ``before``."""
    customers, plans = now.customers - before.customers, now.plans - before.plans
    notes = []
    if customers > 0:
        text = ngettext(
            "%(count)d customer of resellers stays on this plan, though nobody there can"
            " choose it any more.",
            "%(count)d customers of resellers stay on this plan, though nobody there can"
            " choose it any more.",
            customers,
        )
        notes.append(text % {"count": customers})
    if plans > 0:
        text = ngettext(
            "%(count)d rate plan of resellers goes on inheriting from it (%(customers)s),"
            " though no other one there can.",
            "%(count)d rate plans of resellers go on inheriting from it (%(customers)s),"
            " though no other one there can.",
            plans,
        )
        heirs = customers_text(now.heirs - before.heirs)
        notes.append(text % {"count": plans, "customers": heirs})
    return notes


def customers_text(count: int) -> str:
    return ngettext("%(count)d customer", "%(count)d customers", count) % {
        "count": count
    }
