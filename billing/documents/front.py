"""What the front of a document says, as its template shows it: labels with their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing.documents import fonts
from billing.documents.columns import days_of, tax_lines, width_of
from billing.documents.figures import Figures, grouped_iban, grouped_reference
from billing.documents.imprint import TRANSFERS
from billing.einvoice.record import (
    DIRECT_DEBITS,
    Document,
    DocumentType,
    Payment,
)
from billing.invoicing.content import Content, Deduction, Row
from portal.core.money import ZERO

CARDS = {"48", "54", "55"}
WINDOW = 80.0  # millimetres, as in document.css
SENDER_SIZES = (6.5, 6.0, 5.5)  # points
KEY_FIGURES = 155.0
KEY_FIGURE_SIZE = 14.0
BETWEEN_KEY_FIGURES = 12.0
ADDRESS_SIZE = 10.0  # points
LINES_IN_WINDOW = 6
MOST_DEDUCTIONS = 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A text under its label."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The line above the address; ``step`` is which of `SENDER_SIZES` it is set in."""

    text: str
    step: int


@dataclass(frozen=True, slots=True)
class Sum:
    """One line of the sums; ``base`` is what a tax was reckoned on, or a day."""

    label: str
    amount: str
    base: str = ""
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class PrintedRow:
    text: str
    days: str
    quantity: str
    taxes: Sequence[str]
    amount: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns a table of sections has."""

    days: bool
    quantity: bool
    taxes: bool

    @property
    def count(self) -> int:
        return 2 + self.days + self.quantity + self.taxes

    @property
    def before_amount(self) -> int:
        return self.count - 1


@dataclass(frozen=True, slots=True)
class PrintedSection:
    title: str
    amount: str
    rows: tuple[PrintedRow, ...]


def title(content: Content) -> str:
    """What the document is, with its number if it has one."""
    document = content.document
    if document.type is DocumentType.CREDIT_NOTE:
        said = _("Credit note %(number)s") % {"number": document.number}
    else:
        said = _("Invoice %(number)s") % {"number": document.number}
    return said.strip()


def subtitle(content: Content, figures: Figures) -> str:
    document = content.document
    if document.preceding:
        if day := document.preceding.issued_on:
            return _("For invoice %(number)s of %(day)s") % {
                "number": document.preceding.number,
                "day": figures.day(day),
            }
        return _("For invoice %(number)s") % {"number": document.preceding.number}
    if document.period:
        return _("For %(days)s") % {"days": figures.days(document.period)}
    return ""


def sender(content: Content) -> Sender:
    """On one line whatever its length: smaller, then without the middle of the address."""
    lines = content.seller_lines
    for parts in (
        lines,
        lines[:2] + lines[-2:],
        lines[:1] + lines[-2:],
        lines[:1] + lines[-1:],
        lines[:1],
    ):
        text = " · ".join(dict.fromkeys(parts))
        for step, size in enumerate(SENDER_SIZES):
            if width_of(text, size=size) <= WINDOW:
                return Sender(text, step)
    name, smallest = lines[0], SENDER_SIZES[-1]
    while name and width_of(f"{name}…", size=smallest) > WINDOW:
        name = name[:-1].rstrip()
    return Sender(f"{name}…", len(SENDER_SIZES) - 1)


def is_tall(content: Content) -> bool:
    """Whether the address needs the room that DIN 5008 leaves for remarks above it."""
    lines = sum(
        1 + int(width_of(line, size=ADDRESS_SIZE) / WINDOW)
        for line in content.buyer_lines
    )
    return lines > LINES_IN_WINDOW


def facts(content: Content, figures: Figures) -> list[Fact]:
    """Beside the address: by what each side finds the document again."""
    document = content.document
    preceding = document.preceding.number if document.preceding else ""
    return _told(
        (pgettext("document", "Number"), document.number),
        (_("Date"), figures.day(document.issued_on)),
        (_("Invoice credited"), preceding),
        (_("Period"), figures.days(document.period) if document.period else ""),
        (_("Customer number"), content.customer_number),
        (_("Billing reference"), content.customer_reference),
        (_("Your reference"), document.buyer_reference),
        (_("Your order"), document.order_reference),
        (_("Your VAT ID"), document.buyer.vat_id),
        (_("Your tax number"), document.buyer.tax_number),
    )


def key_figures(content: Content, figures: Figures) -> list[Fact]:
    """What a reader looks for first."""
    document = content.document
    total = figures.money(document.totals.gross)
    due = figures.day(document.due_on) if document.due_on else ""
    if document.type is DocumentType.CREDIT_NOTE:
        return [Fact(_("Total credited"), total)]
    if content.total_due is None:
        shown = [Fact(_("Total"), total)]
    else:
        shown = [Fact(_("Total due"), figures.money(content.total_due))]
    if due:
        shown.append(Fact(_("Due on"), due))
    if content.balance is not None:
        shown.append(Fact(_("Balance"), figures.money(content.balance)))
    return shown


def has_long_figures(content: Content, figures: Figures) -> bool:
    """Whether they must be smaller to stand side by side."""
    texts = [fact.text for fact in key_figures(content, figures)]
    wanted = sum(width_of(text, fonts.BOLD, KEY_FIGURE_SIZE) for text in texts)
    return wanted + BETWEEN_KEY_FIGURES * (len(texts) - 1) > KEY_FIGURES


def sections(
    content: Content, figures: Figures, *, with_rows: bool
) -> list[PrintedSection]:
    return [
        PrintedSection(
            section.title,
            figures.amount(section.net),
            tuple(_printed(row, figures) for row in section.rows) if with_rows else (),
        )
        for section in content.sections
    ]


def _printed(row: Row, figures: Figures) -> PrintedRow:
    return PrintedRow(
        row.text,
        days_of(row, figures),
        figures.number(row.quantity),
        tax_lines(row.taxes),
        figures.amount(row.net),
    )


def columns(shown: Iterable[PrintedSection]) -> Columns:
    rows = [row for section in shown for row in section.rows]
    return Columns(
        days=any(row.days for row in rows),
        quantity=any(row.quantity != "1" for row in rows),
        taxes=any(row.taxes for row in rows),
    )


def sums(
    content: Content, figures: Figures, *, day: Callable[[date], str] | None = None
) -> list[Sum]:
    """From the net to what is due; ``day`` writes days, as documents do by default."""
    document, amount = content.document, figures.amount
    totals = document.totals
    shown = []
    if content.taxes:
        shown.append(Sum(_("Net"), amount(totals.lines)))
    for tax in content.taxes:
        base = _("on %(amount)s") % {"amount": amount(tax.base)} if tax.rate else ""
        shown.append(Sum(tax.name, amount(tax.amount), base))
    label = _("Total (%(currency)s)") % {"currency": document.currency}
    shown.append(Sum(label, amount(totals.gross), is_total=True))
    shown += _deducted(content, figures, day or figures.day)
    if content.total_due is not None and content.total_due != totals.gross:
        shown.append(Sum(_("Total due"), amount(content.total_due), is_total=True))
    return shown


def _deducted(
    content: Content, figures: Figures, day: Callable[[date], str]
) -> list[Sum]:
    """Each item that comes off the total; payments as one where they are many."""
    if content.deductions is None:
        if not content.carried_over:
            return []
        label = _("Payments and earlier balance")
        return [Sum(label, figures.amount(-content.carried_over))]
    return [
        Sum(
            each.text,
            figures.amount(-each.amount),
            day(each.day) if each.day else "",
        )
        for each in _few(content.deductions)
    ]


def deducted_lines(content: Content) -> int:
    """How many lines of the sums those items are."""
    if content.deductions is None:
        return int(bool(content.carried_over))
    return len(_few(content.deductions))


def _few(deductions: Sequence[Deduction]) -> Sequence[Deduction]:
    dated = [each for each in deductions if each.day]
    if len(dated) <= MOST_DEDUCTIONS:
        return deductions
    text = ngettext(
        "%(count)d payment or credit note",
        "%(count)d payments and credit notes",
        len(dated),
    )
    all_of_them = Deduction(
        text % {"count": len(dated)}, sum((each.amount for each in dated), ZERO)
    )
    first, *_rest = dated
    return [
        all_of_them if each is first else each
        for each in deductions
        if each is first or not each.day
    ]


def vat_remarks(content: Content, figures: Figures) -> list[str]:
    """Why no VAT is charged, and the VAT in the currency of the seller's books."""
    document = content.document
    said = list(dict.fromkeys(part.reason for part in document.vat if part.reason))
    if document.vat_in_books is not None:
        amount = figures.of(document.vat_currency).money(document.vat_in_books)
        said.append(
            _("VAT in %(currency)s: %(amount)s")
            % {"currency": document.vat_currency, "amount": amount}
        )
    return said


