"""The charts of the figures. Each comes with its definition and with the table of all that it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain import load
from bot.domain.insights import FOLLOW_UPS, MEDIAN, P90, Group, Insights, Spread
from bot.domain.wording import WEEKDAYS, counted, listed, short_span
from bot.drawn.leathern import Row, bars, dots
from bot.drawn.sheet import fitted

#: Pixels: one column of a page, and the width of a phone.
COLUMN, NARROW = 440.0, 330.0
_STEPS = (
    *(timedelta(seconds=count) for count in (1, 5, 15, 30)),
    *(timedelta(minutes=count) for count in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=count) for count in (1, 2, 3, 6, 12)),
    *(timedelta(days=count) for count in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)
_HOURS = [(float(hour), f"{hour:02d}") for hour in range(0, 24, 3)]


@dataclass(frozen=True)
class Chart:
    """One chart. All but `svg` is plain text, to be escaped where it goes."""

    title: str
    #: What is shown, and how to read it.
    definition: str
    #: What is left out of it, as a sentence; "" when nothing is.
    note: str
    #: The picture as an `<svg>` element; "" when there is nothing to draw.
    svg: str
    #: The table.
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def charts(found: Insights, groups: Sequence[Group], by: str, width: float = COLUMN) -> tuple[Chart, ...]:
    """Every chart of the figures, by one of their groupings, for example `found.by_month` and "month"."""
    if not found.incidents:
        return ()
    names = [spread.name for spread in found.overall.spreads]
    return (
        incidents_chart(groups, by, width),
        *(spread_chart(found.overall, groups, name, by, width) for name in names),
        *load_charts(found.load, width),
        follow_ups_chart(found, width),
    )


def incidents_chart(groups: Sequence[Group], by: str, width: float = COLUMN) -> Chart:
    """How many incidents there were in each group."""
    title = f"Incidents by {by}"
    rows = [Row(_label(group), group.incidents, None, str(group.incidents)) for group in groups]
    words = _said(title, [f"{group.label} {group.incidents}" for group in groups])
    return Chart(
        title,
        "How many incidents were opened.",
        "",
        bars(rows, _counts(max(group.incidents for group in groups)), width, title, words),
        (by, "incidents"),
        tuple((group.label, str(group.incidents)) for group in groups),
    )


def spread_chart(overall: Group, groups: Sequence[Group], name: str, by: str, width: float = COLUMN) -> Chart:
    """Median and p90 of one span in each group."""
    whole = overall.spread(name)
    title = f"{name} by {by}"
    told = [(group.label, group.spread(name)) for group in groups]
    longest = max([spread.p90 for _, spread in told if spread.p90 is not None], default=None)
    picture = ""
    if longest is not None:
        rows = [_row(group, group.spread(name)) for group in groups]
        said = [f"{label} {_in_words(spread)}" for label, spread in told]
        picture = bars(rows, _lengths(longest), width, title, _said(title, said))
    return Chart(
        title,
        f"{name}: {whole.definition}. The bar ends at the median, the line behind it at p90; "
        "then both in words, and in brackets of how many incidents. "
        f"Median: {_lower(MEDIAN)} p90: {_lower(P90)}",
        _missing_in_words(whole),
        picture,
        (by, "median", "p90", "n", "without a value"),
        tuple(_table_row(label, spread) for label, spread in [*told, ("all", whole)]),
    )


def load_charts(told: load.Load, width: float = COLUMN) -> tuple[Chart, Chart]:
    """When incidents were opened, and when people responded."""
    heads = ("day", *(f"{hour:02d}" for hour in range(24)), "all")
    opened = [[float(cell) for cell in row] for row in told.opened]
    hours = [[cell / timedelta(hours=1) for cell in row] for row in told.responding]
    names = [day[:3] for day in WEEKDAYS]
    first, second = "Opened by weekday and hour", "Responding by weekday and hour"
    busiest = _busiest(opened, lambda most: counted(round(most), "incident") + " opened")
    longest = _busiest(hours, lambda most: f"{most:.1f} hours of responding")
    return (
        Chart(
            first,
            f"{load.OPENED} The area of a dot stands for their number.",
            busiest,
            dots(opened, names, _HOURS, width, first, f"{first}. {busiest}"),
            heads,
            tuple(
                (day, *(str(cell) if cell else "" for cell in row), str(sum(row)))
                for day, row in zip(WEEKDAYS, told.opened, strict=True)
            ),
        ),
        Chart(
            second,
            f"{load.RESPONDING} The area of a dot stands for the time.",
            longest,
            dots(hours, names, _HOURS, width, second, f"{second}. {longest}"),
            heads,
            tuple(
                (day, *(short_span(cell) if cell else "" for cell in row), short_span(sum(row, timedelta(0))))
                for day, row in zip(WEEKDAYS, told.responding, strict=True)
            ),
        ),
    )


def follow_ups_chart(found: Insights, width: float = COLUMN) -> Chart:
    """Which follow-ups are done, open, and overdue."""
    owed = found.follow_ups
    lines = (
        ("open, overdue", owed.overdue),
        ("open, in time", owed.open - owed.overdue - owed.without_day),
        ("open, no day", owed.without_day),
        ("done in time", owed.done_in_time),
        ("done late", owed.done_late),
        ("done, not known", owed.done_unknown),
        ("dropped", owed.dropped),
    )
    title = "Follow-ups"
    most = max(count for _, count in lines)
    rows = [Row(label, count, None, str(count)) for label, count in lines]
    unknown = owed.done_unknown
    return Chart(
        title,
        FOLLOW_UPS,
        f"Of {counted(unknown, 'follow-up')} that {'is' if unknown == 1 else 'are'} done it is not known whether in "
        "time: no day was named, or nobody noted when."
        if unknown
        else "",
        bars(rows, _counts(most), width, title, _said(title, [f"{label} {count}" for label, count in lines]))
        if most
        else "",
        ("state", "follow-ups"),
        tuple((label, str(count)) for label, count in lines),
    )


def _row(group: Group, spread: Spread) -> Row:
    if spread.median is None or spread.p90 is None:
        return Row(_label(group), None, None, "no incident" if not group.incidents else "no value")
    words = short_span(spread.median)
    if spread.n > 1:
        words = f"{words}, {short_span(spread.p90)} ({spread.n})"
    return Row(_label(group), spread.median.total_seconds(), spread.p90.total_seconds(), words)


def _label(group: Group) -> str:
    """Short enough for the side of a chart: months as Jun 2024."""
    month, _, year = group.label.partition(" ")
    if group.key == f"{year}-{group.key[5:]}" and year:
        return f"{month[:3]} {year}"
    return fitted(group.label, 12, 100)


def _in_words(spread: Spread) -> str:
    if spread.median is None or spread.p90 is None:
        return "no value"
    return f"median {short_span(spread.median)}, p90 {short_span(spread.p90)}, n {spread.n}"


def _table_row(label: str, spread: Spread) -> tuple[str, ...]:
    without = ", ".join(f"{count} {why}" for why, count in spread.missing)
    if spread.median is None or spread.p90 is None:
        return (label, "", "", "0", without)
    few = " (few)" if spread.is_few else ""
    return (label, exact(spread.median), exact(spread.p90), f"{spread.n}{few}", without)


def exact(length: timedelta) -> str:
    """1:14:58.5: hours, minutes, seconds."""
    seconds = length.total_seconds()
    whole = int(seconds)
    part = f"{seconds - whole:.1f}"[1:] if round(seconds - whole, 1) else ""
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}{part}"


def _missing_in_words(spread: Spread) -> str:
    if not spread.missing:
        return ""
    reasons = listed([f"{count} {why}" for why, count in spread.missing])
    return f"{spread.without} of {spread.n + spread.without} incidents have no value: {reasons}."


def _busiest(cells: Sequence[Sequence[float]], words: Callable[[float], str]) -> str:
    most = max(cell for row in cells for cell in row)
    if not most:
        return ""
    found = [
        f"{day} {hour:02d}:00"
        for day, row in zip(WEEKDAYS, cells, strict=True)
        for hour, cell in enumerate(row)
        if cell == most
    ]
    where = listed(found) if len(found) <= 3 else f"{', '.join(found[:3])} and {len(found) - 3} more"
    return f"Most: {words(most)}, {where}."


def _said(title: str, parts: Sequence[str]) -> str:
    return f"{title}: {'; '.join(parts)}."


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _lengths(longest: timedelta) -> list[tuple[float, str]]:
    """Round lengths of time from zero to a little beyond the longest, four of them about."""
    step = next((each for each in _STEPS if longest / each <= 3.2), _STEPS[-1])
    count = int(longest / step) + 2
    return [(step.total_seconds() * at, short_span(step * at) if at else "0") for at in range(count)]


def _counts(most: int) -> list[tuple[float, str]]:
    step = next(
        (each * 10**power for power in range(9) for each in (1, 2, 5) if most / each / 10**power <= 4), most
    )
    return [(float(at), str(at)) for at in range(0, most + step + 1, step)]
