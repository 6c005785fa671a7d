"""“Invoice now”: the preview that saves nothing, and the invoice that is the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing.choices import EntryKind, InvoiceOccasion
from billing.models import BillingAccount, Invoice, LedgerEntry, SeriesCount
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, charge, seller
from tests.invoicing.pages import said_by, text_of, url_of
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
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


def address(world: World, query: str = "") -> str:
    return url_of(world.acme, "invoice-new", pk=world.beta.pk) + query


def days_ago(days: int) -> Any:
    """Noon of that day, in the customers' time zone."""
    today = timezone.localtime(timezone.now()).date()
    return timezone.make_aware(datetime.combine(today, time(12))) - timedelta(days)


def test_preview_shows_it_and_saves_nothing(
    world: World, ann: Client, account: BillingAccount
) -> None:
    charge(account, "10.00", taxes=((world.acme_tax, "1.90"),))
    page = ann.get(address(world))
    assert "€11.90" in text_of(page)
    assert "Issue this invoice" in text_of(page)
    assert not Invoice.objects.exists()
    assert not SeriesCount.objects.exists()
    assert not LedgerEntry.objects.filter(kind=EntryKind.INVOICE).exists()


def test_confirmed_it_is_issued_as_shown(
    world: World, ann: Client, account: BillingAccount
) -> None:
    charge(account, "10.00")
    page = ann.get(address(world))
    done = ann.post(address(world), entries_of(page), follow=True)
    invoice = Invoice.objects.get()
    assert said_by(done) == [f"Invoice {invoice.number} is issued."]
    assert invoice.occasion == InvoiceOccasion.REQUEST
    assert invoice.total == page.context["draft"].content.document.totals.gross
    assert done.redirect_chain[-1][0] == url_of(
        world.acme, "invoice-detail", pk=invoice.pk
    )


def test_double_click_makes_one(
    world: World, ann: Client, account: BillingAccount
) -> None:
    charge(account, "10.00")
    entries = entries_of(ann.get(address(world)))
    first = ann.post(address(world), entries)
    charge(account, "5.00")
    second = ann.post(address(world), entries)
    assert first["Location"] == second["Location"]
    assert Invoice.objects.count() == 1


def test_it_goes_up_to_the_day_chosen(
    world: World, ann: Client, account: BillingAccount
) -> None:
    charge(account, "10.00", at=days_ago(5))
    charge(account, "7.00", at=days_ago(3))
    last = local_date("Europe/Berlin") - timedelta(days=4)
    page = ann.get(address(world, f"?last={last}"))
    assert page.context["draft"].content.document.totals.gross == 10
    ann.post(address(world), entries_of(page))
    invoice = Invoice.objects.get()
    assert (invoice.total, invoice.period_end) == (10, last)
    rest = ann.get(address(world))
    assert rest.context["draft"].content.document.totals.gross == 7


@pytest.mark.parametrize("last", ["2999-01-01", "yesterday", ""])
def test_day_that_cannot_be_is_refused(
    world: World, ann: Client, account: BillingAccount, last: str
) -> None:
    charge(account, "10.00")
    shown = ann.get(address(world, f"?last={last}"))
    assert shown.context["until_form"].errors["last"]
    entries = entries_of(ann.get(address(world)), last=last)
    assert errors_of(ann.post(address(world), entries))["last"]
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (None, "There is nothing to invoice"),
        ("-5.00", "Credits exceed charges"),
    ],
)
def test_nothing_to_invoice_is_said_kindly(
    world: World,
    ann: Client,
    account: BillingAccount,
    net: str | None,
    sentence: str,
) -> None:
    if net is not None:
        charge(account, net, kind=EntryKind.REFUND)
    page = ann.get(address(world))
    assert sentence in text_of(page)
    assert "Issue this invoice" not in text_of(page)
    refused = ann.post(address(world), entries_of(page))
    assert refused.status_code == 422
    assert not Invoice.objects.exists()


def test_rounding_is_marked(world: World, ann: Client, account: BillingAccount) -> None:
    charge(account, "0.014", kind=EntryKind.CALL)
    assert "from rounding" in text_of(ann.get(address(world)))


@pytest.mark.parametrize("bill_type", [BillType.NONE, BillType.EXTERNAL])
def test_billing_types_without_invoices_have_none(
    world: World, ann: Client, bill_type: BillType
) -> None:
    account_of(world.beta, bill_type)
    assert "This billing type has no invoices." in text_of(ann.get(address(world)))
    tab = ann.get(url_of(world.acme, "customer-invoices", pk=world.beta.pk))
    assert "Invoice now" not in text_of(tab)


def test_only_the_provider_invoices(world: World, account: BillingAccount) -> None:
    charge(account, "10.00")
    for person, customer in ((world.eve, world.rival), (world.ann, world.acme)):
        client = world.client(person)
        # Rival knows neither; Gamma is a customer of Acme's customer.
        whom = world.beta if person == world.eve else world.gamma
        for name in ("invoice-new", "invoice-preview"):
            assert client.get(url_of(customer, name, pk=whom.pk)).status_code == 404


def test_preview_is_shown_as_pdf_too(
    world: World, ann: Client, account: BillingAccount
) -> None:
    charge(account, "10.00")
    answer = ann.get(url_of(world.acme, "invoice-preview", pk=world.beta.pk))
    assert answer.content.startswith(b"%PDF-")
    assert not Invoice.objects.exists()


def test_preview_of_nothing_leads_back(
    world: World, ann: Client, account: BillingAccount
) -> None:
    answer = ann.get(url_of(world.acme, "invoice-preview", pk=world.beta.pk))
    assert answer["Location"] == address(world)


def test_held_back_one_is_said(
    world: World, ann: Client, account: BillingAccount
) -> None:
    account_of(world.beta, invoice_format="xml", vat_treatment="AE")
    charge(account, "10.00")
    done = ann.post(address(world), entries_of(ann.get(address(world))), follow=True)
    assert said_by(done) == ["The invoice is held back; this page says why."]
    assert done.context["gaps"]


# --- No VAT ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_vat", "taxes", "values", "buyer", "said"),
    [
        (
            True,
            "0.00",
            {},
            {},
            "No VAT is charged: nothing on this invoice was booked with VAT.",
        ),
        (False, "0.00", {}, {}, "No VAT is charged: you have set up none."),
        (True, "1.90", {}, {}, ""),
        (
            True,
            "0.00",
            {"untaxed_category": "E", "untaxed_reason": "§ 19 UStG"},
            {},
            "",
        ),
        (False, "0.00", {"untaxed_category": "O", "vat_id": ""}, {}, ""),
        (True, "0.00", {}, {"vat_treatment": "AE"}, ""),
    ],
)
def test_invoice_without_vat_is_told_before_it_is_issued(
    world: World,
    ann: Client,
    is_vat: bool,
    taxes: str,
    values: dict[str, Any],
    buyer: dict[str, Any],
    said: str,
) -> None:
    seller(world.acme, **values)
    world.acme_tax.is_vat = is_vat
    world.acme_tax.save()
    account = account_of(world.beta, **buyer)
    borne = ((world.acme_tax, taxes),) if taxes != "0.00" else ()
    charge(account, "10.00", taxes=borne)
    page = ann.get(address(world))
    untaxed = page.context["untaxed"]
    assert (untaxed["text"] if untaxed else "") == said
    if untaxed:
        assert said in text_of(page)
        assert ann.get(untaxed["url"]).status_code == 200
