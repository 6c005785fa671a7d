"""Who can sign in to the demo: one person for each role, all with one password."""

from __future__ import annotations

from dataclasses import dataclass

from customers.models import Person
from portal.core.scope import scopes_disabled

PASSWORD = "trunkline-demo"
# In the order of the table, from the top of the tree down.
BIG = "big"  # of the reseller with the longest list, if a crowd was loaded
USERNAMES = ("owner", "reseller", "admin", "user", "newcomer", BIG)


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    username: str
    account: str


def demo_logins() -> list[Login]:
    """Those that are there: the big reseller's only after a crowd was loaded."""
    with scopes_disabled():  # they belong to several tenants
        people = {
            person.username: person
            for person in Person.objects.filter(
                username__in=USERNAMES, is_pseudo=False
            ).select_related("customer", "role")
        }
    return [
        Login(person.role.name, username, person.customer.name)
        for username in USERNAMES
        if (person := people.get(username)) is not None
    ]


def table(logins: list[Login]) -> str:
    """The logins in columns, one line each under a heading."""
    rows = [("Role", "User name", "Password", "Works at")]
    rows += [(each.role, each.username, PASSWORD, each.account) for each in logins]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)
        )
        for row in rows
    )
