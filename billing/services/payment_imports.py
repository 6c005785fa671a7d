"""Importing payments from the statement of a bank: rows first, then what they mean.

A line is sure if it names exactly one open invoice and is exactly what is open of it; these are
booked together. All others are left to a person. Of one provider the same line is booked once,
in whichever file it comes (`bank_csv.keys_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from billing import bank_csv
from billing.bank_csv import NEEDED, BankLine
from billing.bank_matching import named_in, references
from billing.choices import ImportLineState, InvoiceType, PaymentMethod
from billing.invoice_statuses import OPEN
from billing.models import (
    BillingAccount,
    Invoice,
    Payment,
    PaymentImport,
    PaymentImportLine,
)
from billing.services import payments, settlements
from billing.services.payments import Received
from portal.core import audit
from portal.core.actor import Actor
from portal.core.integrity import kept_whole
from portal.core.money import format_money
from portal.core.permissions import Permission

# Numbers that a line may name: of all open invoices, and of so many of the newest.
_NEWEST = 20_000
# Where 03/04/2026 is in March.
_MONTH_FIRST = {"US", "PH"}
_LATER = (ImportLineState.NEW, ImportLineState.EXACT, ImportLineState.OPEN)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines that were sure."""

    booked: int
    left: int


@dataclass(frozen=True, slots=True)
class _Open:
    """An invoice that a line may pay."""

    id: int
    number: str
    open: Decimal
    currency: str

    @property
    def money(self) -> str:
        return format_money(self.open, self.currency)


@transaction.atomic
def upload(*, file_name: str, data: bytes, owner: Any, by: Actor) -> PaymentImport:
    """Keep a file's rows and, where its columns are known by name, read and match them.

    ``owner`` is the account acted in, with its country. Raises ValidationError for what is
    no statement.
    """
    by.require(Permission.COMMERCE)
    sheet = bank_csv.read_sheet(data)
    source = PaymentImport.objects.create(
        owner=owner,
        file_name=file_name[-120:],
        header=list(sheet.header),
        person_id=by.person.pk if by.person else None,
        person_name=by.person.display_name if by.person else "",
    )
    PaymentImportLine.objects.bulk_create(
        PaymentImportLine(source=source, owner=owner, number=number, cells=list(cells))
        for number, cells in sheet.rows
    )
    audit.record("payment.imported", source, by=by, customer=owner)
    columns = bank_csv.columns_by_name(sheet.header)
    if columns.keys() >= set(NEEDED):
        choose_columns(source=source, columns=columns, by=by)
        source.columns = columns
    return source


@transaction.atomic
def choose_columns(
    *, source: PaymentImport, columns: Mapping[str, int], by: Actor
) -> None:
    """Say which columns hold what, then read and match all that is not booked yet."""
    by.require(Permission.COMMERCE)
    source = PaymentImport.objects.select_for_update(of=("self",)).get(pk=source.pk)
    if source.lines.filter(state=ImportLineState.BOOKED).exists():
        raise ValidationError(_("Some of its lines are booked: the columns stay."))
    source.columns = dict(columns)
    source.save(update_fields=["columns"])
    lines = list(source.lines.order_by("number"))
    read = bank_csv.read_lines(
        [(line.number, line.cells) for line in lines],
        columns,
        month_first=source.owner.country in _MONTH_FIRST,
    )
    for line, said, key in zip(lines, read, bank_csv.keys_of(read), strict=True):
        line.key, line.day, line.amount = key, said.day, said.amount
        line.currency, line.payer, line.text = said.currency, said.payer, said.text
    _judge(source, lines, read)
    PaymentImportLine.objects.bulk_update(
        lines,
        [
            *("key", "day", "amount", "currency", "payer", "text"),
            *("state", "problem", "invoice"),
        ],
        batch_size=500,
    )


def _judge(
    source: PaymentImport, lines: list[PaymentImportLine], read: list[BankLine]
) -> None:
    known = set(
        PaymentImportLine.objects.filter(
            owner=source.owner_id, key__in=[line.key for line in lines]
        )
        .exclude(payment=None)
        .values_list("key", flat=True)
    )
    issued = Invoice.objects.filter(
        issuer=source.owner_id, type=InvoiceType.INVOICE
    ).exclude(number="")
    unpaid = issued.filter(status__in=OPEN, payable__gt=F("settled"))
    found = {
        invoice.pk: _Open(invoice.pk, invoice.number, invoice.open, invoice.currency)
        for invoice in unpaid.defer("content")
    }
    newest = dict(issued.order_by("-pk").values_list("pk", "number")[:_NEWEST])
    numbers = newest | {each.id: each.number for each in found.values()}
    names = references(numbers)
    taken: set[int] = set()
    for line, said in zip(lines, read, strict=True):
        line.invoice_id = None
        line.state, line.problem = _plain_state(line, said, known)
        if line.state == ImportLineState.NEW:
            named = named_in(line.text, names)
            _match(line, [found[pk] for pk in sorted(named & found.keys())], taken)
            if line.problem == "" and line.invoice_id is None:
                line.problem = _unmatched(named, numbers)


