"""Load: when incidents are opened, and when people respond, by weekday and hour of the team's clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

OPENED = "Incidents opened in that hour of that weekday, by the team's clock."
RESPONDING = (
    "Hours between declared and resolved (else closed; else now) that fall into that hour of that weekday, by the "
    "team's clock. Two incidents at once count twice; an hour that a clock change repeats counts as the two it is."
)
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Load:
    """Seven rows from Monday, 24 columns from midnight."""

    opened: tuple[tuple[int, ...], ...]
    responding: tuple[tuple[timedelta, ...], ...]

    @property
    def hours_responding(self) -> timedelta:
        """All of it together."""
        return sum((cell for row in self.responding for cell in row), timedelta(0))


def load_of(spans: Iterable[tuple[datetime, datetime]], zone: tzinfo) -> Load:
    """Spread (opened, end of the response) over the week; an end before its beginning is no time at all."""
    opened = [[0] * 24 for _ in range(7)]
    responding = [[timedelta(0)] * 24 for _ in range(7)]
    for begun, ended in spans:
        there = begun.astimezone(zone)
        opened[there.weekday()][there.hour] += 1
        for weekday, hour, part in _hours(begun.astimezone(UTC), ended.astimezone(UTC), zone):
            responding[weekday][hour] += part
    return Load(tuple(map(tuple, opened)), tuple(map(tuple, responding)))


def _hours(at: datetime, end: datetime, zone: tzinfo) -> Iterator[tuple[int, int, timedelta]]:
    """Cut a span at each full hour of the zone's clock: (weekday, hour, how much of it)."""
    while at < end:
        there = at.astimezone(zone)
        if end - at >= _WEEK and (at + _WEEK).astimezone(zone).utcoffset() == there.utcoffset():
            # A week without a clock change has each of its hours once, wherever it begins.
            yield from ((weekday, hour, _HOUR) for weekday in range(7) for hour in range(24))
            at += _WEEK
            continue
        into = timedelta(minutes=there.minute, seconds=there.second, microseconds=there.microsecond)
        until = min(at + _HOUR - into, end)
        yield there.weekday(), there.hour, until - at
        at = until
