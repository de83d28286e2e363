"""Opening an incident, and changing what is true about it while it runs."""

from __future__ import annotations

from datetime import datetime

from bot.catalogue import find_service
from bot.domain import markup
from bot.domain.catalogue import Service
from bot.domain.incident import Incident, Severity, Status
from bot.domain.notices import (
    AnnouncementDue,
    ArchiveAsked,
    BalancerAsked,
    CardChanged,
    HeaderDue,
    IncidentOpened,
    TopicChanged,
)
from bot.domain.people import Role
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.store import incident as incidents
from bot.store import people
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.sight import seen, without_private_names
from bot.usecases.timeline import MessageSeen, checked, one_line, write_entry

#: Characters of a title: a header block holds 150 (Block Kit), and the number goes in front.
LONGEST_TITLE = 130


def open_incident(
    desk: Desk,
    title: str,
    *,
    by: str,
    severity: Severity | None = None,
    is_private: bool = False,
    is_drill: bool = False,
    service_name: str = "",
    first: MessageSeen | None = None,
    first_kind: Kind = Kind.DETECTION,
    origin: str | None = None,
    asked_in: str | None = None,
) -> Done:
    """Open an incident. Its channel is made afterwards by the postman. `first` becomes an entry with its own time.

    A service that is named, or that the title names, is the incident's, and its balancer is read without anybody
    asking. Raises Refusal for a title that is none and for a service that the catalogue does not have.
    """
    kept = checked(
        title, example="/incident open logins fail for half of the users sev2", longest=LONGEST_TITLE
    )
    kept = " ".join(kept.split())
    words = kept if first is None else f"{kept} {first.text}"

    def act(session: Session) -> Done:
        now = desk.clock()
        service = known_service(desk, service_name) if service_name else find_service(desk.services(), words)
        about = incidents.add(
            session,
            title=without_private_names(session, kept),
            severity=severity or Severity(desk.options.default_severity),
            is_private=is_private,
            is_drill=is_drill,
            opened_at=now,
            opened_by=by,
            service=service.name if service is not None else None,
        )
        people.hand_over(session, about.id, Role.COMMANDER, by, now)
        people.join(session, about.id, by, now)
        # First in its channel's order: the channel, then its card; everything else waits for them.
        desk.tell(session, IncidentOpened(about.id), HeaderDue(about.id), asked_by=by, asked_in=asked_in)
        kind_of = "Drill" if is_drill else "Incident"
        _automatic(desk, session, about, f"{kind_of} opened as {about.severity.value}: {kept}", by=by)
        for which in range(len(service.balancers) if service is not None else 0):
            desk.tell(session, BalancerAsked(about.id, by, which), asked_by=by)
        if first is not None:
            _first_entry(desk, session, about, first, first_kind, by=by)
        return Done(
            f"Opening *{about.slug}* ({about.severity.value}): {markup.to_mrkdwn_safe(kept)}. "
            "Its channel is being made; you will be invited in a moment."
            + (f" It is about *{service.name}*." if service is not None else ""),
            incident_id=about.id,
        )

    return desk.once(origin, act)


_EMPTY = "It is empty: name services in the file that LANTERN_CATALOGUE says."


def known_service(desk: Desk, name: str) -> Service:
    """The service of this name. Raises Refusal with those that there are."""
    kept = desk.services()
    found = kept.get(name.strip().strip("`").lower())
    if found is None:
        known = ", ".join(f"`{one}`" for one in sorted(kept)[:20])
        raise Refusal(
            f"The catalogue has no service “{markup.escape(name.strip()[:60])}”. "
            + (f"It has {known}: `/incident service {sorted(kept)[0]}`." if known else _EMPTY),
            field="service",
        )
    return found


def _first_entry(
    desk: Desk, session: Session, about: Incident, first: MessageSeen, kind: Kind, *, by: str
) -> None:
    write_entry(
        desk,
        session,
        about,
        checked(first.text, example="/log the text"),
        kind=kind,
        by=by,
        source=Source.SHORTCUT,
        happened_at=first.posted_at,
        author=first.author,
        origin=f"{first.origin}:opened",
        permalink=first.permalink,
        images=first.images,
    )


def _automatic(
    desk: Desk, session: Session, about: Incident, text: str, *, by: str, kind: Kind = Kind.NOTE
) -> int:
    entry = write_entry(desk, session, about, text, kind=kind, by=by, source=Source.AUTOMATIC)
    return entry.number


