"""Catching up: messages that people marked while nobody listened, each recorded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.timeline import Source
from bot.store import rooms
from bot.store import timeline as entries
from bot.store.rooms import Room
from bot.usecases.desk import Desk
from bot.usecases.marking import mark_message


@dataclass(frozen=True)
class Mark:
    """A pin or a pushpin as it stands at a message of a channel."""

    channel_id: str
    #: The message's.
    ts: str
    by: str
    source: Source


def rooms_to_read(desk: Desk, limit: int) -> list[Room]:
    """Channels of open incidents, newest first. Raises NotSaved."""
    with desk.db.reading() as session:
        return rooms.open_rooms(session, limit)


def record_missed(desk: Desk, marks: Sequence[Mark]) -> int:
    """Record the marks of messages that are no entry yet; gives how many. Raises NotSaved.

    It goes the way of the live event, and ends in the same one entry a message: an event that arrives late finds
    it there. A message that was an entry once is left alone: somebody took it back.
    """
    found = 0
    for message, mark in {f"{one.channel_id}:{one.ts}": one for one in reversed(marks)}.items():
        with desk.db.reading() as session:
            if entries.find_by_origin(session, f"msg:{message}") is not None:
                continue
        done = mark_message(
            desk, mark.channel_id, mark.ts, by=mark.by, source=mark.source, origin=f"missed:{message}"
        )
        found += done is not None and done.is_new
    return found
