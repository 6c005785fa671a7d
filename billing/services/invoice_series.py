"""Numbers of invoices: continuous for each seller, without gaps (docs/adr/0020)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.choices import InvoiceType
from billing.models import Invoice, InvoiceSeries, SeriesCount
from portal.core import audit
from portal.core.actor import Actor
from portal.core.permissions import Permission

FIELDS = ("prefix", "has_year", "width")
PREFIXES = {InvoiceType.INVOICE: "", InvoiceType.CREDIT_NOTE: "C-"}


def next_number(issuer: Any, kind: InvoiceType, year: int) -> str:
    """Take the next number of the issuer's series.

    The series waits for the end of the transaction: take it last. What is rolled back gives
    its number back, so that there are no gaps.
    """
    series = series_of(issuer, kind)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_seriescount AS count (series_id, year, last)"
            " VALUES (%s, %s, 1) ON CONFLICT (series_id, year)"
            " DO UPDATE SET last = count.last + 1 RETURNING last",
            [series.pk, year if series.has_year else 0],
        )
        (last,) = cursor.fetchone()
    return series.number(year, last)


def series_of(issuer: Any, kind: InvoiceType) -> InvoiceSeries:
    """How the issuer numbers documents of this kind; as usual until it says otherwise."""
    series, _is_new = InvoiceSeries.objects.get_or_create(
        issuer=issuer, type=kind, defaults={"prefix": PREFIXES[kind]}
    )
    return series


@transaction.atomic
def update_series(
    *, issuer: Any, values: Mapping[InvoiceType, Mapping[str, Any]], by: Actor
) -> None:
    """Set how the issuer numbers its documents from the next on; counting goes on.

    ``values`` are those of `FIELDS` for each kind, and "next": the count of its next
    document this year, None to leave that. Raises ValidationError, by fields called
    "invoice_prefix" and so on, if a number would come a second time.
    """
    by.require(Permission.SETTINGS)
    by.require(Permission.COMMERCE)
    # Two who save at once: the second is judged by what the first has made of it.
    type(issuer).objects.select_for_update(no_key=True).get(pk=issuer.pk)
    found = {kind: series_of(issuer, kind) for kind in InvoiceType}
    before = {kind: audit.snapshot(row, FIELDS) for kind, row in found.items()}
    for kind, row in found.items():
        for name in FIELDS:
            setattr(row, name, values[kind][name])
        row.full_clean(exclude=["issuer", "type"], validate_constraints=False)
    _refuse_shared_numbers(found)
    for kind, row in found.items():
        changes = audit.differences(before[kind], audit.snapshot(row, FIELDS))
        if wanted := values[kind].get("next"):
            changes |= _go_on_with(row, wanted)
        if not changes:
            continue
        _refuse_numbers_again(row)
        row.save()
        audit.record("series.updated", row, by=by, customer=issuer, changes=changes)


def _go_on_with(series: InvoiceSeries, wanted: int) -> dict[str, Any]:
    """Have the next document of this year counted as ``wanted``; what that changes.

    What is left out is never given out. Whoever takes a number meanwhile waits for the end
    of this transaction, or this waits for it.
    """
    year = timezone.localdate().year
    SeriesCount.objects.bulk_create(
        [SeriesCount(series=series, year=year if series.has_year else 0)],
        ignore_conflicts=True,
    )
    rows = SeriesCount.objects.select_for_update(no_key=True)
    count = rows.get(series=series, year=year if series.has_year else 0)
    expected = count.last + 1
    if wanted < expected:
        raise ValidationError(
            {
                f"{series.type}_next": ValidationError(
                    _("Lower numbers are in use already: enter %(count)s or more."),
                    code="used",
                    params={"count": expected},
                )
            }
        )
    if wanted == expected:
        return {}
    count.last = wanted - 1
    count.save(update_fields=["last"])
    return {"next_number": (series.number(year, expected), series.number(year, wanted))}


def next_counts(issuer: Any, year: int) -> dict[InvoiceType, dict[bool, int]]:
    """The count of the next document of each kind, with and without the year in it."""
    found = {}
    for kind, row in present_series(issuer).items():
        counts = {}
        for has_year in (True, False):
            row.has_year = has_year
            counts[has_year] = _last(row, year) + 1
        found[kind] = counts
    return found


def next_numbers(issuer: Any, year: int) -> dict[InvoiceType, str]:
    """What the next document of each kind is called; nothing is taken."""
    return {
        kind: row.number(year, _last(row, year) + 1)
        for kind, row in present_series(issuer).items()
    }


def present_series(issuer: Any) -> dict[InvoiceType, InvoiceSeries]:
    """The issuer's series as they are, or would be; nothing is saved."""
    rows = {row.type: row for row in InvoiceSeries.objects.filter(issuer=issuer.pk)}
    return {
        kind: rows.get(kind) or InvoiceSeries(type=kind, prefix=PREFIXES[kind])
        for kind in InvoiceType
    }


def _last(series: InvoiceSeries, year: int) -> int:
    """How far it has counted; 0 before it began."""
    if series.pk is None:
        return 0
    counts = SeriesCount.objects.filter(
        series=series, year=year if series.has_year else 0
    )
    return counts.values_list("last", flat=True).first() or 0


def _refuse_shared_numbers(found: Mapping[InvoiceType, InvoiceSeries]) -> None:
    """An invoice and a credit note are never called the same, however far each counts."""
    first, second = found[InvoiceType.INVOICE], found[InvoiceType.CREDIT_NOTE]
    years = _years()
    if any(
        _may_meet(one, other)
        for one in _heads(first, years)
        for other in _heads(second, years)
    ):
        raise ValidationError(
            {
                "credit_note_prefix": ValidationError(
                    _(
                        "Invoices and credit notes would have the same numbers. Give"
                        " one of them another prefix, such as C-."
                    ),
                    code="shared",
                )
            }
        )


def _refuse_numbers_again(series: InvoiceSeries) -> None:
    """A document of before has none of the numbers that are still to come."""
    for year in _years() if series.has_year else [0]:
        head, last = _head(series, year), _last(series, year)
        present = Invoice.objects.filter(
            issuer=series.issuer_id, number__regex=rf"^{re.escape(head)}[0-9]+$"
        ).values_list("number", flat=True)
        for number in present.iterator():
            count = int(number.removeprefix(head))
            if count > last and series.number(year, count) == number:
                raise ValidationError(
                    {
                        f"{series.type}_prefix": ValidationError(
                            _(
                                "%(number)s would come a second time: choose another"
                                " prefix."
                            ),
                            code="again",
                            params={"number": number},
                        )
                    }
                )


def _years() -> range:
    """This year and as many as matter."""
    year = timezone.now().year - 1  # it may still be last year somewhere
    return range(year, year + 30)


def _heads(series: InvoiceSeries, years: Iterable[int]) -> set[str]:
    return {_head(series, year) for year in years}


def _head(series: InvoiceSeries, year: int) -> str:
    """What its numbers of a year have before the count."""
    return series.number(year, 0)[: -series.width]


def _may_meet(one: str, other: str) -> bool:
    """Whether counting can make the same number behind both: "1" + 00005, "" + 100005."""
    short, long = sorted((one, other), key=len)
    rest = long.removeprefix(short)
    return long.startswith(short) and (not rest or rest.isdecimal())
