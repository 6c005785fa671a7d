"""What customers owe by age: the pages, the exports, and who sees them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import BillingAccount, Invoice
from billing.receivables import (
    AGES,
    age_of,
    receivables_of,
    statement_of,
    sums_by_currency,
)
from portal.core.actor import Actor
from portal.core.periods import start_of_day
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.test_payments import pay
from tests.world import World

ZONE = "Europe/Berlin"


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows are laid without a request
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta, due_days=0)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def bill(account: BillingAccount, amount: str, key: str = "request:1") -> Invoice:
    charge(account, amount)
    return issued(account, key)


def days_later(invoice: Invoice, days: int) -> Any:
    assert invoice.due_on is not None
    noon = start_of_day(invoice.due_on, ZONE) + timedelta(days=days, hours=12)
    return time_machine.travel(noon, tick=False)


LATE = [
    (-3, "not_due"),
    (0, "not_due"),
    (1, "days_30"),
    (30, "days_30"),
    (31, "days_60"),
    (60, "days_60"),
    (61, "days_90"),
    (90, "days_90"),
    (91, "older"),
    (800, "older"),
]


@pytest.mark.parametrize(("late", "age"), LATE)
def test_ages_in_words_and_in_the_database_agree(
    world: World, account: BillingAccount, late: int, age: str
) -> None:
    assert age_of(late) == age
    invoice = bill(account, "100")
    assert invoice.due_on is not None
    on = invoice.due_on + timedelta(days=late)
    [row] = receivables_of(world.acme, on=on)
    found = {name: getattr(row, name) for name in AGES}
    assert found == dict.fromkeys(AGES, Decimal(0)) | {age: Decimal(100)}
    with days_later(invoice, late):
        statement = statement_of(account, shown_to_customer=True)
        assert statement.by_age == found
        assert statement.total == 100


def test_what_is_paid_counts_no_more(
    world: World, account: BillingAccount, by: Actor
) -> None:
    first = bill(account, "100")
    bill(account, "50", "request:2")
    pay(account, "120", by)
    assert first.due_on is not None
    sums = sums_by_currency(receivables_of(world.acme, on=first.due_on))
    assert sums["EUR"]["owed"] == 30
    pay(account, "30", by)
    assert not receivables_of(world.acme, on=first.due_on).exists()


def test_customer_is_not_told_of_what_waits_for_review(
    world: World, account: BillingAccount
) -> None:
    seller(world.acme, reviews_invoices=True)
    bill(account, "100")
    assert statement_of(account, shown_to_customer=True).open == ()
    assert len(statement_of(account, shown_to_customer=False).open) == 1


# --- Pages ----------------------------------------------------------------------------


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.ann)


def at(world: World, path: str) -> str:
    return f"/a/{world.acme.pk}/commerce/{path}"


def rows_of(client: Client, url: str) -> list[list[str]]:
    answer: Any = client.get(url)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_receivables_list_customers_by_age(
    world: World, client: Client, account: BillingAccount
) -> None:
    invoice = bill(account, "100")
    with days_later(invoice, 40):
        answer = client.get(at(world, "receivables/"))
        assert [row.label for row in answer.context["table"].rows] == [str(account)]
        assert "€100.00" in answer.content.decode()
        for query, count in (
            ("?age=days_60", 1),
            ("?age=older", 0),
            ("?q=beta", 1),
            ("?q=zzz", 0),
        ):
            found = client.get(at(world, f"receivables/{query}"))
            assert len(found.context["table"].rows) == count, query
        [_header, row] = rows_of(client, at(world, "receivables/export/"))
    assert row[0] == "Beta Voice"
    assert row[3:] == ["0.00", "0.00", "100.00", "0.00", "0.00", "100.00"]


def test_statement_of_a_customer_for_its_provider(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    pay(account, "40", by, reference="RE 1")
    url = at(world, f"receivables/{world.beta.pk}/")
    with days_later(invoice, 5):
        found = client.get(url)
        rows = rows_of(client, f"{url}export/")
    page = found.content.decode()
    entries = [
        each for part in found.context["shell"]["menu"] for each in part["entries"]
    ]
    assert [str(each["label"]) for each in entries if each["active"]] == ["Receivables"]
    assert "€60.00" in page
    assert "5 days late" in page
    assert [row[0] for row in rows[1:]] == ["Invoice", "Payment"]
    assert rows[1][4:7] == ["5", "100.00", "60.00"]
    assert rows[2][5] == "40.00"


def test_statement_numbers_documents_and_no_telephones(
    world: World, client: Client, account: BillingAccount
) -> None:
    """One word of English for two things that German has a word for each."""
    bill(account, "100")
    type(world.ann).objects.filter(pk=world.ann.pk).update(language="de")
    url = at(world, f"receivables/{world.beta.pk}/")
    [header, _row] = rows_of(client, f"{url}export/")
    assert header[:3] == ["Art", "Nummer", "Datum"]


def test_customers_see_their_own_statement_only(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    pay(account, "40", by, reference="RE 1")
    ben = world.client(world.ben)
    page = ben.get(f"/a/{world.beta.pk}/reports/open-items/").content.decode()
    assert invoice.number in page
    assert "€60.00" in page
    assert "/commerce/" not in page.partition("<main")[2].partition("</main")[0]
    foreign = f"/a/{world.rival.pk}/commerce/receivables/{world.beta.pk}/"
    assert world.client(world.eve).get(foreign).status_code == 404


def test_system_owner_owes_nobody(world: World) -> None:
    url = f"/a/{world.root.pk}/reports/open-items/"
    assert "You owe nothing" in world.client(world.olga).get(url).content.decode()


def test_receivables_cost_the_same_for_one_and_for_many(
    world: World, client: Client, account: BillingAccount
) -> None:
    url = at(world, "receivables/")
    bill(account, "1", "request:0")
    client.get(url)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    few = cost()
    for number in range(1, 6):
        bill(account, "10", f"request:{number}")
    assert cost() == few <= 30
