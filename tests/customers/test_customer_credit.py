"""Customers that are low or out of credit: found in the list, counted, told apart."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing.models import BillingAccount, out_of_credit
from billing.models.account import WITHOUT_BALANCE
from billing.types import RULES
from customers.models import Customer
from customers.selectors import attention_counts
from customers.views.attention import count_text
from portal.core.scope import scopes_disabled, subtree
from rateplans.choices import BillType
from tests.books import give
from tests.customers.test_create_customer import _create
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture
def many(world: World) -> World:
    """Customers of Acme by what is left to them; Beta below it has money."""
    give(world.beta, 10)
    with subtree(world.acme):
        for name, balance, limit, threshold, bill_type in (
            ("At the limit", "-50", "50", "0", "postpaid"),
            ("Beyond it", "-51", "50", "0", "postpaid"),
            ("Just above", "-49.99", "50", "0", "postpaid"),
            ("Low", "4", "0", "5", "prepaid"),
            ("Low and out", "0", "0", "5", "prepaid"),
            ("Elsewhere", "0", "0", "0", "external"),
        ):
            customer = _create(
                world,
                values={"name": name, "email": "a@b.test"},
                account={"bill_type": bill_type, "low_balance": Decimal(threshold)},
            )
            BillingAccount.objects.filter(customer=customer).update(
                credit_limit=Decimal(limit)
            )
            give(customer, 1)
            give(customer, Decimal(balance) - 1)
    return world


def names(client: Client, world: World, status: str) -> list[str]:
    page = client.get(f"/a/{world.acme.pk}/commerce/customers/?status={status}")
    assert page.status_code == 200
    return [row.label for row in page.context["table"].rows]


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("out", ["At the limit", "Beyond it", "Low and out"]),
        ("low", ["Low", "Low and out"]),
    ],
)
def test_list_finds_them(
    many: World, ann: Client, status: str, found: list[str]
) -> None:
    assert names(ann, many, status) == found


def test_list_counts_them_above(many: World, ann: Client) -> None:
    page = ann.get(f"/a/{many.acme.pk}/commerce/customers/").content.decode()
    assert "Out of credit: 3" in page
    assert "Low balance: 2" in page


def test_list_is_silent_when_all_is_well(world: World, ann: Client) -> None:
    give(world.beta, 10)
    page = ann.get(f"/a/{world.acme.pk}/commerce/customers/").content.decode()
    assert "Out of credit:" not in page


def test_deleted_customers_need_nobody(many: World) -> None:
    assert attention_counts(many.acme) == {"low": 2, "out": 3}
    Customer.objects.filter(name="Low and out").update(deleted_at="2026-11-01T00:00Z")
    assert attention_counts(many.acme) == {"low": 1, "out": 2}


def test_customers_of_customers_are_their_providers_business(many: World) -> None:
    give(many.gamma, "-5")
    assert attention_counts(many.acme) == {"low": 2, "out": 3}
    assert attention_counts(many.beta) == {"low": 0, "out": 1}


@pytest.mark.parametrize(
    ("name", "word"),
    [("Beyond it", "Out of credit"), ("Low", "Low balance"), ("Just above", "Active")],
)
def test_customers_page_tells_it(
    many: World, ann: Client, name: str, word: str
) -> None:
    customer = Customer.objects.get(name=name)
    page = ann.get(f"/a/{many.acme.pk}/commerce/customers/{customer.pk}/")
    assert word in str(page.context["status"])


def test_row_and_query_agree(many: World) -> None:
    found = set(BillingAccount.objects.filter(out_of_credit()))
    assert found == {
        account for account in BillingAccount.objects.all() if account.is_out_of_credit
    }


def test_types_without_balance_are_those_of_the_table() -> None:
    without = {kind for kind in BillType if not RULES[kind].uses_balance}
    assert without == set(WITHOUT_BALANCE)


@pytest.mark.parametrize("status", ["low", "out"])
def test_index_serves_the_list(many: World, ann: Client, status: str) -> None:
    """With reading whole tables made dear, the database finds the way by the index."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        # A few rows cost the same by any index that begins with the provider.
        cursor.execute("ANALYZE billing_billingaccount")
    conditions: Any = {"low": {"low_since__isnull": False}, "out": {}}[status]
    accounts = BillingAccount.objects.filter(provider=many.acme, **conditions)
    if status == "out":
        accounts = accounts.filter(out_of_credit())
    index = {"low": "account_low", "out": "account_out_of_credit"}[status]
    assert index in accounts.order_by().values("provider").explain()


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1"), (2000, "2000"), (2001, "more than 2,000")]
)
def test_counts_end_somewhere(count: int, text: str) -> None:
    assert count_text(count) == text
