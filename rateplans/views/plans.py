"""Commerce » Rate plans: the list, and one plan's settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.pills import pill
from portal.core.staleness import state_of
from portal.core.tables import Column, Empty, Table
from portal.core.views import Crumb, FormPage, ListPage
from rateplans.choices import BillType, Sharing
from rateplans.filters import PlanFilter
from rateplans.forms.plans import OWN, Offer, PlanForm, initial_of
from rateplans.models import RatePlan
from rateplans.pricing import EffectivePlan
from rateplans.selectors import (
    effective_plans,
    inheritable_plans,
    listed_plans,
    own_plan,
)
from rateplans.services import plans, preview
from rateplans.services.preview import Effect, Kept
from rateplans.settings import ROWS
from rateplans.views.parts import (
    EDIT,
    LIST,
    TERMS,
    CarefulFormPage,
    instead_of_deletion,
    kept_notes,
    shared_by,
    sources_of,
)

# A list says "more than 1,000" rather than count on.
MOST_COUNTED = 1000
# Of a plan that others share, one's own customers only.
_CUSTOMERS = """(
    SELECT count(*) FROM (
        SELECT 1 FROM billing_billingaccount account
        JOIN customers_customer customer ON customer.id = account.customer_id
        WHERE account.plan_id = rateplans_rateplan.id AND customer.deleted_at IS NULL
          AND %s IN (rateplans_rateplan.owner_id, account.provider_id)
        LIMIT %s
    ) counted
)"""


class PlanList(ListPage):
    permission = Permission.COMMERCE
    table_id = "plans"
    default_sort = "name"
    filterset_class = PlanFilter

    def title(self) -> str:
        return _("Rate plans")

    def get_queryset(self) -> QuerySet[RatePlan]:
        return listed_plans(
            owner_id=self.owner.pk, ancestor_ids=self.owner.ancestor_ids
        )

    @property
    def owner(self) -> Any:
        return self.request.reach.account

    def is_own(self, plan: RatePlan) -> bool:
        return bool(plan.owner_id == self.owner.pk)

    def table(self, queryset: QuerySet[RatePlan], *, is_filtered: bool) -> Table:
        customers = RawSQL(_CUSTOMERS, [self.owner.pk, MOST_COUNTED + 1])
        rows = queryset.select_related("base").annotate(customers=customers)
        return super().table(rows, is_filtered=is_filtered)

    @cached_property
    def effective(self) -> dict[int, EffectivePlan]:
        """All of the account's plans with what they inherit, read together."""
        ids = self.get_queryset().values_list("pk", flat=True)
        return effective_plans(ids, on=today_of(self.request))

    def columns(self) -> Sequence[Column]:
        return (
            Column("name", _("Name"), self.name_cell, sort="name", narrow=True),
            Column("base", _("Inherits from"), self.base_cell),
            Column(
                "currency",
                _("Currency"),
                lambda plan: plan.currency,
                sort="currency",
            ),
            Column("bill_type", _("Billing type"), self.bill_type_cell),
            Column(
                "customers", _("Customers"), customers_cell, align="end", narrow=True
            ),
            Column("share", _("Shared"), self.share_cell, narrow=True),
            Column("status", _("Status"), status_cell, narrow=True),
        )

    def name_cell(self, plan: RatePlan) -> SafeString | str:
        """What others offer at sign-up is for those who sign up with them."""
        if not (plan.offered_at_signup and self.is_own(plan)):
            return plan.name
        sign = '{}<span class="cell-sub">{}</span>'
        return format_html(sign, plan.name, _("Offered at sign-up"))

    def bill_type_cell(self, plan: RatePlan) -> str:
        return str(BillType(self.effective[plan.pk].value("bill_type")).label)

    def base_cell(self, plan: RatePlan) -> SafeString | str:
        """What others base their plans on is theirs to know."""
        return base_cell(plan) if self.is_own(plan) else "–"

    def share_cell(self, plan: RatePlan) -> str:
        if self.is_own(plan):
            return share_cell(plan)
        return shared_by(plan, self.owner)

    def row_url(self, row: RatePlan) -> str:
        return self.url(EDIT if self.is_own(row) else TERMS, pk=row.pk)

    def page_actions(self) -> Sequence[dict[str, str]]:
        return (
            {
                "label": _("New"),
                "url": self.url("rateplans:plan-create"),
                "icon": "plus",
                "shortcut": "n",
            },
        )

    def empty(self) -> Empty:
        return Empty(
            icon="tags",
            title=_("Make your first rate plan"),
            text=_(
                "A plan says what your customers pay and what they may have. Base it on"
                " the plan you are on yourself, and change only what is different."
            ),
            action_url=self.url("rateplans:plan-create"),
            action_label=_("Make a rate plan"),
        )


def base_cell(plan: RatePlan) -> SafeString | str:
    if plan.inherits_own:
        return _("Your own rate plan")
    return format_html("<bdi>{}</bdi>", plan.base.name) if plan.base else "–"


def customers_cell(plan: Any) -> str:
    if plan.customers > MOST_COUNTED:
        limit = number_format(MOST_COUNTED, force_grouping=True)
        return _("more than %(count)s") % {"count": limit}
    return number_format(plan.customers)


def share_cell(plan: RatePlan) -> str:
    labels = {
        Sharing.NO: "–",
        Sharing.DIRECT: _("With own resellers"),
        Sharing.RECURSIVE: _("With all resellers below"),
    }
    return labels[Sharing(plan.share)]


def status_cell(plan: RatePlan) -> SafeString:
    if plan.archived_at is not None:
        return pill("neutral", _("Archived"), "archive")
    return pill("success", _("Active"))


