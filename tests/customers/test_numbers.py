"""Numbers: into the system, taken from the account above, led to lines, given back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from customers.choices import CustomerKind
from customers.models import Customer, Mailbox, Number, TelephoneLine
from customers.selectors import numbers_in_stock
from customers.services import lines, mailboxes, numbers
from portal.core.actor import system_actor
from portal.core.errors import StaleError
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from rateplans.models import NumberClass
from tests.customers.features import (
    actions_of,
    enter,
    queries_of,
    refusals_of,
    url_of,
    without,
)
from tests.pages import entries_of, errors_of, send
from tests.race import race
from tests.world import World


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture
def ben(world: World) -> Client:
    """A browser of Beta's staff; Beta takes its numbers from Acme."""
    return world.client(world.ben)


def line_of(customer: Customer, username: str = "l-1") -> TelephoneLine:
    with subtree(customer):
        line, _password = lines.create_line(
            customer=customer,
            values={"name": "Desk", "username": username},
            by=system_actor(customer),
        )
    return line


def box_of(customer: Customer) -> Mailbox:
    with subtree(customer):
        mailbox, _pin = mailboxes.create_mailbox(
            customer=customer,
            values={"name": "Box", "box_number": "100"},
            by=system_actor(customer),
        )
    return mailbox


def add(world: World, *given: str, customer: Customer | None = None) -> list[Number]:
    account = customer or world.acme
    with subtree(account):
        return numbers.add_numbers(
            customer=account,
            numbers=given,
            number_class=NumberClass.objects.get(name="Normal"),
            by=system_actor(account),
        )


def fresh(number: Number) -> Number:
    with scopes_disabled():
        return Number.objects.select_related("customer", "line", "mailbox").get(
            pk=number.pk
        )


# --- Into the system ------------------------------------------------------------------


def test_add_tells_country_and_area(world: World) -> None:
    (number,) = add(world, "+493012345678")
    assert (number.country, number.area) == ("DE", "Berlin")
    assert number.is_free
    assert actions_of(number) == ["number.added"]


