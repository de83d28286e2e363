"""Logging, editing and undoing timeline entries."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.line import clean
from bot.domain.notices import (
    ChannelNamed,
    EntriesLogged,
    EntryChanged,
    MessageLogged,
    PersonNamed,
)
from bot.domain.refusals import Refusal
from bot.domain.timeline import Entry, Image, Kind, Source
from bot.store import incident as incidents
from bot.store import people
from bot.store import timeline as entries
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.images import ask_for
from bot.usecases.sight import seen, shown, without_private_names

#: Most characters of one entry; a Slack section shows 3,000 (Block Kit).
LONGEST = 3000
#: Slack writes & < > like this; a person typed one character.
_ESCAPED = re.compile("&(?:amp|lt|gt);")

#: Letters of Unicode that show nothing: the Hangul fillers and the empty Braille cell.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class EditedMeanwhile(Refusal):
    """Somebody else has changed the entry since it was looked at."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Somebody else has changed entry #{number} since you opened it. What it says now stands above your words; "
            "send them again to put them in its place."
        )


@dataclass(frozen=True)
class MessageSeen:
    """A message of the channel as Slack gives it: whose, when, what."""

    channel_id: str
    ts: str
    author: str
    #: When it was posted (UTC).
    posted_at: datetime
    #: Slack mrkdwn.
    text: str
    permalink: str = ""
    images: tuple[Image, ...] = ()

    @property
    def origin(self) -> str:
        """One message is one entry, whichever door it came through."""
        return f"msg:{self.channel_id}:{self.ts}"


def write_entry(
    desk: Desk,
    session: Session,
    about: Incident,
    text: str,
    *,
    kind: Kind,
    by: str,
    source: Source,
    happened_at: datetime | None = None,
    author: str | None = None,
    origin: str | None = None,
    permalink: str = "",
    images: tuple[Image, ...] = (),
    is_shown: bool = True,
) -> Entry:
    """Write an entry inside a deed's transaction, with the notices that follow from it."""
    now = desk.clock()
    entry = entries.add(
        session,
        incident_id=about.id,
        number=incidents.take_number(session, about.id, "entry"),
        kind=kind,
        text=without_private_names(session, text, within=about.id),
        happened_at=happened_at or now,
        recorded_at=now,
        author=author or by,
        recorded_by=by,
        source=source,
        origin=origin,
        permalink=permalink,
        images=images,
        is_shown=is_shown,
    )
    if is_shown:
        desk.tell(session, EntriesLogged(about.id))
    ask_for(desk, session, about.id, images)
    meet_named(desk, session, about.id, text, entry.author, by)
    return entry


def meet_named(desk: Desk, session: Session, incident_id: int, text: str, *ids: str) -> None:
    """Ask Slack, later, for the names of people and channels that a text names and nobody knows yet."""
    named = {one for one in (*ids, *markup.mentions(text)) if one and not desk.met.knows(one)}
    known = people.known(session, named)
    desk.tell(session, *(PersonNamed(incident_id, one) for one in sorted(named - set(known))))
    channels = set(markup.channel_refs(text))
    kept = people.channel_names(session, channels)
    desk.tell(session, *(ChannelNamed(incident_id, one) for one in sorted(channels - set(kept))))


def checked(text: str, *, example: str, longest: int = LONGEST) -> str:
    """A text from outside, cleaned. Raises Refusal when it is empty or too long."""
    kept = clean(text).strip()
    if not any(_is_visible(letter) for letter in kept):
        raise Refusal(f"There is no text to keep. For example: `{example}`")
    typed = len(_ESCAPED.sub("&", kept))
    if typed > longest:
        raise Refusal(
            f"That is {typed:,} characters; at most {longest:,} fit. Say it shorter, for example "
            f"`{example}`. The long text can go into a file or a message; :pushpin: puts that on the timeline."
        )
    return kept


def _is_visible(letter: str) -> bool:
    """False for spaces, separators, marks of direction, joiners and the fillers that are drawn as nothing."""
    return unicodedata.category(letter)[0] not in "CZ" and letter not in _FILLERS


