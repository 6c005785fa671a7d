"""Signs that say whether electronic invoices can be written, and where gaps are closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from billing.invoicing.readiness import Gap, Side, in_the_way, seller_gaps
from billing.party_choices import UntaxedCategory, VatTreatment
from billing.selectors import has_vat, seller_of
from billing.services.invoice_drafts import Draft
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


def seller_sign(customer: Any) -> dict[str, Any]:
    """The sign of an account that sells; also that it charges no VAT, unless it chose so."""
    seller = seller_of(customer)
    sign = readiness_sign(seller_gaps(seller, customer), account=customer.pk)
    if seller.untaxed_category != UntaxedCategory.ZERO_RATED or has_vat(customer):
        return sign
    return sign | {
        "kind": "warning",
        "remark": {
            "text": _(
                "No VAT is set up, so your invoices charge 0\N{NO-BREAK SPACE}% VAT."
            ),
            "url": account_url(customer.pk, "billing:tax-list"),
            "label": _("Set up your VAT under Taxes"),
            "other": _(
                "If you charge none on purpose, choose under Invoicing what lines without"
                " VAT are: exempt, or not subject to VAT."
            ),
        },
    }


def untaxed_remark(draft: Draft, *, account: int) -> dict[str, str] | None:
    """That an invoice charges no VAT though nothing says why not, and where that is set."""
    buyer, seller = draft.subject.account, draft.subject.seller
    if (
        draft.content.document.totals.vat
        or buyer.vat_treatment != VatTreatment.STANDARD
        or seller.untaxed_category != UntaxedCategory.ZERO_RATED
    ):
        return None
    if not has_vat(draft.subject.issuer):
        return {
            "text": _("No VAT is charged: you have set up none."),
            "url": account_url(account, "billing:tax-list"),
            "label": _("Taxes"),
        }
    return {
        "text": _("No VAT is charged: nothing on this invoice was booked with VAT."),
        "url": account_url(account, "customers:customer-edit", pk=buyer.customer_id),
        "label": _("Taxes that the customer is liable for"),
    }


def readiness_sign(
    gaps: Sequence[Gap], *, account: int, customer: int = 0
) -> dict[str, Any]:
    """What billing/_readiness.html shows: kind, headline, text and gaps with links; of a
    seller also a remark.

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
