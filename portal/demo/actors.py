"""Who does what in the demo's story: people, in their own accounts."""

from __future__ import annotations

from customers.models import Customer, Person
from portal.core.actor import Actor


def first_person(customer: Customer) -> Person:
    people = Person.objects.filter(customer=customer)
    return people.select_related("customer", "role").earliest("pk")


def at_work(person: Person) -> Actor:
    """The person in its own account, with what its role permits."""
    return Actor(
        customer=person.customer,
        person=person,
        permissions=frozenset(person.role.permissions),
        menus=frozenset(person.role.menus),
    )


def staff_of(customer: Customer) -> Actor:
    """Whoever does the customer's business."""
    return at_work(first_person(customer))
