"""What a credit note says: an invoice, or parts of it, given back. No queries.

Amounts are positive as on the invoice. VAT of parts is spread cumulatively: all credit notes
of an invoice together give back exactly its VAT, however often they were rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.einvoice.record import (
    Document,
    DocumentCharge,
    DocumentType,
    Line,
    Preceding,
    VatBreakdown,
    VatCategory,
)
from billing.einvoice.sums import totals, vat_on
from billing.invoicing.content import Content, Row, Section, TaxLine
from billing.invoicing.credit_parts import (
    Group,
    Part,
    credited_lines,
    nets_of,
    parts_of,
    refuse_too_much,
)
from billing.invoicing.items import PIECE, tax_name
from portal.core.money import (
    ZERO,
    format_money,
    has_minor_unit_precision,
    round_stated,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to credit: net ``amounts`` by the id of parts, or ``lines`` by their numbers
    and levies by the ids of their parts; neither means all that is left."""

    amounts: Mapping[str, Decimal] | None = None
    lines: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        return self.amounts is None and self.lines is None


WHOLE = Wanted()


def credit(
    original: Content,
    earlier: Sequence[Content],
    wanted: Wanted,
    *,
    issued_on: date,
    reason: str,
) -> Content:
    """The credit note, without its number and terms.

    Raises ValidationError for more than is left, by the ids of parts or for ``lines``, and
    for nothing at all.
    """
    if wanted.is_whole and not earlier:
        return _mirrored(original, issued_on, reason)
    _refuse_again(original, earlier, wanted)
    lines, charges = _chosen(original, earlier, wanted)
    document = original.document
    try:
        refuse_too_much(parts_of(original, earlier), lines, charges, document.currency)
    except ValidationError as error:
        if wanted.lines is None:
            raise
        raise ValidationError({"lines": error.messages}) from error
    vat = _vat(original, earlier, lines, charges)
    sums = totals(lines, charges, vat)
    _refuse_sum(sums.gross, original, earlier, wanted, is_empty=not (lines or charges))
    document = _headed(document, issued_on, reason)
    document = replace(
        document,
        lines=tuple(lines) or (_bare_line(charges[0], original.document),),
        charges=tuple(charges),
        vat=vat,
        totals=sums,
    )
    document = _with_books(document, original, earlier)
    content = _printed(
        original,
        document,
        sections=(_section(lines),) if lines else (),
        taxes=_tax_lines(original, document),
    )
    return replace(content, credited=_numbers(original, wanted))


def _refuse_sum(
    gross: Decimal,
    original: Content,
    earlier: Sequence[Content],
    wanted: Wanted,
    *,
    is_empty: bool,
) -> None:
    """Together no more than the invoice, though a part of it may be: another is below 0.

    What is left in the end may come to 0, as may a whole invoice.
    """
    if is_empty or gross < 0 or (not gross and not wanted.is_whole):
        raise ValidationError(_("Choose what to credit."), code="nothing")
    document = original.document
    credited = sum((each.document.totals.gross for each in earlier), ZERO)
    left = document.totals.gross - credited
    if gross <= left:
        return
    error = ValidationError(
        _(
            "With taxes this comes to %(gross)s, but only %(left)s of the invoice is left"
            " to credit."
        ),
        code="too_much",
        params={
            "gross": format_money(gross, document.currency),
            "left": format_money(left, document.currency),
        },
    )
    raise error if wanted.lines is None else ValidationError({"lines": error})


def _numbers(original: Content, wanted: Wanted) -> tuple[str, ...]:
    """The numbers of the lines that are wanted one by one, in their order."""
    chosen = wanted.lines or frozenset()
    return tuple(
        line.number for line in original.document.lines if line.number in chosen
    )


def _refuse_again(
    original: Content, earlier: Sequence[Content], wanted: Wanted
) -> None:
    """A line is given back once, however much of its VAT rate is left by others."""
    done = credited_lines(earlier)
    again = [
        line.name
        for line in original.document.lines
        if line.number in done and line.number in (wanted.lines or ())
    ]
    if again:
        raise ValidationError(
            {
                "lines": ValidationError(
                    _("Credited before: %(lines)s"),
                    code="again",
                    params={"lines": ", ".join(again)},
                )
            }
        )


def _mirrored(original: Content, issued_on: date, reason: str) -> Content:
    document = _headed(original.document, issued_on, reason)
    gross = document.totals.gross
    sums = replace(document.totals, prepaid=ZERO, payable=gross)
    document = replace(document, totals=sums)
    return _printed(
        original, document, sections=original.sections, taxes=original.taxes
    )


def _headed(document: Document, issued_on: date, reason: str) -> Document:
    return replace(
        document,
        type=DocumentType.CREDIT_NOTE,
        number="",
        issued_on=issued_on,
        due_on=None,
        terms="",
        payment=None,
        note=reason,
        preceding=Preceding(document.number, document.issued_on),
    )


def _printed(
    original: Content,
    document: Document,
    *,
    sections: tuple[Section, ...],
    taxes: tuple[TaxLine, ...],
) -> Content:
    return replace(
        original,
        document=document,
        sections=sections,
        taxes=taxes,
        payments=(),
        total_due=None,
        balance=None,
        carried_over=ZERO,
        qr="",
    )


