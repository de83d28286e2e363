"""Where the clocks of a zone stand along a line of time: round hours, midnights, and changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.domain.wording import MONTHS
from bot.domain.zone import name_at

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: Spans between two labels, below a day.
_STEPS = (
    *(timedelta(seconds=count) for count in (5, 15, 30)),
    *(count * _MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * _HOUR for count in (1, 2, 3, 6, 12)),
)
#: Days between two labels; then months.
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 3, 6, 12, 60)


@dataclass(frozen=True)
class Tick:
    at: datetime
    label: str
    #: A day begins here.
    is_midnight: bool = False


@dataclass(frozen=True)
class Change:
    """A change of a zone's clock."""

    at: datetime
    #: "CEST to CET".
    label: str


def ticks(start: datetime, end: datetime, zone: tzinfo, most: int) -> list[Tick]:
    """Round moments of the zone's clock from start to end, at most about so many, with their labels."""
    span = max(end - start, timedelta(seconds=1))
    step = next((each for each in _STEPS if span / each <= most), None)
    if step is not None:
        return [it for it in _within_days(start, end, zone, step) if start <= it.at <= end]
    # A day, when it begins, says its date.
    days = next((each for each in _DAYS if span / (each * _DAY) <= most), None)
    if days is not None:
        found = (it for it in _days(start, end, zone) if days == 1 or it.toordinal() % days == days // 7)
        return [
            Tick(midnight(it, zone), day_of(it), True) for it in found if start <= midnight(it, zone) <= end
        ]
    months = next((each for each in _MONTHS if span / (each * 30 * _DAY) <= most), _MONTHS[-1])
    firsts = (it for it in _firsts(start, end, zone) if (it.year * 12 + it.month - 1) % months == 0)
    return [
        Tick(midnight(it, zone), f"{MONTHS[it.month - 1][:3]} {it.year}", True)
        for it in firsts
        if start <= midnight(it, zone) <= end
    ]


def changes(start: datetime, end: datetime, zone: tzinfo) -> list[Change]:
    """Every change of the zone's clock between start and end, to the second; at most about 400 days are looked at."""
    found = []
    at, end = start.astimezone(UTC), min(end.astimezone(UTC), start.astimezone(UTC) + 400 * _DAY)
    while at < end:
        later = min(at + _DAY, end)
        if _offset(at, zone) != _offset(later, zone):
            before, after = at, later
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) / 2
                if _offset(middle, zone) == _offset(at, zone):
                    before = middle
                else:
                    after = middle
            moment = after.replace(microsecond=0)
            found.append(Change(moment, f"{zone_at(at, zone)} to {zone_at(later, zone)}"))
        at = later
    return found


def zone_at(at: datetime, zone: tzinfo) -> str:
    """CEST"""
    there = at.astimezone(zone)
    return name_at(zone, there.utcoffset() or timedelta(0), there.tzname())


def day_of(day: date) -> str:
    """Jun 3"""
    return f"{MONTHS[day.month - 1][:3]} {day.day}"


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins. Where a clock change takes its midnight away, it begins with the change."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _offset(at: datetime, zone: tzinfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _days(start: datetime, end: datetime, zone: tzinfo) -> Iterator[date]:
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        yield day
        if day == date.max:
            return
        day += _DAY


def _firsts(start: datetime, end: datetime, zone: tzinfo) -> Iterator[date]:
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield date(month // 12, month % 12 + 1, 1)


def _within_days(start: datetime, end: datetime, zone: tzinfo, step: timedelta) -> Iterator[Tick]:
    """The round clocks of each day; one that a change skips is left out, one that it repeats comes twice."""
    first, last = (it.astimezone(zone).replace(tzinfo=None) for it in (start, end))
    # A clock that is set back in between shows later times for a while.
    around = 3 * _HOUR // step + 1
    for day in _days(start, end, zone):
        begin = datetime.combine(day, time())
        earliest, latest = ((it - begin) // step for it in (first, last))
        for number in range(max(0, earliest - around), min(int(_DAY / step), latest + around)):
            seconds = int(number * step.total_seconds())
            clock = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
            label = f"{clock:%H:%M:%S}" if step < _MINUTE else f"{clock:%H:%M}"
            moments = {
                datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)
            }
            for at in sorted(moments):
                if at.astimezone(zone).time() == clock:
                    yield Tick(at, label if number else day_of(day), not number)
