"""The list of customers as it is worked with: ticking, locking, exporting, searching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from customers.choices import Lock
from customers.models import Customer, Number, Person
from customers.services import customers as services
from portal.core.scope import scopes_disabled, subtree
from tests.browser.conftest import Visitor
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(cast: World, new_visitor: Any) -> Visitor:
    """Acme's reseller with two more customers: a baker and a shop."""
    with subtree(cast.acme):
        for name in ("Baker & Sons", "Corner Shop"):
            services.create_normal(
                parent=cast.acme,
                values={"name": name, "email": "office@shop.test"},
                account={"plan": cast.acme_plan},
                by=cast.actor(cast.ann),
            )
    visitor: Visitor = new_visitor()
    visitor.sign_in(cast.ann)
    return visitor


def open_list(visitor: Visitor, account: Customer) -> Page:
    return visitor.open(f"/a/{account.pk}/commerce/customers/")


def lock_of(name: str) -> str:
    with scopes_disabled():  # whosever customer
        return Customer.objects.get(name=name).lock


def test_ticked_customers_are_locked_after_a_question(
    cast: World, ann: Visitor
) -> None:
    page = open_list(ann, cast.acme)
    page.get_by_role("textbox", name="Name or account number").fill("b")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_label("Tick Baker & Sons").check()
    page.get_by_label("Tick Beta Voice").check()
    ann.judge("list-ticked")
    bar = page.get_by_role("form", name="For the ticked rows")
    bar.get_by_role("button", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Lock the ticked customers")
    ann.judge("list-lock-question")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(bar.get_by_role("button", name="Lock", exact=True)).to_be_focused()
    assert lock_of("Baker & Sons") == Lock.NONE

    bar.get_by_role("button", name="Lock", exact=True).click()
    dialog.get_by_role("button", name="Lock").click()
    expect(page.get_by_text("2 customers locked.")).to_be_visible()
    # The list is as it was: filtered by what had been typed.
    expect(page.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("row", name="Baker & Sons")).to_contain_text("Locked")
    assert lock_of("Corner Shop") == Lock.NONE

    page.get_by_label("Tick all rows on this page").check()
    bar.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("2 customers unlocked.")).to_be_visible()
    assert lock_of("Beta Voice") == Lock.NONE


def test_ticked_customers_are_exported_and_stay_ticked(
    cast: World, ann: Visitor
) -> None:
    page = open_list(ann, cast.acme)
    page.get_by_label("Tick Corner Shop").check()
    bar = page.get_by_role("form", name="For the ticked rows")
    for _time in range(2):
        with page.expect_download() as download:
            bar.get_by_role("button", name="Export CSV").click()
        assert names_in(download.value) == ["Corner Shop"]
    bar.get_by_role("button", name="Untick all rows").click()
    expect(bar).to_be_hidden()


def test_export_holds_what_the_filters_leave(cast: World, ann: Visitor) -> None:
    page = open_list(ann, cast.acme)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == "customers.csv"
    assert names_in(download.value) == ["Baker & Sons", "Beta Voice", "Corner Shop"]

    page.get_by_role("textbox", name="Name or account number").fill("corner")
    expect(page.get_by_role("row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert names_in(download.value) == ["Corner Shop"]


def names_in(download: Any) -> list[str]:
    """The first cells of a downloaded CSV file, without the heading."""
    lines = Path(download.path()).read_text("utf-8-sig").splitlines()
    return [line.split(",")[0].strip('"') for line in lines[1:]]


@pytest.mark.parametrize(
    ("typed", "hit"),
    [
        ("0305550177", "+49 30 5550177"),
        ("+49 30 5550177", "+49 30 5550177"),
        ("gil gar", "Gil Garcia"),
        ("100001", "Beta Voice"),
    ],
)
def test_search_box_finds_numbers_and_people(
    cast: World, ann: Visitor, typed: str, hit: str
) -> None:
    with scopes_disabled():  # a number of Beta's, below Acme
        some = cast.numbers[0]
        Number.objects.create(
            number="+49305550177",
            customer=cast.beta,
            number_class=some.number_class,
            country="DE",
        )
        assert Person.objects.filter(first_name="Gil").exists()
    page = open_list(ann, cast.acme)
    page.get_by_role("combobox", name="Search").fill(typed)
    option = page.get_by_role("option").filter(has_text=hit)
    expect(option.first).to_be_visible()
    page.get_by_role("combobox", name="Search").press("Enter")
    expect(page.get_by_role("heading", name="Results for")).to_be_visible()
    expect(page.get_by_role("link").filter(has_text=hit).first).to_be_visible()


def test_filters_are_folded_on_a_phone(cast: World, new_visitor: Any) -> None:
    ann = new_visitor("narrow")
    ann.sign_in(cast.ann)
    page = open_list(ann, cast.acme)
    status = page.get_by_label("Status", exact=True)
    expect(status).to_be_hidden()
    more = page.get_by_role("button", name="Filters")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    status.select_option("Locked")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.reload()
    expect(status).to_be_visible()
    expect(status).to_have_value("locked")


def test_new_reseller_is_invited(cast: World, new_visitor: Any) -> None:
    eve = new_visitor()
    eve.sign_in(cast.eve)
    page = open_list(eve, cast.rival)
    invitation = page.get_by_role("link", name="Create your first customer")
    expect(invitation).to_be_visible()
    expect(page.get_by_role("link", name="Export CSV")).to_have_count(0)
    expect(page.get_by_role("search", name="Filter the list")).to_have_count(0)
    eve.judge("list-of-a-new-reseller")
