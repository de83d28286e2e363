"""A sheet as PNG, on white, drawn at twice its size so that a phone's screen is sharp."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from bot.drawn.ink import PAPER, PAPER_INK, STRENGTH
from bot.drawn.sheet import Box, Line, Shape, Sheet, Text

_SCALE = 2
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def written(sheet: Sheet) -> bytes:
    """The sheet as a PNG file."""
    image = Image.new("RGB", (round(sheet.width * _SCALE), round(sheet.height * _SCALE)), PAPER)
    pen = ImageDraw.Draw(image, "RGBA")
    for shape in sheet.shapes:
        _draw(pen, shape)
    kept = io.BytesIO()
    # With a palette it is a third of the size, and sooner ready.
    image.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(kept, "PNG")
    return kept.getvalue()


def _draw(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    colour = _colour(shape.ink)
    if isinstance(shape, Text):
        font = _font(round(shape.size * _SCALE))
        place = (shape.x * _SCALE, shape.y * _SCALE)
        # There is one weight of the face: bold is a stroke around it.
        pen.text(
            place,
            shape.words,
            _mixed(colour),
            font,
            _ANCHORS[shape.anchor],
            stroke_width=0.6 if shape.is_bold else 0,
        )
    elif isinstance(shape, Box):
        left, top = shape.x * _SCALE, shape.y * _SCALE
        right, bottom = left + max(1, shape.width * _SCALE), top + max(1, shape.height * _SCALE)
        pen.rounded_rectangle((left, top, right, bottom), shape.radius * _SCALE, fill=colour)
    elif isinstance(shape, Line):
        _line(pen, shape, colour)
    else:
        radius = shape.radius * _SCALE
        x, y = shape.x * _SCALE, shape.y * _SCALE
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _line(pen: ImageDraw.ImageDraw, line: Line, colour: tuple[int, int, int, int]) -> None:
    width = max(1, round(line.width * _SCALE))
    ends = tuple(value * _SCALE for value in (line.x1, line.y1, line.x2, line.y2))
    if not line.is_dashed:
        pen.line(ends, fill=colour, width=width)
        return
    x1, y1, x2, y2 = ends
    length = max(abs(x2 - x1), abs(y2 - y1))
    dash = 3.0 * _SCALE
    at = 0.0
    while at < length:
        parts = [at / length, min(at + dash, length) / length]
        points = [(x1 + (x2 - x1) * part, y1 + (y2 - y1) * part) for part in parts]
        pen.line(points, fill=colour, width=width)
        at += 2 * dash


def _colour(ink: str) -> tuple[int, int, int, int]:
    """An ink as red, green, blue, and how much of it covers what is below."""
    strength = STRENGTH.get(ink)
    code = PAPER_INK if strength is not None else ink
    red, green, blue = (int(code[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue, round(255 * (1.0 if strength is None else strength))


def _mixed(colour: tuple[int, int, int, int]) -> tuple[int, int, int]:
    """The same on white, covering all: letters would not be blended."""
    part = colour[3] / 255
    red, green, blue = (round(it * part + 255 * (1 - part)) for it in colour[:3])
    return red, green, blue


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The scalable face that comes with Pillow: nothing is taken from the machine.
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
