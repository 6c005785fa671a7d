"""What comes in at the demo's sellers: bills paid, or not, and balances topped up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.db.models import F
from django.utils import timezone

from billing.choices import InvoiceType, PaymentMethod
from billing.invoice_statuses import UNPAID
from billing.models import BillingAccount, Invoice, Payment
from billing.services.payments import Received, record_payment, reverse_payment
from billing.types import RULES
from portal.demo.actors import staff_of
from portal.demo.tariffs import HABITS, METHODS, Habit

STEP = Decimal(10)  # what people round to
ENOUGH = Decimal(20)  # what they keep on a balance
LATE = timedelta(days=20)  # after the first overdue day
STOPPED = relativedelta(months=4)  # before today
PAYS_PART = "Reederei Jansen & Co."  # of its oldest bill, when asked once more
PART = Decimal(50)
REFUSED = "Five Boroughs Bike Messengers"


@dataclass(frozen=True, slots=True)
class _Coming:
    account: BillingAccount
    day: date
    amount: Decimal
    reference: str
    invoice: Invoice | None = None

    @property
    def key(self) -> str:
        what = self.invoice.key if self.invoice else "top-up"
        return f"demo:{what}:{self.day}"


def receive_topups(month: date) -> None:
    """Balances brought up before the fees of ``month`` go off them."""
    types = [kind for kind, rules in RULES.items() if rules.may_top_up]
    accounts = BillingAccount.objects.filter(
        bill_type__in=types, billed_until__lte=month, customer__deleted_at=None
    ).select_related("customer", "provider")
    _book(_topups(accounts, month))


def receive_payments(until: date) -> None:
    """Bills paid by those who do so before the day ``until``."""
    invoices = Invoice.objects.filter(
        type=InvoiceType.INVOICE, status__in=UNPAID, payable__gt=F("settled")
    ).select_related("account__customer", "account__provider")
    _book(each for each in _payments(invoices) if each.day < until)


def receive_a_part() -> None:
    """Something on account, two days ago."""
    account = BillingAccount.objects.select_related("customer", "provider").get(
        customer__name=PAYS_PART
    )
    day = timezone.localdate() - timedelta(days=2)
    _book([_Coming(account, day, PART, account.customer.account_number)])


def refuse_a_payment() -> None:
    """The bank takes back what a direct debit brought."""
    payment = (
        Payment.objects.filter(account__customer__name=REFUSED)
        .select_related("account__provider")
        .latest("pk")
    )
    reverse_payment(
        payment=payment,
        reason="Returned by the bank: account closed",
        is_refused=True,
        by=staff_of(payment.account.provider),
    )


def _topups(accounts: Iterable[BillingAccount], month: date) -> Iterator[_Coming]:
    for account in accounts:
        wanted = max(account.low_balance, ENOUGH)
        if account.balance >= wanted or _leaves_out(account, month):
            continue
        gap = (wanted - account.balance) / STEP
        day = max(
            month - timedelta(days=3 + account.pk % 9),
            account.customer.created_at.date(),
        )
        amount = gap.to_integral_value(ROUND_CEILING) * STEP
        yield _Coming(account, day, amount, account.customer.account_number)


def _leaves_out(account: BillingAccount, month: date) -> bool:
    match _habit(account):
        case Habit.NEVER:
            return True
        case Habit.STOPPED:
            return month >= _stopped_on()
        case Habit.LATE:
            return bool(month.month % 2)
    return False


def _payments(invoices: Iterable[Invoice]) -> Iterator[_Coming]:
    for invoice in invoices:
        account = invoice.account
        assert invoice.due_on is not None
        assert invoice.overdue_on is not None
        day, amount = invoice.due_on - timedelta(days=account.pk % 9), invoice.open
        match _habit(account):
            case Habit.NEVER:
                continue
            case Habit.STOPPED if day >= _stopped_on():
                continue
            case Habit.LATE:
                day = invoice.overdue_on + LATE
            case Habit.ROUNDS:
                amount = (amount / STEP).to_integral_value(ROUND_CEILING) * STEP
        yield _Coming(account, day, amount, invoice.number, invoice)


def _habit(account: BillingAccount) -> Habit:
    return HABITS.get(account.customer.name, Habit.PAYS)


def _stopped_on() -> date:
    day: date = timezone.localdate() - STOPPED
    return day


def _book(coming: Iterable[_Coming]) -> None:
    """In the order of days, as the sellers' people would."""
    for each in sorted(coming, key=lambda each: (each.day, each.account.pk)):
        account = each.account
        zone = ZoneInfo(account.customer.time_zone)
        at = datetime.combine(each.day, time(11, account.pk % 60), tzinfo=zone)
        method = METHODS.get(account.customer.name, PaymentMethod.TRANSFER)
        record_payment(
            account=account,
            received=Received(each.amount, method, each.day, each.reference),
            key=each.key,
            by=staff_of(account.provider),
            invoice=each.invoice,
            at=min(at, timezone.now()),
        )
