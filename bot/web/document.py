"""A postmortem's Markdown as HTML, and what changed between two revisions of it.

What people typed is escaped in the Markdown already (bot/domain/markup.py); a team's template or an edited section may
still hold anything, so no HTML of the text gets through, links lead to the web or to mail only, and a picture from
elsewhere is a link: opening a page must not tell another server who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

#: Lines around a change that are shown with it.
_AROUND = 3
#: Characters; two longer lines are shown whole, without saying which of their words differ.
_COMPARED = 4000


def _is_safe(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in {"http", "https", "mailto"} or address.startswith("#")
    except ValueError:
        return False


class _Safe(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 (markdown-it's name)
        return _is_safe(url)


def _build() -> MarkdownIt:
    reader = _Safe("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Deeper nesting than this is nobody's document.
    reader.options["maxNesting"] = 20
    return reader


_READER = _build()


def html_of(markdown: str) -> Markup:
    """The document as HTML; its headings stand a level lower, below the page's own."""
    tokens = [each for token in _READER.parse(markdown) for each in _framed(token)]
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
        if token.children:
            token.children = [_tamed(child) for child in token.children]
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704 (html is off)


def _framed(token: Token) -> list[Token]:
    """A table that is wider than a phone is scrolled inside a frame, which the keyboard reaches."""
    if token.type == "table_open":
        frame = '<div class="wide" tabindex="0" role="group" aria-label="Table">\n'
        return [Token("html_block", "", 0, content=frame), token]
    if token.type == "table_close":
        return [token, Token("html_block", "", 0, content="</div>\n")]
    return [token]


def _tamed(token: Token) -> Token:
    if token.type == "link_open":
        token.attrSet("rel", "noopener noreferrer nofollow")
    if token.type == "image":
        address = str(token.attrGet("src") or "")
        shown = escape(token.content or address)
        text = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{shown}</a>'
        # html_inline is what the renderer writes as it is; this text is ours.
        return Token("html_inline", "", 0, content=text if _is_safe(address) else str(shown))
    return token


@dataclass(frozen=True)
class Row:
    """One line of a comparison."""

    #: same, gone, new, or skipped for lines that are left out.
    what: str
    html: Markup


def compared(former: str, later: str) -> list[Row]:
    """What changed from one text to the other, line by line, with the words that differ marked."""
    old, new = former.splitlines(), later.splitlines()
    rows: list[Row] = []
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(_AROUND):
        start = group[0][1]
        if start > 0:
            rows.append(Row("skipped", Markup("⋯")))
        for tag, i1, i2, j1, j2 in group:
            rows += _rows(tag, old[i1:i2], new[j1:j2])
    return rows


def _rows(tag: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    if tag == "equal":
        yield from (Row("same", escape(line)) for line in old)
        return
    pairs = [_words(one, other) for one, other in zip(old, new, strict=False)]
    yield from (Row("gone", gone) for gone, _ in pairs)
    yield from (Row("gone", escape(line)) for line in old[len(pairs) :])
    yield from (Row("new", come) for _, come in pairs)
    yield from (Row("new", escape(line)) for line in new[len(pairs) :])


def _words(former: str, later: str) -> tuple[Markup, Markup]:
    if max(len(former), len(later)) > _COMPARED:
        return escape(former), escape(later)
    old, new = re.findall(r"\w+|\s+|[^\w\s]", former), re.findall(r"\w+|\s+|[^\w\s]", later)
    gone, come = Markup(), Markup()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.quick_ratio() < 0.3:
        return escape(former), escape(later)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        before, after = "".join(old[i1:i2]), "".join(new[j1:j2])
        gone += escape(before) if tag == "equal" else Markup("<del>{}</del>").format(before) if before else ""
        come += escape(after) if tag == "equal" else Markup("<ins>{}</ins>").format(after) if after else ""
    return gone, come
