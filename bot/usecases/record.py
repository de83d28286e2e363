"""The record of an incident as the console shows it, and the lists it is found in. Sight decides who sees what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import markup
from bot.domain.course import Course, course_of
from bot.domain.incident import Incident, Wanted
from bot.domain.people import Person
from bot.domain.postmortem import Facts
from bot.domain.reading import Reading
from bot.domain.refusals import NotThere, Refusal
from bot.domain.runbook import Run
from bot.domain.timeline import Entry, EntryRevision, Stretch, Window
from bot.runbooks.frozen import from_dict
from bot.store import incident as incidents
from bot.store import outbox, people, undelivered
from bot.store import postmortem as postmortems
from bot.store import reading as readings
from bot.store import runbook as runs
from bot.store import timeline as entries
from bot.store.db import Session
from bot.store.pulse import pulse
from bot.store.undelivered import Undelivered
from bot.usecases.deliveries import plainly
from bot.usecases.desk import Desk, Done
from bot.usecases.sight import numbered, shown

LATEST = Window()


@dataclass(frozen=True)
class Listed:
    """An incident in a list."""

    incident: Incident
    commander: Person | None


@dataclass(frozen=True)
class Owed:
    """Something that Slack has not been told yet, or could not be told."""

    work: Undelivered
    #: What it is: "The card".
    what: str

    @property
    def is_set_aside(self) -> bool:
        return self.work.state == "set_aside"


@dataclass(frozen=True)
class Record:
    """Everything that the page of an incident shows, as it was in one moment."""

    #: Of the entries only those in the window.
    facts: Facts
    stretch: Stretch
    undone: tuple[Entry, ...]
    readings: tuple[Reading, ...]
    owed: tuple[Owed, ...]
    #: Newest revision of the postmortem; None before the first.
    revision: int | None
    pulse: str
    #: Id of a run that goes on -> (position, title) of its steps that are not marked yet.
    to_come: Mapping[int, tuple[tuple[int, str], ...]]


def find_incidents(desk: Desk, wanted: Wanted, *, by: str, limit: int) -> list[Listed]:
    """Incidents that `by` wants and may see, newest first."""
    with desk.db.reading() as session:
        found = incidents.find_wanted(session, wanted, to=by, limit=limit)
        leading = people.commanders(session, [one.id for one in found])
    return [Listed(one, leading.get(one.id)) for one in found]


def services_seen(desk: Desk, *, by: str) -> list[str]:
    """Services that incidents which `by` may see had."""
    with desk.db.reading() as session:
        return incidents.services_seen(session, to=by)


def people_named(desk: Desk, name: str) -> tuple[str, ...]:
    """Slack ids of the people with this name; () when nobody is known by it."""
    with desk.db.reading() as session:
        return tuple(one.id for one in people.named(session, name.strip().lstrip("@")))


def pulse_of(desk: Desk, number: int, *, by: str) -> str:
    """What changes when the record does. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        return pulse(session, numbered(session, number, by).id)


def record_of(desk: Desk, number: int, window: Window = LATEST, *, by: str) -> Record:
    """The incident of this number with all that is known about it, and the entries in the window.

    Raises NoSuchIncident.
    """
    with desk.db.reading() as session:
        about = numbered(session, number, by)
        # First: a change that comes in between is then shown once more, not missed.
        beat = pulse(session, about.id)
        stretch = entries.stretch(session, about.id, window)
        facts = postmortems.facts(session, about.id, desk.options.team_zone, stretch.entries)
        undone = entries.undone(session, about.id)
        named = {
            one
            for entry in undone
            for one in (entry.author, entry.undone_by, *markup.mentions(entry.text))
            if one
        }
        return Record(
            facts=replace(facts, people={**people.known(session, named), **facts.people}),
            stretch=stretch,
            undone=tuple(undone),
            readings=tuple(readings.of(session, about.id)),
            owed=tuple(Owed(one, plainly(one.kind)) for one in undelivered.of_incident(session, about.id)),
            revision=postmortems.latest_number(session, about.id),
            pulse=beat,
            to_come={run.id: _to_come(session, run) for run in facts.runs if run.ended_at is None},
        )


def _to_come(session: Session, run: Run) -> tuple[tuple[int, str], ...]:
    marked = {one.position for one in run.outcomes}
    steps = from_dict(runs.snapshot(session, run.id)).steps
    return tuple((at, step.title) for at, step in enumerate(steps) if at not in marked)


def course(desk: Desk, facts: Facts, now: datetime) -> Course:
    """What is drawn of all entries of an incident that somebody may see, whichever of them the facts hold."""
    with desk.db.reading() as session:
        points = entries.points(session, facts.incident.id)
        wrote = people.known(session, {one.recorded_by for one in points} - facts.people.keys())
    return course_of(replace(facts, people={**wrote, **facts.people}), now, points)


@dataclass(frozen=True)
class EntryRead:
    """One entry, with what it said before, and everybody and every channel that it names."""

    incident: Incident
    entry: Entry
    #: Oldest first.
    history: tuple[EntryRevision, ...]
    people: dict[str, Person]
    #: Slack id -> channel name.
    channels: dict[str, str]


def entry_read(desk: Desk, number: int, entry_number: int, *, by: str) -> EntryRead:
    """An entry of the incident that people call by this number. Raises NotThere."""
    with desk.db.reading() as session:
        about = numbered(session, number, by)
        entry = entries.find_by_number(session, about.id, entry_number)
        if entry is None:
            raise NotThere(f"There is no entry #{entry_number} in {about.slug}.")
        history = entries.history(session, entry.id)
        texts = [about.title, entry.text, *(one.text for one in history)]
        named = {entry.author, entry.recorded_by, entry.undone_by or "", *(one.changed_by for one in history)}
        named |= {one for text in texts for one in markup.mentions(text)}
        refs = {one for text in texts for one in markup.channel_refs(text)}
        return EntryRead(
            about,
            entry,
            tuple(history),
            people.known(session, named),
            people.channel_names(session, refs, within=about.id),
        )


def names_of(desk: Desk, *ids: str) -> dict[str, Person]:
    """The people among these ids that Lantern has met."""
    with desk.db.reading() as session:
        return people.known(session, ids)


def send_again(desk: Desk, incident_id: int, work_id: int, *, by: str) -> Done:
    """Send something again that was set aside. Asked twice, it is sent once. Raises NoSuchIncident, Refusal."""
    with desk.db.writing() as session:
        about = shown(session, incident_id, by)
        if not undelivered.is_of(session, work_id, about.id):
            raise Refusal(f"There is nothing like that to send again for {about.slug}.")
        is_new = outbox.send_again(session, work_id, desk.now_for_outbox())
    desk.ring()
    said = "It is being sent again." if is_new else "It is not set aside any more."
    return Done(said, incident_id=incident_id, is_new=is_new)
