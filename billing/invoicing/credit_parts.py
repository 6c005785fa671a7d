"""What of an invoice can be credited, and what of it is left. No queries.

Amounts are positive as on the invoice, and net: by VAT rate, by levy, and line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.einvoice.record import DocumentCharge, Line, VatCategory
from billing.invoicing.content import Content
from portal.core.money import ZERO, format_money

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
    done = credited_lines(earlier)
    used_up = {
        (part.category, part.rate) for part in parts if not part.levy and not part.left
    }
    lines = [
        line
        for line in original.document.lines
        if line.number not in done and (line.category, line.rate) not in used_up
    ]
    return Left(parts, lines)


def credited_lines(earlier: Iterable[Content]) -> set[str]:
    """The numbers of the lines that were given back one by one."""
    return {number for each in earlier for number in each.credited}


def parts_of(original: Content, earlier: Sequence[Content]) -> list[Part]:
    """What of an invoice can be credited, with what is left of each part."""
    document = original.document
    credited = [each.document for each in earlier]
    found = []
    for (category, rate), total in nets_of(document.lines).items():
        before = sum(
            (nets_of(each.lines).get((category, rate), ZERO) for each in credited), ZERO
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


def refuse_too_much(
    parts: Iterable[Part],
    lines: Sequence[Line],
    charges: Sequence[DocumentCharge],
    currency: str,
) -> None:
    """Nothing is credited beyond what is left, nor the other way round."""
    errors = {}
    nets = nets_of(lines)
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


def nets_of(lines: Iterable[Line]) -> dict[Group, Decimal]:
    found: dict[Group, Decimal] = {}
    for line in lines:
        key = line.category, line.rate
        found[key] = found.get(key, ZERO) + line.net
    return found