@pytest.mark.parametrize(
    "wrong", ["030 901820", "+0301234567", "+49", "+4930901820123456", "+49 30 901820"]
)
def test_add_refuses_what_is_not_e164(world: World, wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        add(world, "+493012345678", wrong)
    assert list(refusals_of(caught)) == ["number"]
    with scopes_disabled():
        assert Number.objects.count() == len(world.numbers)


def test_add_names_the_number_that_is_here_already(world: World) -> None:
    add(world, "+493012345678", customer=world.rival)
    with pytest.raises(ValidationError) as caught:
        add(world, "+493012345677", "+493012345678")
    message = "+493012345678 is already in the system."
    assert refusals_of(caught) == {"number": [message]}


def test_the_database_refuses_as_well(world: World) -> None:
    normal = NumberClass.objects.get(name="Normal")
    for text, constraint in (
        ("+49305550100", "number_once"),
        ("49305550109", "number_is_e164"),
        ("+0305550109", "number_is_e164"),
    ):
        number = Number(number=text, customer=world.acme, number_class=normal)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            number.save()


@pytest.mark.parametrize(
    ("first", "count", "last"),
    [
        ("+493012345678", 1, "+493012345678"),
        ("+493012345600", 100, "+493012345699"),
        ("+493012345000", 1000, "+493012345999"),
    ],
)
def test_ranges_are_counted_on(first: str, count: int, last: str) -> None:
    expanded = numbers.expand_range(first, count)
    assert (expanded[0], expanded[-1], len(expanded)) == (first, last, count)


@pytest.mark.parametrize(
    ("first", "count"),
    [("+493012345678", 0), ("+493012345678", 1001), ("+999999999999", 2)],
)
def test_ranges_that_cannot_be_are_refused(first: str, count: int) -> None:
    with pytest.raises(ValidationError) as caught:
        numbers.expand_range(first, count)
    assert list(refusals_of(caught)) == ["count"]


# --- From above, and back -------------------------------------------------------------


def take(world: World, number: Number, customer: Customer, **values: Any) -> Number:
    with subtree(customer):
        return numbers.take_number(
            number=number, customer=customer, values=values, by=system_actor(customer)
        )


def test_take_moves_a_free_number_down_and_onto_a_line(world: World) -> None:
    line = line_of(world.beta)
    take(world, world.numbers[0], world.beta, line=line, description="Hotline")
    number = fresh(world.numbers[0])
    assert (number.customer, number.line) == (world.beta, line)
    assert number.description == "Hotline"
    assert actions_of(number) == ["number.updated", "number.assigned"]


def test_take_refuses_what_the_provider_does_not_have_free(world: World) -> None:
    busy, grandparents = world.numbers[0], add(world, "+493012345678")[0]
    with subtree(world.acme):
        Number.objects.filter(pk=busy.pk).update(line=line_of(world.acme))
    (rivals,) = add(world, "+493012345679", customer=world.rival)
    for number, customer in (
        (busy, world.beta),
        (grandparents, world.gamma),
        (rivals, world.beta),
    ):
        with pytest.raises(ValidationError) as caught:
            take(world, number, customer)
        assert list(refusals_of(caught)) == ["number"]
        assert fresh(number).customer_id == number.customer_id


def test_take_at_the_top_is_refused(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        take(world, world.numbers[0], world.root)
    assert "no account above" in refusals_of(caught)["number"][0]


def test_take_onto_a_foreign_line_takes_nothing(world: World) -> None:
    line = line_of(world.rival)
    with pytest.raises(ValidationError) as caught:
        take(world, world.numbers[0], world.beta, line=line)
    assert list(refusals_of(caught)) == ["line"]
    assert fresh(world.numbers[0]).customer == world.acme


@pytest.mark.django_db(transaction=True)
def test_one_number_goes_to_one_of_two_at_once(world: World) -> None:
    sister = Customer(
        parent=world.acme,
        name="Delta",
        account_number="2",
        email="d@d.test",
        pk=world.gamma.pk + 1000,
        path=f"{world.acme.path}{world.gamma.pk + 1000}.",
    )
    sister.save(force_insert=True)
    number = world.numbers[0]
    results = race(
        lambda: take(world, number, world.beta), lambda: take(world, number, sister)
    )
    refused = [r for r in results if isinstance(r, ValidationError)]
    (taken,) = [r for r in results if isinstance(r, Number)]
    assert "has just been given to somebody else" in str(refused[0])
    assert fresh(number).customer_id == taken.customer_id


def test_release_gives_a_number_back_clean(world: World) -> None:
    number = take(
        world, world.numbers[0], world.beta, line=line_of(world.beta), description="x"
    )
    with subtree(world.beta):
        numbers.release_number(number=number, by=world.actor(world.ben))
    number = fresh(number)
    assert (number.customer, number.description) == (world.acme, "")
    assert number.is_free


def test_release_at_the_top_leaves_the_system(world: World) -> None:
    (number,) = add(world, "+493012345678", customer=world.root)
    with subtree(world.root):
        numbers.release_number(number=number, by=world.actor(world.olga))
        assert not Number.objects.filter(pk=number.pk).exists()


def residential(world: World) -> Number:
    """Gamma as a residential customer, named by its number."""
    number = take(world, world.numbers[0], world.beta)
    with scopes_disabled():
        Number.objects.filter(pk=number.pk).update(customer=world.gamma)
        Customer.objects.filter(pk=world.gamma.pk).update(
            kind=CustomerKind.RESIDENTIAL, name=number.number
        )
    world.gamma.refresh_from_db()
    return fresh(number)


def test_a_residential_customer_keeps_its_number(world: World) -> None:
    number = residential(world)
    with subtree(world.gamma), pytest.raises(ValidationError) as caught:
        numbers.release_number(number=number, by=system_actor(world.gamma))
    assert "consists of" in refusals_of(caught)[""][0]
    assert fresh(number).customer == world.gamma


def test_services_need_right_and_account(world: World) -> None:
    number = world.numbers[0]
    weak = without(
        world.actor(world.ann), Permission.ADMINISTRATOR, Permission.COMMERCE
    )
    for by in (weak, world.actor(world.eve)):
        with subtree(world.root):
            with pytest.raises(PermissionDenied):
                numbers.update_number(number=number, values={}, by=by)
            with pytest.raises(PermissionDenied):
                numbers.release_number(number=number, by=by)
            with pytest.raises(PermissionDenied):
                numbers.take_number(
                    number=number, customer=world.beta, values={}, by=by
                )
            with pytest.raises(PermissionDenied):
                numbers.add_numbers(
                    customer=world.acme,
                    numbers=["+493012345678"],
                    number_class=number.number_class,
                    by=by,
                )


def test_update_from_an_old_state_overwrites_nothing(world: World) -> None:
    number, by = world.numbers[0], world.actor(world.ann)
    seen = state_of(number, numbers.FIELDS)
    with subtree(world.acme):
        numbers.update_number(number=number, values={"description": "Theirs"}, by=by)
        with pytest.raises(StaleError):
            numbers.update_number(
                number=number, values={"description": "Mine"}, seen=seen, by=by
            )
    assert fresh(number).description == "Theirs"


def test_stock_is_what_the_account_above_has_free(world: World) -> None:
    with subtree(world.acme):
        Number.objects.filter(pk=world.numbers[0].pk).update(line=line_of(world.acme))
    add(world, "+493012345679", customer=world.rival)
    add(world, "+493012345670", customer=world.root)
    with subtree(world.beta):
        assert list(numbers_in_stock(world.beta)) == world.numbers[1:]
        assert not numbers_in_stock(world.gamma).exists()
        assert not numbers_in_stock(world.root).exists()


# --- Pages ----------------------------------------------------------------------------


def test_list_shows_numbers_as_they_are_written(world: World, ann: Client) -> None:
    page = ann.get(url_of(world.acme, "number-list")).content.decode()
    assert "+49 30 5550100" in page
    assert "Free" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("q=030+5550101", 1),
        ("q=%2B49305550", 3),
        ("q=berl", 3),
        ("q=hot", 1),
        ("use=free", 2),
        ("use=in_use", 1),
        ("number_class=999999", 3),
        ("sort=-number", 3),
        ("sort=class", 3),
    ],
)
def test_list_is_narrowed(world: World, ann: Client, query: str, count: int) -> None:
    with subtree(world.acme):
        Number.objects.filter(pk=world.numbers[0].pk).update(
            line=line_of(world.acme), description="Hotline"
        )
    page = ann.get(f"{url_of(world.acme, 'number-list')}?{query}")
    assert len(page.context["table"].rows) == count


