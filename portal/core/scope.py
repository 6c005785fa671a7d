"""Tenant scope: which part of the customer tree queries see.

Managers of tenant data are django-scopes managers, so a query outside a scope raises instead
of returning everybody's rows. Paths end with a dot ("1.4."), which keeps 1.45 out of 1.4.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django_scopes import scope, scopes_disabled

from portal.core.actor import TenantRow

__all__ = ["scopes_disabled", "subtree"]


@contextmanager
def subtree(customer: TenantRow) -> Iterator[None]:
    """Queries inside see ``customer`` and everything below it, nothing else.

    Raises ValueError for a customer without a place in the tree: every path begins with
    an empty one.
    """
    if not customer.path:
        raise ValueError("the customer has no path")
    with scope(tree=customer.path):
        yield
