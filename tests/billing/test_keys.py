"""Keys of entries: written as they stand in ledgers already, and read back."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from django.db import connection

from billing import keys
from billing.choices import ChargePeriod, EntryKind
from billing.models import Charge
from billing.services.charge_lines import key_of
from rateplans.choices import Feature

DAY = date(2026, 11, 1)
ORDER = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.mark.parametrize(
    ("made", "stored"),
    [
        (keys.added_fee(EntryKind.SIGNUP, 7), "signup:7"),
        (keys.added_fee(EntryKind.RECURRING, 7), "recurring:7"),
        (
            keys.period_fee(EntryKind.RECURRING, DAY, Feature.LINE, None),
            "recurring:2026-11-01:line:",
        ),
        (
            keys.period_fee(EntryKind.SIGNUP, DAY, Feature.NUMBER, 31),
            "signup:2026-11-01:number:31",
        ),
        (keys.refund(7), "refund:7"),
        (keys.contract_rest(7), "contract:7"),
        (keys.contract_returned(7), "returned:7"),
        (keys.charge_time(5, DAY), "charge:5:2026-11-01"),
        (keys.charge_time(5, None), "charge:5:once"),
        (keys.purchase(ORDER), f"purchase:{ORDER}"),
        (keys.manual("abc"), "manual:abc"),
        (keys.reversal(9), "reversal:9"),
    ],
)
def test_key_is_the_one_that_ledgers_hold(made: str, stored: str) -> None:
    assert made == stored


@pytest.mark.parametrize("kind", [EntryKind.SIGNUP, EntryKind.RECURRING])
def test_fee_is_read_back(kind: EntryKind) -> None:
    assert keys.read_fee(keys.added_fee(kind, 41)) == keys.AddedFee(41)
    for number_class in (None, 31):
        key = keys.period_fee(kind, DAY, Feature.NUMBER, number_class)
        assert keys.read_fee(key) == keys.PeriodFee(DAY, "number", number_class)


@pytest.mark.parametrize(
    "key",
    ["refund:7", "recurring", "recurring:x", "recurring:2026-11-01:line", "manual:1"],
)
def test_other_key_is_no_fee(key: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        keys.read_fee(key)


@pytest.mark.parametrize(
    ("period", "key"),
    [
        (ChargePeriod.ONCE, "charge:5:once"),
        (ChargePeriod.MONTHLY, "charge:5:2026-11-01"),
        (ChargePeriod.ANNUALLY, "charge:5:2026-11-01"),
    ],
)
def test_charge_due_once_has_one_key_whatever_the_day(
    period: ChargePeriod, key: str
) -> None:
    assert key_of(Charge(pk=5, period=period), DAY) == key


@pytest.mark.parametrize("is_once", [True, False])
def test_database_says_the_key_of_a_charge_as_the_program_does(
    db: None, is_once: bool
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {keys.charge_time_sql('wanted')} FROM unnest(%s::bigint[],"
            " %s::date[], %s::boolean[]) AS wanted (charge_id, day, is_once)",
            [[5], [DAY], [is_once]],
        )
        assert cursor.fetchone() == (keys.charge_time(5, None if is_once else DAY),)


@pytest.mark.parametrize(
    ("key", "first"),
    [
        (keys.added_fee(EntryKind.SIGNUP, 7), "7"),
        (keys.added_fee(EntryKind.RECURRING, 7), "7"),
        (keys.refund(8), "8"),
        (keys.contract_rest(9), "9"),
        (keys.contract_returned(10), "10"),
        (keys.period_fee(EntryKind.RECURRING, DAY, Feature.LINE, None), None),
        (keys.charge_time(5, None), None),
        (keys.reversal(5), None),
    ],
)
def test_database_finds_the_first_feature_of_a_key(
    db: None, key: str, first: str | None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT substring(%s from %s)", [key, keys.FIRST_FEATURE])
        assert cursor.fetchone() == (first,)


@pytest.mark.parametrize(
    ("key", "is_of_a_period"),
    [
        (keys.period_fee(EntryKind.RECURRING, DAY, Feature.LINE, None), True),
        (keys.added_fee(EntryKind.RECURRING, 2026), False),
        (keys.period_fee(EntryKind.SIGNUP, DAY, Feature.LINE, None), False),
    ],
)
def test_database_tells_fees_of_a_period(
    db: None, key: str, is_of_a_period: bool
) -> None:
    pattern = keys.period_fees(EntryKind.RECURRING)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s ~ %s", [key, pattern])
        assert cursor.fetchone() == (is_of_a_period,)
