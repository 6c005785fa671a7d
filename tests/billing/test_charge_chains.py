"""What is bought of somebody further up: each level pays as long as the one below."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.html import strip_tags

from billing.choices import ProductReach
from billing.models import (
    BillingAccount,
    Charge,
    LedgerEntry,
    Product,
    ProductException,
)
from billing.services import charge_rows, charges, purchases
from billing.services.charges import accounts_with_due_charges, charge_due
from customers.models import Customer
from customers.services import tree
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from rateplans.choices import BillType
from tests.billing.pages import url_of
from tests.customers.features import actions_of, refusals_of
from tests.pages import entries_of, send
from tests.race import race
from tests.world import World, build_world

BERLIN = ZoneInfo("Europe/Berlin")
ALL = ["Acme", "Beta", "Gamma"]


@pytest.fixture(autouse=True)
def on_the_22nd() -> Any:
    """22 November 2026 in Berlin; accounts of several tenants are looked at."""
    noon = datetime(2026, 11, 22, 12, tzinfo=BERLIN)
    with time_machine.travel(noon, tick=True), scopes_disabled():
        yield


def bought(world: World, **values: Any) -> dict[str, Charge]:
    """Gamma buys what Root sells to all for 10 euros a month; the charges by who pays."""
    accounts = BillingAccount.objects.filter(
        customer__in=[world.acme, world.beta, world.gamma]
    )
    accounts.update(credit_limit=1000)
    fields: dict[str, Any] = {
        "owner": world.root,
        "name": "Telephone",
        "period": "monthly",
        "period_fee": Decimal(10),
        "currency": "EUR",
        "reach": ProductReach.RECURSIVE,
    }
    product = Product.objects.create(**(fields | values))
    return buy(world, product)


def buy(world: World, product: Product) -> dict[str, Charge]:
    by = world.actor(world.gil)
    purchases.purchase(customer=world.gamma, product=product, quantity=1, by=by)
    found = Charge.objects.filter(product=product).select_related("account__customer")
    return {
        charge.account.customer.name.split()[0]: charge
        for charge in found
        if charge.account
    }


def paid(world: World, on: date) -> list[str]:
    """Run over all accounts for the day ``on``; who paid something for it, by name."""
    before = set(LedgerEntry.objects.values_list("pk", flat=True))
    for customer in (world.acme, world.beta, world.gamma):
        charge_due(customer.account.pk, on=on)
    new = LedgerEntry.objects.exclude(pk__in=before)
    names = new.order_by("account__customer__path", "pk").values_list(
        "account__customer__name", flat=True
    )
    return [name.split()[0] for name in names]


def end(world: World, charge: Charge) -> None:
    who = {
        world.beta.pk: world.ben,
        world.acme.pk: world.ann,
        world.root.pk: world.olga,
    }
    with scopes_disabled():  # also in a thread of its own
        charge_rows.end_charge(charge=charge, by=world.actor(who[charge.owner_id]))


def at(day: str) -> Any:
    return time_machine.travel(datetime.fromisoformat(f"{day}T12:00+01:00"), tick=True)


def test_each_level_pays_while_the_one_below_does(world: World) -> None:
    found = bought(world)
    assert found["Acme"].below == found["Beta"]
    assert found["Beta"].below == found["Gamma"]
    assert found["Gamma"].below is None
    assert paid(world, date(2026, 12, 22)) == ALL
    assert paid(world, date(2026, 12, 22)) == []


@pytest.mark.parametrize(
    ("ended", "left"),
    [("Gamma", []), ("Beta", ["Gamma"]), ("Acme", ["Beta", "Gamma"])],
)
def test_ending_one_ends_those_above_it(
    world: World, ended: str, left: list[str]
) -> None:
    found = bought(world)
    end(world, found[ended])
    for name, charge in found.items():
        charge.refresh_from_db()
        assert (charge.ended_at is None) is (name in left), name
        assert actions_of(charge) == ([] if name in left else ["charge.ended"])
    assert paid(world, date(2026, 12, 22)) == left
    assert accounts_with_due_charges(date(2026, 12, 22)) == []


def test_other_purchases_go_on(world: World) -> None:
    found = bought(world)
    other = buy(world, found["Gamma"].product)  # type: ignore[arg-type]
    second = Charge.objects.filter(account=world.gamma.account).latest("pk")
    assert second in other.values()
    end(world, second)
    assert paid(world, date(2026, 12, 22)) == ALL


def test_who_moves_away_is_paid_for_no_more(world: World) -> None:
    BillingAccount.objects.filter(customer=world.gamma).update(
        bill_type=BillType.EXTERNAL  # owes nothing here: it may go
    )
    found = bought(world)
    tree.move_customer(
        customer=world.gamma,
        parent=world.rival,
        plan=world.rival_plan,
        by=world.actor(world.olga),
    )
    assert paid(world, date(2026, 12, 22)) == []
    for name in ("Beta", "Acme"):
        found[name].refresh_from_db()
        assert found[name].ended_at is not None
        assert found[name].next_on is None


@pytest.mark.parametrize(
    ("values", "times"),
    [
        ({"number": 2}, 1),
        ({"ends_on": date(2027, 1, 22)}, 1),
        ({"ends_on": date(2027, 1, 23)}, 2),
        ({"amount": Decimal(99)}, 3),
    ],
)
def test_the_end_of_the_charge_below_is_the_end_above(
    world: World, values: dict[str, Any], times: int
) -> None:
    found = bought(world)
    by = world.actor(world.ben)
    charge_rows.update_charge(charge=found["Gamma"], values=values, taxes=[], by=by)
    assert paid(world, date(2027, 2, 22)) == sorted(ALL * times)


@pytest.mark.parametrize(
    ("zone", "starts"),
    [("Pacific/Kiritimati", date(2026, 11, 23)), ("Pacific/Niue", date(2026, 11, 22))],
)
def test_times_go_by_their_number_where_the_zones_differ(
    world: World, zone: str, starts: date
) -> None:
    Customer.objects.filter(pk=world.gamma.pk).update(time_zone=zone)
    world.gamma.refresh_from_db()
    found = bought(world)
    assert found["Gamma"].starts_on == starts
    by = world.actor(world.ben)
    charge_rows.update_charge(
        charge=found["Gamma"], values={"number": 2}, taxes=[], by=by
    )
    assert paid(world, date(2027, 3, 30)) == ALL


def test_days_while_the_customer_is_deleted_cost_nothing_above(world: World) -> None:
    bought(world)
    by = world.actor(world.ben)
    with at("2027-01-01"):
        # the run is late: what fell due before is charged with the deletion
        tree.delete_customer(customer=world.gamma, by=by)
    charged = LedgerEntry.objects.filter(period_start=date(2026, 12, 22))
    assert charged.count() == 3
    assert paid(world, date(2027, 1, 31)) == []
    assert accounts_with_due_charges(date(2027, 1, 31)) == []
    with at("2027-04-01"):  # the runs of February and March did not come
        tree.undelete_customer(customer=world.gamma, by=by)
    assert paid(world, date(2027, 4, 1)) == []
    assert paid(world, date(2027, 4, 22)) == ALL


def test_who_is_restored_the_same_day_misses_nothing(world: World) -> None:
    bought(world)
    by = world.actor(world.ben)
    with at("2026-12-22"):
        tree.delete_customer(customer=world.gamma, by=by)
        tree.undelete_customer(customer=world.gamma, by=by)
        assert paid(world, date(2026, 12, 22)) == []
    assert LedgerEntry.objects.filter(period_start=date(2026, 12, 22)).count() == 3


def sold_for_nothing(world: World) -> dict[str, Charge]:
    """Beta's plan has the telephone for nothing: only Acme and Beta pay."""
    product = Product.objects.create(
        owner=world.root,
        name="Telephone",
        period="monthly",
        period_fee=10,
        currency="EUR",
        reach=ProductReach.RECURSIVE,
    )
    ProductException.objects.create(plan=world.beta_plan, product=product)
    accounts = BillingAccount.objects.filter(customer__in=[world.acme, world.beta])
    accounts.update(credit_limit=1000)
    return buy(world, product)