def test_list_costs_the_same_for_one_and_for_many(world: World, ben: Client) -> None:
    url = url_of(world.beta, "number-list")
    take(world, world.numbers[0], world.beta, line=line_of(world.beta))
    before = queries_of(ben, url)
    add(world, *numbers.expand_range("+493012345600", 5), customer=world.beta)
    assert queries_of(ben, url) == before <= 30


def test_new_offers_what_the_actor_may(world: World, ben: Client) -> None:
    url = url_of(world.beta, "number-new")
    assert len(ben.get(url).context["choices"]) == 2
    gil = world.client(world.gil)
    answer = gil.get(url_of(world.gamma, "number-new"))
    assert answer.url == url_of(world.gamma, "number-take")
    olga = world.client(world.olga)
    answer = olga.get(url_of(world.root, "number-new"))
    assert answer.url == url_of(world.root, "number-enter")
    assert olga.get(url_of(world.root, "number-take")).status_code == 404
    assert gil.get(url_of(world.gamma, "number-enter")).status_code == 403


def test_take_from_the_picker(world: World, ben: Client) -> None:
    line, mailbox = line_of(world.beta), box_of(world.beta)
    url = url_of(world.beta, "number-take")
    assert ben.get(url).content.decode().count('type="radio"') == 3
    answer = send(
        ben,
        url,
        number=world.numbers[1].pk,
        line=line.pk,
        mailbox=mailbox.pk,
        description="Hotline",
        is_in_directory="no",
    )
    assert answer.url == url_of(world.beta, "number-list")
    number = fresh(world.numbers[1])
    assert (number.customer, number.line) == (world.beta, line)
    assert number.mailbox == mailbox
    assert number.is_in_directory is False


