"""Rooms: the channels of incidents that are being worked on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.domain.incident import Status
from bot.store.db import Session
from bot.store.tables import incident

_OVER = (Status.CLOSED.value, Status.CANCELLED.value, Status.MERGED.value)


@dataclass(frozen=True)
class Room:
    """The channel of an open incident."""

    id: int
    channel_id: str


def open_rooms(session: Session, limit: int) -> list[Room]:
    """Channels of open incidents, newest incident first. Private ones too: nobody is shown them."""
    rows = session.execute(
        select(incident.c.id, incident.c.channel_id)
        .where(
            incident.c.status.not_in(_OVER),
            incident.c.channel_id.is_not(None),
            incident.c.is_archived.is_(False),
        )
        .order_by(incident.c.number.desc())
        .limit(limit)
    )
    return [Room(id=row.id, channel_id=row.channel_id) for row in rows]
