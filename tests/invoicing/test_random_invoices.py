"""Invoices of all kinds, drawn at random: ledger, document, UBL and CII say the same.

INVOICE_SEEDS sets how many; beyond the usual few, all of them are held to the official
rules, which takes long.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing.choices import EntryKind, InvoiceOccasion, InvoiceStatus
from billing.einvoice.record import Document
from billing.invoicing.content import thaw
from billing.invoicing.crediting import WHOLE, Wanted
from billing.models import BillingAccount, EntryTax, Invoice, LedgerEntry, Tax
from billing.party_choices import TaxRounding
from billing.services import corrections, credit_notes, invoices
from billing.services.checking import check_ledger
from portal.core.actor import Actor, system_actor
from portal.core.money import ZERO, round_stated
from portal.core.scope import scopes_disabled
from rateplans.choices import BillType, InvoiceDetail
from tests.invoicing.bills import account_of, seller
from tests.invoicing.figures import book, broken, document_of, stated_alike
from tests.world import World

FEW = 12
SEEDS = int(os.environ.get("INVOICE_SEEDS", FEW))
JUDGED_EACH = 4 if SEEDS <= FEW else 1
PARTS = 3  # credit notes over parts, before the one over the rest
CHARGED = (EntryKind.CHARGE, EntryKind.RECURRING, EntryKind.CALL, EntryKind.PRODUCT)
# No VAT is below 0.5 %: BR-CO-17 takes such a rate for 0.
RATES = ("7", "2.1", "25.5", "0.533333", "100", "8.1")


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():  # rows of several tenants are looked at
        yield


@pytest.mark.parametrize("seed", range(SEEDS))
def test_figures_are_the_same_everywhere(world: World, seed: int) -> None:
    draw = random.Random(seed)
    account = _account(world, draw)
    _charge(account, _taxes(world, account, draw), draw)
    invoice = invoices.issue(
        account.pk,
        occasion=InvoiceOccasion.REQUEST,
        key="request:1",
        by=system_actor(account.provider),
    )
    if invoice is None:  # more is given back than charged
        return
    judged = seed % JUDGED_EACH == 0
    _proven(invoice, is_judged=judged)
    notes = _credited(invoice, draw, world.actor(world.ann))
    for note in notes:
        _proven(note, is_judged=judged)
    _all_given_back(invoice, notes)
    assert check_ledger().faults == 0
    account.refresh_from_db()
    if account.bill_type == BillType.POSTPAID:
        assert account.balance == 0


def _account(world: World, draw: random.Random) -> BillingAccount:
    seller(world.acme, tax_rounding=draw.choice(TaxRounding.values))
    return account_of(
        world.beta,
        draw.choice(
            [BillType.POSTPAID, BillType.PREPAID_INVOICES, BillType.PREPAID_CALLS]
        ),
        currency=draw.choice(["EUR", "EUR", "JPY", "KWD"]),
        credit_limit=Decimal(10**9),
        invoice_detail=draw.choice(InvoiceDetail.values),
    )


def _taxes(world: World, account: BillingAccount, draw: random.Random) -> list[Tax]:
    made = [world.acme_tax]
    for place in range(draw.randint(0, 4)):
        is_vat = draw.random() < 0.5
        tax = Tax.objects.create(
            owner=world.acme,
            name=f"Tax {place}",
            rate=Decimal(draw.choice(RATES)),
            amount=ZERO if is_vat else Decimal(draw.choice(["0", "0.5", "1"])),
            currency=account.currency,
            is_vat=is_vat,
        )
        made.append(tax)
    return made


def _charge(account: BillingAccount, taxes: list[Tax], draw: random.Random) -> None:
    """Up to 25 entries, some given back, some of less than the least coin."""
    for _entry in range(draw.randint(1, 25)):
        net = Decimal(draw.randint(1, 10 ** draw.randint(1, 7)))
        net = net.scaleb(-draw.choice([0, 2, 2, 3, 5, 6]))
        kind = draw.choice(CHARGED)
        if draw.random() < 0.25:
            net, kind = -net, draw.choice([EntryKind.REFUND, EntryKind.CORRECTION])
        borne = [tax for tax in taxes if draw.random() < 0.5]
        book(account, str(net), *borne, kind=kind, quantity=draw.randint(1, 7))


def _proven(invoice: Invoice, *, is_judged: bool) -> None:
    """Ledger, row, document and both XML agree to the last digit."""
    document = document_of(invoice)
    assert document.totals.gross == invoice.total
    assert -_booked(invoice) == (
        -invoice.total if invoice.corrects_id else invoice.total
    )
    if not invoice.corrects_id:
        assert document.totals.payable == invoice.payable
    content = thaw(invoice.content)
    printed = sum((section.net for section in content.sections), ZERO)
    assert printed == invoice.net == document.totals.lines
    for amount in _amounts(document):
        assert amount == round_stated(amount, document.currency)
    stated_alike(document)
    if is_judged:
        assert broken(document) == []


def _amounts(document: Document) -> Iterator[Decimal]:
    yield from (line.net for line in document.lines)
    yield from (charge.amount for charge in document.charges)
    yield from (part.amount for part in document.vat)
    yield document.totals.payable


def _booked(invoice: Invoice) -> Decimal:
    """What the ledger has of a document, without the debt that moved to it."""
    entries = LedgerEntry.objects.filter(invoice=invoice)
    own = entries.exclude(kind=EntryKind.INVOICE)
    return sum(own.values_list("amount", flat=True), ZERO)


def _credited(invoice: Invoice, draw: random.Random, by: Actor) -> list[Invoice]:
    """Random amounts of the parts, where that comes to something, then the rest."""
    made = []
    for place in range(PARTS):
        amounts = {
            part.id: round_stated(
                part.left * Decimal(draw.randint(0, 100)) / 100, invoice.currency
            )
            for part in corrections.left_of(invoice).parts
        }
        try:
            made.append(_credit(invoice, Wanted(amounts=amounts), str(place), by))
        except ValidationError as error:
            if error.code not in {"nothing", "too_much"}:
                raise
        invoice.refresh_from_db()
        if invoice.status == InvoiceStatus.CANCELLED:  # these were the rest
            return made
    made.append(_credit(invoice, WHOLE, "rest", by))
    return made


def _credit(invoice: Invoice, wanted: Wanted, token: str, by: Actor) -> Invoice:
    return credit_notes.issue(
        invoice=invoice, wanted=wanted, reason="Mistake", token=token, by=by
    ).note


def _all_given_back(invoice: Invoice, notes: list[Invoice]) -> None:
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.CANCELLED
    assert sum(note.total for note in notes) == invoice.total
    assert sum(note.net for note in notes) == invoice.net
    vat: dict[tuple[str, Decimal], Decimal] = {}
    for note in notes:
        for part in document_of(note).vat:
            key = part.category, part.rate
            vat[key] = vat.get(key, ZERO) + part.amount
    for part in document_of(invoice).vat:
        assert vat.get((part.category, part.rate), ZERO) == part.amount
    taxes = EntryTax.objects.filter(entry__invoice__in=notes, is_vat=True)
    booked = sum(taxes.values_list("amount", flat=True), ZERO)
    assert booked == sum(vat.values(), ZERO)
