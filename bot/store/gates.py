"""Gates: a method that Slack limited is left alone by every replica until its gate opens.

Likewise the pace that replicas keep together (PostgreSQL): a line that calls wait in is a row, and its `open_at`
the moment from which the next call may go. It lags behind the last call by the burst (GCRA).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Interval, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql

from bot.domain.pace import Limit
from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.types import UtcDateTime
from bot.store.work_tables import gate

#: Before the name of a line; a gate is named by its method alone.
_PACE = "pace:"


def close(session: Session, method: str, until: datetime) -> None:
    """Close the gate of a method. A gate only ever moves later: 429s of one burst arrive in any order."""
    if insert_once(session, gate, method=method, open_at=until) is None:
        session.execute(
            update(gate).where(gate.c.method == method, gate.c.open_at < until).values(open_at=until)
        )


def opens_at(session: Session, method: str, now: datetime) -> datetime | None:
    """When the method may be called again; None when it may be called now."""
    return _opens_at(session, [method], now)


def _opens_at(session: Session, names: Collection[str], now: datetime) -> datetime | None:
    found: datetime | None = session.execute(
        select(func.max(gate.c.open_at, type_=UtcDateTime)).where(
            gate.c.method.in_(names), gate.c.open_at > now
        )
    ).scalar_one()
    return found


def closed(session: Session, now: datetime) -> dict[str, datetime]:
    """Every method that must wait, and until when."""
    rows = session.execute(
        select(gate.c.method, gate.c.open_at).where(gate.c.open_at > now, gate.c.method.not_like(f"{_PACE}%"))
    ).all()
    return {row.method: row.open_at for row in rows}


_CALL = postgresql.insert(gate).values(
    method=bindparam("line"), open_at=bindparam("after", type_=UtcDateTime)
)
_TAKE = _CALL.on_conflict_do_update(
    index_elements=["method"],
    set_={
        "open_at": func.greatest(
            gate.c.open_at + bindparam("spacing", type_=Interval), _CALL.excluded.open_at
        )
    },
    where=gate.c.open_at <= bindparam("now", type_=UtcDateTime),
).returning(gate.c.open_at)


def take_turn(
    session: Session, method: str, lines: Mapping[tuple[str, str], Limit], now: datetime
) -> datetime | None:
    """Take the next call of a method in each of its lines, for all replicas; PostgreSQL only.

    None when it may be made now, else the moment to ask again: then nothing, or one place at most, was taken.
    """
    named = {f"{_PACE}{of}:{channel}": limit for (of, channel), limit in lines.items()}
    busy_until = _opens_at(session, [method, *named], now)
    if busy_until is not None:
        return busy_until
    # Every replica takes them in the same order, a channel's before its method's, so none waits in a circle.
    for line, limit in named.items():
        spacing = timedelta(seconds=limit.spacing)
        after = now - timedelta(seconds=limit.ahead) + spacing
        taking = {"line": line, "now": now, "spacing": spacing, "after": after}
        if session.execute(_TAKE, taking).one_or_none() is None:
            # Another replica was quicker just now.
            return now + spacing
    return None


def sweep(session: Session, before: datetime) -> None:
    """Forget gates that have been open since then. A line's burst is full again minutes after its last call."""
    session.execute(delete(gate).where(gate.c.open_at <= before))
