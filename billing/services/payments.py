"""Payments: what comes in settles invoices, and what is left over goes to the balance.

The ledger tells of both, so that an account's own pages show all its money: what settles
invoices is an entry that does not move the balance, since the debt has left that with the
invoice (D 1.5); what is left over is one that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import keys, ledger
from billing.choices import EntryKind, ImportLineState, PaymentMethod
from billing.import_problems import Problem, kept
from billing.models import (
    BillingAccount,
    Invoice,
    LedgerEntry,
    Payment,
    PaymentImportLine,
)
from billing.services import credit_notes, invoices, settlements
from billing.services.transactions import held_by_provider, refuse_above_maximum
from billing.types import rules_of
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import ZERO, has_minor_unit_precision
from portal.core.periods import local_date

ON_INVOICES, ON_BALANCE, MOVED = "invoices", "balance", "moved"
# Older than that is a slip of the pen: the year 0206, or 2016 for 2026.
OLDEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came in, in the account's currency."""

    amount: Decimal
    method: PaymentMethod
    on: date
    reference: str = ""
    note: str = ""


@transaction.atomic
def record_payment(
    *,
    account: BillingAccount,
    received: Received,
    key: str,
    by: Actor,
    invoice: Invoice | None = None,
    also: Sequence[Invoice] = (),
    at: datetime | None = None,
) -> Payment:
    """Book a payment: on ``invoice`` first, ``also`` on others that it is said to be for,
    then on the oldest open ones; the rest is balance.

    The same ``key`` is booked once; the second time gives the first payment. A top-up of an
    account whose billing type has invoices for them gets its invoice. ``at`` is when it is
    booked, now by default. Raises ValidationError by field.
    """
    held_by_provider(account, by)
    account = settlements.held_account(account.pk)
    present = Payment.objects.filter(account=account, key=key).first()
    if present is not None:
        return present
    _check(account, received)
    refuse_above_maximum(received.amount, account, by)
    wanted = [each for each in (invoice, *also) if each is not None]
    shares = list(_shares(account, wanted, received.amount))
    surplus = received.amount - sum((share for _each, share in shares), ZERO)
    rules = rules_of(account.bill_type)
    if surplus and not rules.uses_balance:
        raise ValidationError(
            {
                "amount": ValidationError(
                    _(
                        "That is more than is open, and this billing type has no"
                        " balance to hold the rest."
                    ),
                    code="no_balance",
                )
            }
        )
    payment = new_payment(account, received, key, by, at=at)
    for each, share in shares:
        settlements.settle(each, share, payment=payment)
        settlements.follow(each, account.customer.time_zone)
    _book(payment, account, [each for each, _share in shares], surplus, by, at)
    record("payment.recorded", payment, account, by)
    settlements.announce_settled(account)
    return payment


def new_payment(
    account: BillingAccount,
    received: Received,
    key: str,
    by: Actor,
    *,
    at: datetime | None = None,
) -> Payment:
    """The row alone; what it settles and what is booked of it is the caller's."""
    return Payment.objects.create(
        account=account,
        provider=account.provider,
        key=key,
        received_on=received.on,
        amount=received.amount,
        currency=account.currency,
        method=received.method,
        reference=received.reference.strip(),
        note=received.note.strip(),
        person_id=by.person.pk if by.person else None,
        person_name=by.person.display_name if by.person else "",
        acting_as_name=by.acting_as.display_name if by.acting_as else "",
        created_at=at or timezone.now(),
    )


@transaction.atomic
def reverse_payment(
    *, payment: Payment, reason: str, is_refused: bool, by: Actor
) -> Payment:
    """Take a payment back, once: what it settled is to be paid again, the rest is owed.

    ``is_refused``: the bank or card company took the money back, so the invoices say that
    payment was refused; otherwise they are as if it had never been booked. The invoice of a
    top-up is cancelled by a credit note. It is booked whatever the credit limit says. A
    write-off is taken back in the same way: the debt is there again.
    """
    held_by_provider(payment.account, by)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is taken back.")})
    account = settlements.held_account(payment.account_id)
    payment = Payment.objects.get(pk=payment.pk)
    if payment.is_reversed:
        return payment
    surplus = settlements.surplus_of(payment)
    held = list(settlements.holding(payment))
    zone = account.customer.time_zone
    # Before the amounts are looked at again: what settles nothing may not be reversed.
    for invoice in settlements.undo(held):
        settlements.follow(invoice, zone, is_refused=is_refused)
    payment.reversed_at = timezone.now()
    payment.reversed_by_name = by.person.display_name if by.person else ""
    payment.reversal_reason = reason.strip()
    payment.save(update_fields=["reversed_at", "reversed_by_name", "reversal_reason"])
    settled = sum((each.amount for each in held), ZERO)
    _book_back(payment, account, settled, surplus, by)
    if not is_refused:
        _free_line(payment)
    record("payment.reversed", payment, account, by)
    return payment


def _free_line(payment: Payment) -> None:
    """The line of a bank statement is to be decided again: its money is still there."""
    PaymentImportLine.objects.filter(payment=payment).update(
        state=ImportLineState.OPEN,
        payment=None,
        problem=kept(Problem.RETURNED, reason=payment.reversal_reason),
    )


