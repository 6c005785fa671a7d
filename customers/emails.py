"""The mails customers and their people get; each is written once and sent after the commit."""

from __future__ import annotations

import uuid

from django.conf import settings

from customers import tokens
from customers.branding import brand_seen_by
from customers.models import Person
from portal.core.mail import queue_email
from portal.core.models import OutgoingEmail
from portal.core.validators import split_emails

LOGIN_DETAILS = "login_details"
PASSWORD_RESET = "password_reset"


def recipients_of(person: Person) -> list[str]:
    """The person's own addresses, else the customer's billing addresses."""
    return person.email_addresses or split_emails(person.customer.email)


def send_login_details(person: Person) -> OutgoingEmail:
    """User name and a link to choose a password; every call makes a new link."""
    return _send(
        person,
        kind=LOGIN_DETAILS,
        link=tokens.welcome_link(person),
        validity=settings.WELCOME_LINK_TIMEOUT,
    )


def send_password_reset(person: Person) -> OutgoingEmail:
    return _send(
        person,
        kind=PASSWORD_RESET,
        link=tokens.reset_link(person),
        validity=settings.PASSWORD_RESET_TIMEOUT,
    )


def _send(person: Person, *, kind: str, link: str, validity: int) -> OutgoingEmail:
    return queue_email(
        key=f"{kind}:{person.pk}:{uuid.uuid4()}",
        kind=kind,
        customer=person.customer,
        person=person,
        to=recipients_of(person),
        brand=brand_seen_by(person.customer),
        language=person.effective_language,
        one_time_link=link,
        context={
            "person": person,
            "customer": person.customer,
            "portal_url": settings.PUBLIC_URL,
            "valid_days": validity // 86400,
            "valid_hours": validity // 3600,
        },
    )
