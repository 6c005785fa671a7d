"""Actions » Purchase: what is paid at every level, and what comes of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from billing.choices import ProductReach, ProductType
from billing.models import (
    BillingAccount,
    CallTime,
    Charge,
    ExchangeRate,
    LedgerEntry,
    Product,
    ProductException,
    Tax,
    TaxLiability,
)
from billing.services import purchases
from billing.services.charges import charge_due
from customers.models import Customer
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import BillType
from rateplans.models import RatePlan
from tests.billing.pages import url_of
from tests.customers.features import actions_of, enter, queries_of, without
from tests.pages import entries_of, errors_of
from tests.race import race
from tests.world import World, build_world

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture(autouse=True)
def today() -> Any:
    """22 November 2026 in Berlin, for as long as the test runs."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def gil(world: World) -> Client:
    return world.client(world.gil)


def offer(world: World, owner: Customer | None = None, **values: Any) -> Product:
    """A telephone for 100 euros, for everybody below the system owner."""
    fields: dict[str, Any] = {
        "owner": owner or world.root,
        "name": "Telephone",
        "create_fee": Decimal(100),
        "create_buy": Decimal("61.23"),
        "currency": "EUR",
        "reach": ProductReach.RECURSIVE,
    }
    with scopes_disabled():
        return Product.objects.create(**(fields | values))


def grant(*customers: Customer, limit: int = 1000) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer__in=customers).update(credit_limit=limit)


def buy(world: World, product: Product, quantity: int = 1, **options: Any) -> Any:
    with subtree(world.gamma):
        return purchases.purchase(
            customer=world.gamma,
            product=product,
            quantity=quantity,
            by=world.actor(world.gil),
            **options,
        )


def posted() -> list[tuple[str, str, str]]:
    """(level, description, amount) of every entry, from the top down."""
    with scopes_disabled():
        entries = LedgerEntry.objects.select_related("account__customer")
        ordered = entries.order_by("account__customer__path", "pk")
        return [
            (
                entry.account.customer.name.split()[0],
                entry.description,
                f"{entry.amount:.2f}",
            )
            for entry in ordered
        ]


# --- Buying ---------------------------------------------------------------------------


def test_every_level_pays_its_own_price(world: World) -> None:
    product = offer(world)
    grant(world.acme, world.beta, world.gamma)
    with scopes_disabled():
        for plan, values in (
            (world.root_plan, {"create_fee": 80}),
            (world.acme_plan, {"uses_markups": True, "create_markup": 25}),
            (world.beta_plan, {"uses_markups": True, "create_margin": 9}),
        ):
            ProductException.objects.create(plan=plan, product=product, **values)
    buy(world, product, 2)
    assert posted() == [
        ("Acme", "Telephone × 2", "-160.00"),
        ("Beta", "Telephone × 2", "-200.00"),
        ("Gamma", "Telephone × 2", "-218.00"),
    ]
    with scopes_disabled():
        entry = LedgerEntry.objects.get(account=world.gamma.account)
    assert (entry.kind, entry.quantity, entry.product_id) == ("product", 2, product.pk)
    assert actions_of(product) == ["product.purchased"]


def test_levels_above_the_owner_pay_nothing(world: World) -> None:
    grant(world.gamma)
    buy(world, offer(world, world.beta))
    assert posted() == [("Gamma", "Telephone", "-100.00")]


@pytest.mark.parametrize(
    ("short", "code", "sentence"),
    [
        ("gamma", "credit", "Your credit is not enough"),
        ("beta", "provider", "Your provider cannot supply this at present."),
        ("acme", "provider", "Your provider cannot supply this at present."),
    ],
)
def test_one_level_without_credit_stops_it_all(
    world: World, short: str, code: str, sentence: str
) -> None:
    product = offer(world, period="monthly", period_fee=1)
    grant(*(getattr(world, n) for n in ("acme", "beta", "gamma") if n != short))
    with pytest.raises(ValidationError) as caught:
        buy(world, product)
    assert caught.value.code == code
    assert sentence in caught.value.messages[0]
    assert posted() == []
    with scopes_disabled():
        assert not Charge.objects.exists()


