"""The list of customers: who is on it, in which order, and what is done to many."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import BillingAccount
from customers.choices import Lock
from customers.models import Customer
from customers.services import tree
from portal.core.scope import scopes_disabled, subtree
from tests.books import give
from tests.customers.test_create_customer import _create
from tests.world import World

MOST_QUERIES = 30


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture
def many(world: World) -> World:
    """Five customers of Acme that differ, beside Beta; one more of Beta, one deleted."""
    with subtree(world.acme):
        for name, balance, credit, bill_type, lock in (
            ("Ärzte", "-5", "10", "postpaid", Lock.NONE),
            ("Bäcker", "12.5", "0", "prepaid", Lock.WEB),
            ("Zahnarzt", "0", "99", "prepaid", Lock.BOTH),
            ("apotheke", "3", "5", "none", Lock.NONE),
        ):
            customer = _create(
                world,
                values={"name": name, "email": "a@b.test", "lock": lock},
                account={"bill_type": bill_type, "credit_limit": Decimal(credit)},
            )
            give(customer, balance)
        gone = _create(world, values={"name": "Gone", "email": "a@b.test"})
        tree.delete_customer(customer=gone, by=world.actor(world.ann))
    return world


def _url(world: World, page: str = "", account: Customer | None = None) -> str:
    return f"/a/{(account or world.acme).pk}/commerce/customers/{page}"


def _names(response: Any) -> list[str]:
    assert response.status_code == 200
    return [row.label for row in response.context["table"].rows]


def _ids(*names: str) -> list[int]:
    with scopes_disabled():
        rows = {c.name: c.pk for c in Customer.objects.filter(name__in=names)}
    return [rows[name] for name in names]


# --- Who is on it -----------------------------------------------------------------------


def test_direct_living_customers_are_listed_by_name(many: World, ann: Client) -> None:
    names = ["apotheke", "Ärzte", "Bäcker", "Beta Voice", "Zahnarzt"]
    assert _names(ann.get(_url(many))) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (
            {"reach": "all"},
            ["apotheke", "Ärzte", "Bäcker", "Beta Voice", "Gamma Bakery", "Zahnarzt"],
        ),
        ({"status": "active"}, ["apotheke", "Ärzte", "Beta Voice"]),
        ({"status": "locked"}, ["Bäcker", "Zahnarzt"]),
        ({"status": "deleted"}, ["Gone"]),
        ({"kind": "residential"}, []),
        ({"bill_type": "prepaid"}, ["Bäcker", "Zahnarzt"]),
        ({"bill_type": "prepaid", "status": "locked"}, ["Bäcker", "Zahnarzt"]),
        ({"bill_type": "none", "status": "locked"}, []),
        ({"q": "zahn"}, ["Zahnarzt"]),
        ({"q": "ÄRZTE"}, ["Ärzte"]),
        ({"q": "arzte"}, ["Ärzte"]),
        ({"q": "beta voice"}, ["Beta Voice"]),
        ({"q": "b"}, ["Bäcker", "Beta Voice"]),
        ({"q": "etav"}, ["Beta Voice"]),
        ({"q": "100001"}, ["Beta Voice"]),
        ({"q": "gamma"}, []),
        ({"q": "gamma", "reach": "all"}, ["Gamma Bakery"]),
        ({"q": "rival", "reach": "all"}, []),
        ({"q": "acme", "reach": "all"}, []),
        ({"q": "100%"}, []),
        ({"q": "_"}, []),
    ],
)
def test_list_is_narrowed_and_widened(
    many: World, ann: Client, query: dict[str, str], names: list[str]
) -> None:
    assert _names(ann.get(_url(many), query)) == names


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\0"},
        {"status": "x"},
        {"kind": "x"},
        {"plan": "x"},
        {"plan": "²"},
        {"plan": "9" * 30},
        {"reach": "everything"},
        {"sort": "parent"},
        {"after": "x"},
    ],
)
def test_forged_filter_shows_no_more_than_the_own_customers(
    many: World, ann: Client, query: dict[str, str]
) -> None:
    names = {"apotheke", "Ärzte", "Bäcker", "Beta Voice", "Zahnarzt"}
    assert set(_names(ann.get(_url(many), query))) <= names


def test_plan_filter_offers_and_finds_what_one_may_use(
    many: World, ann: Client
) -> None:
    with scopes_disabled():
        for customer in (many.beta, many.gamma):
            BillingAccount.objects.filter(customer=customer).update(
                plan=many.shared_plan
            )
    query = {"plan": str(many.shared_plan.pk)}
    assert _names(ann.get(_url(many), query)) == ["Beta Voice"]
    wide = query | {"reach": "all"}
    assert _names(ann.get(_url(many), wide)) == ["Beta Voice", "Gamma Bakery"]
    foreign = {"plan": str(many.rival_plan.pk)}
    form = ann.get(_url(many), foreign).context["filter_form"]
    assert "plan" in form.errors


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("-name", ["Zahnarzt", "Beta Voice", "Bäcker", "Ärzte", "apotheke"]),
        ("balance", ["Ärzte", "Beta Voice", "Zahnarzt", "apotheke", "Bäcker"]),
        ("-balance", ["Bäcker", "apotheke", "Zahnarzt", "Beta Voice", "Ärzte"]),
        ("credit", ["Beta Voice", "Bäcker", "apotheke", "Ärzte", "Zahnarzt"]),
        ("number", ["Beta Voice", "Ärzte", "Bäcker", "Zahnarzt", "apotheke"]),
        ("created", ["Beta Voice", "Ärzte", "Bäcker", "Zahnarzt", "apotheke"]),
    ],
)
def test_list_is_sorted(many: World, ann: Client, sort: str, names: list[str]) -> None:
    assert _names(ann.get(_url(many), {"sort": sort})) == names


def test_whole_subtree_is_sorted_by_name_and_age_only(many: World, ann: Client) -> None:
    response = ann.get(_url(many), {"reach": "all", "sort": "-balance"})
    headings = response.context["table"].columns
    assert {each.key for each in headings if each.sort_url} == {"name", "created"}
    assert _names(response)[0] == "apotheke"


@pytest.mark.parametrize(
    ("person", "names"),
    [
        ("olga", ["Acme Telecom", "Rival Phones"]),
        ("ben", ["Gamma Bakery"]),
        ("eve", []),
    ],
)
def test_everybody_sees_the_own_customers(
    world: World, person: str, names: list[str]
) -> None:
    who = getattr(world, person)
    response = world.client(who).get(_url(world, "", who.customer))
    assert _names(response) == names


def test_new_reseller_is_invited_to_begin(world: World) -> None:
    response = world.client(world.eve).get(_url(world, "", world.rival))
    empty = response.context["table"].empty
    assert empty.action_label == "Create your first customer"
    assert "Your customers will be listed here" in response.content.decode()


def test_nothing_found_is_said_otherwise(many: World, ann: Client) -> None:
    empty = ann.get(_url(many), {"q": "nobody"}).context["table"].empty
    assert (empty.title, empty.filtered) == ("Nothing matches", True)


def test_htmx_gets_the_table_alone(many: World, ann: Client) -> None:
    response = ann.get(_url(many), headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]
    assert len(_names(response)) == 5


# --- Export -----------------------------------------------------------------------------


def _exported(response: Any) -> list[list[str]]:
    assert response["Content-Type"].startswith("text/csv")
    text = response.getvalue().decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text))
    assert header[0] == "Name"
    return rows


def test_export_follows_the_filters_and_knows_no_pages(
    many: World, ann: Client
) -> None:
    rows = _exported(ann.get(_url(many, "export/"), {"status": "locked"}))
    assert [row[0] for row in rows] == ["Bäcker", "Zahnarzt"]
    assert rows[0][6:8] == ["12.500000", "0.000000"]
    wide = _exported(ann.get(_url(many, "export/"), {"reach": "all"}))
    assert len(wide) == 6
    assert "Rival Phones" not in {row[0] for row in wide}


def test_ticked_rows_are_exported(many: World, ann: Client) -> None:
    ids = _ids("Zahnarzt", "Ärzte")
    entries = {"action": "export", "row": [*ids, many.rival.pk, many.root.pk]}
    rows = _exported(ann.post(_url(many, "bulk/"), entries))
    assert [row[0] for row in rows] == ["Ärzte", "Zahnarzt"]


# --- Many at once -----------------------------------------------------------------------


def test_ticked_rows_are_locked_and_unlocked(many: World, ann: Client) -> None:
    ids = _ids("Ärzte", "Bäcker", "Zahnarzt")
    url = f"{_url(many, 'bulk/')}?sort=-name&q=a"
    response = ann.post(url, {"action": "lock", "row": ids})
    assert response["Location"] == f"{_url(many)}?sort=-name&q=a"
    page = ann.get(_url(many))
    # The third was locked before.
    assert [str(m) for m in page.context["messages"]] == ["2 customers locked."]
    with scopes_disabled():
        assert Customer.objects.filter(pk__in=ids, lock=Lock.BOTH).count() == 3
    ann.post(_url(many, "bulk/"), {"action": "unlock", "row": ids})
    with scopes_disabled():
        assert Customer.objects.filter(pk__in=ids, lock=Lock.NONE).count() == 3


@pytest.mark.parametrize(
    "rows",
    [
        [],
        ["x"],
        ["²"],
        ["9" * 30],
        ["9" * 5000],
        ["rival"],
        ["root"],
        ["acme"],
        ["deleted"],
    ],
)
def test_rows_posted_by_hand_reach_nobody_else(
    many: World, ann: Client, rows: list[str]
) -> None:
    named = {"rival": many.rival.pk, "root": many.root.pk, "acme": many.acme.pk}
    named["deleted"] = _ids("Gone")[0]
    with scopes_disabled():
        before = list(Customer.objects.order_by("pk").values_list("pk", "lock"))
    ids = [named.get(row, row) for row in rows]
    response = ann.post(_url(many, "bulk/"), {"action": "lock", "row": ids})
    assert response.status_code == 302
    with scopes_disabled():
        after = list(Customer.objects.order_by("pk").values_list("pk", "lock"))
    assert after == before


@pytest.mark.parametrize("action", ["", "delete", "purge", "x"])
def test_unknown_action_does_nothing(many: World, ann: Client, action: str) -> None:
    entries = {"action": action, "row": _ids("Ärzte")}
    assert ann.post(_url(many, "bulk/"), entries).status_code == 302
    with scopes_disabled():
        assert Customer.objects.get(name="Ärzte").lock == Lock.NONE
        assert not Customer.objects.get(name="Ärzte").is_deleted


def test_many_are_not_changed_by_a_link(many: World, ann: Client) -> None:
    entries: dict[str, Any] = {"action": "lock", "row": _ids("Ärzte")}
    response = ann.get(_url(many, "bulk/"), entries)
    assert response.status_code == 405


# --- Cost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["", "?reach=all", "?sort=-balance", "?q=kunde", "?status=active"]
)
def test_list_costs_the_same_for_one_and_for_five(
    world: World, ann: Client, query: str, django_assert_max_num_queries: Any
) -> None:
    with subtree(world.acme):
        _create(world, values={"name": "Kunde 0", "email": "a@b.test"})
    ann.get(_url(world) + query)
    costs = []
    for begin, end in ((1, 1), (1, 6)):
        with subtree(world.acme):
            for position in range(begin, end):
                values = {"name": f"Kunde {position}", "email": "a@b.test"}
                _create(world, values=values)
        with django_assert_max_num_queries(MOST_QUERIES) as counted:
            response = ann.get(_url(world) + query)
        costs.append(len(counted.captured_queries))
        assert len(_names(response)) >= end - begin
    assert costs[0] == costs[1], costs
