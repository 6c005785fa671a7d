"""Nobody leaves a provider or a billing type while something is still to be invoiced."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from billing.choices import EntryKind, InvoiceStatus
from billing.models import BillingAccount, Invoice
from billing.receivables import statement_of
from billing.services import payments, run_work
from billing.services.accounts import update_account
from customers.services import tree
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType
from tests.invoicing.bills import account_of, charge, issued, seller
from tests.invoicing.test_payments import pay
from tests.race import WAIT, race, wait_until_somebody_waits
from tests.world import World


@pytest.fixture(autouse=True)
def everywhere(world: World) -> Iterator[None]:
    seller(world.acme)
    seller(world.rival)
    with scopes_disabled():
        yield


def moved(world: World) -> BillingAccount:
    tree.move_customer(
        customer=world.beta,
        parent=world.rival,
        plan=world.rival_plan,
        by=world.actor(world.olga),
    )
    return BillingAccount.objects.get(customer=world.beta)


def test_charges_on_no_invoice_are_not_taken_to_another_provider(world: World) -> None:
    account = account_of(world.beta, BillType.PREPAID_CALLS)
    charge(account, "100.00")

    with pytest.raises(ValidationError, match="is on no invoice yet"):
        moved(world)


@pytest.mark.parametrize(
    "bill_type", [BillType.PREPAID, BillType.PREPAID_INVOICES, BillType.POSTPAID]
)
def test_former_provider_invoices_what_was_paid_for_already(
    world: World, bill_type: BillType
) -> None:
    account = account_of(world.beta, bill_type)
    charge(account, "-100.00", kind=EntryKind.CREDIT)
    charge(account, "100.00")

    assert moved(world).provider == world.rival
    [last] = Invoice.objects.filter(account=account)
    assert (last.issuer, last.total, last.payable) == (world.acme, 100, 0)
    assert not account.entries.filter(invoice=None, kind=EntryKind.CHARGE).exists()


def test_nobody_is_moved_whose_last_invoice_cannot_be_issued(world: World) -> None:
    seller(world.acme, vat_id="", tax_number="")
    account = account_of(world.beta, invoice_format="xml")
    charge(account, "-100.00", kind=EntryKind.CREDIT)
    charge(account, "100.00")

    with pytest.raises(ValidationError, match="Your VAT ID or tax number is missing"):
        moved(world)
    assert not Invoice.objects.exists()


def test_nobody_is_moved_whose_invoice_is_held_back(world: World) -> None:
    seller(world.acme, vat_id="", tax_number="")
    account = account_of(world.beta, BillType.PREPAID_INVOICES, invoice_format="xml")
    charge(account, "-100.00", kind=EntryKind.TOPUP)
    charge(account, "100.00")
    assert issued(account).status == InvoiceStatus.PENDING

    with pytest.raises(ValidationError, match="held back"):
        moved(world)


@pytest.mark.django_db(transaction=True)
def test_move_sees_an_invoice_that_is_issued_meanwhile(world: World) -> None:
    account = account_of(world.beta)
    charge(account, "100.00")

    is_issued = Event()

    def issue_slowly() -> Invoice:
        with scopes_disabled(), transaction.atomic():
            invoice = issued(account)
            is_issued.set()
            wait_until_somebody_waits()
            return invoice

    def move() -> BillingAccount:
        is_issued.wait(WAIT)
        with scopes_disabled():
            return moved(world)

    invoice, refused = race(issue_slowly, move)

    assert invoice.status == InvoiceStatus.DUE
    assert "Invoices are open" in str(refused)


@pytest.mark.parametrize(
    "wanted", [each for each in BillType if each != BillType.PREPAID_CALLS]
)
def test_charges_kept_off_the_balance_are_invoiced_before_another_billing_type(
    world: World, wanted: BillType
) -> None:
    account = account_of(world.beta, BillType.PREPAID_CALLS)
    charge(account, "12.50")

    with pytest.raises(ValidationError) as refused:
        update_account(account=account, values={"bill_type": wanted}, taxes=None)
    assert refused.value.message_dict == {
        "bill_type": [
            "€12.50 is charged and on no invoice yet. Make that invoice first."
        ]
    }

    account.refresh_from_db()
    issued(account)
    update_account(account=account, values={"bill_type": wanted}, taxes=None)
    account.refresh_from_db()
    assert account.bill_type == wanted


def test_top_up_that_was_taken_back_is_not_invoiced_by_another_billing_type(
    world: World,
) -> None:
    by = world.actor(world.ann)
    account = account_of(world.beta, BillType.PREPAID_INVOICES)
    payment = pay(account, "50.00", by)
    payments.reverse_payment(payment=payment, reason="Bounced", is_refused=True, by=by)
    kept = pay(account, "20.00", by)
    account_of(world.beta, BillType.PREPAID)

    run_work.issue_for(account.pk, run_id=None)

    [invoice] = Invoice.objects.filter(account=account)
    assert invoice.total == kept.amount


def test_new_provider_does_not_see_what_was_paid_to_the_former_one(
    world: World,
) -> None:
    account = account_of(world.beta)
    charge(account, "100.00")
    issued(account)
    pay(account, "100.00", world.actor(world.ann))
    account = moved(world)

    assert statement_of(account, shown_to_customer=False).payments == ()
    assert len(statement_of(account, shown_to_customer=True).payments) == 1
