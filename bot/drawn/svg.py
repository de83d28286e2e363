"""A sheet, or a chart, as SVG to be set into a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from bot.drawn.ink import INK, ON_COLOUR, PAPER, PAPER_INK, STRENGTH
from bot.drawn.sheet import Box, Line, Shape, Sheet, Text

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
#: What XML 1.0 has no place for (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(sheet: Sheet, *, is_on_paper: bool = False) -> str:
    """The sheet as an `<svg>` element. On paper it brings its own white ground, else it takes the colours around it."""
    root = framed(sheet.width, sheet.height, sheet.title, sheet.description)
    if is_on_paper:
        root.set("color", PAPER_INK)
        root.append(_element("rect", width=sheet.width, height=sheet.height, fill=PAPER))
    for shape in sheet.shapes:
        root.append(_drawn(shape))
    return text_of(root)


def framed(width: float, height: float, title: str, description: str) -> ET.Element:
    """An empty `<svg>` that fills the width it is given, with a name and a description."""
    root = ET.Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-label": clean(title)}
    )
    root.set("viewBox", f"0 0 {_number(width)} {_number(height)}")
    root.set("font-family", FONT)
    for name, words in (("title", title), ("desc", description)):
        ET.SubElement(root, name).text = clean(words)
    return root


def text_of(root: ET.Element) -> str:
    """The element as text: `&`, `<`, `>` and quotation marks of others are escaped."""
    return ET.tostring(root, encoding="unicode")


def clean(words: str) -> str:
    """The words without what may not stand in XML."""
    return _NOT_XML.sub("\ufffd", words)


def _drawn(shape: Shape) -> ET.Element:
    if isinstance(shape, Text):
        return _text(shape)
    if isinstance(shape, Box):
        box = _element("rect", x=shape.x, y=shape.y, width=shape.width, height=shape.height)
        if shape.radius:
            box.set("rx", _number(shape.radius))
        return _inked(box, "fill", shape.ink)
    if isinstance(shape, Line):
        line = _element("line", x1=shape.x1, y1=shape.y1, x2=shape.x2, y2=shape.y2)
        line.set("stroke-width", _number(shape.width))
        if shape.is_dashed:
            line.set("stroke-dasharray", "3 3")
        return _inked(line, "stroke", shape.ink)
    dot = _inked(_element("circle", cx=shape.x, cy=shape.y, r=shape.radius), "fill", shape.ink)
    if shape.words:
        ET.SubElement(dot, "title").text = clean(shape.words)
    return dot


def _text(shape: Text) -> ET.Element:
    text = _element("text", x=shape.x, y=shape.y)
    text.set("font-size", _number(shape.size))
    if shape.anchor != "start":
        text.set("text-anchor", shape.anchor)
    if shape.is_bold:
        text.set("font-weight", "600")
    text.text = clean(shape.words)
    return _inked(text, "fill", shape.ink)


def _inked(element: ET.Element, attribute: str, ink: str) -> ET.Element:
    strength = STRENGTH.get(ink)
    if strength is None:
        assert ink == ON_COLOUR or ink.startswith("#"), f"no such ink: {ink}"
        element.set(attribute, ink)
        return element
    element.set(attribute, "currentColor")
    if ink != INK:
        element.set(f"{attribute}-opacity", f"{strength:g}")
    return element


def _element(name: str, **attributes: float | str) -> ET.Element:
    return ET.Element(
        name, {key: value if isinstance(value, str) else _number(value) for key, value in attributes.items()}
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
