"""Commerce » Rate plans » Calculator: a price at every level, with the rule behind it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from billing.forms.calculator import CalculatorForm
from billing.models import BillingAccount, Product
from billing.pricing import Level, LevelPrice, price_down
from billing.product_selectors import load_product_prices, products_to_price
from billing.selectors import Rates, load_levels
from billing.services.quotes import level_of_newcomer
from billing.views.parts import due_text
from portal.core.money import format_price, plain_amount
from rateplans.choices import Feature, Occurs
from rateplans.models import NumberClass, RatePlan
from rateplans.views.parts import PlanPage
from rateplans.wording import Sources, number_classes

# So many of the customers on the plan can be chosen, the first ones by name.
MOST_CUSTOMERS = 200


class PlanCalculator(PlanPage):
    """What something costs down the chain. Levels above the reader's own stay closed."""

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

    @cached_property
    def products(self) -> dict[int, Product]:
        """What customers of the account may buy."""
        return {product.pk: product for product in products_to_price(self.owner)}

    def get(self, request: Any, pk: int) -> HttpResponse:
        form = CalculatorForm(
            request.GET or None,
            classes=self.classes,
            products=self.products,
            customers=[
                (customer_id, account.customer.name)
                for customer_id, account in self.accounts.items()
            ],
        )
        asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
        account = self.accounts.get(int(asked.get("customer") or 0))
        levels = self.levels(account)
        error, steps = "", []
        try:
            steps = self.steps(asked.get("feature") or Feature.ACCOUNT, levels)
        except ValidationError as refusal:
            error = " ".join(refusal.messages)
        context = self.page_context(
            form=form,
            error=error,
            lines=[
                self.line(step)
                for step in steps
                if step.level.path.startswith(self.actor.home.path)
            ],
        )
        return render(request, "billing/plan_calculator.html", context)

    def levels(self, account: BillingAccount | None) -> list[Level]:
        """From the top down to the customer that was chosen, or a new one of the owner's."""
        if account is not None:
            return load_levels(account.customer)
        newcomer = level_of_newcomer(self.owner, {"plan": self.plan})
        return [*load_levels(self.owner), newcomer]

    def steps(self, asked: str, levels: list[Level]) -> list[Step]:
        """What ``asked`` ("line", "number:3", "product:7") costs at each of ``levels``."""
        kind, _colon, identity = asked.partition(":")
        rates = Rates(levels[-1].today)
        sources = self.naming(levels)
        if kind == "product":
            return product_steps(self.products[int(identity)], levels, rates, sources)
        class_id = int(identity) if identity else None
        return feature_steps(Feature(kind), class_id, levels, rates, sources)

    def line(self, step: Step) -> dict[str, Any]:
        level = step.level
        return {
            "name": level.account.customer.name,
            "is_own": level.path == self.actor.customer.path,
            "is_newcomer": level.account.pk is None,
            "plan": level.plan.plan.name,
            "once": step.once,
            "recurring": step.recurring,
        }

    def naming(self, levels: list[Level]) -> Sources:
        """Plans of the account and of everybody below it may be named, too."""
        ids = {plan.pk for level in levels for plan in level.plan.chain}
        below = RatePlan.objects.filter(pk__in=ids).values_list("pk", flat=True)
        return Sources(self.owner.pk, self.sources.known | frozenset(below))


@dataclass(frozen=True, slots=True)
class Step:
    """What one level pays: each an ``amount`` and the ``rule`` that it comes from."""

    level: Level
    once: dict[str, str]
    recurring: dict[str, str]


def feature_steps(
    feature: Feature,
    class_id: int | None,
    levels: list[Level],
    rates: Rates,
    sources: Sources,
) -> list[Step]:
    signups, monthly = (
        price_down(levels, feature, occurs, class_id, rates.convert)
        for occurs in (Occurs.SIGNUP, Occurs.RECURRING)
    )

    def told(price: LevelPrice) -> dict[str, str]:
        nothing = _("no price: nothing is charged")
        passed = _("passed through from the level above")
        text = rule_text(
            price.level,
            price.plan,
            sources,
            without=nothing if price.level is levels[0] else passed,
        )
        if price.is_converted:
            text = _("%(rule)s, converted: 1 %(currency)s = %(rate)s %(own)s") % {
                "rule": text,
                "currency": price.said_currency,
                "rate": plain_amount(price.rate),
                "own": price.level.currency,
            }
        return amount_and_rule(price.amount, price.level, text)

    return [
        Step(level, told(signup), told(recurring))
        for level, signup, recurring in zip(levels, signups, monthly, strict=True)
    ]


def product_steps(
    product: Product, levels: list[Level], rates: Rates, sources: Sources
) -> list[Step]:
    """The levels below whoever owns the product: nobody above has to do with it."""
    found = load_product_prices([product], levels, rates=rates).get(product.pk)
    if found is None:
        raise ValidationError(
            _("An exchange rate is missing: the system owner has to enter one."),
            code="no_rate",
        )
    steps = []
    for price in found:
        own = _("the product's own price")
        passed = _("passed through from the level above")
        text = rule_text(
            price.level,
            price.plan,
            sources,
            without=own if price is found[0] else passed,
        )
        once, period = (
            amount_and_rule(amount, price.level, text)
            for amount in (price.create, price.period)
        )
        if product.period:
            period["amount"] = due_text(period["amount"], product.period)
        steps.append(Step(price.level, once, period if product.period else {}))
    return steps


def rule_text(
    level: Level, plan: RatePlan | None, sources: Sources, *, without: str
) -> str:
    """Which plan a price comes from, or ``without`` if none says it."""
    if plan is None:
        return without
    chain = level.plan.chain
    name = sources.name(plan, chain)
    is_own = plan.pk == chain[0].pk or name == chain[0].name
    text = _("set in %(plan)s") if is_own else _("inherited from %(plan)s")
    return text % {"plan": name}


def amount_and_rule(amount: Decimal, level: Level, rule: str) -> dict[str, str]:
    """Converted prices are shown to the places that prices are kept with."""
    return {"amount": format_price(round(amount, 9), level.currency), "rule": rule}
