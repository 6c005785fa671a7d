"""What things cost: seen beforehand on the pages, charged once, refused in plain words."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from billing.models import BilledFeature, BillingAccount, LedgerEntry
from customers.models import Customer, Mailbox, Number, TelephoneLine
from customers.services import lines
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import Feature, Occurs
from rateplans.models import NumberClass, PlanPrice, RatePlan
from tests.billing.tariffs import balance, entries, permit, price, set_account
from tests.books import give
from tests.customers.features import enter, url_of
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World

# Days before the first day of the next month, so that the rest of this one is known.
NOON = "2026-06-16T12:00:00+02:00"


@pytest.fixture
def priced(world: World, time_machine: Any) -> World:
    """A line costs Beta 10 and 30 a month, and Acme 3 a month; the middle of June.

    New customers of Acme pay 19 % VAT; those that are here do not.
    """
    time_machine.move_to(NOON, tick=False)
    price(world.acme_plan, 10, occurs=Occurs.SIGNUP)
    price(world.acme_plan, 30)
    price(world.root_plan, 3)
    for customer in (world.acme, world.beta, world.gamma):
        set_account(
            customer,
            credit_limit=Decimal(100),
            fees_from=date(2026, 1, 1),
            billed_until=date(2026, 7, 1),
        )
    return world


def line_url(customer: Customer) -> str:
    return url_of(customer, "line-create")


def add_line(client: Client, customer: Customer, name: str = "desk") -> Any:
    typed = {"name": name.title(), "username": f"sip-{name}"}
    return send(client, line_url(customer), **typed)


def test_page_shows_what_saving_costs(priced: World) -> None:
    price_shown = priced.client(priced.ben).get(line_url(priced.beta)).context["price"]
    assert [row["amount"] for row in price_shown["rows"]] == ["€10.00", "€15.00"]
    assert price_shown["total"] == "€25.00"
    assert price_shown["recurring"] == "€30.00"
    assert price_shown["balance_after"] == "-€25.00"
    assert not price_shown["is_short"]


def test_saving_charges_what_was_shown_at_every_level(priced: World) -> None:
    assert add_line(priced.client(priced.ben), priced.beta).status_code == 302
    assert balance(priced.beta) == Decimal(-25)
    assert balance(priced.acme) == Decimal("-1.5")
    assert entries(priced.beta, "kind", "person_name") == [
        ("signup", "Ben Braun"),
        ("recurring", "Ben Braun"),
    ]


def test_price_that_changed_is_shown_before_it_is_charged(priced: World) -> None:
    client = priced.client(priced.ben)
    page = client.get(line_url(priced.beta))
    typed = entries_of(page, name="Desk", username="sip-desk")
    typed["price_seen"] = str(page.context["price"]["seen"])
    price(priced.beta_plan, 1)  # somebody else's plan changes nothing
    with scopes_disabled():
        prices = PlanPrice.objects.filter(plan=priced.acme_plan)
        prices.filter(occurs=Occurs.SIGNUP).update(amount=12)
    answer = client.post(line_url(priced.beta), typed)
    assert "price has changed" in errors_of(answer)["__all__"][0]
    assert answer.context["form"]["name"].value() == "Desk"
    assert answer.context["price"]["total"] == "€27.00"
    assert balance(priced.beta) == 0
    typed["price_seen"] = answer.context["price"]["seen"]
    assert client.post(line_url(priced.beta), typed).status_code == 302
    assert balance(priced.beta) == -27


def test_what_was_free_is_not_charged_unseen(priced: World) -> None:
    """Two see the one line that is included; the second to save is asked first."""
    permit(priced.acme_plan, included=1)
    client = priced.client(priced.ben)
    page = client.get(line_url(priced.beta))
    assert page.context["price"] is None
    [seen] = shown(page)
    assert add_line(client, priced.beta).status_code == 302
    typed = entries_of(page, name="Late", username="sip-late", price_seen=seen)
    answer = client.post(line_url(priced.beta), typed)
    assert "price has changed" in errors_of(answer)["__all__"][0]
    assert answer.context["price"]["total"] == "€25.00"
    assert balance(priced.beta) == 0


def test_price_is_compared_where_it_is_charged(priced: World) -> None:
    """The service refuses what another took after the page had been judged."""
    permit(priced.acme_plan, included=1)

    def create(name: str, seen: str | None) -> TelephoneLine:
        with subtree(priced.beta):
            line, _password = lines.create_line(
                customer=priced.beta,
                values={"name": name, "username": f"sip-{name}"},
                price_seen=None if seen is None else Decimal(seen),
                by=system_actor(priced.beta),
            )
        return line

    create("first", "0.00")
    for seen in ("0", "24.99", "26.5"):  # free, less, and with what the provider pays
        with pytest.raises(ValidationError) as caught:
            create("second", seen)
        assert caught.value.code == "price_changed"
    with scopes_disabled():
        assert TelephoneLine.objects.filter(customer=priced.beta).count() == 1
        assert BilledFeature.objects.filter(customer=priced.beta).count() == 1
    assert (balance(priced.beta), balance(priced.acme)) == (0, Decimal("-1.5"))
    create("second", "25.00")
    create("third", None)  # nobody was shown a price
    assert balance(priced.beta) == -50


@pytest.mark.parametrize("seen", ["", "x", "NaN", "sNaN", "Infinity", "1e999999999"])
def test_what_is_no_amount_was_no_price(priced: World, seen: str) -> None:
    answer = send(
        priced.client(priced.ben),
        line_url(priced.beta),
        name="Desk",
        username="sip-desk",
        price_seen=seen,
    )
    assert "price has changed" in errors_of(answer)["__all__"][0]
    assert balance(priced.beta) == 0


def test_second_click_of_a_save_is_not_asked_again(priced: World) -> None:
    """The first one has taken what was included: the second does not charge anything."""
    permit(priced.acme_plan, included=1)
    client = priced.client(priced.ben)
    page = client.get(line_url(priced.beta))
    typed = entries_of(page, name="Desk", username="sip-desk", price_seen="0")
    first, second = (client.post(line_url(priced.beta), typed) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert balance(priced.beta) == 0


@pytest.mark.parametrize(
    ("page", "feature", "typed"),
    [
        ("line-create", Feature.LINE, {"name": "Desk", "username": "sip-desk"}),
        ("mailbox-create", Feature.MAILBOX, {"name": "Box", "box_number": "200"}),
        ("person-create", Feature.PERSON, {"username": "late"}),
    ],
)
def test_every_form_hands_on_the_price_it_showed(
    priced: World, page: str, feature: Feature, typed: dict[str, str]
) -> None:
    if feature != Feature.LINE:  # which has a price already
        price(priced.acme_plan, 4, feature, Occurs.SIGNUP)
    client, url = priced.client(priced.ben), url_of(priced.beta, page)
    answer = send(client, url, **typed, price_seen="0.01")
    assert "price has changed" in errors_of(answer)["__all__"][0]
    seen = answer.context["price"]["seen"]
    assert send(client, url, **typed, price_seen=seen).status_code == 302
    assert balance(priced.beta) == -Decimal(seen)


def test_lines_are_added_until_the_credit_ends(priced: World) -> None:
    client = priced.client(priced.ben)
    for number in range(4):
        assert add_line(client, priced.beta, f"n{number}").status_code == 302
    assert balance(priced.beta) == -100  # the limit itself is allowed
    answer = add_line(client, priced.beta, "more")
    assert "Your credit is not enough" in errors_of(answer)["__all__"][0]
    assert "€25.00" in errors_of(answer)["__all__"][0]
    assert answer.context["form"]["name"].value() == "More"
    with scopes_disabled():
        assert TelephoneLine.objects.filter(customer=priced.beta).count() == 4
        assert BilledFeature.objects.filter(customer=priced.beta).count() == 4
    set_account(priced.beta, credit_limit=Decimal(125))
    assert add_line(client, priced.beta, "more").status_code == 302
    assert balance(priced.beta) == -125


def test_shortage_above_is_not_told_below(priced: World) -> None:
    set_account(priced.acme, credit_limit=Decimal(1))
    below = add_line(priced.client(priced.ben), priced.beta)
    assert errors_of(below)["__all__"] == [
        "Your provider cannot supply this at present."
    ]
    switched = enter(priced, priced.ann, priced.beta)
    told = errors_of(add_line(switched, priced.beta))["__all__"][0]
    assert (
        "Your own credit with your provider is not enough: this costs you €1.50" in told
    )
    assert "Acme" not in told


def test_reseller_is_told_whose_limit_to_raise(priced: World) -> None:
    set_account(priced.beta, credit_limit=Decimal(5))
    switched = enter(priced, priced.ann, priced.beta)
    told = errors_of(add_line(switched, priced.beta))["__all__"][0]
    assert "The credit of Beta Voice is not enough" in told
    assert "€20.00" in told


def test_less_than_nothing_is_not_called_available(priced: World) -> None:
    give(priced.beta, "-3.76")
    set_account(priced.beta, credit_limit=Decimal(0))
    told = errors_of(add_line(priced.client(priced.ben), priced.beta))["__all__"][0]
    assert "this costs €25.00, and €0.00 are available." in told
    assert "Top up at least €28.76" in told


def test_forbidden_feature_is_said_and_not_made(priced: World) -> None:
    permit(priced.acme_plan, maximum=0)
    client = priced.client(priced.ben)
    page = client.get(line_url(priced.beta))
    assert "does not allow" in page.context["refusal"]
    answer = add_line(client, priced.beta)
    assert "does not allow" in errors_of(answer)["__all__"][0]
    with scopes_disabled():
        assert not TelephoneLine.objects.filter(customer=priced.beta).exists()


def test_who_comes_from_above_is_judged_by_the_plan_there(priced: World) -> None:
    permit(priced.acme_plan, maximum=0)
    switched = enter(priced, priced.ann, priced.beta)
    assert switched.get(line_url(priced.beta)).context["refusal"] == ""
    assert add_line(switched, priced.beta).status_code == 302
    permit(priced.root_plan, maximum=1)
    told = errors_of(add_line(switched, priced.beta, "two"))["__all__"][0]
    assert "your rate plan allows 1" in told


def test_deleting_says_what_comes_back(priced: World, time_machine: Any) -> None:
    priced.acme_plan.refund_on_removal = True
    priced.acme_plan.save()
    client = priced.client(priced.ben)
    add_line(client, priced.beta)
    with scopes_disabled():
        line = TelephoneLine.objects.get(customer=priced.beta)
    url = url_of(priced.beta, "line-delete", pk=line.pk)
    assert "€14.00 of the fee" in client.get(url).content.decode()
    assert send(client, url).status_code == 302
    assert balance(priced.beta) == -11


def test_number_costs_by_its_class(priced: World) -> None:
    normal = priced.numbers[0].number_class
    price(priced.acme_plan, 60, Feature.NUMBER, number_class=normal)
    url = url_of(priced.beta, "number-take")
    client = priced.client(priced.ben)
    [row] = [
        row
        for row in client.get(url).context["class_prices"]
        if row["name"] == normal.name
    ]
    assert (row["now"], row["recurring"]) == ("€30.00", "€60.00")
    assert send(client, url, number=priced.numbers[0].pk).status_code == 302
    assert balance(priced.beta) == -30
    assert balance(priced.acme) == 0  # it had the number below it before


def shown(page: Any) -> list[str]:
    """The prices that the form on this page carries as seen."""
    return re.findall(r'name="price_seen"\s+value="([^"]*)"', page.content.decode())


def test_number_is_taken_at_the_price_of_its_class_only(priced: World) -> None:
    """Of two classes the chosen number's is compared, also where both had been free."""
    number, client = priced.numbers[0], priced.client(priced.ben)
    normal, gold = number.number_class, NumberClass.objects.create(name="Gold", rank=9)
    url = url_of(priced.beta, "number-take")
    page = client.get(url)
    typed = entries_of(page, number=number.pk, description="Hotline")
    assert shown(page) == [f"{each.pk}:1:0" for each in NumberClass.objects.all()]
    price(priced.acme_plan, 60, Feature.NUMBER, number_class=gold)
    price(priced.acme_plan, 10, Feature.NUMBER, number_class=normal)
    answer = client.post(url, typed | {"price_seen": shown(page)})
    assert "price has changed" in errors_of(answer)["__all__"][0]
    assert answer.context["form"]["description"].value() == "Hotline"
    assert answer.context["chosen"] == str(number.pk)
    assert [row["now"] for row in answer.context["class_prices"]][-1] == "€30.00"
    assert balance(priced.beta) == 0
    with scopes_disabled():
        PlanPrice.objects.filter(number_class=gold).update(amount=80)
        assert Number.objects.get(pk=number.pk).customer == priced.acme
    assert client.post(url, typed | {"price_seen": shown(answer)}).status_code == 302
    assert balance(priced.beta) == -5