def test_credit_may_be_used_to_the_last_cent(world: World) -> None:
    grant(world.acme, world.beta, world.gamma, limit=100)
    buy(world, offer(world))
    assert len(posted()) == 3


def test_a_recurring_price_becomes_a_charge_at_every_level(world: World) -> None:
    product = offer(
        world, period="monthly", period_fee=Decimal(10), period_buy=Decimal(4)
    )
    grant(world.acme, world.beta, world.gamma)
    with scopes_disabled():
        ProductException.objects.create(
            plan=world.acme_plan,
            product=product,
            uses_markups=True,
            period_markup=Decimal(50),
        )
    buy(world, product, 2)
    assert posted() == [
        ("Acme", "Telephone × 2", "-200.00"),
        ("Acme", "Telephone × 2, 2026-11-22 – 2026-12-21", "-20.00"),
        ("Beta", "Telephone × 2", "-200.00"),
        ("Beta", "Telephone × 2, 2026-11-22 – 2026-12-21", "-30.00"),
        ("Gamma", "Telephone × 2", "-200.00"),
        ("Gamma", "Telephone × 2, 2026-11-22 – 2026-12-21", "-30.00"),
    ]
    with scopes_disabled():
        found = Charge.objects.order_by("account__customer__path")
        assert [
            (charge.owner_id, charge.amount, charge.buy, charge.next_on)
            for charge in found
        ] == [
            (world.root.pk, 10, 4, date(2026, 12, 22)),
            (world.acme.pk, 15, 10, date(2026, 12, 22)),
            (world.beta.pk, 15, 15, date(2026, 12, 22)),
        ]
    account = world.gamma.account
    assert charge_due(account.pk) == 0
    assert charge_due(account.pk, on=date(2026, 12, 22)) == 1


@pytest.mark.parametrize(
    ("bought_at", "expires"),
    [
        ("2026-11-22T12:00+01:00", date(2026, 12, 1)),
        # in Berlin it is December already
        ("2026-11-30T23:30+00:00", date(2027, 1, 1)),
        ("2026-12-31T12:00+01:00", date(2027, 1, 1)),
    ],
)
def test_call_time_lasts_until_the_end_of_the_month_in_the_customers_zone(
    world: World, bought_at: str, expires: date
) -> None:
    product = offer(world, type=ProductType.CALL_TIME, amount=6000)
    grant(world.acme, world.beta, world.gamma)
    with time_machine.travel(datetime.fromisoformat(bought_at), tick=True):
        buy(world, product, 2)
    with scopes_disabled():
        time = CallTime.objects.select_related("entry").get()
    assert (time.seconds, time.remaining, time.expires_on) == (12000, 12000, expires)
    assert time.account_id == time.entry.account_id == world.gamma.account.pk


def test_free_call_time_has_no_entry(world: World) -> None:
    buy(world, offer(world, type=ProductType.CALL_TIME, amount=60, create_fee=0))
    assert posted() == []
    with scopes_disabled():
        assert CallTime.objects.get().entry is None


def test_taxes_of_every_level(world: World) -> None:
    """Root's tax is ticked; Acme's, which Root cannot tick, applies to products."""
    product = offer(world)
    grant(world.acme, world.beta, world.gamma)
    with scopes_disabled():
        fund = Tax.objects.create(owner=world.root, name="Fund", rate=Decimal(1))
        unticked = Tax.objects.create(owner=world.root, name="Other", rate=Decimal(2))
        product.taxes.add(fund)
        for customer, tax in (
            (world.acme, fund),
            (world.acme, unticked),
            (world.beta, world.acme_tax),
        ):
            TaxLiability.objects.create(account=customer.account, tax=tax)
    buy(world, product)
    assert [amount for *_rest, amount in posted()] == ["-101.00", "-119.00", "-100.00"]


def test_a_product_in_another_currency_is_converted(world: World) -> None:
    ExchangeRate.objects.create(currency="USD", on=date(2026, 11, 1), rate="1.25")
    grant(world.acme, world.beta, world.gamma)
    buy(world, offer(world, currency="USD"))
    assert [amount for *_rest, amount in posted()] == ["-80.00"] * 3