def changed(desk: Desk, session: Session, incident_id: int) -> None:
    """Put the notices that every visible change of an incident needs."""
    desk.tell(session, CardChanged(incident_id), TopicChanged(incident_id))
    about = incidents.get(session, incident_id)
    if desk.options.announce_channel and not about.is_private and not about.is_drill:
        desk.tell(session, AnnouncementDue(incident_id))


def still_open(about: Incident) -> Incident:
    """Raises Refusal when the incident is over."""
    if about.status.is_over:
        raise Refusal(
            f"{about.slug} is {about.status.value}. Open it again first with `/incident reopen`; "
            "a late fact for its timeline can be logged with `/log` as it is."
        )
    return about


def set_status(desk: Desk, incident_id: int, status: Status, *, by: str, origin: str | None = None) -> Done:
    """Move an open incident to investigating, identified or monitoring."""
    if status.is_over:
        raise Refusal("An incident ends with `/incident close` or `/incident cancel`.")

    def act(session: Session) -> Done:
        about = still_open(seen(session, incident_id, by))
        if about.status is status:
            return Done(f"The status is already *{status.value}*.", incident_id=incident_id, is_new=False)
        incidents.save(session, incident_id, status=status.value)
        number = _automatic(
            desk, session, about, f"Status changed from {about.status.value} to {status.value}", by=by
        )
        changed(desk, session, incident_id)
        return Done(f"Status is now *{status.value}*.", incident_id=incident_id, entry=number)

    return desk.once(origin, act)


def set_severity(
    desk: Desk, incident_id: int, severity: Severity, *, by: str, origin: str | None = None
) -> Done:
    """Change the severity."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if about.severity is severity:
            return Done(f"The severity is already *{severity.value}*.", incident_id=incident_id, is_new=False)
        incidents.save(session, incident_id, severity=severity.value)
        number = _automatic(
            desk, session, about, f"Severity changed from {about.severity.value} to {severity.value}", by=by
        )
        changed(desk, session, incident_id)
        return Done(f"Severity is now *{severity.value}*.", incident_id=incident_id, entry=number)

    return desk.once(origin, act)


def set_title(desk: Desk, incident_id: int, title: str, *, by: str, origin: str | None = None) -> Done:
    """Change the title. The channel keeps its name: links and people's memory point at it."""
    kept = " ".join(
        checked(
            title, example="/incident title logins fail for half of the users", longest=LONGEST_TITLE
        ).split()
    )

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        safe = without_private_names(session, kept, within=incident_id)
        if about.title == safe:
            return Done("The title already reads like that.", incident_id=incident_id, is_new=False)
        incidents.save(session, incident_id, title=safe)
        number = _automatic(desk, session, about, f"Title changed from “{about.title}” to “{safe}”", by=by)
        changed(desk, session, incident_id)
        return Done(
            f"The title is now “{markup.to_mrkdwn_safe(safe)}”.", incident_id=incident_id, entry=number
        )

    return desk.once(origin, act)


#: field -> (name people read, kind of its entry, example)
_TOLD = {
    "impact": ("Impact", Kind.IMPACT, "/incident impact half of the logins fail"),
    "cause": ("Root cause", Kind.FINDING, "/incident cause one server gets 87 % of the traffic"),
    "fix": ("Resolution", Kind.RESOLUTION, "/incident fix the intended weights are back"),
}


def set_fact(
    desk: Desk,
    incident_id: int,
    field: str,
    text: str,
    *,
    by: str,
    happened_at: datetime | None = None,
    origin: str | None = None,
) -> Done:
    """Say what the impact, the cause or the fix is; `field` is one of these words. It is an entry too."""
    label, kind, example = _TOLD[field]
    kept = checked(text, example=example)

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        safe = without_private_names(session, kept, within=incident_id)
        if getattr(about, field) == safe:
            return Done(f"{label} already reads like that.", incident_id=incident_id, is_new=False)
        incidents.save(session, incident_id, **{field: safe})
        entry = write_entry(
            desk,
            session,
            about,
            f"{label}: {safe}",
            kind=kind,
            by=by,
            source=Source.COMMAND,
            happened_at=happened_at,
        )
        changed(desk, session, incident_id)
        again = f" It was “{one_line(getattr(about, field))}”." if getattr(about, field) else ""
        return Done(
            f"{label} noted as *#{entry.number}*.{again}", incident_id=incident_id, entry=entry.number
        )

    return desk.once(origin, act)


