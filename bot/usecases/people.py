"""Meeting people, handing over roles, joining and leaving."""

from __future__ import annotations

from bot.domain.notices import HomeDue, PeopleInvited
from bot.domain.people import Person, Role
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.store import incident as incidents
from bot.store import people
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.incident import changed
from bot.usecases.sight import seen
from bot.usecases.timeline import write_entry


def meet(desk: Desk, someone: Person) -> Person:
    """Remember a person as Slack describes them now."""
    with desk.db.writing() as session:
        people.save(session, someone)
    desk.met.keep(someone)
    return someone


def person_known(desk: Desk, person_id: str) -> Person | None:
    """The person, as Lantern last saw them."""
    someone = desk.met.fresh(person_id)
    if someone is None:
        with desk.db.reading() as session:
            someone = people.find(session, person_id)
        if someone is not None:
            desk.met.keep(someone)
    return someone


def give_role(
    desk: Desk, incident_id: int, role: Role, to: str, *, by: str, origin: str | None = None
) -> Done:
    """Hand a role to a person; whoever held it hands it over."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        someone = people.find(session, to)
        if someone is not None and (someone.is_deleted or someone.is_bot):
            why = "is deactivated" if someone.is_deleted else "is a bot"
            raise Refusal(
                f"<@{to}> {why} and cannot hold a role. Name somebody else: `/incident role {role.value} @ana`."
            )
        former = people.holder(session, incident_id, role)
        if former is not None and former.person == to:
            return Done(f"<@{to}> is already {role.value}.", incident_id=incident_id, is_new=False)
        people.hand_over(session, incident_id, role, to, desk.clock())
        if former is None:
            text = f"<@{to}> is {role.value}"
        else:
            text = f"<@{to}> took over as {role.value} from <@{former.person}>"
        entry = write_entry(desk, session, about, text, kind=Kind.NOTE, by=by, source=Source.AUTOMATIC)
        incidents.save(session, incident_id)
        changed(desk, session, incident_id)
        if about.channel_id is not None and not people.is_in(session, incident_id, to):
            desk.tell(session, PeopleInvited(incident_id, (to,)), asked_by=by)
        return Done(f"{text}.", incident_id=incident_id, entry=entry.number)

    return desk.once(origin, act)


def person_joined(desk: Desk, channel_id: str, person_id: str, *, origin: str) -> Done | None:
    """Note that a person came into an incident's channel. None when it is no incident's."""
    with desk.db.reading() as session:
        about = incidents.find_by_channel(session, channel_id)
    if about is None:
        return None

    def act(session: Session) -> Done:
        here = incidents.lock(session, about.id)
        assert here is not None, "incidents are never deleted"
        if not people.join(session, here.id, person_id, desk.clock()):
            return Done("", incident_id=here.id, is_new=False)
        # Slack shows people coming by itself; the timeline keeps it without a line in the channel.
        entry = write_entry(
            desk,
            session,
            here,
            f"<@{person_id}> joined",
            kind=Kind.NOTE,
            by=person_id,
            source=Source.AUTOMATIC,
            is_shown=False,
        )
        return Done("", incident_id=here.id, entry=entry.number)

    return desk.once(origin, act)


def person_left(desk: Desk, channel_id: str, person_id: str, *, origin: str) -> Done | None:
    """Note that a person left an incident's channel: a private incident is no longer theirs to see."""
    with desk.db.reading() as session:
        about = incidents.find_by_channel(session, channel_id)
    if about is None:
        return None

    def act(session: Session) -> Done:
        people.leave(session, about.id, person_id, desk.clock())
        if about.is_private:
            # Their Home tab may still show it.
            desk.tell(session, HomeDue(0, person_id))
        return Done("", incident_id=about.id)

    return desk.once(origin, act)


def channel_archived(desk: Desk, channel_id: str, *, is_archived: bool, origin: str) -> Done | None:
    """Note that Slack says a channel was archived or brought back."""
    with desk.db.reading() as session:
        about = incidents.find_by_channel(session, channel_id)
    if about is None:
        return None

    def act(session: Session) -> Done:
        incidents.save(session, about.id, is_archived=is_archived)
        return Done("", incident_id=about.id)

    return desk.once(origin, act)


def channel_renamed(desk: Desk, channel_id: str, name: str, *, origin: str) -> Done | None:
    """Keep up with a new name of an incident's channel."""
    with desk.db.reading() as session:
        about = incidents.find_by_channel(session, channel_id)
    if about is None:
        return None

    def act(session: Session) -> Done:
        incidents.save(session, about.id, channel_name=name[:80])
        return Done("", incident_id=about.id)

    return desk.once(origin, act)


def channel_id_changed(desk: Desk, old: str, new: str, *, origin: str) -> Done | None:
    """Keep up with a channel whose id changed (Enterprise moves)."""
    with desk.db.reading() as session:
        about = incidents.find_by_channel(session, old)
    if about is None:
        return None

    def act(session: Session) -> Done:
        # One channel is one incident's: what would give it to two is left as it was.
        if incidents.find_by_channel(session, new) is None:
            incidents.save(session, about.id, channel_id=new)
        return Done("", incident_id=about.id)

    return desk.once(origin, act)
