"""Commerce » Rate plans » a plan as a customer on it would have it, own or shared alike."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from billing.pricing import Level, price_at, price_down
from billing.product_selectors import load_product_prices, products_to_price
from billing.selectors import Rates, load_levels
from billing.services.quotes import level_of_newcomer
from billing.views.charge_cells import charge_items
from billing.views.parts import account_of
from billing.views.plan_products import price_text
from portal.core.money import format_price
from portal.core.permissions import Permission
from portal.core.row_pages import OneRow
from portal.core.views import Crumb, PortalView
from rateplans.choices import Feature, Occurs
from rateplans.forms.prices import price_keys
from rateplans.models import NumberClass, RatePlan
from rateplans.pricing import EffectivePlan
from rateplans.selectors import assignable_plans
from rateplans.settings import DEFAULTS
from rateplans.views.parts import LIST, shared_by
from rateplans.wording import (
    code_label,
    feature_text,
    limit_text,
    number_classes,
    setting_label,
    setting_text,
)

# Whom customers turn to is shown by the brand they see, not by the plan alone.
OF_THE_BRAND = frozenset(
    {
        "service_email",
        "copy_service_email",
        "service_telephone",
        "divert_when_stopped",
    }
)


class PlanTerms(OneRow, PortalView):
    """What customers on a plan pay and may have. Nothing of where it comes from."""

    permission = Permission.COMMERCE

    def rows(self) -> Any:
        """Whatever the account may put customers on; 404 for all others alike."""
        return assignable_plans(
            owner_id=self.owner.pk, ancestor_ids=self.owner.ancestor_ids
        )

    @property
    def plan(self) -> RatePlan:
        plan: RatePlan = self.row
        return plan

    @cached_property
    def owner(self) -> Any:
        return account_of(self)

    @cached_property
    def newcomer(self) -> Level:
        """A customer that is put on the plan today."""
        return level_of_newcomer(self.owner, {"plan": self.plan})

    @cached_property
    def levels(self) -> list[Level]:
        """From the top down to that customer."""
        return [*load_levels(self.owner), self.newcomer]

    @cached_property
    def rates(self) -> Rates:
        return Rates(self.newcomer.today)

    @cached_property
    def effective(self) -> EffectivePlan:
        return self.newcomer.plan

    @cached_property
    def classes(self) -> dict[int, NumberClass]:
        return number_classes()

    def title(self) -> str:
        return self.plan.name

    def breadcrumbs(self) -> list[Crumb]:
        return [Crumb(_("Rate plans"), self.url(LIST))]

    def get(self, request: Any, pk: int) -> HttpResponse:
        is_own = self.plan.owner_id == self.owner.pk
        context = self.page_context(
            plan=self.plan,
            shared=("" if is_own else shared_by(self.plan, self.owner)),
            prices=self.prices(),
            charges=charge_items(self.plan),
            products=self.products(),
            permissions=list(self.permissions()),
            settings=list(self.settings()),
        )
        return render(request, "billing/plan_terms.html", context)

    def prices(self) -> list[dict[str, str]]:
        """One row for each feature and class: what is paid at sign-up and per month."""
        rows: dict[tuple[Feature, int | None], dict[str, str]] = {}
        for feature, class_id, occurs in price_keys(self.classes):
            label = feature_text(feature, class_id, self.classes)
            row = rows.setdefault((feature, class_id), {"label": label})
            row[occurs] = self.price_cell(feature, occurs, class_id)
        return list(rows.values())

    def price_cell(self, feature: Feature, occurs: Occurs, class_id: int | None) -> str:
        try:
            amount = self.price(feature, occurs, class_id)
        except ValidationError:
            return _("No price: an exchange rate is missing")
        # Converted prices are shown to the places that prices are kept with.
        return format_price(round(amount, 9), self.newcomer.currency)

    def price(self, feature: Feature, occurs: Occurs, class_id: int | None) -> Decimal:
        """Net. What the levels above pay is asked for only where it is passed through."""
        convert = self.rates.convert
        if self.effective.price(feature, occurs, class_id) is None:
            found = price_down(self.levels, feature, occurs, class_id, convert)
            return found[-1].amount
        step = price_at(self.newcomer, None, feature, occurs, class_id, convert)
        return step.amount

    def products(self) -> list[dict[str, Any]]:
        """Everything that customers on the plan may buy, for _components/detail_list.html."""
        offered = list(products_to_price(self.owner))
        found = load_product_prices(offered, self.levels, rates=self.rates)
        prices = {pk: down[-1] for pk, down in found.items()}
        currency = self.newcomer.currency
        return [
            {
                "label": product.name,
                "html": price_text(product, prices.get(product.pk), currency),
            }
            for product in offered
        ]

    def permissions(self) -> Any:
        for feature in Feature:
            maximum = limit_text(self.effective.maximum(feature).value)
            yield {"label": code_label(f"maximum:{feature}"), "value": maximum}
            included = self.effective.included(feature).value
            yield {"label": code_label(f"included:{feature}"), "value": included}

    def settings(self) -> Any:
        for name in DEFAULTS:
            if name in OF_THE_BRAND:
                continue
            found = self.effective.setting(name)
            currency = (found.plan or self.plan).currency
            yield {
                "label": capfirst(setting_label(name)),
                "value": setting_text(name, found.value, currency),
            }
