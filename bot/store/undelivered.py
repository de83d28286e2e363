"""What Slack has not been told yet about one incident, and what it could not be told."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from bot.store.db import Session
from bot.store.work_tables import work


@dataclass(frozen=True)
class Undelivered:
    """One work of the outbox that is not done."""

    id: int
    kind: str
    #: open, running or set_aside
    state: str
    created_at: datetime
    next_at: datetime
    attempts: int
    last_error: str | None


_COLUMNS = tuple(work.c[field.name] for field in fields(Undelivered))
_STATES = ("open", "running", "set_aside")


def of_incident(session: Session, incident_id: int, limit: int = 200) -> list[Undelivered]:
    """The incident's works that are not done, oldest first."""
    rows: Any = session.execute(
        select(*_COLUMNS)
        .where(work.c.incident_id == incident_id, work.c.state.in_(_STATES))
        .order_by(work.c.id)
        .limit(limit)
    )
    return [Undelivered(*row) for row in rows]


def is_of(session: Session, work_id: int, incident_id: int) -> bool:
    """True when a work of the outbox is about this incident."""
    found = session.execute(select(work.c.id).where(work.c.id == work_id, work.c.incident_id == incident_id))
    return found.one_or_none() is not None


def is_waiting(session: Session, key: str, kind: str) -> bool:
    """True while a work of this key and kind is to be done, or is being done."""
    live = text("state IN ('open', 'running')")
    found = session.execute(select(work.c.id).where(live, work.c.key == key, work.c.kind == kind).limit(1))
    return found.one_or_none() is not None


def is_asked(session: Session, key: str, kind: str, name: str, value: int) -> bool:
    """The same for one of them, by what its args say under a name."""
    live = text("state IN ('open', 'running')")
    rows = session.execute(select(work.c.args).where(live, work.c.key == key, work.c.kind == kind)).scalars()
    return any(args.get(name) == value for args in rows)