def check_span(started_at: datetime | None, ended_at: datetime | None, now: datetime) -> None:
    """Raises Refusal when an impact could not have begun and ended like that."""
    if started_at is not None and started_at > now:
        raise Refusal(
            "The impact cannot have begun in the future. "
            "Give a moment that has passed: `/incident impact began 10:00 UTC`."
        )
    if ended_at is not None and ended_at > now:
        raise Refusal(
            "The impact cannot have ended in the future. Leave the end empty while it lasts; afterwards "
            "`/incident impact ended 01:00 UTC`."
        )
    if started_at is not None and ended_at is not None and ended_at < started_at:
        raise Refusal(
            "The impact cannot have ended before it began. Check the dates of both, and their zone: "
            "`/incident impact began 2024-06-03 10:00 UTC`."
        )


def set_impact_span(
    desk: Desk,
    incident_id: int,
    *,
    by: str,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    origin: str | None = None,
) -> Done:
    """Say when the impact began, ended, or both; None leaves that end as it is. Raises Refusal."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        began, ended = started_at or about.impact_started_at, ended_at or about.impact_ended_at
        check_span(began, ended, desk.clock())
        if (began, ended) == (about.impact_started_at, about.impact_ended_at):
            return Done("That is already noted.", incident_id=incident_id, is_new=False)
        incidents.save(session, incident_id, impact_started_at=began, impact_ended_at=ended)
        number = None
        for word, moment in (("began", started_at), ("ended", ended_at)):
            if moment is not None:
                number = write_entry(
                    desk,
                    session,
                    about,
                    f"Impact {word}",
                    kind=Kind.IMPACT,
                    by=by,
                    source=Source.COMMAND,
                    happened_at=moment,
                ).number
        changed(desk, session, incident_id)
        return Done(f"Noted as *#{number}*.", incident_id=incident_id, entry=number)

    return desk.once(origin, act)


def reopen_incident(desk: Desk, incident_id: int, *, by: str, origin: str | None = None) -> Done:
    """Open a closed or cancelled incident again, as investigating."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if not about.status.is_over:
            return Done(
                f"{about.slug} is open ({about.status.value}).", incident_id=incident_id, is_new=False
            )
        if about.is_archived:
            raise Refusal(
                f"{about.slug} is archived, and Slack lets no bot undo that. "
                "Unarchive the channel in Slack, invite the bot, then send this again."
            )
        incidents.save(session, incident_id, status=Status.INVESTIGATING.value, closed_at=None)
        number = _automatic(desk, session, about, f"Reopened (it was {about.status.value})", by=by)
        changed(desk, session, incident_id)
        return Done(f"{about.slug} is open again, as *investigating*.", incident_id=incident_id, entry=number)

    return desk.once(origin, act)


def cancel_incident(
    desk: Desk, incident_id: int, *, by: str, reason: str = "", origin: str | None = None
) -> Done:
    """End an incident that was none. It gets no postmortem."""

    def act(session: Session) -> Done:
        about = still_open(seen(session, incident_id, by))
        incidents.save(session, incident_id, status=Status.CANCELLED.value, closed_at=desk.clock())
        why = f": {checked(reason, example='/incident cancel false alarm')}" if reason.strip() else ""
        number = _automatic(desk, session, about, f"Cancelled{why}", by=by)
        changed(desk, session, incident_id)
        return Done(
            f"{about.slug} is cancelled. `/incident reopen` takes that back.",
            incident_id=incident_id,
            entry=number,
        )

    return desk.once(origin, act)


def archive_incident(desk: Desk, incident_id: int, *, by: str, origin: str | None = None) -> Done:
    """Archive the channel of an incident that is over, behind everything that is still to be posted."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if about.is_archived:
            return Done(f"{about.slug} is already archived.", incident_id=incident_id, is_new=False)
        if not about.status.is_over:
            raise Refusal(f"{about.slug} is still open. Close it first: `/incident close`.")
        if about.status is Status.CLOSED and postmortems.latest(session, incident_id) is None:
            raise Refusal("The postmortem draft is not there yet. Make it with `/postmortem`, then archive.")
        desk.tell(session, ArchiveAsked(incident_id), asked_by=by)
        return Done(
            f"{about.slug} will be archived when everything still waiting has been posted. "
            "Its timeline and postmortem stay with Lantern.",
            incident_id=incident_id,
        )

    return desk.once(origin, act)
