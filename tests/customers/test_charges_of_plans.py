"""A customer's Charges tab: what it pays besides, because it is on its plan."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from billing.models import BillingAccount, Charge
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from rateplans.choices import BillType
from rateplans.models import RatePlan
from tests.customers.features import queries_of
from tests.world import World

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def charges_of_beta(world: World) -> str:
    return account_url(world.acme.pk, "customers:customer-charges", pk=world.beta.pk)


def on_plan(plan: RatePlan, name: str, **values: Any) -> Charge:
    fields = {"amount": 7, "currency": "EUR", "starts_on": date(2026, 1, 1), **values}
    with scopes_disabled():
        return Charge.objects.create(owner=plan.owner, plan=plan, name=name, **fields)


def test_a_customers_page_tells_the_charges_of_its_plan(
    world: World, ann: Client
) -> None:
    with scopes_disabled():
        base = RatePlan.objects.create(owner=world.acme, name="Base", currency="EUR")
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(base=base)
    on_plan(base, "Hotline")
    on_plan(world.acme_plan, "Fund", amount=Decimal("3.50"))
    on_plan(world.acme_plan, "Over", ended_at=NOON)
    on_plan(world.rival_plan, "Theirs")
    page = ann.get(charges_of_beta(world))
    found = {row["label"]: row for row in page.context["plan_charges"]}
    assert list(found) == ["Fund", "Hotline"]
    assert "€3.50" in found["Fund"]["html"]
    assert found["Fund"]["help"] == "From Acme basic"
    assert found["Hotline"]["help"] == "From Base"
    assert "Charges of its rate plan" in page.content.decode()


def test_charges_of_a_shared_plan_name_nothing_above(world: World, ann: Client) -> None:
    with scopes_disabled():
        secret = RatePlan.objects.create(
            owner=world.root, name="Secret base", currency="EUR"
        )
        RatePlan.objects.filter(pk=world.shared_plan.pk).update(base=secret)
        BillingAccount.objects.filter(customer=world.beta).update(
            plan=world.shared_plan
        )
    on_plan(secret, "Hotline")
    page = ann.get(charges_of_beta(world))
    assert [row["help"] for row in page.context["plan_charges"]] == [
        "From Shared standard"
    ]
    assert "Secret base" not in page.content.decode()


def test_who_pays_no_charges_of_plans_is_told_of_none(
    world: World, ann: Client
) -> None:
    on_plan(world.acme_plan, "Fund")
    with scopes_disabled():
        accounts = BillingAccount.objects.filter(customer=world.beta)
        accounts.update(bill_type=BillType.EXTERNAL)
    assert ann.get(charges_of_beta(world)).context["plan_charges"] == []


def test_a_customers_page_costs_the_same_for_many_charges_of_its_plan(
    world: World, ann: Client
) -> None:
    on_plan(world.acme_plan, "Fund")
    before = queries_of(ann, charges_of_beta(world))
    for number in range(4):
        on_plan(world.acme_plan, f"Fund {number}")
    assert queries_of(ann, charges_of_beta(world)) == before <= 30
