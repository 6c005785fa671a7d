"""Why an electronic invoice may not leave: what is missing, then what the rules say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing.choices import PaymentType
from billing.einvoice.rules import RulesError, Syntax, findings
from billing.einvoice.ubl import ubl
from billing.invoicing.build import Subject, numbered
from billing.invoicing.content import Content
from billing.invoicing.readiness import buyer_gaps, in_the_way, seller_gaps
from billing.models import Invoice
from rateplans.choices import InvoiceFormat

UNNUMBERED = "0"  # the rules ask for a number; which one is all the same to them
# The account is locked while the rules are asked: what takes longer is held back, and
# whoever tries again asks anew.
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class HeldBack:
    """One reason, in words; ``field`` of ``side`` (seller or buyer) mends it, if any does."""

    text: str
    side: str = ""
    field: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, "side": self.side, "field": self.field}


def why_held_back(
    subject: Subject, content: Content, invoice: Invoice
) -> list[HeldBack]:
    """Why this invoice cannot be issued as it is; empty for one that people read."""
    if invoice.format != InvoiceFormat.XML:
        return []
    return _missing(subject, content) or _rules_broken(content)


def _missing(subject: Subject, content: Content) -> list[HeldBack]:
    account = subject.account
    is_transferred = account.payment_type == PaymentType.MANUAL
    gaps = [
        *seller_gaps(
            subject.seller,
            subject.issuer,
            asks_transfers=is_transferred and content.document.totals.payable > 0,
            treatment=account.vat_treatment,
        ),
        *buyer_gaps(account, account.customer, seller=subject.seller),
    ]
    return [HeldBack(gap.text, gap.side, gap.field) for gap in in_the_way(gaps)]


def _rules_broken(content: Content) -> list[HeldBack]:
    document = numbered(content, UNNUMBERED).document
    try:
        broken = findings(ubl(document), Syntax.UBL, seconds=SECONDS)
    except RulesError:
        return [HeldBack(_("The rules of electronic invoices could not be asked."))]
    return [HeldBack(f"{finding.rule}: {finding.text}") for finding in broken]
