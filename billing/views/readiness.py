"""Signs that say whether electronic invoices can be written, and where gaps are closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from billing.invoicing.readiness import Gap, Side, in_the_way
from portal.core.urls import account_url

# Of the seller's fields those that stand on the page of its address.
_COMPANY_FIELDS = frozenset({"country"})


def gap_url(side: str, field: str, *, account: int, customer: int = 0) -> str:
    """The field in which a gap is closed, by somebody acting in the seller's ``account``.

    ``side`` and ``field`` are those of a `Gap`; ``customer`` is the buyer, and a gap of the
    seller needs none.
    """
    if side == Side.BUYER:
        url = account_url(account, "customers:customer-edit", pk=customer)
    elif field in _COMPANY_FIELDS:
        url = account_url(account, "customers:company")
    else:
        url = account_url(account, "billing:seller")
    return f"{url}#id_{field}"


def readiness_sign(
    gaps: Sequence[Gap], *, account: int, customer: int = 0
) -> dict[str, Any]:
    """What billing/_readiness.html shows: kind, headline, text and gaps with links.

    An account that misses only what Peppol wants is ready: that network is a choice.
    """
    blocking = in_the_way(gaps)
    sign: dict[str, Any] = {
        "gaps": [
            {
                "text": gap.text,
                "url": gap_url(gap.side, gap.field, account=account, customer=customer),
            }
            for gap in blocking or gaps
        ]
    }
    if blocking:
        return sign | {
            "kind": "warning",
            "headline": _("Not ready for electronic invoices"),
            "text": _("Invoices as XML are held back until you enter:"),
        }
    if gaps:
        return sign | {
            "kind": "success",
            "headline": _("Ready for electronic invoices"),
            "text": _("To use the Peppol network, also enter:"),
        }
    return sign | {
        "kind": "success",
        "headline": _("Ready for electronic invoices"),
        "text": _("Also through the Peppol network."),
    }
