"""Lists of features where rate plans allow no more (D 3.4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services.maxima import refusal_of_another
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from rateplans.choices import Feature
from rateplans.models import RatePlan
from tests.billing.tariffs import add, item, permit, remove
from tests.customers.features import enter, queries_of, url_of
from tests.world import World

LISTS = [
    ("line-list", Feature.LINE),
    ("number-list", Feature.NUMBER),
    ("mailbox-list", Feature.MAILBOX),
    ("person-list", Feature.PERSON),
]


def told(page: Any) -> tuple[str, list[str], str]:
    """What is said instead of the button, the buttons, and where the empty list leads."""
    actions = page.context["page_actions"]
    refusal = "".join(action.get("refusal", "") for action in actions)
    labels = [action["label"] for action in actions if "label" in action]
    return refusal, labels, page.context["table"].empty.action_url


@pytest.mark.parametrize(("name", "feature"), LISTS)
def test_a_list_says_what_the_plan_forbids_instead_of_new(
    world: World, name: str, feature: Feature
) -> None:
    client = world.client(world.ben)
    url = url_of(world.beta, name)
    refusal, buttons, leads_to = told(client.get(url))
    assert (refusal, buttons) == ("", ["New"])
    assert leads_to
    before = queries_of(client, url)
    permit(world.acme_plan, feature, maximum=0)
    page = client.get(url)
    assert told(page) == (
        f"Your rate plan does not allow this: {feature.label}.",
        [],
        "",
    )
    assert refusal_in(page)
    assert queries_of(client, url) == before


def refusal_in(page: Any) -> bool:
    return '<p class="page-refusal">' in page.content.decode()


def test_the_button_is_back_when_one_is_gone(world: World) -> None:
    client, url = world.client(world.ben), url_of(world.beta, "line-list")
    permit(world.acme_plan, maximum=2)
    add(world.beta, item(1))
    assert told(client.get(url))[1] == ["New"]
    add(world.beta, item(2))
    assert told(client.get(url))[:2] == (
        "Telephone line: your rate plan allows 2, and you have them.",
        [],
    )
    with scopes_disabled():
        remove(world.beta, item(2))
    assert told(client.get(url))[1] == ["New"]


def test_who_comes_from_above_may_what_the_customer_may_not(world: World) -> None:
    permit(world.acme_plan, maximum=0)
    client = enter(world, world.ann, world.beta)
    assert told(client.get(url_of(world.beta, "line-list")))[:2] == ("", ["New"])
    permit(world.root_plan, maximum=0)
    assert told(client.get(url_of(world.beta, "line-list")))[:2] == (
        "Your rate plan does not allow this: Telephone line.",
        [],
    )


def test_a_plan_above_that_is_full_stays_closed(world: World) -> None:
    permit(world.root_plan, maximum=0)
    page = world.client(world.ben).get(url_of(world.beta, "line-list"))
    assert told(page)[0] == "Your provider cannot supply this at present."
    assert world.acme.name not in told(page)[0]


def test_a_number_from_the_stock_is_not_judged_by_the_plans_above(world: World) -> None:
    permit(world.root_plan, Feature.NUMBER, maximum=0)
    page = world.client(world.ben).get(url_of(world.beta, "number-list"))
    assert told(page)[:2] == ("", ["New"])


def test_customers_are_judged_by_the_providers_own_plan(world: World) -> None:
    client = world.client(world.ann)
    url = url_of(world.acme, "customer-list")
    new = url_of(world.acme, "customer-new")
    assert told(client.get(url)) == ("", ["New", "Export CSV"], new)
    permit(world.root_plan, Feature.ACCOUNT, maximum=0)
    assert told(client.get(url)) == (
        "Your rate plan does not allow this: Customer account.",
        ["Export CSV"],
        "",
    )


def test_plain_users_are_told_nothing(world: World) -> None:
    permit(world.root_plan, maximum=0)
    page = world.client(world.uli).get(url_of(world.acme, "line-list"))
    assert told(page) == ("", [], "")


@pytest.mark.parametrize("way", ["base", "inherits_own"])
def test_an_inherited_maximum_holds_and_the_nearest_counts(
    world: World, way: str
) -> None:
    base = other_plan(world, world.acme) if way == "base" else world.root_plan
    with scopes_disabled():
        plans = RatePlan.objects.filter(pk=world.acme_plan.pk)
        plans.update(**({"base": base} if way == "base" else {"inherits_own": True}))
    permit(base, maximum=0)
    ben = system_actor(world.beta)
    assert refusal_of_another(world.beta, Feature.LINE, by=ben)
    permit(world.acme_plan, included=1)
    assert refusal_of_another(world.beta, Feature.LINE, by=ben)
    permit(base, maximum=0)
    permit(world.acme_plan, maximum=-1)
    found = refusal_of_another(world.beta, Feature.LINE, by=ben)
    # The account above is on the plan that forbids it, and counts what is below.
    assert bool(found) == (way == "inherits_own")


def other_plan(world: World, owner: Customer) -> RatePlan:
    with scopes_disabled():
        return RatePlan.objects.create(owner=owner, name="Base", currency="EUR")


def test_it_takes_one_query(world: World) -> None:
    permit(world.acme_plan, maximum=3)
    with CaptureQueriesContext(connection) as queries:
        refusal_of_another(world.beta, Feature.LINE, by=system_actor(world.beta))
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        refusal_of_another(
            world.root, Feature.NUMBER, by=system_actor(world.beta), is_held_above=True
        )
    assert not queries.captured_queries
