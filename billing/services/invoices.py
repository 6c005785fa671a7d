"""Issuing invoices: what was drafted is booked, numbered and frozen, in one transaction.

Files and mails are made from that row afterwards (docs/adr/0020).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.choices import EntryKind, InvoiceOccasion, InvoiceStatus, InvoiceType
from billing.invoice_statuses import SHOWN_TO_CUSTOMERS
from billing.invoicing.build import Subject, numbered
from billing.invoicing.content import freeze
from billing.models import BillingAccount, Invoice, InvoiceLogo, LedgerEntry
from billing.services import held_back
from billing.services import invoice_drafts as drafts
from billing.services.invoice_checks import why_held_back
from billing.services.invoice_drafts import Draft
from billing.services.invoice_series import next_number
from billing.types import rules_of
from portal.core import audit
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce
from rateplans.selectors import PlanBook

DRAW = "billing.jobs.draw_invoice"


@transaction.atomic
def issue(
    account_id: int,
    *,
    occasion: InvoiceOccasion,
    key: str,
    by: Actor,
    until: date | None = None,
    on: date | None = None,
    plans: PlanBook | None = None,
) -> Invoice | None:
    """Issue the invoice over what is not invoiced yet, up to the beginning of ``until``.

    It is dated ``on`` that day, today by default where the customer is.

    The same ``key`` gives the same invoice. None if there is nothing to invoice, or more to
    give back than to charge. One that cannot be sent as it must be is held back, status
    pending: nothing is booked or numbered, and ``gaps`` says why; issuing it again tries
    again. While one of the account is held back, a period waits behind it, and so does
    what cannot be issued either: then that one, of another key, is returned. Raises
    ValidationError as `invoice_drafts.preview` does.
    """
    with scopes_disabled():  # the issuer is above the account acted in
        subject, plan = drafts.subject_of(account_id, plans=plans, is_locked=True)
        present = Invoice.objects.filter(account=account_id, key=key).first()
        if present is not None and present.is_issued:
            return present
        first = present or held_back.held().filter(account=account_id).first()
        if (
            first is not None
            and first.key != key
            and occasion == InvoiceOccasion.PERIOD
        ):
            return first
        draft = drafts.draft_of(subject, plan, until=until, on=on)
        if draft.is_empty or draft.waits:
            return None
        invoice = present or Invoice(account_id=account_id, key=key)
        made = _issue(invoice, draft, occasion, by, behind=first)
        if made.is_issued and first is not None:
            held_back.discard_covered(made, until, by=by)
        return made


def issue_topup(
    entry: LedgerEntry, *, by: Actor, on: date | None = None
) -> Invoice | None:
    """The invoice of a top-up, where the billing type has them (D 1.5).

    Credit that is paid in is not taxed: each fee is, when the credit is used for it.
    """
    with scopes_disabled(), transaction.atomic():
        BillingAccount.objects.select_for_update(no_key=True).get(pk=entry.account_id)
        key = keys.topup_invoice(entry.pk)
        present = Invoice.objects.filter(account=entry.account_id, key=key).first()
        if present is not None and present.is_issued:
            return present
        entry = drafts.entries_of(entry.account_id).get(pk=entry.pk)
        draft = drafts.topup_draft(entry, on)
        if draft is None or entry.invoice_id is not None:
            return None
        invoice = present or Invoice(account_id=entry.account_id, key=key)
        return _issue(invoice, draft, InvoiceOccasion.TOPUP, by)


def fill(invoice: Invoice, draft: Draft, occasion: InvoiceOccasion) -> None:
    """Set what the draft says, and in ``gaps`` why it cannot be issued like that."""
    account = draft.subject.account
    document = draft.content.document
    invoice.issuer = draft.subject.issuer
    invoice.occasion = occasion
    invoice.currency = account.currency
    invoice.net = document.totals.lines  # without any tax, be it VAT or a levy
    invoice.total = document.totals.gross
    invoice.payable = document.totals.payable + draft.moved
    invoice.period_start, invoice.period_end = draft.span.begin, draft.span.end
    invoice.detail = draft.subject.detail
    invoice.format = drafts.choice(account.invoice_format, draft.plan, "invoice_format")
    invoice.is_sent_to_customer = bool(
        drafts.choice(account.send_invoices, draft.plan, "send_invoices")
    )
    invoice.gaps = [
        gap.as_json() for gap in why_held_back(draft.subject, draft.content, invoice)
    ]


def _issue(
    invoice: Invoice,
    draft: Draft,
    occasion: InvoiceOccasion,
    by: Actor,
    *,
    behind: Invoice | None = None,
) -> Invoice:
    account = draft.subject.account
    fill(invoice, draft, occasion)
    if invoice.gaps:
        if behind is not None and behind.key != invoice.key:
            return behind
        invoice.save()
        return invoice
    _book(invoice, draft, by)
    give_number(invoice, draft)
    invoice.save()
    own = [keys.invoice_reset(invoice.key), keys.invoice_residue(invoice.key)]
    LedgerEntry.objects.filter(
        Q(pk__in=[entry.pk for entry in draft.entries]) | Q(key__in=own),
        account=account,
    ).update(invoice=invoice)
    audit.record("invoice.issued", invoice, by=by, customer=account.customer)
    transaction.on_commit(partial(announce, DRAW, invoice.pk, priority=LATER))
    return invoice


def _book(invoice: Invoice, draft: Draft, by: Actor) -> None:
    """What rounding changes, and for post-paid the debt that moves to the invoice."""
    account = draft.subject.account
    rules = rules_of(account.bill_type)
    postings = []
    with translation.override(draft.subject.language):
        if draft.residue:
            move = ledger.debit if draft.residue > 0 else ledger.credit
            postings.append(
                move(
                    account.pk,
                    keys.invoice_residue(invoice.key),
                    EntryKind.ROUNDING,
                    abs(draft.residue),
                    _("Rounding of the invoice"),
                    is_on_balance=rules.transactions_move_balance,
                )
            )
        if rules.resets_on_invoice and invoice.payable:
            postings.append(
                ledger.credit(
                    account.pk,
                    keys.invoice_reset(invoice.key),
                    EntryKind.INVOICE,
                    invoice.payable,
                    _("Moved to the invoice"),
                )
            )
    # Dated as what it closes: a late run goes on to the next period from there.
    ledger.post(postings, by=by, within_limits=False, at=draft.at)


def give_number(invoice: Invoice, draft: Draft) -> None:
    """Number and freeze; from here on the series is held until the transaction ends."""
    issued_on = draft.content.document.issued_on
    counted = Invoice.objects.filter(account=invoice.account_id, type=invoice.type)
    invoice.customer_number = (
        counted.exclude(number="")
        .order_by("-customer_number")
        .values_list("customer_number", flat=True)
        .first()
        or 0
    ) + 1
    _keep_logo(draft)
    kind = InvoiceType(invoice.type)
    invoice.number = next_number(draft.subject.issuer, kind, issued_on.year)
    invoice.issued_at = datetime.now(UTC)
    invoice.issued_on = issued_on
    invoice.due_on = draft.due_on if invoice.payable else None
    invoice.overdue_on = draft.overdue_on if invoice.due_on else None
    invoice.content = freeze(numbered(draft.content, invoice.number))
    invoice.status = first_status(invoice, draft.subject)
    if invoice.status in SHOWN_TO_CUSTOMERS:
        invoice.sent_at = invoice.issued_at


def first_status(invoice: Invoice, subject: Subject) -> InvoiceStatus:
    """To be approved where the seller wants to see it first; else what it is to the
    customer: `status_when_sent`."""
    if subject.seller.reviews_invoices and invoice.is_sent_to_customer:
        return InvoiceStatus.QUEUED
    return status_when_sent(invoice, subject.account)


def status_when_sent(invoice: Invoice, account: BillingAccount) -> InvoiceStatus:
    """Due while there is something to pay, else paid, or pre-paid by type (D 1.5)."""
    if not rules_of(account.bill_type).shows_total_due:
        return InvoiceStatus.PREPAID
    if invoice.payable > invoice.settled:
        return InvoiceStatus.DUE
    return InvoiceStatus.PAID


def _keep_logo(draft: Draft) -> None:
    company = getattr(draft.subject.issuer, "company", None)
    if company is None or not company.logo_hash:
        return
    InvoiceLogo.objects.bulk_create(
        [InvoiceLogo(hash=company.logo_hash, data=bytes(company.logo))],
        ignore_conflicts=True,
    )
