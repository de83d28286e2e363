"""Incidents: rows to `Incident` and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.incident import Incident, Severity, Status, Wanted
from bot.store.db import Session
from bot.store.prepared import Prepared
from bot.store.tables import counter, incident, responder, role_held

_FIELDS = tuple(field.name for field in fields(Incident))
_COLUMNS = tuple(incident.c[name] for name in _FIELDS)
# Built once: every command begins with them.
_BY_ID = select(*_COLUMNS).where(incident.c.id == bindparam("wanted"))
_BY_CHANNEL = select(*_COLUMNS).where(incident.c.channel_id == bindparam("wanted"))
_ADD = insert(incident).returning(*_COLUMNS)
_LOCKED = Prepared(_BY_ID.with_for_update())
_NEXT = {
    of: Prepared(
        update(incident)
        .where(incident.c.id == bindparam("wanted"))
        .values({column: column + 1})
        .returning(column)
    )
    for of, column in (
        ("entry", incident.c.last_entry),
        ("follow_up", incident.c.last_follow_up),
        ("revision", incident.c.last_revision),
    )
}
_COUNTED = {"value": counter.c.value + 1}
_NEXT_INCIDENT = {
    "postgresql": postgresql.insert(counter)
    .values(name="incident", value=1)
    .on_conflict_do_update(index_elements=[counter.c.name], set_=_COUNTED)
    .returning(counter.c.value),
    "sqlite": sqlite.insert(counter)
    .values(name="incident", value=1)
    .on_conflict_do_update(index_elements=[counter.c.name], set_=_COUNTED)
    .returning(counter.c.value),
}
_OVER = (Status.CLOSED.value, Status.CANCELLED.value, Status.MERGED.value)


def _incident(row: Any) -> Incident:
    values = dict(zip(_FIELDS, row, strict=True))
    values["severity"] = Severity(values["severity"])
    values["status"] = Status(values["status"])
    return Incident(**values)


def next_number(session: Session) -> int:
    """The next incident number. Held until the transaction ends, so there are no twins."""
    taken: int = session.execute(_NEXT_INCIDENT[session.dialect.name]).scalar_one()
    return taken


def add(
    session: Session,
    *,
    title: str,
    severity: Severity,
    is_private: bool,
    is_drill: bool,
    opened_at: datetime,
    opened_by: str,
    service: str | None = None,
) -> Incident:
    """Add an incident under the next number, as investigating."""
    values = {
        "number": next_number(session),
        "title": title,
        "severity": severity.value,
        "status": Status.INVESTIGATING.value,
        "is_private": is_private,
        "is_drill": is_drill,
        "opened_at": opened_at,
        "opened_by": opened_by,
        "service": service,
    }
    return _incident(session.execute(_ADD, values).one())


def get(session: Session, incident_id: int) -> Incident:
    """The incident with this id, which must exist."""
    return _incident(session.execute(_BY_ID, {"wanted": incident_id}).one())


def find(session: Session, incident_id: int) -> Incident | None:
    row = session.execute(_BY_ID, {"wanted": incident_id}).one_or_none()
    return None if row is None else _incident(row)


def lock(session: Session, incident_id: int) -> Incident | None:
    """The incident held against other writers until the transaction ends.

    Row ids are not commit order on PostgreSQL: whoever puts work in a channel's order holds this first.
    """
    row = _LOCKED.row(session, {"wanted": incident_id})
    return None if row is None else _incident(row)


def find_by_channel(session: Session, channel_id: str) -> Incident | None:
    row = session.execute(_BY_CHANNEL, {"wanted": channel_id}).one_or_none()
    return None if row is None else _incident(row)


def find_by_number(session: Session, number: int) -> Incident | None:
    row = session.execute(select(*_COLUMNS).where(incident.c.number == number)).one_or_none()
    return None if row is None else _incident(row)


def visible(to: str | None) -> ColumnElement[bool]:
    """What person `to` may see: public incidents, and private ones they are in. None: what everybody may."""
    public = incident.c.is_private.is_(False)
    if to is None:
        return public
    mine = select(responder.c.incident_id).where(responder.c.person == to, responder.c.left_at.is_(None))
    return or_(public, incident.c.id.in_(mine))


def find_visible(session: Session, *, to: str, is_over: bool | None, limit: int) -> list[Incident]:
    """Incidents that person `to` may see, newest first."""
    query = select(*_COLUMNS).where(visible(to))
    if is_over is True:
        query = query.where(incident.c.status.in_(_OVER))
    elif is_over is False:
        query = query.where(incident.c.status.not_in(_OVER))
    rows = session.execute(query.order_by(incident.c.number.desc()).limit(limit)).all()
    return [_incident(row) for row in rows]


def visible_ids(session: Session, *, to: str | None, is_precedent: bool = False) -> list[int]:
    """Ids of all incidents that person `to` may see; for None those that everybody may.

    `is_precedent`: only closed ones that were real, no drill, nothing cancelled or merged.
    """
    query = select(incident.c.id).where(visible(to))
    if is_precedent:
        query = query.where(incident.c.status == Status.CLOSED.value, incident.c.is_drill.is_(False))
    return list(session.execute(query).scalars())


def find_these(session: Session, incident_ids: Sequence[int]) -> list[Incident]:
    """The incidents of these ids, in their order."""
    rows = session.execute(select(*_COLUMNS).where(incident.c.id.in_(incident_ids))).all()
    by_id = {one.id: one for one in map(_incident, rows)}
    return [by_id[one] for one in incident_ids if one in by_id]


def find_any(session: Session, *, is_whole: bool, limit: int) -> list[Incident]:
    """Incidents newest first, asked by nobody in particular: open public ones, or with `is_whole` every one."""
    query = select(*_COLUMNS)
    if not is_whole:
        query = query.where(incident.c.is_private.is_(False), incident.c.status.not_in(_OVER))
    rows = session.execute(query.order_by(incident.c.number.desc()).limit(limit)).all()
    return [_incident(row) for row in rows]


def find_wanted(session: Session, wanted: Wanted, *, to: str, limit: int) -> list[Incident]:
    """Incidents that person `to` may see and wants to, newest first."""
    query = select(*_COLUMNS).where(visible(to), *_conditions(wanted))
    rows = session.execute(query.order_by(incident.c.number.desc()).limit(limit)).all()
    return [_incident(row) for row in rows]


def wanted_ids(session: Session, wanted: Wanted, *, to: str) -> list[int]:
    """Ids of all of them."""
    query = select(incident.c.id).where(visible(to), *_conditions(wanted))
    return list(session.execute(query).scalars())


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.is_over is not None:
        found.append(incident.c.status.in_(_OVER) if wanted.is_over else incident.c.status.not_in(_OVER))
    if wanted.severity is not None:
        found.append(incident.c.severity == wanted.severity.value)
    if wanted.status is not None:
        found.append(incident.c.status == wanted.status.value)
    if wanted.service:
        found.append(incident.c.service == wanted.service)
    if wanted.people is not None:
        found.append(_took_part(wanted.people))
    if wanted.since is not None:
        found.append(incident.c.opened_at >= wanted.since)
    if wanted.until is not None:
        found.append(incident.c.opened_at < wanted.until)
    if wanted.before is not None:
        found.append(incident.c.number < wanted.before)
    return found


def _took_part(people: Sequence[str]) -> ColumnElement[bool]:
    """One of them opened it, was in its channel or held a role in it."""
    return or_(
        incident.c.opened_by.in_(people),
        incident.c.id.in_(select(responder.c.incident_id).where(responder.c.person.in_(people))),
        incident.c.id.in_(select(role_held.c.incident_id).where(role_held.c.person.in_(people))),
    )


def services_seen(session: Session, *, to: str) -> list[str]:
    """Names of services that incidents which `to` may see had, by name."""
    query = select(incident.c.service).where(visible(to), incident.c.service.is_not(None)).distinct()
    return [str(name) for name in session.execute(query.order_by(incident.c.service)).scalars()]


def save(session: Session, incident_id: int, **changes: Any) -> Incident:
    """Change columns, raise the version, and give the incident as it stands now."""
    row = session.execute(
        update(incident)
        .where(incident.c.id == incident_id)
        .values(**changes, version=incident.c.version + 1)
        .returning(*_COLUMNS)
    ).one()
    return _incident(row)


def take_number(session: Session, incident_id: int, of: str) -> int:
    """The next short number of an entry, a follow-up or a revision within the incident."""
    row = _NEXT[of].row(session, {"wanted": incident_id})
    assert row is not None, "incidents are never deleted"
    return int(row[0])


def slack_marks(session: Session, incident_id: int) -> dict[str, Any]:
    """Where the incident stands in Slack beyond its channel: announcement, bookmark, canvas, drawn version."""
    row = (
        session.execute(
            select(
                incident.c.announced_in,
                incident.c.announced_ts,
                incident.c.postmortem_bookmark,
                incident.c.canvas_id,
                incident.c.version,
            ).where(incident.c.id == incident_id)
        )
        .mappings()
        .one()
    )
    return dict(row)


def mark(session: Session, incident_id: int, **changes: Any) -> None:
    """Write down where something stands in Slack. Not a change of the incident: the version stays."""
    session.execute(update(incident).where(incident.c.id == incident_id).values(**changes))
