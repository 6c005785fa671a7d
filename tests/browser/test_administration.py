"""The Django admin in a browser: under the portal's strict policy, in its own colours."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from customers.models import Customer, Number
from portal.core.scope import scopes_disabled
from tests.admin.rows import MAKERS
from tests.world import World

# Every box that completes is drawn, and named after its field.
NAMED = """() => [...document.querySelectorAll("select.admin-autocomplete")].every(
    (select) => select.parentElement.querySelector("[aria-labelledby$=_label]"))"""
LOOKS = pytest.mark.parametrize("look", ["light", "dark", "narrow"])


def pages(world: World) -> dict[str, str]:
    with scopes_disabled():  # rows of several tenants
        for at in range(3):
            MAKERS[Customer](world, at)
    return {
        "index": "",
        "customers": "customers/customer/",
        "customer": f"customers/customer/{world.acme.pk}/change/",
        "role": f"customers/role/{world.gil.role_id}/change/",
        "plan": f"rateplans/rateplan/{world.acme_plan.pk}/change/",
        "numbers": "customers/number/add/",
        "audit": "core/auditevent/",
    }


def test_pages_keep_the_policy(cast: World, new_visitor: Any) -> None:
    """Complaints in the console, such as a blocked style, fail in `new_visitor`."""
    visitor = new_visitor()
    visitor.sign_in(cast.olga)
    for path in pages(cast).values():
        visitor.open(f"/admin/{path}")
        assert visitor.page.get_by_role("heading", level=1).is_visible()


@LOOKS
def test_pages_can_be_read_by_everybody(
    cast: World, new_visitor: Any, look: str
) -> None:
    visitor = new_visitor(look, bypass_csp=True)  # axe measures with inline styles
    visitor.sign_in(cast.olga)
    faults: dict[str, list[str]] = {}
    for name, path in pages(cast).items():
        visitor.open(f"/admin/{path}")
        visitor.page.wait_for_function(NAMED)
        visitor.look(f"admin-{name}-{look}")
        assert visitor.page.get_by_role("heading", level=1).is_visible()
        if found := visitor.accessibility_faults():
            faults[name] = found
    assert faults == {}, "\n".join(f"{n}: {f}" for n, fs in faults.items() for f in fs)


def test_numbers_are_added_and_a_customer_is_moved(
    cast: World, new_visitor: Any
) -> None:
    visitor = new_visitor()
    visitor.sign_in(cast.olga)
    page = visitor.open("/admin/customers/number/add/")

    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").press_sequentially("riva")
    page.get_by_role("option", name="Rival Phones").click()
    page.get_by_label("First number").fill("+49 40 5550100")
    page.get_by_label("How many in a row").fill("2")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("2 numbers added.")).to_be_visible()
    with scopes_disabled():  # rows of several tenants
        assert Number.objects.filter(customer=cast.rival).count() == 2

    visitor.open("/admin/customers/customer/?q=beta")
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_label("Action:").select_option("move")
    page.get_by_role("button", name="Go", exact=True).click()
    for place, (term, option) in enumerate(
        [("riva", "Rival Phones"), ("rival b", "Rival basic")]
    ):
        page.locator(".select2-selection").nth(place).click()
        page.locator(".select2-search__field").press_sequentially(term)
        page.get_by_role("option", name=option).click()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("Moved: 1")).to_be_visible()
    with scopes_disabled():
        assert Customer.objects.get(pk=cast.beta.pk).parent == cast.rival
