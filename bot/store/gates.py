"""Gates: a method that Slack limited is left alone by every replica until its gate opens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.work_tables import gate


def close(session: Session, method: str, until: datetime) -> None:
    """Close the gate of a method. A gate only ever moves later: 429s of one burst arrive in any order."""
    if insert_once(session, gate, method=method, open_at=until) is None:
        session.execute(
            update(gate).where(gate.c.method == method, gate.c.open_at < until).values(open_at=until)
        )


def opens_at(session: Session, method: str, now: datetime) -> datetime | None:
    """When the method may be called again; None when it may be called now."""
    found: datetime | None = session.execute(
        select(gate.c.open_at).where(gate.c.method == method, gate.c.open_at > now)
    ).scalar_one_or_none()
    return found


def closed(session: Session, now: datetime) -> dict[str, datetime]:
    """Every method that must wait, and until when."""
    rows = session.execute(select(gate.c.method, gate.c.open_at).where(gate.c.open_at > now)).all()
    return {row.method: row.open_at for row in rows}


def sweep(session: Session, now: datetime) -> None:
    """Forget gates that are open again."""
    session.execute(delete(gate).where(gate.c.open_at <= now))
