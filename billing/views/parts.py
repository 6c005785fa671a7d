"""What the pages of Commerce share."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from billing.choices import ProductPeriod
from portal.core.views import PortalView


def account_of(view: PortalView) -> Any:
    """The customer whose Commerce the page shows."""
    return view.request.reach.account


def own_currency(view: PortalView) -> str:
    """What amounts are proposed in: the account's own currency."""
    account = getattr(account_of(view), "account", None)  # the system owner has none
    return account.currency if account else "EUR"


def recurring_text(price: str, period: str) -> str:
    """A price with how often it is due: "€6.90 monthly"."""
    texts = {
        ProductPeriod.MONTHLY: _("%(price)s monthly"),
        ProductPeriod.QUARTERLY: _("%(price)s quarterly"),
        ProductPeriod.ANNUALLY: _("%(price)s annually"),
    }
    return texts[ProductPeriod(period)] % {"price": price}
