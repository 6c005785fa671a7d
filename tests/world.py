"""The cast every test knows: a small tree, its people, plans and numbers.

Root -> Acme (reseller) -> Beta (reseller) -> Gamma, and Rival beside Acme.
Olga runs the system, Ann works at Acme, Ben at Beta, Gil at Gamma, Eve at Rival; Uli is a
plain user at Acme. Everybody's password is PASSWORD.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.test import Client

from billing.models import BillingAccount, Tax
from customers.choices import CustomerKind
from customers.models import Company, Customer, Number, Person, Role
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, Sharing
from rateplans.models import NumberClass, RatePlan

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class World:
    root: Customer
    acme: Customer
    beta: Customer
    gamma: Customer
    rival: Customer
    olga: Person
    ann: Person
    uli: Person
    ben: Person
    gil: Person
    eve: Person
    root_plan: RatePlan  # owned by root, not shared: Acme and Rival are on it
    shared_plan: RatePlan  # owned by root, shared recursively
    acme_plan: RatePlan  # owned by Acme: Beta is on it
    beta_plan: RatePlan
    rival_plan: RatePlan
    acme_tax: Tax
    numbers: list[Number]  # three free ones of Acme

    def actor(self, person: Person, customer: Customer | None = None) -> Actor:
        """``person`` at work in its own account, or in ``customer`` with its own rights."""
        return Actor(
            customer=customer or person.customer,
            person=person,
            permissions=frozenset(person.role.permissions),
            menus=frozenset(person.role.menus),
            source_ip="192.0.2.1",
        )

    def client(self, person: Person) -> Client:
        """A browser signed in as ``person``."""
        client = Client()
        client.force_login(person, backend="customers.backends.PersonBackend")
        return client


def build_world() -> World:
    """Rows made directly, so that every test begins the same whatever the services do."""
    with scopes_disabled():  # rows of several tenants are laid at once
        if not Role.objects.exists():  # a test that commits leaves every table empty
            import_module("customers.migrations.0003_predefined").create(apps, None)
        return _build()


def _build() -> World:
    roles = {role.name: role for role in Role.objects.all()}
    root = _customer(None, "Trunk Systems", "1")
    root_plan = _plan(root, "Reseller standard")
    shared_plan = _plan(root, "Shared standard", share=Sharing.RECURSIVE)
    acme = _customer(root, "Acme Telecom", "100001", plan=root_plan)
    acme_plan = _plan(acme, "Acme basic", bill_type=BillType.POSTPAID)
    beta = _customer(acme, "Beta Voice", "100001", plan=acme_plan)
    beta_plan = _plan(beta, "Beta basic")
    gamma = _customer(beta, "Gamma Bakery", "100001", plan=beta_plan)
    rival = _customer(root, "Rival Phones", "100002", plan=root_plan)
    rival_plan = _plan(rival, "Rival basic")
    Company.objects.create(
        customer=acme,
        display_name="Acme",
        colour="#7a1fa2",
        service_email="care@acme.test",
    )
    normal = NumberClass.objects.get(name="Normal")
    return World(
        root=root,
        acme=acme,
        beta=beta,
        gamma=gamma,
        rival=rival,
        olga=_person(root, "olga@root.test", "Olga", "Owner", roles["System owner"]),
        ann=_person(acme, "ann@acme.test", "Ann", "Weber", roles["Reseller"]),
        uli=_person(acme, "uli@acme.test", "Uli", "Klein", roles["User"]),
        ben=_person(beta, "ben@beta.test", "Ben", "Braun", roles["Reseller"]),
        gil=_person(gamma, "gil@gamma.test", "Gil", "Garcia", roles["Administrator"]),
        eve=_person(rival, "eve@rival.test", "Eve", "Rival", roles["Reseller"]),
        root_plan=root_plan,
        shared_plan=shared_plan,
        acme_plan=acme_plan,
        beta_plan=beta_plan,
        rival_plan=rival_plan,
        acme_tax=Tax.objects.create(owner=acme, name="VAT", rate=Decimal(19)),
        numbers=[
            Number.objects.create(
                number=f"+4930555010{digit}",
                customer=acme,
                number_class=normal,
                country="DE",
                area="Berlin",
            )
            for digit in range(3)
        ],
    )


def _customer(
    parent: Customer | None,
    name: str,
    account_number: str,
    plan: RatePlan | None = None,
) -> Customer:
    customer = Customer(
        parent=parent,
        kind=CustomerKind.NORMAL,
        name=name,
        account_number=account_number,
        email=f"billing@{name.split()[0].lower()}.test",
        time_zone="Europe/Berlin",
        country="DE",
    )
    customer.path = f"{parent.path if parent else ''}{_next_id()}."
    customer.pk = int(customer.path.split(".")[-2])
    customer.save(force_insert=True)
    if parent is not None and plan is not None:
        BillingAccount.objects.create(
            customer=customer,
            provider=parent,
            plan=plan,
            currency=plan.currency,
            bill_type=plan.bill_type,
        )
    return customer


def _next_id() -> int:
    from customers.services.customers import _next_id as next_id

    return next_id()


def _plan(
    owner: Customer,
    name: str,
    share: Sharing = Sharing.NO,
    bill_type: BillType = BillType.PREPAID,
) -> RatePlan:
    return RatePlan.objects.create(
        owner=owner, name=name, currency="EUR", share=share, bill_type=bill_type
    )


def _person(
    customer: Customer, username: str, first: str, last: str, role: Role
) -> Person:
    return Person.objects.create(
        customer=customer,
        username=username,
        emails=username,
        first_name=first,
        last_name=last,
        role=role,
        password=make_password(PASSWORD),
    )
