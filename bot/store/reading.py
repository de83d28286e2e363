"""Readings of balancers: rows to `Reading` and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import insert, select

from bot.domain.reading import Reading
from bot.store.db import Session
from bot.store.tables import reading

_FIELDS = tuple(field.name for field in fields(Reading))
_COLUMNS = tuple(reading.c[name] for name in _FIELDS)


def _reading(row: Any) -> Reading:
    return Reading(**dict(zip(_FIELDS, row, strict=True)))


def add(session: Session, *, evidence: dict[str, Any], **values: Any) -> Reading:
    """Add a reading; `evidence` is what the balancer answered."""
    return _reading(
        session.execute(insert(reading).values(evidence=evidence, **values).returning(*_COLUMNS)).one()
    )


def get(session: Session, reading_id: int) -> Reading:
    """The reading with this id, which must exist."""
    return _reading(session.execute(select(*_COLUMNS).where(reading.c.id == reading_id)).one())


def evidence(session: Session, reading_id: int) -> dict[str, Any]:
    """What the balancer answered."""
    kept: dict[str, Any] = session.execute(
        select(reading.c.evidence).where(reading.c.id == reading_id)
    ).scalar_one()
    return kept


def former(session: Session, later: Reading) -> Reading | None:
    """The reading of the same pool before this one."""
    row = session.execute(
        select(*_COLUMNS)
        .where(
            reading.c.incident_id == later.incident_id,
            reading.c.kind == later.kind,
            reading.c.backend == later.backend,
            reading.c.id < later.id,
            reading.c.shares != "",
        )
        .order_by(reading.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _reading(row)


def latest(session: Session, incident_id: int, kind: str, backend: str) -> Reading | None:
    """The newest reading of a pool; None before the first."""
    row = session.execute(
        select(*_COLUMNS)
        .where(reading.c.incident_id == incident_id, reading.c.kind == kind, reading.c.backend == backend)
        .order_by(reading.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _reading(row)


def of(session: Session, incident_id: int) -> list[Reading]:
    """Every reading of an incident, oldest first."""
    rows = session.execute(
        select(*_COLUMNS).where(reading.c.incident_id == incident_id).order_by(reading.c.id)
    )
    return [_reading(row) for row in rows]
