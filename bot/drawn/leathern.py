"""What leather draws our charts with: the colours of its theme, a scale of time or of counts, and our own marks.

leather (https://leather.readthedocs.io) lays out axes, ticks and labels, and writes nothing but shapes and text. Its
theme is the module's own; nothing else in this process draws with it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leather import Chart, Scale, Series, theme
from leather.shapes.base import Shape

from bot.drawn import svg
from bot.drawn.ink import BLUE
from bot.drawn.sheet import width_of

_GRID, _ZERO = "rgba(127,127,127,0.28)", "rgba(127,127,127,0.9)"
_SMALL = 12
#: Pixels between two rows of dots.
_DOT_ROW = 21
#: Number of the lowest row: leather draws the line at 0 in a stronger colour.
_FIRST = 1

theme.background_color = "none"
theme.margin = 0.015
theme.tick_color, theme.zero_color = _GRID, _ZERO
theme.label_color = theme.title_color = theme.axis_title_color = "currentColor"
theme.tick_font_family = "inherit"
theme.tick_font_size = _SMALL
theme.tick_font_char_height, theme.tick_font_char_width = 13, 7.4


@dataclass(frozen=True)
class Row:
    """One row of a bar chart."""

    label: str
    #: Where the bar ends, None for no bar; and where the line behind it ends.
    bar: float | None
    line: float | None
    #: The values in words.
    words: str


class _Even(Scale):  # type: ignore[misc] # leather has no types
    """From `start` to `end`. leather's own scale ends at a round number of its choice, and knows no hours."""

    def __init__(self, start: float, end: float) -> None:
        self._start, self._end = start, end

    def contains(self, v: float) -> bool:
        return self._start <= float(v) <= self._end

    def project(self, value: float, range_min: float, range_max: float) -> float:
        part = (float(value) - self._start) / (self._end - self._start)
        return float(range_min) + (float(range_max) - float(range_min)) * part


class _Bars(Shape):  # type: ignore[misc]
    """For each row a bar up to one value, a line on to another, and both in words."""

    def validate_series(self, series: Any) -> None:
        """Any will do."""

    def to_svg(
        self, width: float, height: float, x_scale: Any, y_scale: Any, series: Any, palette: Any
    ) -> ET.Element:
        group = ET.Element("g")
        start = x_scale.project(0, 0, width)
        for datum in series.data():
            row: Row = datum.row[2]
            y = y_scale.project(datum.y, height, 0)
            end = start
            if row.bar:
                end = max(x_scale.project(row.bar, 0, width), start + 1.5)
                _rect(group, start, y - 6, end - start, 12)
            if row.line is not None and row.line > (row.bar or 0):
                line = x_scale.project(row.line, 0, width)
                _rect(group, end, y - 1, line - end, 2)
                _rect(group, line - 1, y - 5, 2, 10)
                end = line
            text = ET.SubElement(group, "text", x=str(end + 6), y=str(y), dy="0.32em", fill="currentColor")
            text.set("font-size", str(_SMALL))
            text.text = row.words
        return group


def _rect(group: ET.Element, x: float, y: float, width: float, height: float) -> None:
    place = {"x": x, "y": y, "width": width, "height": height}
    ET.SubElement(group, "rect", {**{key: str(value) for key, value in place.items()}, "fill": BLUE})


def bars(
    rows: Sequence[Row], ticks: Sequence[tuple[float, str]], width: float, title: str, description: str
) -> str:
    """A bar chart as `<svg>`, one row below the other; `ticks` are values and what they are called, from zero."""
    last = len(rows) - 1
    space = (
        width * (1 - 2 * theme.margin) - max(len(row.label) for row in rows) * theme.tick_font_char_width - 8
    )
    # Behind each bar there is room for its words.
    end = max([_end(row) * space / max(space - 10 - width_of(row.words, _SMALL), space / 5) for row in rows])
    end = end or 1.0
    chart = Chart()
    chart.set_x_scale(_Even(0, end))
    _rows(chart, [row.label for row in rows])
    _columns(chart, _apart(ticks, space / end, space))
    data = [(_end(row), last - at + _FIRST, row) for at, row in enumerate(rows)]
    chart.add_series(Series(data), _Bars())
    return _framed(chart, width, 26 * len(rows) + 34, title, description, is_lined=False)


def dots(
    cells: Sequence[Sequence[float]],
    rows: Sequence[str],
    columns: Sequence[tuple[float, str]],
    width: float,
    title: str,
    description: str,
) -> str:
    """A chart of dots as `<svg>`, a row for each name; the area of a dot stands for its value."""
    largest = max((value for row in cells for value in row), default=0.0) or 1.0
    across, last = len(cells[0]), len(rows) - 1
    radius = min(width * 0.86 / across, _DOT_ROW) / 2 * 0.92
    chart = Chart()
    chart.set_x_scale(_Even(-0.7, across - 0.3))
    _rows(chart, rows)
    _columns(chart, columns)
    data = [
        (x, last - y + _FIRST, value)
        for y, row in enumerate(cells)
        for x, value in enumerate(row)
        if value > 0
    ]
    chart.add_dots(
        data or [(0, _FIRST, 0)],
        fill_color=BLUE,
        radius=lambda datum: max(1.5, radius * (datum.row[2] / largest) ** 0.5) if datum.row[2] else 0,
    )
    return _framed(chart, width, _DOT_ROW * len(rows) + 34, title, description, is_lined=True)


def _end(row: Row) -> float:
    return max(row.bar or 0.0, row.line or 0.0)


def _apart(ticks: Sequence[tuple[float, str]], scale: float, space: float) -> list[tuple[float, str]]:
    """The ticks whose names do not run into each other, nor over the edge."""
    kept: list[tuple[float, str]] = []
    taken = -space
    for value, name in ticks:
        half = width_of(name, _SMALL) / 2
        if value * scale - half > taken + 6 and value * scale + half <= space + 4:
            kept.append((value, name))
            taken = value * scale + half
    return kept


def _rows(chart: Any, names: Sequence[str]) -> None:
    """Names from the top down."""
    last = len(names) - 1
    chart.set_y_scale(_Even(_FIRST - 0.6, _FIRST + last + 0.6))
    places = range(_FIRST, _FIRST + len(names))
    chart.add_y_axis(ticks=places, tick_formatter=lambda value, at, count: names[last + _FIRST - value])


def _columns(chart: Any, ticks: Sequence[tuple[float, str]]) -> None:
    names = dict(ticks)
    chart.add_x_axis(ticks=list(names), tick_formatter=lambda value, at, count: names[value])


def _framed(chart: Any, width: float, height: float, title: str, description: str, *, is_lined: bool) -> str:
    root = svg.framed(width, height, title, description)
    group = chart.to_svg_group(width, height)
    if not is_lined:
        # A line through each row would strike out its words.
        for tick in group.findall(".//g[@class='axis left']/g"):
            for line in tick.findall("line"):
                tick.remove(line)
    for element in group.iter():
        element.attrib = {key: _short(value) for key, value in element.attrib.items() if key != "class"}
        if element.text:
            element.text = svg.clean(element.text)
    root.append(group)
    return svg.text_of(root)


def _short(value: str) -> str:
    """Coordinates to a tenth of a pixel."""
    return f"{float(value):.1f}".removesuffix(".0") if re.fullmatch(r"-?\d+\.\d+", value) else value
