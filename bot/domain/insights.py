"""The figures of many incidents: how long things took, when they happened, and what is left to do.

The spans are those of `metrics`, the same as in each postmortem. What is not known is counted as not known, with the
reason: it is never a zero, and never left out without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from bot.domain.followup import FollowUpState
from bot.domain.incident import Severity, Status
from bot.domain.load import Load, load_of
from bot.domain.metrics import Measure, key_times, measure
from bot.domain.people import RoleHeld
from bot.domain.timeline import Kind, Source
from bot.domain.wording import MONTHS

#: Printed with the figures.
MEDIAN = "The value in the middle; of an even number, the mean of the two in the middle."
P90 = (
    "The shortest value that at least nine of ten do not exceed (nearest rank, nothing is interpolated). "
    "Of fewer than ten values that is the longest one."
)
COUNTED = (
    "Counted is every incident you may see that was not a drill, was not cancelled and was not merged into another. "
    "A reopened incident counts once, with its last end. It belongs to the day, month and hour in which it was "
    "opened, by the team's clock."
)
NOT_KNOWN = (
    "What nobody recorded is not known: it is counted beside the figure, never as zero. A span up to the end of an "
    "incident is not known before the incident is closed."
)
FOLLOW_UPS = (
    "All follow-ups of incidents that count, whenever these were opened. Overdue: open, and its day is over by the "
    "team's clock. In time: done by the end of its day."
)
#: Fewer values than this say little, and are marked.
FEW = 5
#: What ends like this is no incident of its own.
NOT_COUNTED = (Status.CANCELLED, Status.MERGED)
#: Overdue follow-ups that are listed.
LISTED = 50

NO_SERVICE = "no service"


class Why(StrEnum):
    """Why there is no value."""

    UNKNOWN = "not known"
    STILL_OPEN = "still open"
    IMPOSSIBLE = "not possible as recorded"
    NO_UPDATE = "no update sent"


@dataclass(frozen=True)
class Case:
    """One incident, without its words."""

    id: int
    number: int
    severity: Severity
    status: Status
    is_drill: bool
    opened_at: datetime
    impact_started_at: datetime | None
    impact_ended_at: datetime | None
    closed_at: datetime | None
    #: None while nobody knows.
    service: str | None


class Mark(NamedTuple):
    """What stands for an entry that tells a key time."""

    kind: Kind
    happened_at: datetime
    recorded_at: datetime
    source: Source
    number: int = 0
    recorded_by: str = ""


@dataclass(frozen=True)
class Timeline:
    """One timeline, without its words: what tells the key times, and when each entry happened."""

    happened: Collection[datetime] = ()
    #: When a person first wrote something down that no longer belongs to the opening (see `metrics.ITSELF`).
    first_written_at: datetime | None = None
    first_detected_at: datetime | None = None
    first_mitigated_at: datetime | None = None
    resolutions_at: Collection[datetime] = ()

    @property
    def marks(self) -> list[Mark]:
        """What `key_times` finds the same moments by as by all entries."""
        told = [(Kind.DETECTION, self.first_detected_at), (Kind.MITIGATION, self.first_mitigated_at)]
        told += [(Kind.RESOLUTION, at) for at in self.resolutions_at]
        # An alert's account acknowledges nothing; when one of these was written down is in `first_written_at`.
        marks = [Mark(kind, at, at, Source.ALERT) for kind, at in told if at is not None]
        written = self.first_written_at
        return marks if written is None else [*marks, Mark(Kind.NOTE, written, written, Source.COMMAND)]


@dataclass(frozen=True)
class Owed:
    """One follow-up, without its words."""

    #: Of its incident.
    is_drill: bool
    status: Status
    due_on: date | None
    state: FollowUpState
    #: When it was marked done or dropped; None while open, and when that was not noted.
    settled_at: datetime | None


@dataclass(frozen=True)
class Overdue:
    """A follow-up that should have been done by now."""

    incident_id: int
    incident_number: int
    number: int
    #: Slack mrkdwn.
    text: str
    owner: str | None
    due_on: date


@dataclass(frozen=True)
class Known:
    """What the figures are made of. The mappings are by incident id."""

    #: All that were chosen, drills and cancelled ones too.
    cases: Sequence[Case]
    timelines: Mapping[int, Timeline]
    roles: Mapping[int, Collection[RoleHeld]]
    updates: Mapping[int, Collection[datetime]]
    #: From any time.
    follow_ups: Sequence[Owed]
    #: Of those that count, the ones that are listed.
    overdue: Sequence[Overdue]


@dataclass(frozen=True)
class Spread:
    """One span over several incidents."""

    name: str
    definition: str
    #: How many values there are.
    n: int
    #: None when there is no value.
    median: timedelta | None
    p90: timedelta | None
    #: (reason, how many incidents), for those without a value.
    missing: tuple[tuple[Why, int], ...]

    @property
    def is_few(self) -> bool:
        """True when there are values, but so few that they say little."""
        return 0 < self.n < FEW

    @property
    def without(self) -> int:
        """How many incidents have no value."""
        return sum(count for _, count in self.missing)


@dataclass(frozen=True)
class Group:
    """The spreads of some incidents, and what these have alike."""

    #: "2024-06", "SEV1", a service's name; "" for those without a service.
    key: str
    #: "June 2024", "SEV1", "login".
    label: str
    incidents: int
    spreads: tuple[Spread, ...]

    def spread(self, name: str) -> Spread:
        """The spread of this name, which must exist."""
        return next(one for one in self.spreads if one.name == name)


@dataclass(frozen=True)
class Took:
    """The spans of one incident: name -> its length, or why there is none."""

    case: Case
    spans: Mapping[str, timedelta | Why]


@dataclass(frozen=True)
class LeftOut:
    """Chosen, seen, and not counted."""

    drills: int = 0
    cancelled: int = 0
    merged: int = 0


@dataclass(frozen=True)
class FollowUpFigures:
    open: int = 0
    #: Of the open ones.
    overdue: int = 0
    #: Of the open ones.
    without_day: int = 0
    done: int = 0
    done_in_time: int = 0
    done_late: int = 0
    #: Done, and it is not known whether in time: no day was named, or nobody noted when it was done.
    done_unknown: int = 0
    dropped: int = 0
    #: Longest overdue first; at most `LISTED` of them.
    list_of_overdue: tuple[Overdue, ...] = ()


@dataclass(frozen=True)
class Insights:
    """All figures of the chosen incidents."""

    #: IANA name of the team's zone.
    zone: str
    #: How many incidents count, and how many of these are still open.
    incidents: int
    still_open: int
    left_out: LeftOut
    overall: Group
    by_month: tuple[Group, ...]
    by_severity: tuple[Group, ...]
    by_service: tuple[Group, ...]
    load: Load
    follow_ups: FollowUpFigures
    #: One incident each, in the order they were opened.
    took: tuple[Took, ...] = field(repr=False, default=())


def insights(known: Known, zone: tzinfo, zone_name: str, now: datetime) -> Insights:
    """Work out the figures; `now` is aware, and tells what is overdue and how long an open incident lasts."""
    counted = sorted(filter(_counts, known.cases), key=lambda case: (case.opened_at, case.number))
    measured = [_measures(case, known) for case in counted]
    took = tuple(_took(case, spans) for case, spans in zip(counted, measured, strict=True))
    # Without an incident there is nothing to define.
    definitions = {it.name: it.definition for it in (measured[0] if measured else ())}

    def group(key: str, label: str, members: Sequence[Took]) -> Group:
        spreads = tuple(_spread(name, words, members) for name, words in definitions.items())
        return Group(key, label, len(members), spreads)

    def grouped(keys: Iterable[tuple[str, str]], key_of: Callable[[Case], str]) -> tuple[Group, ...]:
        return tuple(
            group(key, label, [one for one in took if key_of(one.case) == key]) for key, label in keys
        )

    services = sorted({case.service or "" for case in counted}, key=lambda name: (not name, name))
    return Insights(
        zone=zone_name,
        incidents=len(took),
        still_open=sum(not case.status.is_over for case in counted),
        left_out=_left_out(known.cases),
        overall=group("", "all", took),
        by_month=grouped(
            _months([case.opened_at.astimezone(zone).date() for case in counted]),
            lambda case: _month(case.opened_at.astimezone(zone).date()),
        ),
        by_severity=grouped(
            [(it.value, it.value) for it in Severity if any(case.severity is it for case in counted)],
            lambda case: case.severity.value,
        ),
        by_service=grouped(
            [(name, name or NO_SERVICE) for name in services], lambda case: case.service or ""
        ),
        load=load_of(
            [(case.opened_at, _end(case, spans, now)) for case, spans in zip(counted, measured, strict=True)],
            zone,
        ),
        follow_ups=_follow_ups(known, now.astimezone(zone).date(), zone),
        took=took,
    )


def _counts(case: Case | Owed) -> bool:
    return not case.is_drill and case.status not in NOT_COUNTED


def _left_out(cases: Iterable[Case]) -> LeftOut:
    """A cancelled drill is a drill: each is told once."""
    real = [case for case in cases if not case.is_drill]
    return LeftOut(
        drills=sum(case.is_drill for case in cases),
        cancelled=sum(case.status is Status.CANCELLED for case in real),
        merged=sum(case.status is Status.MERGED for case in real),
    )


def _measures(case: Case, known: Known) -> tuple[Measure, ...]:
    timeline = known.timelines.get(case.id, Timeline())
    times = key_times(case, timeline.marks, known.roles.get(case.id, ()))
    return measure(times, known.updates.get(case.id, ()), timeline.happened)


def _took(case: Case, measures: Iterable[Measure]) -> Took:
    return Took(case, {it.name: _value(case, it) for it in measures})


def _value(case: Case, it: Measure) -> timedelta | Why:
    is_up_to_the_end = it.end.name in ("Resolved", "Closed")
    if not case.status.is_over and (is_up_to_the_end or it.value is None):
        return Why.STILL_OPEN
    if it.value is not None:
        return it.value
    if it.is_impossible:
        return Why.IMPOSSIBLE
    return Why.NO_UPDATE if it.end.name == "First update" else Why.UNKNOWN


def _end(case: Case, measures: Iterable[Measure], now: datetime) -> datetime:
    """When the response ended: resolved, else closed, else it goes on."""
    if not case.status.is_over:
        return now
    resolved = next(it.end.at for it in measures if it.name == "Response")
    return resolved or case.closed_at or case.opened_at


def _spread(name: str, definition: str, members: Iterable[Took]) -> Spread:
    found = [one.spans[name] for one in members]
    values = sorted(it for it in found if isinstance(it, timedelta))
    missing = Counter(it for it in found if isinstance(it, Why))
    return Spread(
        name,
        definition,
        n=len(values),
        median=median(values) if values else None,
        p90=nearest_rank(values, 90) if values else None,
        missing=tuple((why, missing[why]) for why in Why if missing[why]),
    )


def median(values: Sequence[timedelta]) -> timedelta:
    """The middle one of sorted values; of an even number, the mean of the two in the middle."""
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def nearest_rank(values: Sequence[timedelta], percent: int) -> timedelta:
    """The smallest of sorted values that at least so many percent of them do not exceed."""
    return values[-(-percent * len(values) // 100) - 1]


def _month(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def _months(days: Sequence[date]) -> list[tuple[str, str]]:
    """Every month from the first day's to the last one's: one without an incident is shown, too."""
    if not days:
        return []
    first, last = (each.year * 12 + each.month - 1 for each in (min(days), max(days)))
    return [
        (f"{at // 12:04d}-{at % 12 + 1:02d}", f"{MONTHS[at % 12]} {at // 12}")
        for at in range(first, last + 1)
    ]


def _follow_ups(known: Known, today: date, zone: tzinfo) -> FollowUpFigures:
    owed = [one for one in known.follow_ups if _counts(one)]
    states = Counter(one.state for one in owed)
    is_open = [one for one in owed if one.state is FollowUpState.OPEN]
    ended = Counter(_is_in_time(one, zone) for one in owed if one.state is FollowUpState.DONE)
    return FollowUpFigures(
        open=states[FollowUpState.OPEN],
        overdue=sum(one.due_on is not None and one.due_on < today for one in is_open),
        without_day=sum(one.due_on is None for one in is_open),
        done=states[FollowUpState.DONE],
        done_in_time=ended[True],
        done_late=ended[False],
        done_unknown=ended[None],
        dropped=states[FollowUpState.DROPPED],
        list_of_overdue=tuple(known.overdue),
    )


def _is_in_time(done: Owed, zone: tzinfo) -> bool | None:
    """Whether it was done by the end of its day; None when nobody knows."""
    if done.due_on is None or done.settled_at is None:
        return None
    return done.settled_at.astimezone(zone).date() <= done.due_on
