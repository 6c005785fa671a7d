"""Booking the lines of a bank statement: the sure ones by workers, others as a person decides.

Each sure line is a transaction of its own that holds the line: workers beside each other pass
over what another is at, and one that is killed leaves its line as it was. So there is nothing
to take up again: what is still sure is still to be booked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing.bank_matching import named_in, references
from billing.choices import ImportLineState, PaymentMethod
from billing.import_problems import Problem, kept, problem_text
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
from portal.core.actor import Actor, system_actor
from portal.core.integrity import kept_whole
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce
from portal.core.tree_lock import hold_tree

logger = logging.getLogger(__name__)

WORK = "billing.jobs.book_import"
HELPERS = 4  # workers that are called; there may be fewer
CHUNK = 100  # lines that a worker looks up at a time
# A small statement is booked before its page is shown again; workers do the rest.
AT_ONCE_SECONDS = 1.5
# A worker turns to other tasks after so long: mails of people must not wait for a file.
SLICE_SECONDS = 5.0
NOTED_EVERY = 1.0  # seconds between two notes that it is worked on
QUIET = timedelta(seconds=20)  # nobody has worked for so long: they have died
# What a person may decide about, also once more: what was left out by hand may be taken up.
_DECIDABLE = (
    ImportLineState.NEW,
    ImportLineState.EXACT,
    ImportLineState.OPEN,
    ImportLineState.LEFT,
)


@transaction.atomic
def begin(*, source: PaymentImport, by: Actor) -> None:
    """Have all lines booked that are sure: some at once, when this is committed, and the
    rest by workers. Begun already, it stays with who began it."""
    by.require(Permission.COMMERCE)
    source = PaymentImport.objects.select_for_update(of=("self",)).get(pk=source.pk)
    to_book = source.lines.filter(state=ImportLineState.EXACT).count()
    if source.is_booking or not to_book:
        return
    source.booking_since = timezone.now()
    source.to_book = to_book
    source.booked_by_id = by.person.pk if by.person else None
    source.booked_as_id = by.acting_as.pk if by.acting_as else None
    source.save(
        update_fields=["booking_since", "to_book", "booked_by", "booked_as"],
    )
    audit.record("payment.import_begun", source, by=by, customer=source.owner)
    transaction.on_commit(partial(_begin_now, source.pk))


def _begin_now(source_id: int) -> None:
    if work_on(source_id, seconds=AT_ONCE_SECONDS):
        call_workers(source_id)


def stop(*, source: PaymentImport, by: Actor) -> None:
    """Have workers leave it after the line they are at; what is booked stays."""
    by.require(Permission.COMMERCE)
    rows = PaymentImport.objects.filter(pk=source.pk, booking_since__isnull=False)
    with transaction.atomic():
        if rows.update(booking_since=None):
            audit.record("payment.import_stopped", source, by=by, customer=source.owner)


def call_workers(source_id: int) -> None:
    for _worker in range(HELPERS):
        announce(WORK, source_id, priority=LATER)


def call_workers_again() -> None:
    """Call workers to the statements that lost them."""
    quiet_since = timezone.now() - QUIET
    with scopes_disabled():  # the sweep serves every tenant
        found = list(PaymentImport.objects.filter(booking_since__isnull=False))
    for source in found:
        if (source.worked_at or quiet_since) <= quiet_since:
            call_workers(source.pk)


def work_on(source_id: int, *, seconds: float) -> bool:
    """Book line after line until none is sure any more, or ``seconds`` are over.

    Returns whether there may be more to do. A line that cannot be booked is left to a
    person, with the reason.
    """
    end = time.monotonic() + seconds
    noted_at = 0.0
    with scopes_disabled():  # a worker serves every tenant
        rows = PaymentImport.objects.select_related("owner")
        source = rows.filter(pk=source_id).first()
        if source is None:  # gone with its account
            return False
        by = _actor_of(source)
        with translation.override(source.owner.spoken_language()):
            for pk in _sure(source_id):
                if time.monotonic() > end:
                    return True
                if time.monotonic() - noted_at > NOTED_EVERY:
                    if not _goes_on(source_id):
                        return False
                    noted_at = time.monotonic()
                _book_sure(pk, by)
        return _finish(source_id)


def _sure(source_id: int) -> Iterator[int]:
    """The lines that are sure, until there are none; those that another holds come later."""
    rows = PaymentImportLine.objects.filter(
        source=source_id, state=ImportLineState.EXACT
    ).order_by("number")
    after = -1
    while True:
        chunk = rows.filter(number__gt=after).values_list("number", "pk")[:CHUNK]
        found = list(chunk)
        if not found:
            return
        for _number, pk in found:
            yield pk
        after = found[-1][0]


def _goes_on(source_id: int) -> bool:
    """Note that it is worked on; False if somebody stopped it."""
    rows = PaymentImport.objects.filter(pk=source_id, booking_since__isnull=False)
    return bool(rows.update(worked_at=timezone.now()))


def _finish(source_id: int) -> bool:
    """Note that nothing is left; True if other workers still are at the last lines."""
    sure = PaymentImportLine.objects.filter(
        source=source_id, state=ImportLineState.EXACT
    )
    if sure.exists():
        return True
    PaymentImport.objects.filter(pk=source_id).update(booking_since=None)
    return False


def _actor_of(source: PaymentImport) -> Actor:
    """Who pressed the button, in the account acted in; the system if that one has gone."""
    people = get_user_model().objects.in_bulk(
        [pk for pk in (source.booked_by_id, source.booked_as_id) if pk is not None]
    )
    person = people.get(source.booked_by_id or 0)
    system = system_actor(source.owner)
    if person is None:
        return system
    return Actor(
        customer=source.owner,
        person=person,
        permissions=system.permissions,  # that it may was asked when it was begun
        acting_as=people.get(source.booked_as_id or 0),
    )


def _book_sure(pk: int, by: Actor) -> None:
    """Book one line unless another worker is at it, or it is not sure any more."""
    try:
        with transaction.atomic():
            hold_tree()
            rows = PaymentImportLine.objects.select_for_update(
                of=("self",), skip_locked=True
            ).select_related("invoice")
            line = rows.filter(pk=pk, state=ImportLineState.EXACT).first()
            if line is None:
                return
            assert line.invoice is not None  # which made it sure
            account = settlements.held_account(line.invoice.account_id)
            if _is_known(line):
                _note_known(line)
                return
            invoice = Invoice.objects.defer("content").get(pk=line.invoice.pk)
            also = _also_named(line, invoice, account)
            if invoice.open + sum(each.open for each in also) != line.amount:
                raise ValidationError(
                    kept(
                        Problem.OPEN,
                        number=invoice.number,
                        open=(invoice.open, invoice.currency),
                    )
                )
            _book(line, account, invoice, by, also=also)
    except ValidationError as error:
        _leave_open(pk, " ".join(error.messages))
    except Exception as error:
        # One line's trouble must not keep the others from being booked.
        if isinstance(error, OperationalError) and not connection.is_usable():
            raise
        logger.exception("line %s of a bank statement could not be booked", pk)
        _leave_open(pk, kept(Problem.UNEXPECTED))


def _also_named(
    line: PaymentImportLine, invoice: Invoice, account: BillingAccount
) -> list[Invoice]:
    """The other open invoices that a line names which is more than one of them."""
    if line.amount == invoice.open:
        return []
    rows = settlements.open_invoices(account).defer("content").exclude(pk=invoice.pk)
    others = {each.pk: each for each in rows}
    names = references({pk: each.number for pk, each in others.items()})
    return [others[pk] for pk in sorted(named_in(line.text, names))]


def _leave_open(pk: int, problem: str) -> None:
    rows = PaymentImportLine.objects.filter(pk=pk, state=ImportLineState.EXACT)
    rows.update(state=ImportLineState.OPEN, problem=problem[:200])


@transaction.atomic
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
    hold_tree()
    with kept_whole():
        row = PaymentImportLine.objects.select_for_update(of=("self",)).get(pk=line.pk)
        if refused := refusal(row):
            raise ValidationError(refused, code="decided")
        is_booked = _book(row, account, invoice, by)
    if not is_booked:
        raise ValidationError(_("The same line was booked before."), code="known")


@transaction.atomic
def leave_out(*, line: PaymentImportLine, by: Actor) -> None:
    """Book nothing for a line. Raises ValidationError if it was booked meanwhile."""
    by.require(Permission.COMMERCE)
    row = PaymentImportLine.objects.select_for_update(of=("self",)).get(pk=line.pk)
    if refused := refusal(row):
        raise ValidationError(refused, code="decided")
    row.state, row.problem = ImportLineState.LEFT, kept(Problem.BY_HAND)
    row.save(update_fields=["state", "problem"])


def refusal(line: PaymentImportLine) -> str:
    """Why nobody can decide about a line; "" if somebody can."""
    if line.state == ImportLineState.BOOKED:
        account = BillingAccount.objects.select_related("customer").get(
            payments__import_line=line
        )
        said = _("It has already been booked for %(customer)s.")
        return said % {"customer": account.customer.name}
    is_payment = line.amount is not None and line.amount > 0 and line.day is not None
    if line.state not in _DECIDABLE or not is_payment:
        return problem_text(line.problem)
    return ""


def _book(
    line: PaymentImportLine,
    account: BillingAccount,
    invoice: Invoice | None,
    by: Actor,
    *,
    also: Sequence[Invoice] = (),
) -> bool:
    """Record the payment and note it on the line, which is held; False if the same line of
    another file was quicker."""
    if line.amount is None or line.day is None:
        return False
    received = Received(
        amount=line.amount,
        method=PaymentMethod.TRANSFER,
        on=line.day,
        reference=line.text[:140],
    )
    try:
        with transaction.atomic():
            payment = payments.record_payment(
                account=account,
                received=received,
                key=_payment_key(line, account),
                by=by,
                invoice=invoice,
                also=also,
            )
            PaymentImportLine.objects.filter(pk=line.pk).update(
                state=ImportLineState.BOOKED, payment=payment, problem=""
            )
    except IntegrityError:
        _note_known(line)
        return False
    return True


def _payment_key(line: PaymentImportLine, account: BillingAccount) -> str:
    """What its payment is known by: anew after each that was taken back, so that the line
    can be booked on the same account again."""
    key = f"bank:{line.key}"
    returned = Payment.objects.filter(
        account=account, key__startswith=key, reversed_at__isnull=False
    ).count()
    return f"{key}:{returned + 1}" if returned else key


def _is_known(line: PaymentImportLine) -> bool:
    """Whether the same line of another file is booked; the account must be held."""
    rows = PaymentImportLine.objects.filter(owner=line.owner_id, key=line.key)
    return rows.exclude(payment=None).exists()


def _note_known(line: PaymentImportLine) -> None:
    PaymentImportLine.objects.filter(pk=line.pk).update(
        state=ImportLineState.KNOWN, problem=kept(Problem.KNOWN)
    )
