"""The mails people get about signing in; each is written once, sent after the commit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy

from customers import tokens
from customers.branding import brand_seen_by
from customers.models import Person
from portal.core.mail import queue_email
from portal.core.models import OutgoingEmail
from portal.core.validators import split_emails

LOGIN_DETAILS = "login_details"
PASSWORD_RESET = "password_reset"
PASSWORD_CHANGED = "password_changed"
EMAIL_CHANGED = "email_changed"
KINDS = {
    LOGIN_DETAILS: gettext_lazy("Login details"),
    PASSWORD_RESET: gettext_lazy("Forgotten password"),
    PASSWORD_CHANGED: gettext_lazy("Password changed"),
    EMAIL_CHANGED: gettext_lazy("E-mail address changed"),
}


def recipients_of(person: Person) -> list[str]:
    """The person's own addresses, else the customer's billing addresses."""
    return person.email_addresses or split_emails(person.customer.email)


def send_login_details(person: Person) -> OutgoingEmail:
    """User name and a link to choose a password; every call makes a new link."""
    return _send(
        person,
        kind=LOGIN_DETAILS,
        one_time_link=tokens.welcome_link(person),
        context={"valid_days": settings.WELCOME_LINK_TIMEOUT // 86400},
    )


def send_password_reset(person: Person) -> OutgoingEmail:
    """A link to choose a new password, for who has forgotten the old one."""
    return _send(
        person,
        kind=PASSWORD_RESET,
        one_time_link=tokens.reset_link(person),
        context={"valid_hours": settings.PASSWORD_RESET_TIMEOUT // 3600},
    )


def send_password_changed(person: Person) -> OutgoingEmail | None:
    """Tell the person, in case it was somebody else; None if there is no address."""
    to = recipients_of(person)
    forgotten = f"{settings.PUBLIC_URL}{reverse('password-forgotten')}"
    context = {"forgotten_url": forgotten}
    return _send(person, kind=PASSWORD_CHANGED, to=to, context=context) if to else None


def send_email_changed(person: Person, *, old: str) -> OutgoingEmail | None:
    """Tell the addresses that mails went to until now; None if there were none."""
    to = split_emails(old)
    context = {"new_emails": person.email_addresses}
    return _send(person, kind=EMAIL_CHANGED, to=to, context=context) if to else None


def _send(
    person: Person,
    *,
    kind: str,
    context: Mapping[str, Any],
    to: list[str] | None = None,
    one_time_link: str = "",
) -> OutgoingEmail:
    return queue_email(
        key=f"{kind}:{person.pk}:{uuid.uuid4()}",
        kind=kind,
        customer=person.customer,
        person=person,
        to=recipients_of(person) if to is None else to,
        brand=brand_seen_by(person.customer),
        language=person.effective_language,
        one_time_link=one_time_link,
        context={
            "person": person,
            "customer": person.customer,
            "portal_url": settings.PUBLIC_URL,
            **context,
        },
    )
