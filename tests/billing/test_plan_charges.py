"""Charges of a plan are asked about before they are saved: who pays how much from when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from billing.models import BillingAccount, Charge, LedgerEntry
from billing.services import charges
from portal.core.display import format_day
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.billing.pages import url_of
from tests.pages import entries_of, errors_of, send
from tests.world import World

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