def offer_for(owner: Any, today: Any, *, plan: RatePlan | None = None) -> Offer:
    """What a plan of ``owner`` may inherit from; ``plan`` itself is left out."""
    offered = inheritable_plans(owner_id=owner.pk, ancestor_ids=owner.ancestor_ids)
    own = own_plan(owner.pk)
    choices = [row for row in offered if plan is None or row.pk != plan.pk]
    if plan and plan.base and all(row.pk != plan.base_id for row in choices):
        choices.append(plan.base)  # not offered any more, and kept
    ids = [row.pk for row in choices] + ([own.pk] if own else [])
    return Offer(
        owner=owner,
        plans=choices,
        own=own,
        effective=effective_plans(ids, on=today),
        rows={name: rows_of(name) for name in ROWS},
        sources=sources_of(owner),
    )


def rows_of(name: str) -> QuerySet[Any]:
    """What a setting that is a row of another table can be."""
    model: Any = RatePlan._meta.get_field(name).related_model
    rows: QuerySet[Any] = model._default_manager.all()
    return rows.prefetch_related("spans") if name == "cos_timegroup" else rows


def today_of(request: Any) -> date:
    """The day it is where the account is."""
    return local_date(request.reach.account.time_zone)


class PlanFormContext:
    """Mixed into the two pages with a plan's settings: what the page's script needs."""

    def form_context(self: Any, form: PlanForm) -> dict[str, Any]:
        labels = form.offer.labels(form.currency)
        return {**super().form_context(form), "labels": labels}  # type: ignore[misc]


class PlanCreate(PlanFormContext, FormPage):
    permission = Permission.COMMERCE
    template_name = "rateplans/plan_form.html"
    focuses_first = True

    def title(self) -> str:
        return _("New rate plan")

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Rate plans"), self.url(LIST))]

    def build_form(self, data: Any = None, files: Any = None) -> PlanForm:
        owner = self.request.reach.account
        offer = offer_for(owner, today_of(self.request))
        initial = {
            "base": OWN if offer.own else "",
            "currency": offer.own.currency if offer.own else "EUR",
            "share": Sharing.NO,
        }
        return PlanForm(data, initial=initial, offer=offer)

    def save(self, form: PlanForm) -> str:
        plan = plans.create_plan(
            owner=self.request.reach.account, values=form.values(), by=self.actor
        )
        return self.url("rateplans:plan-prices", pk=plan.pk)

    def success_message(self, form: Any) -> str:
        return _("The plan is made. Now say what it costs.")

    def cancel_url(self) -> str:
        return self.url(LIST)


class PlanEdit(PlanFormContext, CarefulFormPage):
    tab = "settings"
    notes: Sequence[str] = ()  # told before the change, and again after it

    def build_form(self, data: Any = None, files: Any = None) -> PlanForm:
        offer = offer_for(self.owner, self.today, plan=self.plan)
        return PlanForm(data, initial=initial_of(self.plan), offer=offer)

    def present_state(self) -> str:
        return state_of(RatePlan.objects.get(pk=self.plan.pk), plans.FIELDS)

    def update(self, form: PlanForm) -> RatePlan:
        return plans.update_plan(
            plan=self.plan,
            values=form.values(),
            seen=form.cleaned_data["seen"],
            by=self.actor,
        )

    def effects(self, form: PlanForm) -> tuple[list[Effect], list[str]]:
        found = preview.effects(self.plan, lambda: self.update(form), on=self.today)
        becomes = preview.kept(
            self.plan,
            share=form.cleaned_data["share"],
            may_be_inherited=form.cleaned_data["may_be_inherited"],
        )
        self.notes = kept_notes(becomes, self.kept)
        return found, self.notes

    @cached_property
    def kept(self) -> Kept:
        """Who uses the plan now though it is not opened to them any more."""
        plan = self.plan
        return preview.kept(
            plan, share=plan.share, may_be_inherited=plan.may_be_inherited
        )

    def save(self, form: PlanForm) -> str:
        self.update(form)
        return self.url(EDIT, pk=self.plan.pk)

    def success_message(self, form: PlanForm) -> str:
        return " ".join([super().success_message(form), *self.notes])

    def form_context(self, form: Any) -> dict[str, Any]:
        return super().form_context(form) | {"steps": self.steps()}

    def steps(self) -> list[dict[str, Any]]:
        copy = {
            "title": _("Copy"),
            "text": _("A new plan that says the same, to change it from there."),
            "icon": "copy",
            "label": _("Copy"),
            "url": self.url("rateplans:plan-copy", pk=self.plan.pk),
        }
        archive = {
            "title": _("Archive"),
            "text": _("Offered to nobody any more; who is on it stays on it."),
            "icon": "archive",
            "label": _("Archive"),
            "url": self.url("rateplans:plan-archive", pk=self.plan.pk),
        }
        if self.plan.archived_at is not None:
            archive |= {
                "title": _("Bring back"),
                "text": _("It can be chosen for customers again."),
                "icon": "archive-restore",
                "label": _("Bring back"),
            }
        delete = {
            "title": _("Delete"),
            "text": _("For good, with its prices."),
            "icon": "trash-2",
            "label": _("Delete"),
            "url": self.url("rateplans:plan-delete", pk=self.plan.pk),
            "is_danger": True,
        }
        if reasons := plans.deletion_refusals(self.plan):
            delete = {
                "title": _("Cannot be deleted"),
                "text": " ".join([*reasons, *instead_of_deletion(self.plan)]),
                "icon": "info",
            }
        steps: list[dict[str, Any]] = [copy, archive, delete]
        if notes := kept_notes(self.kept):
            kept = {
                "title": _("Kept by resellers"),
                "text": " ".join(notes),
                "icon": "git-branch",
            }
            steps.insert(0, kept)
        return steps
