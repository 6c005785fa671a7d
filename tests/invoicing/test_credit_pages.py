"""The pages that credit an invoice: what they ask, what they show before it is issued."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client

from billing.choices import InvoiceStatus as S
from billing.models import Invoice
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.pages import text_of, url_of
from tests.pages import entries_of, errors_of
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def ann(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture
def invoice(world: World) -> Invoice:
    """Of Beta, by Acme: two lines of October with VAT; it is due."""
    seller(world.acme)
    account = account_of(world.beta, invoice_detail="itemised")
    october: dict[str, Any] = {
        "period_start": date(2026, 10, 1),
        "period_end": date(2026, 11, 1),
    }
    for text in ("Router", "Line"):
        vat = ((world.acme_tax, "9.50"),)
        charge(account, "50.00", taxes=vat, text=text, **october)
    return issued(account)


def form_of(world: World, invoice: Invoice, query: str = "") -> str:
    return url_of(world.acme, "invoice-credit", pk=invoice.pk) + query


def open_parts(page: Any) -> set[str]:
    """The ids of the sections of the form that are not folded."""
    html = text_of(page)
    return {
        part
        for part in ("credit", "lines", "amounts")
        if f'id="{part}"' in html
        and " open>" in html.split(f'id="{part}"')[1].split(">")[0] + ">"
    }


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ("cancel", {"credit"}),
        ("lines", {"credit", "lines"}),
        ("amounts", {"credit", "amounts"}),
    ],
)
def test_part_of_what_was_chosen_is_open_when_the_form_comes_back(
    world: World, ann: Client, invoice: Invoice, how: str, parts: set[str]
) -> None:
    url = form_of(world, invoice)
    page = ann.get(url)
    assert open_parts(page) == {"credit"}
    answer = ann.post(url, entries_of(page, how=how, reason=""))
    assert set(errors_of(answer)) >= {"reason"}
    assert open_parts(answer) == parts


def test_lines_name_their_days_as_all_pages_do(
    world: World, ann: Client, invoice: Invoice
) -> None:
    page = ann.get(form_of(world, invoice))
    labels = [text for _number, text in page.context["form"].fields["lines"].choices]
    assert labels == [
        "Router, 2026-10-01 – 2026-10-31: €50.00",
        "Line, 2026-10-01 – 2026-10-31: €50.00",
    ]


def test_who_cancels_is_asked_for_the_reason_alone(
    world: World, ann: Client, invoice: Invoice
) -> None:
    url = form_of(world, invoice, "?how=cancel")
    page = ann.get(url)
    visible = [field.name for field in page.context["form"].visible_fields()]
    assert visible == ["reason"]
    assert "All of it: the invoice is cancelled" in text_of(page)
    entries = entries_of(page, reason="Wrong customer")
    assert entries["how"] == "cancel"
    assert f"Invoice {invoice.number} is cancelled." in text_of(ann.post(url, entries))
    ann.post(url, entries | {"confirmed": "1"})
    invoice.refresh_from_db()
    assert invoice.status == S.CANCELLED


def test_preview_and_page_of_a_credit_note_say_what_is_credited(
    world: World, ann: Client, invoice: Invoice
) -> None:
    url = form_of(world, invoice)
    entries = entries_of(ann.get(url), how="lines", lines=["1"], reason="Wrong price")
    preview = text_of(ann.post(url, entries))
    taken_off = "€59.50 is taken off what is to be paid"
    assert preview.count(taken_off) == 1
    assert "Payment details" not in preview
    done = text_of(ann.post(url, entries | {"confirmed": "1"}, follow=True))
    for shown in (preview, done):
        assert "What is credited" in shown
        assert "What is invoiced" not in shown
    page = ann.get(url_of(world.acme, "invoice-detail", pk=invoice.pk))
    assert "What is invoiced" in text_of(page)
