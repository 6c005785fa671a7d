"""What a credit note will say and do, worked out before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing.choices import InvoiceOccasion, InvoiceStatus, InvoiceType, PaymentMethod
from billing.invoicing import credit_parts, crediting
from billing.invoicing.build import Settled, Span, Subject
from billing.invoicing.content import Content, Deduction, thaw
from billing.invoicing.credit_parts import Left
from billing.invoicing.credit_taxes import BookedTax
from billing.invoicing.crediting import Wanted
from billing.invoicing.deductions import with_paid
from billing.models import Invoice
from billing.services import invoice_drafts as drafts
from billing.services.invoice_drafts import Draft
from billing.types import rules_of
from portal.core.money import ZERO, format_money
from portal.core.periods import local_date
from portal.core.scope import scopes_disabled


@dataclass(frozen=True, slots=True)
class Correction:
    """What a credit note will do, before anything is written."""

    invoice: Invoice
    note: Draft
    settles: Decimal  # comes off what is to be paid of the invoice
    gives_back: (
        Decimal  # goes to the balance; below 0: a debt that had moved from there
    )
    is_whole: bool  # nothing is left to credit then
    replacement: Draft | None = None  # the invoice that is issued instead

    @property
    def total(self) -> Decimal:
        return self.note.content.document.totals.gross


def refusal(invoice: Invoice) -> str:
    """Why an invoice cannot be credited; "" if it can."""
    if not invoice.is_issued:
        return _("It is not issued yet.")
    if invoice.type != InvoiceType.INVOICE:
        return _("A credit note cannot be credited.")
    if invoice.occasion == InvoiceOccasion.TOPUP:
        return _("It is for a top-up: take that payment back instead.")
    if invoice.status in {InvoiceStatus.CANCELLED, InvoiceStatus.SUPERSEDED}:
        return _("All of it has been credited.")
    if _is_written_off(invoice):
        return _("It was written off: take that back first.")
    return ""


def _is_written_off(invoice: Invoice) -> bool:
    """Whether a part is settled by money that never came, so cannot be given back."""
    held = invoice.settlements.filter(undone_at=None)
    return held.filter(payment__method=PaymentMethod.WRITE_OFF).exists()


def left_of(invoice: Invoice) -> Left:
    """What of an issued invoice can still be credited."""
    return credit_parts.left_of(thaw(invoice.content), _earlier(invoice))


def preview(
    *, invoice: Invoice, wanted: Wanted, reason: str, is_reissued: bool = False
) -> Correction:
    """What `issue` would do now; nothing is written. Raises ValidationError as it does."""
    with scopes_disabled():  # who issues is above the account
        invoice = Invoice.objects.get(pk=invoice.pk)
        return correction_of(invoice, wanted, reason, is_reissued)


def correction_of(
    invoice: Invoice, wanted: Wanted, reason: str, is_reissued: bool
) -> Correction:
    if why := refusal(invoice):
        raise ValidationError(why, code="refused")
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is credited.")})
    earlier = _earlier(invoice)
    replacement = None
    if is_reissued:
        if not wanted.is_whole:
            raise ValueError("only a whole invoice is issued again")
        if earlier:
            raise ValidationError(
                _(
                    "Parts of it have been credited already: credit the rest, and"
                    " invoice the right amount with a new transaction."
                ),
                code="credited",
            )
        replacement = _replacement(invoice)
    draft = note_draft(invoice, wanted, reason.strip())
    total = draft.content.document.totals.gross
    rest = credit_parts.parts_of(thaw(invoice.content), [*earlier, draft.content])
    is_whole = not any(part.left for part in rest)
    open_now = invoice.payable - invoice.settled
    # Of a whole one, payments go to the balance, or to the invoice that replaces it.
    present = open_now + (_paid(invoice) if is_whole else ZERO)
    gives_back = total - (open_now if is_whole else min(total, open_now))
    if replacement is not None:
        gives_back = ZERO
        terms = _replaced_terms(invoice, draft.subject, replacement)
    else:
        terms = _terms(draft, invoice, min(total, open_now))
    document = replace(draft.content.document, terms=terms)
    draft = replace(draft, content=replace(draft.content, document=document))
    return Correction(
        invoice=invoice,
        note=draft,
        settles=min(total, present),
        gives_back=gives_back,
        is_whole=is_whole,
        replacement=replacement,
    )


def _earlier(invoice: Invoice) -> list[Content]:
    """What was credited of an invoice so far, oldest first."""
    notes = Invoice.objects.filter(corrects=invoice.pk).exclude(number="")
    return [thaw(note.content) for note in notes.order_by("pk")]


def _paid(invoice: Invoice) -> Decimal:
    return sum((each.amount for each in _payments(invoice)), ZERO)


def _payments(invoice: Invoice) -> list[Deduction]:
    """What payments have settled of an invoice, in the order in which they move on."""
    held = invoice.settlements.filter(undone_at=None, payment__isnull=False)
    rows = held.select_related("payment").order_by("pk")
    return [
        Deduction(
            _("Paid already"),
            each.amount,
            each.payment.received_on,
            is_settlement=True,
        )
        for each in rows
        if each.payment
    ]


def note_draft(invoice: Invoice, wanted: Wanted, reason: str) -> Draft:
    """The credit note, with the sides as they stand on the invoice that it is about."""
    subject, plan = drafts.subject_of(invoice.account_id)
    _refuse_other_issuer(invoice, subject)
    original = thaw(invoice.content)
    today = local_date(subject.account.customer.time_zone)
    with translation.override(original.language):
        content = crediting.credit(
            original, _earlier(invoice), wanted, issued_on=today, reason=reason
        )
    return Draft(
        subject=replace(subject, language=original.language),
        content=content,
        entries=(),
        span=Span(invoice.period_start, invoice.period_end),
        plan=plan,
        at=timezone.now(),
        residue=ZERO,
        overdue_on=today,
    )


def _refuse_other_issuer(invoice: Invoice, subject: Subject) -> None:
    if invoice.issuer_id != subject.issuer.pk:
        raise ValidationError(
            _("Another provider issued it: the customer has been moved since."),
            code="issuer",
        )


def _terms(draft: Draft, invoice: Invoice, taken_off: Decimal) -> str:
    """What becomes of the amount, in the customer's language (BT-20)."""
    document = draft.content.document
    told = []
    with translation.override(draft.subject.language):
        if taken_off:
            text = _(
                "%(amount)s is taken off what is to be paid on invoice %(number)s."
            )
            amount = format_money(taken_off, document.currency)
            told.append(text % {"amount": amount, "number": invoice.number})
        if rest := document.totals.gross - taken_off:
            text = _("%(amount)s is credited to your balance.")
            told.append(text % {"amount": format_money(rest, document.currency)})
    return " ".join(told)


