"""Importing payments from the statement of a bank: rows first, then what they mean.

A line is sure if it is exactly what is open of the open invoices of one customer that it
names; all others are left to a person. Nothing is booked here: see `import_booking`. Of one
provider the same line is booked once, in whichever file it comes (`bank_csv.keys_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from billing import bank_csv
from billing.bank_csv import NEEDED, BankLine
from billing.bank_matching import named_in, names_customer, references
from billing.choices import ImportLineState, InvoiceType
from billing.import_problems import Problem, kept
from billing.invoice_statuses import OPEN
from billing.models import (
    Invoice,
    PaymentImport,
    PaymentImportLine,
)
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import ZERO
from portal.core.permissions import Permission

# Numbers that a line may name: of all open invoices, and of so many of the newest.
_NEWEST = 20_000
# Where 03/04/2026 is in March.
_MONTH_FIRST = {"US", "PH"}
_BATCH = 2000  # rows in one statement


@dataclass(frozen=True, slots=True)
class _Open:
    """An invoice that a line may pay."""

    id: int
    number: str
    open: Decimal
    currency: str
    account_id: int
    account_number: str
    customer: str


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
    audit.record("payment.imported", source, by=by, customer=owner)
    columns = bank_csv.columns_by_name(sheet.header)
    if columns.keys() >= set(NEEDED):
        source.columns = columns
        source.save(update_fields=["columns"])
        _lay(source, sheet.rows)
    else:
        PaymentImportLine.objects.bulk_create(
            (
                PaymentImportLine(
                    source=source, owner=owner, number=number, cells=list(cells)
                )
                for number, cells in sheet.rows
            ),
            batch_size=_BATCH,
        )
    return source


@transaction.atomic
def choose_columns(
    *, source: PaymentImport, columns: Mapping[str, int], by: Actor
) -> None:
    """Say which columns hold what, then read and match all; nothing may be booked yet."""
    by.require(Permission.COMMERCE)
    source = PaymentImport.objects.select_for_update(of=("self",)).get(pk=source.pk)
    lines = source.lines.select_for_update(of=("self",)).order_by("number")
    found = list(lines.values_list("number", "cells", "state"))
    if source.is_booking or any(row[2] == ImportLineState.BOOKED for row in found):
        raise ValidationError(
            _("Some of its lines are booked, so the columns can no longer be changed.")
        )
    source.columns = dict(columns)
    source.save(update_fields=["columns"])
    source.lines.all().delete()  # writing thousands anew takes a third of changing them
    _lay(source, [(number, cells) for number, cells, _state in found])


def _lay(source: PaymentImport, rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Read, match and write the lines of a file."""
    read = bank_csv.read_lines(
        rows, source.columns, month_first=source.owner.country in _MONTH_FIRST
    )
    lines = [
        PaymentImportLine(
            source=source,
            owner_id=source.owner_id,
            number=number,
            cells=list(cells),
            key=key,
            day=said.day,
            amount=said.amount,
            currency=said.currency,
            payer=said.payer,
            text=said.text,
        )
        for (number, cells), said, key in zip(
            rows, read, bank_csv.keys_of(read), strict=True
        )
    ]
    _judge(source, lines, read)
    PaymentImportLine.objects.bulk_create(lines, batch_size=_BATCH)


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
    open_now = unpaid.values_list(
        "pk",
        "number",
        F("payable") - F("settled"),
        "currency",
        "account",
        "account__customer__account_number",
        "account__customer__name",
    )
    found = {row[0]: _Open(*row) for row in open_now}
    newest = dict(issued.order_by("-pk").values_list("pk", "number")[:_NEWEST])
    numbers = newest | {each.id: each.number for each in found.values()}
    names = references(numbers)
    totals = _totals(found.values())
    taken: set[int] = set()
    for line, said in zip(lines, read, strict=True):
        line.invoice_id = None
        line.state, line.problem = _plain_state(line, said, known)
        if line.state == ImportLineState.NEW:
            named = named_in(line.text, names)
            _match(line, [found[pk] for pk in sorted(named & found.keys())], taken)
            if line.problem == "" and line.invoice_id is None:
                line.problem = _whole_debt(line, totals) or _unmatched(named, numbers)


def _plain_state(
    line: PaymentImportLine, said: BankLine, known: set[str]
) -> tuple[ImportLineState, str]:
    if said.problem or line.amount is None:
        return ImportLineState.LEFT, said.problem
    if line.amount <= 0:
        return ImportLineState.LEFT, kept(Problem.OUTGOING)
    if line.key in known:
        return ImportLineState.KNOWN, kept(Problem.KNOWN)
    return ImportLineState.NEW, ""


def _match(line: PaymentImportLine, named: list[_Open], taken: set[int]) -> None:
    """Sure, or for a person with the reason why."""
    line.state = ImportLineState.OPEN
    if len(named) > 1:
        _match_several(line, named, taken)
    if len(named) != 1:
        return
    [invoice] = named
    line.invoice_id = invoice.id
    assert line.amount is not None
    if line.currency and line.currency != invoice.currency:
        line.problem = kept(Problem.CURRENCY, number=invoice.number)
    elif line.amount != invoice.open:
        line.problem = kept(
            Problem.OPEN,
            number=invoice.number,
            open=(invoice.open, invoice.currency),
        )
    elif invoice.id in taken:
        line.problem = kept(Problem.TAKEN, number=invoice.number)
    else:
        taken.add(invoice.id)
        line.state = ImportLineState.EXACT


def _match_several(
    line: PaymentImportLine, named: list[_Open], taken: set[int]
) -> None:
    """Sure if they are one customer's and the line is exactly what is open of them all."""
    ids = {each.id for each in named}
    wanted = {(each.account_id, each.currency) for each in named}
    if (
        len(wanted) == 1
        and line.currency in {"", named[0].currency}
        and line.amount == sum(each.open for each in named)
        and not ids & taken
    ):
        taken |= ids
        line.invoice_id = named[0].id
        line.state = ImportLineState.EXACT
        numbers = ", ".join(each.number for each in named)
        line.problem = kept(Problem.ALL, numbers=numbers)
    else:
        line.problem = kept(Problem.SEVERAL)


def _totals(unpaid: Iterable[_Open]) -> dict[Decimal, list[_Open]]:
    """By what a customer has open in all: one invoice of each such customer."""
    sums: dict[int, Decimal] = {}
    first: dict[int, _Open] = {}
    for each in unpaid:
        sums[each.account_id] = sums.get(each.account_id, ZERO) + each.open
        first.setdefault(each.account_id, each)
    totals: dict[Decimal, list[_Open]] = {}
    for account_id, total in sums.items():
        totals.setdefault(total, []).append(first[account_id])
    return totals


def _whole_debt(line: PaymentImportLine, totals: Mapping[Decimal, list[_Open]]) -> str:
    """That the line is all that a customer has open whom it names; "" if it is not."""
    assert line.amount is not None
    for each in totals.get(line.amount, ()):
        if line.currency in {"", each.currency} and names_customer(
            line.payer, line.text, number=each.account_number, name=each.customer
        ):
            return kept(Problem.DEBT, customer=each.customer)
    return ""


def _unmatched(named: set[int], numbers: Mapping[int, str]) -> str:
    if named:
        return kept(Problem.PAID, number=numbers[min(named)])
    return kept(Problem.NONE)
