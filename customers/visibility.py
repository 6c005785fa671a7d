"""Who may read what of the mails and of the audit log.

Without COMMERCE one sees the own account only (D 7.3). Nobody learns what is above the
own account (D 1.1), nor a link that would sign in as somebody else.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from customers.models import Customer, Note
from portal.core.actor import Actor
from portal.core.models import AuditEvent, EmailStatus, OutgoingEmail
from portal.core.permissions import Permission

# What the provider does with an account itself is the provider's business: its prices
# and affiliates, the reason of a lock, notes.
PROVIDERS_TYPES = (
    Customer._meta.label_lower,
    Note._meta.label_lower,
    "billing.billingaccount",
)
# So many customers are named one by one in a query for their mails.
MOST_NAMED = 1000


def visible_emails(actor: Actor) -> QuerySet[OutgoingEmail]:
    """The mails of the account; with COMMERCE of those below too."""
    emails = OutgoingEmail.objects.all()  # the scope keeps them in the subtree
    if not actor.can(Permission.COMMERCE):
        return emails.filter(customer=actor.customer.pk)
    # The mails of few customers are rare among everybody's: named, they are found by the
    # index of their customers. By the tree alone the database reads all, newest first.
    customers = list(
        Customer.objects.order_by().values_list("pk", flat=True)[: MOST_NAMED + 1]
    )
    if len(customers) <= MOST_NAMED:
        emails = emails.filter(customer__in=customers)
    return emails


def may_see_link(email: OutgoingEmail, actor: Actor) -> bool:
    """Whether ``actor`` may see the one-time link in ``email``, to hand it over.

    Only where the mail was kept for want of a mail server, and only those who run
    customers in an account above the mail's: never its own people, nor who acts as one.
    """
    return (
        email.status == EmailStatus.KEPT
        and bool(email.secret)
        and actor.can(Permission.COMMERCE)
        and email.customer.is_below(actor.customer)
    )


def visible_events(actor: Actor, *, reader: Customer) -> QuerySet[AuditEvent]:
    """The events ``actor`` may read; ``reader`` is the own account of who signed in."""
    events = AuditEvent.objects.all()  # the scope keeps them in the subtree
    if not actor.can(Permission.COMMERCE):
        events = events.filter(customer=actor.customer.pk)
    is_providers = Q(path=reader.path, object_type__in=PROVIDERS_TYPES)
    return events.filter(~is_providers | known_people(reader))


def known_people(reader: Customer) -> Q:
    """Events done by people of ``reader`` or below it."""
    return Q(person__customer__path__startswith=reader.path)


def done_by(text: str, *, reader: Customer) -> Q:
    """Events done by, or as, somebody whose name contains ``text``.

    A name that the reader does not see (customers.audit_labels.is_person_known) does
    not lead to its events either.
    """
    is_seen = known_people(reader) | Q(person=None, acting_as_name="")
    return Q(acting_as_name__icontains=text) | Q(person_name__icontains=text) & is_seen
