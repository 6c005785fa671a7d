"""Demo data lives in a database of its own: this tells it from anybody else's."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.services.installation import system_owner
from portal.core import audit
from portal.core.actor import system_actor
from portal.core.models import AuditEvent
from portal.core.scope import scopes_disabled

# The log cannot be edited, so the mark stays whatever is done to the demo's own rows.
MARK = "system.demo_data_loaded"


class ForeignOwnerError(Exception):
    """The database belongs to a system owner who is not the demo's."""


def demo_owner() -> Customer | None:
    """The demo's system owner; None on a fresh database.

    Raises ForeignOwnerError where real data is: invented data must not mix with it.
    """
    owner = system_owner()
    if owner is None:
        return None
    with scopes_disabled():  # a command, run by nobody
        is_marked = AuditEvent.objects.filter(action=MARK, customer=owner).exists()
    if not is_marked:
        raise ForeignOwnerError(
            _(
                "This database belongs to “%(name)s”, not to the demo. Demo data would"
                " mix with real data, so nothing was changed."
            )
            % {"name": owner.name}
        )
    return owner


def mark_as_demo(owner: Customer) -> None:
    audit.record(MARK, owner, by=system_actor(owner), customer=owner)


def let_one_in() -> None:
    """Make a second loader wait until the first one's transaction has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trunkline demo data'))")
