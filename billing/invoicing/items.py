"""What a customer was charged, as lines of an invoice: grouped as its detail level says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from babel.numbers import format_decimal
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, to_locale
from django.utils.translation import gettext_lazy as _

from billing.choices import EntryKind
from billing.einvoice.record import DocumentCharge, Line, Period, VatCategory
from billing.invoicing.content import Movement, Row, Section
from billing.invoicing.vat import TaxOnLine, VatRules
from billing.models import LedgerEntry
from portal.core.money import ZERO, round_money, round_stated
from portal.core.periods import ONE_DAY, local_date
from rateplans.choices import Feature, InvoiceDetail

# The sections of an invoice in their order, by the kinds of entries they take.
CORRECTIONS = _("Corrections and refunds")
SECTIONS: dict[str, Promise] = {
    EntryKind.RECURRING: _("Recurring fees"),
    EntryKind.SIGNUP: _("Sign-up fees"),
    EntryKind.CHARGE: _("Charges"),
    EntryKind.PRODUCT: _("Products"),
    EntryKind.CALL: _("Calls"),
    EntryKind.DEBIT: CORRECTIONS,
    EntryKind.CREDIT: CORRECTIONS,
    EntryKind.CORRECTION: CORRECTIONS,
    EntryKind.REFUND: CORRECTIONS,
    EntryKind.REVERSAL: CORRECTIONS,
}
# Money, not supplies: it settles what is invoiced. A credit with taxes is a lower price.
MONEY = {
    EntryKind.CREDIT,
    EntryKind.TOPUP,
    EntryKind.PAYMENT,
    EntryKind.OPENING,
    EntryKind.AFFILIATE,
}
# What is posted of invoices themselves: entries of the one that they are about, which no
# document tells of.
OWN = (EntryKind.INVOICE, EntryKind.ROUNDING, EntryKind.WRITE_OFF)
PIECE = "C62"  # UN/ECE Recommendation 20


@dataclass(frozen=True, slots=True)
class Item:
    """One entry, or several alike: ``net`` is positive where the customer is charged."""

    section: Any
    text: str
    net: Decimal
    quantity: int
    category: VatCategory
    rate: Decimal
    taxes: tuple[TaxOnLine, ...]
    day: date | None = None
    period: Period | None = None
    key: tuple[object, ...] = field(default=())
    is_sum: bool = False  # of things that have no price of one in common


def merged(same: Sequence[Item]) -> Item:
    """All of them in one, in a single pass: the days of all, and the text of the first."""
    first = same[0]
    if len(same) == 1:
        return first
    net, quantity, is_sum = ZERO, 0, False
    for item in same:
        # As of what was added up so far: 3 pieces for 30 and 1 for 10 have one price.
        has_one_price = net * item.quantity == item.net * quantity
        is_sum = is_sum or item.is_sum or not has_one_price
        net, quantity = net + item.net, quantity + item.quantity
    periods = [item.period for item in same if item.period]
    return replace(
        first,
        net=net,
        quantity=quantity,
        taxes=tuple(chain.from_iterable(item.taxes for item in same)),
        is_sum=is_sum,
        day=None,
        period=Period(
            min(each.first for each in periods), max(each.last for each in periods)
        )
        if periods
        else None,
    )


def is_money(entry: LedgerEntry) -> bool:
    """Whether an entry is a payment or the like, rather than something supplied."""
    said = entry.reverses if entry.reverses is not None else entry
    return said.kind in MONEY and said.net == said.amount


def movements(
    entries: Iterable[LedgerEntry], zone: str, currency: str
) -> tuple[Movement, ...]:
    """The money among ``entries`` that came in or went out, oldest first."""
    return tuple(
        Movement(
            local_date(zone, entry.at),
            entry.description,
            round_money(entry.amount, currency),
        )
        for entry in entries
        if is_money(entry)
    )


def items(
    entries: Iterable[LedgerEntry], rules: VatRules, *, detail: str, zone: str
) -> list[Item]:
    """The supplies among ``entries``, grouped as ``detail`` says, never across VAT rates.

    ``entries`` have their taxes, charge and product loaded. Texts are in the active
    language, or the entries' own.
    """
    order = {str(title): place for place, title in enumerate(SECTIONS.values())}
    alike: dict[tuple[object, ...], list[Item]] = {}
    for entry in entries:
        if entry.kind in OWN or is_money(entry):
            continue
        item = _item(entry, rules, detail, zone)
        alike.setdefault(item.key, []).append(item)
    found = [merged(same) for same in alike.values()]
    return sorted(found, key=lambda item: order.get(str(item.section), 99))


def _item(entry: LedgerEntry, rules: VatRules, detail: str, zone: str) -> Item:
    taxes = tuple(
        TaxOnLine(tax.tax_id, tax.name, tax.rate, -tax.amount, tax.is_vat)
        for tax in entry.taxes.all()
    )
    category, rate = rules.of_line(taxes)
    section: Any = SECTIONS[entry.kind]
    text, thing = _thing(entry, section, detail)
    period = None
    if entry.period_start and entry.period_end:
        period = Period(entry.period_start, entry.period_end - ONE_DAY)
    return Item(
        section=_services() if detail == InvoiceDetail.TOTAL else str(section),
        text=text,
        net=-entry.net,
        quantity=entry.quantity if entry.amount < 0 else -entry.quantity,
        category=category,
        rate=rate,
        taxes=taxes,
        day=local_date(zone, entry.at) if detail == InvoiceDetail.ITEMISED else None,
        period=period,
        key=(*thing, category, rate),
        is_sum=detail in {InvoiceDetail.TOTAL, InvoiceDetail.SUMMARY},
    )


def _thing(
    entry: LedgerEntry, section: Any, detail: str
) -> tuple[str, tuple[object, ...]]:
    """What an entry is called at this level of detail, and what it is summed up by."""
    if detail == InvoiceDetail.TOTAL:
        return _services(), ()
    if detail == InvoiceDetail.SUMMARY:
        return str(section), (str(section),)
    if detail == InvoiceDetail.ITEMISED:
        return entry.description, (entry.pk,)
    if entry.charge is not None:
        return entry.charge.name, (str(section), "charge", entry.charge_id)
    if entry.product is not None:
        return entry.product.name, (str(section), "product", entry.product_id)
    if entry.feature:
        return str(Feature(entry.feature).label), (str(section), entry.feature)
    return entry.description, (str(section), entry.pk)


def _services() -> str:
    return gettext("Telephone services")


def lines(found: Iterable[Item], currency: str) -> list[Line]:
    """As EN 16931 wants them: nets rounded, prices positive, quantities with the sign."""
    made = []
    for place, item in enumerate(found, 1):
        net = round_stated(item.net, currency)
        count = 1 if item.is_sum else item.quantity
        quantity, price = _quantity_and_price(count, net)
        made.append(
            Line(
                number=str(place),
                name=item.text,
                quantity=quantity,
                unit=PIECE,
                price=price,
                net=net,
                category=item.category,
                rate=item.rate,
                period=item.period,
            )
        )
    return made


def _quantity_and_price(count: int, net: Decimal) -> tuple[Decimal, Decimal]:
    """Units and the price of one; 1 where the price of each would not be exact.

    A price is never negative (BR-27): what is taken back has a negative quantity.
    """
    sign = -1 if net < 0 else 1
    units = abs(count) or 1
    price = abs(net) / units
    if price.as_tuple().exponent < -6 or price * units != abs(net):  # type: ignore[operator]
        units, price = 1, abs(net)
    return Decimal(sign * units), price


def levies(
    found: Iterable[Item], rules: VatRules, currency: str
) -> list[DocumentCharge]:
    """Taxes that are charges of the whole document, one by name; those of 0 are left out."""
    sums: dict[str, Decimal] = {}
    for item in found:
        for tax in item.taxes:
            if rules.is_charge(tax):
                sums[tax.name] = sums.get(tax.name, ZERO) + tax.amount
    return [
        DocumentCharge(
            amount=round_stated(amount, currency),
            reason=name,
            category=rules.of_levies,
            rate=ZERO,
        )
        for name, amount in sums.items()
        if round_stated(amount, currency)
    ]


def levy_lines(
    charges: Iterable[DocumentCharge], first: int
) -> tuple[list[DocumentCharge], list[Line]]:
    """Charges as they are, and as lines those that are given back: no charge is negative."""
    kept = [charge for charge in charges if charge.amount > 0]
    back = [charge for charge in charges if charge.amount < 0]
    made = [
        Line(
            number=str(place),
            name=charge.reason,
            quantity=Decimal(-1),
            unit=PIECE,
            price=-charge.amount,
            net=charge.amount,
            category=charge.category,
            rate=charge.rate,
        )
        for place, charge in enumerate(back, first)
    ]
    return kept, made


def vat_of(found: Iterable[Item], rules: VatRules) -> dict[Decimal, Decimal]:
    """The VAT in the ledger by rate, as it was booked line by line."""
    sums: dict[Decimal, Decimal] = {}
    for item in found:
        for tax in item.taxes:
            if not rules.is_charge(tax):
                sums[item.rate] = sums.get(item.rate, ZERO) + tax.amount
    return sums


def vat_names(found: Iterable[Item], rules: VatRules) -> dict[Decimal, str]:
    """What VAT of a rate is called: the names of its taxes."""
    names: dict[Decimal, dict[str, None]] = {}
    for item in found:
        for tax in item.taxes:
            if not rules.is_charge(tax):
                names.setdefault(item.rate, {})[tax.name] = None
    return {rate: " + ".join(known) for rate, known in names.items()}


def sections(
    found: Iterable[Item], made: Iterable[Line], *, detail: str
) -> tuple[Section, ...]:
    """The printed side of the same lines."""
    has_rows = detail in {InvoiceDetail.DESTINATION, InvoiceDetail.ITEMISED}
    rows: dict[str, list[Row]] = {}
    for item, line in zip(found, made, strict=True):
        rows.setdefault(str(item.section), []).append(
            Row(
                text=item.text,
                net=line.net,
                quantity=item.quantity,
                day=item.day,
                period=item.period,
                taxes=_taxes_text(item),
            )
        )
    return tuple(
        Section(
            title, sum((row.net for row in own), ZERO), tuple(own if has_rows else ())
        )
        for title, own in rows.items()
    )


def section_given_back(given_back: Sequence[Line], *, detail: str) -> list[Section]:
    """The printed side of levies that are given back; none if there are none."""
    if not given_back:
        return []
    has_rows = detail in {InvoiceDetail.DESTINATION, InvoiceDetail.ITEMISED}
    rows = tuple(Row(text=line.name, net=line.net) for line in given_back)
    net = sum((row.net for row in rows), ZERO)
    return [Section(gettext("Levies given back"), net, rows if has_rows else ())]


def _taxes_text(item: Item) -> str:
    names = dict.fromkeys((tax.name, tax.rate) for tax in item.taxes)
    return ", ".join(tax_name(name, rate) for name, rate in names)


def tax_name(name: str, rate: Decimal) -> str:
    """A tax with its rate, unless its name tells it: "VAT 19 %"."""
    if not rate:
        return name
    said = format_decimal(rate.normalize(), locale=to_locale(get_language() or "en"))
    return name if said in name else f"{name} {said} %"
