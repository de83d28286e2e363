"""Timeline entries and what they said before: rows to `Entry` and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, not_, or_, select, update

from bot.domain.timeline import Entry, EntryRevision, Image, Kind, Point, Source, Stretch, Window
from bot.store.db import Session
from bot.store.inbox import short
from bot.store.prepared import Prepared
from bot.store.tables import entry, entry_revision

_FIELDS = tuple(field.name for field in fields(Entry))
_COLUMNS = tuple(entry.c[name] for name in _FIELDS)
# Built once: every logged line runs it.
_ADD = Prepared(insert(entry).returning(*_COLUMNS))
_KINDS = {kind.value: kind for kind in Kind}
_SOURCES = {source.value: source for source in Source}


def _entry(row: Any) -> Entry:
    values = dict(zip(_FIELDS, row, strict=True))
    values["kind"] = _KINDS[values["kind"]]
    values["source"] = _SOURCES[values["source"]]
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


def points(session: Session, incident_id: int) -> list[Point]:
    """Entries that stand, without their words, in the order things happened."""
    columns = entry.c
    rows = session.execute(
        select(
            columns.number,
            columns.kind,
            columns.happened_at,
            columns.recorded_at,
            columns.recorded_by,
            columns.source,
        )
        .where(*_stands(incident_id))
        .order_by(columns.happened_at, columns.number)
    )
    return [
        Point(number, _KINDS[kind], happened_at, recorded_at, by, _SOURCES[source])
        for number, kind, happened_at, recorded_at, by, source in rows
    ]


def stretch(session: Session, incident_id: int, window: Window) -> Stretch:
    """A part of the timeline. Numbers that no entry has are passed over."""
    if window.is_all:
        return Stretch(tuple(live(session, incident_id)), 0, 0)
    here = _stands(incident_id)
    before, after, at = (
        None if number is None else _place(session, incident_id, number)
        for number in (window.before, window.after, window.at)
    )
    if before is not None:
        found = _latest(session, window.most, *here, _precedes(before))
    elif after is not None:
        found = _earliest(session, window.most, *here, _follows(after))
    else:
        found = (_earliest if window.is_earliest else _latest)(session, window.most, *here)
        if at is not None and len(found) == window.most and window.at not in {one.number for one in found}:
            half = window.most // 2
            behind = _earliest(session, half, *here, _follows(at))
            found = [*_latest(session, window.most - half, *here, not_(_follows(at))), *behind]
    if not found:
        total = session.execute(select(func.count()).select_from(entry).where(*here)).scalar_one()
        return Stretch((), *((0, total) if before is not None else (total, 0)))
    first, last = ((one.happened_at, one.number) for one in (found[0], found[-1]))
    counted = select(func.count(case((_precedes(first), 1))), func.count(case((_follows(last), 1))))
    earlier, later = session.execute(counted.where(*here)).one()
    return Stretch(tuple(found), earlier, later)


_Place = tuple[datetime, int]


def _stands(incident_id: int) -> tuple[ColumnElement[bool], ...]:
    return (entry.c.incident_id == incident_id, entry.c.undone_at.is_(None))


def _place(session: Session, incident_id: int, number: int) -> _Place | None:
    """Where an entry stands in the order, or stood before it was undone."""
    asked = select(entry.c.happened_at, entry.c.number).where(
        entry.c.incident_id == incident_id, entry.c.number == number
    )
    row = session.execute(asked).one_or_none()
    return None if row is None else (row.happened_at, row.number)


def _precedes(place: _Place) -> ColumnElement[bool]:
    at, number = place
    return or_(entry.c.happened_at < at, and_(entry.c.happened_at == at, entry.c.number < number))


def _follows(place: _Place) -> ColumnElement[bool]:
    at, number = place
    return or_(entry.c.happened_at > at, and_(entry.c.happened_at == at, entry.c.number > number))


def _latest(session: Session, most: int, *those: ColumnElement[bool]) -> list[Entry]:
    query = select(*_COLUMNS).where(*those).order_by(entry.c.happened_at.desc(), entry.c.number.desc())
    return [_entry(row) for row in session.execute(query.limit(most)).all()][::-1]


def _earliest(session: Session, most: int, *those: ColumnElement[bool]) -> list[Entry]:
    query = select(*_COLUMNS).where(*those).order_by(entry.c.happened_at, entry.c.number)
    return [_entry(row) for row in session.execute(query.limit(most)).all()]


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
