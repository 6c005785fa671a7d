"""The foot of every page: who the seller is, how to reach it, its bank, its registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing.documents.columns import width_of
from billing.documents.figures import grouped_iban
from billing.documents.paper import MARGIN_LEFT, Paper
from billing.invoicing.content import Content

SIZE = 7.0  # points, as in document.css
GAP = 5.0  # millimetres
WHOLE = 45.0  # a line as short as that is never broken
MOST_LINES = 4  # of a column: printers leave the edge of the paper white
TRANSFERS = {"30", "58"}


@dataclass(frozen=True, slots=True)
class Line:
    text: str

    @property
    def is_whole(self) -> bool:
        return width_of(self.text, size=SIZE) <= WHOLE


@dataclass(frozen=True, slots=True)
class Imprint:
    """``above`` is the seller's address where it is too long for a column of its own."""

    above: str
    columns: list[list[Line]]


def imprint(content: Content, paper: Paper) -> Imprint:
    """In columns side by side."""
    address = [line for line in content.seller_lines if line]
    reach, bank, registers = _reach(content), _bank(content), _registers(content)
    columns = [address, reach, bank, registers]
    above = ""
    if len(address) > MOST_LINES or not _fit(columns, paper):
        above = " · ".join(address)
        bank = [line for line in bank if line not in address]
        columns = [reach[:3], bank, registers]  # the website is in the letterhead
    return Imprint(
        above, [[Line(text) for text in lines] for lines in columns if lines]
    )


def _fit(columns: Sequence[Sequence[str]], paper: Paper) -> bool:
    widths = [
        max(width_of(line, size=SIZE) for line in lines) + GAP
        for lines in columns
        if lines
    ]
    return sum(widths) - GAP <= paper.right - MARGIN_LEFT


def _reach(content: Content) -> list[str]:
    contact, look = content.document.seller.contact, content.look
    lines = (
        contact.name,
        contact.telephone or look.telephone,
        contact.email or look.email,
        look.website,
    )
    return [line for line in lines if line]


def _bank(content: Content) -> list[str]:
    payment = content.document.payment
    if payment is None or payment.means not in TRANSFERS or not payment.iban:
        return []
    lines = [payment.holder, _("IBAN %(iban)s") % {"iban": grouped_iban(payment.iban)}]
    if payment.bic:
        lines.append(_("BIC %(bic)s") % {"bic": payment.bic})
    return [line for line in lines if line]


def _registers(content: Content) -> list[str]:
    seller = content.document.seller
    lines = [seller.register_number]
    if seller.vat_id:
        lines.append(_("VAT ID %(number)s") % {"number": seller.vat_id})
    if seller.tax_number:
        lines.append(_("Tax number %(number)s") % {"number": seller.tax_number})
    lines.append(seller.legal_form)
    return [line for line in lines if line]