def test_take_of_what_is_gone_keeps_what_was_typed(world: World, ben: Client) -> None:
    url = url_of(world.beta, "number-take")
    entries = entries_of(
        ben.get(url), number=world.numbers[0].pk, description="still here"
    )
    with subtree(world.acme):
        Number.objects.filter(pk=world.numbers[0].pk).update(line=line_of(world.acme))
    answer = ben.post(url, entries)
    assert "not free any more" in errors_of(answer)["number"][0]
    assert "still here" in answer.content.decode()


def test_foreign_ids_posted_by_hand_are_refused(world: World, ben: Client) -> None:
    (rivals,) = add(world, "+493012345679", customer=world.rival)
    url = url_of(world.beta, "number-take")
    own = world.numbers[0].pk
    for changes, field in (
        ({"number": rivals.pk}, "number"),
        ({"number": "x"}, "number"),
        ({"number": own, "line": line_of(world.rival).pk}, "line"),
        ({"number": own, "mailbox": box_of(world.acme).pk}, "mailbox"),
        ({"number": own, "is_in_directory": "maybe"}, "is_in_directory"),
    ):
        assert list(errors_of(send(ben, url, **changes))) == [field]
    assert fresh(world.numbers[0]).customer == world.acme


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        ("digits=0305550101", 1),
        ("digits=99999", 0),
        ("area=Berlin", 3),
        ("area=Hamburg", 0),
        ("number_class=999999", 0),
        ("number_class=²", 3),
        ("digits=²", 3),
        ("area=%00", 3),
    ],
)
def test_stock_is_searched(world: World, ben: Client, query: str, found: int) -> None:
    answer = ben.get(f"{url_of(world.beta, 'number-stock')}?{query}")
    assert answer.content.decode().count('type="radio"') == found


def test_stock_search_keeps_the_chosen_one(world: World, ben: Client) -> None:
    query = {"digits": "5550102", "number": str(world.numbers[0].pk)}
    answer = ben.get(url_of(world.beta, "number-stock"), query)
    assert answer.content.decode().count('type="radio"') == 2
    assert answer.content.decode().count("checked") == 1


def test_empty_stock_leads_on_who_may_enter_numbers(world: World) -> None:
    gil = world.client(world.gil)
    page = gil.get(url_of(world.gamma, "number-take"))
    assert "no free numbers at present" in page.content.decode()
    assert page.context["empty"].action_url == ""
    assert "Take this number" not in page.content.decode()
    with scopes_disabled():
        world.gil.role.permissions.append("commerce")
        world.gil.role.save()
    page = gil.get(url_of(world.gamma, "number-take"))
    assert page.context["empty"].action_url == url_of(world.gamma, "number-enter")


def test_stock_of_others_is_not_shown(world: World) -> None:
    (rivals,) = add(world, "+493012345679", customer=world.rival)
    eve = world.client(world.eve)
    page = eve.get(url_of(world.rival, "number-stock"), {"number": rivals.pk})
    assert 'type="radio"' not in page.content.decode()


def test_enter_one_leads_to_it(world: World, ann: Client) -> None:
    answer = send(ann, url_of(world.acme, "number-enter"), number="030 12345678")
    with subtree(world.acme):
        number = Number.objects.get(number="+493012345678")
    assert answer.url == url_of(world.acme, "number-edit", pk=number.pk)
    assert number.area == "Berlin"


def test_enter_a_block(world: World, ann: Client) -> None:
    gold = NumberClass.objects.create(name="Gold", rank=9)
    answer = send(
        ann,
        url_of(world.acme, "number-enter"),
        number="+49 30 12345600",
        count="20",
        number_class=gold.pk,
        description="Block",
    )
    assert answer.url == url_of(world.acme, "number-list")
    with subtree(world.acme):
        made = Number.objects.filter(number_class=gold, description="Block")
        assert made.count() == 20


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": ""}, "number"),
        ({"number": "call me"}, "number"),
        ({"number": "+49"}, "number"),
        ({"number": "+49305550100"}, "number"),
        ({"number": "+49305550099", "count": "2"}, "number"),
        ({"count": "0"}, "count"),
        ({"count": "1001"}, "count"),
        ({"count": "1e3"}, "count"),
        ({"number_class": "999999"}, "number_class"),
        ({"description": "x" * 201}, "description"),
    ],
)
def test_enter_refuses_at_the_field_and_adds_nothing(
    world: World, ann: Client, changes: dict[str, str], field: str
) -> None:
    url = url_of(world.acme, "number-enter")
    answer = send(ann, url, **({"number": "+493012345600"} | changes))
    assert list(errors_of(answer)) == [field]
    with scopes_disabled():
        assert Number.objects.count() == len(world.numbers)


