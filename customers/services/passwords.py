"""Choosing, changing and forgetting passwords: only ever by the person itself."""

from __future__ import annotations

from django.contrib.auth import password_validation
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers import emails, tasks
from customers.models import Person
from customers.services import people, sign_in
from customers.tokens import PasswordLinkTokens, welcome_tokens
from portal.core.actor import Actor
from portal.core.throttle import Throttle

# Tries of a signed-in person to tell the old password, each quarter of an hour.
OLD_PASSWORDS = Throttle("old-password", limit=10, seconds=15 * 60)
# Links asked for one user name or e-mail address, each hour; more are not mailed.
LINKS = Throttle("password-links", limit=3, seconds=60 * 60)


class LinkExpiredError(Exception):
    """The link was used already, is too old, or was never ours."""


def request_reset(identity: str) -> None:
    """Have a link mailed to whoever ``identity`` means: a user name or an e-mail address.

    Takes the same time and gives the same nothing whether there is such a person or not.
    """
    identity = " ".join(identity.split())[:254]
    if LINKS.allows(identity.casefold()):
        tasks.send_password_resets.announce(identity)


@transaction.atomic
def choose_password(
    *, person: Person, token: str, tokens: PasswordLinkTokens, password: str, by: Actor
) -> Person:
    """Take the password chosen through a mailed link, which dies by this.

    Everybody signed in as this person is signed out. Raises LinkExpiredError, and
    ValidationError at ``new_password1``.
    """
    locked = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not tokens.check_token(locked, token):
        raise LinkExpiredError
    _check(locked, password)
    changed = people.set_password(person=locked, password=password, by=by)
    people.end_sessions(changed)
    sign_in.forget_failures(changed)
    if tokens is not welcome_tokens:
        emails.send_password_changed(changed)
    return changed


@transaction.atomic
def change_password(
    *,
    person: Person,
    old_password: str,
    new_password: str,
    by: Actor,
    session_key: str,
) -> Person:
    """Change one's own password; every browser but ``session_key``'s is signed out.

    Raises ValidationError by field, and PermissionDenied while switched.
    """
    if by.is_switched or by.person is None or by.person.pk != person.pk:
        raise PermissionDenied
    if not OLD_PASSWORDS.allows(person.pk):
        raise ValidationError(
            _("Too many tries. Wait %(minutes)d minutes."),
            code="throttled",
            params={"minutes": OLD_PASSWORDS.minutes},
        )
    if not person.check_password(old_password):
        raise ValidationError(
            {
                "old_password": ValidationError(
                    _("This is not your present password."), code="wrong"
                )
            }
        )
    _check(person, new_password)
    changed = people.set_password(person=person, password=new_password, by=by)
    people.end_sessions(changed, except_key=session_key)
    emails.send_password_changed(changed)
    OLD_PASSWORDS.forget(person.pk)
    return changed


def _check(person: Person, password: str) -> None:
    try:
        password_validation.validate_password(password, user=person)
    except ValidationError as error:
        raise ValidationError({"new_password1": error.error_list}) from error
