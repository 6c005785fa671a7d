"""The long form, as it is used in a hurry: nothing typed is lost, nothing is made twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import Customer, Switch
from portal.core.scope import scopes_disabled
from tests.browser.conftest import Visitor
from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db(transaction=True)


def normal_form(visitor: Visitor, account: Customer) -> Page:
    return visitor.open(f"/a/{account.pk}/commerce/customers/new/normal/")


def name_field(page: Page) -> Any:
    """With the star that says it must be filled in."""
    return page.get_by_role("textbox", name="Name*", exact=True)


def fill_in(page: Page, name: str = "Delta Dental") -> None:
    """The least that a normal customer without an administrator needs."""
    name_field(page).fill(name)
    page.get_by_label("Credit limit").fill("50")
    page.get_by_label("Billing e-mail").fill("office@delta.test")
    page.get_by_label("Make a first administrator").uncheck()


def customers_named(name: str) -> int:
    with scopes_disabled():  # whoever made it
        return Customer.objects.filter(name=name).count()


def test_double_click_on_save_makes_one_customer(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = normal_form(ann, cast.acme)
    fill_in(page)
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_role("heading", name="Delta Dental")).to_be_visible()
    assert customers_named("Delta Dental") == 1


def test_refused_names_are_judged_anew_while_one_types(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = normal_form(ann, cast.acme)
    fill_in(page, cast.beta.name)
    page.get_by_label("Make a first administrator").check()
    page.get_by_label("User name").fill(cast.ben.username)
    page.get_by_role("button", name="Save").click()
    for box, name in (
        (name_field(page), "Delta Dental"),
        (page.get_by_label("User name"), "dora@delta.test"),
    ):
        expect(box).to_have_attribute("aria-invalid", "true")
        box.fill(name)
        expect(box).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("This name is free.")).to_have_count(2)
    expect(page.locator(".invalid-feedback")).to_have_count(0)


def test_customer_is_made_by_keyboard_alone(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New customer")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Normal", exact=True))
    page.keyboard.press("Enter")
    expect(name_field(page)).to_be_focused()
    page.keyboard.type("Keys & Co")
    tab_to(page, page.get_by_label("Credit limit"))
    page.keyboard.type("75")
    tab_to(page, page.get_by_label("Billing e-mail"))
    page.keyboard.type("keys@co.test")
    tab_to(page, page.get_by_label("Last name"))
    page.keyboard.type("Key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Keys & Co")).to_be_visible()
    expect(page.get_by_text("Credit limit €75.00")).to_be_visible()


def tab_to(page: Page, target: Any) -> None:
    """Press Tab until the focus is there; a long way is a fault of the page."""
    for _step in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the focus never came there")


def test_second_to_take_a_number_is_told_and_keeps_what_was_typed(
    cast: World, new_visitor: Any
) -> None:
    pages = []
    for first_name in ("Rita", "Rolf"):
        visitor = new_visitor()
        visitor.sign_in(cast.ann)
        url = f"/a/{cast.acme.pk}/commerce/customers/new/residential/"
        page = visitor.open(url)
        page.get_by_role("radio", name="+49 30 5550101").check()
        page.get_by_label("First name").fill(first_name)
        page.get_by_label("Last name").fill("Home")
        page.get_by_label("Billing e-mail").fill(f"{first_name}@home.test")
        pages.append((visitor, page))
    (_first, quick), (second, slow) = pages
    quick.get_by_role("button", name="Save").click()
    expect(quick.get_by_role("heading", name="+49305550101")).to_be_visible()

    slow.get_by_role("button", name="Save").click()
    summary = slow.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Number")
    expect(slow.get_by_label("First name")).to_have_value("Rolf")
    expect(slow.get_by_label("Billing e-mail")).to_have_value("Rolf@home.test")
    second.judge("state-number-taken")
    slow.get_by_role("radio", name="+49 30 5550102").check()
    slow.get_by_role("button", name="Save").click()
    expect(slow.get_by_role("heading", name="+49305550102")).to_be_visible()


def test_stale_edit_is_shown_and_saved_on_the_second_try(
    cast: World, new_visitor: Any
) -> None:
    visitor = new_visitor()
    visitor.sign_in(cast.ann)
    url = f"/a/{cast.acme.pk}/commerce/customers/{cast.beta.pk}/edit/"
    page = visitor.open(url)
    other = visitor.context.new_page()
    other.goto(visitor.base_url + url)
    other.get_by_label("Credit limit").fill("900")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Credit limit €900.00")).to_be_visible()
    other.close()  # a window behind another one is drawn once in a while only

    page.get_by_label("Description").first.fill("Voice for bakers")
    page.get_by_role("button", name="Save").click()
    warning = page.get_by_role("alert")
    expect(warning).to_contain_text("Somebody else changed this")
    expect(warning).to_contain_text("900")
    visitor.judge("state-stale")
    expect(page.get_by_label("Description").first).to_have_value("Voice for bakers")
    with scopes_disabled():  # nothing was saved yet
        assert Customer.objects.get(pk=cast.beta.pk).description == ""
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Voice for bakers")).to_be_visible()


def test_form_is_back_after_the_session_ended(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = normal_form(ann, cast.acme)
    fill_in(page)
    ann.context.clear_cookies(name="trunkline_session")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.get_by_label("User name").fill("ann@acme.test")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("What you had typed is back")).to_be_visible()
    expect(name_field(page)).to_have_value("Delta Dental")
    expect(page.get_by_label("Credit limit")).to_have_value("50")
    expect(page.get_by_label("Make a first administrator")).not_to_be_checked()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Delta Dental")).to_be_visible()


def test_form_is_back_after_the_switch_expired(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/")
    page.get_by_role("button", name="Switch to Beta Voice").click()
    expect(page.get_by_role("region", name="Acting as")).to_be_visible()
    page = normal_form(ann, cast.beta)
    fill_in(page)
    with scopes_disabled():  # an hour goes by
        Switch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    ann.judge("state-switch-expired")
    page.get_by_role("button", name="Switch to this customer").click()
    expect(name_field(page)).to_have_value("Delta Dental")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Delta Dental")).to_be_visible()


def test_errors_in_folded_sections_are_led_to(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = normal_form(ann, cast.acme)
    name_field(page).fill("Beta Voice")
    expect(page.get_by_text("already")).to_be_visible()
    page.get_by_label("Credit limit").fill("-1")
    page.get_by_label("Billing e-mail").fill("nobody")
    page.get_by_role("heading", name="Low balance").click()
    page.get_by_label("E-mail when balance is low").fill("much")
    page.get_by_role("heading", name="Low balance").click()
    page.get_by_role("button", name="Save").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    for label in (
        "Name",
        "Credit limit",
        "Billing e-mail",
        "E-mail when balance is low",
    ):
        expect(summary.get_by_role("link", name=f"{label}:")).to_be_visible()
    ann.judge("state-errors")
    amount = page.get_by_label("E-mail when balance is low")
    expect(amount).to_be_visible()
    page.get_by_role("heading", name="Low balance").click()
    expect(amount).to_be_hidden()
    summary.get_by_role("link", name="E-mail when balance is low:").click()
    expect(amount).to_be_focused()
    expect(amount).to_have_value("much")
    assert customers_named("Beta Voice") == 1


def test_what_is_missing_leads_to_its_field_in_a_folded_part(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/{cast.beta.pk}/")
    page.get_by_role("link", name="The customer's electronic address is miss").click()
    kind = page.get_by_label("Kind of electronic address")
    expect(kind).to_be_focused()
    expect(page.get_by_label("Legal name")).to_be_visible()
    kind.select_option("GLN (GS1 location number)")
    page.get_by_role("button", name="Save").click()
    # The address still names the field, and what is wrong is told all the same.
    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.get_by_label("Electronic address", exact=True).fill("952 0000 00001 1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=cast.beta.name)).to_be_visible()
    expect(page.get_by_text("9520000000011")).to_be_visible()
