"""Switching into customers below, and back (D 7.5, design 3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from customers.audit_labels import describe, missed_changes
from customers.branding import brand_name_below
from customers.choices import RoleDefault
from customers.models import Customer, Person, Role, Switch
from customers.selectors import search_names
from portal.core import audit
from portal.core.actor import Actor
from portal.core.models import AuditEvent
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled


@dataclass(frozen=True, slots=True)
class Reach:
    """What a signed-in person may do in the account a URL names."""

    account: Customer
    actor: Actor
    own: Customer
    person: Person
    switch: Switch | None = None
    open_switches: list[Switch] = field(default_factory=list)
    needs_switch: bool = False

    def brand_name_below(self) -> str:
        """What mails to the customers of the account come from."""
        return brand_name_below(self.account)

    def missed_changes(self, row: Model) -> str:
        """Who saved ``row`` meanwhile, told to this person; for a form that came late."""
        return missed_changes(row, reader=self.own)

    def history(
        self,
        row: Model,
        *,
        related: Mapping[Model, str] | None = None,
        actions: Collection[str] = (),
        count: int = 30,
    ) -> list[dict[str, Any]]:
        """What was done to ``row``, the newest first, for _components/timeline.html.

        Also which of ``actions`` were done to ``related`` rows, with the way to each.
        """
        related = related or {}
        urls = {(each._meta.label_lower, each.pk): url for each, url in related.items()}
        events = audit.recent_changes(
            row, count=count, related=related, actions=actions
        )
        return [
            describe(event, reader=self.own) | _elsewhere(event, urls)
            for event in events
        ]

    def customers_named(self, text: str) -> QuerySet[Customer]:
        """Customers that the search finds by ``text``, for lists of what is theirs."""
        return Customer.objects.filter(search_names(text))


def _elsewhere(event: AuditEvent, urls: Mapping[Any, str]) -> dict[str, Any]:
    """Of what happened to another row: the way there, which tells the rest."""
    url = urls.get((event.object_type, event.object_id))
    return {} if url is None else {"url": url, "changes": []}


def resolve(
    *, person: Person, account_id: int, session_key: str, source_ip: str | None
) -> Reach | None:
    """Who ``person`` is in account ``account_id``; None if it is out of reach.

    Reach is the own account, and everything below it for those who run customers. Below,
    an open switch of this browser session says whom one acts as; without one the answer
    ``needs_switch``.
    """
    own = person.customer
    with scopes_disabled():  # the tenant is being established here
        switches = list(
            Switch.objects.filter(
                person=person,
                session_key=session_key,
                ended_at=None,
                expires_at__gt=timezone.now(),
                customer__deleted_at=None,
            )
            .select_related("customer", "acting_as__role", "acting_as__customer")
            .order_by("customer__path")
        )
        if account_id == own.pk:
            return Reach(
                account=own,
                actor=_actor(person, own, source_ip),
                own=own,
                person=person,
                open_switches=switches,
            )
        if not person.role.has(Permission.COMMERCE):
            return None
        switch = next((s for s in switches if s.customer_id == account_id), None)
        account = (
            switch.customer
            if switch
            else Customer.objects.filter(
                pk=account_id, path__startswith=own.path, deleted_at=None
            ).first()
        )
    if account is None or not account.is_below(own):
        return None
    acting_as = switch.acting_as if switch else None
    return Reach(
        account=account,
        actor=_actor(person, account, source_ip, acting_as),
        own=own,
        person=person,
        switch=switch,
        open_switches=switches,
        needs_switch=switch is None,
    )


def _actor(
    person: Person,
    account: Customer,
    source_ip: str | None,
    acting_as: Person | None = None,
) -> Actor:
    permissions = frozenset(person.role.permissions)
    menus = frozenset(person.role.menus)
    if acting_as is not None:
        # Switching never gives more than the real person has at home (docs/adr/0005).
        permissions &= frozenset(acting_as.role.permissions)
        menus = frozenset(acting_as.role.menus)
    elif account.pk != person.customer_id:
        permissions = menus = frozenset()
    return Actor(
        customer=account,
        person=person,
        permissions=permissions,
        menus=menus,
        acting_as=acting_as,
        source_ip=source_ip,
        own=person.customer,
    )


@transaction.atomic
def open_switch(
    *, customer: Customer, session_key: str, by: Actor, target: Person | None = None
) -> Switch:
    """Enter ``customer`` as its pseudo-person, or as ``target``, one of its people.

    Entering again prolongs the switch. Raises PermissionDenied unless the customer is
    below the real person's own account; being switched into its parent is not enough.
    """
    by.require(Permission.COMMERCE)
    person = by.person
    if not isinstance(person, Person) or not customer.is_below(person.customer):
        raise PermissionDenied
    if not customer.is_within(by.customer) or customer.is_deleted:
        raise PermissionDenied
    if target is not None and (target.customer_id != customer.pk or target.is_pseudo):
        raise PermissionDenied
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    acting_as = target or pseudo_person(customer)
    now = timezone.now()
    with (
        scopes_disabled()
    ):  # an earlier switch may have been opened from another account
        Switch.objects.filter(
            session_key=session_key, customer=customer, ended_at=None
        ).update(ended_at=now)
    switch = Switch.objects.create(
        person=person,
        session_key=session_key,
        customer=customer,
        acting_as=acting_as,
        expires_at=now + timedelta(seconds=settings.SWITCH_TIMEOUT),
    )
    audit.record("switch.opened", acting_as, by=by, customer=customer)
    return switch


@transaction.atomic
def close_switch(*, switch: Switch, by: Actor) -> Switch:
    """Leave the customer, and with it every customer below that was entered."""
    with scopes_disabled():  # those below were opened in other tenants' scopes
        Switch.objects.filter(
            person_id=switch.person_id,
            session_key=switch.session_key,
            customer__path__startswith=switch.customer.path,
            ended_at=None,
        ).update(ended_at=timezone.now())
    audit.record("switch.closed", switch.acting_as, by=by, customer=switch.customer)
    return switch


def pseudo_person(customer: Customer) -> Person:
    """The person "[Customer name]", made when first needed; it cannot sign in itself."""
    role = Role.objects.get(default_for=RoleDefault.PSEUDO)
    username = f"[{customer.name}]"
    person, _created = Person.objects.get_or_create(
        customer=customer,
        is_pseudo=True,
        defaults={"username": username, "role": role, "is_active": False},
    )
    if person.username != username or person.role_id != role.pk:
        person.username, person.role = username, role
        person.save(update_fields=["username", "role"])
    return person
