"""Charges of a plan are asked about before they are saved: who pays how much from when."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.utils.html import strip_tags

from billing.models import BillingAccount, Charge, LedgerEntry, Tax
from billing.services import charge_rows, charges
from portal.core.display import format_day
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import BillType
from rateplans.services import plans
from tests.billing.pages import url_of
from tests.pages import entries_of, errors_of, send
from tests.race import WAIT, race, wait_until_somebody_waits
from tests.rateplans.test_plans import make
from tests.world import World, build_world

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture(autouse=True)
def today() -> Any:
    """22 November 2026 in Berlin, for as long as the test runs."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


def create_url(world: World) -> str:
    return url_of(world.acme, "plan-charge-create", pk=world.acme_plan.pk)


def paying_from(world: World, day: date) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(charges_from=day)


def kept() -> list[str]:
    with scopes_disabled():
        return list(Charge.objects.values_list("name", flat=True))


def test_a_charge_for_customers_is_asked_before_it_is_saved(
    world: World, ann: Client
) -> None:
    typed = {"name": "Fund", "amount": "1.50", "quantity": "2"}
    page = send(ann, create_url(world), **typed, starts_on="2026-12-01")
    text = page.content.decode()
    day = format_day(date(2026, 12, 1))
    assert f"1 customer pays €3.00 monthly from {day} on, net." in text
    assert "by today already" not in text
    assert kept() == []
    with scopes_disabled():
        assert not AuditEvent.objects.filter(action="charge.created").exists()
    mark = page.context["unconfirmed"].mark
    answer = ann.post(create_url(world), entries_of(page, confirmed=mark))
    assert answer.url == url_of(world.acme, "plan-charges", pk=world.acme_plan.pk)
    assert kept() == ["Fund"]


@pytest.mark.parametrize(
    ("period", "since", "times"),
    [
        ("monthly", date(2026, 1, 1), 3),  # 20 September, October and November
        ("monthly", date(2026, 10, 1), 2),
        ("monthly", date(2026, 12, 1), 0),
        ("once", date(2026, 10, 1), 1),
    ],
)
def test_what_is_due_at_once_is_what_the_run_charges(
    world: World, ann: Client, period: str, since: date, times: int
) -> None:
    paying_from(world, since)
    typed = {"name": "Fund", "amount": "4", "period": period, "starts_on": "2026-09-20"}
    page = send(ann, create_url(world), **typed)
    text = page.content.decode()
    assert ("by today already" in text) is bool(times)
    if times:
        assert f"the next run charges €{4 * times}.00, net" in " ".join(text.split())
    ann.post(
        create_url(world), entries_of(page, confirmed=page.context["unconfirmed"].mark)
    )
    with scopes_disabled():
        charges.charge_due(world.beta.account.pk)
        amounts = [entry.amount for entry in LedgerEntry.objects.all()]
    assert sum(amounts) == -4 * times


def test_another_charge_than_was_confirmed_is_asked_again(
    world: World, ann: Client
) -> None:
    page = send(ann, create_url(world), name="Fund", amount="1")
    mark = page.context["unconfirmed"].mark
    again = ann.post(create_url(world), entries_of(page, confirmed=mark, amount="100"))
    assert again.status_code == 200
    assert "€100.00" in again.content.decode()
    assert kept() == []


@pytest.mark.parametrize("bill_type", [BillType.POSTPAID, BillType.EXTERNAL])
def test_only_those_who_pay_are_told_of(
    world: World, ann: Client, bill_type: BillType
) -> None:
    """Customers without recurring fees pay no charges of plans: nobody is asked for."""
    with scopes_disabled():
        accounts = BillingAccount.objects.filter(customer=world.beta)
        accounts.update(bill_type=bill_type)
    answer = send(ann, create_url(world), name="Fund", amount="1")
    pays = bill_type == BillType.POSTPAID
    assert answer.status_code == (200 if pays else 302)
    assert kept() == ([] if pays else ["Fund"])


