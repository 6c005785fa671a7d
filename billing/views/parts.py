"""What the pages of Commerce share."""

from __future__ import annotations

from typing import Any

from portal.core.views import PortalView


def account_of(view: PortalView) -> Any:
    """The customer whose Commerce the page shows."""
    return view.request.reach.account


def own_currency(view: PortalView) -> str:
    """What amounts are proposed in: the account's own currency."""
    account = getattr(account_of(view), "account", None)  # the system owner has none
    return account.currency if account else "EUR"