def test_what_costs_the_customer_nothing_can_be_ended_all_the_same(
    world: World,
) -> None:
    found = sold_for_nothing(world)
    assert found["Gamma"].amount == 0
    assert paid(world, date(2026, 12, 22)) == ["Acme", "Beta"]
    charge_rows.update_charge(
        charge=found["Gamma"],
        values={"name": "Old telephone"},
        taxes=[],
        by=world.actor(world.ben),
    )
    end(world, found["Gamma"])
    assert paid(world, date(2027, 1, 22)) == []


def test_who_pays_nothing_is_told_of_no_price(world: World) -> None:
    sold_for_nothing(world)
    product = Product.objects.get()
    base = url_of(world.gamma, "purchase-order")
    page = world.client(world.gil).get(f"{base}?product={product.pk}&quantity=1")
    assert page.context["consequences"] == []
    assert entries_of(page)


def test_levels_above_the_first_price_have_no_charge(world: World) -> None:
    product = Product.objects.create(
        owner=world.root,
        name="Telephone",
        period="monthly",
        currency="EUR",
        reach=ProductReach.RECURSIVE,
    )
    ProductException.objects.create(
        plan=world.beta_plan, product=product, period_fee=10
    )
    BillingAccount.objects.filter(customer=world.gamma).update(credit_limit=1000)
    assert list(buy(world, product)) == ["Gamma"]


