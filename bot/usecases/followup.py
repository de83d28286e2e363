"""Follow-ups and lessons."""

from __future__ import annotations

from datetime import date

from bot.domain.followup import FollowUp, FollowUpState, LessonKind
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.store import followup as follow_ups
from bot.store import incident as incidents
from bot.store import people
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.sight import seen, shown
from bot.usecases.timeline import checked, meet_named, write_entry


def add_follow_up(
    desk: Desk,
    incident_id: int,
    text: str,
    *,
    by: str,
    owner: str | None = None,
    due_on: date | None = None,
    origin: str | None = None,
) -> Done:
    """Note work left for afterwards, with an owner and a due date when they are known."""
    kept = checked(
        text, example="/incident follow-up review the balancer's weights @ana by friday", longest=1000
    )

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if owner is not None:
            someone = people.find(session, owner)
            if someone is not None and (someone.is_deleted or someone.is_bot):
                why = "is deactivated" if someone.is_deleted else "is a bot"
                raise Refusal(
                    f"<@{owner}> {why} and would never do it. "
                    "Name somebody else: `/incident follow-up review the weights @ana by friday`."
                )
        made = follow_ups.add(
            session,
            incident_id=incident_id,
            number=incidents.take_number(session, incident_id, "follow_up"),
            text=kept,
            owner=owner,
            due_on=due_on,
            created_at=desk.clock(),
            created_by=by,
        )
        whose = f"<@{owner}>" if owner else "no owner yet"
        due = f"due {due_on.isoformat()}" if due_on else "no due date"
        write_entry(
            desk,
            session,
            about,
            f"Follow-up {made.number}: {kept} ({whose}, {due})",
            kind=Kind.NOTE,
            by=by,
            source=Source.AUTOMATIC,
        )
        meet_named(desk, session, incident_id, kept, owner or "")
        return Done(
            f"Follow-up *{made.number}* noted: {whose}, {due}. It goes into the postmortem.",
            incident_id=incident_id,
        )

    return desk.once(origin, act)


def assign_follow_up(
    desk: Desk,
    incident_id: int,
    number: int,
    *,
    by: str,
    owner: str | None = None,
    due_on: date | None = None,
    origin: str | None = None,
) -> Done:
    """Give a follow-up an owner, a due date, or both; None leaves that as it is."""

    def act(session: Session) -> Done:
        seen(session, incident_id, by)
        found = follow_ups.find_by_number(session, incident_id, number)
        if found is None:
            raise Refusal(f"There is no follow-up {number} here. `/incident follow-up list` shows them.")
        whose, due = owner or found.owner, due_on or found.due_on
        if (whose, due) == (found.owner, found.due_on):
            return Done(f"Follow-up {number} already says that.", incident_id=incident_id, is_new=False)
        follow_ups.save(session, found.id, owner=whose, due_on=due)
        meet_named(desk, session, incident_id, "", whose or "")
        shown = f"<@{whose}>" if whose else "no owner yet"
        return Done(
            f"Follow-up *{number}*: {shown}, {f'due {due}' if due else 'no due date'}.",
            incident_id=incident_id,
        )

    return desk.once(origin, act)


def set_follow_up_state(
    desk: Desk, incident_id: int, number: int, state: FollowUpState, *, by: str, origin: str | None = None
) -> Done:
    """Mark a follow-up done, dropped, or open again."""

    def act(session: Session) -> Done:
        seen(session, incident_id, by)
        found = follow_ups.find_by_number(session, incident_id, number)
        if found is None:
            raise Refusal(f"There is no follow-up {number} here. `/incident follow-up list` shows them.")
        if found.state is state:
            return Done(
                f"Follow-up {number} is already {state.value}.", incident_id=incident_id, is_new=False
            )
        settled_at = None if state is FollowUpState.OPEN else desk.clock()
        follow_ups.save(session, found.id, state=state.value, settled_at=settled_at)
        return Done(f"Follow-up *{number}* is {state.value}.", incident_id=incident_id)

    return desk.once(origin, act)


def list_follow_ups(desk: Desk, incident_id: int, *, by: str) -> list[FollowUp]:
    """Every follow-up of the incident, by number. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        return follow_ups.of(session, shown(session, incident_id, by).id)


_LABELS = {
    LessonKind.IMPROVEMENT: "Improvement",
    LessonKind.WENT_WELL: "Went well",
    LessonKind.WENT_BADLY: "Went badly",
    LessonKind.LUCKY: "Got lucky",
}


def add_lesson(
    desk: Desk, incident_id: int, kind: LessonKind, text: str, *, by: str, origin: str | None = None
) -> Done:
    """Note a lesson or an improvement for the postmortem. It is no timeline entry: it happened at no moment."""
    kept = checked(text, example="/incident lesson went-well the alert came within minutes", longest=1000)

    def act(session: Session) -> Done:
        seen(session, incident_id, by)
        follow_ups.add_lesson(
            session,
            incident_id=incident_id,
            kind=kind,
            text=kept,
            created_at=desk.clock(),
            created_by=by,
        )
        meet_named(desk, session, incident_id, kept, by)
        return Done(f"{_LABELS[kind]}: noted for the postmortem.", incident_id=incident_id)

    return desk.once(origin, act)
