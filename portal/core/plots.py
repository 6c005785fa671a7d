"""Plots as pictures in the page: Decimals in, coordinates of an SVG out; no queries.

Every value has a slot of the same width: a bar in a bar plot, a level stretch in a step plot.
The picture is stretched to its place (templates/_components/plot.html), so coordinates are
shares of `WIDTH` and `HEIGHT`, and words stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from babel import Locale
from babel.numbers import format_compact_decimal, format_decimal
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from portal.core.money import ZERO

WIDTH = Decimal(1000)
HEIGHT = Decimal(240)
LINES = 4  # about so many intervals between the lines across
BAR_SHARE = Decimal("0.64")  # of its slot; the rest is room between two bars
_TENTH = Decimal("0.1")
# From here on figures beside the lines are written short: 120K.
_LONG = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a plot: what it is of, how much, how that reads.

    ``tick`` is what stands below its slot, if anything.
    """

    label: str
    amount: Decimal
    text: str
    tick: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A level to compare with, such as a limit: a dashed line."""

    label: str
    amount: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one value is: the whole height of it answers to the pointer."""

    x: str
    width: str
    dot_x: str
    dot_y: str
    value: Value


@dataclass(frozen=True, slots=True)
class Plot:
    """All that the template draws; coordinates are texts, since a picture is a text."""

    id: str
    title: str
    description: str
    label_heading: str
    value_heading: str
    values: Sequence[Value]
    slots: Sequence[Slot]
    bars: Sequence[Bar]
    line: str
    area: str
    grid: Sequence[str]
    zero: str
    levels: Sequence[str]
    mark: Mark | None
    mark_y: str

    @property
    def last(self) -> Value:
        return self.values[-1]

    @property
    def view_box(self) -> str:
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def width(self) -> str:
        return str(WIDTH)

    @property
    def height(self) -> str:
        return str(HEIGHT)

    @property
    def changes(self) -> list[Value]:
        """The values for the table: those that repeat the one before are left out."""
        if self.bars:
            return list(self.values)
        return [
            value
            for place, value in enumerate(self.values)
            if place == 0 or value.amount != self.values[place - 1].amount
        ]


def step_plot(
    values: Sequence[Value], *, mark: Mark | None = None, **words: Any
) -> Plot:
    """Something that stays what it is until it changes, such as a balance.

    ``words``: ``id``, ``title``, ``label_heading`` and ``value_heading``.
    """
    scale = _Scale.of(values, mark)
    width = WIDTH / len(values)
    points = []
    for place, value in enumerate(values):
        y = scale.y(value.amount)
        points += [f"{_text(place * width)} {y}", f"{_text((place + 1) * width)} {y}"]
    line = "M" + "L".join(points)
    zero = scale.y(ZERO)
    area = f"{line}L{_text(WIDTH)} {zero}L0.0 {zero}Z"
    return _plot(values, scale, mark, line=line, area=area, **words)


def bar_plot(values: Sequence[Value], *, is_whole: bool = False, **words: Any) -> Plot:
    """Something of separate times, such as the revenue of months; words as in `step_plot`.

    ``is_whole`` for things that are counted.
    """
    scale = _Scale.of(values, None, is_whole=is_whole)
    width = WIDTH / len(values)
    bars = [
        Bar(
            x=_text((place + (1 - BAR_SHARE) / 2) * width),
            y=scale.y(max(value.amount, ZERO)),
            width=_text(width * BAR_SHARE),
            height=_text(abs(value.amount) * scale.unit),
            is_negative=value.amount < 0,
        )
        for place, value in enumerate(values)
    ]
    return _plot(values, scale, None, bars=bars, **words)


def _plot(
    values: Sequence[Value],
    scale: _Scale,
    mark: Mark | None,
    *,
    id: str,  # noqa: A002 - the name of the HTML attribute it becomes
    title: str,
    label_heading: str,
    value_heading: str,
    bars: Sequence[Bar] = (),
    line: str = "",
    area: str = "",
) -> Plot:
    width = WIDTH / len(values)
    return Plot(
        id=id,
        title=title,
        description=_description(values),
        label_heading=label_heading,
        value_heading=value_heading,
        values=values,
        slots=[
            Slot(
                x=_text(place * width),
                width=_text(width),
                dot_x=_text((place + Decimal("0.5")) * width),
                dot_y=scale.y(value.amount),
                value=value,
            )
            for place, value in enumerate(values)
        ],
        bars=bars,
        line=line,
        area=area,
        grid=[scale.y(level) for level in scale.levels()],
        zero=scale.y(ZERO),
        levels=[level_text(level) for level in scale.levels()],
        mark=mark,
        mark_y=scale.y(mark.amount) if mark else "",
    )


def _description(values: Sequence[Value]) -> str:
    least = min(values, key=lambda value: value.amount)
    most = max(values, key=lambda value: value.amount)
    return _(
        "From %(first)s to %(last)s. Lowest: %(least)s (%(least_label)s)."
        " Highest: %(most)s (%(most_label)s)."
    ) % {
        "first": values[0].label,
        "last": values[-1].label,
        "least": least.text,
        "least_label": least.label,
        "most": most.text,
        "most_label": most.label,
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    """From round number to round number, with 0 on it: plots that leave it out exaggerate."""

    low: Decimal
    high: Decimal
    step: Decimal

    @classmethod
    def of(
        cls, values: Sequence[Value], mark: Mark | None, *, is_whole: bool = False
    ) -> _Scale:
        if not values:
            raise ValueError("a plot needs values")
        amounts = [ZERO, *(value.amount for value in values)]
        if mark:
            amounts.append(mark.amount)
        low, high = min(amounts), max(amounts)
        if low == high:
            return cls(ZERO, Decimal(LINES), Decimal(1))
        step = _round_step((high - low) / LINES, is_whole)
        return cls(
            (low / step).to_integral_value(ROUND_FLOOR) * step,
            (high / step).to_integral_value(ROUND_CEILING) * step,
            step,
        )

    @property
    def unit(self) -> Decimal:
        """How high one is in the picture."""
        return HEIGHT / (self.high - self.low)

    def y(self, amount: Decimal) -> str:
        return _text((self.high - amount) * self.unit)

    def levels(self) -> list[Decimal]:
        """Where lines are drawn across, the highest first."""
        count = int((self.high - self.low) / self.step)
        return [self.high - place * self.step for place in range(count + 1)]


def _round_step(wanted: Decimal, is_whole: bool) -> Decimal:
    """The round number at or above ``wanted``: 1, 2, 2.5 or 5 times a power of ten."""
    if is_whole:
        wanted = max(wanted, Decimal(1))
    power = Decimal(1).scaleb(wanted.adjusted())
    steps = (power * factor for factor in map(Decimal, ("1", "2", "2.5", "5", "10")))
    return next(
        step
        for step in steps
        if step >= wanted and (not is_whole or step == step.to_integral_value())
    )


def level_text(level: Decimal) -> str:
    """A figure beside a line, in the active language."""
    locale = Locale.parse(to_locale(get_language() or "en"))
    if abs(level) >= _LONG:
        return str(format_compact_decimal(level, locale=locale, fraction_digits=1))
    return str(format_decimal(level, locale=locale))


def _text(coordinate: Decimal) -> str:
    return str(coordinate.quantize(_TENTH))
