"""What has arrived, and what it was answered: the memory behind "asked twice, done once"."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.prepared import Prepared
from bot.store.tables import inbox

#: Characters of the column.
_LONGEST = 255

# Built once: every command runs them.
_KEEP = Prepared(
    update(inbox)
    .where(inbox.c.origin == bindparam("of_origin"))
    .values(answer=bindparam("kept", type_=inbox.c.answer.type))
    .returning(inbox.c.origin)
)


def short(origin: str) -> str:
    """The origin as it is kept: one that is longer than its column ends in a digest of the whole."""
    if len(origin) <= _LONGEST:
        return origin
    return origin[: _LONGEST - 65] + "#" + sha256(origin.encode()).hexdigest()


def arrive(session: Session, origin: str, now: datetime) -> bool:
    """Note an arrival. False when it has arrived before (and is committed)."""
    return insert_once(session, inbox, origin=short(origin), arrived_at=now) is not None


def keep_answer(session: Session, origin: str, answer: dict[str, Any]) -> None:
    """Keep what the first arrival was answered."""
    _KEEP.row(session, {"of_origin": short(origin), "kept": answer})


def answer_to(session: Session, origin: str) -> dict[str, Any] | None:
    """What the first arrival was answered; None when nothing is kept."""
    found: dict[str, Any] | None = session.execute(
        select(inbox.c.answer).where(inbox.c.origin == short(origin))
    ).scalar_one_or_none()
    return found


def sweep(session: Session, before: datetime) -> None:
    """Forget arrivals older than `before`. Slack repeats nothing after a day (Delayed Events: 24 h)."""
    session.execute(delete(inbox).where(inbox.c.arrived_at < before))
