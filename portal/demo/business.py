"""A year of business for the demo: prices, fees, invoices, payments and top-ups.

Told through the services month by month, so that every balance adds up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from billing.models import BilledFeature, BillingAccount, ExchangeRate
from billing.services.charges import accounts_with_due_charges, charge_due
from billing.services.periods import close_accounts
from customers.models import TimeGroup
from portal.demo import bills, paying, tariffs
from portal.demo.shop import buy_calls, open_shop
from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.models import (
    NumberClass,
    PlanFeature,
    PlanMarkup,
    PlanPrice,
    RatePlan,
)

MONTHS = 12
ALWAYS = (None, None)  # a range of days without beginning or end


def open_business() -> None:
    """Give the plans their prices and let `MONTHS` months pass."""
    _enter_exchange_rates()
    _set_times()
    for name, tariff in tariffs.TARIFFS.items():
        for plan in RatePlan.objects.filter(name=name):
            _price(plan, tariff)
    today = timezone.localdate()
    first = (today - relativedelta(months=MONTHS - 1)).replace(day=1)
    _date_accounts(first)
    open_shop(first)
    for number in range(MONTHS):
        month: date = first + relativedelta(months=number)
        paying.receive_payments(until=month)
        paying.receive_topups(month)
        accounts = [each for each in _accounts() if each.billed_until <= month]
        close_accounts([account.pk for account in accounts], on=month)
        for account_id in accounts_with_due_charges(month):
            charge_due(account_id, on=month)
        bills.issue(month, is_present=number == MONTHS - 1)
    paying.receive_payments(until=today + timedelta(days=1))
    bills.come_to_today(month)
    buy_calls()


def _accounts() -> Iterator[BillingAccount]:
    """The top of the tree first."""
    accounts = BillingAccount.objects.filter(customer__deleted_at=None)
    yield from accounts.select_related("customer").order_by("customer__path")


def _enter_exchange_rates() -> None:
    """A rate for each month's first day, wandering a little around the first."""
    today = timezone.localdate()
    for currency, rate in tariffs.RATES.items():
        for number in range(MONTHS + 1):
            on = (today - relativedelta(months=number)).replace(day=1)
            drift = Decimal((number * 7) % 5 - 2) / 200
            ExchangeRate.objects.create(
                currency=currency, on=on, rate=Decimal(rate) * (1 + drift)
            )


def _set_times() -> None:
    for name, spans in tariffs.TIMES.items():
        group = TimeGroup.objects.create(name=name)
        for first_day, last_day, begins, ends in spans:
            group.spans.create(
                first_day=first_day, last_day=last_day, begins=begins, ends=ends
            )


def _price(plan: RatePlan, tariff: tariffs.Tariff) -> None:
    if tariff.base == tariffs.OWN:
        plan.inherits_own = True
    elif tariff.base:
        plan.base = RatePlan.objects.get(owner=plan.owner, name=tariff.base)
    plan.may_be_inherited = tariff.may_be_inherited
    plan.refund_on_removal = tariff.refunds
    if tariff.times:
        plan.cos_timegroup = TimeGroup.objects.get(name=tariff.times)
    plan.save()
    for feature, prices in tariff.fees.items():
        _price_feature(plan, feature, None, prices)
    for name, prices in tariff.numbers.items():
        number_class = NumberClass.objects.get(name=name)
        _price_feature(plan, Feature.NUMBER, number_class, prices)
    for feature, (maximum, included) in tariff.features.items():
        PlanFeature.objects.create(
            plan=plan, feature=feature, maximum=maximum, included=included
        )
    for kind, (markup, margin) in tariff.markups.items():
        PlanMarkup.objects.create(
            plan=plan,
            kind=MarkupKind(kind),
            markup=Decimal(markup),
            margin=Decimal(margin),
            valid=ALWAYS,
        )


def _price_feature(
    plan: RatePlan,
    feature: Feature,
    number_class: NumberClass | None,
    prices: tuple[str, str],
) -> None:
    for occurs, amount in zip((Occurs.SIGNUP, Occurs.RECURRING), prices, strict=True):
        PlanPrice.objects.create(
            plan=plan,
            feature=feature,
            number_class=number_class,
            occurs=occurs,
            amount=Decimal(amount),
            valid=ALWAYS,
        )


def _date_accounts(first: date) -> None:
    """As if everything had been there when its customer came, and billed ever since."""
    billed = BilledFeature.objects.select_related("customer")
    for feature in billed.iterator():
        feature.started_at = feature.customer.created_at
        if feature.ended_at is not None:
            feature.ended_at = feature.customer.deleted_at or feature.ended_at
        feature.save(update_fields=["started_at", "ended_at"])
    for account in _accounts():
        created = account.customer.created_at.date()
        next_month: date = created.replace(day=1) + relativedelta(months=1)
        account.fees_from = created
        account.charges_from = created
        account.billed_until = max(first, next_month)
        # Those of before have had the invoice of the month before.
        account.billed_from = max(first - relativedelta(months=1), created)
        account.invoiced_until = account.billed_from
        account.save(
            update_fields=[
                "fees_from",
                "charges_from",
                "billed_until",
                "billed_from",
                "invoiced_until",
            ]
        )
