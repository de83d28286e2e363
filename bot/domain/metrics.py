"""Key times of an incident and the spans between them.

Each carries the definition that is printed beside it, because the same name means different numbers
elsewhere. What is not known is None: never 0, never guessed from something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from bot.domain.people import RoleHeld
from bot.domain.timeline import Kind, Source

#: Opening and closing write entries of their own (the opener's role, the answers of the closing form). What
#: comes within this span of either belongs to it: it acknowledges nothing, and says nothing about when.
ITSELF = timedelta(seconds=5)


class Lived(Protocol):
    """What is measured of an incident."""

    @property
    def opened_at(self) -> datetime: ...
    @property
    def impact_started_at(self) -> datetime | None: ...
    @property
    def impact_ended_at(self) -> datetime | None: ...
    @property
    def closed_at(self) -> datetime | None: ...


class Told(Protocol):
    """What is measured of a timeline entry: never its words."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def recorded_by(self) -> str: ...
    @property
    def source(self) -> Source: ...


@dataclass(frozen=True)
class KeyTime:
    """One moment that matters, what is meant by it, and who says so."""

    name: str
    definition: str
    #: Aware UTC, None when it is not known.
    at: datetime | None = None
    #: "entry #3", "the incident's record"; "" when the moment is not known.
    source: str = ""


@dataclass(frozen=True)
class KeyTimes:
    """The seven moments every incident is measured by."""

    impact_started: KeyTime
    detected: KeyTime
    declared: KeyTime
    acknowledged: KeyTime
    mitigated: KeyTime
    resolved: KeyTime
    closed: KeyTime

    def in_order(self) -> tuple[KeyTime, ...]:
        """All seven, in the order they are told."""
        return (
            self.impact_started,
            self.detected,
            self.declared,
            self.acknowledged,
            self.mitigated,
            self.resolved,
            self.closed,
        )


@dataclass(frozen=True)
class Measure:
    """One span of time between two moments."""

    name: str
    definition: str
    start: KeyTime
    end: KeyTime
    #: None when an end is not known, or when the ends are the wrong way round.
    value: timedelta | None

    @property
    def is_impossible(self) -> bool:
        """True when both ends are known and the span would be negative."""
        return self.start.at is not None and self.end.at is not None and self.end.at < self.start.at


def key_times(
    incident: Lived,
    entries: Collection[Told],
    roles: Iterable[RoleHeld] = (),
    bots: Collection[str] = frozenset(),
) -> KeyTimes:
    """Find the key times among the facts.

    `entries` are live ones in any order; `bots` are ids whose writing acknowledges nothing.
    """
    return KeyTimes(
        impact_started=KeyTime(
            "Impact started",
            "when the impact began, as the responders stated it",
            incident.impact_started_at,
            "the incident's record" if incident.impact_started_at else "",
        ),
        detected=_told_by("Detected", "the first `detection` entry", _earliest(entries, Kind.DETECTION)),
        declared=KeyTime(
            "Declared", "when the incident was opened", incident.opened_at, "the incident's record"
        ),
        acknowledged=_acknowledged(incident, entries, roles, bots),
        mitigated=_told_by("Mitigated", "the first `mitigation` entry", _earliest(entries, Kind.MITIGATION)),
        resolved=_resolved(incident, entries),
        closed=KeyTime(
            "Closed",
            "when the incident was closed",
            incident.closed_at,
            "the incident's record" if incident.closed_at else "",
        ),
    )


def measure(
    times: KeyTimes, updates_at: Iterable[datetime], entries_at: Iterable[datetime]
) -> tuple[Measure, ...]:
    """Measure the spans between key times.

    `updates_at` are the moments stakeholders were told something, `entries_at` those at which something on the
    timeline happened.
    """
    updates = sorted(updates_at)
    first_update = KeyTime(
        "First update",
        "the first update sent to stakeholders",
        updates[0] if updates else None,
        "update 1" if updates else "",
    )
    return (
        _span("Time to detect", times.impact_started, times.detected),
        _span("Time to acknowledge", times.detected, times.acknowledged),
        _span("Time to mitigate", times.impact_started, times.mitigated),
        _span("Time to resolve", times.impact_started, times.resolved),
        _span("Response", times.declared, times.resolved),
        _span("First update", times.declared, first_update),
        _longest_silence(times, updates),
        _longest_gap(times, [*updates, *entries_at]),
    )