def test_number_of_a_class_that_was_not_shown_is_not_charged(priced: World) -> None:
    number, client = priced.numbers[0], priced.client(priced.ben)
    url = url_of(priced.beta, "number-take")
    seen = f"{number.number_class_id + 1000}:1:0"
    answer = send(client, url, number=number.pk, price_seen=seen)
    assert "price has changed" in errors_of(answer)["__all__"][0]


def test_block_of_numbers_costs_what_was_seen_of_one(priced: World) -> None:
    normal = priced.numbers[0].number_class
    price(priced.acme_plan, 4, Feature.NUMBER, number_class=normal)
    client, url = priced.client(priced.ben), url_of(priced.beta, "number-enter")
    page = client.get(url)
    typed = entries_of(page, number="+493012345600", count="3", price_seen=shown(page))
    with scopes_disabled():
        prices = PlanPrice.objects.filter(number_class=normal)
        prices.update(amount=8)
        answer = client.post(url, typed)
        assert "price has changed" in errors_of(answer)["__all__"][0]
        assert answer.context["price"]["total"] == "€12.00"
        prices.update(amount=4)
    assert client.post(url, typed).status_code == 302
    assert balance(priced.beta) == -6


@pytest.mark.parametrize("seen", ["", ":", "1", "x:y:z", "{}:1:1e999999999", "{}:1:-1"])
def test_what_is_no_price_of_a_class_was_none(priced: World, seen: str) -> None:
    answer = send(
        priced.client(priced.ben),
        url_of(priced.beta, "number-enter"),
        number="+493012345600",
        count="3",
        price_seen=seen.format(priced.numbers[0].number_class_id),
    )
    assert "price has changed" in errors_of(answer)["__all__"][0]