def _plain_state(
    line: PaymentImportLine, said: BankLine, known: set[str]
) -> tuple[ImportLineState, str]:
    if said.problem or line.amount is None:
        return ImportLineState.LEFT, said.problem
    if line.amount <= 0:
        return ImportLineState.LEFT, _("Money that went out.")
    if line.key in known:
        return ImportLineState.KNOWN, _("The same line was booked before.")
    return ImportLineState.NEW, ""


def _match(line: PaymentImportLine, named: list[_Open], taken: set[int]) -> None:
    """Sure, or for a person with the reason why."""
    line.state = ImportLineState.OPEN
    if len(named) > 1:
        line.problem = _("It names several invoices.")
    if len(named) != 1:
        return
    [invoice] = named
    line.invoice_id = invoice.id
    assert line.amount is not None
    if line.currency and line.currency != invoice.currency:
        line.problem = _("It is in another currency than invoice %(number)s.")
    elif line.amount != invoice.open:
        line.problem = _("Of invoice %(number)s, %(open)s are open.")
    elif invoice.id in taken:
        line.problem = _("Another line pays invoice %(number)s.")
    else:
        taken.add(invoice.id)
        line.state = ImportLineState.EXACT
    line.problem %= {"number": invoice.number, "open": invoice.money}


def _unmatched(named: set[int], numbers: Mapping[int, str]) -> str:
    if named:
        text = _("Nothing is open of invoice %(number)s.")
        return text % {"number": numbers[min(named)]}
    return _("It names no invoice.")


def sure_lines(source: PaymentImport) -> list[PaymentImportLine]:
    """What `book_sure` would book, by account, as locks are taken."""
    rows = source.lines.filter(state=ImportLineState.EXACT)
    rows = rows.select_related("invoice__account__customer")
    return list(rows.defer("invoice__content").order_by("invoice__account", "pk"))


def book_sure(*, source: PaymentImport, by: Actor) -> Counts:
    """Book all lines that are still sure; one that is not any more is left to a person."""
    by.require(Permission.COMMERCE)
    booked = 0
    lines = sure_lines(source)
    for line in lines:
        assert line.invoice is not None
        booked += _book_sure(line, line.invoice, by)
    return Counts(booked, len(lines) - booked)


def _book_sure(line: PaymentImportLine, invoice: Invoice, by: Actor) -> bool:
    try:
        with transaction.atomic():
            settlements.held_account(invoice.account_id)
            now = Invoice.objects.get(pk=invoice.pk)
            if now.open != line.amount:
                raise ValidationError(
                    _("Of invoice %(number)s, %(open)s are open.")
                    % {
                        "number": now.number,
                        "open": format_money(now.open, now.currency),
                    }
                )
            _book(line, invoice.account, invoice, by)
    except ValidationError as error:
        _leave_open(line, " ".join(error.messages))
        return False
    return line.state == ImportLineState.BOOKED


def book_line(
    *,
    line: PaymentImportLine,
    account: BillingAccount,
    invoice: Invoice | None,
    by: Actor,
) -> None:
    """Book a line as a person decided: on ``invoice``, or the oldest ones of ``account``.

    Raises ValidationError if it cannot be, or was meanwhile.
    """
    by.require(Permission.COMMERCE)
    if line.currency and line.currency != account.currency:
        raise ValidationError(
            _("The line is in %(line)s, the account in %(account)s."),
            code="currency",
            params={"line": line.currency, "account": account.currency},
        )
    with kept_whole():
        _book(line, account, invoice, by)
    if line.state != ImportLineState.BOOKED:
        raise ValidationError(_("The same line was booked before."), code="known")


def leave_out(*, line: PaymentImportLine, by: Actor) -> None:
    """Book nothing for a line."""
    by.require(Permission.COMMERCE)
    rows = PaymentImportLine.objects.filter(pk=line.pk, state__in=_LATER)
    rows.update(state=ImportLineState.LEFT, problem=_("Left out by a person."))


def _book(
    line: PaymentImportLine,
    account: BillingAccount,
    invoice: Invoice | None,
    by: Actor,
) -> Payment | None:
    """Record the payment and note it on the line; a line known by now stays as it is."""
    row = PaymentImportLine.objects.select_for_update(of=("self",)).get(pk=line.pk)
    if row.state not in _LATER or row.amount is None or row.day is None:
        line.state = row.state
        return None
    received = Received(
        amount=row.amount,
        method=PaymentMethod.TRANSFER,
        on=row.day,
        reference=row.text[:140],
    )
    try:
        with transaction.atomic():
            payment = payments.record_payment(
                account=account,
                received=received,
                key=f"bank:{row.key}",
                by=by,
                invoice=invoice,
            )
            PaymentImportLine.objects.filter(pk=row.pk).update(
                state=ImportLineState.BOOKED, payment=payment, problem=""
            )
    except IntegrityError:  # another file had the same line, and was quicker
        PaymentImportLine.objects.filter(pk=row.pk).update(
            state=ImportLineState.KNOWN, problem=_("The same line was booked before.")
        )
        line.state = ImportLineState.KNOWN
        return None
    line.state = ImportLineState.BOOKED
    return payment


def _leave_open(line: PaymentImportLine, problem: str) -> None:
    PaymentImportLine.objects.filter(pk=line.pk).update(
        state=ImportLineState.OPEN, problem=problem[:200]
    )
