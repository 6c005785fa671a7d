"""The beginning of everything: the system owner, the one account with none above."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer, Person, Role
from customers.services import people
from customers.services.customers import NewPerson
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.permissions import Permission
from portal.core.scope import scopes_disabled

ACCOUNT_NUMBER = "1"


def system_owner() -> Customer | None:
    """The root of the customer tree; None on a fresh database."""
    with scopes_disabled():  # asked before anybody could sign in
        return Customer.objects.filter(parent=None).first()


@transaction.atomic
def create_system_owner(
    *,
    name: str,
    email: str,
    person: NewPerson,
    time_zone: str = "UTC",
    country: str = "",
    sends_login_details: bool = True,
) -> Person:
    """Make the root customer and its first person, who may do everything.

    Returns that person. Raises ValidationError by field, and if there is a system owner
    already.
    """
    if (owner := system_owner()) is not None:
        raise ValidationError(
            _("There is a system owner already: “%(name)s”."),
            code="present",
            params={"name": owner.name},
        )
    with scopes_disabled():  # there is no tenant yet whose scope this could be
        owner = Customer(
            name=" ".join(name.split()),
            email=email,
            account_number=ACCOUNT_NUMBER,
            time_zone=time_zone,
            country=country,
            path="0.",  # the true one holds the id, which the first save gives
        )
        owner.full_clean(exclude=["path"])
        owner.save(force_insert=True)
        owner.path = f"{owner.pk}."
        owner.save(update_fields=["path"])
        by = system_actor(owner)
        audit.record("customer.created", owner, by=by, customer=owner)
        return people.create_person(
            customer=owner,
            values={
                "username": person.username,
                "first_name": person.first_name,
                "last_name": person.last_name,
                "emails": person.emails or email,
                "role": person.role or _owner_role(),
            },
            by=by,
            sends_login_details=sends_login_details,
        )


def _owner_role() -> Role:
    """A role that opens the system, known by its permission: names can be changed."""
    return Role.objects.filter(
        permissions__contains=[Permission.SYSTEM], may_login=True
    ).order_by("pk")[0]
