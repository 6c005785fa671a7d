"""Making invoices: preview and issue are the same, but for what is written (D 6.1).

Issuing is one transaction: the ledger entries that post-paid accounts need, the number, the
frozen document and the link of each entry to it. Files and mails are made from that row
afterwards (docs/adr/0020).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing import keys, ledger
from billing.choices import (
    EntryKind,
    InvoiceOccasion,
    InvoiceStatus,
    InvoiceType,
)
from billing.invoicing import items
from billing.invoicing.build import (
    Matter,
    Settled,
    Span,
    Subject,
    build,
    numbered,
)
from billing.invoicing.content import Content, freeze
from billing.invoicing.vat import TaxOnLine
from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceLogo,
    LedgerEntry,
    Seller,
    Tax,
)
from billing.pricing import next_period
from billing.selectors import Rates
from billing.services.invoice_checks import why_held_back
from billing.services.invoice_series import next_number
from billing.types import BillTypeRules, rules_of
from portal.core import audit
from portal.core.actor import Actor
from portal.core.money import ZERO, round_money
from portal.core.periods import local_date, start_of_day
from portal.core.scope import scopes_disabled
from portal.core.tasks import LATER, announce
from rateplans.choices import BillingPeriod
from rateplans.pricing import EffectivePlan
from rateplans.selectors import PlanBook

DRAW = "billing.jobs.draw_invoice"


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice before it is issued."""

    subject: Subject
    content: Content
    entries: tuple[LedgerEntry, ...]
    span: Span
    plan: EffectivePlan
    at: datetime  # up to when it goes
    residue: Decimal  # what rounding adds to what the ledger has booked
    overdue_on: date

    @property
    def is_empty(self) -> bool:
        """Whether nothing was supplied: a document has a line (BR-16). Payments wait for
        the next."""
        return not self.content.document.lines

    @property
    def waits(self) -> bool:
        """Whether more is given back than charged: the next invoice takes that up."""
        return self.content.document.totals.gross < 0


