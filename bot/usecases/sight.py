"""May this person see this incident? The one place where private is enforced; every door asks here."""

from __future__ import annotations

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.refusals import NoSuchIncident, NotAnIncidentChannel
from bot.store import incident as incidents
from bot.store import people
from bot.store.db import Session
from bot.usecases.desk import Desk


def may_see(session: Session, about: Incident, person: str) -> bool:
    """True for everyone when the incident is public, else for those in its channel, the opener being one."""
    return not about.is_private or people.is_in(session, about.id, person)


def seen(session: Session, incident_id: int, by: str) -> Incident:
    """The incident, locked for a change by `by`. Raises NoSuchIncident when they may not see it."""
    about = incidents.lock(session, incident_id)
    if about is None or not may_see(session, about, by):
        raise NoSuchIncident("like that")
    return about


def shown(session: Session, incident_id: int, to: str) -> Incident:
    """The incident, to be read by `to`. Raises NoSuchIncident, alike for hidden and absent."""
    about = incidents.find(session, incident_id)
    if about is None or not may_see(session, about, to):
        raise NoSuchIncident("like that")
    return about


def numbered(session: Session, number: int, to: str) -> Incident:
    """The incident people call by this number, to be read by `to`. Raises NoSuchIncident, as shown() does."""
    found = incidents.find_by_number(session, number)
    if found is None or not may_see(session, found, to):
        raise NoSuchIncident(f"inc-{number:04d}")
    return found


def without_private_names(session: Session, text: str, *, within: int = 0) -> str:
    """A text as it may be kept where others read: the channel of a private incident but `within` has no name in it.

    Slack writes a channel's name into what its members type, and that channel is named after the incident's title.
    """
    refs = markup.channel_refs(text)
    names = people.channel_names(session, refs, within=within)
    return markup.relabelled(
        text, {one: name for one, name in names.items() if name == people.PRIVATE_CHANNEL}
    )


def for_others(desk: Desk, text: str, *, within: int = 0) -> str:
    """The same of a message that a form begins with: there it becomes plain text, in which no name is found again."""
    if not markup.channel_refs(text):
        return text
    with desk.db.reading() as session:
        return without_private_names(session, text, within=within)


def incident_of_channel(desk: Desk, channel_id: str, *, by: str) -> Incident:
    """The incident whose channel this is. Raises NotAnIncidentChannel, or NoSuchIncident when it is hidden."""
    with desk.db.reading() as session:
        found = incidents.find_by_channel(session, channel_id)
        if found is None:
            raise NotAnIncidentChannel
        if not may_see(session, found, by):
            raise NoSuchIncident("like that")
    desk.met.keep_channel(found)
    return found


def id_of_channel(desk: Desk, channel_id: str, *, by: str) -> int:
    """Likewise its id alone, which for a public incident is remembered."""
    known = desk.met.incident_of(channel_id)
    return incident_of_channel(desk, channel_id, by=by).id if known is None else known


def incident_of_id(desk: Desk, incident_id: int, *, by: str) -> Incident:
    """The incident a card or form names. Raises NoSuchIncident, alike for hidden and absent."""
    with desk.db.reading() as session:
        return shown(session, incident_id, by)


def incident_by_number(desk: Desk, number: int, *, by: str) -> Incident:
    """The incident people call by this number. Raises NoSuchIncident, alike for hidden and absent."""
    with desk.db.reading() as session:
        return numbered(session, number, by)


def ids_shown(session: Session, *, to: str | None, is_precedent: bool = False) -> list[int]:
    """Ids of all incidents that `to` may see; for None, where everybody reads, of the public ones alone.

    `is_precedent`: closed ones that were real.
    """
    return incidents.visible_ids(session, to=to, is_precedent=is_precedent)


def visible_incidents(desk: Desk, *, by: str, is_over: bool | None = None, limit: int = 20) -> list[Incident]:
    """Incidents that `by` may see, newest first."""
    with desk.db.reading() as session:
        return incidents.find_visible(session, to=by, is_over=is_over, limit=limit)
