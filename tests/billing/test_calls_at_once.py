"""Products that allow more calls at once: what is bought, what counts, and who sees it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from billing.calls_at_once import CallsAtOnce, calls_at_once
from billing.choices import CALL_TYPES, CallKind, ProductReach, ProductType
from billing.models import (
    BillingAccount,
    Charge,
    ExtraCalls,
    LedgerEntry,
    Product,
)
from billing.services import charge_rows, products, purchases
from billing.services.transactions import reverse_entry
from billing.views.call_parts import call_items, more_calls
from customers.models import Customer
from customers.services import tree
from portal.core.scope import scopes_disabled
from portal.core.urls import account_url
from rateplans.models import RatePlan
from tests.billing.pages import labels_of, url_of
from tests.customers.features import queries_of, refusals_of
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World, build_world

BERLIN = ZoneInfo("Europe/Berlin")
IN, OUT, INTERNAL = CallKind


@pytest.fixture(autouse=True)
def on_the_22nd() -> Any:
    """22 November 2026 in Berlin; accounts of several tenants are looked at."""
    noon = datetime(2026, 11, 22, 12, tzinfo=BERLIN)
    with time_machine.travel(noon, tick=True), scopes_disabled():
        yield


@pytest.fixture
def gil(world: World) -> Client:
    return world.client(world.gil)


def offer(world: World, **values: Any) -> Product:
    """Ten more inbound calls for 20 euros, for customers of Beta."""
    fields: dict[str, Any] = {
        "owner": world.beta,
        "name": "Channels",
        "type": ProductType.CALLS_IN,
        "amount": 10,
        "create_fee": Decimal(20),
        "currency": "EUR",
    }
    return Product.objects.create(**(fields | values))


def limit(customer: Customer, calls: int | None, *, credit: int = 1000) -> None:
    customer.concurrent_calls = calls
    customer.save(update_fields=["concurrent_calls"])
    BillingAccount.objects.filter(customer=customer).update(credit_limit=credit)


def buy(world: World, product: Product, quantity: int = 1) -> ExtraCalls:
    by = world.actor(world.gil)
    purchases.purchase(customer=world.gamma, product=product, quantity=quantity, by=by)
    return ExtraCalls.objects.select_related("entry", "charge").latest("pk")


def of(customer: Customer) -> CallsAtOnce:
    account = BillingAccount.objects.select_related("customer", "plan")
    return calls_at_once(account.get(customer=customer.pk))


# --- What is allowed --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "kinds", "is_for_below"),
    [
        (ProductType.PRODUCT, set(), False),
        (ProductType.CALL_TIME, set(), False),
        (ProductType.CALLS_IN, {IN}, False),
        (ProductType.CALLS_OUT, {OUT}, False),
        (ProductType.CALLS_IN_OUT, {IN, OUT}, False),
        (ProductType.CALLS_TOTAL, {IN, OUT, INTERNAL}, True),
        (ProductType.CALLS_IN_TOTAL, {IN}, True),
        (ProductType.CALLS_OUT_TOTAL, {OUT}, True),
        (ProductType.CALLS_IN_OUT_TOTAL, {IN, OUT}, True),
    ],
)
def test_a_type_says_which_calls_it_is_for(
    type_: ProductType, kinds: set[CallKind], is_for_below: bool
) -> None:
    assert type_.call_kinds == kinds
    assert type_.is_for_below is is_for_below
    assert (type_ in CALL_TYPES) is bool(kinds)


BOUGHT = {
    ProductType.CALLS_IN: 1,
    ProductType.CALLS_OUT: 20,
    ProductType.CALLS_IN_OUT: 300,
    ProductType.CALLS_IN_TOTAL: 4000,
    ProductType.CALLS_TOTAL: 50000,
}


@pytest.mark.parametrize(
    ("kinds", "is_below", "allowed"),
    [
        ((IN,), False, 54308),
        ((OUT,), False, 50327),
        ((INTERNAL,), False, 50007),
        ((IN, OUT), False, 54328),
        ((IN, OUT, INTERNAL), False, 54328),
        ((IN,), True, 54007),
        ((OUT,), True, 50007),
        ((IN, OUT, INTERNAL), True, 54007),
    ],
)
def test_each_call_counts_where_it_may(
    kinds: tuple[CallKind, ...], is_below: bool, allowed: int
) -> None:
    """7 from the limit; each digit of what was bought shows whether it counts."""
    calls = CallsAtOnce(7, False, BOUGHT)
    assert calls.allowed(*kinds, is_below=is_below) == allowed


def test_unlimited_stays_unlimited() -> None:
    assert CallsAtOnce(-1, False, BOUGHT).allowed(IN) is None


@pytest.mark.parametrize(
    ("of_plan", "own", "found", "is_own"),
    [(5, None, 5, False), (5, 8, 8, True), (5, 0, 0, True), (-1, None, None, False)],
)
def test_the_customers_own_limit_comes_before_its_plans(
    world: World, of_plan: int, own: int | None, found: int | None, is_own: bool
) -> None:
    plan = BillingAccount.objects.get(customer=world.gamma).plan_id
    RatePlan.objects.filter(pk=plan).update(concurrent_calls=of_plan)
    limit(world.gamma, own)
    calls = of(world.gamma)
    assert (calls.allowed(OUT), calls.is_own) == (found, is_own)


# --- Buying and losing ------------------------------------------------------------------


@pytest.mark.parametrize("type_", CALL_TYPES)
def test_what_is_paid_once_stays(world: World, type_: ProductType) -> None:
    limit(world.gamma, 5)
    row = buy(world, offer(world, type=type_), 3)
    assert (row.type, row.calls, row.charge) == (type_, 30, None)
    assert row.entry is not None
    assert row.account_id == row.entry.account_id == world.gamma.account.pk
    with time_machine.travel(datetime(2036, 1, 1, tzinfo=BERLIN)):
        assert of(world.gamma).bought == {type_: 30}


def test_only_who_buys_has_more(world: World) -> None:
    for customer in (world.acme, world.beta, world.gamma):
        limit(customer, 5)
    buy(world, offer(world, owner=world.root, reach=ProductReach.RECURSIVE))
    assert [of(each).bought for each in (world.acme, world.beta)] == [{}, {}]
    assert LedgerEntry.objects.count() == 3  # all of them have paid


@pytest.mark.parametrize("fee", [0, 20])
def test_what_recurs_lasts_as_long_as_its_charge(world: World, fee: int) -> None:
    limit(world.gamma, 5)
    product = offer(world, create_fee=fee, period="monthly", period_fee=3)
    row = buy(world, product)
    assert row.charge is not None
    assert row.charge.account_id == row.account_id
    other = buy(world, product)
    assert of(world.gamma).allowed(IN) == 25
    by = world.actor(world.ben)
    charge_rows.end_charge(charge=row.charge, by=by)
    assert of(world.gamma).allowed(IN) == 15
    assert other.charge is not None
    # The next times are charged as before: what ended above is the first one alone.
    assert Charge.objects.get(pk=other.charge.pk).next_on == date(2026, 12, 22)


@pytest.mark.parametrize(
    ("values", "day", "allowed"),
    [
        ({"ends_on": date(2026, 12, 1)}, date(2026, 11, 30), 15),
        ({"ends_on": date(2026, 12, 1)}, date(2026, 12, 1), 5),
        ({"number": 2}, date(2027, 1, 21), 15),
        ({"number": 2}, date(2027, 1, 22), 5),
    ],
)
def test_what_recurs_ends_with_its_last_day(
    world: World, values: dict[str, Any], day: date, allowed: int
) -> None:
    limit(world.gamma, 5)
    row = buy(world, offer(world, period="monthly", period_fee=3))
    assert row.charge is not None
    charge_rows.update_charge(
        charge=row.charge, values=values, taxes=[], by=world.actor(world.ben)
    )
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=BERLIN)
    with time_machine.travel(noon):
        assert of(world.gamma).allowed(IN) == allowed


def test_a_charge_that_is_removed_takes_its_calls_along(world: World) -> None:
    limit(world.gamma, 5)
    product = offer(world, create_fee=0, period="monthly", period_fee=0)
    row = ExtraCalls.objects.create(
        account=world.gamma.account,
        type=product.type,
        calls=10,
        charge=Charge.objects.create(
            owner=world.beta,
            account=world.gamma.account,
            name="Channels",
            currency="EUR",
            period="monthly",
            starts_on=date(2026, 11, 1),
        ),
    )
    assert of(world.gamma).allowed(IN) == 15
    assert row.charge is not None
    row.charge.delete()
    assert of(world.gamma).allowed(IN) == 5
    assert not ExtraCalls.objects.exists()


def take_back(world: World, entry: LedgerEntry) -> None:
    reverse_entry(
        entry=entry,
        account=BillingAccount.objects.select_related("customer").get(
            pk=entry.account_id
        ),
        reason="Wrong product",
        by=world.actor(world.ben),
    )


def test_taking_back_what_was_paid_once_takes_the_calls_back(world: World) -> None:
    limit(world.gamma, 5)
    first, second = buy(world, offer(world)), buy(world, Product.objects.get(), 2)
    assert of(world.gamma).allowed(IN) == 35
    assert first.entry is not None
    take_back(world, first.entry)
    assert of(world.gamma).allowed(IN) == 25
    assert second.entry is not None
    take_back(world, second.entry)
    assert of(world.gamma).allowed(IN) == 5


def test_taking_back_a_price_leaves_what_is_still_paid_for(world: World) -> None:
    """Nobody pays every month for nothing: such calls go with their charge."""
    limit(world.gamma, 5)
    row = buy(world, offer(world, period="monthly", period_fee=3))
    assert row.entry is not None
    take_back(world, row.entry)
    assert of(world.gamma).allowed(IN) == 15
    assert row.charge is not None
    charge_rows.end_charge(charge=row.charge, by=world.actor(world.ben))
    assert of(world.gamma).allowed(IN) == 5


def test_a_purged_customer_takes_its_calls_along(world: World) -> None:
    limit(world.gamma, 5)
    buy(world, offer(world, create_fee=0))
    by = world.actor(world.ben)
    tree.delete_customer(customer=world.gamma, by=by)
    world.gamma.refresh_from_db()
    tree.purge_customer(customer=world.gamma, by=by)
    assert not ExtraCalls.objects.exists()


# --- What is refused --------------------------------------------------------------------


def test_nothing_is_sold_that_raises_nothing(world: World) -> None:
    limit(world.gamma, -1)
    with pytest.raises(ValidationError) as caught:
        buy(world, offer(world))
    assert caught.value.code == "unlimited"
    assert not LedgerEntry.objects.exists()
    # A limit of none at all is a limit.
    limit(world.gamma, 0)
    buy(world, Product.objects.get())
    assert of(world.gamma).allowed(IN) == 10


@pytest.mark.parametrize(
    ("amount", "quantity", "is_refused"),
    [
        (100, 1000, False),
        (101, 1000, True),
        (100_000, 1, False),
        (100_000, 2, True),
        (2**31 - 1, 1000, True),
    ],
)
def test_no_more_is_bought_than_a_limit_may_say(
    world: World, amount: int, quantity: int, is_refused: bool
) -> None:
    limit(world.gamma, 5, credit=1_000_000)
    product = offer(world, amount=amount, create_fee=1)
    if not is_refused:
        assert buy(world, product, quantity).calls == 100_000
        return
    with pytest.raises(ValidationError) as caught:
        buy(world, product, quantity)
    assert list(refusals_of(caught)) == ["quantity"]
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("amount", [0, 100_001])
@pytest.mark.parametrize("type_", CALL_TYPES)
def test_a_product_gives_a_number_of_calls(
    world: World, type_: ProductType, amount: int
) -> None:
    values = {"name": "Channels", "type": type_, "amount": amount, "currency": "EUR"}
    with pytest.raises(ValidationError) as caught:
        products.create_product(
            owner=world.beta, values=values, taxes=[], by=world.actor(world.ben)
        )
    assert list(refusals_of(caught)) == ["amount"]


# --- At once ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_purchases_at_once_both_count() -> None:
    world = build_world()
    limit(world.gamma, 5)
    product = offer(world, period="monthly", period_fee=3)

    def run() -> None:
        with scopes_disabled():
            buy(world, product)

    assert race(run, run) == [None, None]
    assert of(world.gamma).allowed(IN) == 25
    assert len({row.charge_id for row in ExtraCalls.objects.all()}) == 2


@pytest.mark.django_db(transaction=True)
def test_a_charge_ended_during_a_purchase_ends_its_own_calls_only() -> None:
    world = build_world()
    for customer in (world.acme, world.beta, world.gamma):
        limit(customer, 5)
    product = offer(
        world,
        owner=world.root,
        reach=ProductReach.RECURSIVE,
        period="monthly",
        period_fee=3,
    )
    old = buy(world, product)
    by = world.actor(world.ben)

    def end() -> None:
        with scopes_disabled():
            assert old.charge is not None
            charge_rows.end_charge(charge=old.charge, by=by)

    def run() -> None:
        with scopes_disabled():
            buy(world, product)

    assert race(end, run) == [None, None]
    assert of(world.gamma).allowed(IN) == 15
    running = Charge.objects.filter(ended_at=None).order_by("account__customer__path")
    assert [each.account_id for each in running] == [
        each.account.pk for each in (world.acme, world.beta, world.gamma)
    ]


@pytest.mark.django_db(transaction=True)
def test_a_product_changed_during_a_purchase_gives_what_one_of_them_says() -> None:
    """The buyer gets what the product said when it was bought, never a mixture."""
    world = build_world()
    limit(world.gamma, 5)
    product = offer(world)
    by = world.actor(world.ben)

    def change() -> None:
        with scopes_disabled():
            values = {"type": "calls_out", "amount": 40, "create_fee": Decimal(80)}
            products.update_product(product=product, values=values, taxes=[], by=by)

    def run() -> None:
        with scopes_disabled():
            buy(world, product)

    assert race(change, run) == [None, None]
    [row] = ExtraCalls.objects.all()
    assert row.entry is not None
    found = row.type, row.calls, row.entry.amount
    assert found in {("calls_in", 10, -20), ("calls_out", 40, -80)}


def test_a_buyer_gets_what_the_price_is_for(world: World) -> None:
    limit(world.gamma, 5)
    product = offer(world)
    Product.objects.update(type="calls_out", amount=40, create_fee=80)
    row = buy(world, product)
    assert row.entry is not None
    assert (row.type, row.calls, row.entry.amount) == ("calls_out", 40, -80)


# --- Pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", CALL_TYPES)
def test_a_product_is_made_on_its_page(world: World, type_: ProductType) -> None:
    ben = world.client(world.ben)
    url = url_of(world.beta, "product-create")
    send(ben, url, name="Channels", type=type_, calls="10", minutes="7", create_fee="5")
    product = Product.objects.get()
    assert (product.type, product.amount) == (type_, 10)
    page = ben.get(url_of(world.beta, "product-edit", pk=product.pk))
    assert page.context["form"]["calls"].value() == 10
    assert page.context["form"]["minutes"].value() is None
    page = ben.get(url_of(world.beta, "product-list"))
    assert labels_of(page) == ["Channels"]
    assert more_calls(type_, 10) in page.content.decode()


@pytest.mark.parametrize(
    "changes",
    [{}, {"calls": "0"}, {"calls": "100001"}, {"calls": "x"}, {"minutes": "5"}],
)
def test_the_page_asks_for_the_number_of_calls(
    world: World, changes: dict[str, str]
) -> None:
    url = url_of(world.beta, "product-create")
    answer = send(
        world.client(world.ben),
        url,
        **({"name": "Channels", "type": "calls_in", "create_fee": "5"} | changes),
    )
    assert list(errors_of(answer)) == ["calls"]


def test_goods_give_no_calls_whatever_was_typed(world: World) -> None:
    url = url_of(world.beta, "product-create")
    send(world.client(world.ben), url, name="Telephone", calls="10", create_fee="5")
    assert Product.objects.get().amount == 0


def order_url(world: World, product: Product, quantity: int = 1) -> str:
    base = url_of(world.gamma, "purchase-order")
    return f"{base}?product={product.pk}&quantity={quantity}"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, ["They stay for good; nothing more is charged for them."]),
        (
            {"period": "monthly", "period_fee": 3},
            [
                "You are charged €6.00 monthly, the next time on 2026-12-22.",
                "You have them until the recurring charge for them ends.",
            ],
        ),
    ],
)
def test_the_order_says_what_one_will_have(
    world: World, gil: Client, values: dict[str, Any], told: list[str]
) -> None:
    limit(world.gamma, 5)
    url = order_url(world, offer(world, **values), 2)
    page = gil.get(url)
    more = "20 more inbound calls at once: then 25 in all."
    assert page.context["consequences"] == [*told[:-1], more, told[-1]]
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    assert gil.post(url, entries).status_code == 302
    assert of(world.gamma).allowed(IN) == 25


def test_who_has_no_limit_is_told_so_and_buys_nothing(
    world: World, gil: Client
) -> None:
    limit(world.gamma, -1)
    url = order_url(world, offer(world))
    nothing = "There is no limit on calls at once, so there is nothing to raise."
    assert gil.get(url).context["refusal"] == nothing
    page = gil.get(url_of(world.gamma, "purchase"))
    assert [card["is_useless"] for card in page.context["cards"]] == [True]
    text = page.content.decode()
    assert nothing in text
    assert 'aria-label="Buy Channels"' not in text
    limit(world.gamma, 5)
    text = gil.get(url_of(world.gamma, "purchase")).content.decode()
    assert nothing not in text
    assert 'aria-label="Buy Channels"' in text


def test_the_offer_says_what_one_has(world: World, gil: Client) -> None:
    limit(world.gamma, 5)
    offer(world, name="Telephone", type=ProductType.PRODUCT, amount=0)
    assert gil.get(url_of(world.gamma, "purchase")).context["call_items"] == []
    buy(world, offer(world, type=ProductType.CALLS_TOTAL))
    page = gil.get(url_of(world.gamma, "purchase"))
    assert page.context["call_items"] == [
        {
            "label": "Calls at once",
            "value": 15,
            "help": "5 set for the account + 10 bought",
        }
    ]
    assert "10 more calls at once of any kind" in page.content.decode()


def items_of(world: World) -> list[tuple[str, object, str]]:
    items = call_items(of(world.gamma), has_customers=False)
    return [(str(item["label"]), item["value"], item["help"]) for item in items]


def test_items_are_one_for_each_kind_where_they_differ(world: World) -> None:
    limit(world.gamma, 5)
    assert items_of(world) == [("Calls at once", 5, "5 set for the account")]
    buy(world, offer(world))
    assert items_of(world) == [
        ("Inbound calls at once", 15, "5 set for the account + 10 bought"),
        ("Outbound calls at once", 5, "5 set for the account"),
        ("Internal calls at once", 5, "5 set for the account"),
    ]
    limit(world.gamma, -1)
    idle = "10 bought calls count as soon as there is a limit again."
    assert items_of(world) == [("Calls at once", "No limit", idle)]


def test_a_reseller_reads_what_is_its_own_only() -> None:
    bought = {ProductType.CALLS_IN: 10, ProductType.CALLS_IN_TOTAL: 4}
    calls = CallsAtOnce(5, False, bought)
    first = call_items(calls, has_customers=True)[0]
    assert first["help"] == (
        "5 from the plan + 14 bought. 10 of them are not for customers below."
    )


@pytest.mark.parametrize("page", ["account", "customer-account", "customer-detail"])
def test_pages_about_an_account_show_its_calls(world: World, page: str) -> None:
    limit(world.gamma, 5)
    offer(world)
    addresses = {
        "account": (world.gil, url_of(world.gamma, "account")),
        "customer-account": (
            world.ben,
            account_url(world.beta.pk, "customers:customer-account", pk=world.gamma.pk),
        ),
        "customer-detail": (
            world.ben,
            account_url(world.beta.pk, "customers:customer-detail", pk=world.gamma.pk),
        ),
    }
    person, url = addresses[page]
    client = world.client(person)
    buy(world, Product.objects.get())
    assert "5 set for the account + 10 bought" in client.get(url).content.decode()
    before = queries_of(client, url)
    for _time in range(4):
        buy(world, Product.objects.get())
    assert queries_of(client, url) == before <= 45
    assert "5 set for the account + 50 bought" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "What was bought with it is taken away: 10 more inbound calls at once."),
        (
            {"period": "monthly", "period_fee": 3},
            "What was bought stays until its recurring charge ends: 10 more inbound"
            " calls at once.",
        ),
    ],
)
def test_who_takes_an_entry_back_reads_what_comes_of_it(
    world: World, values: dict[str, Any], told: str
) -> None:
    limit(world.gamma, 5)
    row = buy(world, offer(world, **values))
    assert row.entry is not None
    url = account_url(
        world.beta.pk, "billing:entry-reverse", pk=world.gamma.pk, entry=row.entry.pk
    )
    assert told in world.client(world.ben).get(url).context["consequences"]


def test_who_ends_a_charge_reads_what_is_lost(world: World) -> None:
    limit(world.gamma, 5)
    row = buy(world, offer(world, period="monthly", period_fee=3))
    assert row.charge is not None
    url = url_of(world.beta, "charge-end", pk=row.charge.pk)
    told = "The customer loses what it pays for: 10 more inbound calls at once."
    assert told in world.client(world.ben).get(url).context["consequences"]
