"""Plots: where values come to lie, and what the picture says in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from portal.core.plots import Mark, Plot, Value, bar_plot, level_text, step_plot

WORDS: dict[str, Any] = {
    "id": "plot",
    "title": "Balance",
    "label_heading": "Day",
    "value_heading": "Amount",
}


def values(*amounts: str) -> list[Value]:
    return [
        Value(f"day {place}", Decimal(amount), f"{amount} EUR")
        for place, amount in enumerate(amounts, start=1)
    ]


@pytest.mark.parametrize(
    ("amounts", "levels"),
    [
        (("0",), ["4", "3", "2", "1", "0"]),
        (("80", "-42"), ["100", "50", "0", "-50"]),
        (("1000",), ["1,000", "750", "500", "250", "0"]),
        (("-3", "-1"), ["0", "-1", "-2", "-3"]),
        (("0.02", "0.01"), ["0.02", "0.015", "0.01", "0.005", "0"]),
        (("123456789",), ["150M", "100M", "50M", "0"]),
    ],
)
def test_lines_are_drawn_at_round_numbers(
    amounts: tuple[str, ...], levels: list[str]
) -> None:
    plot = step_plot(values(*amounts), **WORDS)
    assert plot.levels == levels
    assert len(plot.grid) == len(levels)
    assert (plot.grid[0], plot.grid[-1]) == ("0.0", "240.0")


@pytest.mark.parametrize(("most", "levels"), [("2", "2 1 0"), ("9", "10 5 0")])
def test_things_that_are_counted_have_whole_lines(most: str, levels: str) -> None:
    plot = bar_plot(values("0", most), is_whole=True, **WORDS)
    assert plot.levels == levels.split()


def test_step_holds_for_the_width_of_its_slot() -> None:
    plot = step_plot(values("10", "-10"), **WORDS)
    assert plot.line == "M0.0 0.0L500.0 0.0L500.0 240.0L1000.0 240.0"
    assert plot.area.endswith("L1000.0 120.0L0.0 120.0Z")
    assert [slot.dot_x for slot in plot.slots] == ["250.0", "750.0"]


def test_bars_stand_on_zero_and_hang_below_it() -> None:
    plot = bar_plot(values("10", "0", "-10"), **WORDS)
    assert [(bar.y, bar.height, bar.is_negative) for bar in plot.bars] == [
        ("0.0", "120.0", False),
        ("120.0", "0.0", False),
        ("120.0", "120.0", True),
    ]


def test_mark_has_room_in_the_picture() -> None:
    mark = Mark("Credit limit", Decimal(-100), "100 EUR")
    plot = step_plot(values("10"), mark=mark, **WORDS)
    assert plot.levels[-1] == "-100"
    assert plot.mark_y == "240.0"


def test_plot_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        bar_plot([], **WORDS)


def test_description_names_ends_and_extremes() -> None:
    plot = step_plot(values("5", "-2", "9"), **WORDS)
    assert plot.description == (
        "From day 1 to day 3. Lowest: -2 EUR (day 2). Highest: 9 EUR (day 3)."
    )


def test_table_of_steps_leaves_repetitions_out() -> None:
    steps = step_plot(values("5", "5", "7", "5"), **WORDS)
    assert [value.label for value in steps.changes] == ["day 1", "day 3", "day 4"]
    bars = bar_plot(values("5", "5"), **WORDS)
    assert len(bars.changes) == 2


def test_figures_are_written_as_the_reader_does() -> None:
    with translation.override("de"):
        assert level_text(Decimal("1234.5")) == "1.234,5"


def _page(plot: Plot) -> str:
    return render_to_string("_components/plot.html", {"plot": plot})


def test_picture_names_itself_and_escapes_what_people_typed() -> None:
    html = _page(step_plot([Value("<b>", Decimal(1), "1 & 2")], **WORDS))
    assert 'aria-labelledby="plot-title plot-description"' in html
    assert "<title>&lt;b&gt;: 1 &amp; 2</title>" in html
    assert "<b>" not in html


def test_page_holds_no_inline_style_which_the_policy_forbids() -> None:
    assert "style=" not in _page(bar_plot(values("1", "-2"), **WORDS))
