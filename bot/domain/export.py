"""A postmortem with everything that a document of it may hold: the only input of an exporter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.postmortem import Facts, Revision
from bot.domain.review import Review
from bot.domain.timeline import Entry, StoredImage


@dataclass(frozen=True)
class Picture:
    """An image of an entry that stands."""

    entry: Entry
    #: From 1 among the entry's images.
    place: int
    #: The file's name, as it is in Slack.
    name: str
    #: Where it is in Slack; "" when nobody knows.
    permalink: str
    #: What Lantern has of it; None while it has not been fetched.
    stored: StoredImage | None = None
    #: The image itself; None when it is not stored, or would make the document too large.
    content: bytes | None = None

    @property
    def why_not(self) -> str:
        """Why the document does not show it, in a sentence; "" when it does."""
        if self.content is not None:
            return ""
        if self.stored is None:
            return "Lantern has no copy of it."
        return self.stored.note or "It would make this document too large; the console shows it."


@dataclass(frozen=True)
class Export:
    """A postmortem to be written into a file."""

    facts: Facts
    revision: Revision
    review: Review
    pictures: tuple[Picture, ...]
    #: Where the drawn timeline of an incident that is still open ends (aware UTC).
    now: datetime