def test_what_is_not_on_offer_cannot_be_bought(world: World) -> None:
    grant(world.acme, world.beta, world.gamma)
    for product in (
        offer(world, reach=ProductReach.DIRECT),
        offer(world, world.rival),
        offer(world, name="Old", archived_at=timezone.now()),
    ):
        with pytest.raises(ValidationError) as caught:
            buy(world, product)
        assert caught.value.code == "offer"


@pytest.mark.parametrize("quantity", [0, -1, 1001])
def test_quantities_have_their_limits(world: World, quantity: int) -> None:
    with pytest.raises(ValidationError):
        buy(world, offer(world), quantity)


def test_other_terms_than_agreed_are_not_bought(world: World) -> None:
    grant(world.acme, world.beta, world.gamma)
    with pytest.raises(ValidationError) as caught:
        buy(world, offer(world), expected="other 0 90.00")
    assert caught.value.code == "terms"
    assert posted() == []


def test_buying_needs_the_right(world: World) -> None:
    weak = without(world.actor(world.gil), Permission.ADMINISTRATOR)
    with subtree(world.gamma), pytest.raises(PermissionDenied):
        purchases.purchase(
            customer=world.gamma, product=offer(world), quantity=1, by=weak
        )


@pytest.mark.django_db(transaction=True)
def test_two_purchases_at_once_stay_within_the_credit() -> None:
    world = build_world()
    product = offer(world)
    grant(world.acme, world.beta, limit=1000)
    grant(world.gamma, limit=250)
    results = race(*[lambda: buy(world, product)] * 4)
    refused = [found for found in results if isinstance(found, ValidationError)]
    assert len(refused) == 2, results
    assert len(posted()) == 6


# --- Pages ----------------------------------------------------------------------------


def test_cards_show_the_readers_own_price_with_taxes(world: World, gil: Client) -> None:
    offer(world, world.beta, period="monthly", period_fee=10, information="Grey.")
    offer(world, world.beta, name="Talk", type="call_time", amount=600, create_fee=0)
    offer(world, name="For resellers", reach=ProductReach.DIRECT)
    with scopes_disabled():
        tax = Tax.objects.create(owner=world.beta, name="VAT", rate=Decimal(19))
        Product.objects.get(name="Telephone").taxes.add(tax)
        TaxLiability.objects.create(account=world.gamma.account, tax=tax)
    page = gil.get(url_of(world.gamma, "purchase"))
    assert [(card["name"], card["prices"]) for card in page.context["cards"]] == [
        ("Talk", ["free of charge"]),
        ("Telephone", ["€119.00 once", "€11.90 monthly"]),
    ]
    text = page.content.decode()
    assert "Grey." in text
    assert "10 minutes of call time" in text
    assert "61.23" not in text  # what it costs the seller


def test_the_system_owner_has_nothing_to_buy(world: World) -> None:
    offer(world)
    page = world.client(world.olga).get(url_of(world.root, "purchase"))
    assert page.context["cards"] == []
    assert "Nothing is on offer" in page.content.decode()


def test_the_offer_costs_the_same_for_one_and_for_many(
    world: World, gil: Client
) -> None:
    offer(world, world.beta)
    before = queries_of(gil, url_of(world.gamma, "purchase"))
    for number in range(5):
        offer(world, world.beta, name=f"Thing {number}")
    assert queries_of(gil, url_of(world.gamma, "purchase")) == before <= 30


def order_url(world: World, product: Product, quantity: object = 1) -> str:
    base = url_of(world.gamma, "purchase-order")
    return f"{base}?product={product.pk}&quantity={quantity}"


