"""Reads of billing data that more than one place needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import (
    CharField,
    Count,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _

from billing.models import (
    BillingAccount,
    ExchangeRate,
    PeriodRun,
    RunFailure,
    RunInvoice,
    Seller,
    Tax,
    TaxLiability,
)
from billing.pricing import Level
from portal.core.actor import Actor
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.periods import local_date
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from rateplans.choices import Feature
from rateplans.pricing import EffectivePlan
from rateplans.selectors import effective_plans

EURO = "EUR"
# What the keys of mails begin with that bring an invoice; its id follows.
INVOICE_MAILS = "invoice:"


def available_taxes(*, owner_id: int, ancestor_ids: list[int]) -> QuerySet[Tax]:
    """Taxes a reseller's customers may be liable for: its own, and those shared from above."""
    with scopes_disabled():  # shared taxes belong to accounts above the tenant
        taxes = Tax.objects.all()
    return taxes.filter(
        Q(owner_id=owner_id) | Q(is_shared=True, owner_id__in=ancestor_ids)
    ).order_by("name", "pk")


def has_vat(customer: Any) -> bool:
    """Whether there is a VAT that the account's customers may be liable for."""
    taxes = available_taxes(
        owner_id=customer.pk, ancestor_ids=list(customer.ancestor_ids)
    )
    return taxes.filter(is_vat=True).exists()


def seller_of(customer: Any) -> Seller:
    """What the account says of itself on invoices; the defaults, not saved, if nothing."""
    found = Seller.objects.filter(customer=customer.pk).first()
    return found or Seller(customer=customer)


@dataclass
class Rates:
    """Exchange rates valid on a day, looked up as they are needed."""

    on: date
    _found: dict[str, Decimal] = field(default_factory=lambda: {EURO: Decimal(1)})

    def convert(self, amount: Decimal, currency: str, wanted: str) -> Decimal:
        """``amount`` of ``currency`` in ``wanted``, not rounded.

        Raises ValidationError if there was no rate of one of them on that day or before.
        """
        if currency == wanted or not amount:
            return amount
        return amount * self.factor(currency, wanted)

    def factor(self, currency: str, wanted: str) -> Decimal:
        """How much of ``wanted`` one unit of ``currency`` is."""
        if currency == wanted:
            return Decimal(1)
        return self._per_euro(wanted) / self._per_euro(currency)

    def _per_euro(self, currency: str) -> Decimal:
        if currency not in self._found:
            rates = ExchangeRate.objects.filter(currency=currency, on__lte=self.on)
            rate = rates.order_by("-on").values_list("rate", flat=True).first()
            if rate is None:
                raise ValidationError(
                    _(
                        "There is no exchange rate of %(currency)s yet: the system"
                        " owner has to enter one."
                    ),
                    code="no_rate",
                    params={"currency": currency},
                )
            self._found[currency] = rate
        return self._found[currency]


def sees_all_runs(reader: Actor) -> bool:
    """Runs go over all trees: as a whole they are the system owner's matter."""
    return reader.can(Permission.SYSTEM)


def run_failures(reader: Actor) -> QuerySet[RunFailure]:
    """Accounts that runs could not charge: every one for the system owner, else those of
    the customers that ``reader`` is the provider of."""
    failures = RunFailure.objects.all()
    if sees_all_runs(reader):
        return failures
    return failures.filter(account__provider=reader.customer.pk)


def visible_runs(reader: Actor) -> QuerySet[PeriodRun]:
    """Billing runs with ``failed_here``, how many accounts of the reader's they left out.

    The system owner sees all; others those that failed at a customer of theirs.
    """
    if sees_all_runs(reader):
        both = F("failed") + F("invoice_failed")
        return PeriodRun.objects.annotate(failed_here=both)
    here = PeriodRun.objects.filter(failures__account__provider=reader.customer.pk)
    return here.annotate(failed_here=Count("failures"))


def with_invoice_counts(runs: QuerySet[PeriodRun]) -> QuerySet[PeriodRun]:
    """``runs`` with ``issued`` and ``held``: how many invoices each has made so far."""
    with scopes_disabled():  # a run goes over all trees
        made = RunInvoice.objects.filter(run=OuterRef("pk")).order_by()
    of_run = made.values("run")

    def counted(**condition: Any) -> Coalesce:
        rows = of_run.filter(**condition).annotate(count=Count("pk"))
        return Coalesce(Subquery(rows.values("count")), 0)

    return runs.annotate(
        issued=counted(invoice__issued_at__isnull=False),
        held=counted(invoice__issued_at=None),
    )


