"""What a form remembers of a message, in a view's private_metadata (3,000 characters in all)."""

from __future__ import annotations

import json

from bot.domain.timeline import Image, Kind
from bot.slack.ask import Ask, address, moment_of
from bot.usecases.timeline import MessageSeen

#: Images that a view remembers; more would not fit.
_MOST = 5
#: Characters that they may take as JSON inside of JSON; the rest of the view's memory takes some 500.
_ROOM = 2300


def pack_images(images: tuple[Image, ...]) -> str:
    """The first images as text, five at most and as many as fit."""
    packed = "[]"
    rows: list[list[str]] = []
    for one in images[:_MOST]:
        rows.append([one.file_id, one.name[:80], one.permalink, one.mimetype[:40]])
        longer = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
        if len(json.dumps(longer, ensure_ascii=False)) > _ROOM:
            break
        packed = longer
    return packed


def unpack_images(packed: str) -> tuple[Image, ...]:
    """What pack_images packed; () for anything else."""
    try:
        rows = json.loads(packed or "[]")
        return tuple(
            Image(str(file_id), str(name), address(permalink), str(mimetype))
            for file_id, name, permalink, mimetype in rows
        )
    except (ValueError, TypeError, RecursionError):
        return ()


def remembered_message(ask: Ask, text: str) -> MessageSeen | None:
    """The message that the form was begun from, with the words the form has now; None when there is none."""
    ts = ask.memory.get("ts", "")
    try:
        posted_at = moment_of(ts)
    except (ValueError, OverflowError, OSError):
        return None
    return MessageSeen(
        channel_id=ask.memory.get("channel", ""),
        ts=ts,
        author=ask.memory.get("author", "") or ask.user,
        posted_at=posted_at,
        text=text,
        permalink=address(ask.memory.get("link")),
        images=unpack_images(ask.memory.get("images", "")),
    )


def chosen_kind(ask: Ask, otherwise: Kind) -> Kind:
    """The kind that was chosen in the form."""
    return next((kind for kind in Kind if kind.value == ask.values.get("kind")), otherwise)