def _chosen(
    original: Content, earlier: Sequence[Content], wanted: Wanted
) -> tuple[list[Line], list[DocumentCharge]]:
    document = original.document
    if wanted.lines is not None:
        lines = [line for line in document.lines if line.number in wanted.lines]
        charges = [
            charge
            for place, charge in enumerate(document.charges)
            if f"levy-{place}" in wanted.lines
        ]
        return [
            replace(line, number=str(place)) for place, line in enumerate(lines, 1)
        ], charges
    parts = parts_of(original, earlier)
    amounts = wanted.amounts
    if amounts is None:
        amounts = {part.id: part.left for part in parts}
    _refuse_small(amounts, parts, document.currency)
    currency = document.currency
    lines, charges = [], []
    for part in parts:
        amount = amounts.get(part.id, ZERO)
        amount = part.left if amount == part.left else round_stated(amount, currency)
        if not amount:
            continue
        if part.levy:
            charges.append(DocumentCharge(amount, part.levy, part.category, part.rate))
        else:
            lines.append(_line(part, amount, len(lines) + 1, document))
    return lines, charges


def _line(part: Part, amount: Decimal, place: int, document: Document) -> Line:
    """A part as one line; what takes back a discount has a quantity below 0 (BR-27)."""
    return Line(
        number=str(place),
        name=_("Credit on invoice %(number)s") % {"number": document.number},
        quantity=Decimal(1 if amount > 0 else -1),
        unit=PIECE,
        price=abs(amount),
        net=amount,
        category=part.category,
        rate=part.rate,
    )


def _bare_line(charge: DocumentCharge, document: Document) -> Line:
    """A line of nothing, for a credit note over levies alone: a document has one (BR-16).

    Stated as lines, levies would count for the part whose VAT rate they share.
    """
    return Line(
        number="1",
        name=_("Credit on invoice %(number)s") % {"number": document.number},
        quantity=Decimal(1),
        unit=PIECE,
        price=ZERO,
        net=ZERO,
        category=charge.category,
        rate=charge.rate,
    )


def _refuse_small(
    amounts: Mapping[str, Decimal], parts: Iterable[Part], currency: str
) -> None:
    """What no document may state, unless the invoice is older than that rule and did."""
    left = {part.id: part.left for part in parts}
    small = {
        name: ValidationError(
            _("Invoices state amounts with two decimal places at most.")
            if has_minor_unit_precision(amount, currency)
            else _("%(currency)s does not have that many decimal places."),
            code="minor_unit",
            params={"currency": currency},
        )
        for name, amount in amounts.items()
        if amount not in {round_stated(amount, currency), left.get(name)}
    }
    if small:
        raise ValidationError(small)


def _bases(
    lines: Iterable[Line], charges: Iterable[DocumentCharge]
) -> dict[Group, Decimal]:
    found = nets_of(lines)
    for charge in charges:
        key = charge.category, charge.rate
        found[key] = found.get(key, ZERO) + charge.amount
    return found


def _vat(
    original: Content,
    earlier: Sequence[Content],
    lines: Sequence[Line],
    charges: Sequence[DocumentCharge],
) -> tuple[VatBreakdown, ...]:
    currency = original.document.currency
    whole = {(part.category, part.rate): part for part in original.document.vat}
    made = []
    for key, base in sorted(_bases(lines, charges).items()):
        before = [
            part
            for each in earlier
            for part in each.document.vat
            if (part.category, part.rate) == key
        ]
        upto = _vat_upto(
            base + sum((part.base for part in before), ZERO), whole[key], currency
        )
        amount = upto - sum((part.amount for part in before), ZERO)
        made.append(replace(whole[key], base=base, amount=amount))
    return tuple(made)


def _vat_upto(base: Decimal, whole: VatBreakdown, currency: str) -> Decimal:
    """The VAT of all that was credited so far: of all in the end, however it was rounded.

    Worked out on the sum, no part of it is off by what rules do not tolerate, which is one
    of the currency: that may be its least coin.
    """
    if base != whole.base and whole.amount == vat_on(whole.base, whole.rate, currency):
        return vat_on(base, whole.rate, currency)
    return _share(whole.amount, base, of=whole.base, currency=currency)


def _share(total: Decimal, now: Decimal, *, of: Decimal, currency: str) -> Decimal:
    """What of ``total`` goes with ``now`` out of ``of``."""
    if now == of:
        return total
    return round_stated(total * now / of, currency) if of else ZERO


def _with_books(
    document: Document, original: Content, earlier: Sequence[Content]
) -> Document:
    """The VAT once more in the currency of the seller's books, at the invoice's rate."""
    whole = original.document
    if whole.vat_in_books is None:
        return document
    upto = _share(
        whole.vat_in_books,
        document.totals.vat + sum((each.document.totals.vat for each in earlier), ZERO),
        of=whole.totals.vat,
        currency=whole.vat_currency,
    )
    given = sum((each.document.vat_in_books or ZERO for each in earlier), ZERO)
    return replace(document, vat_in_books=upto - given)


def _section(lines: Iterable[Line]) -> Section:
    rows = tuple(
        Row(
            text=line.name,
            net=line.net,
            quantity=int(line.quantity),
            period=line.period,
            taxes=tax_name(_("VAT"), line.rate) if line.rate else "",
        )
        for line in lines
    )
    return Section(_("Credited"), sum((row.net for row in rows), ZERO), rows)


def _tax_lines(original: Content, document: Document) -> tuple[TaxLine, ...]:
    """The taxes as people read them, called as on the invoice."""
    names = {tax.rate: tax.name for tax in original.taxes if tax.rate}
    vat = [
        TaxLine(
            names.get(part.rate) or tax_name(_("VAT"), part.rate),
            part.rate,
            part.base,
            part.amount,
        )
        for part in document.vat
        if part.category is VatCategory.STANDARD
    ]
    levies = [
        TaxLine(charge.reason, ZERO, document.totals.lines, charge.amount)
        for charge in document.charges
    ]
    return (*vat, *levies)