def _earliest(entries: Iterable[Told], kind: Kind) -> Told | None:
    return min((e for e in entries if e.kind is kind), key=lambda e: (e.happened_at, e.number), default=None)


def _told_by(name: str, definition: str, entry: Told | None) -> KeyTime:
    if entry is None:
        return KeyTime(name, definition)
    return KeyTime(name, definition, entry.happened_at, f"entry #{entry.number}")


def _resolved(incident: Lived, entries: Iterable[Told]) -> KeyTime:
    """A stated end of impact wins: it was asked for outright; an entry may be about one of several fixes."""
    definition = (
        "when the impact ended, as the responders stated it; else the last `resolution` entry before closing"
    )
    closing = incident.closed_at - ITSELF if incident.closed_at is not None else None
    if incident.impact_ended_at is not None:
        return KeyTime("Resolved", definition, incident.impact_ended_at, "the incident's record")
    last = max(
        (e for e in entries if e.kind is Kind.RESOLUTION and (closing is None or e.happened_at < closing)),
        key=lambda e: (e.happened_at, e.number),
        default=None,
    )
    return _told_by("Resolved", definition, last)


def _acknowledged(
    incident: Lived, entries: Iterable[Told], roles: Iterable[RoleHeld], bots: Collection[str]
) -> KeyTime:
    """Writing an entry down is the deed that acknowledges, so `recorded_at` counts here, not `happened_at`.

    What Lantern notes when a person changes something (a status, a severity) counts as that person's.
    """
    name, definition = (
        "Acknowledged",
        "the first thing a person recorded or changed, or role taken, from declaring to closing",
    )
    opening = incident.opened_at + ITSELF
    signs = [
        (entry.recorded_at, entry.number, f"entry #{entry.number}, when it was written down")
        for entry in entries
        if entry.source is not Source.ALERT and entry.recorded_by not in bots and entry.recorded_at > opening
    ]
    signs += [(held.since_at, 0, f"{held.role} taken") for held in roles if held.since_at > opening]
    signs = [sign for sign in signs if incident.closed_at is None or sign[0] <= incident.closed_at]
    if not signs:
        return KeyTime(name, definition)
    at, _, source = min(signs)
    return KeyTime(name, definition, at, source)


def _span(name: str, start: KeyTime, end: KeyTime) -> Measure:
    definition = f"{end.name.lower()} - {start.name.lower()}"
    unplaced = Measure(name, definition, start, end, None)
    if start.at is None or end.at is None or unplaced.is_impossible:
        return unplaced
    return Measure(name, definition, start, end, end.at - start.at)


def _longest_silence(times: KeyTimes, updates: Sequence[datetime]) -> Measure:
    definition = "the longest stretch from declared, through each update, to resolved (else closed)"
    return _longest("Longest silence", definition, times, updates)


def _longest_gap(times: KeyTimes, moments: Sequence[datetime]) -> Measure:
    definition = "the longest stretch from declared to resolved (else closed) without an entry or an update"
    return _longest("Longest gap", definition, times, moments)


def _longest(name: str, definition: str, times: KeyTimes, moments: Sequence[datetime]) -> Measure:
    """The longest of the stretches that `moments` cut the response into."""
    end = times.resolved if times.resolved.at is not None else times.closed
    whole = _span(name, times.declared, end)
    longest = None
    if whole.value is not None:
        longest = max(after - before for before, after in pairwise(_cut(times, moments)))
    return Measure(name, definition, whole.start, whole.end, longest)


def gaps(times: KeyTimes, moments: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """The stretches that `moments` cut declared to resolved (else closed) into; [] when an end is unknown."""
    return list(pairwise(_cut(times, moments)))


def _cut(times: KeyTimes, moments: Iterable[datetime]) -> list[datetime]:
    begun = times.declared.at
    ended = times.resolved.at if times.resolved.at is not None else times.closed.at
    if begun is None or ended is None or ended < begun:
        return []
    return [begun, *sorted(at for at in moments if begun < at < ended), ended]
