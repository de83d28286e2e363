"""Timeline entries and what they said before: rows to `Entry` and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from bot.domain.timeline import Entry, EntryRevision, Image, Kind, Source
from bot.store.db import Session
from bot.store.inbox import short
from bot.store.prepared import Prepared
from bot.store.tables import entry, entry_revision

_FIELDS = tuple(field.name for field in fields(Entry))
_COLUMNS = tuple(entry.c[name] for name in _FIELDS)
# Built once: every logged line runs it.
_ADD = Prepared(insert(entry).returning(*_COLUMNS))


def _entry(row: Any) -> Entry:
    values = dict(zip(_FIELDS, row, strict=True))
    values["kind"] = Kind(values["kind"])
    values["source"] = Source(values["source"])
    values["images"] = tuple(Image(**image) for image in values["images"])
    return Entry(**values)


def add(
    session: Session,
    *,
    incident_id: int,
    number: int,
    kind: Kind,
    text: str,
    happened_at: datetime,
    recorded_at: datetime,
    author: str,
    recorded_by: str,
    source: Source,
    origin: str | None = None,
    permalink: str = "",
    images: tuple[Image, ...] = (),
    is_shown: bool = True,
) -> Entry:
    """Add an entry. `is_shown` False keeps it from being posted into the channel as a line."""
    values = {
        "incident_id": incident_id,
        "number": number,
        "kind": kind.value,
        "text": text,
        "happened_at": happened_at,
        "recorded_at": recorded_at,
        "author": author,
        "recorded_by": recorded_by,
        "source": source.value,
        "origin": None if origin is None else short(origin),
        "permalink": permalink,
        "images": [asdict(image) for image in images],
        "is_shown": is_shown,
        "edits": 0,
    }
    return _entry(_ADD.row(session, values))


def get(session: Session, entry_id: int) -> Entry:
    return _entry(session.execute(select(*_COLUMNS).where(entry.c.id == entry_id)).one())


def find_by_number(session: Session, incident_id: int, number: int) -> Entry | None:
    row = session.execute(
        select(*_COLUMNS).where(entry.c.incident_id == incident_id, entry.c.number == number)
    ).one_or_none()
    return None if row is None else _entry(row)


def find_by_origin(session: Session, origin: str) -> Entry | None:
    row = session.execute(select(*_COLUMNS).where(entry.c.origin == short(origin))).one_or_none()
    return None if row is None else _entry(row)


def last_of(session: Session, incident_id: int, recorded_by: str) -> Entry | None:
    """The entry this person had written down last by hand, not undone; None when there is none."""
    row = session.execute(
        select(*_COLUMNS)
        .where(
            entry.c.incident_id == incident_id,
            entry.c.recorded_by == recorded_by,
            entry.c.undone_at.is_(None),
            entry.c.source.not_in((Source.AUTOMATIC.value, Source.RUNBOOK.value)),
        )
        .order_by(entry.c.number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _entry(row)


def live(session: Session, incident_id: int, kind: Kind | None = None) -> list[Entry]:
    """Entries that stand, in the order things happened."""
    query = select(*_COLUMNS).where(entry.c.incident_id == incident_id, entry.c.undone_at.is_(None))
    if kind is not None:
        query = query.where(entry.c.kind == kind.value)
    rows = session.execute(query.order_by(entry.c.happened_at, entry.c.number)).all()
    return [_entry(row) for row in rows]


def undone(session: Session, incident_id: int) -> list[Entry]:
    """Entries that were taken back, in the order things happened."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(entry.c.incident_id == incident_id, entry.c.undone_at.is_not(None))
        .order_by(entry.c.happened_at, entry.c.number)
    ).all()
    return [_entry(row) for row in rows]


def save(session: Session, entry_id: int, **changes: Any) -> Entry:
    """Change columns and give the entry as it stands now."""
    row = session.execute(
        update(entry).where(entry.c.id == entry_id).values(**changes).returning(*_COLUMNS)
    ).one()
    return _entry(row)


def keep_former(session: Session, former: Entry, *, changed_at: datetime, changed_by: str) -> None:
    """Keep what an entry said before a change, and who changed it."""
    session.execute(
        insert(entry_revision).values(
            entry_id=former.id,
            kind=former.kind.value,
            text=former.text,
            happened_at=former.happened_at,
            changed_at=changed_at,
            changed_by=changed_by,
        )
    )


def history(session: Session, entry_id: int) -> list[EntryRevision]:
    """What an entry said before, oldest first."""
    rows = session.execute(
        select(entry_revision).where(entry_revision.c.entry_id == entry_id).order_by(entry_revision.c.id)
    ).mappings()
    return [EntryRevision(**{**row, "kind": Kind(row["kind"])}) for row in rows]


def unposted(session: Session, incident_id: int, limit: int) -> list[Entry]:
    """Entries the channel has not been shown yet, in the order they were recorded."""
    # By id, which within an incident is the order of the numbers: so SQLite reads only these.
    query = select(*_COLUMNS).where(*_is_unposted(incident_id)).order_by(entry.c.id).limit(limit)
    return [_entry(row) for row in session.execute(query).all()]


def has_unposted(session: Session, incident_id: int) -> bool:
    """True when there is an entry that the channel has not been shown."""
    return session.execute(select(entry.c.id).where(*_is_unposted(incident_id)).limit(1)).first() is not None


def _is_unposted(incident_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        entry.c.incident_id == incident_id,
        entry.c.posted_ts.is_(None),
        entry.c.is_shown.is_(True),
        entry.c.undone_at.is_(None),
    )


def mark_posted(session: Session, entry_ids: list[int], ts: str) -> None:
    """Write down which channel message shows these entries."""
    session.execute(update(entry).where(entry.c.id.in_(entry_ids)).values(posted_ts=ts))


def shown_with(session: Session, entry_id: int) -> tuple[str | None, list[Entry]]:
    """The ts of the message that shows an entry, and all entries that message shows."""
    ts = session.execute(select(entry.c.posted_ts).where(entry.c.id == entry_id)).scalar_one()
    if ts is None:
        return None, []
    incident_id = session.execute(select(entry.c.incident_id).where(entry.c.id == entry_id)).scalar_one()
    rows = session.execute(
        select(*_COLUMNS)
        .where(entry.c.incident_id == incident_id, entry.c.posted_ts == ts)
        .order_by(entry.c.number)
    ).all()
    return ts, [_entry(row) for row in rows]