def log_entry(
    desk: Desk,
    incident_id: int,
    text: str,
    *,
    by: str,
    source: Source,
    kind: Kind = Kind.NOTE,
    happened_at: datetime | None = None,
    images: tuple[Image, ...] = (),
    origin: str | None = None,
) -> Done:
    """Log one entry. Asked twice for the same origin, log it once. Raises Refusal, NotSaved."""
    kept = checked(text, example="/log 10:30 detection: alarms on login")

    def act(session: Session) -> Done:
        about = open_to_entries(session, incident_id, by)
        entry = write_entry(
            desk,
            session,
            about,
            kept,
            kind=kind,
            by=by,
            source=source,
            happened_at=happened_at,
            images=images,
            origin=origin,
        )
        return _logged(desk, entry)

    return desk.once(origin, act)


def open_to_entries(session: Session, incident_id: int, by: str) -> Incident:
    """The incident, locked for `by`. Raises Refusal when its channel is archived or they may not see it."""
    about = seen(session, incident_id, by)
    if about.is_archived:
        raise Refusal(
            f"{about.slug} is archived; its timeline is finished. Unarchive the channel in Slack first."
        )
    return about


def _logged(desk: Desk, entry: Entry) -> Done:
    return Done(
        f"Logged *#{entry.number}* ({entry.kind.value}, {markup.dated(entry.happened_at)}). "
        f"Change it: `/log edit {entry.number} <text>`, take it back: `/log undo {entry.number}`.",
        incident_id=entry.incident_id,
        entry=entry.number,
    )


def log_message(
    desk: Desk,
    incident_id: int,
    message: MessageSeen,
    *,
    by: str,
    source: Source,
    kind: Kind = Kind.NOTE,
    happened_at: datetime | None = None,
    origin: str | None = None,
) -> Done:
    """Put a message of the channel on the timeline: its author, its time, its words.

    A message is one entry: marked again it stays the same; marked after an undo, it comes back (from the
    form with what the form says).
    """
    kept = checked(message.text or _file_names(message), example="/log the text")

    def act(session: Session) -> Done:
        about = open_to_entries(session, incident_id, by)
        if message.channel_id != about.channel_id:
            raise Refusal(f"That message is not of {about.slug}'s channel. Log its words with `/log <text>`.")
        before = entries.find_by_origin(session, message.origin)
        if before is not None and before.undone_at is None:
            return Done(
                f"That message is already on the timeline as *#{before.number}*. "
                f"Change it: `/log edit {before.number} <text>`.",
                incident_id=incident_id,
                entry=before.number,
                is_new=False,
            )
        if before is not None:
            chosen = {"text": kept, "kind": kind.value, "happened_at": happened_at or before.happened_at}
            is_form = source is Source.SHORTCUT
            entry = _brought_back(desk, session, before, by=by, **(chosen if is_form else {}))
        else:
            entry = write_entry(
                desk,
                session,
                about,
                kept,
                kind=kind,
                by=by,
                source=source,
                happened_at=happened_at or message.posted_at,
                author=message.author,
                origin=message.origin,
                permalink=message.permalink,
                images=message.images,
                is_shown=False,
            )
        desk.tell(session, MessageLogged(incident_id, message.channel_id, message.ts))
        return _logged(desk, entry)

    return desk.once(origin, act)


def _brought_back(desk: Desk, session: Session, undone: Entry, *, by: str, **chosen: object) -> Entry:
    entries.keep_former(session, undone, changed_at=desk.clock(), changed_by=by)
    if isinstance(text := chosen.get("text"), str):
        chosen["text"] = without_private_names(session, text, within=undone.incident_id)
    entry = entries.save(session, undone.id, undone_at=None, undone_by=None, edits=undone.edits + 1, **chosen)
    ask_for(desk, session, entry.incident_id, entry.images)
    meet_named(desk, session, entry.incident_id, entry.text)
    return entry


def _file_names(message: MessageSeen) -> str:
    return ", ".join(markup.escape(image.name) for image in message.images)


def _entry_for_change(session: Session, about: Incident, number: int) -> Entry:
    entry = entries.find_by_number(session, about.id, number)
    if entry is None:
        raise Refusal(
            f"There is no entry #{number} in {about.slug}. `/log list` shows them with their numbers."
        )
    return entry