def preview(account: BillingAccount, *, until: date | None = None) -> Draft:
    """What an invoice up to now would say, or up to the beginning of the day ``until``.

    Nothing is written. Raises ValidationError where a currency has no rate, or the billing
    type has no invoices.
    """
    with scopes_disabled():  # the issuer is above the reader's own account
        return _draft(*subject_of(account.pk), until=until)


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
    again. Raises ValidationError as `preview` does.
    """
    with scopes_disabled():  # the issuer is above the account acted in
        subject, plan = subject_of(account_id, plans=plans, is_locked=True)
        present = Invoice.objects.filter(account=account_id, key=key).first()
        if present is not None and present.is_issued:
            return present
        draft = _draft(subject, plan, until=until, on=on)
        if draft.is_empty or draft.waits:
            return None
        invoice = present or Invoice(account_id=account_id, key=key)
        return _issue(invoice, draft, occasion, by)


def issue_due(account_id: int, *, by: Actor, on: date | None = None) -> list[Invoice]:
    """`issue_ended` on the account of that id."""
    with scopes_disabled():  # the run goes over all trees
        account = BillingAccount.objects.get(pk=account_id)
        return issue_ended(account, by=by, on=on, plans=PlanBook())


def issue_ended(
    account: BillingAccount, *, by: Actor, plans: PlanBook, on: date | None = None
) -> list[Invoice]:
    """Issue the invoice of each period that has ended and whose successor was charged.

    Late or repeated, the result is the same: each goes up to the beginning of its own last
    day's morrow, and is keyed by that. One that is held back keeps none of the later ones.
    """
    with scopes_disabled():  # the run goes over all trees
        made = []
        if rules_of(account.bill_type).has_period_invoices:
            for end in _period_ends(account, plans):
                key = keys.period_invoice(end)
                invoice = issue(
                    account.pk,
                    occasion=InvoiceOccasion.PERIOD,
                    key=key,
                    by=by,
                    until=end,
                    on=on,
                    plans=plans,
                )
                if invoice is not None:
                    made.append(invoice)
        _remember_invoiced(account.pk, account.billed_from)
    return made


def _period_ends(account: BillingAccount, plans: PlanBook) -> list[date]:
    """The ends of periods since the last invoice, up to where the period begins that was
    charged last; by the plan of today."""
    plan = plans.plan(account.plan_id, on=account.billed_from)
    period = BillingPeriod(plan.value("billing_period"))
    ends = []
    day = account.invoiced_until
    while day < account.billed_from:
        day = min(next_period(day, period)[1], account.billed_from)
        ends.append(day)
    return ends


def _remember_invoiced(account_id: int, until: date) -> None:
    BillingAccount.objects.filter(pk=account_id, invoiced_until__lt=until).update(
        invoiced_until=until
    )


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
        entry = entries_of(entry.account_id).get(pk=entry.pk)
        draft = _topup_draft(entry, on)
        if draft is None or entry.invoice_id is not None:
            return None
        invoice = present or Invoice(account_id=entry.account_id, key=key)
        return _issue(invoice, draft, InvoiceOccasion.TOPUP, by)


def _draft(
    subject: Subject,
    plan: EffectivePlan,
    *,
    until: date | None,
    on: date | None = None,
) -> Draft:
    account = subject.account
    rules = rules_of(account.bill_type)
    if not rules.has_invoices_on_request:
        raise ValidationError(_("This billing type has no invoices."), code="bill_type")
    zone = account.customer.time_zone
    today = local_date(zone)
    end = until or today + timedelta(days=1)
    before = start_of_day(until, zone) if until else timezone.now()
    entries = tuple(entries_of(account.pk).filter(invoice=None, at__lte=before))
    matter = matter_of(subject, entries, _span(account, entries, end))
    supplied = [entry for entry in entries if not items.is_money(entry)]
    booked = -sum((entry.amount for entry in supplied), ZERO)
    later = _on_balance(LedgerEntry.objects.filter(account=account, at__gt=before))
    content, overdue_on = built(
        subject,
        plan,
        matter,
        settle=partial(_settled, account, rules, supplied, booked, later),
        on=on,
    )
    return Draft(
        subject=subject,
        content=content,
        entries=entries,
        span=matter.span,
        plan=plan,
        at=before,
        residue=content.document.totals.gross - booked,
        overdue_on=overdue_on,
    )


def matter_of(subject: Subject, entries: Sequence[LedgerEntry], span: Span) -> Matter:
    """What ``entries``, with their taxes loaded, are on an invoice."""
    zone = subject.account.customer.time_zone
    vat_ids = dict(
        Tax.objects.filter(
            pk__in={tax.tax_id for entry in entries for tax in entry.taxes.all()}
        ).values_list("pk", "is_vat")
    )
    vat_rules = subject.vat_rules()
    with translation.override(subject.language):
        return Matter(
            items=items.items(
                entries, vat_rules, detail=subject.detail, zone=zone, vat_ids=vat_ids
            ),
            movements=items.movements(entries, zone),
            rules=vat_rules,
            span=span,
        )


def _topup_draft(entry: LedgerEntry, on: date | None) -> Draft | None:
    subject, plan = subject_of(entry.account_id)
    account = subject.account
    if not rules_of(account.bill_type).has_topup_invoices:
        return None
    rules = subject.vat_rules().outside()
    with translation.override(subject.language):
        day = local_date(account.customer.time_zone, entry.at)
        taxes: tuple[TaxOnLine, ...] = ()
        category, rate = rules.of_line(taxes)
        item = items.Item(
            section=_("Top-ups"),
            text=entry.description,
            net=entry.amount,
            quantity=1,
            category=category,
            rate=rate,
            taxes=taxes,
            day=day,
        )
    matter = Matter([item], (), rules, Span(day, day + timedelta(days=1)))
    content, overdue_on = built(
        subject,
        plan,
        matter,
        settle=lambda _total: Settled(ZERO, entry.balance_after),
        on=on,
    )
    return Draft(
        subject, content, (entry,), matter.span, plan, entry.at, ZERO, overdue_on
    )


def built(
    subject: Subject,
    plan: EffectivePlan,
    matter: Matter,
    *,
    settle: Any,
    on: date | None = None,
) -> tuple[Content, date]:
    """The content as of ``on``, today where the customer is, and the first overdue day."""
    account = subject.account
    today = on or local_date(account.customer.time_zone)
    due_on = today + timedelta(days=int(_choice(account.due_days, plan, "due_days")))
    content = build(
        subject,
        matter,
        issued_on=today,
        due_on=due_on,
        convert=Rates(today).convert,
        settle=settle,
    )
    return content, due_on + timedelta(days=1 + int(plan.value("overdue_days")))


def _settled(
    account: BillingAccount,
    rules: BillTypeRules,
    supplied: Iterable[LedgerEntry],
    booked: Decimal,
    later: Decimal,
    gross: Decimal,
) -> Settled:
    """What of ``gross`` is to be paid, by the billing type (D 1.5).

    Post-paid: what the balance is below 0 then, which also holds debts of before and what
    was paid meanwhile. Else what was kept off the balance.
    """
    residue = gross - booked
    on_balance = residue if rules.transactions_move_balance else ZERO
    balance = account.balance - later - on_balance
    if rules.resets_on_invoice:
        owed = round_money(max(ZERO, -balance), account.currency)
        return Settled(payable=owed, balance=balance + owed)
    apart = -sum((entry.amount for entry in supplied if not entry.is_on_balance), ZERO)
    unpaid = round_money(apart + residue - on_balance, account.currency)
    return Settled(payable=max(ZERO, unpaid), balance=balance)


def fill(invoice: Invoice, draft: Draft, occasion: InvoiceOccasion) -> None:
    """Set what the draft says, and in ``gaps`` why it cannot be issued like that."""
    account = draft.subject.account
    document = draft.content.document
    invoice.issuer = draft.subject.issuer
    invoice.occasion = occasion
    invoice.currency = account.currency
    invoice.net = document.totals.net
    invoice.total = document.totals.gross
    invoice.payable = document.totals.payable
    invoice.period_start, invoice.period_end = draft.span.begin, draft.span.end
    invoice.detail = draft.subject.detail
    invoice.format = _choice(account.invoice_format, draft.plan, "invoice_format")
    invoice.is_sent_to_customer = bool(
        _choice(account.send_invoices, draft.plan, "send_invoices")
    )
    invoice.gaps = [
        gap.as_json() for gap in why_held_back(draft.subject, draft.content, invoice)
    ]


def _issue(
    invoice: Invoice, draft: Draft, occasion: InvoiceOccasion, by: Actor
) -> Invoice:
    account = draft.subject.account
    fill(invoice, draft, occasion)
    if invoice.gaps:
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
    invoice.due_on = draft.content.document.due_on
    invoice.overdue_on = draft.overdue_on if invoice.due_on else None
    invoice.content = freeze(numbered(draft.content, invoice.number))
    invoice.status = first_status(invoice, draft.subject)


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


def subject_of(
    account_id: int, *, plans: PlanBook | None = None, is_locked: bool = False
) -> tuple[Subject, EffectivePlan]:
    """Who invoices whom, and by which plan; ``is_locked`` until the transaction ends."""
    rows = BillingAccount.objects.select_related(
        "customer", "plan", "provider__company", "provider__seller"
    )
    if is_locked:
        rows = rows.select_for_update(of=("self",), no_key=True)
    account = rows.get(pk=account_id)
    issuer = account.provider
    today = local_date(account.customer.time_zone)
    plan = (plans or PlanBook()).plan(account.plan_id, on=today)
    subject = Subject(
        account=account,
        issuer=issuer,
        seller=getattr(issuer, "seller", None) or Seller(customer=issuer),
        language=account.customer.spoken_language(),
        detail=str(_choice(account.invoice_detail, plan, "invoice_detail")),
    )
    return subject, plan


def _choice(own: Any, plan: EffectivePlan, name: str) -> Any:
    """The account's own setting, else its plan's."""
    return plan.value(name) if own is None or own == "" else own


def entries_of(account_id: int) -> QuerySet[LedgerEntry]:
    """What invoices of an account can be about, with all that they say of it."""
    return (
        LedgerEntry.objects.filter(account=account_id)
        .exclude(kind__in=items.OWN)
        .select_related("charge", "product", "reverses")
        .prefetch_related("taxes")
        .order_by("pk")
    )


def _on_balance(entries: QuerySet[LedgerEntry]) -> Decimal:
    moved = entries.filter(is_on_balance=True)
    return moved.aggregate(sum=Sum("amount"))["sum"] or ZERO


def _span(account: BillingAccount, entries: Iterable[LedgerEntry], end: date) -> Span:
    """The days of what is invoiced: of fees their periods, of all else when it was.

    Of nothing at all, the day before ``end``.
    """
    zone = account.customer.time_zone
    begins, ends = [], []
    for entry in entries:
        if not items.is_money(entry):
            day = local_date(zone, entry.at)
            begins.append(entry.period_start or day)
            ends.append(entry.period_end or day + timedelta(days=1))
    return Span(min(begins, default=end - timedelta(days=1)), max(ends, default=end))
