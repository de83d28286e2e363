"""Closing an incident, compiling its draft, and telling stakeholders how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.incident import Incident, Status
from bot.domain.notices import DraftCompiled, UpdateAnnounced, UpdatePosted
from bot.domain.postmortem import Facts
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.store import incident as incidents
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.canvas import in_canvas
from bot.usecases.desk import Desk, Done
from bot.usecases.followup import Wanted, note_follow_up
from bot.usecases.incident import changed, check_span, still_open
from bot.usecases.sections import questions_told, recompile
from bot.usecases.sight import seen, shown, without_private_names
from bot.usecases.timeline import checked, meet_named, open_to_entries, write_entry


@dataclass(frozen=True)
class Closing:
    """What the closing form says. None or "" leaves a visible "unknown"."""

    impact: str = ""
    cause: str = ""
    fix: str = ""
    impact_started_at: datetime | None = None
    impact_ended_at: datetime | None = None
    follow_ups: tuple[Wanted, ...] = ()


def close_incident(
    desk: Desk, incident_id: int, closing: Closing, *, by: str, origin: str | None = None
) -> Done:
    """Close an incident and compile its draft as the next revision, without any call to Slack."""
    answers = {
        name: checked(text, example="the weights were wrong") if text.strip() else ""
        for name, text in (("impact", closing.impact), ("cause", closing.cause), ("fix", closing.fix))
    }

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if about.status is Status.CLOSED:
            return Done(
                f"{about.slug} is already closed. `/postmortem` shows its draft.",
                incident_id=incident_id,
                is_new=False,
            )
        still_open(about)
        _keep_answers(desk, session, about, answers, closing, by)
        for wanted in closing.follow_ups:
            note_follow_up(desk, session, about, wanted, by)
        now = desk.clock()
        incidents.save(session, incident_id, status=Status.CLOSED.value, closed_at=now)
        entry = write_entry(
            desk, session, about, "Incident closed", kind=Kind.NOTE, by=by, source=Source.AUTOMATIC
        )
        revision, _ = recompile(desk, session, incident_id, by)
        changed(desk, session, incident_id)
        drafted = [
            DraftCompiled(incident_id, revision.number),
            *in_canvas(desk, incident_id, revision.number),
        ]
        desk.tell(session, *drafted, asked_by=by)
        return Done(
            f"{about.slug} is closed. "
            f"The postmortem draft (revision {revision.number}) is on its way into the channel.",
            incident_id=incident_id,
            entry=entry.number,
        )

    return desk.once(origin, act)


def _keep_answers(
    desk: Desk, session: Session, about: Incident, answers: dict[str, str], closing: Closing, by: str
) -> None:
    began = closing.impact_started_at or about.impact_started_at
    ended = closing.impact_ended_at or about.impact_ended_at
    check_span(began, ended, desk.clock())
    # Answers of the form are facts of the incident, no entries: nothing happened at the time of writing.
    told = {
        name: without_private_names(session, text, within=about.id) for name, text in answers.items() if text
    }
    facts = {name: text for name, text in told.items() if text != getattr(about, name)}
    for text in facts.values():
        meet_named(desk, session, about.id, text, by)
    incidents.save(session, about.id, impact_started_at=began, impact_ended_at=ended, **facts)


def compile_postmortem(desk: Desk, incident_id: int, *, by: str, origin: str | None = None) -> Done:
    """Compile the draft again from what is known now. The same facts make no new revision."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if about.status in (Status.CANCELLED, Status.MERGED):
            raise Refusal(
                f"{about.slug} is {about.status.value} and gets no postmortem. "
                "If it was a real one: `/incident reopen`."
            )
        revision, is_made = recompile(desk, session, incident_id, by)
        drafted = [
            DraftCompiled(incident_id, revision.number),
            *in_canvas(desk, incident_id, revision.number),
        ]
        desk.tell(session, *drafted, asked_by=by)
        if not is_made:
            return Done(
                f"Nothing has changed since revision {revision.number}; it is on its way into the channel again.",
                incident_id=incident_id,
            )
        early = "" if about.status.is_over else " The incident is still open, so much of it is unknown."
        return Done(
            f"The postmortem draft (revision {revision.number}) is on its way into the channel.{early}"
            f"{questions_told(revision.sections)}",
            incident_id=incident_id,
        )

    # Most of the work is done before anybody else has to wait for the transaction: the same facts are compiled once.
    desk.compile(facts_of(desk, incident_id, by=by))
    return desk.once(origin, act)


def post_update(desk: Desk, incident_id: int, text: str, *, by: str, origin: str | None = None) -> Done:
    """Tell stakeholders how it goes: in the channel and under the announcement."""
    kept = checked(text, example="/incident update a fix is going out; logins recover within 10 minutes")

    def act(session: Session) -> Done:
        about = open_to_entries(session, incident_id, by)
        safe = without_private_names(session, kept, within=incident_id)
        update = postmortems.add_update(
            session, incident_id=incident_id, text=safe, sent_at=desk.clock(), sent_by=by
        )
        entry = write_entry(
            desk,
            session,
            about,
            f"Update: {safe}",
            kind=Kind.COMMS,
            by=by,
            source=Source.AUTOMATIC,
            is_shown=False,
        )
        desk.tell(session, UpdatePosted(incident_id, update.id), asked_by=by)
        if not about.is_private and not about.is_drill and desk.options.announce_channel:
            desk.tell(session, UpdateAnnounced(incident_id, update.id), asked_by=by)
        meet_named(desk, session, incident_id, kept)
        return Done(
            f"The update is on its way, noted as *#{entry.number}*.",
            incident_id=incident_id,
            entry=entry.number,
        )

    return desk.once(origin, act)


def facts_of(desk: Desk, incident_id: int, *, by: str) -> Facts:
    """Everything known about the incident. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        return postmortems.facts(session, shown(session, incident_id, by).id, desk.options.team_zone)
