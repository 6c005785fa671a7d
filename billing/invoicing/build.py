"""An invoice out of ledger entries: all it says, before it has a number. No queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing.einvoice.qr import creditor_reference, epc_text
from billing.einvoice.record import (
    Delivery,
    Document,
    DocumentCharge,
    DocumentType,
    Line,
    Payment,
    Period,
    VatBreakdown,
    VatCategory,
)
from billing.einvoice.sums import breakdown, totals
from billing.invoicing import items, sides
from billing.invoicing.content import Content, Deduction, Movement, Section, TaxLine
from billing.invoicing.deductions import adding_up
from billing.invoicing.items import Item
from billing.invoicing.vat import VatRules
from billing.models import BillingAccount, Seller
from billing.party_choices import TaxRounding
from billing.types import rules_of
from portal.core.money import ZERO, round_money, round_stated
from portal.core.periods import ONE_DAY

# What VAT may not differ by from base and rate, in any currency (BR-CO-17 and BR-S-09).
TOLERATED = Decimal(1)
# An amount, its currency, the currency wanted.
Convert = Callable[[Decimal, str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who invoices whom. ``account`` has its customer loaded, ``issuer`` its company."""

    account: BillingAccount
    issuer: Any
    seller: Seller
    language: str
    detail: str

    def vat_rules(self) -> VatRules:
        return VatRules(
            treatment=VatCategory(self.account.vat_treatment),
            untaxed=VatCategory(self.seller.untaxed_category),
            untaxed_reason=self.seller.untaxed_reason,
            reason=self.account.vat_reason,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """The days invoiced, from ``begin`` to before ``end``."""

    begin: date
    end: date


@dataclass(frozen=True, slots=True)
class Matter:
    """What is invoiced: supplies, the money that moved beside them, and the days."""

    items: Sequence[Item]
    movements: tuple[Movement, ...]
    rules: VatRules
    span: Span


@dataclass(frozen=True, slots=True)
class Settled:
    """What of a total is to be paid, and the balance beside it (D 1.5).

    ``deductions`` make up the difference. Amounts may be finer than the currency, as those
    of the ledger are: a document has them rounded.
    """

    payable: Decimal
    balance: Decimal
    deductions: tuple[Deduction, ...] = ()


def build(
    subject: Subject,
    matter: Matter,
    *,
    issued_on: date,
    due_on: date,
    convert: Convert,
    settle: Callable[[Decimal], Settled],
) -> Content:
    """All that an invoice says; its number is given by `numbered`.

    ``settle`` says of a total what of it is still to be paid, and the balance.
    Raises ValidationError where a currency has no rate.
    """
    account, found, rules = subject.account, matter.items, matter.rules
    with translation.override(subject.language):
        made = items.lines(found, account.currency)
        charges, given_back = items.levy_lines(
            items.levies(found, rules, account.currency), len(made) + 1
        )
        document = _document(
            subject,
            rules,
            (*made, *given_back),
            charges,
            span=matter.span,
            issued_on=issued_on,
            due_on=due_on,
            convert=convert,
            booked=items.vat_of(found, rules),
        )
        settled = _rounded(settle(document.totals.gross), account.currency)
        document = _with_payable(subject, document, settled.payable)
        return _content(
            subject,
            document,
            sections=(
                *items.sections(found, made, detail=subject.detail),
                *items.section_given_back(given_back, detail=subject.detail),
            ),
            taxes=_tax_lines(document, items.vat_names(found, rules)),
            payments=matter.movements,
            settled=settled,
        )


def _rounded(settled: Settled, currency: str) -> Settled:
    return replace(
        settled,
        payable=round_stated(settled.payable, currency),
        balance=round_money(settled.balance, currency),
    )


def numbered(content: Content, number: str) -> Content:
    """The same with its number, and with what is made of that: reference and QR code."""
    document = replace(content.document, number=number)
    payment = document.payment
    if payment is None:
        return replace(content, document=document)
    reference = creditor_reference(number) if payment.iban else number
    payment = replace(payment, reference=reference)
    document = replace(document, payment=payment)
    return replace(content, document=document, qr=_transfer(document, payment))


def _transfer(document: Document, payment: Payment) -> str:
    """The text of the QR code; "" where no SEPA transfer can be made of it."""
    if document.currency != "EUR" or not payment.iban:
        return ""
    try:
        return epc_text(
            name=payment.holder or document.seller.name,
            iban=payment.iban,
            bic=payment.bic,
            amount=document.totals.payable,
            reference=payment.reference,
        )
    except ValueError:
        return ""


def _document(
    subject: Subject,
    rules: VatRules,
    lines: tuple[Line, ...],
    charges: list[DocumentCharge],
    *,
    span: Span,
    issued_on: date,
    due_on: date,
    convert: Convert,
    booked: Mapping[Decimal, Decimal],
) -> Document:
    account, seller = subject.account, subject.seller
    currency = account.currency
    vat = breakdown(lines, charges, currency=currency, reasons=rules.reasons())
    if seller.tax_rounding == TaxRounding.PER_LINE:
        vat = tuple(_as_booked(part, booked, currency) for part in vat)
    header = _header_period(span, lines)
    with_vat = not rules.is_outside
    document = Document(
        type=DocumentType.INVOICE,
        number="",
        issued_on=issued_on,
        currency=currency,
        seller=sides.seller_party(subject.issuer, seller, with_vat=with_vat),
        buyer=sides.buyer_party(account, with_vat=with_vat),
        delivery=Delivery(
            # What is paid in advance is delivered later: then its days say it (BG-14).
            header.last if header.last <= issued_on else None,
            account.customer.country or subject.issuer.country,
        ),
        lines=lines,
        vat=vat,
        totals=totals(lines, charges, vat),
        charges=tuple(charges),
        period=header,
        due_on=due_on,
        buyer_reference=account.buyer_reference,
        order_reference=account.order_reference,
    )
    books = seller.books_currency
    if not books or books == currency or rules.is_outside:
        return document
    in_books = convert(document.totals.vat, currency, books)
    return replace(
        document, vat_currency=books, vat_in_books=round_stated(in_books, books)
    )


def _as_booked(
    part: VatBreakdown, booked: Mapping[Decimal, Decimal], currency: str
) -> VatBreakdown:
    """VAT as the ledger rounded it, line by line, as far as the rules tolerate that."""
    if part.category is not VatCategory.STANDARD or not part.base:
        return part
    amount = round_stated(booked.get(part.rate, ZERO), currency)
    if abs(amount - part.amount) >= TOLERATED:
        return part
    return replace(part, amount=amount)


def _header_period(span: Span, lines: Iterable[Line]) -> Period:
    """The days invoiced, widened to those of all lines (Peppol R110 and R111)."""
    periods = [line.period for line in lines if line.period]
    last = span.end - ONE_DAY
    return Period(
        min([span.begin, *(each.first for each in periods)]),
        max([last, *(each.last for each in periods)]),
    )


def _with_payable(subject: Subject, document: Document, payable: Decimal) -> Document:
    """What is left to pay, how, and until when."""
    prepaid = document.totals.gross - payable
    sums = replace(document.totals, prepaid=prepaid, payable=payable)
    if payable <= 0:
        return replace(document, totals=sums, due_on=None, terms=_("Nothing to pay."))
    return replace(
        document,
        totals=sums,
        terms=subject.seller.payment_terms,
        payment=_payment(subject, document),
    )


def _payment(subject: Subject, document: Document) -> Payment:
    """How it is paid; the account is the seller's, whoever is said to hold it."""
    payment = sides.payment_of(subject.account, subject.seller)
    if not (payment.iban or payment.account):
        return payment
    return replace(payment, holder=payment.holder or document.seller.name)


def _content(
    subject: Subject,
    document: Document,
    *,
    sections: tuple[Section, ...],
    taxes: tuple[TaxLine, ...],
    payments: tuple[Movement, ...],
    settled: Settled,
) -> Content:
    account, issuer = subject.account, subject.issuer
    customer = account.customer
    shown = rules_of(account.bill_type)
    return Content(
        document=document,
        language=subject.language,
        time_zone=customer.time_zone,
        detail=subject.detail,
        look=sides.look_of(issuer, subject.seller),
        seller_lines=sides.envelope(
            document.seller.name, issuer, home=customer.country
        ),
        buyer_lines=sides.envelope(document.buyer.name, customer, home=issuer.country),
        sections=sections,
        taxes=taxes,
        payments=payments,
        deductions=adding_up(
            settled.deductions, document.totals.prepaid, account.currency
        ),
        total_due=settled.payable if shown.shows_total_due else None,
        balance=settled.balance if shown.shows_balance else None,
        carried_over=document.totals.prepaid,
        customer_number=customer.account_number,
        customer_reference=account.bill_ref,
    )


def _tax_lines(document: Document, names: Mapping[Decimal, str]) -> tuple[TaxLine, ...]:
    """The taxes as people read them: VAT by rate, then levies by name."""
    vat = [
        TaxLine(
            items.tax_name(names.get(part.rate, _("VAT")), part.rate),
            part.rate,
            part.base,
            part.amount,
        )
        for part in document.vat
        if part.category is VatCategory.STANDARD
    ]
    base = document.totals.lines
    levies = [
        TaxLine(charge.reason, ZERO, base, charge.amount) for charge in document.charges
    ]
    return (*vat, *levies)
