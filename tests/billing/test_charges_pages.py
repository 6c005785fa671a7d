"""Charges on a customer and on a plan: adding, changing, ending, charging now; pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.test import Client
from django.utils.html import strip_tags

from billing.choices import ChargePeriod
from billing.models import BillingAccount, Charge, LedgerEntry, Tax, TaxLiability
from billing.services import charge_rows, charges
from customers.models import Customer
from customers.services import tree
from portal.core.errors import StaleError
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled, subtree
from portal.core.staleness import state_of
from portal.core.urls import account_url
from rateplans.choices import BillType
from rateplans.models import RatePlan
from tests.billing.pages import labels_of, url_of
from tests.customers.features import actions_of, queries_of, refusals_of, without
from tests.pages import entries_of, errors_of, send
from tests.race import WAIT, race, wait_until_somebody_waits
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


@pytest.mark.parametrize(("cost", "warned"), [("12", True), ("10", False), ("", False)])
@pytest.mark.parametrize("is_on_plan", [True, False])
def test_charge_below_its_cost_is_warned_of(
    world: World, ann: Client, cost: str, warned: bool, is_on_plan: bool
) -> None:
    url = (
        url_of(world.acme, "plan-charge-create", pk=world.acme_plan.pk)
        if is_on_plan
        else url_of(world.acme, "customer-charge-create", pk=world.beta.pk)
    )
    values = {"name": "Rack", "amount": "10", "buy": cost, "period": "monthly"}
    answer = send(ann, url, **values)
    if is_on_plan:  # asked first: customers are on it
        assert ("You pay" in answer.content.decode()) == warned
        found = answer.context["unconfirmed"]
        answer = send(ann, url, **values, confirmed=found.mark)
    assert answer.status_code == 302
    page = ann.get(answer.url)
    said = [str(each) for each in page.context["messages"]]
    text = "You pay €12.00 monthly for this yourself, and sell it for €10.00."
    assert (text in said) == warned


def add(world: World, *, limit: int | None = 1000, **values: Any) -> Charge:
    """Ten euros a month on Beta from 1 December on, unless ``values`` say otherwise."""
    fields: dict[str, Any] = {
        "name": "Router rental",
        "amount": Decimal(10),
        "currency": "EUR",
        "period": ChargePeriod.MONTHLY,
        "starts_on": date(2026, 12, 1),
    }
    taxes = values.pop("taxes", [])
    is_immediate = values.pop("is_immediate", False)
    with subtree(world.acme):
        if limit is not None:
            accounts = BillingAccount.objects.filter(customer=world.beta)
            accounts.update(credit_limit=limit)
        return charge_rows.add_charge(
            account=world.beta.account,
            values=fields | values,
            by=world.actor(world.ann),
            taxes=taxes,
            is_immediate=is_immediate,
        )


def posted() -> list[tuple[str, str]]:
    with scopes_disabled():
        entries = LedgerEntry.objects.order_by("pk")
        return [(entry.description, f"{entry.amount:.2f}") for entry in entries]


def now(world: World, charge: Charge) -> Any:
    with subtree(world.acme):
        return charges.charge_now(charge=charge, by=world.actor(world.ann))


# --- Adding, changing, ending -----------------------------------------------------------


def test_adding_bills_nothing(world: World) -> None:
    charge = add(world)
    assert charge.next_on == date(2026, 12, 1)
    assert posted() == []
    assert actions_of(charge) == ["charge.created"]


def test_immediately_is_charged_with_its_taxes(world: World) -> None:
    with subtree(world.acme):
        TaxLiability.objects.create(account=world.beta.account, tax=world.acme_tax)
    charge = add(
        world,
        period=ChargePeriod.ONCE,
        starts_on=date(2026, 11, 22),
        taxes=[world.acme_tax],
        is_immediate=True,
    )
    charge.refresh_from_db()
    assert posted() == [("Router rental", "-11.90")]
    assert charge.next_on is None


def test_immediately_without_credit_adds_nothing(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        add(
            world,
            limit=0,
            period=ChargePeriod.ONCE,
            starts_on=date(2026, 11, 22),
            is_immediate=True,
        )
    assert "The credit of Beta Voice is not enough" in refusals_of(caught)[""][0]
    with scopes_disabled():
        assert not Charge.objects.exists()


def delete(world: World) -> None:
    with subtree(world.acme):
        tree.delete_customer(customer=world.gamma, by=world.actor(world.ben))
        tree.delete_customer(customer=world.beta, by=world.actor(world.ann))


@pytest.mark.parametrize("period", [ChargePeriod.MONTHLY, ChargePeriod.ONCE])
def test_on_a_deleted_customer_nothing_falls_due(
    world: World, period: ChargePeriod
) -> None:
    delete(world)
    with pytest.raises(ValidationError) as caught:
        add(world, period=period)
    assert refusals_of(caught) == {
        "period": ["The customer is deleted: it can only be charged immediately."]
    }
    with scopes_disabled():
        assert not Charge.objects.exists()


def test_a_deleted_customer_is_still_charged_immediately(
    world: World, ann: Client
) -> None:
    delete(world)
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(credit_limit=100)
    url = url_of(world.acme, "customer-charge-create", pk=world.beta.pk)
    answer = send(ann, url, name="Kept router", amount="80", period="monthly")
    assert list(errors_of(answer)) == ["period"]
    answer = send(ann, url, name="Kept router", amount="80", period="now")
    assert answer.url == list_url(world)
    assert posted() == [("Kept router", "-80.00")]


@pytest.mark.django_db(transaction=True)
def test_a_charge_waits_for_whoever_deletes_the_customer() -> None:
    world = build_world()
    deleted = Event()

    def remove() -> None:
        with transaction.atomic():
            delete(world)
            deleted.set()
            wait_until_somebody_waits()

    def put() -> None:
        assert deleted.wait(WAIT)
        add(world, limit=None)

    gone, refused = race(remove, put)
    assert gone is None
    assert isinstance(refused, ValidationError), refused
    with scopes_disabled():
        assert not Charge.objects.exists()


@pytest.mark.parametrize(
    ("amount", "quantity", "booked"),
    [
        ("0.004", 1, []),
        ("0.004", 2, [("Router rental × 2", "-0.01")]),
        ("0.005", 1, [("Router rental", "-0.01")]),
    ],
)
def test_immediately_of_nothing_is_refused_at_the_amount(
    world: World, amount: str, quantity: int, booked: list[tuple[str, str]]
) -> None:
    values: dict[str, Any] = {
        "amount": Decimal(amount),
        "quantity": quantity,
        "period": ChargePeriod.ONCE,
        "starts_on": date(2026, 11, 22),
        "is_immediate": True,
    }
    if booked:
        add(world, **values)
    else:
        with pytest.raises(ValidationError) as caught:
            add(world, **values)
        [refusal] = refusals_of(caught)["amount"]
        assert refusal == "This comes to 0 in EUR: there is nothing to charge."
        with scopes_disabled():
            assert not Charge.objects.exists()
    assert posted() == booked


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"buy": Decimal(-1)}, "buy"),
        ({"quantity": 0}, "quantity"),
        ({"currency": "XXX"}, "currency"),
        ({"period": "daily"}, "period"),
        ({"number": 0}, "number"),
        ({"ends_on": date(2026, 12, 1)}, "ends_on"),
        ({"starts_on": None}, "starts_on"),
        ({"starts_on": date(2016, 11, 21)}, "starts_on"),
        ({"starts_on": date(2036, 11, 23)}, "starts_on"),
        ({"starts_on": date.min}, "starts_on"),
        ({"starts_on": date.max}, "starts_on"),
    ],
)
def test_what_a_charge_cannot_be(
    world: World, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        add(world, **values)
    assert list(refusals_of(caught)) == [field]


@pytest.mark.parametrize("day", [date(2016, 11, 22), date(2036, 11, 22)])
def test_the_first_and_the_last_day_a_charge_can_begin(world: World, day: date) -> None:
    assert add(world, starts_on=day).next_on == day


def test_a_charge_that_began_long_ago_can_still_be_changed(world: World) -> None:
    charge = add(world, starts_on=date(2016, 11, 22))
    with time_machine.travel(NOON + timedelta(days=400)), subtree(world.acme):
        by = world.actor(world.ann)
        charge_rows.update_charge(
            charge=charge, values={"amount": Decimal(11)}, taxes=[], by=by
        )
    charge.refresh_from_db()
    assert charge.amount == 11


def test_taxes_of_others_cannot_be_ticked(world: World) -> None:
    with scopes_disabled():
        foreign = Tax.objects.create(owner=world.rival, name="T", rate=1)
    with pytest.raises(ValidationError) as caught:
        add(world, taxes=[foreign])
    assert list(refusals_of(caught)) == ["taxes"]


def test_only_the_provider_charges(world: World) -> None:
    charge = add(world)
    weak = without(world.actor(world.ann), Permission.COMMERCE)
    for by in (weak, world.actor(world.olga), world.actor(world.ben)):
        with subtree(world.root):
            with pytest.raises(PermissionDenied):
                charges.charge_now(charge=charge, by=by)
            with pytest.raises(PermissionDenied):
                charge_rows.end_charge(charge=charge, by=by)
            with pytest.raises(PermissionDenied):
                charge_rows.update_charge(charge=charge, values={}, taxes=[], by=by)
            with pytest.raises(PermissionDenied):
                charge_rows.add_charge(
                    account=world.beta.account, values={}, taxes=[], by=by
                )


def test_what_was_charged_fixes_its_days_and_currency(world: World) -> None:
    charge, by = add(world, starts_on=date(2026, 11, 1)), world.actor(world.ann)
    charges.charge_due(world.beta.account.pk)
    with subtree(world.acme):
        for name, value in (
            ("currency", "USD"),
            ("period", ChargePeriod.ANNUALLY),
            ("starts_on", date(2026, 10, 1)),
        ):
            with pytest.raises(ValidationError) as caught:
                charge_rows.update_charge(
                    charge=charge, values={name: value}, taxes=[], by=by
                )
            assert list(refusals_of(caught)) == [name]
        changed = charge_rows.update_charge(
            charge=charge, values={"amount": Decimal(12)}, taxes=[], by=by
        )
    assert changed.next_on == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("values", "next_on"),
    [
        ({"name": "Router"}, date(2027, 3, 1)),
        ({"amount": Decimal(11), "number": 12}, date(2027, 3, 1)),
        ({"ends_on": date(2027, 3, 2)}, date(2027, 3, 1)),
        ({"number": 3}, None),
        ({"starts_on": date(2027, 1, 15)}, date(2027, 1, 15)),
    ],
)
def test_changing_a_charge_does_not_bring_back_times_that_passed_uncharged(
    world: World, values: dict[str, Any], next_on: date | None
) -> None:
    charge = add(world)
    with subtree(world.acme):
        account = BillingAccount.objects.filter(customer=world.beta)
        account.update(bill_type=BillType.EXTERNAL)
        charges.charge_due(account.get().pk, on=date(2027, 2, 10))
        account.update(bill_type=BillType.PREPAID)
    charge.refresh_from_db()
    assert (charge.next_on, posted()) == (date(2027, 3, 1), [])
    by = world.actor(world.ann)
    with subtree(world.acme):
        charge_rows.update_charge(charge=charge, values=values, taxes=[], by=by)
    charge.refresh_from_db()
    assert charge.next_on == next_on


def test_update_from_an_old_state_overwrites_nothing(world: World) -> None:
    charge, by = add(world), world.actor(world.ann)
    seen = state_of(charge, charge_rows.FIELDS)
    with subtree(world.acme):
        charge_rows.update_charge(charge=charge, values={"name": "A"}, taxes=[], by=by)
        with pytest.raises(StaleError):
            charge_rows.update_charge(
                charge=charge, values={"name": "B"}, taxes=[], by=by, seen=seen
            )


def test_what_has_ended_is_charged_no_more(world: World) -> None:
    charge = add(world, starts_on=date(2026, 11, 1))
    with subtree(world.acme):
        charge_rows.end_charge(charge=charge, by=world.actor(world.ann))
    assert charges.charge_due(world.beta.account.pk) == 0
    with pytest.raises(ValidationError):
        now(world, charge)
    assert actions_of(charge) == ["charge.ended", "charge.created"]


# --- Charge now -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # once: all of it, whenever it would be due
        ({"period": "once", "quantity": 2}, [("Router rental × 2", "-20.00")]),
        (
            {"period": "once", "starts_on": date(2027, 5, 1)},
            [("Router rental", "-10.00")],
        ),
        # before the first time: the days until then, 9 of 30
        ({}, [("Router rental, 2026-11-22 – 2026-11-30", "-3.00")]),
        (
            {"period": "annually", "amount": Decimal(365)},
            [("Router rental, 2026-11-22 – 2026-11-30", "-9.00")],
        ),
        # due and not billed yet: whole times
        (
            {"starts_on": date(2026, 10, 15)},
            [
                ("Router rental, 2026-10-15 – 2026-11-14", "-10.00"),
                ("Router rental, 2026-11-15 – 2026-12-14", "-10.00"),
            ],
        ),
    ],
)
def test_charge_now(
    world: World, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    charge = add(world, **values)
    now(world, charge)
    assert posted() == expected
    with pytest.raises(ValidationError):
        now(world, charge)
    assert posted() == expected


def test_the_part_before_does_not_replace_the_first_time(world: World) -> None:
    charge = add(world, number=1)
    now(world, charge)
    assert charges.charge_due(world.beta.account.pk, on=date(2027, 3, 1)) == 1
    assert [amount for _text, amount in posted()] == ["-3.00", "-10.00"]


def test_a_charge_far_off_cannot_be_charged_now(world: World) -> None:
    with pytest.raises(ValidationError) as caught:
        now(world, add(world, starts_on=date(2027, 2, 1)))
    assert "2027-02-01" in refusals_of(caught)[""][0]


def test_charge_now_keeps_within_the_credit(world: World) -> None:
    charge = add(world, limit=2)
    with pytest.raises(ValidationError) as caught:
        now(world, charge)
    assert "at least €1.00" in refusals_of(caught)[""][0]
    assert posted() == []


def test_charge_now_of_nothing_says_so(world: World, ann: Client) -> None:
    charge = add(world, amount=Decimal("0.004"), period=ChargePeriod.ONCE)
    url = url_of(world.acme, "charge-now", pk=charge.pk)
    assert "comes to 0 in EUR" in ann.get(url).context["refusal"]
    assert ann.post(url).status_code == 422
    charge.refresh_from_db()
    assert charge.next_on == date(2026, 12, 1)


@pytest.mark.django_db(transaction=True)
def test_charging_now_twice_at_once_posts_one_entry() -> None:
    world = build_world()
    charge = add(world)
    results = race(*[lambda: now(world, charge)] * 4)
    refused = [found for found in results if isinstance(found, ValidationError)]
    assert len(refused) == 3, results
    assert len(posted()) == 1


# --- Pages ----------------------------------------------------------------------------


def list_url(world: World) -> str:
    return account_url(world.acme.pk, "customers:customer-charges", pk=world.beta.pk)


def test_a_charge_is_added_on_the_customers_page(world: World, ann: Client) -> None:
    url = url_of(world.acme, "customer-charge-create", pk=world.beta.pk)
    form = ann.get(url).context["form"]
    assert form["currency"].value() == "EUR"
    assert form["taxes"].value() == [world.acme_tax.pk]
    answer = send(ann, url, name="Installation", amount="49,90", period="once")
    assert answer.url == list_url(world)
    page = ann.get(answer.url)
    assert labels_of(page) == ["Installation"]
    assert "€49.90" in page.content.decode()
    with scopes_disabled():
        charge = Charge.objects.get()
        assert [tax.name for tax in charge.taxes.all()] == ["VAT"]
    assert (charge.owner_id, charge.period) == (world.acme.pk, "once")


def test_a_charge_is_added_and_charged_immediately(world: World, ann: Client) -> None:
    with scopes_disabled():
        BillingAccount.objects.filter(customer=world.beta).update(credit_limit=100)
    url = url_of(world.acme, "customer-charge-create", pk=world.beta.pk)
    entries = entries_of(
        ann.get(url), name="Visit", amount="80", period="now", starts_on=""
    )
    assert ann.post(url, entries).url == ann.post(url, entries).url == list_url(world)
    assert posted() == [("Visit", "-80.00")]


def test_a_plans_charge_is_added_on_its_page(world: World, ann: Client) -> None:
    url = url_of(world.acme, "plan-charge-create", pk=world.acme_plan.pk)
    page = send(ann, url, name="Fund", amount="1")
    mark = page.context["unconfirmed"].mark  # Beta is on the plan
    answer = ann.post(url, entries_of(page, confirmed=mark))
    assert answer.url == url_of(world.acme, "plan-charges", pk=world.acme_plan.pk)
    assert labels_of(ann.get(answer.url)) == ["Fund"]
    with scopes_disabled():
        charge = Charge.objects.get()
    assert (charge.plan_id, charge.account_id) == (world.acme_plan.pk, None)
    page = ann.get(url_of(world.acme, "charge-edit", pk=charge.pk))
    assert [step["title"] for step in page.context["steps"]] == ["End"]
    url = url_of(world.acme, "charge-now", pk=charge.pk)
    assert "hourly run" in ann.get(url).context["refusal"]
    assert ann.post(url).status_code == 422


def on_plan(plan: RatePlan, name: str = "Fund", **values: Any) -> Charge:
    """3.50 a month on a plan from 15 January 2026 on."""
    fields: dict[str, Any] = {
        "owner": plan.owner,
        "plan": plan,
        "name": name,
        "amount": Decimal("3.50"),
        "currency": "EUR",
        "period": ChargePeriod.MONTHLY,
        "starts_on": date(2026, 1, 15),
    }
    with scopes_disabled():
        return Charge.objects.create(**(fields | values))


def heir_of(base: RatePlan, owner: Customer, *customers: Customer) -> RatePlan:
    """A plan that inherits from ``base``, with ``customers`` on it."""
    with scopes_disabled():
        heir = RatePlan.objects.create(
            owner=owner, name="Heir", base=base, currency="EUR"
        )
        BillingAccount.objects.filter(customer__in=customers).update(plan=heir)
        return heir


def rows_of(page: Any) -> dict[str, tuple[str, str, str]]:
    """Next due, customers and status of each charge in the list."""
    found = {}
    for row in page.context["table"].rows:
        cells = {cell.column.key: strip_tags(cell.html) for cell in row.cells}
        told = cells["next"], cells["customers"], cells["status"].strip()
        found[row.label] = told
    return found


def test_a_plans_charges_say_whom_they_reach_and_when(
    world: World, ann: Client
) -> None:
    url = url_of(world.acme, "plan-charges", pk=world.acme_plan.pk)
    assert "nobody so far" not in ann.get(url).context["subtitle"]
    heir_of(world.acme_plan, world.beta, world.gamma)
    on_plan(world.acme_plan)
    on_plan(world.acme_plan, "Ended", ended_at=NOON)
    on_plan(world.acme_plan, "Over", number=3)
    on_plan(world.acme_plan, "Once", period=ChargePeriod.ONCE)
    page = ann.get(url)
    assert page.context["subtitle"] == (
        "2 customers on Acme basic, or on a plan that inherits from it, pay them."
    )
    assert rows_of(page) == {
        "Ended": ("", "0", "Ended"),
        "Fund": ("2026-12-15", "2", "Active"),
        "Once": ("", "2", "Active"),
        "Over": ("", "2", "Over"),
    }
    before = queries_of(ann, url)
    for number in range(5):
        on_plan(world.acme_plan, f"Charge {number}")
    assert queries_of(ann, url) == before <= 30


def test_who_pays_no_recurring_fees_pays_no_charge_of_a_plan(
    world: World, ann: Client
) -> None:
    heir_of(world.acme_plan, world.beta, world.gamma)
    with scopes_disabled():
        accounts = BillingAccount.objects.filter(customer=world.gamma)
        accounts.update(bill_type=BillType.NONE)
    charge = on_plan(world.acme_plan)
    for name, kwargs in (
        ("plan-charge-create", {"pk": world.acme_plan.pk}),
        ("charge-edit", {"pk": charge.pk}),
    ):
        facts = ann.get(url_of(world.acme, name, **kwargs)).context["facts"]
        assert [fact.get("value") for fact in facts][-1] == "1"
    with scopes_disabled():
        accounts = BillingAccount.objects.filter(customer=world.beta)
        accounts.update(bill_type=BillType.NONE)
    url = url_of(world.acme, "plan-charges", pk=world.acme_plan.pk)
    assert ann.get(url).context["subtitle"].endswith("pay them: nobody so far.")


def test_inherited_charges_are_shown_with_the_plan_they_come_from(
    world: World,
) -> None:
    """The names of plans further up than the account may know stay closed."""
    hidden = world.root_plan
    with scopes_disabled():
        RatePlan.objects.filter(pk=world.acme_plan.pk).update(inherits_own=True)
    heir = heir_of(world.acme_plan, world.acme)
    on_plan(hidden, "From above", quantity=2, number=12, buy=1)
    on_plan(world.acme_plan, "From basic", period=ChargePeriod.ANNUALLY)
    on_plan(world.acme_plan, "Ended", ended_at=NOON)
    on_plan(heir, "Own")
    page = world.client(world.ann).get(url_of(world.acme, "plan-charges", pk=heir.pk))
    told = [
        (row["label"], strip_tags(row["html"]), row["help"])
        for row in page.context["inherited"]
    ]
    assert told == [
        ("From basic", "€3.50 · Annually · from 2026-01-15", "From Acme basic"),
        (
            "From above",
            "2 × €3.50 · Monthly, 12 times · from 2026-01-15",
            "From Reseller standard",
        ),
    ]
    assert labels_of(page) == ["Own"]
    below = heir_of(heir, world.beta)
    page = world.client(world.ben).get(url_of(world.beta, "plan-charges", pk=below.pk))
    # Beta knows the plan that it is on, but none above that.
    told_of = [(row["label"], row["help"]) for row in page.context["inherited"]]
    assert told_of == [
        ("Own", "From Heir"),
        ("From basic", "From Acme basic"),
        ("From above", "From Acme basic"),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u202egnp"}, "name"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"amount": "0.004", "period": "now"}, "amount"),
        ({"quantity": "0"}, "quantity"),
        ({"period": "daily"}, "period"),
        ({"period": "monthly", "starts_on": ""}, "starts_on"),
        ({"period": "monthly", "starts_on": "0206-11-22"}, "starts_on"),
        ({"period": "monthly", "ends_on": "2020-01-01"}, "ends_on"),
        ({"taxes": ["999999"]}, "taxes"),
    ],
)
def test_the_page_refuses_at_the_field(
    world: World, ann: Client, changes: dict[str, Any], field: str
) -> None:
    url = url_of(world.acme, "customer-charge-create", pk=world.beta.pk)
    answer = send(ann, url, **({"name": "Kept", "amount": "5"} | changes))
    assert list(errors_of(answer)) == [field]
    assert posted() == []


@pytest.mark.django_db(transaction=True)
def test_what_is_chosen_and_deleted_at_the_same_moment_is_told() -> None:
    world = build_world()
    with scopes_disabled():
        tax = Tax.objects.create(owner=world.acme, name="Levy", rate=Decimal(1))
    url = url_of(world.acme, "customer-charge-create", pk=world.beta.pk)
    client, deleted = world.client(world.ann), Event()
    entries = entries_of(client.get(url), name="Kept", amount="5", taxes=[tax.pk])

    def delete() -> None:
        with scopes_disabled(), transaction.atomic():
            tax.delete()
            deleted.set()
            wait_until_somebody_waits()

    def save() -> Any:
        assert deleted.wait(WAIT)
        return client.post(url, entries)

    _nothing, answer = race(delete, save)
    assert answer.status_code == 422
    assert "what you chose is gone" in answer.content.decode()
    assert answer.context["form"]["name"].value() == "Kept"
    with scopes_disabled():
        assert not Charge.objects.exists()


def test_charge_now_shows_the_amount_with_taxes_first(
    world: World, ann: Client
) -> None:
    with subtree(world.acme):
        TaxLiability.objects.create(account=world.beta.account, tax=world.acme_tax)
    charge = add(world, taxes=[world.acme_tax])
    url = url_of(world.acme, "charge-now", pk=charge.pk)
    page = ann.get(url)
    assert "shortage" not in page.context
    assert page.context["total"] == "€3.57"
    assert page.context["lines"][0]["taxes"] == "VAT €0.57"
    assert page.context["balance_after"] == "-€3.57"
    assert posted() == []
    assert send(ann, url).url == url_of(world.acme, "charge-edit", pk=charge.pk)
    assert posted() == [("Router rental, 2026-11-22 – 2026-11-30", "-3.57")]
    assert "charged already" in ann.get(url).context["refusal"]


def test_charge_now_says_beforehand_what_the_credit_falls_short_of(
    world: World, ann: Client
) -> None:
    charge = add(world, limit=2)
    page = ann.get(url_of(world.acme, "charge-now", pk=charge.pk))
    assert "The credit falls €1.00 short of this." in page.content.decode()


def test_edit_and_end_on_their_pages(world: World, ann: Client) -> None:
    charge = add(world)
    url = url_of(world.acme, "charge-edit", pk=charge.pk)
    assert send(ann, url, amount="12").url == list_url(world)
    charge.refresh_from_db()
    assert charge.amount == 12
    assert send(ann, url_of(world.acme, "charge-end", pk=charge.pk)).status_code == 302
    page = ann.get(f"{list_url(world)}?status=over")
    assert labels_of(page) == ["Router rental"]
    assert "Ended" in page.content.decode()
    assert labels_of(ann.get(f"{list_url(world)}?status=active")) == []


def test_the_list_costs_the_same_for_one_and_for_many(
    world: World, ann: Client
) -> None:
    add(world)
    before = queries_of(ann, list_url(world))
    for number in range(5):
        add(world, name=f"Charge {number}", starts_on=NOON.date() + timedelta(number))
    assert queries_of(ann, list_url(world)) == before <= 30


@pytest.mark.parametrize("page", ["charge-edit", "charge-now", "charge-end"])
def test_charges_of_others_are_not_found(world: World, ann: Client, page: str) -> None:
    with scopes_disabled():
        for customer, provider in ((world.gamma, world.beta), (world.acme, world.root)):
            charge = Charge.objects.create(
                owner=provider,
                account=customer.account,
                name="Foreign",
                amount=1,
                currency="EUR",
                starts_on=NOON.date(),
                next_on=NOON.date(),
            )
            url = url_of(world.acme, page, pk=charge.pk)
            assert ann.get(url).status_code == ann.post(url).status_code == 404


def test_only_direct_customers_have_the_tab(world: World, ann: Client) -> None:
    def has_tab(customer: Customer) -> bool:
        url = account_url(world.acme.pk, "customers:customer-detail", pk=customer.pk)
        return "Charges" in [tab["label"] for tab in ann.get(url).context["tabs"]]

    assert has_tab(world.beta)
    assert not has_tab(world.gamma)
    url = account_url(world.acme.pk, "customers:customer-charges", pk=world.gamma.pk)
    assert ann.get(url).status_code == 404
    url = url_of(world.acme, "customer-charge-create", pk=world.gamma.pk)
    assert ann.get(url).status_code == 404
