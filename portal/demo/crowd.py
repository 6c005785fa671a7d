"""Any number of customers, loaded in bulk: for measuring, and to see long lists.

The tree is five deep. One reseller, whose login is "big", has 60 % of all customers
directly below it; the others are spread over chains of resellers. Every rule of the
models must be kept here, since nothing of this passes through the services.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count as count_up
from itertools import islice
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from billing.models import BilledFeature, BillingAccount, LedgerEntry, Tax, TaxLiability
from customers.choices import CustomerKind, Lock, RoleDefault
from customers.models import Customer, Mailbox, Number, Person, Role, TelephoneLine
from customers.selectors import default_role, username_is_taken
from portal.core import secrets
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled
from portal.demo import building, crowd_books, guard
from portal.demo.copying import Rows, analyze, reserve_ids
from portal.demo.logins import BIG, PASSWORD
from portal.demo.names import Names
from rateplans.choices import BillType
from rateplans.models import NumberClass, RatePlan

MINIMUM = 10
# Percentages.
BELOW_BIG = 60
RESIDENTIAL = 30
WITH_PERSON = 40  # of the normal ones
DELETED = 2
LOCKED = 2
FREE_NUMBERS = 20  # as many as this share of all customers
CLASS_WEIGHTS = (80, 10, 7, 3)  # of free numbers, from the lowest class up
CURRENCY = "EUR"
YEARS = timedelta(days=3 * 365)
CREDIT_LIMITS = tuple(map(Decimal, (0, 0, 0, 50, 100, 100, 200, 250, 500, 1000)))
UNUSABLE = make_password(None)


@dataclass(slots=True)
class Account:
    """A place in the tree, before it is a row."""

    id: int
    parent: Account | None
    path: str
    is_reseller: bool = False
    name: str = ""
    number_id: int = 0  # of the telephone number a residential customer consists of
    created_at: datetime | None = None
    last_number: int = 100_000  # the account number its newest customer was given
    # Ids of what it sells to its customers.
    postpaid: int = 0
    prepaid: int = 0
    tax: int = 0

    @property
    def is_residential(self) -> bool:
        return bool(self.number_id)


def load_crowd(*, count: int, seed: int) -> int:
    """Add ``count`` customers, at least `MINIMUM`; before the first the small world.

    Returns the id of the big reseller. Raises ForeignOwnerError on a database that is
    somebody's.
    """
    if count < MINIMUM:
        raise ValueError(f"A tree of five levels needs at least {MINIMUM} customers.")
    building.build_world()
    with transaction.atomic(), scopes_disabled():  # every tenant is made here
        guard.let_one_in()
        owner = guard.demo_owner()
        assert owner is not None
        crowd = _Crowd(owner, count, Random(seed))
        crowd.load()
    analyze(
        [
            Customer,
            BillingAccount,
            BilledFeature,
            LedgerEntry,
            Person,
            Number,
            TelephoneLine,
            Mailbox,
        ]
    )
    return crowd.resellers[0].id


class _Crowd:
    """Draws the whole tree first, then writes it table by table."""

    def __init__(self, owner: Customer, count: int, random: Random) -> None:
        self.random = random
        self.names = Names(random)
        self.count = count
        self.now = timezone.now()
        self.root = self._root_account(owner)
        ids = iter(reserve_ids(Customer, count))
        self.resellers = list(self._plant_resellers(islice(ids, max(3, count // 100))))
        self.leaves = list(self._plant_leaves(ids))
        self.residents = [leaf for leaf in self.leaves if self._chance(RESIDENTIAL)]
        for leaf, number_id in zip(
            self.residents, reserve_ids(Number, len(self.residents)), strict=True
        ):
            leaf.number_id = number_id
            leaf.name, _area = self.names.telephone(number_id)

    def load(self) -> None:
        self._load_price_lists()
        self._load_customers()
        self._load_accounts()
        self._load_people()
        self._load_stock()
        self._load_telephony()
        plans = ((each.postpaid, each.prepaid) for each in self.resellers)
        crowd_books.price_plans([pk for pair in plans for pk in pair])
        everybody = [account.id for account in (*self.resellers, *self.leaves)]
        crowd_books.open_books(everybody, timezone.localdate())

    # The tree.

    def _root_account(self, owner: Customer) -> Account:
        """The root as it is, with a plan for the resellers below it."""
        plan, _created = RatePlan.objects.get_or_create(
            owner=owner,
            name="Carrier Euro",
            defaults={"currency": CURRENCY, "bill_type": BillType.POSTPAID},
        )
        root = Account(owner.pk, None, owner.path, last_number=owner.account_counter)
        root.postpaid = root.prepaid = plan.pk
        return root

    def _plant_resellers(self, ids: Iterator[int]) -> Iterator[Account]:
        """The big one first; chains of three below one another, the root above each."""
        above = [self.root]
        for pk in ids:
            if len(above) > 3:
                above = [self.root]
            account = self._plant(pk, above[-1])
            account.is_reseller = True
            account.name = self.names.reseller(pk)
            above.append(account)
            yield account

    def _plant_leaves(self, ids: Iterator[int]) -> Iterator[Account]:
        """Ordinary customers; the lowest reseller gets one before chance decides."""
        below_big = self.count * BELOW_BIG // 100
        big, *others = self.resellers
        for place, pk in enumerate(ids):
            if place < below_big:
                parent = big
            elif place == below_big:
                parent = others[1]
            else:
                parent = self.random.choice(others)
            account = self._plant(pk, parent)
            account.name = self.names.business(pk)
            yield account

    def _plant(self, pk: int, parent: Account) -> Account:
        age = timedelta(seconds=self.random.randrange(int(YEARS.total_seconds())))
        return Account(pk, parent, f"{parent.path}{pk}.", created_at=self.now - age)

    def _chance(self, percentage: int) -> bool:
        return self.random.randrange(100) < percentage

    # The tables.

    def _load_price_lists(self) -> None:
        """Two plans and a tax for each reseller."""
        plans = Rows(
            RatePlan, ("id", "owner_id", "name", "bill_type"), currency=CURRENCY
        )
        taxes = Rows(Tax, ("id", "owner_id"), name="VAT 19 %", rate=Decimal(19))
        plan_ids = iter(reserve_ids(RatePlan, 2 * len(self.resellers)))
        tax_ids = reserve_ids(Tax, len(self.resellers))
        for account, tax_id in zip(self.resellers, tax_ids, strict=True):
            account.postpaid, account.prepaid = next(plan_ids), next(plan_ids)
            account.tax = tax_id
            plans.add(account.postpaid, account.id, "Standard", BillType.POSTPAID)
            plans.add(account.prepaid, account.id, "Basic", BillType.PREPAID)
            taxes.add(tax_id, account.id)
        plans.load()
        taxes.load()

    def _load_customers(self) -> None:
        rows = Rows(
            Customer,
            (
                *("id", "parent_id", "path", "kind", "name", "account_number"),
                *("account_counter", "lock", "lock_reason", "created_at", "deleted_at"),
                *("address1", "address_code", "address_city", "email"),
            ),
            time_zone="Europe/Berlin",
            country="DE",
        )
        taken = set(
            Customer.objects.filter(parent=self.root.id).values_list(
                "account_number", flat=True
            )
        )
        numbered = [
            (account, self._next_account_number(account.parent, taken))
            for account in (*self.resellers, *self.leaves)
        ]
        for account, number in numbered:
            is_locked = not account.is_reseller and self._chance(LOCKED)
            is_deleted = (
                not account.is_reseller
                and not account.is_residential
                and self._chance(DELETED)
            )
            rows.add(
                *(account.id, account.parent and account.parent.id, account.path),
                CustomerKind.RESIDENTIAL
                if account.is_residential
                else CustomerKind.NORMAL,
                *(account.name, number, account.last_number),
                Lock.BOTH if is_locked else Lock.NONE,
                "Invoices are overdue." if is_locked else "",
                *(account.created_at, self.now if is_deleted else None),
                *self.names.address(),
                f"office{account.id}@customer.example",
            )
        rows.load()
        Customer.objects.filter(pk=self.root.id).update(
            account_counter=self.root.last_number
        )

    def _next_account_number(self, parent: Account | None, taken: set[str]) -> str:
        """Count the parent on; below the root, past numbers given by hand."""
        assert parent is not None
        candidates = count_up(parent.last_number + 1)
        is_root = parent is self.root
        parent.last_number = next(
            each for each in candidates if not is_root or str(each) not in taken
        )
        return str(parent.last_number)

    def _load_accounts(self) -> None:
        accounts = Rows(
            BillingAccount,
            (
                "id",
                "customer_id",
                "provider_id",
                "plan_id",
                "credit_limit",
                "bill_type",
            ),
            currency=CURRENCY,
        )
        liabilities = Rows(TaxLiability, ("account_id", "tax_id"))
        everybody = (*self.resellers, *self.leaves)
        ids = reserve_ids(BillingAccount, len(everybody))
        for account, pk in zip(everybody, ids, strict=True):
            provider = account.parent
            assert provider is not None
            is_prepaid = account.is_residential and provider is not self.root
            accounts.add(
                *(pk, account.id, provider.id),
                provider.prepaid if is_prepaid else provider.postpaid,
                Decimal(0) if is_prepaid else self.random.choice(CREDIT_LIMITS),
                BillType.PREPAID if is_prepaid else BillType.POSTPAID,
            )
            if provider.tax:
                liabilities.add(pk, provider.tax)
        accounts.load()
        liabilities.load()

    def _load_people(self) -> None:
        """One for each reseller and resident, and for some of the others."""
        rows = Rows(
            Person,
            (
                *("customer_id", "username", "emails", "first_name", "last_name"),
                *("role_id", "password"),
            ),
        )
        administrator = default_role(RoleDefault.FIRST_PERSON).pk
        resident = default_role(RoleDefault.RESIDENTIAL).pk
        reseller = _reseller_role().pk
        for account in self.resellers:
            email = f"staff{account.id}@reseller.example"
            rows.add(account.id, email, email, *self.names.person(), reseller, UNUSABLE)
        for account in self.leaves:
            email = f"person{account.id}@customer.example"
            if account.is_residential:
                username, role = account.name, resident
            elif self._chance(WITH_PERSON):
                username, role = email, administrator
            else:
                continue
            rows.add(account.id, username, email, *self.names.person(), role, UNUSABLE)
        rows.load()
        self._give_login(self.resellers[0])

    def _give_login(self, big: Account) -> None:
        """Let people see the longest list, unless an earlier crowd gave that login."""
        if not username_is_taken(BIG):
            Person.objects.filter(customer=big.id).update(
                username=BIG, password=make_password(PASSWORD)
            )

    def _load_stock(self) -> None:
        """Numbers that resellers keep free, most of them with the big one."""
        rows = Rows(
            Number,
            ("id", "number", "area", "customer_id", "number_class_id"),
            country="DE",
        )
        big, *others = self.resellers
        classes = list(NumberClass.objects.values_list("pk", flat=True))
        weights = CLASS_WEIGHTS[: len(classes)]
        for pk in reserve_ids(Number, self.count * FREE_NUMBERS // 100):
            holder = big if self._chance(BELOW_BIG) else self.random.choice(others)
            [number_class] = self.random.choices(classes[: len(weights)], weights)
            rows.add(pk, *self.names.telephone(pk), holder.id, number_class)
        rows.load()

    def _load_telephony(self) -> None:
        """Number, line and mailbox of each residential customer (D 2.2)."""
        # Nobody telephones here: one password that nobody knows does for all.
        password = secrets.encrypt(secrets.random_password())
        mailboxes = Rows(
            Mailbox, ("id", "customer_id", "name", "box_number"), pin=UNUSABLE
        )
        lines = Rows(
            TelephoneLine,
            ("id", "customer_id", "name", "username", "callerid", "mailbox_id"),
            password=password,
        )
        numbers = Rows(
            Number,
            ("id", "number", "area", "customer_id", "line_id", "mailbox_id"),
            country="DE",
            number_class=NumberClass.objects.first(),
        )
        mailbox_ids = reserve_ids(Mailbox, len(self.residents))
        line_ids = reserve_ids(TelephoneLine, len(self.residents))
        for account, box, line in zip(
            self.residents, mailbox_ids, line_ids, strict=True
        ):
            number, area = self.names.telephone(account.number_id)
            digits = number.removeprefix("+")
            mailboxes.add(box, account.id, number, digits)
            lines.add(line, account.id, number, digits, number, box)
            numbers.add(account.number_id, number, area, account.id, line, box)
        mailboxes.load()
        lines.load()
        numbers.load()


def _reseller_role() -> Role:
    """A role to run customers with, but not the system; known by its permissions."""
    roles = Role.objects.filter(permissions__contains=[Permission.COMMERCE])
    return roles.exclude(permissions__contains=[Permission.SYSTEM]).earliest("pk")
