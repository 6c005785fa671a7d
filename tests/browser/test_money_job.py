"""The money job, done by a reseller in a browser: a price, a limit, and the end of credit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rateplans.choices import Occurs
from tests.billing.tariffs import price, set_account
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_reseller_prices_lines_and_customer_buys_until_credit_ends(
    cast: World, new_visitor: Any
) -> None:
    price(cast.root_plan, 2, occurs=Occurs.SIGNUP)
    set_account(cast.acme, credit_limit=Decimal(100))
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/commerce/plans/")

    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_label("Name", exact=False).first.fill("Small shops")
    page.get_by_label("Inherits from").select_option(value="own")
    ann.look("money-01-plan")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Telephone line: Sign-up").fill("20")
    page.get_by_label("Telephone line: Per month").fill("0")
    ann.look("money-02-prices")
    page.get_by_role("button", name="Save").click()

    page.goto(f"{ann.base_url}/a/{cast.acme.pk}/commerce/customers/new/normal/")
    page.get_by_label("Name", exact=False).first.fill("Delta Dental")
    page.get_by_label("Rate plan").select_option(label="Small shops")
    page.get_by_label("Credit limit").fill("50")
    page.get_by_label("Billing e-mail").fill("office@delta.test")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Delta Dental")).to_be_visible()
    customer_page = page.url
    page.get_by_role("button", name="Switch to this customer").first.click()

    add_line(page, "Counter")
    add_line(page, "Office")
    new_line(page, "Cellar")
    expect(page.get_by_text("The credit falls €21.40 short of this.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    refusal = page.get_by_role("alert").filter(
        has_text="The credit of Delta Dental is not enough"
    )
    expect(refusal.first).to_contain_text("€21.40")
    expect(page.get_by_label("Name", exact=False).first).to_have_value("Cellar")
    ann.look("money-03-refused")

    page.goto(customer_page + "edit/")
    page.get_by_label("Credit limit").fill("80")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Switch to this customer").first.click()
    add_line(page, "Cellar")

    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_text("-€71.40").first).to_be_visible()
    ann.look("money-04-customers-ledger")
    page.goto(customer_page + "account/")
    expect(page.get_by_text("Telephone line Cellar, sign-up fee")).to_be_visible()
    ann.look("money-05-resellers-view")
    page.goto(f"{ann.base_url}/a/{cast.acme.pk}/reports/account/")
    expect(page.get_by_text("-€6.00").first).to_be_visible()
    ann.look("money-06-own-account")


def new_line(page: Page, name: str) -> None:
    page.get_by_role("link", name="Telephone lines", exact=True).first.click()
    page.get_by_role("link", name="New", exact=True).first.click()
    page.get_by_label("Name", exact=False).first.fill(name)


def add_line(page: Page, name: str) -> None:
    new_line(page, name)
    expect(page.get_by_text("€23.80", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The line is ready")).to_be_visible()
