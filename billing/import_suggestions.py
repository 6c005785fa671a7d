"""Where a line of a bank statement may belong, for a person to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from billing.bank_matching import names_customer
from billing.choices import InvoiceType
from billing.invoice_statuses import OPEN
from billing.models import BillingAccount, Invoice, PaymentImportLine
from portal.core.actor import TenantRow
from portal.core.money import format_money

_MOST = 5  # of each kind of reason
_INVOICE, _ACCOUNT = "invoice", "account"

Target = tuple[BillingAccount, Invoice | None]


def suggestions_for(
    line: PaymentImportLine, *, customers: Callable[[str], QuerySet[Any]]
) -> list[tuple[str, str]]:
    """Choices, the likeliest first: who has exactly that open and is named, the invoice it
    names, others with that amount, and of customers called like the payer. ``customers``
    finds some by a text."""
    found: dict[int, Invoice] = {}
    whole = _with_that_debt(line)
    if line.invoice_id is not None:
        _add(found, _open(line).filter(pk=line.invoice_id))
    if line.amount is not None:
        left = F("payable") - F("settled")
        _add(found, _open(line).alias(left=left).filter(left=line.amount))
    accounts: dict[int, BillingAccount] = {}
    if line.payer:
        theirs = list(customers(line.payer).values_list("pk", flat=True)[:_MOST])
        _add(found, _open(line).filter(account__customer__in=theirs))
        rows = BillingAccount.objects.filter(
            provider=line.owner_id, customer__in=theirs
        )
        accounts = {row.pk: row for row in rows.select_related("customer")[:_MOST]}
    for invoice in found.values():
        accounts.setdefault(invoice.account_id, invoice.account)
    for account in whole:
        accounts.pop(account.pk, None)
    return [
        *(
            (
                f"{_ACCOUNT}:{each.pk}",
                _("%(customer)s: all its open invoices")
                % {"customer": each.customer.name},
            )
            for each in whole
        ),
        *((f"{_INVOICE}:{each.pk}", _invoice_text(each)) for each in found.values()),
        *(
            (
                f"{_ACCOUNT}:{each.pk}",
                _("%(customer)s: the oldest open invoices, then the balance")
                % {"customer": each.customer.name},
            )
            for each in accounts.values()
        ),
    ]


def _with_that_debt(line: PaymentImportLine) -> list[BillingAccount]:
    """Those that the line names and that have exactly its amount open, in two or more."""
    debts = (
        _open(line)
        .order_by()
        .values("account")
        .annotate(debt=Sum(F("payable") - F("settled")), count=Count("pk"))
    )
    ids = debts.filter(debt=line.amount, count__gt=1).values("account")
    rows = BillingAccount.objects.filter(pk__in=ids).select_related("customer")
    return [
        row
        for row in rows.order_by("pk")
        if names_customer(
            line.payer,
            line.text,
            number=row.customer.account_number,
            name=row.customer.name,
        )
    ]


def _open(line: PaymentImportLine) -> QuerySet[Invoice]:
    rows = Invoice.objects.filter(
        issuer=line.owner_id,
        account__provider=line.owner_id,
        type=InvoiceType.INVOICE,
        status__in=OPEN,
        payable__gt=F("settled"),
    )
    if line.currency:
        rows = rows.filter(currency=line.currency)
    return rows.select_related("account__customer").defer("content").order_by("pk")


def _add(found: dict[int, Invoice], rows: QuerySet[Invoice]) -> None:
    found |= {row.pk: row for row in rows[:_MOST] if row.pk not in found}


def _invoice_text(invoice: Invoice) -> str:
    return _("%(number)s of %(customer)s: %(open)s open") % {
        "number": invoice.number,
        "customer": invoice.account.customer.name,
        "open": format_money(invoice.open, invoice.currency),
    }


def find_target(wanted: str, *, owner: TenantRow, is_typed: bool) -> Target:
    """The account, and the invoice if one is meant, of a choice or of a typed number.

    Raises ValidationError where there is none, or nothing is open of the invoice.
    """
    invoices = Invoice.objects.filter(
        issuer=owner.pk, account__provider=owner.pk, type=InvoiceType.INVOICE
    )
    accounts = BillingAccount.objects.filter(provider=owner.pk)
    if is_typed:
        invoices = invoices.filter(number__iexact=wanted.strip()).exclude(number="")
        accounts = accounts.filter(customer__account_number=wanted.strip())
    else:
        kind, _colon, pk = wanted.partition(":")
        invoices = invoices.filter(Q(pk=pk) if kind == _INVOICE else Q(pk=None))
        accounts = accounts.filter(Q(pk=pk) if kind == _ACCOUNT else Q(pk=None))
    invoice = invoices.select_related("account__customer").defer("content").first()
    if invoice is not None:
        if invoice.open <= 0 or invoice.status not in OPEN:
            raise ValidationError(
                {"other": _("This invoice has nothing left to pay.")}, code="not_open"
            )
        return invoice.account, invoice
    account = accounts.select_related("customer").first()
    if account is None:
        raise ValidationError(
            {"other": _("You have no invoice and no customer of this number.")},
            code="unknown",
        )
    return account, None
