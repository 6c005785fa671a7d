"""What the accounts of a run pay on one day: plans, prices and taxes, each read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection

from billing.models import BillingAccount
from billing.pricing import Level, LevelPrice, price_at
from billing.selectors import Rates
from rateplans.choices import Feature, Occurs
from rateplans.models import NumberClass
from rateplans.selectors import effective_plans


class Book:
    """Prices of ``accounts`` for a period that begins on the day ``begin``.

    Every plan of their chains is taken as it is on that day, which is the account's own: a
    price passed through changes on the same day at every level. Used with scopes disabled,
    by a run over all trees, under the locks of ``accounts``, or to look ahead at one.
    """

    def __init__(self, accounts: Sequence[BillingAccount], begin: date) -> None:
        self.rates = Rates(begin)
        self._begin = begin
        self._rows = {account.customer_id: account for account in accounts}
        above = {pk for account in accounts for pk in account.customer.ancestor_ids}
        self._rows |= {
            account.customer_id: account
            for account in BillingAccount.objects.filter(
                customer__in=above - self._rows.keys()
            ).select_related("customer")
        }
        self._charged = {account.pk for account in accounts}
        plan_ids = {account.plan_id for account in self._rows.values()}
        self._plans = effective_plans(plan_ids, on=begin)
        self._levels: dict[int, Level] = {}
        self._prices: dict[tuple[int, Feature, Occurs, int | None], LevelPrice] = {}
        self._classes: dict[int, str] = {}

    def level(self, account: BillingAccount) -> Level:
        found = self._levels.get(account.pk)
        if found is None:
            is_charged = account.pk in self._charged  # of those above, prices are all
            found = self._levels[account.pk] = Level(
                account=account,
                plan=self._plans[account.plan_id],
                today=self._begin,
                taxes=self._taxes(account) if is_charged else (),
                language=self._language(account),
            )
        return found

    def price(
        self,
        account: BillingAccount,
        feature: Feature,
        occurs: Occurs,
        number_class_id: int | None,
    ) -> LevelPrice:
        """As `price_down` has it; what an account above pays is worked out once."""
        key = account.pk, feature, occurs, number_class_id
        found = self._prices.get(key)
        if found is None:
            provider = self._rows.get(account.provider_id)  # None: the system owner
            above = (
                self.price(provider, feature, occurs, number_class_id)
                if provider
                else None
            )
            found = self._prices[key] = price_at(
                self.level(account),
                above,
                feature,
                occurs,
                number_class_id,
                self.rates.convert,
            )
        return found

    def label(self, quantity: int, number_class_id: int | None) -> str:
        """What a line is about besides its feature: "Gold × 3"."""
        if number_class_id and not self._classes:
            self._classes = dict(NumberClass.objects.values_list("pk", "name"))
        name = self._classes[number_class_id] if number_class_id else ""
        times = f"× {quantity}" if quantity > 1 else ""
        return f"{name} {times}".strip()

    def with_customers(
        self, accounts: Iterable[BillingAccount]
    ) -> dict[int, BillingAccount]:
        """Those that have, or had, customers of their own."""
        by_customer = {account.customer_id: account for account in accounts}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM unnest(%s::bigint[]) AS place (id) WHERE EXISTS ("
                " SELECT FROM customers_customer WHERE parent_id = place.id)",
                [list(by_customer)],
            )
            rows = [by_customer[pk] for (pk,) in cursor.fetchall()]
        return {account.pk: account for account in rows}

    def _taxes(self, account: BillingAccount) -> tuple[Any, ...]:
        rows = [liability.tax for liability in account.liabilities.all()]
        return tuple(sorted(rows, key=lambda tax: tax.name))

    def _language(self, account: BillingAccount) -> str:
        for customer_id in (
            account.customer_id,
            *reversed(account.customer.ancestor_ids),
        ):
            row = self._rows.get(customer_id)
            if row is not None and row.customer.language:
                language: str = row.customer.language
                return language
        return settings.LANGUAGE_CODE