def edit_entry(
    desk: Desk,
    incident_id: int,
    number: int,
    *,
    by: str,
    text: str | None = None,
    kind: Kind | None = None,
    happened_at: datetime | None = None,
    seen_edits: int | None = None,
    origin: str | None = None,
) -> Done:
    """Change what an entry says; what is None stays. The former words and who changed them are kept.

    `seen_edits`: how often it had been edited when the person saw it. Raises EditedMeanwhile when that is not now.
    """
    kept = None if text is None else checked(text, example=f"/log edit {number} the corrected text")

    def act(session: Session) -> Done:
        about = open_to_entries(session, incident_id, by)
        former = _entry_for_change(session, about, number)
        if former.undone_at is not None:
            raise Refusal(f"Entry #{number} was undone. Log it again with `/log <text>`.")
        if seen_edits is not None and former.edits != seen_edits:
            raise EditedMeanwhile(number)
        safe = None if kept is None else without_private_names(session, kept, within=incident_id)
        wished = replace(
            former,
            text=safe if safe is not None else former.text,
            kind=kind or former.kind,
            happened_at=happened_at or former.happened_at,
        )
        if wished == former:
            return Done(
                f"Entry #{number} already says that.", incident_id=incident_id, entry=number, is_new=False
            )
        entries.keep_former(session, former, changed_at=desk.clock(), changed_by=by)
        entries.save(
            session,
            former.id,
            text=wished.text,
            kind=wished.kind.value,
            happened_at=wished.happened_at,
            edits=former.edits + 1,
        )
        desk.tell(session, EntryChanged(incident_id, former.id))
        meet_named(desk, session, incident_id, wished.text)
        when = markup.dated(wished.happened_at)
        return Done(
            f"Entry *#{number}* now reads ({wished.kind.value}, {when}): {markup.to_mrkdwn_safe(wished.text)}",
            incident_id=incident_id,
            entry=number,
        )

    return desk.once(origin, act)


def undo_entry(
    desk: Desk, incident_id: int, *, by: str, number: int | None = None, origin: str | None = None
) -> Done:
    """Take an entry back: the one of this number, or the last that `by` logged. It is kept, not shown."""

    def act(session: Session) -> Done:
        about = open_to_entries(session, incident_id, by)
        if number is None:
            former = entries.last_of(session, incident_id, by)
            if former is None:
                raise Refusal(
                    "You have logged nothing here that could be undone. `/log list` shows all entries."
                )
        else:
            former = _entry_for_change(session, about, number)
        if former.undone_at is not None:
            return Done(
                f"Entry #{former.number} is already undone.",
                incident_id=incident_id,
                entry=former.number,
                is_new=False,
            )
        if former.source in (Source.AUTOMATIC, Source.RUNBOOK):
            raise Refusal(
                f"Entry #{former.number} was written by Lantern when something changed. "
                "Undo the change itself, for example with `/incident status investigating`."
            )
        now = desk.clock()
        entries.keep_former(session, former, changed_at=now, changed_by=by)
        entries.save(session, former.id, undone_at=now, undone_by=by)
        desk.tell(session, EntryChanged(incident_id, former.id))
        return Done(
            f"Entry *#{former.number}* is undone: ~{one_line(former.text)}~ "
            "It stays in the history and is left out of the postmortem.",
            incident_id=incident_id,
            entry=former.number,
        )

    return desk.once(origin, act)


def one_line(text: str) -> str:
    """A stored text quoted in an answer: on one line, 200 characters at most."""
    line = " ".join(markup.to_mrkdwn_safe(text).split())
    return line if len(line) <= 200 else line[:199] + "…"


def list_entries(desk: Desk, incident_id: int, *, by: str, kind: Kind | None = None) -> list[Entry]:
    """Entries that stand, in the order things happened. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        return entries.live(session, shown(session, incident_id, by).id, kind)


def entry_of_message(desk: Desk, message_origin: str) -> Entry | None:
    """The entry a message became, if it stands."""
    with desk.db.reading() as session:
        found = entries.find_by_origin(session, message_origin)
    return found if found is not None and found.undone_at is None else None
