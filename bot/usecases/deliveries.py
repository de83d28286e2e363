"""What the postman's senders read before they speak, and write down after Slack has answered.

The functions named `..._made`, `..._posted` run inside the postman's commit of a step, so they take a
Session: the answer, what follows from it and the next notices become true together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from bot.domain import markup
from bot.domain.catalogue import Service
from bot.domain.incident import Incident
from bot.domain.notices import (
    AnnouncementDue,
    BookmarksDue,
    CardChanged,
    EntriesLogged,
    HeaderDue,
    HeaderPosted,
    IncidentOpened,
    PeopleInvited,
    PersonTold,
    PurposeDue,
    SuggestionsDue,
    TopicChanged,
)
from bot.domain.people import Person, Role
from bot.domain.postmortem import Facts, Revision, Update
from bot.domain.runbook import Run, Runbook
from bot.domain.timeline import Entry
from bot.runbooks.frozen import from_dict
from bot.store import inbox, outbox, people
from bot.store import incident as incidents
from bot.store import postmortem as postmortems
from bot.store import runbook as runs
from bot.store import timeline as entries
from bot.store.db import Session
from bot.usecases.canvas import in_canvas
from bot.usecases.desk import Desk
from bot.usecases.owner import call_owner, is_id

#: Notice -> what it is, for the person who asked.
_PLAINLY = {
    "IncidentOpened": "The channel",
    "HeaderDue": "The card",
    "HeaderPosted": "The pin on the card",
    "CardChanged": "A change of the card",
    "PeopleInvited": "The invitation",
    "TopicChanged": "The topic",
    "PurposeDue": "The channel's description",
    "BookmarksDue": "The bookmarks",
    "AnnouncementDue": "The announcement",
    "SuggestionsDue": "The suggestions",
    "OwnerDue": "The word to the service's owner",
    "EntriesLogged": "What was logged",
    "EntryChanged": "The change of an entry",
    "MessageLogged": "The mark under a logged message",
    "ImageDue": "The copy of an image",
    "RunStarted": "The runbook",
    "StepReached": "A step of the runbook",
    "StepMarked": "The outcome of a step",
    "UpdatePosted": "The update",
    "UpdateAnnounced": "The announced update",
    "DraftCompiled": "The postmortem draft",
    "CanvasDue": "The channel's canvas",
    "PostmortemPublished": "The published postmortem",
    "PostmortemAnnounced": "The announcement of the postmortem",
    "FollowUpDue": "A reminder of a follow-up",
    "FollowUpsDigested": "The weekly list of follow-ups",
    "HomeDue": "The Home tab",
    "ArchiveAsked": "Archiving the channel",
    "MessageMarked": "The message you pinned",
    "BalancerAsked": "The look at the balancer",
    "BalancerRead": "What the balancer showed",
    "IssueAsked": "The issue of a follow-up",
    "IssuesDue": "The look at the tracker",
}


def plainly(kind: str) -> str:
    """What a notice of this kind is, for a person."""
    return _PLAINLY.get(kind, "A word from Lantern")


#: A channel that Slack will not make is asked for again after this long, for this long.
CHANNEL_AGAIN_AFTER = timedelta(minutes=10)
CHANNEL_TRIED_FOR = timedelta(hours=24)

#: Entries one channel message shows at most; the rest goes into the next.
ENTRIES_A_MESSAGE = 15
#: Characters of entries in one message: Slack refuses blocks of some 11,000 to 13,000 in all (bolt-js #2509, #2867).
CHARACTERS_A_MESSAGE = 7000


@dataclass(frozen=True)
class Card:
    """What the header card and the announcement show."""

    incident: Incident
    #: role -> name of who holds it now.
    roles: dict[Role, Person]
    version: int
    announced_in: str | None
    announced_ts: str | None
    postmortem_bookmark: str | None
    #: The service as the catalogue has it; None while nobody has said which it is.
    service: Service | None = None
    #: Web address of its page in the console; "" while that is off.
    page: str = ""

    @property
    def has_balancer(self) -> bool:
        """Whether the service's balancer can be read."""
        return self.service is not None and bool(self.service.balancers)

    @property
    def owner(self) -> str:
        """Who owns the service, in the catalogue's words; "" when it does not say."""
        return "" if self.service is None or is_id(self.service.owner) else self.service.owner


@dataclass(frozen=True)
class Unshown:
    """Entries that the channel has not been shown, as many as one message takes."""

    incident: Incident
    #: Oldest first.
    entries: list[Entry]
    #: Of everybody they are by or mention.
    names: dict[str, str]


