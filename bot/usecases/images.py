"""Images of the timeline: asked for when an entry names them, kept once, shown to those who may see the incident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from bot.domain.notices import ImageDue
from bot.domain.refusals import NotThere
from bot.domain.timeline import IMAGE_TYPES, Image, StoredImage
from bot.image_check import Looked
from bot.store import image as images
from bot.store import timeline as entries
from bot.store.db import Session
from bot.usecases.desk import Desk
from bot.usecases.sight import numbered

#: Bytes of one image that are kept.
LARGEST = 10 * 1024 * 1024
#: Characters of a file's id that a database keeps; Slack's have 9 to 11.
_LONGEST_ID = 64


def ask_for(desk: Desk, session: Session, incident_id: int, found: Iterable[Image]) -> None:
    """Have the images among an entry's files fetched, in the transaction that writes the entry."""
    for file_id in {one.file_id for one in found if is_wanted(one)}:
        if images.find(session, incident_id, file_id) is None:
            desk.tell(session, ImageDue(incident_id, file_id))


def is_wanted(file: Image) -> bool:
    """Whether a file may be an image that is kept: Slack says what it is, or does not say."""
    return 0 < len(file.file_id) <= _LONGEST_ID and (not file.mimetype or file.mimetype in IMAGE_TYPES)


def is_due(desk: Desk, incident_id: int, file_id: str) -> bool:
    """Whether an image is still to be fetched: nothing is known of it, and an entry that stands names it."""
    with desk.db.reading() as session:
        if images.find(session, incident_id, file_id) is not None:
            return False
        return any(
            one.file_id == file_id for entry in entries.live(session, incident_id) for one in entry.images
        )


def keep(
    desk: Desk, session: Session, incident_id: int, file_id: str, looked: Looked, content: bytes
) -> None:
    """Keep an image that was fetched. Kept already, it stays as it is."""
    stored = StoredImage(
        file_id=file_id,
        mimetype=looked.mimetype,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        width=looked.width,
        height=looked.height,
        note="",
        fetched_at=desk.now_for_outbox(),
    )
    images.keep(session, incident_id, stored, content)


def note(desk: Desk, session: Session, incident_id: int, file_id: str, why: str) -> None:
    """Write down why there is no copy of an image: a sentence for documents."""
    stored = StoredImage(file_id, "", "", 0, 0, 0, why, desk.now_for_outbox())
    images.keep(session, incident_id, stored, None)


@dataclass(frozen=True)
class ShownImage:
    mimetype: str
    content: bytes


def image_of(desk: Desk, number: int, entry_number: int, place: int, *, by: str) -> ShownImage:
    """An image (from 1) of an entry that stands, for `by`. Raises NotThere."""
    with desk.db.reading() as session:
        about = numbered(session, number, by)
        entry = entries.find_by_number(session, about.id, entry_number)
        if entry is None or entry.undone_at is not None or not 1 <= place <= len(entry.images):
            raise NotThere(f"There is no image {place} of an entry #{entry_number} in {about.slug}.")
        named = entry.images[place - 1]
        stored = images.find(session, about.id, named.file_id)
        content = images.content(session, about.id, named.file_id) if stored is not None else None
    if stored is None or content is None:
        why = stored.note if stored is not None else "Lantern has not fetched it from Slack yet."
        where = f" In Slack it is at {named.permalink}" if named.permalink else ""
        raise NotThere(f"Lantern has no copy of this image. {why}{where}")
    return ShownImage(stored.mimetype, content)
