"""The accounts, plans and features that charging is measured with, laid in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from billing.models import BilledFeature, BillingAccount, Charge
from customers.models import Customer
from customers.services.installation import system_owner
from portal.core.actor import Actor, system_actor
from rateplans.choices import BillType, Feature, Occurs
from rateplans.models import PlanPrice, RatePlan

ACCOUNTS = 1000
LEVELS = 4
PLANS = 6
FEES = (Feature.ACCOUNT, Feature.LINE, Feature.MAILBOX)
ENOUGH = Decimal(1_000_000)
NEVER = date(2999, 1, 1)


@dataclass(frozen=True)
class Books:
    """What `lay_books` made; ids of accounts and plans."""

    root: Customer
    reseller: Customer
    actor: Actor
    many: list[int]
    chain: list[int]  # from the top down
    plans: list[int]  # each inherits from the one before


def lay_books() -> Books:
    """A chain of resellers with a thousand customers, all with credit enough."""
    root = system_owner()
    assert root is not None
    # What the crowd owes is not measured here.
    BillingAccount.objects.update(billed_until=NEVER)
    Charge.objects.update(ended_at=timezone.now())
    plans = _plans(root)
    above, chain = root, []
    for level in range(LEVELS):
        [above] = _customers(above, 1, f"Bench level {level}", plans[0])
        chain.append(above)
    reseller = chain[0]
    many = _customers(reseller, ACCOUNTS, "Bench client", plans[0])
    for plan in plans[:1]:
        PlanPrice.objects.bulk_create(
            PlanPrice(
                plan=plan,
                feature=feature,
                occurs=Occurs.RECURRING,
                amount=Decimal("9.90"),
                valid=DateRange(date(2020, 1, 1), None),
            )
            for feature in FEES
        )
    return Books(
        root=root,
        reseller=reseller,
        actor=system_actor(root),
        many=_account_ids(many),
        chain=_account_ids(chain),
        plans=[plan.pk for plan in plans],
    )


def lay_due_accounts(
    books: Books, size: int, *, until: date, bill_type: BillType = BillType.PREPAID
) -> None:
    """``size`` customers with three features each, charged until the day ``until``.

    Nothing of theirs is invoiced yet: of the month before, if their type has invoices.
    """
    BillingAccount.objects.filter(billed_until__lt=NEVER).update(billed_until=NEVER)
    plan = RatePlan.objects.get(pk=books.plans[-1])
    name = f"Bench due {until}"
    made = _customers(
        books.reseller, size, name, plan, until=until, bill_type=bill_type
    )
    BilledFeature.objects.bulk_create(
        (
            BilledFeature(
                customer=customer,
                feature=feature,
                object_id=customer.pk,
                label=customer.name,
                started_at=timezone.now(),
            )
            for customer in made
            for feature in FEES
        ),
        batch_size=5000,
    )


def _plans(root: Customer) -> list[RatePlan]:
    made: list[RatePlan] = []
    for level in range(PLANS):
        base = made[-1] if made else None
        name = f"Bench plan {level}"
        plan = RatePlan(owner=root, name=name, currency="EUR", base=base)
        plan.save()
        made.append(plan)
    return made


def _customers(
    parent: Customer,
    size: int,
    name: str,
    plan: RatePlan,
    until: date = NEVER,
    bill_type: BillType = BillType.PREPAID,
) -> list[Customer]:
    begun = until - relativedelta(months=1)
    made = [
        Customer(
            pk=pk,
            parent=parent,
            path=f"{parent.path}{pk}.",
            name=f"{name} {pk}",
            account_number=f"B{pk}",
            email="bench@bench.example",
            address1="Bench street 1",
            address_code="10115",
            address_city="Berlin",
            country="DE",
            time_zone=parent.time_zone,
        )
        for pk in _ids(size)
    ]
    Customer.objects.bulk_create(made, batch_size=5000)
    BillingAccount.objects.bulk_create(
        (
            BillingAccount(
                customer=customer,
                provider=parent,
                plan=plan,
                currency="EUR",
                bill_type=bill_type,
                credit_limit=ENOUGH,
                fees_from=date(2020, 1, 1),
                billed_until=until,
                billed_from=begun,
                invoiced_until=begun,
            )
            for customer in made
        ),
        batch_size=5000,
    )
    return made


def _ids(size: int) -> list[int]:
    """Known beforehand, because paths contain them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('customers_customer', 'id'))"
            " FROM generate_series(1, %s)",
            [size],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _account_ids(customers: list[Customer]) -> list[int]:
    rows = BillingAccount.objects.filter(customer__in=customers).order_by("pk")
    return list(rows.values_list("pk", flat=True))
