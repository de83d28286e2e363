"""Follow-ups and lessons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bot.domain import markup
from bot.domain.due import split_due
from bot.domain.followup import FollowUp, FollowUpState, LessonKind
from bot.domain.incident import Incident
from bot.domain.refusals import Refusal
from bot.domain.reminder import DAYS, default_due
from bot.domain.timeline import Kind, Source
from bot.domain.zone import zone_named
from bot.store import followup as follow_ups
from bot.store import incident as incidents
from bot.store import people
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.reminders import local_day
from bot.usecases.sight import seen, shown, without_private_names
from bot.usecases.timeline import checked, meet_named, write_entry

_NAME = re.compile(r"(?<!\S)@(\S{1,80})")
#: Nothing that ends a Slack link or a Markdown one.
_LINK = re.compile(r"https?://[^\s<>|()\[\]\\\"`]{1,1000}")


def add_follow_up(
    desk: Desk,
    incident_id: int,
    text: str,
    *,
    by: str,
    owner: str | None = None,
    due_on: date | None = None,
    link: str | None = None,
    origin: str | None = None,
) -> Done:
    """Note work left for afterwards, with an owner and a due date when they are known.

    An address that is none is left out: it comes from a form of ours and not from a person.
    """
    kept = checked(
        text, example="/incident follow-up review the balancer's weights @ana by friday", longest=1000
    )

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        made = note_follow_up(desk, session, about, Wanted(kept, owner, due_on, link), by)
        usual = _said_default(about, made.number) if made.due_on and not due_on else ""
        return Done(
            f"Follow-up *{made.number}* noted: {_whose(made)}, {_due(made)}. It goes into the postmortem.{usual}",
            incident_id=incident_id,
        )

    return desk.once(origin, act)


@dataclass(frozen=True)
class Wanted:
    """A follow-up that is to be noted."""

    #: Slack mrkdwn, checked.
    text: str
    owner: str | None = None
    due_on: date | None = None
    link: str | None = None


def note_follow_up(desk: Desk, session: Session, about: Incident, wanted: Wanted, by: str) -> FollowUp:
    """Note one in the transaction of another deed. Raises Refusal for an owner who would never do it."""
    owner = wanted.owner
    someone = people.find(session, owner) if owner is not None else None
    if someone is not None and (someone.is_deleted or someone.is_bot):
        why = "is deactivated" if someone.is_deleted else "is a bot"
        raise Refusal(
            f"<@{owner}> {why} and would never do it. "
            "Name somebody else: `/incident follow-up review the weights @ana by friday`."
        )
    made = follow_ups.add(
        session,
        incident_id=about.id,
        number=incidents.take_number(session, about.id, "follow_up"),
        text=without_private_names(session, wanted.text, within=about.id),
        owner=owner,
        due_on=wanted.due_on or _default_due(desk, about, owner),
        link=wanted.link if wanted.link and is_web_address(wanted.link) else None,
        created_at=desk.clock(),
        created_by=by,
    )
    write_entry(
        desk,
        session,
        about,
        f"Follow-up {made.number}: {made.text} ({_whose(made)}, {_due(made)})",
        kind=Kind.NOTE,
        by=by,
        source=Source.AUTOMATIC,
    )
    meet_named(desk, session, about.id, made.text, owner or "")
    return made


def wanted_lines(desk: Desk, text: str, *, by: str) -> tuple[Wanted, ...]:
    """What a form's lines say, one follow-up a line: "review the weights @ana by friday".

    An @name that one person has is the owner; else it stays in the text. Raises Refusal for a day that cannot be.
    """
    found = []
    today = local_day(desk, by).date()
    for line in text.splitlines():
        words = line.strip().removeprefix("- ").strip()
        if not words:
            continue
        words, due_on = split_due(words, today=today)
        owner, words = _named_owner(desk, words)
        kept = checked(
            markup.from_plain(words), example="review the balancer's weights @ana by friday", longest=1000
        )
        found.append(Wanted(kept, owner, due_on))
    return tuple(found)


def _named_owner(desk: Desk, words: str) -> tuple[str | None, str]:
    for name in _NAME.finditer(words):
        with desk.db.reading() as session:
            people_named = people.named(session, name[1].rstrip(".,;:"))
        if len(people_named) == 1:
            return people_named[0].id, " ".join((words[: name.start()] + words[name.end() :]).split())
    return None, words


def _whose(made: FollowUp) -> str:
    return f"<@{made.owner}>" if made.owner else "no owner yet"


def _due(made: FollowUp) -> str:
    return f"due {made.due_on.isoformat()}" if made.due_on else "no due date"


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
        about = seen(session, incident_id, by)
        found = numbered_follow_up(session, incident_id, number)
        whose = owner or found.owner
        due = due_on or found.due_on or _default_due(desk, about, whose)
        if (whose, due) == (found.owner, found.due_on):
            return Done(f"Follow-up {number} already says that.", incident_id=incident_id, is_new=False)
        # Another day is another first occasion.
        fresh = {"reminded_on": None, "snoozed_until": None} if due != found.due_on else {}
        follow_ups.save(session, found.id, owner=whose, due_on=due, **fresh)
        meet_named(desk, session, incident_id, "", whose or "")
        shown = f"<@{whose}>" if whose else "no owner yet"
        return Done(
            f"Follow-up *{number}*: {shown}, {f'due {due}' if due else 'no due date'}.",
            incident_id=incident_id,
        )

    return desk.once(origin, act)


def numbered_follow_up(session: Session, incident_id: int, number: int) -> FollowUp:
    """The incident's follow-up of this number. Raises Refusal."""
    found = follow_ups.find_by_number(session, incident_id, number)
    if found is None:
        raise Refusal(f"There is no follow-up {number} here. `/incident follow-up list` shows them.")
    return found


