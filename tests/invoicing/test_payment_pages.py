"""The pages of payments and credit notes: what people click, and what comes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from billing.choices import InvoiceStatus, InvoiceType, PaymentMethod
from billing.models import BillingAccount, Invoice, Payment
from portal.core.actor import Actor
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.test_payments import pay
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows are laid without a request
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta, invoice_detail="itemised")


@pytest.fixture
def invoice(world: World, account: BillingAccount) -> Invoice:
    for net, vat in (("60.00", "11.40"), ("40.00", "7.60")):
        charge(account, net, taxes=((world.acme_tax, vat),), text=f"Line of {net}")
    return issued(account)


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.ann)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def at(world: World, path: str) -> str:
    return f"/a/{world.acme.pk}/commerce/{path}"


def sent(**values: Any) -> dict[str, Any]:
    return {"form_token": str(uuid4()), **values}


def a_payment(**values: Any) -> dict[str, Any]:
    return sent(
        **{
            "amount": "119.00",
            "received_on": local_date("Europe/Berlin").isoformat(),
            "method": "transfer",
            "invoice": "",
            "reference": "",
            "note": "",
            **values,
        }
    )


# --- Payments -------------------------------------------------------------------------


def test_invoice_leads_to_its_payment_with_what_is_open(
    world: World, client: Client, invoice: Invoice
) -> None:
    page = client.get(at(world, f"invoices/{invoice.pk}/")).content.decode()
    url = at(world, f"customers/{world.beta.pk}/payments/new/?invoice={invoice.pk}")
    assert url in page
    form = client.get(url).context["form"]
    assert form["amount"].value() == "119.00"
    assert form["invoice"].value() == str(invoice.pk)


@pytest.mark.parametrize(
    ("path", "title"),
    [("write-off", "Write off invoice "), ("status", "Set the status of invoice ")],
)
def test_invoice_is_written_small_within_a_title(
    world: World, client: Client, invoice: Invoice, path: str, title: str
) -> None:
    page = client.get(at(world, f"invoices/{invoice.pk}/{path}/"))
    assert page.context["title"] == f"{title}{invoice.number}"


def test_payment_is_recorded_once_however_often_it_is_sent(
    world: World, client: Client, invoice: Invoice
) -> None:
    url = at(world, f"customers/{world.beta.pk}/payments/new/")
    data = a_payment(invoice=str(invoice.pk), reference="RE 1")
    for _click in range(2):
        assert client.post(url, data).status_code == 302
    payment = Payment.objects.get()
    invoice.refresh_from_db()
    assert (payment.amount, payment.method) == (119, PaymentMethod.TRANSFER)
    assert invoice.status == InvoiceStatus.PAID
    page = client.get(at(world, f"payments/{payment.pk}/")).content.decode()
    assert invoice.number in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"received_on": "2999-01-01"}, "received_on"),
        ({"invoice": "999999"}, "invoice"),
        ({"reference": "a\u202eb"}, "reference"),
    ],
)
def test_wrong_payment_is_refused_at_its_field(
    world: World, client: Client, invoice: Invoice, values: dict[str, str], field: str
) -> None:
    url = at(world, f"customers/{world.beta.pk}/payments/new/")
    answer = client.post(url, a_payment(**values))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?q=beta", 2),
        ("?q=RE-77", 1),
        ("?q=30,00", 1),
        ("?q=nobody", 0),
        ("?method=cash", 1),
        ("?state=back", 0),
        ("?since=2999-01-01", 0),
        ("?sort=-amount", 2),
    ],
)
def test_list_is_narrowed_by_what_is_known(
    world: World,
    client: Client,
    account: BillingAccount,
    by: Actor,
    query: str,
    count: int,
) -> None:
    pay(account, "20", by, reference="RE-77")
    pay(account, "30", by, method=PaymentMethod.CASH)
    answer = client.get(at(world, f"payments/{query}"))
    assert len(answer.context["table"].rows) == count


def test_payment_is_taken_back_with_what_follows_told_before(
    world: World, client: Client, account: BillingAccount, invoice: Invoice, by: Actor
) -> None:
    payment = pay(account, "130", by)
    url = at(world, f"payments/{payment.pk}/reverse/")
    page = client.get(url).content.decode()
    assert "€119.00 is owed again" in page
    assert "drops by €11.00" in page
    assert client.post(url, sent(kind="refused", reason="")).status_code == 422
    data = sent(kind="refused", reason="Insufficient funds")
    assert client.post(url, data).status_code == 302
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAYMENT_REFUSED
    assert "already been taken back" in client.get(url).content.decode()


def test_customer_sees_the_payment_in_its_ledger(
    world: World, account: BillingAccount, invoice: Invoice, by: Actor
) -> None:
    pay(account, "119", by)
    ledger = f"/a/{world.beta.pk}/reports/account/"
    page = world.client(world.ben).get(ledger).content.decode()
    assert f'Payment of invoice <span class="whole">{invoice.number}<' in page


def test_customers_do_not_see_what_their_provider_received(
    world: World, account: BillingAccount, by: Actor
) -> None:
    payment = pay(account, "119", by)
    url = f"/a/{world.beta.pk}/commerce/payments/{payment.pk}/"
    assert world.client(world.ben).get(url).status_code == 404


# --- Credit notes ---------------------------------------------------------------------


def credit_url(world: World, invoice: Invoice) -> str:
    return at(world, f"invoices/{invoice.pk}/credit/")


@pytest.mark.parametrize(
    ("values", "total", "status"),
    [
        ({"how": "cancel"}, "119.00", InvoiceStatus.CANCELLED),
        ({"how": "again"}, "119.00", InvoiceStatus.SUPERSEDED),
        ({"how": "lines", "lines": ["2"]}, "47.60", InvoiceStatus.DUE),
        ({"how": "amounts", "vat-S-19": "10,00"}, "11.90", InvoiceStatus.DUE),
    ],
)
def test_credit_note_is_shown_then_issued(
    world: World,
    client: Client,
    invoice: Invoice,
    values: dict[str, Any],
    total: str,
    status: InvoiceStatus,
) -> None:
    url = credit_url(world, invoice)
    data = sent(reason="Wrong price", **values)
    shown = client.post(url, data)
    assert shown.status_code == 200
    assert f"€{total}" in shown.content.decode()
    assert Invoice.objects.count() == 1
    carried = dict(shown.context["carried"])
    assert carried["reason"] == "Wrong price"
    for _click in range(2):
        assert client.post(url, {**data, "confirmed": "1"}).status_code == 302
    invoice.refresh_from_db()
    note = Invoice.objects.get(type=InvoiceType.CREDIT_NOTE)
    assert (note.total, invoice.status) == (Decimal(total), status)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"how": "cancel", "reason": ""}, "reason"),
        ({"how": "lines", "reason": "x"}, "lines"),
        ({"how": "lines", "lines": ["9"], "reason": "x"}, "lines"),
        ({"how": "amounts", "vat-S-19": "101", "reason": "x"}, "vat-S-19"),
        ({"how": "amounts", "reason": "x"}, "__all__"),
    ],
)
def test_wrong_credit_is_refused_at_its_field(
    world: World, client: Client, invoice: Invoice, values: dict[str, Any], field: str
) -> None:
    answer = client.post(credit_url(world, invoice), sent(**values))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Invoice.objects.count() == 1


def test_what_was_chosen_can_be_changed_after_the_preview(
    world: World, client: Client, invoice: Invoice
) -> None:
    data = sent(how="amounts", reason="Wrong price", **{"vat-S-19": "10"})
    answer = client.post(credit_url(world, invoice), {**data, "edit": "1"})
    assert answer.status_code == 200
    assert answer.context["form"]["vat-S-19"].value() == "10"


def test_what_cannot_be_credited_says_why(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    account_of(world.beta, BillType.PREPAID)
    pay(account, "50", by)
    topup = Invoice.objects.get()
    page = client.get(credit_url(world, topup)).content.decode()
    assert "take that payment back instead" in page
    invoice_page = client.get(at(world, f"invoices/{topup.pk}/")).content.decode()
    assert credit_url(world, topup) not in invoice_page


def test_only_who_issued_it_credits(world: World, invoice: Invoice) -> None:
    rival = f"/a/{world.rival.pk}/commerce/invoices/{invoice.pk}/credit/"
    assert world.client(world.eve).get(rival).status_code == 404
    own = f"/a/{world.beta.pk}/commerce/invoices/{invoice.pk}/credit/"
    assert world.client(world.ben).get(own).status_code == 404