@dataclass(frozen=True, slots=True)
class RunInvoices:
    """How far the invoices of a run are.

    Of those ``to_mail`` a mail is written for ``mailed``, and ``sent`` by a mail server;
    ``kept`` stay here, since there is none.
    """

    issued: int = 0
    drawn: int = 0
    undrawable: int = 0
    mailed: int = 0
    to_mail: int = 0
    held: int = 0
    sent: int = 0
    kept: int = 0


def invoices_of(run: PeriodRun) -> RunInvoices:
    """The invoices that the run made, as they are now."""
    is_issued = Q(invoice__issued_at__isnull=False)
    is_to_be_mailed = Q(
        ~Q(invoice__account__customer__email=""),
        invoice__is_sent_to_customer=True,
        invoice__sent_at__isnull=False,
    )
    with scopes_disabled():  # a run goes over all trees
        counted = RunInvoice.objects.filter(run=run.pk).aggregate(
            issued=Count("pk", filter=is_issued),
            drawn=Count("pk", filter=Q(invoice__drawn_at__isnull=False)),
            undrawable=Count(
                "pk",
                filter=Q(invoice__drawn_at=None) & ~Q(invoice__draw_error=""),
            ),
            mailed=Count("pk", filter=Q(invoice__mailed_at__isnull=False)),
            to_mail=Count(
                "pk", filter=Q(invoice__mailed_at__isnull=False) | is_to_be_mailed
            ),
            held=Count("pk", filter=~is_issued),
        )
        if counted["mailed"]:
            counted |= _mails_of(run)
    return RunInvoices(**counted)


def _mails_of(run: PeriodRun) -> dict[str, int]:
    """How many mails of the run's invoices were sent, and how many are kept."""
    number = Cast("invoice", CharField())
    keys = RunInvoice.objects.filter(run=run.pk).annotate(
        mail=Concat(Value(INVOICE_MAILS), number)
    )
    return OutgoingEmail.objects.filter(key__in=keys.values("mail")).aggregate(
        sent=Count("pk", filter=Q(status=EmailStatus.SENT)),
        kept=Count("pk", filter=Q(status=EmailStatus.KEPT)),
    )


def has_customers(account: BillingAccount) -> bool:
    """Whether somebody buys of the account's customer, deleted ones included."""
    return BillingAccount.objects.filter(provider=account.customer_id).exists()


def load_levels(customer: Any, *, at: datetime | None = None) -> list[Level]:
    """The accounts from the one below the system owner down to ``customer``'s own.

    Each with its plan as of its own today. Empty for the system owner, who owes nobody.
    Seven queries, however deep the tree is; five more where some have another day.
    """
    with scopes_disabled():  # what an account above owes is part of every charge
        accounts = list(
            BillingAccount.objects.filter(
                customer__in=[*customer.ancestor_ids, customer.pk]
            )
            .select_related("customer")
            .prefetch_related(
                Prefetch(
                    "liabilities",
                    TaxLiability.objects.select_related("tax").order_by("tax__name"),
                )
            )
            .order_by("customer__path")
        )
    days = {
        account.pk: local_date(account.customer.time_zone, at) for account in accounts
    }
    plans: dict[date, dict[int, EffectivePlan]] = {}
    for day in set(days.values()):
        ids = [account.plan_id for account in accounts if days[account.pk] == day]
        plans[day] = effective_plans(ids, on=day)
    levels = []
    language = settings.LANGUAGE_CODE
    for account in accounts:
        language = account.customer.language or language
        day = days[account.pk]
        levels.append(
            Level(
                account=account,
                plan=plans[day][account.plan_id],
                today=day,
                taxes=tuple(row.tax for row in account.liabilities.all()),
                language=language,
            )
        )
    return levels


def count_features(
    levels: Sequence[Level], features: Iterable[Feature]
) -> dict[str, dict[Feature, int]]:
    """How many of each of ``features`` there are now at and below each level, by path.

    Only what its plan asks for is counted, the rest stays 0: reading through the subtrees
    of the accounts above takes long if they are large.
    """
    wanted = set(features)
    counts = {level.path: dict.fromkeys(wanted, 0) for level in levels}
    asked = [
        (level.path, str(feature))
        for level in levels
        for feature in wanted
        if level.plan.counts(feature)
    ]
    if not asked:
        return counts
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.path, asked.feature, count(*)
            FROM unnest(%s::text[], %s::text[]) AS asked (path, feature)
            JOIN customers_customer customer
              ON customer.path >= asked.path COLLATE "C"
             AND customer.path < (asked.path || ':') COLLATE "C"
            JOIN billing_billedfeature billed
              ON billed.customer_id = customer.id AND billed.feature = asked.feature
            WHERE billed.ended_at IS NULL AND customer.deleted_at IS NULL
            GROUP BY 1, 2
            """,
            [list(column) for column in zip(*asked, strict=True)],
        )
        for path, feature, count in cursor.fetchall():
            counts[path][Feature(feature)] = count
    return counts
