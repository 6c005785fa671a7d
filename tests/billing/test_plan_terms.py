"""Plans shared from above: in the list of rate plans, and as their customers have them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from billing.choices import ProductReach
from billing.models import BillingAccount, Charge, Product, ProductException
from customers.models import Customer
from portal.core.scope import scopes_disabled
from rateplans.choices import MarkupKind, Sharing
from rateplans.models import PlanMarkup, PlanPrice, RatePlan
from tests.billing.pages import labels_of, url_of
from tests.customers.features import queries_of
from tests.rateplans.test_plan_pages import page_of
from tests.rateplans.test_plans import office_hours
from tests.world import World

ALWAYS = (date(2020, 1, 1), None)


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture(autouse=True)
def easy(world: World) -> RatePlan:
    """The owner's shared plan, on a plan that nobody below knows; one is cut off."""
    with scopes_disabled():
        secret = RatePlan.objects.create(
            owner=world.root, name="Secret base", currency="EUR", due_days=21
        )
        RatePlan.objects.filter(pk=world.shared_plan.pk).update(base=secret)
        price(secret, "line", "recurring", 4)
        price(world.shared_plan, "line", "signup", 15)
        price(world.root_plan, "mailbox", "signup", 3)
        PlanMarkup.objects.create(
            plan=world.shared_plan, kind=MarkupKind.OUT_COST, markup=77, valid=ALWAYS
        )
        for plan, name in ((secret, "Hotline"), (world.shared_plan, "Support")):
            Charge.objects.create(
                owner=world.root,
                plan=plan,
                name=name,
                amount=7,
                currency="EUR",
                starts_on=date(2026, 1, 1),
            )
    world.shared_plan.refresh_from_db()
    return world.shared_plan


def price(plan: RatePlan, feature: str, occurs: str, amount: int) -> None:
    PlanPrice.objects.create(
        plan=plan,
        feature=feature,
        occurs=occurs,
        amount=Decimal(amount),
        valid=ALWAYS,
    )


def share(plan: RatePlan, how: Sharing, **values: Any) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=plan.pk).update(share=how, **values)


def terms(client: Client, account: Customer, plan: RatePlan) -> Any:
    return client.get(url_of(account, "plan-terms", pk=plan.pk))


def test_a_shared_plan_stands_in_the_list_and_leads_to_its_terms(
    world: World, ann: Client, easy: RatePlan
) -> None:
    page = ann.get(page_of(world.acme, "list"))
    assert labels_of(page) == ["Acme basic", "Shared standard"]
    text = page.content.decode()
    assert "By your provider" in text
    assert url_of(world.acme, "plan-terms", pk=easy.pk) in text
    assert f'"{page_of(world.acme, "edit", pk=easy.pk)}"' not in text
    assert "Secret base" not in text
    assert "Trunk Systems" not in text


def test_what_comes_from_further_up_is_not_said_to_be_the_providers(
    world: World, easy: RatePlan
) -> None:
    ben = world.client(world.ben)
    text = ben.get(page_of(world.beta, "list")).content.decode()
    assert "Shared standard" in text
    assert "From further up" in text
    assert "By your provider" not in text
    assert terms(ben, world.beta, easy).status_code == 200


def test_of_a_shared_plan_ones_own_customers_are_counted(
    world: World, ann: Client, easy: RatePlan
) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.rival).update(plan=easy)
    rows = ann.get(page_of(world.acme, "list")).context["table"].rows
    assert [
        str(cell.html) for cell in rows[1].cells if cell.column.key == "customers"
    ] == ["0"]
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(plan=easy)
    rows = ann.get(page_of(world.acme, "list")).context["table"].rows
    assert [
        str(cell.html) for cell in rows[1].cells if cell.column.key == "customers"
    ] == ["1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("whose=own", ["Acme basic"]),
        ("whose=shared", ["Shared standard"]),
        ("share=recursive", []),  # how far others share is theirs to know
    ],
)
def test_own_and_shared_plans_are_told_apart(
    world: World, ann: Client, query: str, found: list[str]
) -> None:
    assert labels_of(ann.get(page_of(world.acme, "list") + f"?{query}")) == found


def test_the_terms_are_what_a_customer_would_have(
    world: World, ann: Client, easy: RatePlan
) -> None:
    page = terms(ann, world.acme, easy)
    rows = {row["label"]: row for row in page.context["prices"]}
    assert rows["Telephone line"]["signup"] == "€15.00"
    assert rows["Telephone line"]["recurring"] == "€4.00"  # inherited
    assert rows["Mailbox"]["signup"] == "€3.00"  # what Acme pays itself, passed through
    settings = {row["label"]: row["value"] for row in page.context["settings"]}
    assert settings["Invoices due after"] == "21 days"
    text = page.content.decode()
    assert "Support" in text
    assert "Hotline" in text


