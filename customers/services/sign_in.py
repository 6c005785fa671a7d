"""What signing in leaves behind: who came, and how often it failed."""

from __future__ import annotations

from axes.utils import reset as reset_lockouts
from django.db import transaction
from django.db.models import F, Value

from customers.models import NameKey, Person
from portal.core import audit
from portal.core.actor import Actor
from portal.core.scope import scopes_disabled


def note_failure(username: str) -> None:
    """Count a failed sign-in at the person of that user name, if there is one."""
    key = NameKey(Value(username[:150].replace("\0", "")))
    with scopes_disabled():  # nobody is signed in
        people = Person.objects.filter(username_key=key, is_pseudo=False)
        people.update(failed_logins=F("failed_logins") + 1)


@transaction.atomic
def note_success(*, person: Person, by: Actor) -> None:
    """Forget the failures, and write down who came from where."""
    with scopes_disabled():  # the account is not resolved yet
        Person.objects.filter(pk=person.pk, failed_logins__gt=0).update(failed_logins=0)
    audit.record("person.signed_in", person, by=by, customer=person.customer)


def forget_failures(person: Person) -> None:
    """Open the sign-in that wrong passwords had closed: the mailbox proved who it is."""
    reset_lockouts(username=counted_name(person.username))


def counted_name(username: str) -> str:
    """The user name as failures are counted: without regard to case and spacing."""
    return "".join(username.split()).casefold()[:150]


def own_actor(person: Person, *, source_ip: str | None) -> Actor:
    """The person at work in its own account, before a page has resolved one."""
    return Actor(
        customer=person.customer,
        person=person,
        permissions=frozenset(person.role.permissions),
        menus=frozenset(person.role.menus),
        source_ip=source_ip,
    )
