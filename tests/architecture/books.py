"""How to violate each constraint of the ledger, billed features, prices and plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from billing.models import BilledFeature, EntryTax, LedgerEntry
from rateplans.models import PlanFeature, PlanMarkup, PlanPrice, RatePlan
from tests.books import give
from tests.world import World

ALWAYS = (None, None)
NO_DAY = (date(2026, 1, 1), date(2026, 1, 1))


def _entry(world: World, **values: Any) -> None:
    fields: dict[str, Any] = {
        "account": world.beta.account,
        "key": "k",
        "kind": "credit",
        "amount": 1,
        "net": 1,
        "balance_after": 1,
        "description": "By hand",
    }
    LedgerEntry.objects.create(**(fields | values))


def _same_key(world: World) -> None:
    account = give(world.beta, 1)
    _entry(world, key=LedgerEntry.objects.get(account=account).key)


def _tax_twice(world: World) -> None:
    entry = LedgerEntry.objects.get(account=give(world.beta, 1))
    for _time in range(2):
        EntryTax.objects.create(
            entry=entry,
            tax=world.acme_tax,
            name="VAT",
            rate=19,
            amount=1,
            is_vat=True,
        )


def _feature(world: World, times: int = 1, **values: Any) -> None:
    fields = {"customer": world.beta, "feature": "line", "object_id": 1, "label": "x"}
    for _time in range(times):
        BilledFeature.objects.create(**(fields | values))


def _price(world: World, times: int = 1, **values: Any) -> None:
    fields: dict[str, Any] = {
        "plan": world.acme_plan,
        "feature": "line",
        "occurs": "signup",
        "amount": 1,
        "valid": ALWAYS,
    }
    for _time in range(times):
        PlanPrice.objects.create(**(fields | values))


def _markup(world: World, times: int = 1, **values: Any) -> None:
    fields = {"plan": world.acme_plan, "kind": "outcost", "valid": ALWAYS}
    for _time in range(times):
        PlanMarkup.objects.create(**(fields | values))


def _permission(world: World, times: int = 1, maximum: int = 1) -> None:
    for _time in range(times):
        PlanFeature.objects.create(
            plan=world.acme_plan, feature="line", maximum=maximum
        )


def _plan(world: World, **values: Any) -> None:
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(**values)


BOOKS: dict[str, Callable[[World], None]] = {
    "entry_key_once_per_account": _same_key,
    "entry_moves_something": lambda w: _entry(w, amount=0, net=0),
    "entry_net_has_the_sign_of_the_amount": lambda w: _entry(w, net=-1),
    "entry_conversion_is_whole": lambda w: _entry(w, original_currency="USD"),
    "entry_period_is_whole": lambda w: _entry(
        w, period_start=date(2026, 1, 1), period_end=date(2026, 1, 1)
    ),
    "tax_once_per_entry": _tax_twice,
    "feature_is_billed_once": lambda w: _feature(w, times=2),
    "feature_ends_after_it_started": lambda w: _feature(
        w, ended_at=timezone.now() - timedelta(days=1)
    ),
    "billed_number_has_a_class": lambda w: _feature(w, feature="number"),
    "price_is_not_negative": lambda w: _price(w, amount=-1),
    "price_of_numbers_is_by_class": lambda w: _price(w, feature="number"),
    "price_is_valid_for_a_day": lambda w: _price(w, valid=NO_DAY),
    "one_price_at_a_time": lambda w: _price(w, times=2),
    "markup_makes_no_negative_price": lambda w: _markup(w, markup=-101),
    "markup_is_valid_for_a_day": lambda w: _markup(w, valid=NO_DAY),
    "one_markup_at_a_time": lambda w: _markup(w, times=2),
    "feature_permission_once_per_plan": lambda w: _permission(w, times=2),
    "feature_maximum_from_minus_one": lambda w: _permission(w, maximum=-2),
    "rate_plan_inherits_from_one_place": lambda w: _plan(
        w, base=w.root_plan, inherits_own=True
    ),
    "rate_plan_is_not_its_own_base": lambda w: _plan(w, base=w.acme_plan),
}
