"""Commerce » Rate plans » Calculator: a price at every level, with the rule behind it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from billing.forms.calculator import CalculatorForm
from billing.models import BillingAccount
from billing.pricing import Level, LevelPrice, price_down
from billing.selectors import Rates, load_levels
from billing.services.quotes import level_of_newcomer
from portal.core.money import format_price, plain_amount
from rateplans.choices import Feature, Occurs
from rateplans.models import NumberClass, RatePlan
from rateplans.views.parts import PlanPage
from rateplans.wording import Sources, number_classes

# So many of the customers on the plan can be chosen, the first ones by name.
MOST_CUSTOMERS = 200


class PlanCalculator(PlanPage):
    """What a feature costs down the chain. Levels above the reader's own stay closed."""

    tab = "calculator"

    @cached_property
    def classes(self) -> dict[int, NumberClass]:
        return number_classes()

    @cached_property
    def accounts(self) -> dict[int, BillingAccount]:
        """Living customers on the plan, by their ids."""
        found = (
            BillingAccount.objects.filter(plan=self.plan, customer__deleted_at=None)
            .select_related("customer")
            .order_by("customer__sort_key", "pk")[:MOST_CUSTOMERS]
        )
        return {account.customer_id: account for account in found}

    def get(self, request: Any, pk: int) -> HttpResponse:
        form = CalculatorForm(
            request.GET or None,
            classes=self.classes,
            customers=[
                (customer_id, account.customer.name)
                for customer_id, account in self.accounts.items()
            ],
        )
        asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
        feature, _colon, number_class = (
            asked.get("feature") or Feature.ACCOUNT
        ).partition(":")
        account = self.accounts.get(int(asked.get("customer") or 0))
        error, lines = "", []
        try:
            lines = self.lines(
                self.levels(account),
                Feature(feature),
                int(number_class) if number_class else None,
            )
        except ValidationError as refusal:
            error = " ".join(refusal.messages)
        return render(
            request,
            "billing/plan_calculator.html",
            self.page_context(form=form, lines=lines, error=error),
        )

    def levels(self, account: BillingAccount | None) -> list[Level]:
        """From the top down to the customer that was chosen, or a new one of the owner's."""
        if account is not None:
            return load_levels(account.customer)
        newcomer = level_of_newcomer(self.owner, {"plan": self.plan})
        return [*load_levels(self.owner), newcomer]

    def lines(
        self, levels: list[Level], feature: Feature, number_class_id: int | None
    ) -> list[dict[str, Any]]:
        """One line for each level that the reader may see."""
        convert = Rates(levels[-1].today).convert
        signups, monthly = (
            price_down(levels, feature, occurs, number_class_id, convert)
            for occurs in (Occurs.SIGNUP, Occurs.RECURRING)
        )
        sources = self.naming(levels)
        found = []
        for place, level in enumerate(levels):
            if not level.path.startswith(self.actor.home.path):
                continue
            is_top = place == 0
            found.append(
                {
                    "name": level.account.customer.name,
                    "is_own": level.path == self.actor.customer.path,
                    "is_newcomer": level.account.pk is None,
                    "plan": level.plan.plan.name,
                    "signup": cell(signups[place], sources, is_top=is_top),
                    "recurring": cell(monthly[place], sources, is_top=is_top),
                }
            )
        return found

    def naming(self, levels: list[Level]) -> Sources:
        """Plans of the account and of everybody below it may be named, too."""
        ids = {plan.pk for level in levels for plan in level.plan.chain}
        below = RatePlan.objects.filter(pk__in=ids).values_list("pk", flat=True)
        return Sources(self.owner.pk, self.sources.known | frozenset(below))


def cell(price: LevelPrice, sources: Sources, *, is_top: bool) -> dict[str, str]:
    """An amount, the rule that it comes from, and how it was converted."""
    currency = price.level.currency
    if price.plan is None:
        rule = (
            _("no price: nothing is charged")
            if is_top
            else _("passed through from the level above")
        )
    else:
        chain = price.level.plan.chain
        name = sources.name(price.plan, chain)
        is_own = price.plan.pk == chain[0].pk or name == chain[0].name
        rule = (_("set in %(plan)s") if is_own else _("inherited from %(plan)s")) % {
            "plan": name
        }
    if price.is_converted:
        rule = _("%(rule)s, converted: 1 %(currency)s = %(rate)s %(own)s") % {
            "rule": rule,
            "currency": price.said_currency,
            "rate": plain_amount(price.rate),
            "own": currency,
        }
    return {"amount": format_price(round_price(price), currency), "rule": rule}


def round_price(price: LevelPrice) -> Any:
    """A converted price to the places that prices are kept with."""
    return round(price.amount, 9)
