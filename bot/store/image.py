"""Images of the timeline that Lantern keeps itself: rows to `StoredImage` and back, bytes beside them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import select

from bot.domain.timeline import StoredImage
from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.tables import image

_FIELDS = tuple(field.name for field in fields(StoredImage))
_COLUMNS = tuple(image.c[name] for name in _FIELDS)


def _stored(row: Any) -> StoredImage:
    return StoredImage(**dict(zip(_FIELDS, row, strict=True)))


def keep(session: Session, incident_id: int, stored: StoredImage, content: bytes | None) -> None:
    """Keep an image, or the note why there is none. What is there already stays: a file at Slack never changes."""
    values = {name: getattr(stored, name) for name in _FIELDS}
    insert_once(session, image, incident_id=incident_id, content=content, **values)


def find(session: Session, incident_id: int, file_id: str) -> StoredImage | None:
    row = session.execute(
        select(*_COLUMNS).where(image.c.incident_id == incident_id, image.c.file_id == file_id)
    ).one_or_none()
    return None if row is None else _stored(row)


def of(session: Session, incident_id: int) -> dict[str, StoredImage]:
    """File id -> what is kept of it, without the bytes."""
    rows = session.execute(select(*_COLUMNS).where(image.c.incident_id == incident_id)).all()
    return {one.file_id: one for one in map(_stored, rows)}


def content(session: Session, incident_id: int, file_id: str) -> bytes | None:
    """The bytes; None when there are none."""
    found: bytes | None = session.execute(
        select(image.c.content).where(image.c.incident_id == incident_id, image.c.file_id == file_id)
    ).scalar_one_or_none()
    return found
