"""Prices, features and days for the tests of fees, laid directly."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from billing.models import BillingAccount, LedgerEntry
from billing.services import fees
from billing.services.fee_lines import FeatureItem
from customers.models import Customer
from portal.core.actor import Actor, system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import Feature, Occurs
from rateplans.models import NumberClass, PlanFeature, PlanPrice, RatePlan

LONG_AGO = date(2000, 1, 1)


def price(
    plan: RatePlan,
    amount: str | int,
    feature: Feature = Feature.LINE,
    occurs: Occurs = Occurs.RECURRING,
    *,
    number_class: NumberClass | None = None,
    since: date = LONG_AGO,
    until: date | None = None,
) -> PlanPrice:
    return PlanPrice.objects.create(
        plan=plan,
        feature=feature,
        occurs=occurs,
        number_class=number_class,
        amount=Decimal(amount),
        valid=DateRange(since, until),
    )


def permit(plan: RatePlan, feature: Feature = Feature.LINE, **values: int) -> None:
    with scopes_disabled():  # plans of every owner
        PlanFeature.objects.update_or_create(
            plan=plan, feature=feature, defaults=values
        )


def set_account(customer: Customer, **values: Any) -> BillingAccount:
    with scopes_disabled():  # tests look at every account
        BillingAccount.objects.filter(customer=customer).update(**values)
        return BillingAccount.objects.select_related("customer").get(customer=customer)


def item(
    number: int,
    feature: Feature = Feature.LINE,
    number_class: NumberClass | None = None,
) -> FeatureItem:
    pk = number_class.pk if number_class else None
    return FeatureItem(feature, number, f"no. {number}", pk)


def add(
    customer: Customer, *items: FeatureItem, by: Actor | None = None, **more: Any
) -> None:
    fees.add_features(customer, items, by=by or system_actor(customer), **more)


def remove(customer: Customer, *items: FeatureItem, **more: Any) -> None:
    fees.remove_features(customer, items, by=system_actor(customer), **more)


def entries(customer: Customer, *names: str) -> list[tuple[Any, ...]]:
    """The account's entries from the first on, as tuples of the fields ``names``."""
    with scopes_disabled():  # tests look at every account
        rows = LedgerEntry.objects.filter(account__customer=customer).order_by("pk")
        return list(rows.values_list(*names))


def balance(customer: Customer) -> Decimal:
    with scopes_disabled():  # tests look at every account
        return BillingAccount.objects.get(customer=customer).balance
