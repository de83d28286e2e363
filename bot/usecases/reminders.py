"""Reminding owners of their follow-ups, and everybody once a week of what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from bot.domain.catalogue import Service
from bot.domain.followup import FollowUp, FollowUpState
from bot.domain.incident import Incident
from bot.domain.notices import FollowUpDue, FollowUpsDigested
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.domain.reminder import BEFORE, HOUR, occasion
from bot.domain.zone import zone_named
from bot.store import followup as follow_ups
from bot.store import inbox, people
from bot.store import incident as incidents
from bot.store.db import Session
from bot.usecases.desk import Desk
from bot.usecases.sight import may_see

#: Follow-ups that a digest shows at most.
_MOST = 60
#: A follow-up that is due this soon is told in the digest before it is late.
_SOON = timedelta(days=7)


@dataclass(frozen=True)
class Due:
    """A reminder as it is told."""

    follow_up: FollowUp
    incident: Incident
    to: Person
    today: date
    #: Whether whoever is told may read what it is about.
    is_seen: bool
    #: Name of the tracker it can be sent to; "" without one.
    tracker: str = ""


@dataclass(frozen=True)
class DigestLine:
    follow_up: FollowUp
    incident: Incident


@dataclass(frozen=True)
class Digest:
    """What is left of all public incidents, by who owns the service ("" where nobody says)."""

    today: date
    by_team: dict[str, list[DigestLine]]


def remind_due(desk: Desk) -> int:
    """Put every reminder whose time has come into the outbox, each once; gives how many. Raises NotSaved."""

    def act(session: Session) -> int:
        now = desk.clock()
        put = 0
        # An owner's day may begin half a day before the clock of UTC says so.
        for one in follow_ups.worth_reminding(session, (now + BEFORE + timedelta(days=1)).date()):
            assert one.owner is not None
            owner = people.find(session, one.owner)
            day = occasion(one, now.astimezone(_zone(owner, desk)))
            if day is None or not follow_ups.note_reminder(session, one.id, day):
                continue
            to = one.owner if owner is None or not (owner.is_deleted or owner.is_bot) else one.created_by
            desk.tell(session, FollowUpDue(one.incident_id, one.id, to))
            put += 1
        return put

    count = desk.db.write(act, is_once=True)
    if count:
        desk.ring()
    return count


def digest_due(desk: Desk) -> bool:
    """Once a week, on Monday from nine on by the team's clock, put the digest into the outbox. Raises NotSaved."""
    if not desk.options.announce_channel:
        return False
    now = desk.clock().astimezone(zone_named(desk.options.team_zone))
    if now.weekday() != 0 or now.time() < HOUR:
        return False

    def act(session: Session) -> bool:
        if not inbox.arrive(session, f"digest:{now.date()}", desk.now_for_outbox()):
            return False
        desk.tell(session, FollowUpsDigested(0))
        return True

    is_put = desk.db.write(act, is_once=True)
    if is_put:
        desk.ring()
    return is_put


def reminder(desk: Desk, follow_up_id: int, to: str) -> Due | None:
    """What is to be said to a person about a follow-up; None when it is done meanwhile."""
    with desk.db.reading() as session:
        one = follow_ups.find(session, follow_up_id)
        if one is None or one.state is not FollowUpState.OPEN or one.due_on is None:
            return None
        about = incidents.get(session, one.incident_id)
        someone = people.find(session, to)
        is_seen = may_see(session, about, to)
    today = desk.clock().astimezone(_zone(someone, desk)).date()
    tracker = desk.tracker.name if desk.tracker is not None else ""
    return Due(one, about, someone or Person(to, to), today, is_seen, tracker)


def digest(desk: Desk) -> Digest:
    """What is overdue, due within a week, or has no owner or day: only of public incidents."""
    today = desk.clock().astimezone(zone_named(desk.options.team_zone)).date()
    services = desk.services()
    by_team: dict[str, list[DigestLine]] = {}
    with desk.db.reading() as session:
        for one in follow_ups.open_in_public(session, _MOST):
            if one.owner is not None and one.due_on is not None and one.due_on > today + _SOON:
                continue
            about = incidents.get(session, one.incident_id)
            service = services.get(about.service or "")
            by_team.setdefault(_team(service), []).append(DigestLine(one, about))
    return Digest(today, by_team)


def _team(service: Service | None) -> str:
    return service.owner if service is not None else ""


def _zone(someone: Person | None, desk: Desk) -> tzinfo:
    for name in (someone.tz if someone is not None else "", desk.options.team_zone):
        try:
            return zone_named(name)
        except Refusal:
            continue
    return zone_named("UTC")


def local_day(desk: Desk, person: str) -> datetime:
    """The moment by a person's clock."""
    with desk.db.reading() as session:
        return desk.clock().astimezone(_zone(people.find(session, person), desk))
