"""What the demo's resellers sell beside telephony, and what they bill on top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.choices import ChargePeriod, ProductPeriod, ProductReach, ProductType
from billing.models import BillingAccount, Charge, Product, Tax
from billing.services.purchases import purchase
from customers.models import Customer
from portal.core.actor import system_actor
from rateplans.models import RatePlan


@dataclass(frozen=True, slots=True)
class Ware:
    """A product: its price once and, with a period, its price each time."""

    owner: str
    name: str
    once: str = "0"
    cost: str = "0"
    period: str = ""
    again: str = "0"
    minutes: int = 0
    calls: int = 0  # at once
    information: str = ""
    reach: str = ProductReach.DIRECT


WARES = (
    Ware(
        "Trunk Systems",
        "Number porting",
        once="25",
        cost="9",
        information="One number, from any German network; takes about five days.",
        reach=ProductReach.RECURSIVE,
    ),
    Ware(
        "Nordwind Telekom",
        "Desk telephone T42",
        once="89",
        cost="61.50",
        information="Set up for your account and sent by parcel within two days.",
    ),
    Ware(
        "Nordwind Telekom",
        "Router with support",
        once="19",
        cost="12",
        period=ProductPeriod.MONTHLY,
        again="6.90",
        information="Rented, replaced the next day if it fails.",
    ),
    Ware("Nordwind Telekom", "300 minutes to mobiles", once="19.90", minutes=300),
    Ware(
        "Nordwind Telekom",
        "10 more calls at once",
        period=ProductPeriod.MONTHLY,
        again="8",
        calls=10,
        information="For busy days: callers get through, and you still get out.",
    ),
    Ware("Harbour Voice", "Conference telephone", once="240", cost="171"),
)

# (customer, name, price, cost, period) and (plan, ...).
CUSTOMER_CHARGES = (
    ("Bäckerei Morgenrot", "Managed router", "9.90", "4.20", ChargePeriod.MONTHLY),
    ("Hotel Alsterblick", "Lobby telephones, rental", "36", "18", ChargePeriod.MONTHLY),
    ("Reederei Jansen & Co.", "Ship-to-shore link", "49", "30", ChargePeriod.MONTHLY),
)
BUYER, BOUGHT = "Steuerkanzlei Brandt & Partner", "10 more calls at once"
PLAN_CHARGES = (("Trade", "Priority support", "3.50", "0", ChargePeriod.MONTHLY),)


def open_shop(first: date) -> None:
    """Put products on offer, and charges that are due from the day ``first`` on."""
    for ware in WARES:
        _offer(ware)
    for name, *charge in CUSTOMER_CHARGES:
        account = BillingAccount.objects.get(customer__name=name)
        # As its fees: from the first whole month that it is a customer.
        begin = max(first, account.billed_until)
        _add(Charge(account=account, owner=account.provider), begin, *charge)
    for name, *charge in PLAN_CHARGES:
        plan = RatePlan.objects.get(name=name)
        _add(Charge(plan=plan, owner=plan.owner), first, *charge)


def _offer(ware: Ware) -> None:
    owner = Customer.objects.get(name=ware.owner)
    product = Product(
        owner=owner,
        name=ware.name,
        type=_type_of(ware),
        amount=ware.calls or ware.minutes * 60,
        information=ware.information,
        create_fee=Decimal(ware.once),
        create_buy=Decimal(ware.cost),
        period=ware.period,
        period_fee=Decimal(ware.again),
        currency=_currency_of(owner),
        reach=ware.reach,
    )
    product.full_clean()
    product.save(force_insert=True)
    product.taxes.set(_taxes_of(owner))


def _type_of(ware: Ware) -> ProductType:
    if ware.calls:
        return ProductType.CALLS_IN_OUT
    return ProductType.CALL_TIME if ware.minutes else ProductType.PRODUCT


def buy_calls() -> None:
    """Somebody with a tight limit has bought calls at once, today."""
    customer = Customer.objects.get(name=BUYER)
    purchase(
        customer=customer,
        product=Product.objects.get(name=BOUGHT),
        quantity=1,
        by=system_actor(customer),
    )


def _add(
    charge: Charge, first: date, name: str, amount: str, buy: str, period: str
) -> None:
    charge.name, charge.period = name, period
    charge.amount, charge.buy = Decimal(amount), Decimal(buy)
    charge.currency = _currency_of(charge.owner)
    charge.starts_on = charge.next_on = first
    charge.full_clean()
    charge.save(force_insert=True)
    charge.taxes.set(_taxes_of(charge.owner))


def _currency_of(owner: Customer) -> str:
    """The one its plans are in."""
    plan = RatePlan.objects.filter(owner=owner).earliest("pk")
    return plan.currency


def _taxes_of(owner: Customer) -> list[Tax]:
    return list(Tax.objects.filter(owner=owner, applies_charges=True))