def test_what_the_service_refuses_is_refused_before_it_is_asked(
    world: World, ann: Client
) -> None:
    page = send(ann, create_url(world), name="Fund", amount="1", starts_on="1950-01-01")
    assert list(errors_of(page)) == ["starts_on"]


# --- Changing one ------------------------------------------------------------------------


def charge_of(world: World, **values: Any) -> Charge:
    begin = date(2026, 9, 20)
    fields = {"name": "Fund", "amount": 4, "period": "monthly", "starts_on": begin}
    with scopes_disabled():
        return Charge.objects.create(
            **(fields | values),
            owner=world.acme,
            plan=world.acme_plan,
            currency="EUR",
        )


def edit_url(world: World, charge: Charge) -> str:
    return url_of(world.acme, "charge-edit", pk=charge.pk)


def run(world: World) -> None:
    with scopes_disabled():
        charges.charge_due(world.beta.account.pk)


def told(page: Any) -> list[tuple[str, str, str, int]]:
    """What a page asks about: what changes from what to what for how many."""
    found = page.context["unconfirmed"].effects
    return [
        (str(each.label), strip_tags(each.old), strip_tags(each.new), each.customers)
        for each in found
    ]


def test_another_price_is_asked_about_before_it_is_saved(
    world: World, ann: Client
) -> None:
    charge = charge_of(world)
    paying_from(world, date(2026, 9, 1))
    run(world)
    url = edit_url(world, charge)
    page = send(ann, url, amount="5", quantity="2")
    assert told(page) == [("Price", "€4.00", "2 × €5.00", 1)]
    assert "by today already" not in page.content.decode()  # the run has charged it
    charge.refresh_from_db()
    assert charge.amount == 4
    with scopes_disabled():
        assert not AuditEvent.objects.filter(action="charge.updated").exists()
    # Something else than was asked about is asked about again.
    mark = page.context["unconfirmed"].mark
    page = ann.post(url, entries_of(page, confirmed=mark, amount="6"))
    assert told(page) == [("Price", "€4.00", "2 × €6.00", 1)]
    mark = page.context["unconfirmed"].mark
    assert ann.post(url, entries_of(page, confirmed=mark)).status_code == 302
    charge.refresh_from_db()
    assert (charge.amount, charge.quantity) == (6, 2)


@pytest.mark.parametrize(
    ("values", "entered", "asked"),
    [
        ({}, {"period": "quarterly"}, ("Due", "Monthly", "Quarterly")),
        ({}, {"number": "9"}, ("Due", "Monthly", "Monthly, 9 times")),
        ({}, {"ends_on": "2026-11-30"}, ("Ends before", "–", date(2026, 11, 30))),
        ({}, {"starts_on": "2026-09-21"}, ("From", "20", "21")),
        ({}, {"name": "Trust", "description": "For all", "buy": "1"}, None),
        # Over: nobody pays it any more, so its price concerns nobody ...
        ({"number": 2}, {"amount": "9"}, None),
        # ... until it goes on.
        ({"number": 2}, {"number": "20"}, ("Due", "2 times", "20 times")),
    ],
)
def test_what_its_customers_pay_is_asked_about_and_nothing_else(
    world: World, ann: Client, values: Any, entered: Any, asked: Any
) -> None:
    charge = charge_of(world, **values)
    answer = send(ann, edit_url(world, charge), **entered)
    if asked is None:
        assert answer.status_code == 302
        return
    [(label, old, new, customers)] = told(answer)
    wanted = asked[2] if isinstance(asked[2], str) else format_day(asked[2])
    assert (label, customers) == (asked[0], 1)
    assert asked[1] in old
    assert wanted in new


def test_other_taxes_are_asked_about(world: World, ann: Client) -> None:
    charge = charge_of(world)
    with scopes_disabled():
        tax = Tax.objects.create(owner=world.acme, name="Levy", rate=5)
    page = send(ann, edit_url(world, charge), taxes=[str(tax.pk)])
    assert told(page) == [("Taxes", "–", "Levy", 1)]
    with scopes_disabled():
        assert not charge.taxes.exists()


