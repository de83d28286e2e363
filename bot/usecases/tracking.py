"""Follow-ups as issues of the team's tracker: asked for once, made once, and read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from bot.domain import markup
from bot.domain.followup import FollowUp, FollowUpState
from bot.domain.incident import Incident
from bot.domain.notices import IssueAsked, IssuesDue, Notice, PersonTold, Whispered
from bot.domain.refusals import Refusal
from bot.domain.tracker import Body, Issue, NoTracker, Standing, Tracker
from bot.store import followup as follow_ups
from bot.store import incident as incidents
from bot.store import people, undelivered
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.followup import is_web_address, numbered_follow_up
from bot.usecases.sight import seen

#: An issue is read again after this long, so many in one go.
READ_EVERY = timedelta(hours=1)
READ_AT_MOST = 20
#: One that the tracker closed is read for so long after: until then it may be opened again there.
READ_ON_FOR = timedelta(days=30)

_UNSET = (
    "No tracker is set up here. Whoever runs Lantern sets `LANTERN_TRACKER=github:acme/web` (or gitlab:, jira:) and "
    "`LANTERN_TRACKER_TOKEN`. Until then give the address by hand: "
    "`/incident follow-up link 1 https://tracker.example.com/OPS-12`"
)


def send_follow_up(
    desk: Desk,
    incident_id: int,
    number: int,
    *,
    by: str,
    is_anyway: bool = False,
    origin: str | None = None,
) -> Done:
    """Have a follow-up become an issue of the tracker. Asked often, it becomes one.

    The text of a private incident leaves only when `is_anyway` says so; its title never does. Raises Refusal.
    """

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        one = numbered_follow_up(session, incident_id, number)
        if one.tracker_key:
            return Done(f"Follow-up {number} is {shown(one)} already.", incident_id, is_new=False)
        tracker = _tracker_of(desk, about)
        if one.state is not FollowUpState.OPEN:
            raise Refusal(
                f"Follow-up {number} is {one.state.value}: nothing of it is left to send. "
                f"`/incident follow-up reopen {number}` opens it again."
            )
        if about.is_private and not is_anyway:
            raise Refusal(
                f"{about.slug} is private, and whoever reads {tracker.name} ({markup.escape(tracker.place)}) would "
                "read this follow-up. If its text may leave, say so: "
                f"`/incident follow-up send {number} anyway`. The incident's title stays here."
            )
        is_again = one.tracker == tracker.place
        formerly = "" if is_again else one.tracker or ""
        notice = IssueAsked(incident_id, one.id, is_again, is_anyway, formerly)
        if undelivered.is_asked(session, notice.key, notice.kind, "follow_up_id", one.id):
            return Done(f"Follow-up {number} is on its way to {tracker.name}.", incident_id, is_new=False)
        follow_ups.save(
            session,
            one.id,
            tracker=tracker.place,
            tracker_mark=one.tracker_mark or f"lantern-{uuid4().hex}",
            tracker_asked_at=one.tracker_asked_at or desk.now_for_outbox(),
        )
        desk.tell(session, notice, asked_by=by)
        return Done(
            f"Follow-up *{number}* is on its way to {tracker.name} ({markup.escape(tracker.place)}); you are told "
            "when it is there.",
            incident_id,
        )

    return desk.once(origin, act)


def _tracker_of(desk: Desk, about: Incident) -> Tracker:
    """The tracker of the incident's service, or the one for everything. Raises Refusal."""
    if desk.tracker is None:
        raise Refusal(_UNSET if not desk.no_tracker else f"The tracker cannot be used. {desk.no_tracker}")
    service = desk.services().get(about.service or "")
    if service is None or not service.tracker:
        return desk.tracker
    try:
        return desk.tracker.at(service.tracker)
    except NoTracker:
        raise Refusal(
            f"The catalogue sends follow-ups of {service.name} to `{service.tracker}`, which is no project of "
            f"{desk.tracker.name}. Write one such as `{desk.tracker.place}` there."
        ) from None


