"""What has arrived, and what it was answered: the memory behind "asked twice, done once"."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.tables import inbox

# Built once: every command runs them.
_KEEP = (
    update(inbox)
    .where(inbox.c.origin == bindparam("of_origin"))
    .values(answer=bindparam("kept", type_=inbox.c.answer.type))
)


def arrive(session: Session, origin: str, now: datetime) -> bool:
    """Note an arrival. False when it has arrived before (and is committed)."""
    return insert_once(session, inbox, origin=origin[:255], arrived_at=now) is not None


def keep_answer(session: Session, origin: str, answer: dict[str, Any]) -> None:
    """Keep what the first arrival was answered."""
    session.execute(_KEEP, {"of_origin": origin[:255], "kept": answer})


def answer_to(session: Session, origin: str) -> dict[str, Any] | None:
    """What the first arrival was answered; None when nothing is kept."""
    found: dict[str, Any] | None = session.execute(
        select(inbox.c.answer).where(inbox.c.origin == origin[:255])
    ).scalar_one_or_none()
    return found


def sweep(session: Session, before: datetime) -> None:
    """Forget arrivals older than `before`. Slack repeats nothing after a day (Delayed Events: 24 h)."""
    session.execute(delete(inbox).where(inbox.c.arrived_at < before))