@pytest.mark.parametrize(
    ("values", "entered", "times"),
    [
        # 20 September and October were charged; it ended then.
        ({"number": 2}, {"number": "3"}, 1),
        ({"ends_on": date(2026, 11, 1)}, {"ends_on": "2026-12-01"}, 1),
        ({"number": 2}, {"number": "2", "amount": "9"}, 0),
        ({}, {"amount": "9"}, 0),
    ],
)
def test_what_a_change_makes_due_at_once_is_what_the_run_charges(
    world: World, ann: Client, values: Any, entered: Any, times: int
) -> None:
    charge = charge_of(world, **values)
    paying_from(world, date(2026, 9, 1))
    run(world)
    url = edit_url(world, charge)
    page = send(ann, url, **entered)
    with scopes_disabled():
        before = LedgerEntry.objects.count()
    if page.status_code == 200:
        text = page.content.decode()
        assert ("by today already" in text) is bool(times)
        mark = page.context["unconfirmed"].mark
        assert ann.post(url, entries_of(page, confirmed=mark)).status_code == 302
    run(world)
    with scopes_disabled():
        assert LedgerEntry.objects.count() - before == times


def test_who_has_paid_once_is_not_told_of(world: World, ann: Client) -> None:
    charge = charge_of(world, period="once")
    page = send(ann, edit_url(world, charge), amount="9")
    assert told(page) == [("Price", "€4.00", "€9.00", 1)]
    assert "the next run charges €9.00" in " ".join(page.content.decode().split())
    run(world)
    assert send(ann, edit_url(world, charge), amount="9").status_code == 302


def test_a_charge_of_a_customer_is_changed_at_once(world: World, ann: Client) -> None:
    with scopes_disabled():
        charge = Charge.objects.create(
            owner=world.acme,
            account=world.beta.account,
            name="Fund",
            amount=4,
            currency="EUR",
            starts_on=date(2026, 12, 1),
            next_on=date(2026, 12, 1),
        )
    assert send(ann, edit_url(world, charge), amount="5").status_code == 302
    charge.refresh_from_db()
    assert charge.amount == 5


# --- Adding one while its plan is deleted ------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["add", "delete"])
def test_a_charge_is_added_or_its_plan_deleted_but_nothing_fails_at_the_end(
    first: str,
) -> None:
    """Who comes late to a plan that is gone is told so; a charge goes with its plan."""
    world = build_world()
    plan, begun = make(world, name="Unused"), Event()

    def wait_for_the_other() -> None:
        begun.set()
        wait_until_somebody_waits()

    def add() -> Charge:
        values = {
            "name": "Fund",
            "amount": Decimal(4),
            "currency": "EUR",
            "starts_on": date(2026, 12, 1),
        }
        return charge_rows.add_charge(
            values=values, taxes=[], by=world.actor(world.ann), plan=plan
        )

    def delete() -> str:
        plans.delete_plan(plan=plan, by=world.actor(world.ann))
        return "deleted"

    def leading(action: Any) -> Any:
        with subtree(world.acme), transaction.atomic():
            done = action()
            wait_for_the_other()
        return done

    def following(action: Any) -> Any:
        assert begun.wait(WAIT)
        with subtree(world.acme), transaction.atomic():
            return action()

    is_added_first = first == "add"
    added, deleted = race(
        lambda: (leading if is_added_first else following)(add),
        lambda: (following if is_added_first else leading)(delete),
    )
    assert deleted == "deleted"
    if is_added_first:
        assert isinstance(added, Charge), added
    else:
        assert isinstance(added, ValidationError), added
        assert added.messages == ["The rate plan was deleted meanwhile."]
    with scopes_disabled():
        assert not Charge.objects.exists()
