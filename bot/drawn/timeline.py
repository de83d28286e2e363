"""The timeline of one incident, laid out: a lane for each kind, the key times as flags, gaps as bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from bot.domain.course import Course, Gap, described
from bot.domain.metrics import KeyTime
from bot.domain.wording import counted, on_day, short_span
from bot.drawn import clockface, png, svg
from bot.drawn.ink import FAINT, FLAG, INK, KINDS, LINE, ON_COLOUR, TINT
from bot.drawn.sheet import Box, Dot, Line, Sheet, Text, width_of, wrapped

#: Pixels, for a page and for Slack; and for a phone.
WIDE, NARROW = 760.0, 340.0
_MARGIN, _LANE, _ROW = 8.0, 25.0, 19.0
#: Entries nearer than this stand together as one dot with a number.
_NEAR = 15.0
#: Between two labels of a clock.
_LABEL = 54.0


def as_svg(course: Course, width: float = WIDE, *, is_on_paper: bool = False) -> str:
    """The drawn timeline as an `<svg>` element to set into a page, or (on paper) to stand alone."""
    return svg.written(laid_out(course, width, is_titled=is_on_paper), is_on_paper=is_on_paper)


def as_png(course: Course) -> bytes:
    """The drawn timeline as PNG, for Slack. `bot.domain.course.described` says it in words."""
    return png.written(laid_out(course, WIDE, is_titled=True))


def laid_out(course: Course, width: float, *, is_titled: bool) -> Sheet:
    """The sheet of a timeline, this many pixels wide."""
    sheet = Sheet(width, f"Timeline of {course.slug}", described(course))
    y = _titled(sheet, course) if is_titled else _MARGIN
    place = _Place(course, width)
    flags = _flags(course, place)
    depth = max([row for _, row, _ in flags], default=0) + 1
    changes = clockface.changes(course.start, course.end, course.zone)
    top = y + depth * _ROW + (16 if changes else 4)
    bottom = top + _LANE * max(1, len(course.lanes)) + _ROW
    for it in course.gaps:
        sheet.add(Box(place.x(it.start), top, place.x(it.end) - place.x(it.start), bottom - top, TINT))
    _axes(sheet, course, place, top, bottom)
    _gaps(sheet, course, place, bottom)
    for change in changes:
        x = place.x(change.at)
        sheet.add(Line(x, top - 12, x, bottom + 2 * _ROW, FAINT, 1, is_dashed=True))
        _beside(sheet, x, top - 4, change.label)
    _flagged(sheet, place, flags, y, bottom)
    _lanes(sheet, course, place, top)
    under = bottom + _ROW * (2 if _has_own_clock(course) else 1)
    sheet.height = _told(sheet, course, under + 10) + _MARGIN
    return sheet


@dataclass(frozen=True)
class _Place:
    """Where a moment is on the sheet."""

    course: Course
    width: float
    left: float = field(init=False)
    right: float = field(init=False)

    def __post_init__(self) -> None:
        longest = max(
            (width_of(f"{kind} {len(it)}", 12) for kind, it in self.course.lanes.items()), default=0
        )
        object.__setattr__(self, "left", _MARGIN + max(longest, 74.0) + 12)
        object.__setattr__(self, "right", self.width - _MARGIN - 10)

    def x(self, at: datetime) -> float:
        """The place of a moment; what is out of sight stands at the edge."""
        part = (at - self.course.start) / (self.course.end - self.course.start)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, part))


def _titled(sheet: Sheet, course: Course) -> float:
    lines = wrapped(f"{course.slug} {course.title}", 16, sheet.width - 2 * _MARGIN, 2)
    for number, line in enumerate(lines):
        sheet.add(Text(_MARGIN, _MARGIN + 16 + 21 * number, line, INK, 16, is_bold=True))
    y = _MARGIN + 21 * len(lines)
    began = course.start.astimezone(UTC)
    words = f"{counted(course.entries, 'entry', 'entries')}, {on_day(began.date())}"
    sheet.add(Text(_MARGIN, y + 12, words, FAINT, 12))
    return y + 26


def _has_own_clock(course: Course) -> bool:
    """Whether the team's clock differs from UTC's anywhere on the sheet."""
    return any(at.astimezone(course.zone).utcoffset() for at in (course.start, course.end))


def _axes(sheet: Sheet, course: Course, place: _Place, top: float, bottom: float) -> None:
    """A row of clocks for UTC, one for the team's zone; midnights and changes of the clock cross all lanes."""
    most = max(2, int((place.right - place.left) / _LABEL))
    sheet.add(Line(place.left, bottom, place.right, bottom, LINE))
    zones: list[tzinfo] = [UTC, course.zone] if _has_own_clock(course) else [UTC]
    for row, zone in enumerate(zones):
        y = bottom + 14 + _ROW * row
        name = clockface.zone_at(course.start, zone)
        day = clockface.day_of(course.start.astimezone(zone).date())
        sheet.add(Text(place.left - 12, y, f"{day}, {name}", FAINT, 11, "end"))
        taken = place.left - 6
        for it in clockface.ticks(course.start, course.end, zone, most):
            x = place.x(it.at)
            is_day = it.is_midnight and course.end - course.start < timedelta(days=12)
            if is_day and (row == 0 or course.end - course.start < timedelta(days=4)):
                sheet.add(Line(x, top - 2, x, bottom, LINE, 1.5 if row == 0 else 1, is_dashed=True))
            elif row == 0:
                sheet.add(Line(x, top, x, bottom, TINT))
            half = width_of(it.label, 11) / 2
            if x - half > taken and x + half < sheet.width:
                sheet.add(Line(x, bottom, x, bottom + 3, LINE))
                sheet.add(Text(x, y, it.label, INK if is_day else FAINT, 11, "middle", is_bold=is_day))
                taken = x + half + 4


