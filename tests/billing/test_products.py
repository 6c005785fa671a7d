"""Products and their prices in plans: rules, services, pages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from billing.choices import ProductReach, ProductType
from billing.models import (
    BillingAccount,
    Charge,
    ExchangeRate,
    Product,
    ProductException,
    Tax,
)
from billing.product_pricing import product_prices
from billing.product_selectors import load_product_prices, products_on_offer
from billing.selectors import Rates, load_levels
from billing.services import products
from billing.services.charges import charge_due
from customers.models import Customer
from portal.core.errors import StaleError
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from rateplans.models import RatePlan
from rateplans.services import plans
from tests.billing.pages import labels_of, url_of
from tests.billing.tariffs import set_account
from tests.customers.features import (
    ODD_NAMES,
    actions_of,
    queries_of,
    refusals_of,
    without,
)
from tests.pages import entries_of, errors_of, send
from tests.world import World


@pytest.fixture
def everywhere() -> Any:
    with scopes_disabled():  # products of several tenants are looked at
        yield


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def make(world: World, owner: Customer | None = None, **values: Any) -> Product:
    """A telephone for 100 euros and 10 a month, made directly."""
    fields: dict[str, Any] = {
        "owner": owner or world.root,
        "name": "Desk telephone",
        "create_fee": Decimal(100),
        "create_buy": Decimal(60),
        "period": "monthly",
        "period_fee": Decimal(10),
        "period_buy": Decimal(4),
        "currency": "EUR",
        "reach": ProductReach.RECURSIVE,
    }
    with scopes_disabled():
        return Product.objects.create(**(fields | values))


def price(plan: RatePlan, product: Product, **values: Any) -> None:
    ProductException.objects.create(plan=plan, product=product, **values)


def heir_of(base: RatePlan) -> RatePlan:
    with scopes_disabled():
        return RatePlan.objects.create(
            owner=base.owner, name="Heir", base=base, currency=base.currency
        )


def prices(product: Product, buyer: Customer) -> list[tuple[str, str, str]]:
    """(level, once, recurring) from the top down."""
    levels = load_levels(buyer)
    product = Product.objects.select_related("owner").get(pk=product.pk)
    found = load_product_prices([product], levels, rates=Rates(levels[-1].today))[
        product.pk
    ]
    return [
        (
            each.level.account.customer.name.split()[0],
            f"{each.create.normalize():f}",
            f"{each.period.normalize():f}",
        )
        for each in found
    ]


# --- Prices down the chain --------------------------------------------------------------


def test_without_exceptions_the_price_passes_through(
    world: World, everywhere: Any
) -> None:
    assert prices(make(world), world.gamma) == [
        ("Acme", "100", "10"),
        ("Beta", "100", "10"),
        ("Gamma", "100", "10"),
    ]


def test_each_level_is_priced_by_its_own_plan(world: World, everywhere: Any) -> None:
    product = make(world)
    price(world.root_plan, product, create_fee=80, period_fee=8)
    price(
        world.acme_plan,
        product,
        uses_markups=True,
        create_markup=25,
        create_margin=Decimal("0.50"),
        period_markup=10,
    )
    assert prices(product, world.gamma) == [
        ("Acme", "80", "8"),
        ("Beta", "100.5", "8.8"),
        ("Gamma", "100.5", "8.8"),
    ]


def test_only_levels_below_the_owner_are_priced(world: World, everywhere: Any) -> None:
    product = make(world, world.beta)
    assert prices(product, world.gamma) == [("Gamma", "100", "10")]


def test_a_price_is_inherited_with_the_plan_nearest_first(
    world: World, everywhere: Any
) -> None:
    product = make(world)
    price(world.root_plan, product, create_fee=80)
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    assert prices(product, world.beta)[-1] == ("Beta", "80", "0")
    price(world.acme_plan, product, create_fee=90, period_fee=1)
    assert prices(product, world.beta)[-1] == ("Beta", "90", "1")


def test_prices_and_margins_are_converted_where_currencies_differ(
    world: World, everywhere: Any
) -> None:
    ExchangeRate.objects.create(currency="USD", on=date(2020, 1, 1), rate="1.25")
    RatePlan.objects.filter(pk=world.acme_plan.pk).update(currency="USD")
    product = make(world, currency="USD")
    price(world.acme_plan, product, uses_markups=True, create_margin=5)
    assert prices(product, world.beta) == [("Acme", "80", "8"), ("Beta", "84", "8")]


def test_what_does_not_recur_has_no_recurring_price(
    world: World, everywhere: Any
) -> None:
    product = make(world, period="", period_fee=0, period_buy=0)
    price(world.root_plan, product, create_fee=1, period_fee=7)
    assert prices(product, world.acme) == [("Acme", "1", "0")]


def test_nobody_pays_where_there_is_no_level(world: World, everywhere: Any) -> None:
    def unconverted(amount: Decimal, currency: str, wanted: str) -> Decimal:
        return amount

    assert product_prices(make(world), [], {}, unconverted) == []


@pytest.mark.parametrize(
    ("owner", "reach", "buyers"),
    [
        ("root", ProductReach.DIRECT, {"acme", "rival"}),
        ("root", ProductReach.RECURSIVE, {"acme", "rival", "beta", "gamma"}),
        ("acme", ProductReach.DIRECT, {"beta"}),
        ("acme", ProductReach.RECURSIVE, {"beta", "gamma"}),
        ("gamma", ProductReach.RECURSIVE, set()),
    ],
)
def test_who_is_offered_what(
    world: World, owner: str, reach: ProductReach, buyers: set[str]
) -> None:
    make(world, getattr(world, owner), reach=reach)
    everybody = ("root", "acme", "beta", "gamma", "rival")
    offered = {
        name for name in everybody if products_on_offer(getattr(world, name)).exists()
    }
    assert offered == buyers


# --- Services -------------------------------------------------------------------------


def create(world: World, **values: Any) -> Product:
    taxes = values.pop("taxes", [])
    fields = {"name": "Router", "create_fee": Decimal(5), "currency": "EUR"}
    with subtree(world.acme):
        return products.create_product(
            owner=world.acme,
            values=fields | values,
            taxes=taxes,
            by=world.actor(world.ann),
        )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"create_fee": Decimal(-1)}, "create_fee"),
        ({"create_buy": Decimal(-1)}, "create_buy"),
        ({"period_fee": Decimal(1)}, "period"),
        ({"period": "monthly"}, "period_fee"),
        ({"period": "daily", "period_fee": Decimal(1)}, "period"),
        ({"type": ProductType.CALL_TIME}, "amount"),
        (
            {
                "type": ProductType.CALL_TIME,
                "amount": 60,
                "period": "monthly",
                "period_fee": Decimal(1),
            },
            "period",
        ),
        ({"currency": "XXX"}, "currency"),
        ({"reach": "moon"}, "reach"),
    ],
)
def test_what_a_product_cannot_be(
    world: World, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        create(world, **values)
    assert list(refusals_of(caught)) == [field]


def test_names_are_used_once_and_taxes_are_ones_own(world: World) -> None:
    create(world, taxes=[world.acme_tax])
    with pytest.raises(ValidationError) as caught:
        create(world, name="ROUTER")
    assert refusals_of(caught) == {"name": ["You have a product of this name."]}
    with scopes_disabled():
        foreign = Tax.objects.create(owner=world.rival, name="T", rate=1)
    with pytest.raises(ValidationError) as caught:
        create(world, name="Other", taxes=[foreign])
    assert list(refusals_of(caught)) == ["taxes"]


def test_update_and_archive_leave_a_trace(world: World) -> None:
    product, by = create(world), world.actor(world.ann)
    product.refresh_from_db()  # amounts as the database keeps them
    seen = state_of(product, products.FIELDS)
    with subtree(world.acme):
        products.update_product(
            product=product, values={"name": "R 2"}, taxes=[], by=by, seen=seen
        )
        with pytest.raises(StaleError):
            products.update_product(
                product=product, values={"name": "R 3"}, taxes=[], by=by, seen=seen
            )
        products.set_archived(product=product, is_archived=True, by=by)
        products.set_archived(product=product, is_archived=True, by=by)
        products.set_archived(product=product, is_archived=False, by=by)
    assert actions_of(product) == [
        "product.restored",
        "product.archived",
        "product.updated",
        "product.created",
    ]


def test_services_need_right_and_account(world: World) -> None:
    product = create(world)
    weak = without(world.actor(world.ann), Permission.COMMERCE)
    for by in (weak, world.actor(world.olga), world.actor(world.eve)):
        with subtree(world.root):
            with pytest.raises(PermissionDenied):
                products.update_product(product=product, values={}, taxes=[], by=by)
            with pytest.raises(PermissionDenied):
                products.set_archived(product=product, is_archived=True, by=by)
            with pytest.raises(PermissionDenied):
                products.set_exception(
                    plan=world.acme_plan, product=product, values={}, by=by
                )


def test_a_plan_prices_only_what_its_customers_are_offered(world: World) -> None:
    by = world.actor(world.ann)
    for owner, reach in (
        (world.rival, ProductReach.RECURSIVE),
        (world.root, ProductReach.DIRECT),
    ):
        product = make(world, owner, reach=reach)
        with subtree(world.acme), pytest.raises(PermissionDenied):
            products.set_exception(
                plan=world.acme_plan, product=product, values={"create_fee": 1}, by=by
            )


# --- Pages ----------------------------------------------------------------------------


def test_a_product_is_made_edited_and_archived_on_its_pages(
    world: World, ann: Client
) -> None:
    url = url_of(world.acme, "product-create")
    answer = send(ann, url, name="Telephone", create_fee="99,90", create_buy="50")
    assert answer.url == url_of(world.acme, "product-list")
    page = ann.get(answer.url)
    assert labels_of(page) == ["Telephone"]
    assert "€99.90" in page.content.decode()
    with subtree(world.acme):
        product = Product.objects.get()
        assert [tax.name for tax in product.taxes.all()] == ["VAT"]
    url = url_of(world.acme, "product-edit", pk=product.pk)
    facts = {fact["label"]: fact.get("value") for fact in ann.get(url).context["facts"]}
    assert facts["Profit on one"] == "€49.90"
    send(ann, url, create_fee="89")
    product.refresh_from_db()
    assert product.create_fee == 89
    send(ann, url_of(world.acme, "product-archive", pk=product.pk))
    product.refresh_from_db()
    assert product.archived_at is not None
    page = ann.get(f"{url_of(world.acme, 'product-list')}?status=archived")
    assert labels_of(page) == ["Telephone"]
    send(ann, url_of(world.acme, "product-archive", pk=product.pk))
    product.refresh_from_db()
    assert product.archived_at is None


def test_call_time_is_entered_in_minutes(world: World, ann: Client) -> None:
    url = url_of(world.acme, "product-create")
    send(ann, url, name="Talk", type="call_time", minutes="100", create_fee="5")
    with subtree(world.acme):
        product = Product.objects.get()
    assert product.amount == 6000
    page = ann.get(url_of(world.acme, "product-edit", pk=product.pk))
    assert page.context["form"]["minutes"].value() == 100


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u202egnp"}, "name"),
        ({"create_fee": "-1"}, "create_fee"),
        ({"create_fee": "much"}, "create_fee"),
        ({"period_fee": "1"}, "period"),
        ({"period": "monthly"}, "period_fee"),
        ({"type": "call_time"}, "minutes"),
        ({"taxes": ["999999"]}, "taxes"),
    ],
)
def test_the_page_refuses_at_the_field(
    world: World, ann: Client, changes: dict[str, Any], field: str
) -> None:
    url = url_of(world.acme, "product-create")
    answer = send(ann, url, **({"name": "Kept", "create_fee": "5"} | changes))
    assert list(errors_of(answer)) == [field]


def test_edit_of_what_others_changed_shows_it(world: World, ann: Client) -> None:
    product = create(world)
    url = url_of(world.acme, "product-edit", pk=product.pk)
    entries = entries_of(ann.get(url), name="Mine")
    send(world.client(world.ann), url, name="Theirs")
    answer = ann.post(url, entries)
    assert answer.status_code == 422
    assert "Name: Router → Theirs" in answer.content.decode()


def test_the_list_costs_the_same_for_one_and_for_many(
    world: World, ann: Client
) -> None:
    url = url_of(world.acme, "product-list")
    create(world)
    before = queries_of(ann, url)
    for number in range(5):
        create(world, name=f"Product {number}")
    assert queries_of(ann, url) == before <= 30


@pytest.mark.parametrize("page", ["product-edit", "product-archive"])
@pytest.mark.parametrize("owner", ["beta", "rival", "root"])
def test_products_of_others_are_not_found(
    world: World, ann: Client, page: str, owner: str
) -> None:
    product = make(world, getattr(world, owner))
    url = url_of(world.acme, page, pk=product.pk)
    assert ann.get(url).status_code == ann.post(url).status_code == 404


def test_a_plans_page_lists_what_its_customers_may_buy(
    world: World, ann: Client
) -> None:
    create(world, name="Own")
    make(world, name="From above")
    make(world, name="For Acme only", reach=ProductReach.DIRECT)
    make(world, world.rival, name="Foreign")
    url = url_of(world.acme, "plan-products", pk=world.acme_plan.pk)
    assert labels_of(ann.get(url)) == ["From above", "Own"]
    assert ann.get(f"{url}?q=own").status_code == 200


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"price": "fixed", "create_fee": "80", "period_fee": "9"},
            "€80.00 once, €9.00 monthly",
        ),
        (
            {
                "price": "markup",
                "create_markup": "10",
                "create_margin": "0.50",
                "period_markup": "-5",
            },
            "+10 % + €0.50 once, -5 % monthly",
        ),
        ({"price": "inherited", "create_fee": "80"}, "the usual price"),
    ],
)
def test_a_product_is_priced_in_a_plan(
    world: World, ann: Client, changes: dict[str, str], text: str
) -> None:
    product, plan = make(world), world.acme_plan
    url = url_of(world.acme, "plan-product", pk=plan.pk, product=product.pk)
    list_url = url_of(world.acme, "plan-products", pk=plan.pk)
    assert send(ann, url, **changes).url == list_url
    assert text in strip_tags(ann.get(list_url).content.decode())
    # Saved again as it stands, it stays as it is; taken back, it is gone.
    assert send(ann, url).url == list_url
    assert text in strip_tags(ann.get(list_url).content.decode())
    send(ann, url, price="inherited")
    with scopes_disabled():
        assert not ProductException.objects.exists()


def warnings_of(client: Client, url: str) -> list[str]:
    """What the page at ``url`` warns of, once."""
    page = client.get(url)
    return [
        str(each) for each in page.context["messages"] if each.level_tag == "warning"
    ]


def test_who_sells_below_cost_is_told_and_not_refused(
    world: World, ann: Client
) -> None:
    url, list_url = (
        url_of(world.acme, "product-create"),
        url_of(world.acme, "product-list"),
    )
    values = {"period": "monthly", "period_fee": "2", "period_buy": "3"}
    answer = send(ann, url, name="A", create_fee="4", create_buy="5", **values)
    assert answer.url == list_url
    assert warnings_of(ann, list_url) == [
        "You pay €5.00 once for this yourself, and sell it for €4.00.",
        "You pay €3.00 monthly for this yourself, and sell it for €2.00.",
    ]
    with scopes_disabled():
        product = Product.objects.get()
    edit = url_of(world.acme, "product-edit", pk=product.pk)
    send(ann, edit, create_fee="5", period_fee="3")
    assert warnings_of(ann, list_url) == []


@pytest.mark.parametrize(
    ("typed", "warned"), [("99.99", True), ("100", False), ("", False)]
)
def test_a_plans_price_below_the_one_from_above_is_warned_of(
    world: World, ann: Client, typed: str, warned: bool
) -> None:
    with scopes_disabled():
        set_account(world.acme)
        product = Product.objects.create(
            owner=world.root,
            name="Telephone",
            create_fee=100,
            create_buy=1,
            currency="EUR",
            reach=ProductReach.RECURSIVE,
        )
    plan = world.acme_plan
    url = url_of(world.acme, "plan-product", pk=plan.pk, product=product.pk)
    kind = {"price": "fixed", "create_fee": typed} if typed else {"price": "inherited"}
    answer = send(ann, url, **kind)
    assert answer.status_code == 302
    said = ["You pay €100.00 once for this yourself, and sell it for €99.99."]
    assert warnings_of(ann, answer.url) == (said if warned else [])


def cells_of(page: Any) -> dict[str, list[str]]:
    """Price and rule in the list of a plan's products, by the product's name."""
    return {
        row.label: [strip_tags(cell.html) for cell in row.cells[2:]]
        for row in page.context["table"].rows
    }


def test_a_plans_page_says_what_each_product_costs_there_and_why(
    world: World, ann: Client, everywhere: Any
) -> None:
    base, heir = world.acme_plan, heir_of(world.acme_plan)
    once = {"period": "", "period_fee": 0, "period_buy": 0}
    inherited, own, above = (
        make(world, world.acme, name="Inherited", **once),
        make(world, world.acme, name="Own", period="quarterly"),
        make(world, name="Passed", period="annually", period_fee=12),
    )
    price(base, inherited, create_fee=30)
    price(heir, own, create_fee=5, period_fee=6)
    price(world.root_plan, above, uses_markups=True, create_markup=10)
    url = url_of(world.acme, "plan-products", pk=heir.pk)
    assert cells_of(ann.get(url)) == {
        "Inherited": ["€30.00", "inherited from Acme basic"],
        "Own": ["€5.00 once, €6.00 quarterly", "set here"],
        "Passed": ["€110.00 once, €12.00 annually", "the usual price"],
    }
    before = queries_of(ann, url)
    for number in range(5):
        make(world, world.acme, name=f"Product {number}")
    assert queries_of(ann, url) == before <= 30
    facts = ann.get(url_of(world.acme, "plan-product", pk=heir.pk, product=own.pk))
    assert [str(fact["html"]) for fact in facts.context["facts"]] == [
        '<span class="amount">€5.00 once, €6.00 quarterly</span>'
    ]


def test_a_product_without_an_exchange_rate_has_no_price_in_a_plan(
    world: World, ann: Client
) -> None:
    make(world, world.acme, name="Foreign", currency="CHF")
    url = url_of(world.acme, "plan-products", pk=world.acme_plan.pk)
    assert cells_of(ann.get(url))["Foreign"] == [
        "No price: an exchange rate is missing",
        "the usual price",
    ]


@pytest.mark.parametrize(
    ("period", "text"),
    [
        ("", ""),
        ("monthly", "€6.90 monthly"),
        ("quarterly", "€6.90 quarterly"),
        ("annually", "€6.90 annually"),
    ],
)
def test_the_list_says_how_often_a_product_is_paid(
    world: World, ann: Client, period: str, text: str
) -> None:
    create(world, period=period, period_fee=Decimal("6.90") if period else 0)
    page = ann.get(url_of(world.acme, "product-list"))
    [row] = page.context["table"].rows
    cells = {cell.column.key: strip_tags(cell.html) for cell in row.cells}
    assert cells["recurring"] == text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": "free"}, "price"),
        ({"price": "fixed", "create_fee": "-1"}, "create_fee"),
        ({"price": "markup", "create_markup": "-101"}, "create_markup"),
    ],
)
def test_a_price_in_a_plan_is_refused_at_its_field(
    world: World, ann: Client, changes: dict[str, str], field: str
) -> None:
    product, plan = make(world), world.acme_plan
    url = url_of(world.acme, "plan-product", pk=plan.pk, product=product.pk)
    assert list(errors_of(send(ann, url, **changes))) == [field]


def test_plans_and_products_of_others_cannot_be_priced(
    world: World, ann: Client
) -> None:
    own, foreign = create(world), make(world, world.rival)
    for plan, product in (
        (world.rival_plan, own),
        (world.root_plan, own),
        (world.acme_plan, foreign),
    ):
        url = url_of(world.acme, "plan-product", pk=plan.pk, product=product.pk)
        assert ann.get(url).status_code == ann.post(url).status_code == 404
    url = url_of(world.acme, "plan-products", pk=world.root_plan.pk)
    assert ann.get(url).status_code == 404


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_shown_as_text(world: World, ann: Client, name: str) -> None:
    product = create(world, name=name)
    for url in (
        url_of(world.acme, "product-list"),
        url_of(world.acme, "product-edit", pk=product.pk),
        url_of(world.acme, "plan-products", pk=world.acme_plan.pk),
    ):
        assert "<script>alert" not in ann.get(url).content.decode()


# --- Plans that are copied, deleted, or change their currency -------------------------


def test_a_copy_of_a_plan_has_its_product_prices_and_its_charges(world: World) -> None:
    product, plan = make(world), world.acme_plan
    charge: dict[str, Any] = {
        "owner": world.acme,
        "plan": plan,
        "currency": "EUR",
        "starts_on": date(2026, 1, 1),
    }
    with scopes_disabled():
        price(plan, product, create_fee=80)
        support = Charge.objects.create(name="Support", amount=5, **charge)
        support.taxes.set([world.acme_tax])
        Charge.objects.create(name="Old", ended_at=timezone.now(), **charge)
    with subtree(world.acme):
        copy = plans.copy_plan(plan=plan, name="Twin", by=world.actor(world.ann))
        assert [row.create_fee for row in copy.product_exceptions.all()] == [80]
        [copied] = copy.charges.all()
        assert (copied.name, copied.amount, copied.owner) == ("Support", 5, world.acme)
        assert list(copied.taxes.all()) == [world.acme_tax]
        assert (plan.product_exceptions.count(), plan.charges.count()) == (1, 2)


def test_a_plan_with_a_price_for_a_product_keeps_its_currency(world: World) -> None:
    product = make(world)
    with scopes_disabled():
        price(world.acme_plan, product, create_fee=80)
    by = world.actor(world.ann)
    with subtree(world.acme), pytest.raises(ValidationError) as caught:
        plans.update_plan(plan=world.acme_plan, values={"currency": "USD"}, by=by)
    assert list(refusals_of(caught)) == ["currency"]


def test_a_plan_whose_charge_was_paid_is_not_deleted(world: World) -> None:
    by = world.actor(world.ann)
    with scopes_disabled():
        plan = RatePlan.objects.create(owner=world.acme, name="Old", currency="EUR")
        account = BillingAccount.objects.filter(customer=world.beta)
        account.update(plan=plan, charges_from=date(2026, 1, 1))
        charge = {"name": "Support", "amount": 5, "starts_on": date(2026, 1, 1)}
        Charge.objects.create(owner=world.acme, plan=plan, currency="EUR", **charge)
        assert charge_due(account.get().pk, on=date(2026, 1, 1)) == 1
        account.update(plan=world.acme_plan)
    with subtree(world.acme), pytest.raises(ValidationError) as caught:
        plans.delete_plan(plan=plan, by=by)
    assert caught.value.messages == [
        "1 charge of it stands in the books, which are kept."
    ]
