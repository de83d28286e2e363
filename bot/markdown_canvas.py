"""A postmortem's Markdown as a Slack canvas takes it: a smaller Markdown with limits of its own.

A canvas knows headings of three levels, paragraphs, list items of one paragraph, quotes of paragraphs, code, links and
tables of 300 cells (docs.slack.dev, surfaces/canvases). It refuses a whole document for a block that it cannot nest
(`canvas_editing_failed`), so the document is read and written anew. `![](@U1)` would mention somebody there: a picture
becomes a link, and no `![` is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode as Node

#: Characters of one change are 1,048,576 at Slack; bytes are counted here, to be on the safe side.
LONGEST = 1_000_000
#: Cells of one table, its heading included.
MOST_CELLS = 300

_READER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
_SPECIAL = re.compile(r"[\\`*\[\]<~]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|&(?=#?\w+;)|!\Z")
#: What begins a heading, a quote, a list or a rule at the start of a line.
_LEADING = re.compile(r"^(\d{0,9})([-+=#>.)])")
_WEB = re.compile(r"(?:https?://[^\s/]|mailto:)")
#: What may stand in a link's target as it is.
_URL_SAFE = "%/:?#@!$&*+,;=~-._'"


@dataclass(frozen=True)
class _Piece:
    """What is kept or cut as a whole."""

    text: str
    #: What stands before it.
    glue: str = "\n\n"


def canvas_of(markdown: str, *, head: str = "", rest: str = "", longest: int = LONGEST) -> str:
    """The document as a canvas, under `head`; what is longer than so many bytes is cut and `rest` says so.

    Both are Markdown of ours, one paragraph each.
    """
    made, room = head, longest - len(head.encode()) - len(rest.encode()) - 2
    for piece in _pieces(Node(_READER.parse(markdown)).children):
        room -= len((piece.glue + piece.text).encode())
        if room < 0:
            return f"{made}\n\n{rest}".strip("\n") + "\n"
        made += piece.glue + piece.text
    return made.strip("\n") + "\n"


def _pieces(nodes: Sequence[Node]) -> Iterator[_Piece]:
    for node in nodes:
        if node.type == "heading":
            yield _Piece(f"{'#' * min(3, int(node.tag[1]))} {_inline(node)}")
        elif node.type == "paragraph":
            yield _Piece(_led(_inline(node)))
        elif node.type in {"fence", "code_block"}:
            yield _Piece(_code(node.content))
        elif node.type == "table":
            yield from map(_Piece, _tables(node))
        elif node.type in {"bullet_list", "ordered_list"}:
            yield from _list(node)
        elif node.type == "blockquote":
            yield from _quote(node)
        elif node.type == "hr":
            yield _Piece("---")


@dataclass
class _Aside:
    """Blocks that cannot stand inside of another one: they follow it."""

    nodes: list[Node] = field(default_factory=list)

    def pieces(self) -> Iterator[_Piece]:
        found, self.nodes = self.nodes, []
        yield from _pieces(found)


def _list(node: Node) -> Iterator[_Piece]:
    aside, glue = _Aside(), "\n\n"
    for line, is_first in _items(node, 0, aside):
        if is_first and aside.nodes:
            yield from aside.pieces()
            glue = "\n\n"
        yield _Piece(line, glue)
        glue = "\n"
    yield from aside.pieces()


def _items(node: Node, depth: int, aside: _Aside) -> Iterator[tuple[str, bool]]:
    """A list's lines, and of each whether an outermost item begins with it."""
    number = int(node.attrs.get("start", 1))
    for item in node.children:
        mark = f"{number}." if node.type == "ordered_list" else "-"
        number += 1
        # Slack takes one paragraph an item: the others go on in its line.
        text = " ".join(filter(None, (_inline(one) for one in item.children if _is_text(one))))
        yield f"{'    ' * depth}{mark} {_led(text)}".rstrip(), depth == 0
        for inner in item.children:
            if inner.type in {"bullet_list", "ordered_list"}:
                yield from ((line, False) for line, _ in _items(inner, depth + 1, aside))
            elif not _is_text(inner):
                aside.nodes.append(inner)


def _quote(node: Node) -> Iterator[_Piece]:
    aside = _Aside()
    lines = list(_quoted(node, aside))
    if lines:
        yield _Piece("\n>\n".join(f"> {line}" for line in lines))
    yield from aside.pieces()


def _quoted(node: Node, aside: _Aside) -> Iterator[str]:
    for one in node.children:
        if _is_text(one):
            yield _led(_inline(one))
        elif one.type in {"bullet_list", "ordered_list"}:
            # A list within a quote is refused.
            yield from (f"• {line.strip().partition(' ')[2]}" for line, _ in _items(one, 0, aside))
        elif one.type == "blockquote":
            yield from _quoted(one, aside)
        else:
            aside.nodes.append(one)


def _is_text(node: Node) -> bool:
    return node.type in {"paragraph", "heading"}


def _code(content: str) -> str:
    longest = max((len(run) for run in re.findall("`{3,}", content)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{content.rstrip()}\n{fence}"


def _tables(node: Node) -> Iterator[str]:
    """The table, in as many as it takes, each under the heading."""
    rows = [
        [_inline(cell).replace("|", "\\|") for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    heading, others = rows[0], rows[1:]
    width = len(heading)
    at_once = MOST_CELLS // width - 1
    if at_once < 1:
        yield from (" · ".join(row) for row in rows)
        return
    frame = [_row(heading), _row(["---"] * width)]
    for start in range(0, max(1, len(others)), at_once):
        yield "\n".join([*frame, *map(_row, others[start : start + at_once])])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _led(text: str) -> str:
    """Text at the start of a line: no list, quote or heading begins with it."""
    return _LEADING.sub(r"\1\\\2", text)


def _inline(node: Node) -> str:
    text = "".join(_words(one) for inline in node.children for one in inline.children or ())
    return " ".join(text.split())


def _words(node: Node) -> str:
    inside = "".join(map(_words, node.children))
    match node.type:
        case "text":
            return _SPECIAL.sub(lambda found: f"\\{found[0]}", node.content)
        case "softbreak" | "hardbreak":
            return " "
        case "code_inline":
            return _span(node.content)
        case "strong" | "em" | "s":
            mark = {"strong": "**", "em": "*", "s": "~~"}[node.type]
            return f"{mark}{inside}{mark}" if inside.strip() else inside
        case "link":
            return _link(inside, str(node.attrs.get("href", "")))
        case "image":
            return _link(inside or "picture", str(node.attrs.get("src", "")))
        case _:
            return inside


def _span(code: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if code[:1] == "`" or code[-1:] == "`" else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def _link(shown: str, address: str) -> str:
    if not _WEB.match(address):
        return shown
    return f"[{shown}]({quote(address, safe=_URL_SAFE)})"