def test_edit_leads_a_number_elsewhere(world: World, ann: Client) -> None:
    line = line_of(world.acme)
    url = url_of(world.acme, "number-edit", pk=world.numbers[0].pk)
    assert send(ann, url, line=line.pk, is_in_directory="yes").status_code == 302
    number = fresh(world.numbers[0])
    assert (number.line, number.is_in_directory) == (line, True)
    assert send(ann, url, line="", is_in_directory="").status_code == 302
    number = fresh(world.numbers[0])
    assert number.is_free
    assert number.is_in_directory is None


def test_edit_refuses_foreign_lines_and_mailboxes(world: World, ann: Client) -> None:
    url = url_of(world.acme, "number-edit", pk=world.numbers[0].pk)
    below = line_of(world.beta)
    assert list(errors_of(send(ann, url, line=below.pk))) == ["line"]
    assert list(errors_of(send(ann, url, mailbox=box_of(world.rival).pk))) == [
        "mailbox"
    ]


@pytest.mark.parametrize("page", ["number-edit", "number-release"])
def test_numbers_of_other_accounts_are_not_found(
    world: World, ann: Client, page: str
) -> None:
    take(world, world.numbers[0], world.beta)
    (rivals,) = add(world, "+493012345679", customer=world.rival)
    (roots,) = add(world, "+493012345670", customer=world.root)
    for number in (world.numbers[0], rivals, roots):
        url = url_of(world.acme, page, pk=number.pk)
        assert ann.get(url).status_code == ann.post(url).status_code == 404


def test_release_says_where_the_number_goes_but_not_who_that_is(world: World) -> None:
    number = take(world, world.numbers[0], world.beta, line=line_of(world.beta))
    ben = world.client(world.ben)
    url = url_of(world.beta, "number-release", pk=number.pk)
    page = ben.get(url)
    assert "goes back to your provider" in page.context["consequences"][0]
    assert "Desk" in page.context["consequences"][1]
    assert "Acme Telecom" not in page.content.decode()
    assert send(ben, url).url == url_of(world.beta, "number-list")
    assert fresh(number).customer == world.acme


def test_release_at_the_top_says_that_it_leaves(world: World) -> None:
    (number,) = add(world, "+493012345670", customer=world.root)
    url = url_of(world.root, "number-release", pk=number.pk)
    page = world.client(world.olga).get(url)
    assert "leaves the system" in page.context["consequences"][0]


def test_a_residential_customers_number_has_no_release_button(world: World) -> None:
    number = residential(world)
    client = enter(world, world.ben, world.gamma)
    page = client.get(url_of(world.gamma, "number-edit", pk=number.pk))
    (step,) = page.context["steps"]
    assert "url" not in step
    url = url_of(world.gamma, "number-release", pk=number.pk)
    page = client.get(url)
    assert page.context["refusal"]
    assert client.post(url, entries_of(page)).status_code == 422


def test_plain_users_see_the_list_and_change_nothing(world: World) -> None:
    client = world.client(world.uli)
    page = client.get(url_of(world.acme, "number-list"))
    assert {row.url for row in page.context["table"].rows} == {""}
    assert not page.context["page_actions"]
    pk = world.numbers[0].pk
    for name, kwargs in (
        ("number-new", {}),
        ("number-take", {}),
        ("number-stock", {}),
        ("number-enter", {}),
        ("number-edit", {"pk": pk}),
        ("number-release", {"pk": pk}),
    ):
        assert client.get(url_of(world.acme, name, **kwargs)).status_code == 403
