"""Invoices in a browser: their list on a phone, and the form that credits one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from billing.choices import InvoiceStatus
from billing.models import Invoice
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import seller
from tests.invoicing.pages import invoice_of, url_of
from tests.invoicing.test_payments import pay
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def part_paid(cast: World) -> Invoice:
    """Of Beta, by Acme: €40.00 of €100.00 are settled."""
    seller(cast.acme)
    with scopes_disabled():
        invoice = invoice_of(cast.beta, "100.00", status=InvoiceStatus.DUE)
        pay(invoice.account, "40", cast.actor(cast.ann))
    return invoice


@pytest.mark.parametrize("is_own", [False, True])
def test_list_on_a_phone_tells_what_is_open_and_until_when(
    cast: World, part_paid: Invoice, new_visitor: Any, is_own: bool
) -> None:
    with scopes_disabled():
        invoice_of(cast.beta, name="2", status=InvoiceStatus.CANCELLED)
    visitor = new_visitor("narrow")
    visitor.sign_in(cast.ben if is_own else cast.ann)
    page = visitor.open(
        url_of(cast.beta, "own-invoice-list")
        if is_own
        else url_of(cast.acme, "invoice-list")
    )
    assert part_paid.due_day is not None
    row = page.get_by_role("row").filter(has_text=part_paid.number)
    expect(row.get_by_text("€60.00")).to_be_visible()
    expect(row.get_by_text(part_paid.due_day.isoformat())).to_be_visible()
    closed = page.get_by_role("row").filter(has_text="Cancelled")
    for name in ("Due", "Open"):
        expect(closed.locator(f"td[data-label='{name}']")).to_be_hidden()
    visitor.look("invoices-narrow")


def test_way_to_credit_opens_its_part_of_the_form(
    cast: World, part_paid: Invoice, new_visitor: Any
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(url_of(cast.acme, "invoice-credit", pk=part_paid.pk))
    amounts, lines = page.locator("details#amounts"), page.locator("details#lines")
    expect(amounts).not_to_have_attribute("open", "")
    page.get_by_label("Amounts", exact=True).check()
    expect(amounts).to_have_attribute("open", "")
    page.get_by_label("Single lines", exact=True).check()
    expect(lines).to_have_attribute("open", "")
    expect(amounts).not_to_have_attribute("open", "")