def about_rows(content: Content, listed_from: int) -> str:
    """Where the rows are, and what their days mean."""
    said = []
    if listed_from:
        said.append(_("Details from page %(page)s on.") % {"page": listed_from})
    rows = (row for section in content.sections for row in section.rows)
    if content.payments or any(row.day for row in rows):
        zone = content.time_zone
        said.append(_("Days are those of the time zone %(zone)s.") % {"zone": zone})
    return " ".join(said)


def how_to_pay(document: Document, figures: Figures) -> str:
    """One sentence; empty where nothing is to be paid."""
    payment = document.payment
    if payment is None or document.totals.payable <= 0:
        return ""
    said = {"amount": figures.money(document.totals.payable)}
    if payment.means in DIRECT_DEBITS:
        if payment.debited_iban and document.due_on:
            said["day"] = figures.day(document.due_on)
            said["iban"] = payment.debited_iban[-4:]
            text = _("We will collect %(amount)s from IBAN …%(iban)s on %(day)s.")
            return text % said
        if not document.due_on:
            return _("We collect %(amount)s from your account.") % said
        said["day"] = figures.day(document.due_on)
        return _("We collect %(amount)s from your account on %(day)s.") % said
    if payment.means in CARDS:
        return _("We charge %(amount)s to your card.") % said
    if not document.due_on:
        return _("Please pay %(amount)s.") % said
    said["day"] = figures.day(document.due_on)
    if payment.means in TRANSFERS and (payment.iban or payment.account):
        return _("Please transfer %(amount)s by %(day)s.") % said
    return _("Please pay %(amount)s by %(day)s.") % said


def payment_details(payment: Payment | None) -> list[Fact]:
    if payment is None:
        return []
    is_debit = payment.means in DIRECT_DEBITS
    return _told(
        (_("Your account") if is_debit else _("Account holder"), payment.holder),
        (_("IBAN"), grouped_iban(payment.iban) if payment.iban else ""),
        (_("BIC"), payment.bic),
        (_("Account number"), payment.account),
        (_("Bank code"), payment.bank_code),
        (_("Bank"), payment.bank),
        (_("Mandate"), payment.mandate),
        (_("Creditor ID"), payment.creditor),
        (pgettext("payment", "Reference"), grouped_reference(payment.reference)),
    )


def movements(content: Content, figures: Figures) -> list[PrintedRow]:
    """Payments in the period, as rows of a table."""
    return [
        PrintedRow(
            movement.text,
            figures.day(movement.day),
            "",
            (),
            figures.amount(movement.amount),
        )
        for movement in content.payments
    ]


def _told(*pairs: tuple[str, str]) -> list[Fact]:
    return [Fact(label, text) for label, text in pairs if text]
