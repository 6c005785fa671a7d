"""What the pages of Commerce share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.choices import ChargePeriod
from billing.models import BillingAccount
from billing.types import rules_of
from portal.core.money import format_money
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


def sums_of(account: BillingAccount, total: Decimal) -> dict[str, str]:
    """For billing/_lines.html: what lines come to, what it leaves, and what is missing."""
    sums = {"total": format_money(total, account.currency)}
    if not rules_of(account.bill_type).transactions_move_balance:
        return sums
    sums["balance_after"] = format_money(account.balance - total, account.currency)
    if missing := account.missing_for(total):
        sums["shortage"] = _("The credit falls %(amount)s short of this.") % {
            "amount": format_money(missing, account.currency)
        }
    return sums
