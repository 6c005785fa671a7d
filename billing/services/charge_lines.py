"""What a charge comes to on an account: the times due, with taxes, and their postings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing import keys, ledger
from billing.choices import ChargePeriod, EntryKind
from billing.models import BillingAccount, Charge, Tax
from billing.pricing import RATE_PLACES
from billing.schedules import schedule_of
from billing.selectors import Rates
from billing.services.fee_lines import days_text
from billing.taxes import TaxPart, on_sold, tax_parts
from billing.types import rules_of
from portal.core.money import ZERO, round_money


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One time that a charge is due; amounts are positive, in the account's currency."""

    account: BillingAccount
    charge: Charge
    key: str
    day: date
    net: Decimal
    taxes: tuple[TaxPart, ...]
    period: tuple[date, date] | None
    said: Decimal  # the net in the charge's own currency
    rate: Decimal

    @property
    def tax(self) -> Decimal:
        return sum((part.amount for part in self.taxes), ZERO)

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    @property
    def description(self) -> str:
        times = f" × {self.charge.quantity}" if self.charge.quantity > 1 else ""
        days = f", {days_text(*self.period)}" if self.period else ""
        # The name is cut before the days are: they tell one time from the next.
        return f"{self.charge.name[: 200 - len(times + days)]}{times}{days}"

    def posting(self) -> ledger.Posting:
        begin, end = self.period or (None, None)
        is_converted = self.charge.currency != self.account.currency
        rules = rules_of(self.account.bill_type)
        return ledger.debit(
            self.account.pk,
            self.key,
            EntryKind.CHARGE,
            self.net,
            self.description,
            taxes=self.taxes,
            is_on_balance=rules.transactions_move_balance,
            quantity=self.charge.quantity,
            charge_id=self.charge.pk,
            product_id=self.charge.product_id,
            period_start=begin,
            period_end=end,
            original_amount=-self.said if is_converted else None,
            original_currency=self.charge.currency if is_converted else "",
            exchange_rate=self.rate if is_converted else None,
        )


def key_of(charge: Charge, day: date) -> str:
    """Names one time of a charge: a second one on the same account is the same event."""
    recurs = ChargePeriod(charge.period).months
    return keys.charge_time(charge.pk, day if recurs else None)


def full_line(
    account: BillingAccount, charge: Charge, day: date, taxes: Iterable[Tax]
) -> ChargeLine:
    """The time due on ``day``, whole."""
    period = schedule_of(charge).period_from(day)
    share = Decimal(1), Decimal(1)
    return _line(account, charge, day, day, period, share, taxes)


def part_line(
    account: BillingAccount, charge: Charge, today: date, taxes: Iterable[Tax]
) -> ChargeLine:
    """The days from ``today`` to the first time, as their share of the period before it."""
    begin, end = schedule_of(charge).before_the_first()
    share = Decimal((end - today).days), Decimal((end - begin).days)
    return _line(account, charge, begin, today, (today, end), share, taxes)


def _line(
    account: BillingAccount,
    charge: Charge,
    key_day: date,
    day: date,
    period: tuple[date, date] | None,
    share: tuple[Decimal, Decimal],
    taxes: Iterable[Tax],
) -> ChargeLine:
    rates = Rates(day)
    exact = charge.amount * charge.quantity * share[0] / share[1]
    net = round_money(
        rates.convert(exact, charge.currency, account.currency), account.currency
    )
    parts = tax_parts(net, taxes, currency=account.currency, convert=rates.convert)
    return ChargeLine(
        account=account,
        charge=charge,
        key=key_of(charge, key_day),
        day=day,
        net=net,
        taxes=parts,
        period=period,
        said=round_money(exact, charge.currency),
        rate=rates.factor(charge.currency, account.currency).quantize(RATE_PLACES),
    )


def taxes_on(account: BillingAccount, charge: Charge) -> list[Tax]:
    """Those the customer is liable for and the charge bears."""
    liable = [row.tax for row in account.liabilities.all()]
    return on_sold(liable, charge, "applies_charges")
