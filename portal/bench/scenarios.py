"""The pages that are measured, each visited with other rows every time."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import count
from random import Random
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from customers.models import Customer, Number, Person
from customers.services import numbers
from portal.bench.entries import entries_of
from portal.bench.measuring import Scenario, Visit
from portal.core.actor import system_actor
from portal.core.scope import scopes_disabled
from portal.core.tables import PAGE_SIZE
from portal.core.urls import account_url
from rateplans.models import NumberClass, RatePlan

BACKEND = "customers.backends.PersonBackend"
SAMPLE = 2000  # rows that the visits are drawn from
SEED = 7
PRICE_SEEN = re.compile(r'name="price_seen" value="([^"]*)"')
# In Berlin, where no number begins with 11: none of them belongs to anybody.
FIRST_NUMBER = "+493011900{:03d}000"


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    name: str
    sort_key: str
    balance: str


class Reseller:
    """The reseller with the longest list at its browser, and the system owner's staff."""

    def __init__(self, account_id: int, *, repetitions: int) -> None:
        self.random = Random(SEED)
        self.counter = count(1)
        with scopes_disabled():  # a command, run by nobody
            self.account = Customer.objects.get(pk=account_id)
            self.client = _signed_in(Person.objects.filter(customer=self.account))
            root = Person.objects.filter(customer__parent=None, is_active=True)
            self.staff = _signed_in(root)
            self._spread_balances()
            self.rows = self._sample()
            self.frequent = self._frequent()
            self.plans = list(
                RatePlan.objects.filter(owner=self.account).values_list("pk", flat=True)
            )
            self.numbers = self._stock(repetitions + 50)
        _tidy()

    def scenarios(self) -> Iterator[Scenario]:
        """In the order of the report."""
        pages: tuple[tuple[str, Callable[[], Visit]], ...] = (
            ("List: first page", self.first_page),
            ("List: deep page, by name", self.deep_page),
            ("List: filtered", self.filtered),
            ("List: sorted by balance", self.by_balance),
            ("List: deep page, by balance", self.deep_by_balance),
            ("List: all levels", self.all_levels),
            ("List: search as one types, many found", self.narrowed),
            ("List: search by a whole name", self.found),
        )
        for name, make in pages:
            yield Scenario(name, _forever(make), is_list=True)
        yield Scenario("Search box, as one types", _forever(self.searched))
        yield Scenario("Open a customer", _forever(self.opened))
        yield Scenario("Open the form: normal", _forever(self.normal_form))
        yield Scenario("Open the form: residential", _forever(self.residential_form))
        yield Scenario("Create a normal customer", self.created_normal(), status=302)
        yield Scenario(
            "Create a residential customer", self.created_residential(), status=302
        )
        yield Scenario("Django admin: list of customers", _forever(self.admin_list))
        yield Scenario("Django admin: search", _forever(self.admin_search))

    # Lists.

    def first_page(self) -> Visit:
        return self._list()

    def deep_page(self) -> Visit:
        row = self.random.choice(self.rows)
        return self._list(after=_cursor(row.sort_key, row.id))

    def filtered(self) -> Visit:
        choices: list[dict[str, Any]] = [
            {"status": "locked"},
            {"kind": "residential"},
            {"kind": "normal", "status": "active"},
            {"plan": self.random.choice(self.plans)},
            {"bill_type": "prepaid"},
        ]
        return self._list(**self.random.choice(choices))

    def by_balance(self) -> Visit:
        return self._list(sort=self.random.choice(["balance", "-balance"]))

    def deep_by_balance(self) -> Visit:
        row = self.random.choice(self.rows)
        return self._list(sort="balance", after=_cursor(row.balance, row.id))

    def all_levels(self) -> Visit:
        row = self.random.choice(self.rows)
        return self._list(reach="all", after=_cursor(row.sort_key, row.id))

    def narrowed(self) -> Visit:
        return self._part(q=self.random.choice(self.frequent))

    def found(self) -> Visit:
        return self._part(q=self.random.choice(self.rows).name)

    def _list(self, **query: Any) -> partial[Any]:
        return partial(self.client.get, self._url("customers:customer-list"), query)

    def _part(self, **query: Any) -> Visit:
        """As the page asks for it while one types: the table alone."""
        return partial(self._list(**query), headers={"HX-Request": "true"})

    # One customer.

    def searched(self) -> Visit:
        return partial(
            self.client.get,
            self._url("search"),
            {"q": self._typed(least=3)},  # people are looked up from three on
            headers={"HX-Request": "true"},
        )

    def opened(self) -> Visit:
        row = self.random.choice(self.rows)
        return partial(
            self.client.get, self._url("customers:customer-detail", pk=row.id)
        )

    def normal_form(self) -> Visit:
        return partial(self.client.get, self._url("customers:normal-create"))

    def residential_form(self) -> Visit:
        return partial(self.client.get, self._url("customers:residential-create"))

    def created_normal(self) -> Iterator[Visit]:
        url = self._url("customers:normal-create")
        entries = self._entries(url) | {"credit_limit": "100.00"}
        entries |= self._price_seen(entries)
        while True:
            name = f"Bench {self.account.pk} {next(self.counter)}"
            typed = {
                "name": name,
                "email": f"{name.replace(' ', '')}@bench.example",
                "form_token": str(uuid.uuid4()),
            }
            yield partial(self.client.post, url, entries | typed)

    def created_residential(self) -> Iterator[Visit]:
        url = self._url("customers:residential-create")
        entries = self._entries(url) | {"credit_limit": "100.00"}
        for number in self.numbers:
            typed = {
                "number": number.pk,
                "person_first_name": "Bea",
                "person_last_name": "Bench",
                "email": f"{number.number.removeprefix('+')}@bench.example",
                "form_token": str(uuid.uuid4()),
            }
            typed |= self._price_seen(entries | typed)
            yield partial(self.client.post, url, entries | typed)

    # The Django admin, for comparison.

    def admin_list(self) -> Visit:
        url = reverse("admin:customers_customer_changelist")
        return partial(self.staff.get, url)

    def admin_search(self) -> Visit:
        url = reverse("admin:customers_customer_changelist")
        return partial(self.staff.get, url, {"q": self._typed()})

    # What the visits are drawn from.

    def _url(self, name: str, **kwargs: Any) -> str:
        return account_url(self.account.pk, name, **kwargs)

    def _typed(self, *, least: int = 3) -> str:
        """The beginning of some word of a name, ``least`` letters or more.

        No digits: they would be looked up among telephone numbers too, one query more.
        """
        words = (word for row in self.rows for word in row.name.split())
        word = self.random.choice([w for w in words if len(w) > 2 and w.isalpha()])
        return word[: self.random.randint(least, len(word))]

    def _frequent(self) -> list[str]:
        """What many names contain: it fills a page, if there are so many customers.

        Three letters at least, as few letters look at the beginning of a name only.
        """
        keys = [row.sort_key for row in self.rows]
        typed = {word[:3] for key in keys for word in re.findall(r"[a-z]{3,}", key)}
        counts = {text: sum(text in key for key in keys) for text in sorted(typed)}
        enough = min(PAGE_SIZE + 1, max(counts.values()))
        return [text for text, count in counts.items() if count >= enough]

    def _sample(self) -> list[Row]:
        """Rows with others behind them: after the last one a list begins again."""
        rows = (
            Customer.objects.filter(parent=self.account, deleted_at=None)
            .order_by("?")
            .values_list("pk", "name", "sort_key", "account__balance")[:SAMPLE]
        )
        found = [Row(pk, name, key, str(balance)) for pk, name, key, balance in rows]
        last = {
            max(found, key=lambda row: (row.sort_key, row.id)),
            max(found, key=lambda row: (Decimal(row.balance), row.id)),
        }
        return [row for row in found if row not in last]

    def _price_seen(self, entries: dict[str, Any]) -> dict[str, Any]:
        """What the page of a new customer was told it costs, while it was filled in."""
        checks = self.client.post(self._url("customers:warning-check"), entries)
        found = PRICE_SEEN.search(checks.content.decode())
        return {"price_seen": found[1]} if found else {}

    def _entries(self, url: str) -> dict[str, Any]:
        return dict(entries_of(self.client.get(url).content.decode()))

    def _spread_balances(self) -> None:
        """Give everybody another balance, by an entry each, as the ledger demands."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE billing_billingaccount"
                " SET balance = balance + (abs(hashint4(customer_id::int) % 200000)) / 100.0"
                " WHERE abs(hashint4(customer_id::int) % 200000) <> 0"
            )
            cursor.execute(
                "INSERT INTO billing_ledgerentry (account_id, key, kind, amount, net,"
                " is_on_balance, balance_after, description, reference, quantity,"
                " original_currency, feature, person_name, acting_as_name, at, created_at)"
                " SELECT id, 'bench', 'credit', amount, amount, true, balance,"
                " 'Bench', '', 1, '', '', '', '', now(), now()"
                " FROM (SELECT id, balance,"
                "  (abs(hashint4(customer_id::int) % 200000)) / 100.0 AS amount"
                "  FROM billing_billingaccount) moved WHERE amount <> 0"
            )

    def _stock(self, amount: int) -> list[Number]:
        """Free numbers to make residential customers of."""
        begin = FIRST_NUMBER.format(self.account.pk % 1000)
        return numbers.add_numbers(
            customer=self.account,
            numbers=numbers.expand_range(begin, amount),
            number_class=NumberClass.objects.all()[0],
            by=system_actor(self.account),
        )


def _forever(make: Callable[[], Visit]) -> Iterator[Visit]:
    while True:
        yield make()


def _signed_in(people: Any) -> Client:
    client = Client(HTTP_HOST="localhost")
    person = people.select_related("customer", "role").order_by("pk")[0]
    client.force_login(person, backend=BACKEND)
    return client


def _cursor(value: str, pk: int) -> str:
    """As "Next" carries it: the page after the row with this value and id."""
    text = json.dumps([value, pk])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _tidy() -> None:
    """What the database does by itself within minutes; the figures must not see it."""
    if connection.in_atomic_block:
        return  # a test's transaction, in which it cannot be done
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