def test_purging_the_customer_ends_what_is_paid_above(world: World) -> None:
    BillingAccount.objects.filter(customer=world.gamma).update(bill_type=BillType.NONE)
    found = sold_for_nothing(world)
    by = world.actor(world.ben)
    tree.delete_customer(customer=world.gamma, by=by)
    tree.purge_customer(customer=world.gamma, by=by)
    for name in ("Acme", "Beta"):
        found[name].refresh_from_db()
        assert found[name].ended_at is not None
    assert accounts_with_due_charges(date(2026, 12, 22)) == []


def test_charge_now_keeps_to_it(world: World) -> None:
    found = bought(world)
    tree.delete_customer(customer=world.gamma, by=world.actor(world.ben))
    with at("2027-01-01"), pytest.raises(ValidationError) as caught:
        charges.charge_now(charge=found["Beta"], by=world.actor(world.ann))
    assert "does not pay its own charge" in refusals_of(caught)[""][0]


def told_when_ending(client: Client, customer: Customer, charge: Charge) -> bool:
    page = client.get(url_of(customer, "charge-end", pk=charge.pk))
    told = "What you pay your own provider for it ends, too."
    return told in page.context["consequences"]


def test_pages_say_how_long_it_lasts(world: World) -> None:
    found = bought(world)
    ann, ben = world.client(world.ann), world.client(world.ben)
    until = "Monthly, until the charge of the customer below ends"
    place = account_url(world.acme.pk, "customers:customer-charges", pk=world.beta.pk)
    page = ann.get(place)
    [row] = page.context["table"].rows
    cells = {cell.column.key: strip_tags(cell.html) for cell in row.cells}
    assert cells["due"] == until
    url = url_of(world.acme, "charge-edit", pk=found["Beta"].pk)
    assert until in ann.get(url).content.decode()
    url = url_of(world.beta, "charge-edit", pk=found["Gamma"].pk)
    assert "until the charge" not in ben.get(url).content.decode()
    assert told_when_ending(ann, world.acme, found["Beta"])
    assert not told_when_ending(world.client(world.olga), world.root, found["Acme"])
    answer = send(ben, url_of(world.beta, "charge-end", pk=found["Gamma"].pk))
    assert answer.status_code == 302
    found["Acme"].refresh_from_db()
    assert found["Acme"].ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_ending_at_several_levels_while_runs_go_on() -> None:
    world = build_world()
    with scopes_disabled():
        found = bought(world)
        accounts = [customer.account.pk for customer in (world.acme, world.beta)]
    day = date(2026, 12, 22)
    results = race(
        lambda: end(world, found["Gamma"]),
        lambda: end(world, found["Beta"]),
        lambda: charge_due(accounts[0], on=day),
        lambda: charge_due(accounts[1], on=day),
    )
    assert not [each for each in results if isinstance(each, Exception)], results
    with scopes_disabled():
        assert not Charge.objects.filter(ended_at=None).exists()