def _check(account: BillingAccount, received: Received) -> None:
    errors: dict[str, Any] = {}
    if received.amount <= 0:
        errors["amount"] = ValidationError(_("Enter an amount above 0."), code="sign")
    elif not has_minor_unit_precision(received.amount, account.currency):
        errors["amount"] = ValidationError(
            _("%(currency)s does not have that many decimal places."),
            code="minor_unit",
            params={"currency": account.currency},
        )
    today = max(
        local_date(account.customer.time_zone), local_date(account.provider.time_zone)
    )
    if received.on > today:
        errors["received_on"] = ValidationError(
            _("This day is in the future."), code="future"
        )
    elif received.on < today - OLDEST:
        errors["received_on"] = ValidationError(
            _("This day is too long ago. Check the year."), code="past"
        )
    if errors:
        raise ValidationError(errors)


def _shares(
    account: BillingAccount, wanted: Sequence[Invoice], amount: Decimal
) -> Iterator[tuple[Invoice, Decimal]]:
    """Which invoices it settles by how much, the wanted ones first, then the oldest."""
    found = list(settlements.open_invoices(account))
    places = {each.pk: place for place, each in enumerate(wanted)}
    if places:
        if not places.keys() <= {each.pk for each in found}:
            raise ValidationError(
                {
                    "invoice": ValidationError(
                        _("This invoice has nothing left to pay."), code="not_open"
                    )
                }
            )
        found.sort(key=lambda each: places.get(each.pk, len(places)))
    left = amount
    for invoice in found:
        share = min(left, invoice.open)
        if share <= 0:
            return
        yield invoice, share
        left -= share


def _book(
    payment: Payment,
    account: BillingAccount,
    settled: list[Invoice],
    surplus: Decimal,
    by: Actor,
    at: datetime | None,
) -> None:
    rules = rules_of(account.bill_type)
    kind = EntryKind.TOPUP if rules.may_top_up else EntryKind.PAYMENT
    postings = []
    with translation.override(account.customer.spoken_language()):
        if settled:
            postings.append(
                ledger.credit(
                    account.pk,
                    keys.payment_part(payment.pk, ON_INVOICES),
                    EntryKind.PAYMENT,
                    payment.amount - surplus,
                    _of_invoices(settled),
                    is_on_balance=False,
                    reference=payment.reference[:100],
                )
            )
        if surplus:
            postings.append(
                ledger.credit(
                    account.pk,
                    keys.payment_part(payment.pk, ON_BALANCE),
                    kind,
                    surplus,
                    _received_by(payment, is_topup=kind == EntryKind.TOPUP),
                    reference=payment.reference[:100],
                )
            )
    ledger.post(postings, by=by, within_limits=False, at=at)
    if surplus and rules.has_topup_invoices:
        key = keys.payment_part(payment.pk, ON_BALANCE)
        entry = LedgerEntry.objects.get(account=account, key=key)
        day = local_date(account.customer.time_zone, at) if at else None
        invoices.issue_topup(entry, by=by, on=day)


def _of_invoices(settled: list[Invoice]) -> str:
    names = ", ".join(invoice.number for invoice in settled)
    text = ngettext(
        "Payment of invoice %(numbers)s",
        "Payment of invoices %(numbers)s",
        len(settled),
    )
    return text % {"numbers": names}


def _received_by(payment: Payment, *, is_topup: bool) -> str:
    method = str(PaymentMethod(payment.method).label)
    if is_topup:
        return _("Top-up: %(method)s") % {"method": method}
    return _("Payment: %(method)s") % {"method": method}


def _book_back(
    payment: Payment,
    account: BillingAccount,
    settled: Decimal,
    surplus: Decimal,
    by: Actor,
) -> None:
    """Both parts go again: of what was booked first as its reversal, else as itself."""
    booked = {
        entry.key: entry
        for entry in LedgerEntry.objects.filter(
            account=account,
            key__in=[
                keys.payment_part(payment.pk, part)
                for part in (ON_INVOICES, ON_BALANCE)
            ],
        ).select_related("invoice")
    }
    first = booked.get(keys.payment_part(payment.pk, ON_BALANCE))
    topped_up = first.amount if first is not None else ZERO
    parts = {
        ON_INVOICES: settled,
        ON_BALANCE: topped_up,
        MOVED: surplus - topped_up,  # came off invoices that were cancelled since
    }
    with translation.override(account.customer.spoken_language()):
        said = (
            _("Write-off taken back: %(reason)s")
            if payment.is_write_off
            else _("Payment taken back: %(reason)s")
        )
        text = said % {"reason": payment.reversal_reason}
    postings = []
    for part, amount in parts.items():
        entry = booked.get(keys.payment_part(payment.pk, part))
        is_whole = entry is not None and entry.amount == amount
        kind = EntryKind.REVERSAL if is_whole else EntryKind.PAYMENT
        postings.append(
            ledger.debit(
                account.pk,
                keys.payment_back(payment.pk, part),
                EntryKind.WRITE_OFF if payment.is_write_off else kind,
                amount,
                text,
                is_on_balance=part != ON_INVOICES,
                reference=payment.reference[:100],
                reverses_id=entry.pk if entry is not None and is_whole else None,
            )
        )
    ledger.post(postings, by=by, within_limits=False)
    if payment.is_write_off:
        # On the invoice it is about at once: the next one is not to tell of it.
        [written_off] = booked.values()
        LedgerEntry.objects.filter(
            account=account, key=keys.payment_back(payment.pk, ON_INVOICES)
        ).update(invoice=written_off.invoice)
    if first is not None:
        back = keys.payment_back(payment.pk, ON_BALANCE)
        credit_notes.take_back_topup(
            first, LedgerEntry.objects.get(account=account, key=back), by=by
        )


def record(action: str, payment: Payment, account: BillingAccount, by: Actor) -> None:
    names = ("amount", "method", "received_on", "reference")
    changes = audit.first_values(payment, names)
    audit.record(action, payment, by=by, customer=account.customer, changes=changes)
