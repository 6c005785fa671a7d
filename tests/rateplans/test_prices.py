"""Prices, mark-ups and permissions: from which day on, inherited or not, and their pages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.audit_labels import field_label
from portal.core.display import format_day
from portal.core.errors import StaleError
from portal.core.models import AuditEvent
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import Feature, MarkupKind, Occurs
from rateplans.models import (
    NumberClass,
    PlanFeature,
    PlanMarkup,
    PlanPrice,
    RatePlan,
)
from rateplans.pricing import Markup, PriceKey
from rateplans.selectors import effective_plan
from rateplans.services import prices
from rateplans.spans import Span, changed
from tests.pages import entries_of, errors_of, send
from tests.rateplans.test_plan_pages import page_of
from tests.rateplans.test_plans import refused
from tests.world import World

TODAY = local_date("Europe/Berlin")  # of everybody in the world of the tests
LINE: PriceKey = ("line", None, "recurring")


# --- Spans ----------------------------------------------------------------------------


def spans(text: str) -> list[Span[str]]:
    """ "1-5a 5-b": a from day 1 until before day 5, then b without end."""
    found = []
    for part in text.split():
        begin, _dash, rest = part.partition("-")
        end = rest[:-1]
        found.append(Span(_day(begin), _day(end) if end else None, rest[-1]))
    return found


def _day(text: str) -> date:
    return date(2026, 1, 1) + timedelta(days=int(text))


@pytest.mark.parametrize(
    ("before", "day", "value", "after"),
    [
        ("", "5", "a", "5-a"),  # the first price
        ("", "5", None, ""),
        ("1-a", "5", "b", "1-5a 5-b"),  # a change, today or in the future
        ("1-a", "5", "a", "1-a"),  # none
        ("1-a", "1", "b", "1-b"),  # again on the same day
        ("1-a", "5", None, "1-5a"),  # inherited again
        ("1-a", "1", None, ""),
        ("1-5a 5-b", "5", "c", "1-5a 5-c"),  # the planned change is another one
        ("1-5a 5-b", "5", "a", "1-a"),  # the planned change is called off
        ("1-5a 5-b", "5", None, "1-5a"),
        ("1-5a 5-b", "3", "c", "1-3a 3-5c 5-b"),  # one before the planned one
        ("1-5a 5-b", "3", "b", "1-3a 3-b"),  # the planned one is earlier
        ("1-5a 5-b", "3", None, "1-3a 5-b"),
        ("1-5a 5-b", "9", "c", "1-5a 5-9b 9-c"),
        ("5-b", "3", "a", "3-5a 5-b"),  # where nothing was
        ("1-5a", "3", "b", "1-3a 3-5b"),  # and inherited again as planned
        ("1-5a", "5", "a", "1-a"),
        ("1-5a", "7", "b", "1-5a 7-b"),
        ("1-3a 3-5b 5-a", "3", "a", "1-a"),
    ],
)
def test_a_change_from_a_day_on(
    before: str, day: str, value: str | None, after: str
) -> None:
    assert changed(spans(before), _day(day), value) == spans(after)
    assert changed(reversed(spans(before)), _day(day), value) == spans(after)


# --- Services -------------------------------------------------------------------------


def charge(
    world: World,
    amount: str | None,
    *,
    days: int = 0,
    key: PriceKey = LINE,
    seen: str = "",
) -> None:
    with subtree(world.acme):
        prices.set_prices(
            plan=world.acme_plan,
            values={key: None if amount is None else Decimal(amount)},
            from_on=TODAY + timedelta(days=days),
            seen=seen,
            by=world.actor(world.ann),
        )


def price_on(plan: RatePlan, days: int, key: PriceKey = LINE) -> tuple[Any, Any]:
    """The price and the plan it comes from, so many days from today."""
    feature, number_class_id, occurs = key
    effective = effective_plan(plan, on=TODAY + timedelta(days=days))
    found = effective.price(Feature(feature), Occurs(occurs), number_class_id)
    return (found.value, found.plan) if found else (None, None)


def past(plan: RatePlan, amount: str) -> None:
    """A price of long ago that goes on."""
    with scopes_disabled():  # tests lay rows of every account
        PlanPrice.objects.create(
            plan=plan,
            feature=Feature.LINE,
            occurs=Occurs.RECURRING,
            amount=Decimal(amount),
            valid=(date(2020, 1, 1), None),
        )


def test_a_price_changes_from_a_day_on_and_its_history_stays(world: World) -> None:
    plan = world.acme_plan
    past(plan, "1")
    charge(world, "2", days=10)
    assert [price_on(plan, days)[0] for days in (-500, 0, 9, 10, 99)] == [1, 1, 1, 2, 2]
    charge(world, "3", days=10)  # the planned change is another one
    charge(world, "1.5")  # and something changes before it
    assert [price_on(plan, days)[0] for days in (-1, 0, 9, 10)] == [
        1,
        Decimal("1.5"),
        Decimal("1.5"),
        3,
    ]


def test_a_removed_price_is_inherited_again(world: World) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    past(world.root_plan, "7")
    past(world.acme_plan, "1")
    charge(world, None, days=5)
    assert price_on(world.acme_plan, 4) == (1, world.acme_plan)
    assert price_on(world.acme_plan, 5) == (7, world.root_plan)


def test_the_past_cannot_be_changed(world: World) -> None:
    assert refused(lambda: charge(world, "2", days=-2)) == {"from_on": ["past"]}


@pytest.mark.parametrize("amount", ["-1", "0.0000000001", "10000000000"])
def test_a_price_is_refused(world: World, amount: str) -> None:
    assert list(refused(lambda: charge(world, amount))) == ["amount"]


def test_numbers_are_priced_by_class(world: World) -> None:
    gold = NumberClass.objects.create(name="Nuggets")
    key: PriceKey = ("number", gold.pk, "signup")
    charge(world, "99", key=key)
    normal = NumberClass.objects.get(name="Normal")
    assert price_on(world.acme_plan, 0, key)[0] == 99
    assert price_on(world.acme_plan, 0, ("number", normal.pk, "signup"))[0] is None


def test_a_change_of_prices_is_in_the_log(world: World) -> None:
    charge(world, "1")
    charge(world, "2.5", days=10)
    with scopes_disabled():
        event = AuditEvent.objects.filter(action="plan.priced").latest("pk")
        changes = {row.field: (row.old, row.new) for row in event.changes.all()}
    assert changes == {
        "valid_from": ("", (TODAY + timedelta(days=10)).isoformat()),
        "price:line:recurring": ("1 EUR", "2.5 EUR"),
    }


def test_what_changes_nothing_is_not_in_the_log(world: World) -> None:
    charge(world, None)
    with scopes_disabled():
        assert not AuditEvent.objects.filter(action="plan.priced").exists()


def test_prices_saved_late_are_refused(world: World) -> None:
    with subtree(world.acme):
        seen = prices.state_of_prices(world.acme_plan)
    charge(world, "1", seen=seen)
    with pytest.raises(StaleError):
        charge(world, "2", seen=seen)


def test_markups_change_from_a_day_on(world: World) -> None:
    pair = Markup(Decimal(20), Decimal("0.01"))
    for values, days in (({"outcost": pair}, 0), ({"outcost": None}, 5)):
        with subtree(world.acme):
            prices.set_markups(
                plan=world.acme_plan,
                values=values,
                from_on=TODAY + timedelta(days=days),
                by=world.actor(world.ann),
            )
    for days, percent in ((0, 20), (4, 20), (5, 0)):
        effective = effective_plan(world.acme_plan, on=TODAY + timedelta(days=days))
        assert effective.markup(MarkupKind.OUT_COST).value.percent == percent
    with scopes_disabled():
        assert PlanMarkup.objects.count() == 1


def permit(world: World, maximum: int | None, included: int | None = None) -> None:
    with subtree(world.acme):
        prices.set_permissions(
            plan=world.acme_plan,
            values={Feature.LINE: (maximum, included)},
            by=world.actor(world.ann),
        )


@pytest.mark.parametrize(
    ("own", "granted", "is_refused"),
    [
        (None, -1, False),
        (-1, -1, False),
        (5, 5, False),
        (5, 0, False),
        (5, None, False),
        (5, 6, True),
        (5, -1, True),
        (0, 1, True),
        (0, 0, False),
    ],
)
def test_nobody_grants_what_its_own_plan_forbids(
    world: World, own: int | None, granted: int | None, is_refused: bool
) -> None:
    with scopes_disabled():
        PlanFeature.objects.create(
            plan=world.root_plan, feature=Feature.LINE, maximum=own
        )
    if is_refused:
        refusal = refused(lambda: permit(world, granted))
        assert refusal == {"line_maximum": ["own_plan"]}
    else:
        permit(world, granted, 2)
        with scopes_disabled():
            row = PlanFeature.objects.get(plan=world.acme_plan)
        assert (row.maximum, row.included) == (granted, 2)


def test_the_system_owner_grants_anything(world: World) -> None:
    with subtree(world.root):
        prices.set_permissions(
            plan=world.root_plan,
            values={Feature.PERSON: (-1, None)},
            by=world.actor(world.olga),
        )
        row = PlanFeature.objects.get(plan=world.root_plan)
    assert (row.feature, row.maximum, row.included) == (Feature.PERSON, -1, None)


# --- Pages ----------------------------------------------------------------------------


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def confirm(client: Client, url: str, **typed: Any) -> Any:
    """Save, read what would change, and save once more."""
    page = send(client, url, **typed)
    assert page.status_code == 200
    mark = page.context["unconfirmed"].mark
    return client.post(url, entries_of(page, confirmed=mark, **typed))


def test_prices_are_entered_and_told_with_their_source(
    world: World, ann: Client
) -> None:
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    past(world.root_plan, "7")
    url = page_of(world.acme, "prices", pk=world.acme_plan.pk)
    text = ann.get(url).content.decode()
    assert "If empty: €7.00, from Reseller standard." in text
    assert "If empty: what you pay yourself is passed through." in text
    page = send(ann, url, line_recurring="9,50")
    told = page.content.decode()
    for word in ("Telephone line: Per month", "€7.00", "€9.50", "1 customer."):
        assert word in told
    assert confirm(ann, url, line_recurring="9,50").status_code == 302
    assert price_on(world.acme_plan, 0) == (Decimal("9.5"), world.acme_plan)


def test_a_price_from_a_later_day_is_shown_as_planned(
    world: World, ann: Client
) -> None:
    past(world.acme_plan, "1")
    later = (TODAY + timedelta(days=10)).isoformat()
    url = page_of(world.acme, "prices", pk=world.acme_plan.pk)
    confirm(ann, url, line_recurring="2", from_on=later)
    page = ann.get(url)
    assert page.context["form"]["line_recurring"].value() == "1.00"
    (planned,) = page.context["planned"]
    assert planned.text == "€2.00"
    field = str(page.context["form"]["line_recurring"].help_text)
    assert planned.value in field  # beside the price, with its button
    assert planned.value not in str(page.context["form"]["line_signup"].help_text)
    then = ann.get(planned.url)
    assert then.context["form"]["line_recurring"].value() == "2.00"
    assert then.context["form"]["from_on"].value().isoformat() == later


LATER, LATEST = TODAY + timedelta(days=10), TODAY + timedelta(days=20)


def call_off(client: Client, world: World, planned: str) -> Any:
    """Press the button of a planned change, and confirm what the page then says."""
    url = page_of(world.acme, "withdraw", pk=world.acme_plan.pk)
    asked = client.post(url, {"planned": planned})
    assert asked.status_code == 200
    mark = asked.context["found"].mark
    return client.post(url, entries_of(asked, confirmed=mark))


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (LATER, [1, 1, 3]),  # what is planned for later stays planned
        (LATEST, [1, 2, 2]),
    ],
)
def test_a_planned_price_is_withdrawn(
    world: World, ann: Client, day: date, after: list[int]
) -> None:
    past(world.acme_plan, "1")
    charge(world, "2", days=10)
    charge(world, "3", days=20)
    answer = call_off(ann, world, f"price:line:recurring@{day.isoformat()}")
    assert answer["Location"].startswith(
        page_of(world.acme, "prices", pk=world.acme_plan.pk)
    )
    assert [price_on(world.acme_plan, days)[0] for days in (0, 10, 20)] == after
    with scopes_disabled():
        event = AuditEvent.objects.filter(action="plan.priced").latest("pk")
        changes = {each.field: each.new for each in event.changes.all()}
    assert changes["valid_from"] == day.isoformat()
    assert changes["price:line:recurring"] == f"{after[1]} EUR"


def test_a_price_that_is_planned_to_end_goes_on(world: World, ann: Client) -> None:
    past(world.acme_plan, "1")
    charge(world, None, days=10)
    page = ann.get(page_of(world.acme, "prices", pk=world.acme_plan.pk))
    (planned,) = page.context["planned"]
    assert planned.text == "inherited again"
    call_off(ann, world, planned.value)
    assert price_on(world.acme_plan, 99)[0] == 1


def test_a_first_price_that_is_withdrawn_is_inherited_still(
    world: World, ann: Client
) -> None:
    charge(world, "2", days=10)
    call_off(ann, world, f"price:line:recurring@{LATER.isoformat()}")
    with scopes_disabled():
        assert not PlanPrice.objects.filter(plan=world.acme_plan).exists()


def test_a_planned_markup_is_withdrawn(world: World, ann: Client) -> None:
    url = page_of(world.acme, "markups", pk=world.acme_plan.pk)
    confirm(ann, url, outcost_markup="5", from_on=LATER.isoformat())
    (planned,) = ann.get(url).context["planned"]
    assert call_off(ann, world, planned.value)["Location"].startswith(url)
    with scopes_disabled():
        assert not PlanMarkup.objects.filter(plan=world.acme_plan).exists()


def test_withdrawing_says_first_what_comes_of_it(world: World, ann: Client) -> None:
    past(world.acme_plan, "1")
    charge(world, "2", days=10)
    url = page_of(world.acme, "withdraw", pk=world.acme_plan.pk)
    planned = f"price:line:recurring@{LATER.isoformat()}"
    # A press of the button alone changes nothing, nor what confirmed something else.
    for mark in ("", "other"):
        page = ann.post(url, {"planned": planned, "confirmed": mark})
        text = page.content.decode()
        for word in (format_day(LATER), "€2.00", "€1.00", "1 customer."):
            assert word in text
    assert price_on(world.acme_plan, 10)[0] == 2


@pytest.mark.parametrize(
    "planned",
    [
        "",
        f"price:line:recurring@{TODAY.isoformat()}",
        f"price:line:recurring@{LATEST.isoformat()}",
        f"price:line:signup@{LATER.isoformat()}",
    ],
)
def test_what_is_not_planned_is_not_withdrawn(
    world: World, ann: Client, planned: str
) -> None:
    past(world.acme_plan, "1")
    charge(world, "2", days=10)
    url = page_of(world.acme, "withdraw", pk=world.acme_plan.pk)
    assert ann.post(url, {"planned": planned}).status_code == 302
    assert ann.get(url).status_code == 405
    assert [price_on(world.acme_plan, days)[0] for days in (0, 10)] == [1, 2]


@pytest.mark.parametrize("days", [0, 5])
def test_the_service_refuses_what_is_not_planned(world: World, days: int) -> None:
    charge(world, "2")
    with subtree(world.acme):
        found = refused(
            lambda: prices.withdraw(
                plan=world.acme_plan,
                code="price:line:recurring",
                on=TODAY + timedelta(days=days),
                by=world.actor(world.ann),
            )
        )
    assert found == {"": ["not_planned"]}


def test_the_question_repeats_the_day_from_which_it_counts(
    world: World, ann: Client
) -> None:
    past(world.acme_plan, "1")
    url = page_of(world.acme, "prices", pk=world.acme_plan.pk)
    page = send(ann, url, line_recurring="2", from_on=LATER.isoformat())
    assert f"Counted from {format_day(LATER)} on:" in page.content.decode()
    # Another day is another question.
    mark = page.context["unconfirmed"].mark
    typed = {"line_recurring": "2", "from_on": LATEST.isoformat(), "confirmed": mark}
    assert ann.post(url, entries_of(page, **typed)).status_code == 200
    assert price_on(world.acme_plan, 20)[0] == 1


def test_a_wrong_price_stands_at_its_field(world: World, ann: Client) -> None:
    url = page_of(world.acme, "prices", pk=world.acme_plan.pk)
    page = send(ann, url, line_signup="-1", from_on="2020-01-01")
    assert list(errors_of(page)) == ["line_signup"]
    page = send(ann, url, line_signup="1", from_on="2020-01-01")
    assert list(errors_of(page)) == ["from_on"]


def test_the_system_owner_passes_nothing_through(world: World) -> None:
    url = page_of(world.root, "prices", pk=world.root_plan.pk)
    text = world.client(world.olga).get(url).content.decode()
    assert "If empty: nothing is charged." in text


def test_permissions_are_entered(world: World, ann: Client) -> None:
    url = page_of(world.acme, "permissions", pk=world.acme_plan.pk)
    typed = {"line_maximum_0": "number", "line_maximum_1": "3"}
    assert confirm(ann, url, **typed).status_code == 302
    with scopes_disabled():
        assert PlanFeature.objects.get(plan=world.acme_plan).maximum == 3


def test_permissions_beyond_ones_own_stand_at_their_field(
    world: World, ann: Client
) -> None:
    with scopes_disabled():
        PlanFeature.objects.create(
            plan=world.root_plan, feature=Feature.LINE, maximum=2
        )
    url = page_of(world.acme, "permissions", pk=world.acme_plan.pk)
    page = send(ann, url, line_maximum_0="number", line_maximum_1="3")
    assert errors_of(page) == {
        "line_maximum": ["Your own rate plan allows you 2 in all."]
    }


def test_markups_are_entered_in_pairs(world: World, ann: Client) -> None:
    url = page_of(world.acme, "markups", pk=world.acme_plan.pk)
    assert confirm(ann, url, outcost_markup="20").status_code == 302
    with scopes_disabled():
        row = PlanMarkup.objects.get(plan=world.acme_plan)
    assert (row.kind, row.markup, row.margin) == ("outcost", 20, 0)
    page = send(ann, url, outcost_markup="-101")
    assert list(errors_of(page)) == ["outcost_markup"]


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("price:line:signup", "Telephone line: Sign-up"),
        ("price:number:99999:signup", "Number: Sign-up"),  # a class that is gone
        ("markup:outcost", "Outbound cost per minute"),
        ("maximum:person", "Person: maximum"),
    ],
)
def test_the_log_names_prices(db: None, code: str, label: str) -> None:
    assert field_label("rateplans.rateplan", code) == label
