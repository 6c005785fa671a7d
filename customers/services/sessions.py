"""Settings » Sessions: the browsers a person is signed in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from customers.models import Person, Switch
from customers.services import people
from portal.core import audit
from portal.core.actor import Actor
from portal.core.models import Session
from portal.core.scope import scopes_disabled
from portal.core.sessions import end_session


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser that is signed in. ``handle`` names it without giving its key away."""

    handle: str
    is_current: bool
    user_agent: str
    source_ip: str | None
    since: datetime
    seen_at: datetime


def sessions_of(person: Person, *, current_key: str) -> list[SignedIn]:
    """The current one first, then the last seen."""
    found = [
        SignedIn(
            handle=_handle(row.session_key),
            is_current=row.session_key == current_key,
            user_agent=row.user_agent,
            source_ip=row.source_ip,
            since=row.created_at,
            seen_at=row.seen_at,
        )
        for row in _rows(person)
    ]
    return sorted(found, key=lambda s: (s.is_current, s.seen_at), reverse=True)


@transaction.atomic
def end_one(*, person: Person, handle: str, by: Actor) -> bool:
    """Sign one browser out; False if it is signed out already or somebody else's."""
    _refuse_others(person, by)
    for row in _rows(person):
        if constant_time_compare(_handle(row.session_key), handle):
            end_session(row.session_key)
            _record(person, by)
            return True
    return False


@transaction.atomic
def end_others(*, person: Person, current_key: str, by: Actor) -> int:
    """Sign every other browser out; how many that were."""
    _refuse_others(person, by)
    count = people.end_sessions(person, except_key=current_key)
    if count:
        _record(person, by)
    return count


def carry_switches(*, old_key: str, new_key: str) -> None:
    """The session got a new key: whom one is switched into goes with it."""
    with scopes_disabled():  # switches lie in the tenants below
        Switch.objects.filter(session_key=old_key).update(session_key=new_key)


def _rows(person: Person) -> list[Session]:
    return list(Session.objects.filter(person=person, expire_date__gt=timezone.now()))


def _handle(session_key: str) -> str:
    return salted_hmac("trunkline.session", session_key).hexdigest()[:24]


def _refuse_others(person: Person, by: Actor) -> None:
    if by.is_switched or by.person is None or by.person.pk != person.pk:
        raise PermissionDenied


def _record(person: Person, by: Actor) -> None:
    audit.record("person.sessions_ended", person, by=by, customer=person.customer)
