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
from billing.einvoice.sums import totals
from billing.invoicing.content import Content, Row, Section, TaxLine
from billing.invoicing.items import PIECE, tax_name
from portal.core.money import (
    ZERO,
    format_money,
    has_minor_unit_precision,
    round_money,
)

Group = tuple[VatCategory, Decimal]


@dataclass(frozen=True, slots=True)
class Part:
    """What can be credited by an amount: the lines of one VAT rate, or a levy.

    ``total`` and ``left`` are net; ``left`` is what earlier credit notes left over.
    """

    id: str
    category: VatCategory
    rate: Decimal
    total: Decimal
    left: Decimal
    levy: str = ""


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


@dataclass(frozen=True, slots=True)
class Left:
    """What of an invoice can still be credited: by amount, and line by line."""

    parts: list[Part]
    lines: list[Line]

    @property
    def is_all(self) -> bool:
        """Whether nothing was credited yet."""
        return all(part.left == part.total for part in self.parts)


def left_of(original: Content, earlier: Sequence[Content]) -> Left:
    """What earlier credit notes left over of an invoice."""
    parts = parts_of(original, earlier)
    done = _credited(earlier)
    used_up = {
        (part.category, part.rate) for part in parts if not part.levy and not part.left
    }
    lines = [
        line
        for line in original.document.lines
        if line.number not in done and (line.category, line.rate) not in used_up
    ]
    return Left(parts, lines)


def _credited(earlier: Iterable[Content]) -> set[str]:
    """The numbers of the lines that were given back one by one."""
    return {number for each in earlier for number in each.credited}


def parts_of(original: Content, earlier: Sequence[Content]) -> list[Part]:
    """What of an invoice can be credited, with what is left of each part."""
    document = original.document
    credited = [each.document for each in earlier]
    found = []
    for (category, rate), total in _nets(document.lines).items():
        before = sum(
            (_nets(each.lines).get((category, rate), ZERO) for each in credited), ZERO
        )
        name = f"vat-{category}-{rate.normalize():f}".replace(".", "_")
        found.append(Part(name, category, rate, total, total - before))
    for place, charge in enumerate(document.charges):
        before = sum(
            (
                other.amount
                for each in credited
                for other in each.charges
                if other.reason == charge.reason
            ),
            ZERO,
        )
        left = charge.amount - before
        found.append(
            Part(
                f"levy-{place}",
                charge.category,
                charge.rate,
                charge.amount,
                left,
                charge.reason,
            )
        )
    return found


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
        _refuse_too_much(parts_of(original, earlier), lines, charges, document.currency)
    except ValidationError as error:
        if wanted.lines is None:
            raise
        raise ValidationError({"lines": error.messages}) from error
    vat = _vat(original, earlier, lines, charges)
    sums = totals(lines, charges, vat)
    if sums.gross <= 0:
        raise ValidationError(_("Choose what to credit."), code="nothing")
    document = _headed(document, issued_on, reason)
    document = replace(
        document, lines=tuple(lines), charges=tuple(charges), vat=vat, totals=sums
    )
    document = _with_books(document, original, earlier)
    content = _printed(
        original,
        document,
        sections=(_section(lines),) if lines else (),
        taxes=_tax_lines(original, document),
    )
    return replace(content, credited=_numbers(original, wanted))


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
    done = _credited(earlier)
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
    _refuse_small(amounts, document.currency)
    lines, charges = [], []
    for part in parts:
        amount = round_money(amounts.get(part.id, ZERO), document.currency)
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


def _refuse_small(amounts: Mapping[str, Decimal], currency: str) -> None:
    small = {
        name: ValidationError(
            _("%(currency)s does not have that many decimal places."),
            code="minor_unit",
            params={"currency": currency},
        )
        for name, amount in amounts.items()
        if not has_minor_unit_precision(amount, currency)
    }
    if small:
        raise ValidationError(small)


def _refuse_too_much(
    parts: Iterable[Part],
    lines: Sequence[Line],
    charges: Sequence[DocumentCharge],
    currency: str,
) -> None:
    """Nothing is credited beyond what is left, nor the other way round."""
    errors = {}
    nets = _nets(lines)
    levies: dict[str, Decimal] = {}
    for charge in charges:
        levies[charge.reason] = levies.get(charge.reason, ZERO) + charge.amount
    for part in parts:
        if part.levy:
            amount = levies.get(part.levy, ZERO)
        else:
            amount = nets.get((part.category, part.rate), ZERO)
        low, high = min(ZERO, part.left), max(ZERO, part.left)
        if not low <= amount <= high:
            errors[part.id] = ValidationError(
                _("There is only %(left)s left to credit."),
                code="too_much",
                params={"left": format_money(part.left, currency)},
            )
    if errors:
        raise ValidationError(errors)


def _nets(lines: Iterable[Line]) -> dict[Group, Decimal]:
    found: dict[Group, Decimal] = {}
    for line in lines:
        key = line.category, line.rate
        found[key] = found.get(key, ZERO) + line.net
    return found


def _bases(
    lines: Iterable[Line], charges: Iterable[DocumentCharge]
) -> dict[Group, Decimal]:
    found = _nets(lines)
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
        amount = _share(
            whole[key].amount,
            of=whole[key].base,
            before=sum((part.base for part in before), ZERO),
            now=base,
            given=sum((part.amount for part in before), ZERO),
            currency=currency,
        )
        made.append(replace(whole[key], base=base, amount=amount))
    return tuple(made)


def _share(
    total: Decimal,
    *,
    of: Decimal,
    before: Decimal,
    now: Decimal,
    given: Decimal,
    currency: str,
) -> Decimal:
    """What of ``total`` goes with ``now`` out of ``of``, where ``given`` went ``before``."""
    if not of:
        return ZERO
    return round_money(total * (before + now) / of, currency) - given


def _with_books(
    document: Document, original: Content, earlier: Sequence[Content]
) -> Document:
    """The VAT once more in the currency of the seller's books, at the invoice's rate."""
    whole = original.document
    if whole.vat_in_books is None:
        return document
    amount = _share(
        whole.vat_in_books,
        of=whole.totals.vat,
        before=sum((each.document.totals.vat for each in earlier), ZERO),
        now=document.totals.vat,
        given=sum((each.document.vat_in_books or ZERO for each in earlier), ZERO),
        currency=whole.vat_currency,
    )
    return replace(document, vat_in_books=amount)


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
