"""Exchange rates of the whole system: entered or imported by the system owner (D 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import ExchangeRate
from billing.services.rate_file import RateFile
from portal.core import audit
from portal.core.actor import Actor
from portal.core.permissions import Permission

_UPSERT = """
INSERT INTO billing_exchangerate (currency, "on", rate)
SELECT * FROM unnest(%s::text[], %s::date[], %s::numeric[])
ON CONFLICT (currency, "on") DO UPDATE SET rate = excluded.rate
    WHERE billing_exchangerate.rate <> excluded.rate
RETURNING xmax = 0
"""
_COMPARED = """
SELECT count(*) FILTER (WHERE present.id IS NULL),
       count(*) FILTER (WHERE present.rate <> wanted.rate)
FROM unnest(%s::text[], %s::date[], %s::numeric[]) AS wanted (currency, day, rate)
LEFT JOIN billing_exchangerate present
       ON present.currency = wanted.currency AND present."on" = wanted.day
"""


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What becomes, or would become, of the rates of a file."""

    added: int
    changed: int
    same: int


@transaction.atomic
def set_rate(*, currency: str, on: date, rate: Decimal, by: Actor) -> ExchangeRate:
    """Enter the rate of a day, in units for one euro; replaces what was entered before.

    What was posted keeps the rate it was posted with. Raises ValidationError by field.
    """
    by.require(Permission.SYSTEM)
    _refuse_future(on)
    row = ExchangeRate(currency=currency, on=on, rate=rate)
    row.clean_fields()
    if currency == "EUR":
        raise ValidationError(
            {"currency": _("The euro is what the others are measured in.")}, code="euro"
        )
    if rate <= 0:
        raise ValidationError({"rate": _("Enter a rate above 0.")}, code="rate")
    before = (
        ExchangeRate.objects.select_for_update()
        .filter(currency=currency, on=on)
        .first()
    )
    _write({(currency, on): rate})
    row = ExchangeRate.objects.get(currency=currency, on=on)
    old = before.rate if before else None
    if old != row.rate:
        audit.record(
            "exchange_rate.updated" if before else "exchange_rate.created",
            row,
            by=by,
            customer=by.customer,
            changes={"rate": (old, row.rate)},
        )
    return row


def check_import(file: RateFile) -> ImportCounts:
    """What `import_rates` would do; writes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPARED, _arrays(file.rates))
        added, changed = cursor.fetchone()
    return ImportCounts(added, changed, len(file.rates) - added - changed)


@transaction.atomic
def import_rates(*, file: RateFile, by: Actor) -> ImportCounts:
    """Write the rates of a file; those that are there already stay, so again does nothing."""
    by.require(Permission.SYSTEM)
    newest = max((day for _currency, day in file.rates), default=None)
    if newest is not None:
        _refuse_future(newest)
    written = _write(file.rates)
    counts = ImportCounts(
        added=sum(written),
        changed=len(written) - sum(written),
        same=len(file.rates) - len(written),
    )
    if written:
        row = ExchangeRate.objects.order_by("-on", "pk").first()
        assert row is not None
        audit.record(
            "exchange_rate.imported",
            row,
            by=by,
            customer=by.customer,
            changes={"added": (None, counts.added), "changed": (None, counts.changed)},
        )
    return counts


def _refuse_future(day: date) -> None:
    # Somewhere it is tomorrow already.
    if day > timezone.now().date() + timedelta(days=1):
        raise ValidationError(
            {"on": _("Rates of days to come are not known yet.")}, code="future"
        )


def _write(rates: dict[tuple[str, date], Decimal]) -> list[bool]:
    """For each rate written, whether it is new; unchanged ones are not among them."""
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, _arrays(rates))
        return [row[0] for row in cursor.fetchall()]


def _arrays(
    rates: dict[tuple[str, date], Decimal],
) -> list[list[str] | list[date] | list[Decimal]]:
    # In one order for everybody, so that two imports at once do not wait for each other.
    keys = sorted(rates)
    return [
        [currency for currency, _day in keys],
        [day for _currency, day in keys],
        [rates[key] for key in keys],
    ]
