"""Timeline entries: what happened, when it happened, by whose account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What an entry tells. The value is stored, typed by people, and printed."""

    IMPACT = "impact"
    DETECTION = "detection"
    ESCALATION = "escalation"
    HYPOTHESIS = "hypothesis"
    FINDING = "finding"
    DECISION = "decision"
    ACTION = "action"
    DEAD_END = "dead end"
    MITIGATION = "mitigation"
    RESOLUTION = "resolution"
    COMMS = "comms"
    RUNBOOK = "runbook"
    NOTE = "note"


class Source(StrEnum):
    """The door through which an entry came."""

    COMMAND = "command"
    MODAL = "modal"
    REACTION = "reaction"
    PIN = "pin"
    SHORTCUT = "shortcut"
    BUTTON = "button"
    RUNBOOK = "runbook"
    AUTOMATIC = "automatic"
    CLI = "cli"
    WEB = "web"
    ALERT = "alert"


@dataclass(frozen=True)
class Image:
    """A file that was attached to a message, as Slack names it."""

    file_id: str
    name: str
    permalink: str
    mimetype: str = ""


#: What is kept of a message's files, and shown: browsers draw them, and Pillow reads them.
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@dataclass(frozen=True)
class StoredImage:
    """An image that Lantern keeps itself, without its bytes; or the note why it has none."""

    file_id: str
    #: One of IMAGE_TYPES, by its content; "" when there are no bytes.
    mimetype: str
    #: Of the bytes, hex; "" when there are none.
    sha256: str
    #: Bytes.
    size: int
    #: Pixels.
    width: int
    height: int
    #: Why there is no copy, in a sentence; "" when there is one.
    note: str
    fetched_at: datetime


@dataclass(frozen=True)
class Entry:
    """One timeline entry, as it stands now."""

    id: int
    incident_id: int
    #: Short number within the incident: the 12 of `#12`. Never reused.
    number: int
    kind: Kind
    #: Slack mrkdwn as it was typed, mentions and links in Slack's markup.
    text: str
    #: When the thing happened (UTC).
    happened_at: datetime
    #: When it was written down (UTC).
    recorded_at: datetime
    #: Slack id of the person whose account this is (the author of a pinned message).
    author: str
    #: Slack id of the person who had it written down.
    recorded_by: str
    source: Source
    #: What makes a second delivery the same entry.
    origin: str | None = None
    #: Slack permalink of the message behind the entry, or "".
    permalink: str = ""
    images: tuple[Image, ...] = ()
    #: Set when the entry was undone; an undone entry is kept, and left out of documents.
    undone_at: datetime | None = None
    undone_by: str | None = None
    #: How many times the entry was edited.
    edits: int = 0


@dataclass(frozen=True)
class Point:
    """An entry without its words: what is drawn and measured of it."""

    number: int
    kind: Kind
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str
    source: Source


#: Entries that a page shows at once.
AT_ONCE = 500


@dataclass(frozen=True)
class Window:
    """Which part of a timeline somebody looks at; nothing said: the latest entries."""

    #: The earliest entries instead.
    is_earliest: bool = False
    #: Only what happened before, or after, the entry of this number.
    before: int | None = None
    after: int | None = None
    #: The entry of this number has to be among them.
    at: int | None = None
    is_all: bool = False
    most: int = AT_ONCE


@dataclass(frozen=True)
class Stretch:
    """A part of a timeline, in the order things happened, and how many entries stand before it and behind it."""

    entries: tuple[Entry, ...]
    earlier: int
    later: int

    @property
    def total(self) -> int:
        return self.earlier + len(self.entries) + self.later


@dataclass(frozen=True)
class EntryRevision:
    """What an entry said before it was edited or undone."""

    id: int
    entry_id: int
    kind: Kind
    text: str
    happened_at: datetime
    changed_at: datetime
    changed_by: str