def test_what_is_converted_keeps_the_price_as_it_was_said(world: World) -> None:
    """The product is in dollars, Acme's plan says pounds, Beta's marks up what it pays."""
    product = offer(world, currency="USD")
    grant(world.acme, world.beta, world.gamma)
    with scopes_disabled():
        ExchangeRate.objects.create(currency="USD", on="2026-01-01", rate="1.25")
        ExchangeRate.objects.create(currency="GBP", on="2026-01-01", rate="0.8")
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(currency="GBP")
        exceptions = ProductException.objects
        exceptions.create(plan=world.acme_plan, product=product, create_fee=96)
        values = {"uses_markups": True, "create_markup": 10}
        exceptions.create(plan=world.beta_plan, product=product, **values)
    buy(world, product, 2)
    with scopes_disabled():
        found = LedgerEntry.objects.order_by("pk").values_list(
            "net", "original_amount", "original_currency", "exchange_rate"
        )
        assert list(found) == [
            (-160, -200, "USD", Decimal("0.8")),
            (-240, -192, "GBP", Decimal("1.25")),
            (-264, None, "", None),
        ]


def test_an_order_is_confirmed_and_bought_once(world: World, gil: Client) -> None:
    product = offer(world, world.beta, period="monthly", period_fee=10)
    grant(world.gamma)
    url = order_url(world, product, 3)
    page = gil.get(url)
    assert page.context["total"] == "€330.00"
    assert page.context["balance_after"] == "-€330.00"
    assert "shortage" not in page.context
    assert page.context["consequences"] == [
        "You are charged €30.00 monthly, the next time on 2026-12-22."
    ]
    assert "61.23" not in page.content.decode()
    assert posted() == []
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    assert gil.post(url, entries).url == url_of(world.gamma, "purchase")
    assert gil.post(url, entries).url == url_of(world.gamma, "purchase")
    assert len(posted()) == 2


def test_another_quantity_is_shown_with_its_price_first(
    world: World, gil: Client
) -> None:
    product = offer(world, world.beta)
    grant(world.gamma)
    url = order_url(world, product)
    page = gil.get(url)
    entries = entries_of(page, terms_seen=page.context["terms_seen"], quantity=2)
    answer = gil.post(url, entries)
    assert answer.status_code == 422
    assert answer.context["total"] == "€200.00"
    assert posted() == []
    entries = entries_of(answer, terms_seen=answer.context["terms_seen"])
    assert gil.post(url, entries).status_code == 302
    assert posted() == [("Gamma", "Telephone × 2", "-200.00")]


def test_what_is_bought_is_what_was_shown(world: World, gil: Client) -> None:
    """Half the call time, or another period, at the same price: that is asked again."""
    values = {"type": ProductType.CALL_TIME, "amount": 6000, "create_fee": 10}
    product = offer(world, world.beta, **values)
    grant(world.gamma)
    url = order_url(world, product)
    page = gil.get(url)
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    with scopes_disabled():
        Product.objects.filter(pk=product.pk).update(amount=3000)
    answer = gil.post(url, entries)
    assert answer.status_code == 422
    assert "not the same any more" in answer.content.decode()
    assert any("50 more minutes" in text for text in answer.context["consequences"])
    assert posted() == []
    entries = entries_of(answer, terms_seen=answer.context["terms_seen"])
    assert gil.post(url, entries).status_code == 302
    assert len(posted()) == 1


def test_another_period_at_the_same_price_is_asked_again(
    world: World, gil: Client
) -> None:
    product = offer(world, world.beta, period="annually", period_fee=10)
    grant(world.gamma)
    url = order_url(world, product)
    page = gil.get(url)
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    with scopes_disabled():
        Product.objects.filter(pk=product.pk).update(period="monthly")
    assert gil.post(url, entries).status_code == 422
    assert posted() == []


@pytest.mark.parametrize("seen", [None, "", "much", "1", "-"])
def test_nothing_is_bought_on_terms_not_seen(
    world: World, gil: Client, seen: str | None
) -> None:
    grant(world.gamma)
    url = order_url(world, offer(world, world.beta))
    assert gil.post(url, entries_of(gil.get(url), terms_seen=seen)).status_code == 422
    assert posted() == []


@pytest.mark.parametrize("quantity", ["0", "-1", "1001", "x", ""])
def test_wrong_quantities_are_refused_at_the_field(
    world: World, gil: Client, quantity: str
) -> None:
    url = order_url(world, offer(world, world.beta), quantity)
    page = gil.get(url)
    assert page.status_code == 200
    entries = entries_of(page, terms_seen="100.00", quantity=quantity)
    assert list(errors_of(gil.post(url, entries))) == ["quantity"]