def test_block_of_numbers_of_which_some_are_included_is_shown_first(
    priced: World,
) -> None:
    """One more would be free, three are not: nobody has seen that."""
    normal = priced.numbers[0].number_class
    price(priced.acme_plan, 4, Feature.NUMBER, number_class=normal)
    permit(priced.acme_plan, Feature.NUMBER, included=1)
    client, url = priced.client(priced.ben), url_of(priced.beta, "number-enter")
    page = client.get(url)
    typed = entries_of(page, number="+493012345600", count="3")
    answer = client.post(url, typed | {"price_seen": shown(page)})
    assert "price has changed" in errors_of(answer)["__all__"][0]
    assert answer.context["price"]["total"] == "€4.00"
    assert answer.content.decode().count('id="price-title"') == 1
    assert balance(priced.beta) == 0
    assert client.post(url, typed | {"price_seen": shown(answer)}).status_code == 302
    assert balance(priced.beta) == -4


def test_new_customer_needs_credit_for_its_first_fees(priced: World) -> None:
    price(priced.acme_plan, 7, Feature.ACCOUNT, Occurs.SIGNUP)
    client = priced.client(priced.ann)
    url = url_of(priced.acme, "normal-create")
    typed = {"name": "Fresh", "email": "f@fresh.test", "plan": priced.acme_plan.pk}
    typed["price_seen"] = "8.33"
    told = errors_of(send(client, url, **typed, credit_limit="8.32"))
    assert "€8.33" in told["credit_limit"][0]
    assert send(client, url, **typed, credit_limit="8.33").status_code == 302
    with scopes_disabled():
        assert BillingAccount.objects.get(customer__name="Fresh").balance == Decimal(
            "-8.33"
        )


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({}, "€7.00"),
        ({"has_administrator": "on"}, "€9.00"),
        ({"credit_limit": "100"}, "€7.00"),
    ],
)
def test_wizard_tells_the_price_while_one_types(
    priced: World, changes: dict[str, str], total: str
) -> None:
    price(priced.acme_plan, 7, Feature.ACCOUNT, Occurs.SIGNUP)
    price(priced.acme_plan, 2, Feature.PERSON, Occurs.SIGNUP)
    answer = priced.client(priced.ann).post(
        url_of(priced.acme, "warning-check"),
        {"plan": priced.acme_plan.pk, "person_username": "", **changes},
    )
    assert answer.context["price"]["total"] == total
    assert answer.context["price"]["is_short"] == ("credit_limit" not in changes)


