"""Reports » Account and the tab of a customer: figures, ledger, entries, statement."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from billing import ledger
from billing.choices import EntryKind
from billing.models import BilledFeature, BillingAccount, LedgerEntry
from billing.taxes import TaxPart
from billing.views.account_parts import bill_type_sentences
from customers.models import Customer
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, Feature
from tests.books import give
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def gil(world: World) -> Client:
    """Works at Gamma, a customer of Beta."""
    return world.client(world.gil)


@pytest.fixture
def ben(world: World) -> Client:
    """Works at Beta, Gamma's provider."""
    return world.client(world.ben)


def own(world: World, page: str = "") -> str:
    return f"/a/{world.gamma.pk}/reports/account/{page}"


def providers(world: World, page: str = "") -> str:
    return f"/a/{world.beta.pk}/commerce/customers/{world.gamma.pk}/account/{page}"


def book(world: World, net: str, text: str = "Line", **details: Any) -> LedgerEntry:
    """Debit Gamma, or who else it is, by Ben."""
    whose = details.pop("whose", world.gamma)
    account = BillingAccount.objects.get(customer=whose)
    at = details.pop("at", None)
    posting = ledger.debit(
        account.pk,
        details.pop("key", f"test:{text}"),
        details.pop("kind", EntryKind.SIGNUP),
        Decimal(net),
        text,
        **details,
    )
    [posted] = ledger.post(
        [posting], by=world.actor(world.ben), within_limits=False, at=at
    )
    return LedgerEntry.objects.get(pk=posted.entry_id)


def texts(page: Any) -> list[str]:
    """The descriptions in the ledger of a page, newest first."""
    return [
        str(cell.html).removesuffix("</bdi>").rpartition(">")[2]
        for row in page.context["table"].rows
        for cell in row.cells
        if cell.column.key == "text"
    ]


def test_both_see_the_same_account(world: World, gil: Client, ben: Client) -> None:
    BillingAccount.objects.filter(customer=world.gamma).update(credit_limit=50)
    give(world.gamma, 20)
    book(world, "5")
    for page in (gil.get(own(world)), ben.get(providers(world))):
        shown = page.content.decode()
        assert "€15.00" in shown
        assert "€65.00" in shown
        assert "Credit limit €50.00" in shown
        assert texts(page) == ["Line", "For the test"]


def test_customer_does_not_learn_who_booked(
    world: World, gil: Client, ben: Client
) -> None:
    entry = book(world, "5")
    for page in (own(world), own(world, f"entries/{entry.pk}/")):
        shown = gil.get(page).content.decode()
        assert "Your provider" in shown
        assert "Ben Braun" not in shown
    assert "Ben Braun" in ben.get(providers(world)).content.decode()


def test_what_the_provider_pays_itself_is_nowhere(world: World, gil: Client) -> None:
    give(world.beta, "777.77")
    book(world, "5")
    assert "777" not in gil.get(own(world)).content.decode()
    entry = LedgerEntry.objects.get(account__customer=world.beta)
    assert gil.get(own(world, f"entries/{entry.pk}/")).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["New", "Old"]),
        ("?kind=signup", ["New"]),
        ("?q=old", ["Old"]),
        ("?since=2026-11-02", ["New"]),
        ("?until=2026-11-02", ["Old"]),
        ("?since=2026-11-03&until=2026-11-03", ["New"]),
        ("?until=9999-12-31", ["New", "Old"]),
        ("?since=0001-01-01", ["New", "Old"]),
    ],
)
def test_ledger_is_filtered(
    world: World, gil: Client, query: str, found: list[str]
) -> None:
    early = datetime(2026, 11, 1, 12, tzinfo=UTC)
    book(world, "1", "Old", kind=EntryKind.DEBIT, at=early)
    book(world, "1", "New", at=early + timedelta(days=2))
    assert texts(gil.get(own(world) + query)) == found


def test_days_are_those_of_the_reader(world: World, gil: Client) -> None:
    """Half past eleven in London is the next day in Berlin, where Gil is."""
    at = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    book(world, "1", "Late", at=at)
    assert texts(gil.get(own(world, "?since=2026-11-03"))) == ["Late"]
    text = strip_tags(gil.get(own(world)).content.decode())
    assert "2026-11-03 00:30" in text


def test_entry_beside_the_balance_is_marked(world: World, gil: Client) -> None:
    book(world, "5", is_on_balance=False)
    assert "beside the balance" in gil.get(own(world)).content.decode()


def test_entry_tells_all_its_facts(world: World, gil: Client) -> None:
    part = TaxPart(world.acme_tax.pk, "VAT", Decimal(19), Decimal("1.90"), is_vat=True)
    day = timezone.localdate()
    entry = book(
        world,
        "10",
        taxes=[part],
        quantity=3,
        original_amount=Decimal("-11.25"),
        original_currency="USD",
        exchange_rate=Decimal("0.888889"),
        period_start=day,
        period_end=day + timedelta(days=30),
    )
    page = gil.get(own(world, f"entries/{entry.pk}/"))
    shown = page.content.decode()
    for text in ("-€10.00", "VAT", "19 %", "-€1.90", "-€11.90"):
        assert text in shown, text
    facts = {fact["label"]: fact["value"] for fact in page.context["facts"]}
    assert facts["Original amount"] == "-$11.25 at 0.888889"
    assert facts["Quantity"] == 3
    last = day + timedelta(days=29)
    assert facts["Period"] == f"{day.isoformat()} – {last.isoformat()}"


