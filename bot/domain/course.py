"""The drawn timeline: entries by kind along the time, the key times, and the gaps between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bot.domain.metrics import KeyTimes, Told, gaps, key_times
from bot.domain.postmortem import Facts
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind
from bot.domain.when import say_duration
from bot.domain.wording import Wording, counted, listed
from bot.domain.zone import zone_named

#: Gaps that are shown: at least this long, and at least this part of what is drawn, the longest ones.
SHORTEST = timedelta(minutes=5)
_PART = 12
_MOST = 6
#: Nothing is drawn that is shorter.
_LEAST = timedelta(minutes=2)


@dataclass(frozen=True)
class Gap:
    """A stretch of the response without an entry or an update."""

    start: datetime
    end: datetime

    @property
    def lasted(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Course:
    """What is drawn of an incident. Moments are aware UTC."""

    slug: str
    #: Plain words.
    title: str
    zone: tzinfo
    #: From where to where it is drawn. What lies beyond is counted.
    start: datetime
    end: datetime
    #: Kind -> when its entries happened, in order; only kinds that occur.
    lanes: dict[Kind, list[datetime]]
    times: KeyTimes
    gaps: tuple[Gap, ...]
    earlier: int
    later: int
    entries: int


def course_of(facts: Facts, now: datetime | None = None, points: Sequence[Told] | None = None) -> Course:
    """Take from the facts what is drawn of them. `now` ends the timeline of an incident that is still open.

    `points`: its entries that stand, when the facts do not hold all of them.
    """
    drawn: Iterable[Told] = points if points is not None else _standing(facts)
    entries = sorted(drawn, key=lambda it: it.happened_at)
    bots = {person for person, known in facts.people.items() if known.is_bot}
    times = key_times(facts.incident, entries, facts.roles, bots)
    start, end = _span(times, [entry.happened_at for entry in entries], now)
    lanes: dict[Kind, list[datetime]] = {}
    for kind in Kind:
        moments = [entry.happened_at for entry in entries if entry.kind is kind]
        if moments:
            lanes[kind] = moments
    names = {person: known.name for person, known in facts.people.items() if known.name}
    zone = _zone(facts.team_zone)
    return Course(
        slug=facts.incident.slug,
        title=Wording(names, facts.channels, zone).title(facts.incident.title).plain,
        zone=zone,
        start=start,
        end=end,
        lanes=lanes,
        times=times,
        gaps=_gaps(times, [*_moments(entries), *(it.sent_at for it in facts.updates)], end - start),
        earlier=sum(entry.happened_at < start for entry in entries),
        later=sum(entry.happened_at > end for entry in entries),
        entries=len(entries),
    )


def _standing(facts: Facts) -> Iterator[Told]:
    return (it for it in facts.entries if it.undone_at is None)


def described(course: Course) -> str:
    """The drawn timeline in words, for people who cannot see it; at most 1,000 characters."""
    wording = Wording({}, {}, course.zone)
    known = [f"{it.name.lower()} {wording.moment(it.at)}" for it in course.times.in_order() if it.at]
    unknown = [it.name.lower() for it in course.times.in_order() if not it.at]
    kinds = ", ".join(f"{len(moments)} {kind}" for kind, moments in course.lanes.items())
    said = [
        f"Timeline of {course.slug}: {counted(course.entries, 'entry', 'entries')}{f' ({kinds})' if kinds else ''}."
    ]
    if course.gaps:
        longest = max(course.gaps, key=lambda it: it.lasted)
        said.append(
            f"The longest gap is {say_duration(longest.lasted)}, from {wording.moment(longest.start)} to "
            f"{wording.moment(longest.end)}."
        )
    said.append(f"Key times: {', '.join(known)}.")
    if unknown:
        said.append(f"Not known: {listed(unknown)}.")
    words = " ".join(said)
    return words if len(words) <= 1000 else f"{words[:999]}…"


def _zone(name: str) -> tzinfo:
    try:
        return zone_named(name)
    except Refusal:
        # As in the draft: a zone that nobody knows costs no picture.
        return UTC


def _moments(entries: Sequence[Told]) -> list[datetime]:
    return [entry.happened_at for entry in entries]


def _span(times: KeyTimes, happened: Sequence[datetime], now: datetime | None) -> tuple[datetime, datetime]:
    """From the first key time to the end; a closing or an entry far behind the rest does not squeeze it."""
    known = [it.at for it in times.in_order() if it.at is not None and it is not times.closed]
    start, last = min(known), max(known)
    end = times.resolved.at or times.closed.at or max([now or last, last])
    end = max(end, last)
    closed = times.closed.at
    if closed is not None and end < closed <= end + (end - start) / 2:
        end = closed
    room = (end - start) / 10
    near = [at for at in happened if start - room <= at <= end + room]
    start, end = min([start, *near]), max([end, *near])
    if end - start < _LEAST:
        end = start + _LEAST
    margin = (end - start) / 50
    return start - margin, end + margin


def _gaps(times: KeyTimes, moments: Sequence[datetime], drawn: timedelta) -> tuple[Gap, ...]:
    least = max(SHORTEST, drawn / _PART)
    found = [Gap(begun, ended) for begun, ended in gaps(times, moments) if ended - begun >= least]
    longest = sorted(found, key=lambda it: it.lasted, reverse=True)[:_MOST]
    return tuple(sorted(longest, key=lambda it: it.start))
