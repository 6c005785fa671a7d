"""What an account will be charged when its next period begins; nothing is posted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, prefetch_related_objects

from billing.models import BillingAccount, TaxLiability
from billing.pricing import Level
from billing.services.charge_lines import ChargeLine
from billing.services.charges import lines_due
from billing.services.fee_lines import FeeLine, thing
from billing.services.period_prices import Book
from billing.services.periods import period_lines
from billing.types import rules_of
from portal.core.money import ZERO
from portal.core.periods import start_of_day
from portal.core.scope import scopes_disabled
from rateplans.choices import BillingPeriod


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One line of the run to come; ``thing`` is said in the language of the reader."""

    thing: str
    line: FeeLine | ChargeLine


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is charged on ``day``: fees of the period that begins, and charges due by then."""

    level: Level
    day: date
    lines: tuple[ForecastLine, ...] = ()
    refusal: ValidationError | None = (
        None  # an exchange rate is missing: not to be told
    )

    @property
    def total(self) -> Decimal:
        return sum((each.line.gross for each in self.lines), ZERO)

    @property
    def taxes(self) -> dict[str, Decimal]:
        """What each tax comes to, by its name."""
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for each in self.lines:
            for part in each.line.taxes:
                sums[part.name] += part.amount
        return dict(sums)

    @property
    def balance_after(self) -> Decimal:
        moves = self.level.rules.transactions_move_balance
        return self.level.account.balance - (self.total if moves else ZERO)

    @property
    def missing(self) -> Decimal:
        """How far beyond the credit limit this takes the balance; 0 if it reaches."""
        moves = self.level.rules.transactions_move_balance
        return self.level.account.missing_for(self.total) if moves else ZERO


def forecast(account: BillingAccount) -> Forecast | None:
    """What the next run with fees charges ``account``, as things stand now.

    None where there never is one: deleted customers, billing types without fees, plans of
    which no period ends. Only the account's own level is told, though prices may come from
    above it. Some 15 queries, however much there is.
    """
    if account.customer.is_deleted:
        return None
    if not rules_of(account.bill_type).has_monthly_fees:
        return None
    day = max(account.billed_until, account.fees_from)
    with scopes_disabled():  # prices and taxes may come from accounts above
        liabilities = TaxLiability.objects.select_related("tax")
        prefetch_related_objects([account], Prefetch("liabilities", liabilities))
        book = Book([account], day)
        level = book.level(account)
        if level.period == BillingPeriod.INDEFINITE:
            return None
        try:
            return Forecast(level, day, tuple(_lines(book, account, day)))
        except ValidationError as error:
            return Forecast(level, day, refusal=error)


def _lines(book: Book, account: BillingAccount, day: date) -> Iterator[ForecastLine]:
    ats = {account.pk: start_of_day(day, account.customer.time_zone)}
    for _account, line, number_class_id in period_lines(book, [account], day, ats):
        if line.gross:
            label = book.label(line.quantity, number_class_id)
            yield ForecastLine(thing(line.feature, label), line)
    for charge in lines_due(account, day):
        if charge.gross:
            yield ForecastLine(charge.description, charge)
