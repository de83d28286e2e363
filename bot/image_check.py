"""Whether bytes from outside are a picture that browsers may be shown: by what they hold, whatever they are called."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from bot.domain.timeline import IMAGE_TYPES

#: Pixels. Larger ones are a burden on whoever opens the document; a screen of 8K has 33 million.
MOST_PIXELS = 50_000_000
#: What Pillow ends in on bytes that only begin like a picture.
_BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)


class NotAnImage(Exception):
    """`sentence` says why the bytes are not kept."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Looked:
    """What a picture is."""

    #: One of IMAGE_TYPES.
    mimetype: str
    #: Pixels.
    width: int
    height: int


def looked_at(content: bytes) -> Looked:
    """What the bytes are, without unpacking the picture. Raises NotAnImage."""
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as found:
            mimetype, (width, height) = Image.MIME.get(found.format or "", ""), found.size
            if 0 < width * height <= MOST_PIXELS:
                found.verify()
    except _BROKEN:
        raise NotAnImage("It is no image that can be read: PNG, JPEG, GIF and WebP are kept.") from None
    if mimetype not in IMAGE_TYPES:
        raise NotAnImage("It is no image that can be read: PNG, JPEG, GIF and WebP are kept.")
    if not 0 < width * height <= MOST_PIXELS:
        raise NotAnImage(f"It has {width:,} x {height:,} pixels; up to {MOST_PIXELS:,} in all are kept.")
    return Looked(mimetype, width, height)
