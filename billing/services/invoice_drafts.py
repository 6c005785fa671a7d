"""Drafting invoices: what one would say, before anything is written (D 6.1).

Who invoices whom, what of the ledger stands on it, and what of that is to be paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from billing import keys
from billing.choices import InvoiceOccasion, InvoiceType
from billing.invoicing import items
from billing.invoicing.build import (
    Matter,
    Settled,
    Span,
    Subject,
    build,
)
from billing.invoicing.content import Content, Deduction
from billing.invoicing.deductions import from_balance, to_balance
from billing.invoicing.vat import TaxOnLine
from billing.models import BillingAccount, Invoice, LedgerEntry, Seller
from billing.selectors import Rates
from billing.types import BillTypeRules, rules_of
from portal.core.money import ZERO, round_stated
from portal.core.periods import local_date, start_of_day
from portal.core.scope import scopes_disabled
from rateplans.pricing import EffectivePlan
from rateplans.selectors import PlanBook


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
    due_on: date | None = None  # of what is payable, though the document asks for none
    moved: Decimal = ZERO  # what payments that move over take off what is payable

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
        return draft_of(*subject_of(account.pk), until=until)


def draft_of(
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
    counted: list[Deduction] = []
    if rules.resets_on_invoice:
        with translation.override(subject.language):
            counted = _counted(account, entries, before)
    content, due_on, overdue_on = built(
        subject,
        plan,
        matter,
        settle=partial(_settled, account, rules, supplied, booked, later, counted),
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
        due_on=due_on,
    )


def matter_of(subject: Subject, entries: Sequence[LedgerEntry], span: Span) -> Matter:
    """What ``entries``, with their taxes loaded, are on an invoice.

    Where the balance moves to the invoice, money that changed it is deducted; what else
    came in stands beside that.
    """
    account = subject.account
    zone = account.customer.time_zone
    is_counted = rules_of(account.bill_type).resets_on_invoice
    beside = [each for each in entries if not (is_counted and each.is_on_balance)]
    vat_rules = subject.vat_rules()
    with translation.override(subject.language):
        return Matter(
            items=items.items(entries, vat_rules, detail=subject.detail, zone=zone),
            movements=items.movements(beside, zone, account.currency),
            rules=vat_rules,
            span=span,
        )


def topup_draft(entry: LedgerEntry, on: date | None) -> Draft | None:
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
        paid = (Deduction(_("Paid already"), entry.amount),)
    matter = Matter([item], (), rules, Span(day, day + timedelta(days=1)))
    content, due_on, overdue_on = built(
        subject,
        plan,
        matter,
        settle=lambda _total: Settled(ZERO, entry.balance_after, paid),
        on=on,
    )
    return Draft(
        subject=subject,
        content=content,
        entries=(entry,),
        span=matter.span,
        plan=plan,
        at=entry.at,
        residue=ZERO,
        overdue_on=overdue_on,
        due_on=due_on,
    )


def built(
    subject: Subject,
    plan: EffectivePlan,
    matter: Matter,
    *,
    settle: Any,
    on: date | None = None,
) -> tuple[Content, date, date]:
    """The content as of ``on``, today where the customer is; due day, first overdue day."""
    account = subject.account
    today = on or local_date(account.customer.time_zone)
    due_on, overdue_on = last_days(account, plan, today)
    content = build(
        subject,
        matter,
        issued_on=today,
        due_on=due_on,
        convert=Rates(today).convert,
        settle=settle,
    )
    return content, due_on, overdue_on


def last_days(
    account: BillingAccount, plan: EffectivePlan, on: date
) -> tuple[date, date]:
    """The day by which an invoice of the day ``on`` is to be paid, and the first overdue
    one."""
    due_on = on + timedelta(days=int(choice(account.due_days, plan, "due_days")))
    return due_on, due_on + timedelta(days=1 + int(plan.value("overdue_days")))


def _settled(
    account: BillingAccount,
    rules: BillTypeRules,
    supplied: Iterable[LedgerEntry],
    booked: Decimal,
    later: Decimal,
    counted: Iterable[Deduction],
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
        owed = round_stated(max(ZERO, -balance), account.currency)
        deductions = from_balance(gross, balance, counted)
        return Settled(owed, balance + owed, deductions)
    apart = -sum((entry.amount for entry in supplied if not entry.is_on_balance), ZERO)
    unpaid = round_stated(apart + residue - on_balance, account.currency)
    payable = max(ZERO, unpaid)
    return Settled(payable, balance, to_balance(gross - payable))


def _counted(
    account: BillingAccount, entries: Iterable[LedgerEntry], before: datetime
) -> list[Deduction]:
    """What changed the balance since the invoice before, besides what is supplied."""
    zone = account.customer.time_zone
    money = [
        Deduction(entry.description, entry.amount, local_date(zone, entry.at))
        for entry in entries
        if entry.is_on_balance and items.is_money(entry)
    ]
    return [*money, *_credited(account, before)]


def _credited(account: BillingAccount, before: datetime) -> list[Deduction]:
    """What credit notes left on the balance, of those that no invoice has counted."""
    notes = Invoice.objects.filter(account=account, type=InvoiceType.CREDIT_NOTE)
    if not notes.exists():
        return []
    moved = notes.values("number", "issued_on").annotate(
        moved=Sum(
            "entries__amount",
            filter=Q(
                entries__is_on_balance=True,
                entries__at__gt=_counted_until(account),
                entries__at__lte=before,
            ),
        )
    )
    return [
        Deduction(
            _("Credit note %(number)s") % {"number": row["number"]},
            row["moved"],
            row["issued_on"],
        )
        for row in moved.filter(moved__isnull=False).order_by("pk")
    ]


def _counted_until(account: BillingAccount) -> datetime:
    """Up to when the balance went that the latest invoice took over."""
    latest = (
        Invoice.objects.filter(account=account, type=InvoiceType.INVOICE)
        .filter(occasion__in=[InvoiceOccasion.PERIOD, InvoiceOccasion.REQUEST])
        .exclude(number="")
        .order_by("-customer_number")
        .only("key", "issued_at")
        .first()
    )
    if latest is None or latest.issued_at is None:
        return datetime.min.replace(tzinfo=UTC)
    # What invoices post is dated as what they close: maybe before they were issued.
    own = [keys.invoice_reset(latest.key), keys.invoice_residue(latest.key)]
    posted = LedgerEntry.objects.filter(account=account, key__in=own)
    return posted.values_list("at", flat=True).first() or latest.issued_at


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
        detail=str(choice(account.invoice_detail, plan, "invoice_detail")),
    )
    return subject, plan


def choice(own: Any, plan: EffectivePlan, name: str) -> Any:
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