def incident(desk: Desk, incident_id: int) -> Incident:
    """The incident as it is now."""
    with desk.db.reading() as session:
        return incidents.get(session, incident_id)


def card(desk: Desk, incident_id: int) -> Card:
    """The facts of the header card, as they are now."""
    with desk.db.reading() as session:
        about = incidents.get(session, incident_id)
        marks = incidents.slack_marks(session, incident_id)
        held = [one for one in people.roles(session, incident_id) if one.until_at is None]
        known = people.known(session, [one.person for one in held])
    roles = {one.role: known.get(one.person) or Person(one.person, one.person) for one in held}
    return Card(
        incident=about,
        roles=roles,
        version=int(marks["version"]),
        announced_in=marks["announced_in"],
        announced_ts=marks["announced_ts"],
        postmortem_bookmark=marks["postmortem_bookmark"],
        service=desk.services().get(about.service or ""),
        page=desk.page_of(about.number),
    )


def channel_made(desk: Desk, session: Session, incident_id: int, channel_id: str, name: str) -> None:
    """The channel exists: everything that needed only its id may go at once."""
    about = incidents.save(session, incident_id, channel_id=channel_id, channel_name=name)
    people.save_channel(session, channel_id, name, desk.clock())
    desk.tell(
        session,
        # They wait behind us already, unless we come so late that Slack refused the channel at first.
        HeaderDue(incident_id),
        EntriesLogged(incident_id),
        # Each of these has an order of its own, so none waits for another.
        PeopleInvited(incident_id, (about.opened_by,)),
        TopicChanged(incident_id),
        PurposeDue(incident_id),
    )
    if desk.options.announce_channel and not about.is_private and not about.is_drill:
        desk.tell(session, AnnouncementDue(incident_id))
    # Closed before it had a channel, while Slack was away: its canvas had nowhere to be.
    newest = postmortems.latest_number(session, incident_id)
    if newest is not None:
        desk.tell(session, *in_canvas(desk, incident_id, newest))


def header_posted(desk: Desk, session: Session, incident_id: int, ts: str, drawn_version: int) -> None:
    """The header card is in the channel: pin it, and draw it again if something changed meanwhile."""
    incidents.mark(session, incident_id, header_ts=ts)
    desk.tell(session, HeaderPosted(incident_id), BookmarksDue(incident_id), SuggestionsDue(incident_id))
    if incidents.slack_marks(session, incident_id)["version"] != drawn_version:
        desk.tell(session, CardChanged(incident_id))


def announcement_posted(desk: Desk, session: Session, incident_id: int, channel_id: str, ts: str) -> None:
    """The announcement stands: whoever owns the service can be told under it."""
    incidents.mark(session, incident_id, announced_in=channel_id, announced_ts=ts)
    call_owner(desk, session, incidents.get(session, incident_id))


def unshown_entries(desk: Desk, incident_id: int) -> Unshown:
    """What the channel has not been shown, for the next message."""
    with desk.db.reading() as session:
        about = incidents.get(session, incident_id)
        waiting = entries.unposted(session, incident_id, ENTRIES_A_MESSAGE)
        room = CHARACTERS_A_MESSAGE - len(waiting[0].text) if waiting else 0
        kept = waiting[:1]
        for entry in waiting[1:]:
            room -= len(entry.text)
            if room < 0:
                break
            kept.append(entry)
        return Unshown(about, kept, _names(session, kept))


def entries_posted(desk: Desk, session: Session, incident_id: int, entry_ids: list[int], ts: str) -> None:
    """One message shows these entries. What came meanwhile gets the next one."""
    entries.mark_posted(session, entry_ids, ts)
    if entries.has_unposted(session, incident_id):
        desk.tell(session, EntriesLogged(incident_id))


def shown_with(desk: Desk, entry_id: int) -> tuple[str | None, list[Entry]]:
    """The message that shows an entry, and all entries it shows."""
    with desk.db.reading() as session:
        return entries.shown_with(session, entry_id)


def names(desk: Desk, found: list[Entry]) -> dict[str, str]:
    """Names of everyone these entries are by or mention."""
    with desk.db.reading() as session:
        return _names(session, found)


def _names(session: Session, found: list[Entry]) -> dict[str, str]:
    ids = {entry.author for entry in found} | {entry.recorded_by for entry in found}
    ids |= {entry.undone_by for entry in found if entry.undone_by}
    ids |= {one for entry in found for one in markup.mentions(entry.text)}
    return {one.id: one.name for one in people.known(session, ids).values()}


def name_of(desk: Desk, person_id: str) -> str:
    """The person's name, or the id while Lantern has not met them."""
    with desk.db.reading() as session:
        someone = people.find(session, person_id)
    return someone.name if someone is not None else person_id


