"""Who does something, in which account, and as whom."""

from dataclasses import dataclass, field
from typing import Protocol

from django.core.exceptions import PermissionDenied

from portal.core.permissions import Permission


class PersonRow(Protocol):
    """What the kernel needs to know of a person."""

    @property
    def pk(self) -> int: ...
    @property
    def display_name(self) -> str: ...


class TenantRow(Protocol):
    """What the kernel needs to know of a customer."""

    @property
    def pk(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at work: every write takes one as ``by`` and leaves it in the audit log.

    ``person`` is always the real one, who signed in; ``acting_as`` is set while switched.
    ``permissions`` are those that hold in ``customer``, the account acted in.
    """

    customer: TenantRow
    person: PersonRow | None = None  # None: the system itself, in a job
    permissions: frozenset[str] = field(default_factory=frozenset)
    menus: frozenset[str] = field(default_factory=frozenset)
    acting_as: PersonRow | None = None
    source_ip: str | None = None
    own: TenantRow | None = None  # the real person's account; None: the one acted in

    @property
    def home(self) -> TenantRow:
        """The account the real person belongs to: what is above it is not theirs to see."""
        return self.own or self.customer

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise PermissionDenied (a 403 page) unless the role allows it."""
        if permission not in self.permissions:
            raise PermissionDenied(permission.label)

    @property
    def is_switched(self) -> bool:
        return self.acting_as is not None


def system_actor(customer: TenantRow) -> Actor:
    """The actor of jobs, commands and demo data: no person, every permission."""
    return Actor(customer=customer, permissions=frozenset(Permission.values))
