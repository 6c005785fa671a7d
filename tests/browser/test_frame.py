"""What frames every page: theme, language, the menu on a phone; and pages that refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from playwright.sync_api import expect

from portal.urls import urlpatterns as site_urls
from tests.world import PASSWORD, World

pytestmark = pytest.mark.django_db(transaction=True)


def breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a page that breaks")


urlpatterns = [*site_urls, path("breaks/", breaks)]


def test_theme_is_remembered(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open("/")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "light")
    menu = page.get_by_label("Your logins and settings")
    menu.click()
    ann.judge("identity-menu")
    page.get_by_role("button", name="Dark").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    ann.open("/login/")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    ann.open("/")
    menu.click()
    page.get_by_role("button", name="Auto").click()
    expect(root).to_have_attribute("data-bs-theme", "light")


def test_language_and_date_format_of_the_profile_count_everywhere(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/settings/profile/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("[name=language]").select_option("de")
    page.locator("[name=date_format]").select_option("d.m.Y")
    page.locator("[type=submit]", has_text="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page = ann.open(f"/a/{cast.acme.pk}/commerce/customers/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    day = cast.beta.created_at.strftime("%d.%m.%Y")
    expect(page.get_by_role("row").last).to_contain_text(day)


def test_customer_is_made_and_switched_into_on_a_phone(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor("narrow", has_touch=True, is_mobile=True)
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/settings/company/")
    page.get_by_role("button", name="Open the menu").click()
    menu = page.get_by_role("dialog", name="Main menu").or_(
        page.get_by_role("navigation", name="Main menu")
    )
    expect(menu.first).to_be_visible()
    ann.look("phone-menu")
    menu.first.get_by_role("link", name="Customers").click()
    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_role("link", name="Normal", exact=True).click()
    page.get_by_role("textbox", name="Name*", exact=True).fill("Delta Dental")
    page.get_by_label("Billing e-mail").fill("office@delta.test")
    page.get_by_label("Last name").fill("Delta")
    ann.look("phone-form")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Delta Dental")).to_be_visible()
    ann.look("phone-created")
    page.get_by_role("button", name="Switch to this customer").click()
    banner = page.get_by_role("region", name="Acting as")
    expect(banner).to_contain_text("[Delta Dental]")
    ann.look("phone-switched")
    page.get_by_role("button", name="Open the menu").click()
    menu.first.get_by_role("link", name="Telephone lines").click()
    expect(page.get_by_role("link", name="Add the first line")).to_be_visible()
    banner.get_by_role("button", name="Back to Acme Telecom").click()
    expect(banner).to_have_count(0)


@pytest.mark.urls(__name__)
def test_pages_that_refuse_say_what_to_do(cast: World, new_visitor: Any) -> None:
    uli = new_visitor()
    uli.expected.append("status of 500")
    uli.sign_in(cast.uli)
    pages = {
        "refusal-403": (
            f"/a/{cast.acme.pk}/commerce/customers/",
            "You may not do this",
        ),
        "refusal-404": (f"/a/{cast.rival.pk}/settings/profile/", "nothing at"),
        "refusal-500": ("/breaks/", "went wrong"),
    }
    for name, (address, headline) in pages.items():
        page = uli.open(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text(headline)
        uli.judge(name)
        page.get_by_role("link", name="To the start page").click()
        expect(page.get_by_role("heading", name="Good", level=1)).to_be_visible()


def test_form_of_an_old_page_is_refused_kindly(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    page = ann.open("/login/")
    page.get_by_label("User name").fill("ann@acme.test")
    page.get_by_label("Password").first.fill(PASSWORD)
    ann.context.clear_cookies()
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    ann.judge("refusal-csrf")


def test_login_closes_after_wrong_passwords(cast: World, new_visitor: Any) -> None:
    ann = new_visitor()
    page = ann.open("/login/")
    for attempt in range(5):
        page.get_by_label("User name").fill("ann@acme.test")
        page.get_by_label("Password").first.fill("not the password")
        page.get_by_role("button", name="Log in").click()
        if attempt == 0:
            expect(page.get_by_role("alert")).to_be_visible()
            ann.judge("login-refused")
    expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()
    ann.judge("login-locked-out")


def test_tab_of_the_page_is_in_sight_on_a_phone(cast: World, new_visitor: Any) -> None:
    ann = new_visitor("narrow", has_touch=True, is_mobile=True)
    ann.sign_in(cast.ann)
    plans = f"/a/{cast.acme.pk}/commerce/plans/{cast.acme_plan.pk}/"
    for part in ("", "history/"):
        page = ann.open(plans + part)
        tab = page.locator(".tabs [aria-current]")
        expect(tab).to_be_in_viewport(ratio=1)