def run_with_pages(desk: Desk, run_id: int) -> tuple[Run, Runbook]:
    """A run and the runbook it is pinned to."""
    with desk.db.reading() as session:
        run = runs.find(session, run_id)
        assert run is not None, "a notice names a run that was never written"
        return run, from_dict(runs.snapshot(session, run_id))


def step_posted(session: Session, run_id: int, position: int, ts: str) -> None:
    runs.keep_step_ts(session, run_id, position, ts)


def step_message(desk: Desk, run_id: int, position: int) -> str | None:
    """ts of the message that shows a step."""
    with desk.db.reading() as session:
        return runs.step_ts(session, run_id, position)


def update_of(desk: Desk, update_id: int) -> Update:
    with desk.db.reading() as session:
        return postmortems.get_update(session, update_id)


def revision_of(desk: Desk, incident_id: int, number: int) -> Revision:
    with desk.db.reading() as session:
        return postmortems.get_revision(session, incident_id, number)


def facts_known(desk: Desk, incident_id: int) -> Facts:
    """All that is known about the incident now."""
    with desk.db.reading() as session:
        return postmortems.facts(session, incident_id, desk.options.team_zone)


def draft_posted(desk: Desk, session: Session, incident_id: int, permalink: str) -> None:
    """The draft's file is in the channel: the bookmark points at it from now on."""
    incidents.mark(session, incident_id, draft_permalink=permalink)
    desk.tell(session, BookmarksDue(incident_id))


def bookmark_made(session: Session, incident_id: int, bookmark_id: str) -> None:
    incidents.mark(session, incident_id, postmortem_bookmark=bookmark_id)


def archived(session: Session, incident_id: int) -> None:
    incidents.save(session, incident_id, is_archived=True)


def person_met(session: Session, someone: Person) -> None:
    people.save(session, someone)


def channel_met(session: Session, channel_id: str, name: str, now: datetime) -> None:
    people.save_channel(session, channel_id, name, now)


def set_aside(
    desk: Desk, session: Session, kind: str, incident_id: int | None, asked_by: str | None, sentence: str
) -> None:
    """Tell the person who asked that Slack will not have it, and what they can do.

    A channel that cannot be made is tried again later: its incident has no other place to be led in.
    """
    about = incidents.find(session, incident_id) if incident_id is not None else None
    if about is None or kind in {"PersonTold", "Whispered"}:
        return
    again = ""
    if kind == "IncidentOpened" and desk.clock() - about.opened_at < CHANNEL_TRIED_FOR:
        _try_again(desk, session, about, asked_by)
        again = f" It is tried again every {CHANNEL_AGAIN_AFTER.total_seconds() / 60:g} minutes for a day."
    is_issue = kind == "IssueAsked"
    if is_issue:
        again = " `/incident follow-up send 1` (or its other number) sends it again; it becomes one issue."
    text = (
        f"{_PLAINLY.get(kind, 'Something')} for {about.slug} did not reach {'the tracker' if is_issue else 'Slack'}: "
        f"{markup.escape(sentence)}{again} What you logged is kept all the same."
    )
    for person in _concerned(session, kind, about, asked_by):
        # Slack may refuse every entry of a day for one reason; a person hears of it once.
        occasion = sha256(f"{about.id} {person} {kind} {sentence}".encode()).hexdigest()
        # Whoever sends an issue again waits for an answer, even if it is the same.
        if is_issue or inbox.arrive(session, f"aside:{occasion}", desk.now_for_outbox()):
            desk.tell(session, PersonTold(about.id, person, text))


def _concerned(session: Session, kind: str, about: Incident, asked_by: str | None) -> list[str]:
    """Who asked for it; whoever opened the incident when nobody did in so many words."""
    if asked_by:
        return [asked_by]
    if kind == "EntriesLogged":
        waiting = entries.unposted(session, about.id, ENTRIES_A_MESSAGE)
        return sorted({entry.recorded_by for entry in waiting}) or [about.opened_by]
    return [about.opened_by]


def _try_again(desk: Desk, session: Session, about: Incident, asked_by: str | None) -> None:
    notice = IncidentOpened(about.id)
    now = desk.now_for_outbox()
    for former in outbox.list_set_aside(session):
        if (former.kind, former.incident_id) == (notice.kind, about.id):
            outbox.cancel(session, former.id, now)
    outbox.put(
        session,
        outbox.Parcel(
            notice.kind,
            notice.key,
            notice.args,
            incident_id=about.id,
            asked_by=asked_by,
            not_before=now + CHANNEL_AGAIN_AFTER,
        ),
        now,
    )
