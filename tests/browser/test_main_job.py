"""The main job, done by a reseller in a browser: create customers and work inside them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from customers.models import Customer, Person
from portal.core import jobs
from portal.core.scope import scopes_disabled
from tests.browser.conftest import PostBox
from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db(transaction=True)
NEW_PASSWORD = "a wholly new passphrase"


def test_reseller_creates_normal_customer_whose_administrator_signs_in(
    cast: World, new_visitor: Any, post_box: PostBox
) -> None:
    ann = new_visitor()
    page = ann.open("/")
    page.get_by_label("User name").fill("ann@acme.test")
    page.get_by_label("Password").first.fill(PASSWORD)
    ann.look("journey-01-login")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Customers", exact=True).click()
    expect(page.get_by_role("heading", name="Customers")).to_be_visible()

    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_role("link", name="Normal", exact=True).click()
    page.get_by_label("Name", exact=False).first.fill("Delta Dental")
    expect(page.get_by_text("This name is free.").first).to_be_visible()
    page.get_by_label("Credit limit").fill("50")
    page.get_by_label("Billing e-mail").fill("office@delta.test")
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("Last name").fill("Delta")
    ann.look("journey-02-normal-form")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="Delta Dental")).to_be_visible()
    expect(page.get_by_text("Login details are on their way")).to_be_visible()
    ann.look("journey-03-created")
    jobs.send_waiting_emails()
    expect(page.get_by_text("Login details were mailed to")).to_be_visible()
    assert [str(mail["to"]) for mail in post_box.mails] == ["office@delta.test"]

    dora = new_visitor()
    page = dora.page
    page.goto(post_box.newest_link())
    page.get_by_label("New password").first.fill(NEW_PASSWORD)
    page.get_by_label("New password again").first.fill(NEW_PASSWORD)
    dora.look("journey-04-choose-password")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_label("User name")).to_have_value("office@delta.test")
    page.get_by_label("Password").first.fill(NEW_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("What changed")).to_be_visible()
    dora.look("journey-05-own-account")

    again = new_visitor()
    again.page.goto(post_box.newest_link())
    expect(again.page.get_by_role("heading")).to_contain_text("no longer")


def test_reseller_creates_residential_customer_in_one_go(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/new/")
    page.get_by_role("link", name="Residential", exact=True).click()
    page.get_by_label("Digits").fill("101")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("radio").check()
    page.get_by_label("First name").fill("Rita")
    page.get_by_label("Last name").fill("Home")
    page.get_by_label("Billing e-mail").fill("rita@home.test")
    ann.look("journey-10-residential-form")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", name="+49305550101")).to_be_visible()
    expect(page.get_by_label("SIP password")).to_have_value(re.compile(".{12,}"))
    ann.look("journey-11-residential-created")
    page.reload()
    expect(page.get_by_label("SIP password")).to_have_count(0)
    with scopes_disabled():
        customer = Customer.objects.get(name="+49305550101")
        assert customer.numbers.get().line == customer.lines.get()
        assert customer.mailboxes.count() == 1
        person = Person.objects.get(customer=customer)
        assert person.username == "+49305550101"


def test_reseller_switches_into_customer_and_back(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/")
    page.get_by_role("button", name="Switch to Beta Voice").click()
    banner = page.get_by_role("region", name="Acting as")
    expect(banner).to_contain_text("[Beta Voice]")
    ann.look("journey-20-switched")
    page.get_by_role("button", name="Switch to Gamma Bakery").click()
    expect(banner).to_contain_text("[Gamma Bakery]")
    ann.look("journey-21-switched-twice")
    banner.get_by_role("button").click()
    expect(banner).to_contain_text("[Beta Voice]")
    banner.get_by_role("button").click()
    expect(banner).to_have_count(0)
    expect(page.get_by_role("heading", name="Beta Voice")).to_be_visible()


def test_search_box_finds_customer_by_keyboard(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/")
    page.keyboard.press("/")
    page.keyboard.type("gamma")
    expect(page.get_by_role("option", name="Gamma Bakery").first).to_be_visible()
    ann.look("journey-30-search")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Gamma Bakery")).to_be_visible()


def test_list_narrows_while_one_types(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/?reach=all")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("textbox", name="Name or account number").fill("bakery")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("textbox", name="Name or account number").fill("nobody here")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    ann.look("journey-31-nothing-matches")