def test_more_call_time_than_is_counted_is_refused_at_the_field(
    world: World, gil: Client
) -> None:
    values = {"type": ProductType.CALL_TIME, "amount": 60_000_000, "create_fee": 1}
    product = offer(world, world.beta, **values)
    grant(world.gamma)
    url = order_url(world, product, 36)
    assert "call time" in gil.get(url).context["refusal"]
    page = gil.get(order_url(world, product, 35))
    seen = page.context["terms_seen"]
    answer = gil.post(url, entries_of(page, terms_seen=seen, quantity=36))
    assert list(errors_of(answer)) == ["quantity"]
    assert posted() == []
    answer = gil.post(url, entries_of(page, terms_seen=seen, quantity=35))
    assert answer.status_code == 302


def test_a_price_that_no_charge_can_hold_is_told_on_the_page(
    world: World, gil: Client
) -> None:
    with scopes_disabled():
        ExchangeRate.objects.create(currency="VND", on="2026-01-01", rate=30_000)
        accounts = BillingAccount.objects.filter(customer=world.gamma)
        accounts.update(currency="VND", credit_limit=10**12)
    product = offer(world, world.beta, period="monthly", period_fee=50_000)
    url = order_url(world, product)
    page = gil.get(url)
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    answer = gil.post(url, entries)
    assert answer.status_code == 422
    assert "too large to be kept" in answer.content.decode()
    assert posted() == []


def test_missing_credit_is_told_on_the_page(world: World, gil: Client) -> None:
    url = order_url(world, offer(world, world.beta))
    page = gil.get(url)
    assert "The credit falls €100.00 short of this." in page.content.decode()
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    answer = gil.post(url, entries)
    assert answer.status_code == 422
    assert "Your credit is not enough" in answer.content.decode()


def test_what_the_balance_does_not_pay_for_falls_short_of_nothing(
    world: World, gil: Client
) -> None:
    with subtree(world.gamma):
        account = BillingAccount.objects.filter(customer=world.gamma)
        account.update(bill_type=BillType.PREPAID_CALLS)
    page = gil.get(order_url(world, offer(world, world.beta)))
    assert page.context["total"] == "€100.00"
    assert "shortage" not in page.context
    assert "balance_after" not in page.context


@pytest.mark.parametrize("product", ["999999", "x", "²"])
def test_what_is_not_offered_is_not_found(
    world: World, gil: Client, product: str
) -> None:
    url = f"{url_of(world.gamma, 'purchase-order')}?product={product}"
    assert gil.get(url).status_code == 404


def test_foreign_products_are_not_found_and_no_product_leads_to_the_offer(
    world: World, gil: Client
) -> None:
    for product in (
        offer(world, world.rival),
        offer(world, reach=ProductReach.DIRECT),
    ):
        assert gil.get(order_url(world, product)).status_code == 404
        assert gil.post(order_url(world, product)).status_code == 404
    page = gil.get(url_of(world.gamma, "purchase-order"))
    assert page.url == url_of(world.gamma, "purchase")


def test_a_reseller_buys_for_its_customer_while_switched(world: World) -> None:
    product = offer(world, world.beta)
    grant(world.gamma)
    client = enter(world, world.ben, world.gamma)
    page = client.get(order_url(world, product))
    entries = entries_of(page, terms_seen=page.context["terms_seen"])
    assert client.post(order_url(world, product), entries).status_code == 302
    with scopes_disabled():
        entry = LedgerEntry.objects.get()
    assert (entry.person_name, entry.acting_as_name) == ("Ben Braun", "[Gamma Bakery]")


def test_without_an_exchange_rate_there_is_no_card(world: World, gil: Client) -> None:
    product = offer(world, world.beta, currency="USD")
    assert gil.get(url_of(world.gamma, "purchase")).context["cards"] == []
    page = gil.get(order_url(world, product))
    assert "an exchange rate is missing" in page.context["refusal"]


def test_plain_users_buy_nothing(world: World) -> None:
    client = world.client(world.uli)
    for name in ("purchase", "purchase-order"):
        assert client.get(url_of(world.acme, name)).status_code == 403
