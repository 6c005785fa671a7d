"""Makes the demo's world: `cast` told through the services, as people would do it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from billing.models import Seller, Tax
from customers.choices import Lock
from customers.models import (
    Company,
    Customer,
    DialPlan,
    Mailbox,
    Note,
    Number,
    Person,
    Region,
    Role,
    TelephoneLine,
)
from customers.selectors import free_numbers
from customers.services import (
    customers,
    installation,
    lines,
    locks,
    mailboxes,
    notes,
    numbers,
    people,
    residential,
    tree,
)
from customers.services.customers import NewPerson
from portal.core.actor import Actor, system_actor
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail
from portal.core.scope import scopes_disabled
from portal.demo import cast, guard, parties
from portal.demo.actors import at_work, staff_of
from portal.demo.business import open_business
from portal.demo.logins import PASSWORD, USERNAMES
from portal.demo.specs import Business, Reseller, Resident, Staff, Stock, TaxSpec
from rateplans.models import NumberClass, RatePlan
from rateplans.selectors import assignable_plans

YEARS = timedelta(days=2 * 365)


def build_world() -> bool:
    """Make the small demo world on a fresh database; False if it is there already.

    Raises ForeignOwnerError on a database that is somebody's.
    """
    with transaction.atomic(), scopes_disabled():  # every tenant is made here
        guard.let_one_in()
        if guard.demo_owner() is not None:
            return False
        _Builder().build()
    return True


class _Builder:
    """Goes through the cast from the top down, while its calendar goes on to today."""

    def __init__(self) -> None:
        self.roles = {role.name: role for role in Role.objects.all()}
        self.calendar = _Calendar(steps=_count_accounts(cast.RESELLERS))

    def build(self) -> None:
        self._furnish()
        owner = installation.create_system_owner(
            name=cast.SYSTEM_OWNER,
            email=cast.SYSTEM_OWNER_EMAIL,
            person=_new_person(cast.OWNER),
            time_zone="Europe/Berlin",
            country="DE",
            sends_login_details=False,
        )
        root = owner.customer
        Customer.objects.filter(pk=root.pk).update(**cast.SYSTEM_OWNER_ADDRESS)
        guard.mark_as_demo(root)
        by = at_work(owner)
        self._staff(root, cast.OWNER_STAFF, by)
        _company(root, cast.OWNER_COMPANY)
        _seller(root)
        _price_lists(root, cast.OWNER_PLANS, cast.OWNER_TAXES)
        self._stock(root, cast.OWNER_STOCK, by)
        self.calendar.turn(root)
        for made in _in_turns(
            self._reseller(root, each, by) for each in cast.RESELLERS
        ):
            self.calendar.turn(made)
        for person in Person.objects.filter(username__in=USERNAMES):
            people.set_password(
                person=person, password=PASSWORD, by=system_actor(person.customer)
            )
        open_business()
        # Nobody reads mail at .example: with a mail server set up it must not go there.
        OutgoingEmail.objects.update(status=EmailStatus.KEPT)

    def _furnish(self) -> None:
        """What the system owner sets up once for everybody."""
        for name, description in cast.REGIONS:
            _save(Region(name=name, description=description))
        for name, description in cast.DIAL_PLANS:
            _save(DialPlan(name=name, description=description))
        for name, description, rank in cast.NUMBER_CLASSES:
            _save(NumberClass(name=name, description=description, rank=rank))

    def _reseller(
        self, parent: Customer, spec: Reseller, by: Actor
    ) -> Iterator[Customer]:
        """The reseller, then whoever comes to it over the years, one at a time."""
        account = self._business(
            parent,
            spec.business,
            by,
            {"country": spec.country, "time_zone": spec.time_zone},
        )
        if spec.company:
            _company(account, spec.company)
        _seller(account)
        _price_lists(account, spec.plans, spec.taxes)
        staff = staff_of(account)
        self._stock(account, spec.stock, staff)
        self._equip(account, spec.business, staff)
        yield account
        yield from _in_turns(
            [
                self._customers(account, spec, staff),
                *(self._reseller(account, each, staff) for each in spec.resellers),
            ]
        )

    def _customers(
        self, account: Customer, spec: Reseller, staff: Actor
    ) -> Iterator[Customer]:
        for below in spec.customers:
            if isinstance(below, Resident):
                yield self._resident(account, below, staff)
            else:
                made = self._business(account, below, staff)
                self._equip_own(made, below)
                yield made

    def _business(
        self,
        parent: Customer,
        spec: Business,
        by: Actor,
        values: dict[str, Any] | None = None,
    ) -> Customer:
        first = spec.people[0] if spec.people else None
        buyer = parties.BUYERS.get(spec.name, {})
        customer = customers.create_normal(
            parent=parent,
            values={
                "name": spec.name,
                "email": spec.email,
                "address1": spec.street,
                "address_code": spec.place[0],
                "address_city": spec.place[1],
                **(values or {}),
                **spec.values,
            },
            account={
                "plan": _plan(parent, spec.plan),
                "credit_limit": spec.credit,
                **buyer,
                **spec.account,
            },
            taxes=_taxes_without_vat(parent) if "vat_treatment" in buyer else None,
            by=by,
            administrator=_new_person(first, self.roles[first.role]) if first else None,
        )
        self._staff(customer, spec.people[1:], by)
        if spec.note:
            subject, body = spec.note
            notes.write_note(customer=customer, subject=subject, body=body, by=by)
        if spec.lock != Lock.NONE:
            locks.set_lock(
                customer=customer, lock=spec.lock, reason=spec.lock_reason, by=by
            )
        if spec.is_deleted:
            tree.delete_customer(customer=customer, by=by)
        return customer

    def _resident(self, parent: Customer, spec: Resident, by: Actor) -> Customer:
        number = free_numbers(parent).filter(number_class__name="Normal").first()
        assert number is not None
        return residential.create_residential(
            parent=parent,
            number=number,
            person=NewPerson(
                username=spec.username,
                first_name=spec.first_name,
                last_name=spec.last_name,
            ),
            values={
                "email": spec.email,
                "address1": spec.street,
                "address_code": spec.place[0],
                "address_city": spec.place[1],
            },
            account={"plan": _plan(parent, spec.plan)},
            by=by,
        ).customer

    def _staff(self, customer: Customer, staff: tuple[Staff, ...], by: Actor) -> None:
        for spec in staff:
            people.create_person(
                customer=customer,
                values={
                    "username": spec.login,
                    "first_name": spec.first_name,
                    "last_name": spec.last_name,
                    "emails": spec.email,
                    "role": self.roles[spec.role],
                    **spec.values,
                },
                by=by,
                sends_login_details=False,
            )

    def _stock(self, holder: Customer, stock: tuple[Stock, ...], by: Actor) -> None:
        classes = {each.name: each for each in NumberClass.objects.all()}
        for spec in stock:
            numbers.add_numbers(
                customer=holder,
                numbers=numbers.expand_range(spec.first, spec.count),
                number_class=classes[spec.number_class],
                by=by,
            )

    def _equip_own(self, customer: Customer, spec: Business) -> None:
        """As `_equip`, done by the customer's own administrator."""
        if spec.telephones or spec.numbers:
            self._equip(customer, spec, staff_of(customer))

    def _equip(self, customer: Customer, spec: Business, by: Actor) -> None:
        """Mailbox, lines with extensions, and numbers that ring at them in turn."""
        mailbox = None
        if spec.mailbox:
            mailbox, _pin = mailboxes.create_mailbox(
                customer=customer,
                values={
                    "name": spec.mailbox,
                    "box_number": "80",
                    "emails": spec.email,
                },
                by=by,
            )
        made = [
            lines.create_line(
                customer=customer,
                values={
                    "name": name,
                    "username": lines.propose_username(customer),
                    "extension": str(11 + place),
                    "mailbox": mailbox,
                },
                by=by,
            )[0]
            for place, name in enumerate(spec.telephones)
        ]
        for place, number in enumerate(self._numbers_for(customer, spec.numbers)):
            values = {
                # One number more than there are lines stays free, for whoever tries.
                "line": made[place] if place < len(made) else None,
                "description": made[place].name if place < len(made) else "",
            }
            if number.customer_id == customer.pk:
                numbers.update_number(number=number, values=values, by=by)
            else:
                numbers.take_number(
                    number=number, customer=customer, by=by, values=values
                )

    def _numbers_for(self, customer: Customer, count: int) -> list[Number]:
        """Free numbers to use: its own if it has a stock, else its provider's."""
        for holder in (customer, customer.parent):
            assert holder is not None
            found = free_numbers(holder).filter(number_class__name="Normal")[:count]
            if len(found) == count:
                return list(found)
        raise LookupError(f"{customer}: no {count} numbers are left")


