"""What making a customer costs: seen beside the form, charged as one, never unseen."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from billing.models import BillingAccount, LedgerEntry
from customers.models import Customer, Mailbox, Person, TelephoneLine
from portal.core.models import OutgoingEmail
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, Feature, Occurs
from rateplans.models import PlanPrice
from tests.billing.tariffs import balance, entries, price, set_account
from tests.customers.features import enter, url_of
from tests.pages import entries_of, errors_of
from tests.race import WAIT, race, wait_until_somebody_waits
from tests.world import World

KINDS = ("normal", "residential")
FEES = {
    Feature.ACCOUNT: 7,
    Feature.NUMBER: 5,
    Feature.LINE: 4,
    Feature.MAILBOX: 2,
    Feature.PERSON: 1,
}
TOTALS = {"normal": "8", "residential": "19"}


@pytest.fixture
def priced(world: World) -> World:
    """Every feature has a sign-up fee at Acme's customers, and one of 1 at Acme itself."""
    for feature, amount in FEES.items():
        of = world.numbers[0].number_class if feature == Feature.NUMBER else None
        price(world.acme_plan, amount, feature, Occurs.SIGNUP, number_class=of)
        price(world.root_plan, 1, feature, Occurs.SIGNUP, number_class=of)
    _with_credit(world)
    return world


def _with_credit(world: World) -> None:
    days = {"fees_from": date(2026, 1, 1), "billed_until": date(2100, 1, 1)}
    set_account(world.acme, credit_limit=Decimal(100), **days)


def _url(world: World, kind: str) -> str:
    return url_of(world.acme, f"{kind}-create")


def _typed(world: World, kind: str, **changes: Any) -> dict[str, Any]:
    common = {
        "plan": str(world.acme_plan.pk),
        "email": "f@fresh.test",
        "credit_limit": "1000",
        "person_first_name": "Fay",
        "person_last_name": "Fresh",
        "taxes": [],
    }
    if kind == "normal":
        return common | {"name": "Fresh"} | changes
    return common | {"number": str(world.numbers[0].pk)} | changes


def _seen(answer: Any) -> str:
    [seen] = re.findall(r'name="price_seen"\s+value="([^"]*)"', answer.content.decode())
    return str(seen)


def _shown(world: World, client: Client, typed: dict[str, Any]) -> str:
    """What the page's script is told while one types."""
    return _seen(client.post(url_of(world.acme, "warning-check"), typed))


def _form(world: World, client: Client, kind: str, **changes: Any) -> dict[str, Any]:
    """The whole form as a browser with scripts sends it."""
    page = client.get(_url(world, kind))
    typed = entries_of(page, **_typed(world, kind))
    return typed | {"price_seen": _shown(world, client, typed)} | changes


def _made() -> list[Customer]:
    with scopes_disabled():
        return list(Customer.objects.filter(email="f@fresh.test"))


def _assert_nothing_made(world: World) -> None:
    assert _made() == []
    with scopes_disabled():
        assert not LedgerEntry.objects.exists()
        assert not TelephoneLine.objects.exists()
        assert not Mailbox.objects.exists()
        assert not Person.objects.filter(emails="f@fresh.test").exists()
        assert not OutgoingEmail.objects.exists()
        world.numbers[0].refresh_from_db()
    assert world.numbers[0].customer_id == world.acme.pk


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_made_is_charged_as_it_was_shown(
    priced: World, kind: str
) -> None:
    client = priced.client(priced.ann)
    typed = _form(priced, client, kind)
    assert typed["price_seen"] == f"{TOTALS[kind]}.00"
    assert client.post(_url(priced, kind), typed).status_code == 302
    [customer] = _made()
    assert balance(customer) == -Decimal(TOTALS[kind])
    charged = {Feature(feature) for (feature,) in entries(customer, "feature")}
    expected = set(FEES) if kind == "residential" else {Feature.ACCOUNT, Feature.PERSON}
    assert charged == expected
    # Acme had the number before; all else is new to it.
    above = {Feature(feature) for (feature,) in entries(priced.acme, "feature")}
    assert above == expected - {Feature.NUMBER}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("feature", [Feature.ACCOUNT, Feature.PERSON])
def test_price_that_changed_is_shown_before_anything_is_made(
    priced: World, kind: str, feature: Feature
) -> None:
    client = priced.client(priced.ann)
    typed = _form(priced, client, kind, person_first_name="Fay Anne")
    with scopes_disabled():
        prices = PlanPrice.objects.filter(plan=priced.acme_plan, feature=feature)
        prices.update(amount=FEES[feature] + 10)
    answer = client.post(_url(priced, kind), typed)
    assert "price has changed" in errors_of(answer)["__all__"][0]
    total = int(TOTALS[kind]) + 10
    assert answer.context["price"]["total"] == f"€{total}.00"
    again = entries_of(answer, price_seen=_seen(answer))
    assert again["person_first_name"] == "Fay Anne"
    _assert_nothing_made(priced)
    assert client.post(_url(priced, kind), again).status_code == 302
    [customer] = _made()
    assert balance(customer) == -total


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_was_shown_no_price_is_asked_with_it(priced: World, kind: str) -> None:
    """Where scripts do not run, or the one that asks for the price was too slow."""
    client = priced.client(priced.ann)
    typed = _form(priced, client, kind)
    del typed["price_seen"]
    answer = client.post(_url(priced, kind), typed)
    assert errors_of(answer).keys() == {"__all__"}
    assert _seen(answer) == f"{TOTALS[kind]}.00"
    _assert_nothing_made(priced)


