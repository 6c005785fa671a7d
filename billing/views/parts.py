"""What the pages of Commerce share."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from billing.choices import ChargePeriod
from portal.core.views import PortalView


def account_of(view: PortalView) -> Any:
    """The customer whose Commerce the page shows."""
    return view.request.reach.account


def own_currency(view: PortalView) -> str:
    """What amounts are proposed in: the account's own currency."""
    account = getattr(account_of(view), "account", None)  # the system owner has none
    return account.currency if account else "EUR"


def due_text(price: str, period: str) -> str:
    """A price with how often it is due: "€59.50 once", "€6.90 monthly"."""
    texts = {
        ChargePeriod.ONCE: _("%(price)s once"),
        ChargePeriod.MONTHLY: _("%(price)s monthly"),
        ChargePeriod.QUARTERLY: _("%(price)s quarterly"),
        ChargePeriod.ANNUALLY: _("%(price)s annually"),
    }
    return texts[ChargePeriod(period)] % {"price": price}
