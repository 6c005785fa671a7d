"""What the pages that delete and restore a customer say before it happens."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import LedgerEntry
from billing.services.periods import close_account
from customers.models import Customer
from portal.core.scope import scopes_disabled
from tests.billing.tariffs import add, balance, item, price, set_account
from tests.pages import entries_of, errors_of, send
from tests.world import World

pytestmark = pytest.mark.django_db
MOST_QUERIES = 30
FEB = date(2026, 2, 1)


@pytest.fixture(autouse=True)
def on_26_january() -> Any:
    with time_machine.travel("2026-01-26T12:00Z", tick=False):
        yield


@pytest.fixture
def ann(world: World) -> Client:
    """Beta has two lines for 31 a month each, which are paid until February."""
    with scopes_disabled():
        Customer.objects.filter(pk=world.gamma.pk).update(
            deleted_at="2026-01-01T00:00Z"
        )
        price(world.acme_plan, 31)
        for customer in (world.acme, world.beta):
            set_account(
                customer,
                credit_limit=1_000,
                fees_from=date(2020, 1, 1),
                billed_until=FEB,
            )
        add(world.beta, item(1), item(2))
    return world.client(world.ann)


def _refunds(world: World, is_on: bool = True) -> None:
    with scopes_disabled():
        world.acme_plan.refund_on_removal = is_on
        world.acme_plan.save()


def _url(world: World, action: str) -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/{action}/"


def _text(page: Any) -> str:
    return " ".join(page.content.decode().split())


def _post(ann: Client, url: str, page: Any, **changes: Any) -> Any:
    """As the browser does it, with the amounts that the page showed."""
    seen = page.context["price_seen"]
    return ann.post(url, entries_of(page, price_seen=seen, **changes))


def test_what_comes_back_is_seen_before(world: World, ann: Client) -> None:
    _refunds(world)
    url = _url(world, "delete")
    page = ann.get(url)
    assert "€10.00 paid for days after today come back" in _text(page)
    [box] = page.context["boxes"]
    assert (box["title"], box["total"]) == ("Comes back", "€10.00")
    assert box["rows"][0]["amount"] == "€10.00"
    assert _post(ann, url, page).status_code == 302
    assert balance(world.beta) == -2


def test_what_a_late_run_left_is_seen_before(world: World, ann: Client) -> None:
    _refunds(world)
    url = _url(world, "delete")
    with time_machine.travel("2026-02-14T12:00Z", tick=False):
        page = ann.get(url)
        assert "due by today is charged first" in _text(page)
        due, back = page.context["boxes"]
        assert (due["title"], due["total"]) == ("Due by today", "€62.00")
        assert (back["title"], back["total"]) == ("Comes back", "€31.00")
        assert balance(world.beta) == -12
        close_account(set_account(world.beta).pk)
        # Somebody charged it meanwhile: what is left is asked again.
        assert _post(ann, url, page).status_code == 422
        page = ann.get(url)
        [back] = page.context["boxes"]
        assert back["total"] == "€31.00"
        assert _post(ann, url, page).status_code == 302
    assert balance(world.beta) == -12 - 62 + 31


def test_plan_without_refunds_is_said(world: World, ann: Client) -> None:
    url = _url(world, "delete")
    page = ann.get(url)
    assert "gives nothing back" in _text(page)
    assert page.context["boxes"] == []
    assert _post(ann, url, page).status_code == 302
    assert balance(world.beta) == -12


def test_nothing_to_come_back_is_said(world: World, ann: Client) -> None:
    _refunds(world)
    with time_machine.travel("2026-01-31T12:00Z", tick=False):
        assert "It has paid for no days after today." in _text(
            ann.get(_url(world, "delete"))
        )


@pytest.mark.parametrize(
    ("contract", "after"), [("waive", -12 + 10), ("charge", -12 - 62)]
)
def test_both_ends_of_a_contract_are_seen_before(
    world: World, ann: Client, contract: str, after: int
) -> None:
    _refunds(world)
    set_account(world.beta, contract_ends_on=date(2026, 3, 1))
    url = _url(world, "delete")
    page = ann.get(url)
    labels = [
        label for _value, label in page.context["form"].fields["contract"].choices
    ]
    assert labels == [
        "Waive it: €10.00 come back",
        "Charge it: €62.00, taxes included",
    ]
    titles = [(box["title"], box["total"]) for box in page.context["boxes"]]
    assert titles == [
        ("Comes back if the rest is waived", "€10.00"),
        ("Rest of the minimum contract", "€62.00"),
    ]
    assert set(errors_of(_post(ann, url, page))) == {"contract"}
    assert _post(ann, url, page, contract=contract).status_code == 302
    assert balance(world.beta) == after


def test_days_after_the_contract_come_back_in_any_case(
    world: World, ann: Client
) -> None:
    _refunds(world)
    set_account(world.beta, contract_ends_on=date(2026, 1, 30))
    page = ann.get(_url(world, "delete"))
    choices = dict(page.context["form"].fields["contract"].choices)
    assert choices["charge"].endswith("€4.00 for days after its end come back")


@pytest.mark.parametrize("action", ["delete", "undelete"])
def test_amounts_that_changed_are_shown_again(
    world: World, ann: Client, action: str
) -> None:
    _refunds(world)
    if action == "undelete":
        send(ann, _url(world, "delete"))
    url = _url(world, action)
    page = ann.get(url)
    with time_machine.travel("2026-01-28T12:00Z", tick=False):
        late = _post(ann, url, page)
        assert late.status_code == 422
        assert "The amounts have changed meanwhile" in _text(late)
        assert _post(ann, url, late).status_code == 302


def test_restoring_says_what_it_costs(world: World, ann: Client) -> None:
    _refunds(world)
    set_account(world.beta, contract_ends_on=date(2026, 3, 1))
    page = ann.get(_url(world, "delete"))
    _post(ann, _url(world, "delete"), page, contract="charge")
    assert balance(world.beta) == -74
    with time_machine.travel("2026-02-15T12:00Z", tick=False):
        url = _url(world, "undelete")
        page = ann.get(url)
        assert "€31.00 of the contract that was charged come back." in _text(page)
        [box] = page.context["boxes"]
        assert (box["title"], box["total"]) == ("Price", "€31.00")
        assert _post(ann, url, page).status_code == 302
    assert balance(world.beta) == -74


def test_missing_rate_is_a_refusal(world: World, ann: Client) -> None:
    set_account(world.beta, currency="USD", contract_ends_on=date(2026, 3, 1))
    url = _url(world, "delete")
    page = ann.get(url)
    assert "no exchange rate of USD" in page.context["refusal"]
    assert ann.post(url, entries_of(page)).status_code == 422


@pytest.mark.parametrize("action", ["delete", "undelete"])
def test_pages_of_many_features_cost_no_more(
    world: World, ann: Client, action: str
) -> None:
    _refunds(world)
    set_account(world.beta, contract_ends_on=date(2026, 3, 1))
    with scopes_disabled():
        add(world.beta, *(item(number) for number in range(10, 40)))
    if action == "undelete":
        page = ann.get(_url(world, "delete"))
        _post(ann, _url(world, "delete"), page, contract="charge")
    url = _url(world, action)
    ann.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert ann.get(url).status_code == 200
    assert len(captured) <= MOST_QUERIES, captured.captured_queries


def test_page_left_open_deletes_and_restores_once(world: World, ann: Client) -> None:
    _refunds(world)
    for action, count in (("delete", 1), ("undelete", 2)):
        url = _url(world, action)
        page = ann.get(url)
        assert _post(ann, url, page).status_code == 302
        again = entries_of(ann.get(url))
        assert ann.post(url, again).status_code == 302
        with scopes_disabled():
            found = LedgerEntry.objects.filter(account__customer=world.beta)
            assert found.exclude(kind="signup").count() == 1 + count
