"""Figures at a glance fill their rows, however many they are and however wide the page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

# How many tiles stand in each row, and by how much each row misses the right edge.
ROWS = """([count, value]) => {
    const box = document.querySelector(".tiles");
    const tile = box.querySelector(".tile");
    box.replaceChildren(...Array.from({ length: count }, () => tile.cloneNode(true)));
    box.querySelectorAll(".tile-value").forEach((each) => { each.textContent = value; });
    const end = box.getBoundingClientRect().right;
    const rows = new Map();
    for (const each of box.children) {
        const { top, right } = each.getBoundingClientRect();
        rows.set(top, [...(rows.get(top) ?? []), right]);
    }
    return [...rows.values()].map((rights) => [
        rights.length, Math.abs(end - Math.max(...rights)) < 1,
    ]);
}"""
SHORT, LONG = "€1.00", "€1,234,567,890.00"


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (1360, {1: [1], 3: [3], 4: [4], 5: [3, 2], 6: [3, 3], 7: [4, 3], 9: [3, 3, 3]}),
        (800, {3: [3], 4: [2, 2], 5: [3, 2], 6: [3, 3], 8: [2, 2, 2, 2]}),
        (390, {1: [1], 3: [2, 1], 4: [2, 2], 5: [2, 2, 1], 6: [2, 2, 2]}),
    ],
)
def test_rows_of_tiles_leave_no_hole(
    cast: World, new_visitor: Any, width: int, expected: dict[int, list[int]]
) -> None:
    ann = new_visitor()
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/")
    page.set_viewport_size({"width": width, "height": 900})
    for count, rows in expected.items():
        found = page.evaluate(ROWS, [count, SHORT])
        assert found == [[each, True] for each in rows], count


def test_long_amounts_widen_their_tile_instead_of_breaking(
    cast: World, new_visitor: Any
) -> None:
    ann = new_visitor("narrow")
    ann.sign_in(cast.ann)
    page = ann.open(f"/a/{cast.acme.pk}/")
    assert page.evaluate(ROWS, [2, LONG]) == [[1, True], [1, True]]
