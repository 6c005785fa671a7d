"""The search box: customers, people and telephone numbers in the actor's subtree."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Value
from django.utils.translation import gettext as _

from customers.models import Customer, Number, Person, SortKey
from customers.selectors import matching_names
from portal.core.actor import Actor
from portal.core.urls import account_url
from portal.templatetags.portal import telephone

MINIMUM = 2
TRIGRAM = 3  # what an index of trigrams needs to find something in the middle


def find(query: str, *, actor: Actor, limit: int) -> list[dict[str, Any]]:
    """Groups of at most ``limit`` hits each, as the search list shows them.

    Every hit leads to the customer it is about, since that is where one goes on.
    """
    if len(query) < MINIMUM:
        return []
    groups = [
        (_("Customers"), _customers(query, actor, limit)),
        (_("People"), _people(query, actor, limit)),
        (_("Numbers"), _numbers(query, actor, limit)),
    ]
    return [{"label": label, "hits": hits} for label, hits in groups if hits]


def _customers(query: str, actor: Actor, limit: int) -> list[dict[str, str]]:
    found = (
        _customers_named(query)
        .filter(deleted_at=None)
        .exclude(pk=actor.customer.pk)
        .order_by("sort_key")[:limit]
    )
    return [
        {
            "label": customer.name,
            "detail": _("Account %(number)s") % {"number": customer.account_number},
            "url": _url(actor, customer.pk),
            "icon": "house" if customer.is_residential else "building-2",
        }
        for customer in found
    ]


def _customers_named(query: str) -> QuerySet[Customer]:
    """Two letters match the beginning of a name, which the index by name leads to.

    Account numbers beside it would make the search read that index to the end.
    """
    if len("".join(query.split())) < TRIGRAM:
        return Customer.objects.filter(sort_key__startswith=SortKey(Value(query)))
    return matching_names(Customer.objects.all(), query)


def _people(query: str, actor: Actor, limit: int) -> list[dict[str, str]]:
    if len(query) < TRIGRAM:
        return []
    found = (
        Person.objects.filter(
            search_key__contains=SortKey(Value(query)), is_pseudo=False
        )
        .select_related("customer")
        .order_by("username_key")[:limit]
    )
    return [
        {
            "label": person.display_name,
            "detail": f"{person.username} · {person.customer.name}",
            "url": _person_url(actor, person),
            "icon": "user",
        }
        for person in found
    ]


def _numbers(query: str, actor: Actor, limit: int) -> list[dict[str, str]]:
    digits = "".join(char for char in query if char.isdigit()).lstrip("0")
    if len(digits) < TRIGRAM:
        return []
    found = (
        Number.objects.filter(number__contains=digits)
        .select_related("customer")
        .order_by("number")[:limit]
    )
    return [
        {
            "label": telephone(number.number),
            "detail": number.customer.name,
            "url": _url(actor, number.customer_id)
            if number.customer_id != actor.customer.pk
            else account_url(actor.customer.pk, "customers:number-edit", pk=number.pk),
            "icon": "hash",
        }
        for number in found
    ]


def _url(actor: Actor, customer_id: int) -> str:
    return account_url(actor.customer.pk, "customers:customer-detail", pk=customer_id)


def _person_url(actor: Actor, person: Person) -> str:
    if person.customer_id != actor.customer.pk:
        return account_url(
            actor.customer.pk, "customers:customer-people", pk=person.customer_id
        )
    return account_url(actor.customer.pk, "customers:person-edit", pk=person.pk)
