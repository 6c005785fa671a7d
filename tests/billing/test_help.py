"""Help » How billing works: what it says about invoices, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from customers.models import Customer, Role
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from tests.world import World

pytestmark = pytest.mark.django_db


def url_of(customer: Customer) -> str:
    return f"/a/{customer.pk}/help/billing/"


def links_of(page: Any) -> set[str]:
    return {link["url"] for topic in page.context["topics"] for link in topic["pages"]}


def test_every_topic_leads_to_its_pages(world: World) -> None:
    ann = world.client(world.ann)
    page = ann.get(url_of(world.acme))
    titles = [topic["title"] for topic in page.context["topics"]]
    assert titles == [
        "Setting up",
        "The billing run",
        "Approving and sending",
        "Held back",
        "Payments",
        "Corrections",
        "Overdue",
        "What customers see",
    ]
    shown = page.content.decode()
    links = links_of(page)
    assert f"/a/{world.acme.pk}/settings/number-series/" in links
    for url in sorted(links):
        assert f'href="{url}"' in shown
        assert ann.get(url).status_code == 200, url


def test_pages_that_one_may_not_open_are_left_out(world: World) -> None:
    kept = [each for each in world.ann.role.permissions if each != Permission.SETTINGS]
    with scopes_disabled():
        world.ann.role = Role.objects.create(
            name="Clerk", permissions=kept, menus=world.ann.role.menus
        )
        world.ann.save(update_fields=["role"])
    page = world.client(world.ann).get(url_of(world.acme))
    assert f"/a/{world.acme.pk}/commerce/taxes/" in links_of(page)
    assert "/settings/invoicing/" not in page.content.decode()


def test_customers_without_customers_read_about_their_own_invoices(
    world: World,
) -> None:
    gil = world.client(world.gil)
    page = gil.get(url_of(world.gamma))
    assert page.context["topics"] == []
    own = [link["url"] for link in page.context["own_pages"]]
    assert len(own) == 2
    for url in own:
        assert gil.get(url).status_code == 200
    assert "Held back" not in page.content.decode()