def test_the_terms_tell_what_products_cost_on_the_plan(
    world: World, ann: Client, easy: RatePlan
) -> None:
    with scopes_disabled():
        offers: list[tuple[str, Customer, dict[str, Any]]] = [
            ("Telephone", world.root, {"reach": ProductReach.RECURSIVE}),
            ("Installation", world.acme, {"period": "", "period_fee": 0}),
            ("For Acme", world.root, {}),  # customers of Acme are not offered it
            ("Gone", world.acme, {"archived_at": "2026-01-01T00:00Z"}),
        ]
        for name, owner, values in offers:
            fees = {"create_fee": 100, "period_fee": 10, "period": "monthly"}
            product = Product.objects.create(
                owner=owner, name=name, currency="EUR", **(fees | values)
            )
            if name == "Telephone":
                ProductException.objects.create(
                    plan=easy, product=product, create_fee=80, period_fee=9
                )
    told = [
        (row["label"], strip_tags(row["html"]))
        for row in terms(ann, world.acme, easy).context["products"]
    ]
    assert told == [
        ("Installation", "€100.00"),
        ("Telephone", "€80.00 once, €9.00 monthly"),
    ]


def test_the_terms_tell_class_of_service_times(
    world: World, ann: Client, easy: RatePlan
) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(heirs=easy).update(cos_timegroup=office_hours())
    page = terms(ann, world.acme, easy)
    settings = {row["label"]: row["value"] for row in page.context["settings"]}
    assert settings["Class-of-service times"] == "Office hours: Mon–Fri 08:00–18:00"


def test_the_terms_name_nothing_above(
    world: World, ann: Client, easy: RatePlan
) -> None:
    with scopes_disabled():
        easy.service_email = "help@trunk.test"
        easy.save()
    text = terms(ann, world.acme, easy).content.decode()
    for word in ("Secret base", "Reseller standard", "77", "help@trunk.test"):
        assert word not in text


def test_an_own_plan_has_terms_too(world: World, ann: Client) -> None:
    page = terms(ann, world.acme, world.acme_plan)
    assert page.context["shared"] == ""
    assert "Shared with you" not in page.content.decode()


@pytest.mark.parametrize(
    ("how", "archived_at", "answer"),
    [
        (Sharing.RECURSIVE, None, 200),
        (
            Sharing.DIRECT,
            None,
            404,
        ),  # with resellers of the owner; Beta is one of Acme's
        (Sharing.NO, None, 404),
        (Sharing.RECURSIVE, "2026-01-01T00:00Z", 404),
    ],
)
def test_what_cannot_be_given_to_customers_is_neither_listed_nor_found(
    world: World, easy: RatePlan, how: Sharing, archived_at: Any, answer: int
) -> None:
    share(easy, how, archived_at=archived_at)
    ben = world.client(world.ben)
    assert terms(ben, world.beta, easy).status_code == answer
    listed = labels_of(ben.get(page_of(world.beta, "list")))
    assert ("Shared standard" in listed) is (answer == 200)


def test_plans_below_and_of_neighbours_are_not_found(world: World, ann: Client) -> None:
    for plan in (world.beta_plan, world.rival_plan, world.root_plan):
        assert terms(ann, world.acme, plan).status_code == 404


def test_a_missing_rate_is_said_in_its_place(
    world: World, ann: Client, easy: RatePlan
) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(heirs=easy).update(currency="USD")
    page = terms(ann, world.acme, easy)
    rows = {row["label"]: row for row in page.context["prices"]}
    assert rows["Telephone line"]["signup"] == "€15.00"
    assert rows["Telephone line"]["recurring"].startswith("No price")


def test_the_terms_cost_the_same_for_many_prices(
    world: World, ann: Client, easy: RatePlan
) -> None:
    url = url_of(world.acme, "plan-terms", pk=easy.pk)
    with scopes_disabled():
        Product.objects.create(owner=world.acme, name="First", currency="EUR")
    before = queries_of(ann, url)
    with scopes_disabled():
        for feature in ("account", "person", "mailbox"):
            price(easy, feature, "recurring", 1)
            Product.objects.create(owner=world.acme, name=feature, currency="EUR")
    assert queries_of(ann, url) == before <= 30