def test_entry_says_which_customer_below_it_comes_from(
    world: World, gil: Client, ben: Client
) -> None:
    feature = BilledFeature.objects.create(
        customer=world.gamma, feature=Feature.LINE, object_id=1, label="Hall"
    )
    theirs, ours = (
        LedgerEntry.objects.get(pk=book(world, "1", whose=whose, key=key).pk)
        for whose, key in (
            (world.beta, f"recurring:{feature.pk}"),
            (world.gamma, f"signup:{feature.pk}"),
        )
    )
    book(world, "1", "Run", whose=world.beta, key="recurring:2026-11-01:account:")
    account = f"/a/{world.beta.pk}/reports/account/"
    page = ben.get(account)
    run, line = page.context["table"].rows
    assert world.gamma.name in str(line.heading)
    assert "cell-sub" not in str(run.heading)
    assert "cell-sub" not in gil.get(own(world)).content.decode()
    facts = ben.get(f"{account}entries/{theirs.pk}/").context["facts"]
    assert {"label": "Customer", "value": world.gamma.name} in facts
    facts = gil.get(own(world, f"entries/{ours.pk}/")).context["facts"]
    assert "Customer" not in {fact["label"] for fact in facts}
    _, of_line, of_run, _ = lines_of(ben.get(f"{account}statement/"))
    assert of_line["Customer"] == world.gamma.name
    assert of_run["Customer"] == world.beta.name


@pytest.mark.parametrize("page", ["", "statement/"])
def test_who_may_not_read_reports_is_refused(
    world: World, gil: Client, page: str
) -> None:
    world.gil.role.permissions.remove("reports")
    world.gil.role.save()
    assert gil.get(own(world, page)).status_code == 403


def test_system_owner_has_no_account(world: World) -> None:
    page = world.client(world.olga).get(f"/a/{world.root.pk}/reports/account/")
    assert page.status_code == 200
    assert "owes nobody" in page.content.decode()


@pytest.mark.parametrize("number", [1, 5])
def test_queries_do_not_grow_with_the_ledger(
    world: World, gil: Client, number: int, django_assert_max_num_queries: Any
) -> None:
    for place in range(number):
        book(world, "1", f"Number {place}")
    gil.get(own(world))
    with django_assert_max_num_queries(25):
        gil.get(own(world))


# ---------------------------------------------------------------------------- statement


def lines_of(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def november(world: World) -> None:
    for day, text in ((1, "First"), (5, "=cmd()"), (9, "Third")):
        book(world, "2.5", text, at=datetime(2026, 11, day, 12, tzinfo=UTC))


def test_statement_adds_up(world: World, gil: Client, november: None) -> None:
    url = own(world, "statement/?first=2026-11-02&last=2026-11-09")
    opening, *entries, closing = lines_of(gil.get(url))
    assert (opening["Kind"], opening["Balance"]) == ("Opening balance", "-2.50")
    assert [entry["Description"] for entry in entries] == ["'=cmd()", "Third"]
    assert closing["Kind"] == "Closing balance"
    total = sum(Decimal(entry["Amount"]) for entry in entries)
    assert Decimal(closing["Balance"]) == Decimal(opening["Balance"]) + total
    assert {line["Currency"] for line in (opening, *entries, closing)} == {"EUR"}


def test_statement_of_days_without_entries_is_its_balances(
    world: World, ben: Client, november: None
) -> None:
    url = providers(world, "statement/?first=2026-11-06&last=2026-11-07")
    lines = lines_of(ben.get(url))
    assert [line["Balance"] for line in lines] == ["-5.00", "-5.00"]


def test_statement_is_of_this_month_unless_said(world: World, gil: Client) -> None:
    response = gil.get(own(world, "statement/"))
    today = timezone.localdate()
    name = f"statement-gamma-bakery-{today.replace(day=1)}-{today}.csv"
    assert name in response["Content-Disposition"]


@pytest.mark.parametrize(
    "query", ["first=2026-11-09&last=2026-11-01", "first=x&last=2026-11-01", "first="]
)
def test_wrong_period_is_told(world: World, gil: Client, query: str) -> None:
    response = gil.get(own(world, f"statement/?{query}"), follow=True)
    assert response.redirect_chain == [(own(world), 302)]
    assert 'role="alert"' in response.content.decode()


# -------------------------------------------------------------------------------- words


@pytest.mark.parametrize("bill_type", list(BillType))
def test_every_billing_type_is_told_in_words(bill_type: BillType) -> None:
    assert bill_type_sentences(bill_type)


def test_account_without_balance_shows_none(world: World, gil: Client) -> None:
    BillingAccount.objects.filter(customer=world.gamma).update(
        bill_type=BillType.EXTERNAL
    )
    page = gil.get(own(world))
    assert "No balance is kept" in page.content.decode()
    assert "data-plot>" not in page.content.decode()


def test_grandchildren_are_read_by_whoever_runs_them(world: World) -> None:
    book(world, "5")
    url = f"/a/{world.acme.pk}/commerce/customers/{world.gamma.pk}/account/"
    page = world.client(world.ann).get(url)
    assert texts(page) == ["Line"]
    assert "Ben Braun" in page.content.decode()


def test_deleted_customers_account_is_still_read(world: World, ben: Client) -> None:
    Customer.objects.filter(pk=world.gamma.pk).update(deleted_at=timezone.now())
    assert ben.get(providers(world)).status_code == 200
