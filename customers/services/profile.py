"""Settings » Profile: what people change about themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from customers import emails
from customers.models import Person
from customers.services import people
from portal.core.actor import Actor


@transaction.atomic
def update_profile(*, person: Person, values: Mapping[str, Any], by: Actor) -> Person:
    """Change one's own row, some of `people.PROFILE_FIELDS`.

    Where mails went until now, a notice tells of a new address: if it was a stranger, the
    owner learns of it. Raises ValidationError by field, PermissionDenied while switched.
    """
    if by.is_switched or by.person is None or by.person.pk != person.pk:
        raise PermissionDenied
    unknown = set(values) - set(people.PROFILE_FIELDS)
    if unknown:
        raise TypeError(f"not changed by oneself: {sorted(unknown)}")
    old_emails = person.emails
    person = people.update_person(person=person, values=values, by=by, is_own=True)
    if person.emails != old_emails:
        emails.send_email_changed(person, old=old_emails)
    return person
