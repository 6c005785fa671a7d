"""Notes about customers, for those above them only (D 2.5)."""

from __future__ import annotations

from django.db import transaction

from customers.models import Customer, Note
from customers.services.customers import lock_below
from portal.core import audit
from portal.core.actor import Actor
from portal.core.errors import StaleError
from portal.core.staleness import refuse_stale

FIELDS: tuple[str, ...] = ("subject", "body")


@transaction.atomic
def write_note(
    *,
    customer: Customer,
    subject: str,
    body: str,
    by: Actor,
    note: Note | None = None,
    seen: str = "",
) -> Note:
    """Write a new note about ``customer``, or change ``note``.

    ``seen`` is the state (portal.core.staleness) that the change was made from.
    Raises ValidationError by field, StaleError if the note is not as ``seen`` any more.
    """
    customer = lock_below(customer, by=by)
    if note is not None:
        note = Note.objects.filter(pk=note.pk, customer=customer).first()
        if note is None:
            raise StaleError
        refuse_stale(note, FIELDS, seen=seen)
    else:
        note = Note(
            customer=customer,
            author_id=by.person.pk if by.person else None,
            author_name=by.person.display_name if by.person else "",
        )
    is_new = note.pk is None
    before = {} if is_new else audit.snapshot(note, FIELDS)
    note.subject, note.body = subject, body
    note.clean_fields(exclude=["customer", "author", "author_name"])
    note.save()
    changes = audit.differences(before, audit.snapshot(note, FIELDS))
    action = "note.created" if is_new else "note.updated"
    if changes:
        # In the log of the account above: the customer does not learn of its notes.
        assert customer.parent is not None
        audit.record(action, note, by=by, customer=customer.parent, changes=changes)
    return note


@transaction.atomic
def delete_note(*, note: Note, by: Actor) -> None:
    customer = lock_below(note.customer, by=by)
    assert customer.parent is not None
    audit.record("note.deleted", note, by=by, customer=customer.parent)
    note.delete()
