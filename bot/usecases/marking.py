"""Marking messages for the timeline: a reaction, a pin."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.notices import MessageMarked
from bot.domain.timeline import Source
from bot.store import incident as incidents
from bot.store import timeline as entries
from bot.store.db import Session
from bot.usecases.desk import Desk, Done

#: What Slack's clock and a replica's may differ.
_CLOCKS_APART = timedelta(minutes=1)


def mark_message(
    desk: Desk,
    channel_id: str,
    ts: str,
    *,
    by: str,
    source: Source,
    origin: str,
    marked_at: datetime | None = None,
) -> Done | None:
    """Note that a person marked a message; the postman reads it from Slack and logs it.

    None when the channel is not an incident's: Slack sends every reaction of every channel. A mark that is told
    late brings nothing back that was taken back after it.
    """
    with desk.db.reading() as session:
        about = incidents.find_by_channel(session, channel_id)
    if about is None or about.is_archived:
        return None

    def act(session: Session) -> Done:
        before = entries.find_by_origin(session, f"msg:{channel_id}:{ts}") if marked_at else None
        if before and before.undone_at and marked_at and marked_at < before.undone_at - _CLOCKS_APART:
            return Done("", incident_id=about.id, entry=before.number, is_new=False)
        desk.tell(
            session,
            MessageMarked(about.id, channel_id=channel_id, ts=ts, by=by, source=source.value),
            asked_by=by,
            asked_in=channel_id,
        )
        return Done("", incident_id=about.id)

    return desk.once(origin, act)