class _Calendar:
    """Dates what was made at each turn, so that the world looks two years old."""

    def __init__(self, steps: int) -> None:
        self.today = timezone.now() - timedelta(hours=3)
        self.step = YEARS / steps
        self.date = self.today - YEARS
        self.last_event = 0

    def turn(self, account: Customer) -> None:
        """Date the account, what it owns and what was logged, and go on."""
        at = min(self._office_hours(self.date), self.today)
        AuditEvent.objects.filter(pk__gt=self.last_event).update(at=at)
        self.last_event = AuditEvent.objects.latest("pk").pk
        Customer.objects.filter(pk=account.pk).update(created_at=at)
        Customer.objects.filter(pk=account.pk, deleted_at__isnull=False).update(
            deleted_at=at + (self.today - at) / 2
        )
        owned: tuple[type[models.Model], ...] = (
            Person,
            TelephoneLine,
            Mailbox,
            Number,
            OutgoingEmail,
        )
        for model in owned:
            model._default_manager.filter(customer=account).update(created_at=at)
        Note.objects.filter(customer=account).update(created_at=at, changed_at=at)
        self.date += self.step

    def _office_hours(self, moment: datetime) -> datetime:
        """The same day, or the next working day, at some time from eight to four."""
        moment += timedelta(days=max(0, moment.weekday() - 4) and 7 - moment.weekday())
        minutes = moment.day * 17 % 480
        return moment.replace(hour=8 + minutes // 60, minute=minutes % 60, second=0)


def _in_turns(streams: Iterable[Iterator[Customer]]) -> Iterator[Customer]:
    """One of each, again and again: all resellers win customers all the time."""
    waiting = deque(streams)
    while waiting:
        stream = waiting.popleft()
        made = next(stream, None)
        if made is not None:
            yield made
            waiting.append(stream)


def _count_accounts(resellers: tuple[Reseller, ...]) -> int:
    return sum(
        1 + len(each.customers) + _count_accounts(each.resellers) for each in resellers
    )


def _price_lists(
    owner: Customer, plans: tuple[Any, ...], taxes: tuple[TaxSpec, ...]
) -> None:
    for values in plans:
        _save(RatePlan(owner=owner, **values))
    for tax in taxes:
        _save(
            Tax(
                owner=owner,
                name=tax.name,
                rate=Decimal(tax.rate),
                amount=Decimal(tax.amount),
                is_vat=tax.is_vat,
                **tax.values,
            )
        )


def _taxes_without_vat(parent: Customer) -> list[Tax]:
    return list(Tax.objects.filter(owner=parent, is_vat=False))


def _seller(account: Customer) -> None:
    if values := parties.SELLERS.get(account.name):
        _save(Seller(customer=account, **values))


def _company(account: Customer, values: Any) -> None:
    _save(Company(customer=account, **values))


def _save(row: models.Model) -> None:
    row.full_clean()
    row.save(force_insert=True)


def _plan(parent: Customer, name: str) -> RatePlan:
    """The plan of this name that ``parent`` may put customers on."""
    plans = assignable_plans(owner_id=parent.pk, ancestor_ids=parent.ancestor_ids)
    return plans.get(name=name)


def _new_person(staff: Staff, role: Role | None = None) -> NewPerson:
    return NewPerson(
        username=staff.login,
        first_name=staff.first_name,
        last_name=staff.last_name,
        emails=staff.email,
        role=role,
    )