def _beside(sheet: Sheet, x: float, y: float, words: str) -> None:
    """Words on the right of a line, or on its left where there is no room."""
    if x + width_of(words, 11) + 4 < sheet.width:
        sheet.add(Text(x + 4, y, words, FAINT, 11))
    else:
        sheet.add(Text(x - 4, y, words, FAINT, 11, "end"))


def _gaps(sheet: Sheet, course: Course, place: _Place, bottom: float) -> None:
    longest = max(course.gaps, key=lambda it: it.lasted, default=None)
    y = bottom - 6
    if course.gaps:
        sheet.add(Text(place.left - 12, y, "gaps", FAINT, 12, "end"))
    for it in course.gaps:
        left, right = place.x(it.start), place.x(it.end)
        sheet.add(Line(left, y - 4, right, y - 4, FAINT))
        sheet.add(*(Line(x, y - 9, x, y + 1, FAINT) for x in (left, right)))
        _label(sheet, it, left, right, y, is_bold=it is longest)


def _label(sheet: Sheet, it: Gap, left: float, right: float, y: float, *, is_bold: bool) -> None:
    for words in (short_span(it.lasted), short_span(it.lasted).replace(" ", "")):
        wide = width_of(words, 11) + 6
        if wide <= right - left - 4:
            middle = (left + right) / 2
            sheet.add(Text(middle, y - 8, words, INK, 11, "middle", is_bold))
            return