def is_web_address(text: str) -> bool:
    """True for what may stand behind a follow-up as its link."""
    return _LINK.fullmatch(text) is not None


def _default_due(desk: Desk, about: Incident, owner: str | None) -> date | None:
    """What somebody has gets a day; what nobody has gets none that nobody would keep."""
    if owner is None:
        return None
    return default_due(about.severity, desk.clock().astimezone(zone_named(desk.options.team_zone)).date())


def _said_default(about: Incident, number: int) -> str:
    return (
        f" ({DAYS[about.severity]} days are usual for a {about.severity.value}; "
        f"`/incident follow-up {number} by friday` gives it another day.)"
    )


def snooze_follow_up(
    desk: Desk, incident_id: int, number: int, until: date, *, by: str, origin: str | None = None
) -> Done:
    """Remind its owner no more before that day."""

    def act(session: Session) -> Done:
        seen(session, incident_id, by)
        found = numbered_follow_up(session, incident_id, number)
        if found.state is not FollowUpState.OPEN:
            return Done(f"Follow-up {number} is {found.state.value}: nobody is reminded of it.", incident_id)
        follow_ups.save(session, found.id, snoozed_until=until)
        return Done(f"Nobody is reminded of follow-up *{number}* before {until}.", incident_id)

    return desk.once(origin, act)


def link_follow_up(
    desk: Desk, incident_id: int, number: int, link: str, *, by: str, origin: str | None = None
) -> Done:
    """Say where else the same work stands, by its web address."""
    if not is_web_address(link):
        raise Refusal(
            "A link is a web address, for example `/incident follow-up link 1 https://tracker.example.com/OPS-12`."
        )

    def act(session: Session) -> Done:
        seen(session, incident_id, by)
        found = numbered_follow_up(session, incident_id, number)
        follow_ups.save(session, found.id, link=link)
        return Done(f"Follow-up *{number}* is linked to <{link}>.", incident_id)

    return desk.once(origin, act)


def set_follow_up_state(
    desk: Desk, incident_id: int, number: int, state: FollowUpState, *, by: str, origin: str | None = None
) -> Done:
    """Mark a follow-up done, dropped, or open again."""

    def act(session: Session) -> Done:
        seen(session, incident_id, by)
        found = numbered_follow_up(session, incident_id, number)
        if found.state is state:
            return Done(
                f"Follow-up {number} is already {state.value}.", incident_id=incident_id, is_new=False
            )
        settled = (None, None) if state is FollowUpState.OPEN else (desk.clock(), by)
        follow_ups.save(session, found.id, state=state.value, settled_at=settled[0], settled_by=settled[1])
        left = f" Its issue {markup.escape(found.tracker_key)} stays as it is." if found.tracker_key else ""
        return Done(f"Follow-up *{number}* is {state.value}.{left}", incident_id=incident_id)

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
            text=without_private_names(session, kept, within=incident_id),
            created_at=desk.clock(),
            created_by=by,
        )
        meet_named(desk, session, incident_id, kept, by)
        return Done(f"{_LABELS[kind]}: noted for the postmortem.", incident_id=incident_id)

    return desk.once(origin, act)
