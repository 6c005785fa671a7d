"""Credit notes: a mistake on an invoice is put right by a document of its own (D 6).

One gives back the whole invoice or parts of it. First it takes off what is open of the
invoice; the rest goes to the balance. A whole one cancels the invoice, or makes room for a new
one over the same entries, which replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing import invoice_statuses as statuses
from billing import keys, ledger
from billing.choices import EntryKind, InvoiceOccasion, InvoiceStatus, InvoiceType
from billing.invoicing.credit_taxes import shares
from billing.invoicing.crediting import WHOLE, Wanted
from billing.models import BillingAccount, Invoice, LedgerEntry, Payment
from billing.services import corrections, invoices, settlements
from billing.services.corrections import Correction
from billing.services.invoice_drafts import Draft
from billing.services.transactions import held_by_provider
from billing.taxes import TaxPart
from billing.types import rules_of
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import ZERO
from portal.core.scope import scopes_disabled
from portal.core.tasks import announce

ISSUED = "credit_note.issued"


@dataclass(frozen=True, slots=True)
class Issued:
    note: Invoice
    replacement: Invoice | None = None


@transaction.atomic
def issue(
    *,
    invoice: Invoice,
    wanted: Wanted,
    reason: str,
    token: str,
    by: Actor,
    is_reissued: bool = False,
) -> Issued:
    """Issue a credit note; the same ``token`` gives the same one.

    ``is_reissued`` makes the same invoice again with today's data: only for a whole one,
    and where nothing was credited before. Raises ValidationError.
    """
    held_by_provider(invoice.account, by)
    with scopes_disabled():
        account = settlements.held_account(invoice.account_id)
        made = Invoice.objects.filter(
            account=account, key=keys.credit_of(token)
        ).first()
        if made is not None:
            again = Invoice.objects.filter(account=account, key=keys.reissue_of(token))
            return Issued(made, again.first())
        invoice = Invoice.objects.get(pk=invoice.pk)
        correction = corrections.correction_of(invoice, wanted, reason, is_reissued)
        note = _issue_note(correction, keys.credit_of(token), by)
        if correction.replacement is not None:
            return Issued(note, _replace(correction, note, token, by))
        _settle(correction, note, account, by)
        return Issued(note)


def take_back_topup(entry: LedgerEntry, back: LedgerEntry, *, by: Actor) -> None:
    """Cancel the invoice of the top-up ``entry``, which ``back`` has taken back.

    The ledger has both already, so the credit note books nothing.
    """
    with scopes_disabled():
        key = keys.topup_invoice(entry.pk)
        invoice = Invoice.objects.filter(account=entry.account_id, key=key).first()
        if invoice is None:
            return
        if not invoice.is_issued:
            Invoice.objects.filter(pk=invoice.pk).delete()
            return
        if invoice.status == InvoiceStatus.CANCELLED:
            return
        note = corrections.note_draft(invoice, WHOLE, back.description)
        document = replace(
            note.content.document, terms=corrections.returned_terms(note.subject)
        )
        note = replace(note, content=replace(note.content, document=document))
        correction = Correction(invoice, note, ZERO, ZERO, is_whole=True)
        made = _issue_note(correction, keys.credit_of(key), by)
        LedgerEntry.objects.filter(pk=back.pk).update(invoice=made)
        _close(invoice, InvoiceStatus.CANCELLED)


def _issue_note(correction: Correction, key: str, by: Actor) -> Invoice:
    invoice, draft = correction.invoice, correction.note
    note = Invoice(
        account_id=invoice.account_id,
        key=key,
        type=InvoiceType.CREDIT_NOTE,
        corrects=invoice,
    )
    _issue(note, draft, by)
    if not invoice.is_sent:
        _hide(note, draft, is_whole=correction.is_whole)
    audit.record(ISSUED, note, by=by, customer=draft.subject.account.customer)
    return note


def _hide(note: Invoice, draft: Draft, *, is_whole: bool) -> None:
    """A credit note on what its customer has not seen: it waits until that is sent, or,
    being over all of it, is never sent at all."""
    note.sent_at = None
    note.status = InvoiceStatus.QUEUED
    if is_whole:
        note.status = invoices.status_when_sent(note, draft.subject.account)
    note.save(update_fields=["status", "sent_at"])


def _issue(document: Invoice, draft: Draft, by: Actor) -> None:
    """Number and save it; refused if it could not be sent as it must be."""
    invoices.fill(document, draft, InvoiceOccasion.CORRECTION)
    if document.type == InvoiceType.CREDIT_NOTE:
        document.payable = ZERO
    if document.gaps:
        raise ValidationError([gap["text"] for gap in document.gaps])
    invoices.give_number(document, draft)
    document.save()
    transaction.on_commit(partial(announce, invoices.DRAW, document.pk))


def _settle(
    correction: Correction, note: Invoice, account: BillingAccount, by: Actor
) -> None:
    """Take it off the invoice and book the rest; a whole one cancels the invoice."""
    invoice, is_whole = correction.invoice, correction.is_whole
    released: list[tuple[Payment, Decimal, int]] = []
    if is_whole:
        released = _release(invoice)
        invoice.refresh_from_db(fields=["settled"])
    present = invoice.payable - invoice.settled
    settlements.settle(invoice, correction.settles, credit_note=note)
    with translation.override(correction.note.subject.language):
        own = [
            *_credit_entries(correction, note, account),
            *_moved(correction, note, account, present),
        ]
        postings = list(own)
        for payment, amount, settlement_id in released:
            postings += _to_balance(payment, amount, settlement_id, invoice)
    ledger.post(postings, by=by, within_limits=False)
    LedgerEntry.objects.filter(
        account=account, key__in=[posting.key for posting in own]
    ).update(invoice=note)
    if is_whole:
        _close(invoice, InvoiceStatus.CANCELLED)
    else:
        settlements.follow(invoice, account.customer.time_zone)
    settlements.announce_settled(account)


def _release(invoice: Invoice) -> list[tuple[Payment, Decimal, int]]:
    """Undo what payments settled of an invoice; each with its amount and its old id."""
    held = list(
        invoice.settlements.filter(undone_at=None, payment__isnull=False)
        .select_related("payment")
        .order_by("pk")
    )
    settlements.undo(held)
    return [(each.payment, each.amount, each.pk) for each in held if each.payment]


def _close(invoice: Invoice, status: InvoiceStatus) -> None:
    if not statuses.may_follow(invoice.status, status):
        raise ValidationError(_("Its status does not allow that."), code="status")
    invoice.status = status
    invoice.save(update_fields=["status"])
    if not invoice.is_sent:
        # Nor is what was credited of it before.
        waiting = invoice.corrections.filter(sent_at=None)
        for note in waiting.select_related("account"):
            note.status = invoices.status_when_sent(note, note.account)
            note.save(update_fields=["status"])


def _credit_entries(
    correction: Correction, note: Invoice, account: BillingAccount
) -> list[ledger.Posting]:
    """All of the credit note, with its taxes, as the charges of the invoice have them."""
    document = correction.note.content.document
    booked = corrections.booked_taxes(correction.invoice)
    named = {tax.tax_id: tax for tax in booked}
    text = _("Credit note %(number)s on invoice %(invoice)s") % {
        "number": note.number,
        "invoice": correction.invoice.number,
    }
    # The customer reads this, but neither of what it has never been sent.
    is_unseen = correction.is_whole and not correction.invoice.is_sent
    made = []
    for place, share in enumerate(shares(document, booked)):
        sign = -1 if share.gross < 0 else 1
        move = ledger.credit if sign > 0 else ledger.debit
        taxes = [
            TaxPart(
                tax_id,
                named[tax_id].name,
                named[tax_id].rate,
                sign * amount,
                named[tax_id].is_vat,
            )
            for tax_id, amount in share.taxes.items()
        ]
        made.append(
            move(
                account.pk,
                keys.credit_note(note.key, place),
                EntryKind.REFUND,
                sign * share.net,
                _("Given back before it was invoiced") if is_unseen else text,
                taxes=taxes,
                is_on_balance=rules_of(account.bill_type).uses_balance,
                reference="" if is_unseen else note.number,
            )
        )
    return made


def _moved(
    correction: Correction, note: Invoice, account: BillingAccount, present: Decimal
) -> list[ledger.Posting]:
    """What the invoice takes of it, all that is ``present`` if it is whole: the debt there
    was the customer's, now it is not."""
    amount = present if correction.is_whole else correction.settles
    if not amount:
        return []
    is_unseen = correction.is_whole and not correction.invoice.is_sent
    return [
        ledger.debit(
            account.pk,
            keys.credited(note.key),
            EntryKind.INVOICE,
            amount,
            _("Set off against the invoice"),
            is_on_balance=rules_of(account.bill_type).uses_balance,
            reference="" if is_unseen else note.number,
        )
    ]


