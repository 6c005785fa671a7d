"""The mails people get: about signing in, about their balance.

Each is written once and sent after the commit. Those with invoices: `emails_of_invoices`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from billing.models import BillingAccount
from billing.types import rules_of
from customers import tokens
from customers.branding import brand_seen_by
from customers.customs import customs_for
from customers.mail_kinds import (
    EMAIL_CHANGED,
    LOGIN_DETAILS,
    LOW_BALANCE,
    PASSWORD_CHANGED,
    PASSWORD_RESET,
)
from customers.models import Customer, Person
from customers.sender_book import SenderBook, in_own_words, names_of
from portal.core.mail import LINK_MARKER, queue_email
from portal.core.models import OutgoingEmail
from portal.core.money import ZERO, format_money
from portal.core.urls import account_url
from portal.core.validators import split_emails

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def recipients_of(person: Person) -> list[str]:
    """The person's own addresses, else the customer's billing addresses."""
    return person.email_addresses or split_emails(person.customer.email)


def send_login_details(person: Person) -> OutgoingEmail:
    """User name and a link to choose a password; every call makes a new link."""
    days = settings.WELCOME_LINK_TIMEOUT // 86400
    return _send(
        person,
        kind=LOGIN_DETAILS,
        one_time_link=tokens.welcome_link(person),
        context={"valid_days": days},
        values={"days": days, "link": LINK_MARKER},
    )


def send_password_reset(person: Person) -> OutgoingEmail:
    """A link to choose a new password, for who has forgotten the old one."""
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return _send(
        person,
        kind=PASSWORD_RESET,
        one_time_link=tokens.reset_link(person),
        context={"valid_hours": hours},
        values={"hours": hours, "link": LINK_MARKER},
    )


def send_password_changed(person: Person) -> OutgoingEmail | None:
    """Tell the person, in case it was somebody else; None if there is no address."""
    to = recipients_of(person)
    forgotten = f"{settings.PUBLIC_URL}{reverse('password-forgotten')}"
    if not to:
        return None
    return _send(
        person,
        kind=PASSWORD_CHANGED,
        to=to,
        context={"forgotten_url": forgotten},
        values={"link": forgotten},
    )


def send_email_changed(person: Person, *, old: str) -> OutgoingEmail | None:
    """Tell the addresses that mails went to until now; None if there were none."""
    to = split_emails(old)
    if not to:
        return None
    return _send(
        person,
        kind=EMAIL_CHANGED,
        to=to,
        context={"new_emails": person.email_addresses},
        values={"emails": ", ".join(person.email_addresses)},
    )


def low_balance_key(account: BillingAccount) -> str:
    """One mail for each time the balance fell below: its moment in microseconds."""
    assert account.low_since is not None
    moment = (account.low_since - _EPOCH) // timedelta(microseconds=1)
    return f"{LOW_BALANCE}:{account.pk}:{moment}"


def send_low_balance(
    account: BillingAccount, book: SenderBook | None = None
) -> OutgoingEmail:
    """Tell the billing addresses that the balance is low, and what to do.

    The account is low now and has its customer loaded. Telling it again gives the first
    mail, until the balance has been back above and falls once more.
    """
    customer: Customer = account.customer
    book = book or SenderBook()
    brand = book.brand(account)
    language = customer.spoken_language()
    with translation.override(language):
        context = {
            "balance": format_money(account.balance, account.currency),
            "threshold": format_money(account.low_balance, account.currency),
            "credit_left": format_money(max(account.available, ZERO), account.currency),
            "advice": _advice(account, brand.name),
        }
    link = f"{settings.PUBLIC_URL}{account_url(customer.pk, 'billing:account')}"
    values = {"account_number": customer.account_number, "link": link, **context}
    said = book.said(account, LOW_BALANCE, language)
    brand, own = in_own_words(LOW_BALANCE, customer, brand, said, language, values)
    return queue_email(
        key=low_balance_key(account),
        kind=LOW_BALANCE,
        customer=customer,
        to=split_emails(customer.email),
        brand=brand,
        language=language,
        context={"customer": customer, "account_url": link, **context},
        own=own,
    )


def _advice(account: BillingAccount, brand: str) -> str:
    """What happens next and what to do against it, by the account's billing type."""
    if account.available > 0:
        outlook = gettext(
            "When your credit is used up, calls and features that cost money are refused."
        )
    else:
        outlook = gettext(
            "Your credit is used up: calls and features that cost money are refused."
        )
    if rules_of(account.bill_type).may_top_up:
        remedy = gettext("Top up your balance, or ask %(brand)s for more credit.")
    else:
        remedy = gettext("Pay your open invoices, or ask %(brand)s for more credit.")
    return f"{outlook} {remedy % {'brand': brand}}"


def _send(
    person: Person,
    *,
    kind: str,
    context: Mapping[str, Any],
    values: Mapping[str, Any],
    to: list[str] | None = None,
    one_time_link: str = "",
) -> OutgoingEmail:
    """``context`` is for the templates, ``values`` for what plans say in their own words."""
    customer, language = person.customer, person.effective_language
    values = {"name": person.display_name, "username": person.username, **values}
    said = customs_for(customer, names_of(kind), language=language)
    brand, own = in_own_words(
        kind, customer, brand_seen_by(customer), said, language, values
    )
    return queue_email(
        key=f"{kind}:{person.pk}:{uuid.uuid4()}",
        kind=kind,
        customer=customer,
        person=person,
        to=recipients_of(person) if to is None else to,
        brand=brand,
        language=language,
        one_time_link=one_time_link,
        context={
            "person": person,
            "customer": customer,
            "portal_url": settings.PUBLIC_URL,
            **context,
        },
        own=own,
    )
