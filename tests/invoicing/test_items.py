"""Entries alike in one item: what comes of many, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.einvoice.record import Period, VatCategory
from billing.invoicing.items import Item, merged
from billing.invoicing.vat import TaxOnLine

MANY = 20_000


def item(
    net: str, quantity: int = 1, *, taxes: int = 1, days: tuple[int, int] | None = None
) -> Item:
    vat = TaxOnLine(1, "VAT", Decimal(19), Decimal("0.19"), is_vat=True)
    return Item(
        section="Calls",
        text="Calls abroad",
        net=Decimal(net),
        quantity=quantity,
        category=VatCategory.STANDARD,
        rate=Decimal(19),
        taxes=(vat,) * taxes,
        day=date(2026, 3, 1),
        period=days and Period(date(2026, 3, days[0]), date(2026, 3, days[1])),
    )


@pytest.mark.parametrize(
    ("same", "net", "quantity", "is_sum"),
    [
        ([item("10", 1), item("30", 3)], "40", 4, False),
        ([item("10", 1), item("30", 2)], "40", 3, True),
        ([item("10", 1), item("30", 2), item("10", 1)], "50", 4, True),
        ([item("10", 1), item("-10", -1)], "0", 0, False),
        ([item("0", 1), item("10", 1)], "10", 2, True),
    ],
)
def test_items_alike_have_a_price_of_one_only_if_all_do(
    same: Sequence[Item], net: str, quantity: int, is_sum: bool
) -> None:
    whole = merged(same)
    assert whole.net == Decimal(net)
    assert (whole.quantity, whole.is_sum) == (quantity, is_sum)


def test_single_item_keeps_its_day() -> None:
    assert merged([item("10")]).day == date(2026, 3, 1)
    assert merged([item("10"), item("10")]).day is None


def test_items_alike_cover_the_days_of_all() -> None:
    whole = merged([item("1", days=(5, 9)), item("1"), item("1", days=(2, 7))])
    assert whole.period == Period(date(2026, 3, 2), date(2026, 3, 9))
    assert merged([item("1"), item("1")]).period is None


def test_many_items_are_merged_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the account's lock: to copy all taxes once more for each entry takes minutes."""
    same = [item("0.01", taxes=2) for _ in range(MANY)]
    copied = 0
    build = Item.__init__

    def counting(self: Item, *args: Any, **values: Any) -> None:
        nonlocal copied
        build(self, *args, **values)
        copied += len(self.taxes)

    monkeypatch.setattr(Item, "__init__", counting)
    whole = merged(same)
    assert (whole.net, whole.quantity) == (Decimal("200.00"), MANY)
    assert len(whole.taxes) == 2 * MANY
    assert copied == 2 * MANY
