"""Importing statements of banks: what is sure, what people decide, and nothing twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.bank_matching import creditor_reference
from billing.choices import ImportLineState, InvoiceStatus
from billing.models import (
    BillingAccount,
    Invoice,
    Payment,
    PaymentImport,
    PaymentImportLine,
)
from billing.services import payment_imports
from billing.services.payment_imports import Counts
from customers.services import tree
from portal.core.actor import Actor, system_actor
from portal.core.scope import scopes_disabled
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.test_payments import balance_of, pay
from tests.race import race
from tests.world import World

HEADER = "Buchungstag;Auftraggeber;Verwendungszweck;Betrag;Währung\n"


@pytest.fixture(autouse=True)
def everywhere() -> object:
    with scopes_disabled():  # rows are laid without a request
        yield


@pytest.fixture
def account(world: World) -> BillingAccount:
    seller(world.acme)
    return account_of(world.beta)


@pytest.fixture
def by(world: World) -> Actor:
    return world.actor(world.ann)


def bill(account: BillingAccount, amount: str, key: str = "request:1") -> Invoice:
    charge(account, amount)
    return issued(account, key)


def upload(world: World, by: Actor, *lines: str) -> PaymentImport:
    data = (HEADER + "".join(f"{line}\n" for line in lines)).encode()
    return payment_imports.upload(
        file_name="bank.csv", data=data, owner=world.acme, by=by
    )


def states(source: PaymentImport) -> list[str]:
    return list(source.lines.order_by("number").values_list("state", flat=True))


def line_for(text: str, amount: str = "100,00", currency: str = "EUR") -> str:
    return f"01.02.2026;Beta Voice;{text};{amount};{currency}"


@pytest.mark.parametrize(
    ("line", "state", "problem"),
    [
        (line_for("RG {number}"), "exact", ""),
        (line_for("{reference}"), "exact", ""),
        (line_for("RG {number}", currency=""), "exact", ""),
        (line_for("RG {number}", "99,00"), "open", "€100.00 are open"),
        (line_for("RG {number}", currency="USD"), "open", "another currency"),
        (line_for("hello"), "open", "names no invoice"),
        (line_for("RG {number}", "-100,00"), "left", "went out"),
        (line_for("RG {number}", "x"), "left", "cannot be read"),
        (line_for("{paid}"), "open", "Nothing is open"),
        (line_for("{number} {other}"), "open", "several invoices"),
    ],
)
def test_lines_are_told_apart(
    world: World,
    account: BillingAccount,
    by: Actor,
    line: str,
    state: str,
    problem: str,
) -> None:
    paid = bill(account, "7", "request:0")
    pay(account, "7", by)
    invoice = bill(account, "100")
    other = bill(account, "30", "request:2")
    source = upload(
        world,
        by,
        line.format(
            number=invoice.number,
            reference=creditor_reference(invoice.number),
            paid=paid.number,
            other=other.number,
        ),
    )
    [found] = source.lines.all()
    assert found.state == state, found.problem
    assert problem in found.problem


def test_sure_lines_are_booked_together_and_once(
    world: World, account: BillingAccount, by: Actor
) -> None:
    first, second = bill(account, "100"), bill(account, "50", "request:2")
    lines = (line_for(first.number), line_for(second.number, "50,00"))
    source = upload(world, by, *lines)
    assert payment_imports.book_sure(source=source, by=by) == Counts(2, 0)
    assert payment_imports.book_sure(source=source, by=by) == Counts(0, 0)
    assert set(Invoice.objects.values_list("status", flat=True)) == {InvoiceStatus.PAID}
    again = upload(world, by, *lines)
    assert states(again) == ["known", "known"]
    assert Payment.objects.count() == 2


def test_two_lines_for_one_invoice_are_not_both_sure(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number), line_for(f"{invoice.number}!"))
    assert states(source) == ["exact", "open"]


def test_invoice_paid_meanwhile_is_left_to_a_person(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number))
    pay(account, "40", by)
    assert payment_imports.book_sure(source=source, by=by) == Counts(0, 1)
    [line] = source.lines.all()
    assert (line.state, line.payment) == (ImportLineState.OPEN, None)
    assert "€60.00 are open" in line.problem


def test_numbers_of_other_providers_mean_nothing(
    world: World, account: BillingAccount, by: Actor
) -> None:
    seller(world.beta)
    theirs = bill(account_of(world.gamma), "100")
    source = upload(world, by, line_for(theirs.number))
    assert states(source) == ["open"]
    assert source.lines.get().invoice is None


def test_columns_of_unknown_names_are_chosen_by_a_person(
    world: World, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    data = f"a;b;c\n1.2.26;{invoice.number};100,00\n".encode()
    source = payment_imports.upload(
        file_name="x.csv", data=data, owner=world.acme, by=by
    )
    assert (source.columns, states(source)) == ({}, ["new"])
    columns = {"day": 0, "text": 1, "amount": 2}
    payment_imports.choose_columns(source=source, columns=columns, by=by)
    assert states(source) == ["exact"]
    payment_imports.book_sure(source=source, by=by)
    with pytest.raises(ValidationError, match="columns stay"):
        payment_imports.choose_columns(source=source, columns=columns, by=by)


@pytest.mark.django_db(transaction=True)
def test_one_line_in_two_files_booked_at_once_is_booked_once(world: World) -> None:
    seller(world.acme)
    account = account_of(world.beta)
    invoice = bill(account, "100")
    by = system_actor(world.acme)
    sources = [upload(world, by, line_for(invoice.number)) for _file in range(2)]

    def booking(source: PaymentImport) -> Counts:
        with scopes_disabled():
            return payment_imports.book_sure(source=source, by=by)

    found = race(lambda: booking(sources[0]), lambda: booking(sources[1]))
    assert sorted(each.booked for each in found) == [0, 1]
    assert Payment.objects.get().amount == 100
    assert balance_of(account) == 0


def test_statements_of_which_nothing_was_booked_go_with_their_account(
    world: World, by: Actor
) -> None:
    source = payment_imports.upload(
        file_name="bank.csv",
        data=(HEADER + line_for("hello")).encode(),
        owner=world.gamma,
        by=system_actor(world.gamma),
    )
    tree.delete_customer(customer=world.gamma, by=world.actor(world.ben))
    tree.purge_customer(customer=world.gamma, by=world.actor(world.ben))
    assert not PaymentImport.objects.filter(pk=source.pk).exists()


# --- Pages ----------------------------------------------------------------------------


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.ann)


def at(world: World, path: str = "") -> str:
    return f"/a/{world.acme.pk}/commerce/payment-imports/{path}"


def sent(**values: Any) -> dict[str, Any]:
    return {"form_token": str(uuid4()), **values}


def test_statement_is_uploaded_seen_and_booked(
    world: World, client: Client, account: BillingAccount
) -> None:
    invoice = bill(account, "100")
    text = HEADER + line_for(invoice.number) + "\n" + line_for("hello", "5,00") + "\n"
    file = SimpleUploadedFile("bank.csv", text.encode())
    answer = client.post(at(world, "new/"), sent(file=file))
    source = PaymentImport.objects.get()
    assert answer.headers["Location"] == at(world, f"{source.pk}/")
    assert not Payment.objects.exists()
    page = client.get(at(world, f"{source.pk}/")).content.decode()
    assert invoice.number in page
    question = client.get(at(world, f"{source.pk}/book/")).content.decode()
    assert "1 payment is recorded: €100.00." in question
    assert client.post(at(world, f"{source.pk}/book/"), sent()).status_code == 302
    assert Payment.objects.get().amount == 100
    assert client.get(at(world)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"nothing", b"%PDF\x00", b"a;b\n"])
def test_other_files_are_refused_with_a_reason(
    world: World, client: Client, content: bytes
) -> None:
    file = SimpleUploadedFile("bank.csv", content)
    answer = client.post(at(world, "new/"), sent(file=file))
    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not PaymentImport.objects.exists()


def test_columns_are_asked_for_where_nobody_knows_them(
    world: World, client: Client, account: BillingAccount
) -> None:
    invoice = bill(account, "100")
    file = SimpleUploadedFile("x.csv", f"a;b;c\n1.2.26;{invoice.number};100\n".encode())
    client.post(at(world, "new/"), sent(file=file))
    source = PaymentImport.objects.get()
    url = at(world, f"{source.pk}/columns/")
    assert client.get(at(world, f"{source.pk}/")).headers["Location"] == url
    assert invoice.number in client.get(url).content.decode()
    wrong = sent(day="0", amount="0", text="1", payer="", currency="")
    assert client.post(url, wrong).status_code == 422
    right = sent(day="0", amount="2", text="1", payer="", currency="")
    assert client.post(url, right).status_code == 302
    assert states(source) == ["exact"]


@pytest.mark.parametrize(
    ("target", "other", "settled", "balance"),
    [
        ("invoice", "", "60", "0"),
        ("account", "", "60", "0"),
        ("other", "{number}", "60", "0"),
        ("other", "100001", "60", "0"),
        ("leave", "", "0", "0"),
    ],
)
def test_person_decides_about_a_line(
    world: World,
    client: Client,
    account: BillingAccount,
    by: Actor,
    target: str,
    other: str,
    settled: str,
    balance: str,
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for("thanks", "60,00"))
    [line] = source.lines.all()
    url = at(world, f"{source.pk}/rows/{line.pk}/")
    choices = dict(client.get(url).context["form"].fields["target"].choices)
    chosen = next(key for key in choices if key.startswith(target))
    data = sent(target=chosen, other=other.format(number=invoice.number))
    assert client.post(url, data).status_code == 302
    invoice.refresh_from_db()
    assert invoice.settled == Decimal(settled)
    assert balance_of(account) == Decimal(balance)


@pytest.mark.parametrize("other", ["", "9999-1", "100009"])
def test_unknown_numbers_are_refused(
    world: World, client: Client, account: BillingAccount, by: Actor, other: str
) -> None:
    source = upload(world, by, line_for("thanks"))
    url = at(world, f"{source.pk}/rows/{source.lines.get().pk}/")
    answer = client.post(url, sent(target="other", other=other))
    assert answer.status_code == 422
    assert "other" in answer.context["form"].errors
    assert not PaymentImportLine.objects.filter(state=ImportLineState.BOOKED).exists()


def test_booked_line_says_so(
    world: World, client: Client, account: BillingAccount, by: Actor
) -> None:
    invoice = bill(account, "100")
    source = upload(world, by, line_for(invoice.number))
    payment_imports.book_sure(source=source, by=by)
    url = at(world, f"{source.pk}/rows/{source.lines.get().pk}/")
    assert "booked already" in client.get(url).content.decode()