def shown(one: FollowUp) -> str:
    """The issue of a follow-up, as a link where it has one: mrkdwn."""
    key = markup.escape(one.tracker_key or "")
    return f"<{markup.escape(one.link)}|{key}>" if one.link else key


@dataclass(frozen=True)
class Filing:
    """An issue that is to be made."""

    tracker: Tracker
    title: str
    body: Body
    mark: str
    #: It was not made before that.
    since: datetime
    #: Why it may not be made any more, for whoever asked: mrkdwn. "" when it may.
    withheld: str = ""


def filing(desk: Desk, follow_up_id: int, *, is_anyway: bool) -> Filing | None:
    """What is to be sent, as it is now; None when that is done. Raises NoTracker."""
    with desk.db.reading() as session:
        one = follow_ups.find(session, follow_up_id)
        if one is None or one.tracker_key or not one.tracker or not one.tracker_mark:
            return None
        about = incidents.get(session, one.incident_id)
        ids = {one.created_by, one.owner or "", *markup.mentions(one.text), *markup.mentions(about.title)}
        names = {each.id: each.name for each in people.known(session, ids).values()}
        channels = people.channel_names(
            session, {*markup.channel_refs(one.text), *markup.channel_refs(about.title)}
        )
    if desk.tracker is None:
        raise NoTracker(desk.no_tracker or "LANTERN_TRACKER is not set any more.")
    tracker = desk.tracker.at(one.tracker)
    text = markup.to_plain(one.text, names, channels)
    title = (
        "" if about.is_private else f" “{' '.join(markup.to_plain(about.title, names, channels).split())}”"
    )
    facts = [
        f"Follow-up {one.number} of {about.slug}{title} ({about.severity.value}), noted "
        f"{one.created_at:%Y-%m-%d} by {names.get(one.created_by, one.created_by)}."
    ]
    if one.owner:
        facts.append(f"Owner: {names.get(one.owner, one.owner)}.")
    if one.due_on:
        facts.append(f"Due: {one.due_on.isoformat()}.")
    body = Body(text, tuple(facts), desk.page_of(about.number, f"/follow-ups/{one.number}"))
    return Filing(
        tracker=tracker,
        title=next((line for line in text.splitlines() if line.strip()), about.slug),
        body=body,
        mark=one.tracker_mark,
        since=one.tracker_asked_at or one.created_at,
        withheld=_withheld(one, about, tracker, is_anyway=is_anyway),
    )


def _withheld(one: FollowUp, about: Incident, tracker: Tracker, *, is_anyway: bool) -> str:
    """Why a follow-up that was asked for is not sent after all, and what to do about it; "" when it is."""
    what = f"Follow-up *{one.number}* of {about.slug} was not sent to {tracker.name}"
    if one.state is not FollowUpState.OPEN:
        return (
            f"{what}: it is {one.state.value} meanwhile. `/incident follow-up reopen {one.number}` opens it again, "
            f"`/incident follow-up send {one.number}` sends it then."
        )
    if about.is_private and not is_anyway:
        return (
            f"{what}: {about.slug} has become private, and whoever reads {tracker.name} "
            f"({markup.escape(tracker.place)}) would read it. If its text may leave, say so: "
            f"`/incident follow-up send {one.number} anyway`."
        )
    return ""


def tell_withheld(desk: Desk, session: Session, follow_up_id: int, why: str, asked_by: str | None) -> None:
    """It was not sent: whoever asked is told why."""
    one = follow_ups.find(session, follow_up_id)
    if one is not None and asked_by is not None:
        desk.tell(session, _word(incidents.get(session, one.incident_id), asked_by, why))


