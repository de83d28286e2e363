"""A sheet: shapes with their places, not yet SVG and not yet PNG. Lengths are pixels; y grows downwards."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Literal

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    ink: str
    radius: float = 0.0


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    ink: str
    width: float = 1.0
    is_dashed: bool = False


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    radius: float
    ink: str
    #: Shown when a pointer rests on it.
    words: str = ""


@dataclass(frozen=True)
class Text:
    x: float
    #: Of the line that letters stand on.
    y: float
    words: str
    ink: str
    size: float = 13.0
    anchor: Anchor = "start"
    is_bold: bool = False


Shape = Box | Line | Dot | Text


@dataclass
class Sheet:
    """A picture in the making."""

    width: float
    #: What it is, and all that it shows, for people who cannot see it.
    title: str
    description: str
    height: float = 0.0
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)


def width_of(words: str, size: float) -> float:
    """About how wide text is. Rather too wide than too narrow: nobody knows the reader's font."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in words)
    return size * (0.56 * (len(words) - wide) + wide)


def fitted(words: str, size: float, width: float) -> str:
    """The words, cut with an ellipsis where they would be wider."""
    if width_of(words, size) <= width:
        return words
    while words and width_of(f"{words}…", size) > width:
        words = words[:-1]
    return f"{words.rstrip()}…"


def wrapped(words: str, size: float, width: float, most: int) -> list[str]:
    """The words on at most so many lines; what is left over is cut with an ellipsis."""
    lines: list[str] = []
    left = words.split()
    while left and len(lines) < most:
        line = left.pop(0)
        while left and len(lines) < most - 1 and width_of(f"{line} {left[0]}", size) <= width:
            line = f"{line} {left.pop(0)}"
        if len(lines) == most - 1:
            line, left = " ".join([line, *left]), []
        lines.append(fitted(line, size, width))
    return lines
