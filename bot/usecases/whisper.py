"""A word to one person, in the channel where they asked."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from bot.domain.notices import PersonTold, Whispered
from bot.store import inbox
from bot.usecases.desk import Desk


def whisper(
    desk: Desk,
    text: str,
    *,
    channel_id: str,
    to: str,
    blocks: list[dict[str, Any]] | None = None,
    origin: str | None = None,
) -> None:
    """Tell one person something that only they see. Asked twice for the same origin, once. Raises NotSaved."""
    if not text:
        return
    with desk.db.writing() as session:
        heard = f"whisper:{origin or uuid4().hex}"
        if not inbox.arrive(session, heard, desk.now_for_outbox()):
            return
        if channel_id:
            desk.tell(session, Whispered(0, channel_id=channel_id, person_id=to, text=text, blocks=blocks))
        else:
            desk.tell(session, PersonTold(0, to, text))