def issue_made(
    desk: Desk,
    session: Session,
    follow_up_id: int,
    issue: Issue,
    asked_by: str | None,
    *,
    place: str | None = None,
) -> None:
    """The issue is there: the follow-up says which it is, and whoever asked is told.

    `place`: the project it is in, where that is another than the follow-up was to go to.
    """
    one = _held(session, follow_up_id)
    assert one is not None, "a notice names a follow-up that was never written"
    link = issue.link if is_web_address(issue.link) else None
    follow_ups.save(
        session,
        one.id,
        tracker=place or one.tracker,
        tracker_key=issue.key,
        tracker_state=Standing.OPEN.value,
        tracker_state_at=desk.now_for_outbox(),
        link=one.link or link,
    )
    if asked_by is None:
        return
    about = incidents.get(session, one.incident_id)
    key = markup.escape(issue.key)
    there = f"<{markup.escape(link)}|{key}>" if link else key
    text = f"Follow-up *{one.number}* of {about.slug} is now {there}."
    if one.link:
        text += f" Its link stays <{markup.escape(one.link)}>, which somebody gave by hand."
    desk.tell(session, _word(about, asked_by, text))


def _held(session: Session, follow_up_id: int) -> FollowUp | None:
    """The follow-up as it stands, held against people's deeds until the transaction ends: they lock its incident."""
    found = follow_ups.find(session, follow_up_id)
    if found is None:
        return None
    incidents.lock(session, found.incident_id)
    return follow_ups.find(session, follow_up_id)


def _word(about: Incident, person: str, text: str) -> Notice:
    if about.channel_id and not about.is_archived:
        return Whispered(about.id, about.channel_id, person, text)
    return PersonTold(about.id, person, text)


def issues_due(desk: Desk) -> bool:
    """Put one reading of the issues that are due into the outbox, unless one is there. Raises NotSaved."""
    if desk.tracker is None or not due_issues(desk):
        return False
    notice = IssuesDue(0)

    def act(session: Session) -> bool:
        if undelivered.is_waiting(session, notice.key, notice.kind):
            return False
        desk.tell(session, notice)
        return True

    return desk.db.write(act, is_once=True)


def due_issues(desk: Desk) -> list[FollowUp]:
    """Follow-ups whose issue is to be read now."""
    if desk.tracker is None:
        return []
    with desk.db.reading() as session:
        return follow_ups.worth_reading(
            session,
            desk.tracker.place.partition(":")[0],
            read_before=desk.now_for_outbox() - READ_EVERY,
            settled_after=desk.clock() - READ_ON_FOR,
            limit=READ_AT_MOST,
        )


def put_off(desk: Desk, session: Session, follow_up_id: int) -> None:
    """The tracker refuses to show an issue: it is asked again when it would have been anyway."""
    follow_ups.save(session, follow_up_id, tracker_state_at=desk.now_for_outbox())


def issue_read(desk: Desk, session: Session, follow_up_id: int, standing: Standing) -> None:
    """What the tracker says about an issue. Only what changed there changes anything here.

    Closed there, an open follow-up is done (or dropped) by the tracker; opened again there, it is open again if it was
    the tracker that had closed it. What a person decided in Lantern stays. Read twice it is the same.
    """
    one = _held(session, follow_up_id)
    if one is None or not one.tracker_key:
        return
    changes: dict[str, object] = {"tracker_state_at": desk.now_for_outbox()}
    if standing is not Standing.GONE:
        # What it was before it was gone is kept: when it is shown again, only a change is one.
        changes["tracker_state"] = standing.value
    kind = (one.tracker or "").partition(":")[0]
    is_news = standing.value != one.tracker_state
    if is_news and standing in {Standing.DONE, Standing.DROPPED} and one.state is FollowUpState.OPEN:
        changes |= {"state": standing.value, "settled_at": desk.clock(), "settled_by": kind}
    elif (
        is_news
        and standing is Standing.OPEN
        and one.state is not FollowUpState.OPEN
        and one.settled_by == kind
    ):
        changes |= {"state": FollowUpState.OPEN.value, "settled_at": None, "settled_by": None}
    follow_ups.save(session, one.id, **changes)
