"""Pages that say that the files of invoices could not be made, and try again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import Invoice, PeriodRun, RunInvoice
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, filed, seller
from tests.invoicing.pages import invoice_of, said_by, text_of, url_of
from tests.world import World

ERROR = "KeyError: 'a secret of somebody else'"


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.fixture
def bad(world: World) -> Invoice:
    seller(world.acme)
    account_of(world.beta)
    return _spoil(invoice_of(world.beta))


def _spoil(invoice: Invoice) -> Invoice:
    later = timezone.now() + timedelta(hours=1)
    Invoice.objects.filter(pk=invoice.pk).update(
        draw_error=ERROR, draw_attempts=3, draw_due_at=later
    )
    return invoice


def _run_of(*invoices: Invoice) -> PeriodRun:
    run = PeriodRun.objects.create(finished_at=timezone.now())
    for invoice in invoices:
        RunInvoice.objects.create(run=run, invoice=invoice)
    return run


def test_issuer_is_told_and_tries_again(world: World, bad: Invoice) -> None:
    ann = world.client(world.ann)
    page = ann.get(url_of(world.acme, "invoice-detail", pk=bad.pk))
    said = text_of(page)
    assert "Its files could not be created. The next attempt is at" in said
    assert "Will be e-mailed once its files are created" in said
    assert ERROR not in page.content.decode()
    assert "KeyError" not in said
    again = url_of(world.acme, "invoice-draw", pk=bad.pk)
    assert said_by(ann.post(again, follow=True)) == [
        "The files of 1 invoice are being created again."
    ]
    bad.refresh_from_db()
    assert (bad.draw_error, bad.draw_attempts) == ("", 0)
    assert said_by(ann.post(again, follow=True)) == ["All files are created already."]


def test_others_find_no_button(world: World, bad: Invoice) -> None:
    ben, eve = world.client(world.ben), world.client(world.eve)
    own = text_of(ben.get(url_of(world.beta, "own-invoice-detail", pk=bad.pk)))
    assert "could not be created so far" in own
    assert "The next attempt" not in own
    assert eve.post(url_of(world.rival, "invoice-draw", pk=bad.pk)).status_code == 404
    assert ben.post(url_of(world.beta, "invoice-draw", pk=bad.pk)).status_code == 404
    bad.refresh_from_db()
    assert bad.is_undrawable


def test_run_tells_how_many_and_the_system_owner_tries_again(
    world: World, bad: Invoice
) -> None:
    fine = filed(invoice_of(world.beta, name="2"))
    worse = _spoil(invoice_of(world.beta, name="3"))
    run = _run_of(bad, fine, worse)
    olga = world.client(world.olga)
    page = text_of(olga.get(url_of(world.root, "run-detail", pk=run.pk)))
    assert "The files of 2 invoices could not be created so far." in page
    again = url_of(world.root, "run-draw", pk=run.pk)
    assert said_by(olga.post(again, follow=True)) == [
        "The files of 2 invoices are being created again."
    ]
    page = text_of(olga.get(url_of(world.root, "run-detail", pk=run.pk)))
    assert "could not be created" not in page
    ann = world.client(world.ann)
    assert ann.post(url_of(world.acme, "run-draw", pk=run.pk)).status_code == 403


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Will be e-mailed in a moment"),
        (
            {"sent_at": timezone.now() - timedelta(days=15)},
            "Not e-mailed: older invoices are e-mailed only when you ask for it",
        ),
    ],
)
def test_page_says_whether_it_is_still_mailed_by_itself(
    world: World, values: dict[str, Any], said: str
) -> None:
    seller(world.acme)
    account_of(world.beta)
    invoice = filed(invoice_of(world.beta))
    Invoice.objects.filter(pk=invoice.pk).update(**values)
    ann: Client = world.client(world.ann)
    page = ann.get(url_of(world.acme, "invoice-detail", pk=invoice.pk))
    assert said in text_of(page)