def _replaced_terms(invoice: Invoice, subject: Subject, new: Draft) -> str:
    with translation.override(subject.language):
        text = _("A new invoice replaces invoice %(number)s.")
        if new.moved:
            text = _(
                "A new invoice replaces invoice %(number)s; what has been paid counts"
                " for the new one."
            )
        return text % {"number": invoice.number}


def returned_terms(subject: Subject) -> str:
    with translation.override(subject.language):
        return _("The payment was taken back.")


def _first_of(invoice: Invoice) -> Invoice:
    """The invoice that an account's entries were put on, though it was replaced since."""
    while invoice.replaces is not None:
        invoice = invoice.replaces
    return invoice


def booked_taxes(invoice: Invoice) -> list[BookedTax]:
    """The taxes of all that stands on an invoice, as they were when it was booked."""
    entries = drafts.entries_of(invoice.account_id).filter(invoice=_first_of(invoice))
    return [
        BookedTax(
            tax_id=tax.tax_id,
            name=tax.name,
            rate=tax.rate,
            is_vat=tax.is_vat,
            group_rate=sum(
                (each.rate for each in entry.taxes.all() if each.is_vat), ZERO
            ),
            amount=-tax.amount,
        )
        for entry in entries
        for tax in entry.taxes.all()
    ]


def _replacement(invoice: Invoice) -> Draft:
    """The invoice again, over the same entries, with what is known of both sides today."""
    subject, plan = drafts.subject_of(invoice.account_id)
    original = thaw(invoice.content)
    account = subject.account
    shows_due = rules_of(account.bill_type).shows_total_due
    if shows_due != (original.total_due is not None):
        raise ValidationError(
            _("The billing type has changed since: cancel it instead."),
            code="bill_type",
        )
    entries = tuple(drafts.entries_of(account.pk).filter(invoice=_first_of(invoice)))
    span = Span(invoice.period_start, invoice.period_end)
    balance = original.balance if original.balance is not None else account.balance

    with translation.override(subject.language):
        payments = _payments(invoice)

    def payable_of(gross: Decimal) -> Decimal:
        # As much is deducted as when it was issued first.
        return max(ZERO, invoice.payable + gross - invoice.total)

    def settle(gross: Decimal) -> Settled:
        payable = payable_of(gross)
        paid = _moving(payments, payable)
        moved = sum((each.amount for each in paid), ZERO)
        known = with_paid(deducted(original), gross - payable, paid)
        return Settled(payable - moved, balance, known)

    content, due_on, overdue_on = drafts.built(
        subject, plan, drafts.matter_of(subject, entries, span), settle=settle
    )
    totals = content.document.totals
    return Draft(
        subject=subject,
        content=content,
        entries=entries,
        span=span,
        plan=plan,
        at=timezone.now(),
        residue=totals.gross - invoice.total,
        overdue_on=overdue_on,
        due_on=due_on,
        moved=payable_of(totals.gross) - totals.payable,
    )


def deducted(original: Content) -> tuple[Deduction, ...]:
    """What an invoice says that was deducted, besides its own payments.

    In one, if its document is older than such items.
    """
    if original.deductions is None:
        text = _("Payments and earlier balance")
        return (Deduction(text, original.carried_over),)
    return tuple(each for each in original.deductions if not each.is_settlement)


def _moving(payments: Iterable[Deduction], payable: Decimal) -> list[Deduction]:
    """What of payments a new invoice takes, in their order; the rest is balance."""
    taken = []
    for each in payments:
        share = min(each.amount, payable)
        payable -= share
        taken.append(replace(each, amount=share))
    return taken