@pytest.mark.parametrize(
    ("limit", "beyond"), [("20.00", ""), ("19.99", "€0.01"), ("0", "€20.00")]
)
def test_a_limit_that_the_balance_is_beyond_is_told(
    priced: World, limit: str, beyond: str
) -> None:
    give(priced.beta, -20)
    ann, text = priced.client(priced.ann), f"{beyond} beyond this credit limit"
    typed = {"plan": priced.acme_plan.pk, "version": "1", "credit_limit": limit}
    url = url_of(priced.acme, "warning-check")
    answer = ann.post(f"{url}?customer={priced.beta.pk}", typed)
    assert (text in answer.content.decode()) == bool(beyond)
    # Neither a new customer nor one that belongs to others has a balance here.
    for other in ("", priced.rival.pk):
        answer = ann.post(f"{url}?customer={other}", typed)
        assert "beyond this credit limit" not in answer.content.decode()
    set_account(priced.beta, credit_limit=Decimal(limit))
    page = ann.get(url_of(priced.acme, "customer-detail", pk=priced.beta.pk))
    assert (text in page.content.decode()) == bool(beyond)


@pytest.mark.django_db(transaction=True)
def test_two_adds_at_once_keep_the_maximum(world: World) -> None:
    permit(world.acme_plan, Feature.MAILBOX, maximum=1)
    clients = [world.client(world.ben) for _ in range(2)]
    url = url_of(world.beta, "mailbox-create")
    pages = [client.get(url) for client in clients]

    def post(place: int) -> int:
        typed = {"name": f"Box {place}", "box_number": str(200 + place)}
        answer = clients[place].post(url, entries_of(pages[place], **typed))
        return int(answer.status_code)

    assert sorted(race(lambda: post(0), lambda: post(1))) == [302, 422]
    with scopes_disabled():
        assert Mailbox.objects.filter(customer=world.beta).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_adds_at_once_the_one_not_included_is_shown_its_price(
    world: World,
) -> None:
    permit(world.acme_plan, included=1)
    price(world.acme_plan, 10, occurs=Occurs.SIGNUP)
    days = {"fees_from": date(2026, 1, 1), "billed_until": date(2100, 1, 1)}
    for customer in (world.acme, world.beta):
        set_account(customer, credit_limit=Decimal(100), **days)
    clients = [world.client(world.ben) for _ in range(2)]
    pages = [client.get(line_url(world.beta)) for client in clients]

    def post(place: int) -> Any:
        typed = {"name": f"Line {place}", "username": f"sip-{place}"}
        [seen] = pages[place].context["seen"]
        entries = entries_of(pages[place], **typed, price_seen=seen)
        return clients[place].post(line_url(world.beta), entries)

    answers = race(lambda: post(0), lambda: post(1))
    [refused] = [answer for answer in answers if answer.status_code != 302]
    assert "price has changed" in errors_of(refused)["__all__"][0]
    assert refused.context["price"]["total"] == "€10.00"
    assert balance(world.beta) == 0
    with scopes_disabled():
        assert TelephoneLine.objects.filter(customer=world.beta).count() == 1


def test_feature_without_a_price_posts_nothing(world: World) -> None:
    assert add_line(world.client(world.ben), world.beta).status_code == 302
    with scopes_disabled():
        assert not LedgerEntry.objects.exists()
        assert BilledFeature.objects.filter(customer=world.beta).count() == 1


def test_editing_a_customer_keeps_its_plan(world: World) -> None:
    first = RatePlan.objects.create(owner=world.acme, name="Aardvark", currency="EUR")
    url = url_of(world.acme, "customer-edit", pk=world.beta.pk)
    assert send(world.client(world.ann), url, credit_limit="80").status_code == 302
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=world.beta)
    assert (account.plan, account.credit_limit) == (world.acme_plan, 80)
    assert first != world.acme_plan
