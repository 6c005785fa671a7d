"""Entries to invoice, and accounts that can be invoiced."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from billing import ledger
from billing.choices import EntryKind, InvoiceOccasion
from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceFile,
    LedgerEntry,
    Seller,
    Tax,
)
from billing.services import invoice_files, invoices
from billing.taxes import TaxPart
from billing.types import rules_of
from customers.models import Customer
from portal.core.actor import system_actor
from portal.core.models import StoredFile
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType


def seller(customer: Customer, **values: Any) -> Seller:
    """One whose electronic invoices are valid, unless ``values`` say otherwise."""
    with scopes_disabled():
        row, _is_new = Seller.objects.update_or_create(
            customer=customer,
            defaults={
                "legal_name": f"{customer.name} GmbH",
                "vat_id": "DE136695976",
                "iban": "DE02120300000000202051",
                "contact_name": "Anna Weber",
                "contact_telephone": "+49 40 2312520",
                **values,
            },
        )
    return row


def account_of(
    customer: Customer, bill_type: BillType = BillType.POSTPAID, **values: Any
) -> BillingAccount:
    """The account as a test wants it."""
    with scopes_disabled():
        account = BillingAccount.objects.get(customer=customer)
        account.bill_type = bill_type
        account.credit_limit = Decimal(100_000)
        for name, value in values.items():
            setattr(account, name, value)
        account.save()
    return account


def charge(
    account: BillingAccount,
    net: str,
    *,
    taxes: tuple[tuple[Tax, str], ...] = (),
    kind: EntryKind = EntryKind.CHARGE,
    text: str = "Telephone line",
    at: Any = None,
    **details: Any,
) -> LedgerEntry:
    """An entry of ``net`` and ``taxes``; below 0 it is given back."""
    amount = Decimal(net)
    parts = tuple(
        TaxPart(tax.pk, tax.name, tax.rate, Decimal(part), tax.is_vat)
        for tax, part in taxes
    )
    move = ledger.debit if amount >= 0 else ledger.credit
    key = f"test:{uuid4()}"
    with scopes_disabled():
        details.setdefault(
            "is_on_balance",
            rules_of(account.bill_type).transactions_move_balance,
        )
        ledger.post(
            [move(account.pk, key, kind, abs(amount), text, taxes=parts, **details)],
            by=system_actor(account.customer),
            within_limits=False,
            at=at,
        )
        return LedgerEntry.objects.get(account=account, key=key)


def issued(
    account: BillingAccount, key: str = "request:1", until: date | None = None
) -> Invoice:
    """The invoice over what there is; the test fails if there is none."""
    with scopes_disabled():
        invoice = invoices.issue(
            account.pk,
            occasion=InvoiceOccasion.REQUEST,
            key=key,
            by=system_actor(account.provider),
            until=until,
        )
    assert invoice is not None
    return invoice


def filed(invoice: Invoice) -> Invoice:
    """As if it had been drawn, for tests that do not look into its file."""
    kind = invoice_files.SENT[invoice.format]
    with scopes_disabled():
        file = StoredFile.objects.create(
            content_type=invoice_files.CONTENT_TYPES[kind], data=b"%PDF"
        )
        InvoiceFile.objects.create(invoice=invoice, kind=kind, file=file)
        Invoice.objects.filter(pk=invoice.pk).update(drawn_at=timezone.now())
    return invoice
