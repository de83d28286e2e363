"""Pictures for tests, and an export that has them."""

from __future__ import annotations

import io
from dataclasses import replace
from hashlib import sha256

from PIL import Image

from bot.domain.export import Export, Picture
from bot.domain.postmortem import Facts, Revision, compile_draft
from bot.domain.review import Review, ReviewState
from bot.domain.sections import split
from bot.domain.timeline import StoredImage
from bot.exporters.markdown import render
from tests.story import june

#: A PNG whose bytes no version of Pillow changes: 2 x 1 pixels.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd0000000f49444154789c63d0afdccb"
    "c0c0000006720166b3df90f20000000049454e44ae426082"
)


def picture(kind: str = "PNG", width: int = 40, height: int = 30) -> bytes:
    """The bytes of a picture."""
    kept = io.BytesIO()
    Image.new("RGB", (width, height), "#2f79bd").save(kept, kind)
    return kept.getvalue()


def export_of(facts: Facts, markdown: str = "", content: bytes | None = None) -> Export:
    """An export of these facts; every image of an entry has this content, or is not kept without one."""
    text = markdown or render(compile_draft(facts))
    stored = note = None
    if content is not None:
        digest = sha256(content).hexdigest()
        stored = StoredImage("F1", "image/png", digest, len(content), 2, 1, "", june(3, 10, 6))
    else:
        note = StoredImage("F1", "", "", 0, 0, 0, "It is larger than 10 MB.", june(3, 10, 6))
    return Export(
        facts,
        Revision(
            1, 1, 3, text, sha256(text.encode()).hexdigest(), june(4, 9, 30), "UANA", sections=split(text)
        ),
        Review(1, ReviewState.PUBLISHED, june(4, 10), "UANA", 3, june(4, 10)),
        tuple(
            Picture(entry, place, image.name, image.permalink, stored or note, content)
            for entry in facts.entries
            for place, image in enumerate(entry.images, start=1)
        ),
        june(4, 12),
    )


def with_texts(facts: Facts, text: str) -> Facts:
    """The facts with one text wherever somebody may type one."""
    return replace(
        facts,
        incident=replace(facts.incident, title=text, impact=text, cause=text, fix=text),
        entries=tuple(
            replace(one, text=text, images=tuple(replace(each, name=text) for each in one.images))
            for one in facts.entries
        ),
        follow_ups=tuple(replace(one, text=text) for one in facts.follow_ups),
        lessons=tuple(replace(one, text=text) for one in facts.lessons),
        updates=tuple(replace(one, text=text) for one in facts.updates),
        people={key: replace(one, name=text) for key, one in facts.people.items()},
    )