@pytest.mark.parametrize("seen", ["", "x", "NaN", "-1", "1e999999999"])
def test_what_is_no_amount_was_no_price(priced: World, seen: str) -> None:
    client = priced.client(priced.ann)
    typed = _form(priced, client, "normal", price_seen=seen)
    assert client.post(_url(priced, "normal"), typed).status_code == 422


@pytest.mark.parametrize("kind", KINDS)
def test_that_it_was_free_is_seen_too(world: World, kind: str) -> None:
    _with_credit(world)
    client = world.client(world.ann)
    typed = _form(world, client, kind)
    assert typed["price_seen"] == "0"
    price(world.acme_plan, 3, Feature.PERSON, Occurs.SIGNUP)
    answer = client.post(_url(world, kind), typed)
    assert _seen(answer) == "3.00"
    _assert_nothing_made(world)


@pytest.mark.parametrize("kind", KINDS)
def test_price_is_that_of_the_day_where_the_customer_will_be(
    priced: World, time_machine: Any, kind: str
) -> None:
    """Else it would be another one whenever it is another day there."""
    time_machine.move_to("2026-06-29T22:30:00+02:00", tick=False)
    price(priced.acme_plan, 30, Feature.ACCOUNT)
    client = priced.client(priced.ann)
    page = client.get(_url(priced, kind))
    typed = entries_of(page, **_typed(priced, kind, time_zone="Pacific/Kiritimati"))
    typed["price_seen"] = _shown(priced, client, typed)
    assert Decimal(typed["price_seen"]) == int(TOTALS[kind]) + 1  # the 30th only
    assert client.post(_url(priced, kind), typed).status_code == 302


# --- Credit -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_limit_that_is_too_low_is_told_as_a_whole(priced: World, kind: str) -> None:
    """Not fee by fee, and without a balance to credit something to."""
    client = priced.client(priced.ann)
    low = f"{int(TOTALS[kind]) - 1}.99"
    typed = _form(priced, client, kind, credit_limit=low)
    told = errors_of(client.post(_url(priced, kind), typed))
    assert told.keys() == {"credit_limit"}
    [text] = told["credit_limit"]
    assert f"credit limit of at least €{TOTALS[kind]}.00" in text
    assert "balance to pay" in text
    _assert_nothing_made(priced)
    typed["credit_limit"] = TOTALS[kind]
    assert client.post(_url(priced, kind), typed).status_code == 302


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("short", ["own", "between"])
def test_credit_of_others_is_no_matter_of_the_new_ones_limit(
    priced: World, kind: str, short: str
) -> None:
    set_account(priced.acme, credit_limit=Decimal(0))
    if short == "own":
        client, text = priced.client(priced.ann), "Your credit is not enough"
    else:  # who comes from above reads whose it is
        client = enter(priced, priced.olga, priced.acme)
        text = "The credit of Acme Telecom"
    typed = _form(priced, client, kind)
    told = errors_of(client.post(_url(priced, kind), typed))
    assert told.keys() == {"__all__"}
    assert text in told["__all__"][0]
    _assert_nothing_made(priced)


def test_who_pays_apart_from_the_balance_needs_no_limit(priced: World) -> None:
    client = priced.client(priced.ann)
    changes = {"bill_type": str(BillType.PREPAID_CALLS), "credit_limit": "0"}
    page = client.get(_url(priced, "normal"))
    typed = entries_of(page, **_typed(priced, "normal", **changes))
    typed["price_seen"] = _shown(priced, client, typed)
    assert client.post(_url(priced, "normal"), typed).status_code == 302
    [customer] = _made()
    assert balance(customer) == 0


# --- At the same instant ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_price_that_changes_while_it_is_saved_is_not_charged(
    priced: World, kind: str
) -> None:
    """What is compared is what is charged, also where the saving had to wait."""
    client = priced.client(priced.ann)
    typed = _form(priced, client, kind)
    is_locked = Event()

    def save() -> Any:
        assert is_locked.wait(WAIT)
        return client.post(_url(priced, kind), typed)

    def change() -> None:
        with scopes_disabled(), transaction.atomic():
            accounts = BillingAccount.objects.select_for_update()
            accounts.get(customer=priced.acme)
            is_locked.set()
            wait_until_somebody_waits()  # the customer is made, but not charged yet
            prices = PlanPrice.objects.filter(plan=priced.acme_plan)
            prices.filter(feature=Feature.PERSON).update(amount=11)

    answer, nothing = race(save, change)
    assert nothing is None
    assert "price has changed" in errors_of(answer)["__all__"][0]
    assert Decimal(_seen(answer)) == int(TOTALS[kind]) + 10
    _assert_nothing_made(priced)
