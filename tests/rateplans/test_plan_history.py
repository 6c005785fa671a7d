"""What a plan cost on a day, and who changed it."""

from __future__ import annotations

from datetime import timedelta

from portal.core.display import format_day
from portal.core.scope import scopes_disabled
from rateplans.models import RatePlan
from tests.customers.features import enter, queries_of
from tests.rateplans.test_plan_pages import page_of
from tests.rateplans.test_prices import TODAY, charge, confirm, past
from tests.world import World


def test_history_tells_what_it_cost_on_a_day(world: World) -> None:
    past(world.acme_plan, "1")
    charge(world, "2", days=10)
    url = page_of(world.acme, "history", pk=world.acme_plan.pk)
    ann = world.client(world.ann)
    for days, amount in ((-900, "€1.00"), (9, "€1.00"), (10, "€2.00")):
        page = ann.get(f"{url}?on={TODAY + timedelta(days=days)}")
        line = page.context["prices"][1]
        assert (line["label"], line["recurring"]) == ("Telephone line", amount)
        assert line["recurring_source"] == "set here"
        assert line["signup"] == "passed through"
    planned, present = page.context["ranges"]
    begin = TODAY + timedelta(days=10)
    assert (planned["begin"], planned["last"]) == (begin, None)
    assert present["last"] == begin - timedelta(days=1)


def test_history_names_who_set_a_price(world: World) -> None:
    charge(world, "2", days=10)
    ann = world.client(world.ann)
    page = ann.get(page_of(world.acme, "history", pk=world.acme_plan.pk))
    (entry,) = page.context["ranges"]
    assert entry["who"].startswith("Ann Weber, ")
    assert format_day(entry["begin"]) in page.content.decode()


def test_history_does_not_name_people_from_above(world: World) -> None:
    olga = enter(world, world.olga, world.acme)
    url = page_of(world.acme, "prices", pk=world.acme_plan.pk)
    assert confirm(olga, url, line_signup="4").status_code == 302
    ann = world.client(world.ann)
    page = ann.get(page_of(world.acme, "history", pk=world.acme_plan.pk))
    assert page.context["ranges"][0]["who"].startswith("Your provider, ")


def test_history_tells_where_a_price_comes_from(world: World) -> None:
    past(world.root_plan, "7")
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    ann = world.client(world.ann)
    page = ann.get(
        page_of(world.acme, "history", pk=world.acme_plan.pk) + "?on=nonsense"
    )
    line = page.context["prices"][1]
    assert line["recurring_source"] == "inherited from Reseller standard"
    assert "never had a price" in page.content.decode()


def test_history_takes_as_many_queries_for_one_price_as_for_five(world: World) -> None:
    url = page_of(world.acme, "history", pk=world.acme_plan.pk)
    ann = world.client(world.ann)
    charge(world, "1")
    before = queries_of(ann, url)
    for days in range(1, 5):
        charge(world, str(days + 1), days=days)
    assert queries_of(ann, url) == before <= 30