def _to_balance(
    payment: Payment, amount: Decimal, settlement_id: int, invoice: Invoice
) -> list[ledger.Posting]:
    """A payment, or part of it, that leaves an invoice for the balance."""
    text = _("Payment of invoice %(number)s, credited since") % {
        "number": invoice.number
    }
    if amount <= 0:
        return []
    account_id, reference = payment.account_id, payment.reference[:100]
    return [
        ledger.debit(
            account_id,
            keys.payment_part(payment.pk, "invoices", settlement_id),
            EntryKind.PAYMENT,
            amount,
            text,
            is_on_balance=False,
            reference=reference,
        ),
        ledger.credit(
            account_id,
            keys.payment_part(payment.pk, "balance", settlement_id),
            EntryKind.PAYMENT,
            amount,
            text,
            reference=reference,
        ),
    ]


def _replace(correction: Correction, note: Invoice, token: str, by: Actor) -> Invoice:
    """Issue the invoice that replaces the credited one; payments move over to it.

    The charges in the ledger are the same for both, so only a difference is booked.
    """
    draft = correction.replacement
    assert draft is not None
    old, account = correction.invoice, draft.subject.account
    released = _release(old)
    old.refresh_from_db(fields=["settled"])
    settlements.settle(old, correction.settles, credit_note=note)
    _close(old, InvoiceStatus.SUPERSEDED)
    new = Invoice(account=account, key=keys.reissue_of(token), replaces=old)
    _issue(new, draft, by)
    postings = []
    for payment, amount, settlement_id in released:
        moved = settlements.settle(new, amount, payment=payment)
        left = amount - (moved.amount if moved else ZERO)
        with translation.override(draft.subject.language):
            postings += _to_balance(payment, left, settlement_id, old)
    with translation.override(draft.subject.language):
        postings += _differences(new, old, draft)
    ledger.post(postings, by=by, within_limits=False)
    LedgerEntry.objects.filter(
        account=account,
        key__in=[keys.invoice_reset(new.key), keys.invoice_residue(new.key)],
    ).update(invoice=new)
    settlements.follow(new, account.customer.time_zone)
    audit.record("invoice.issued", new, by=by, customer=account.customer)
    settlements.announce_settled(account)
    return new


def _differences(new: Invoice, old: Invoice, draft: Draft) -> list[ledger.Posting]:
    """What rounding, or what stands on it today, makes of the same charges."""
    rules = rules_of(draft.subject.account.bill_type)
    postings = []
    if draft.residue:
        move = ledger.debit if draft.residue > 0 else ledger.credit
        postings.append(
            move(
                new.account_id,
                keys.invoice_residue(new.key),
                EntryKind.ROUNDING,
                abs(draft.residue),
                _("Rounding of the invoice"),
                is_on_balance=rules.transactions_move_balance,
            )
        )
    more = new.payable - old.payable
    if more and rules.resets_on_invoice:
        move = ledger.credit if more > 0 else ledger.debit
        postings.append(
            move(
                new.account_id,
                keys.invoice_reset(new.key),
                EntryKind.INVOICE,
                abs(more),
                _("Moved to the invoice"),
            )
        )
    return postings
