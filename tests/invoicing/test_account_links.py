"""From an account to its invoices: what is to be paid, and what an entry stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from billing.choices import InvoiceStatus as S
from billing.models import Invoice, LedgerEntry
from portal.core.scope import scopes_disabled
from tests.invoicing.pages import invoice_of, url_of
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


def own(world: World, page: str = "") -> str:
    return f"/a/{world.beta.pk}/reports/account/{page}"


def providers(world: World, page: str = "") -> str:
    return f"/a/{world.acme.pk}/commerce/customers/{world.beta.pk}/account/{page}"


def tile_of(client: Client, url: str) -> Any:
    """The tile that tells of invoices, if there is one."""
    tiles = client.get(url).context["overview"]()["tiles"]
    return next((tile for tile in tiles if tile["icon"] == "receipt-text"), None)


def test_account_tells_what_is_to_be_paid_by_invoice(world: World) -> None:
    ben, ann = world.client(world.ben), world.client(world.ann)
    assert tile_of(ben, own(world)) is None
    invoice_of(world.beta, "10.00", name="1", status=S.DUE)
    invoice_of(world.beta, "5.00", name="2", status=S.OVERDUE)
    invoice_of(world.beta, "3.00", name="3", status=S.QUEUED)
    invoice_of(world.beta, "2.00", name="4", status=S.CANCELLED)
    for client, page, name, kwargs in (
        (ben, own(world), "own-invoice-list", {}),
        (ann, providers(world), "customer-invoices", {"pk": world.beta.pk}),
    ):
        tile = tile_of(client, page)
        assert (tile["value"], tile["detail"]) == ("€15.00", "2 invoices, 1 overdue")
        account = world.beta if client is ben else world.acme
        assert tile["url"] == url_of(account, name, **kwargs) + "?status=open"
        assert len(client.get(tile["url"]).context["table"].rows) == 2


def test_who_is_above_the_provider_is_not_told(world: World) -> None:
    """Acme runs Beta, which invoices Gamma."""
    invoice_of(world.gamma, status=S.DUE)
    page = f"/a/{world.acme.pk}/commerce/customers/{world.gamma.pk}/account/"
    assert tile_of(world.client(world.ann), page) is None


@pytest.mark.parametrize(("status", "is_shown"), [(S.DUE, True), (S.QUEUED, False)])
def test_entry_leads_to_its_invoice_where_the_reader_may_see_it(
    world: World, status: S, is_shown: bool
) -> None:
    invoice = invoice_of(world.beta, status=status)
    entry = LedgerEntry.objects.filter(invoice=invoice).earliest("pk")
    links = (
        world.client(world.ben).get(own(world, f"entries/{entry.pk}/")).context["links"]
    )
    expected = url_of(world.beta, "own-invoice-detail", pk=invoice.pk)
    assert [link["url"] for link in links] == ([expected] if is_shown else [])
    links = (
        world.client(world.ann)
        .get(providers(world, f"ledger/{entry.pk}/"))
        .context["links"]
    )
    assert [(link["text"], link["url"]) for link in links] == [
        (invoice.number, url_of(world.acme, "invoice-detail", pk=invoice.pk))
    ]


def test_entry_of_a_customers_customer_leads_to_no_invoice(world: World) -> None:
    invoice: Invoice = invoice_of(world.gamma)
    entry = LedgerEntry.objects.filter(invoice=invoice).earliest("pk")
    page = (
        f"/a/{world.acme.pk}/commerce/customers/{world.gamma.pk}/account/ledger/"
        f"{entry.pk}/"
    )
    assert world.client(world.ann).get(page).context["links"] == []