def _flags(course: Course, place: _Place) -> list[tuple[int, int, KeyTime]]:
    """(number, row, key time) of every known one; flags that would cover each other stand in rows."""
    rows: list[list[float]] = []
    found = []
    for number, it in enumerate(course.times.in_order(), start=1):
        if it.at is None:
            continue
        x = place.x(it.at)
        row = next((at for at, taken in enumerate(rows) if all(abs(x - it) >= 18 for it in taken)), len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(x)
        found.append((number, row, it))
    return found


def _flagged(
    sheet: Sheet, place: _Place, flags: Sequence[tuple[int, int, KeyTime]], y: float, bottom: float
) -> None:
    for number, row, it in flags:
        assert it.at is not None
        x, middle = place.x(it.at), y + _ROW * row + 8
        if place.course.start <= it.at <= place.course.end:
            sheet.add(Line(x, middle, x, bottom, FAINT, 1.2))
        sheet.add(Box(x - 8, middle - 8, 16, 16, FLAG, 4))
        sheet.add(Text(x, middle + 4, str(number), ON_COLOUR, 11, "middle", is_bold=True))


def _lanes(sheet: Sheet, course: Course, place: _Place, top: float) -> None:
    if not course.lanes:
        sheet.add(
            Text((place.left + place.right) / 2, top + 17, "No entry was recorded.", FAINT, 13, "middle")
        )
    for number, (kind, moments) in enumerate(course.lanes.items()):
        y = top + _LANE * number + _LANE / 2
        sheet.add(Line(place.left, y, place.right, y, TINT))
        sheet.add(Text(place.left - 12, y + 4, f"{kind} {len(moments)}", INK, 12, "end"))
        for together in _near(moments, place):
            _dot(sheet, together, place, y, KINDS[kind], str(kind))


def _near(moments: Sequence[datetime], place: _Place) -> Iterator[list[datetime]]:
    """Moments, in order, gathered where their dots would cover each other."""
    together: list[datetime] = []
    for at in moments:
        if together and place.x(at) - (place.x(together[0]) + place.x(together[-1])) / 2 >= _NEAR:
            yield together
            together = []
        together.append(at)
    if together:
        yield together


def _dot(sheet: Sheet, together: Sequence[datetime], place: _Place, y: float, ink: str, kind: str) -> None:
    x = (place.x(together[0]) + place.x(together[-1])) / 2
    count = len(together)
    first, last = (f"{at:%H:%M}" for at in (together[0], together[-1]))
    when = f"{clockface.day_of(together[0].date())} {first}" + (f" to {last}" if count > 1 else "")
    radius = 5.0 if count == 1 else 7.5 if count < 10 else 8.5
    sheet.add(Dot(x, y, radius, ink, f"{count} {kind}, {when} UTC"))
    if count > 1:
        words = str(count) if count < 1000 else f"{count // 1000}k"
        sheet.add(Text(x, y + 3.5, words, ON_COLOUR, 10 if count < 100 else 8, "middle", is_bold=True))


def _told(sheet: Sheet, course: Course, y: float) -> float:
    """The key times in words, in one column or two, and what lies beyond the edges."""
    columns = 2 if sheet.width >= 600 else 1
    wide = (sheet.width - 2 * _MARGIN) / columns
    lines = list(enumerate(course.times.in_order(), start=1))
    rows = -(-len(lines) // columns)
    lowest = y
    for column in range(columns):
        x, line = _MARGIN + wide * column, y
        for number, it in lines[column * rows : (column + 1) * rows]:
            ink = INK if it.at is not None else FAINT
            sheet.add(Text(x + 8, line + 12, str(number), FAINT, 11, "middle", is_bold=True))
            for words in wrapped(f"{it.name}: {_when(it, course)}", 12, wide - 24, 2):
                sheet.add(Text(x + 22, line + 12, words, ink, 12))
                line += _ROW
        lowest = max(lowest, line)
    y = lowest
    notes = ["Gaps: no entry and no update, from declared to resolved."] if course.gaps else []
    beyond = [
        f"{counted(count, 'entry', 'entries')} {where}"
        for count, where in ((course.earlier, "earlier"), (course.later, "later"))
        if count
    ]
    if beyond:
        notes.append(f"Not in the picture: {' and '.join(beyond)}.")
    for words in [line for note in notes for line in wrapped(note, 12, sheet.width - _MARGIN - 30, 2)]:
        sheet.add(Text(_MARGIN + 22, y + 12, words, FAINT, 12))
        y += _ROW
    return y


def _when(it: KeyTime, course: Course) -> str:
    """Jun 3 23:40 UTC (Jun 4 01:40 CEST)"""
    if it.at is None:
        return "not known"
    there = it.at.astimezone(course.zone)
    words = f"{clockface.day_of(it.at.date())} {it.at:%H:%M} UTC"
    if there.utcoffset():
        day = "" if there.date() == it.at.date() else f"{clockface.day_of(there.date())} "
        words += f" ({day}{there:%H:%M} {clockface.zone_at(it.at, course.zone)})"
    return words if course.start <= it.at <= course.end else f"{words}, beyond"
