"""Sending mails again."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers.mail_kinds import LOGIN_DETAILS, PASSWORD_RESET
from customers.models import Person
from customers.services import people
from portal.core import audit, mail
from portal.core.actor import Actor
from portal.core.models import EmailStatus, OutgoingEmail
from portal.core.permissions import Permission

# Their link is used up, void or lost: they are written anew.
WITH_LINK = frozenset({LOGIN_DETAILS, PASSWORD_RESET})


@transaction.atomic
def resend(*, email: OutgoingEmail, by: Actor) -> OutgoingEmail:
    """Send a mail again; one with a link is written anew, with a fresh link.

    Returns the mail that is on its way. Raises ValidationError if that cannot be.
    """
    by.require(Permission.ADMINISTRATOR)
    if not email.customer.is_within(by.customer):
        raise PermissionDenied
    if reason := refusal(email):
        raise ValidationError(reason, code="refused")
    if email.kind in WITH_LINK:
        assert isinstance(email.person, Person)
        return people.resend_login_details(person=email.person, by=by)
    again = mail.requeue(email)
    audit.record("email.resent", email, by=by, customer=email.customer)
    return again


def refusal(email: OutgoingEmail) -> str:
    """Why the mail cannot be sent again; empty if it can."""
    if email.kind in WITH_LINK:
        person = email.person
        if person is None or not isinstance(person, Person):
            return _("The person it was for is deleted.")
        if not person.is_active or not person.role.may_login:
            return _("The person may not log in.")
        return ""
    if email.status in {EmailStatus.SENT, EmailStatus.QUEUED}:
        return _("It was sent already, or is about to be.")
    return ""
