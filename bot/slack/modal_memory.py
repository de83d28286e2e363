"""Images of a message, packed into a view's private_metadata (3,000 characters in all)."""

from __future__ import annotations

import json

from bot.domain.timeline import Image

#: Images that a view remembers; more would not fit.
_MOST = 5


def pack_images(images: tuple[Image, ...]) -> str:
    """The first five images as text."""
    return json.dumps(
        [[one.file_id, one.name[:80], one.permalink[:250], one.mimetype[:40]] for one in images[:_MOST]],
        separators=(",", ":"),
    )


def unpack_images(packed: str) -> tuple[Image, ...]:
    """What pack_images packed; () for anything else."""
    try:
        rows = json.loads(packed or "[]")
        return tuple(
            Image(str(file_id), str(name), str(permalink), str(mimetype))
            for file_id, name, permalink, mimetype in rows
        )
    except (ValueError, TypeError):
        return ()
