"""A postmortem's Markdown as HTML: for a page of the console, and for a file that people keep.

What people typed is escaped in the Markdown already (bot/domain/markup.py); a team's template or an edited section may
still hold anything, so no HTML of the text gets through, links lead to the web or to mail only, and a picture from
elsewhere is a link: opening a page must not tell another server who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape


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


def html_of(markdown: str, *, lowered: int = 1, instead: Mapping[str, str] | None = None) -> Markup:
    """The document as HTML; its headings stand so many levels lower, below the page's own.

    `instead`: addresses (as normal() writes them) that are to lead somewhere else: to a picture on the same page.
    """
    tokens = [each for token in _READER.parse(markdown) for each in _framed(token)]
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + lowered)}"
        if token.type in {"th_open", "td_open"} and "style" in token.attrs:
            # text-align:right, which a strict policy does not let through.
            token.attrs = {"class": f"to-{str(token.attrs['style']).rpartition(':')[2]}"}
        if token.children:
            token.children = [_tamed(child, instead or {}) for child in token.children]
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704 (html is off)


def normal(address: str) -> str:
    """An address as it stands in a document's links."""
    return _READER.normalizeLink(address)


def _framed(token: Token) -> list[Token]:
    """A table that is wider than a phone is scrolled inside a frame, which the keyboard reaches."""
    if token.type == "table_open":
        frame = '<div class="wide" tabindex="0" role="group" aria-label="Table">\n'
        return [Token("html_block", "", 0, content=frame), token]
    if token.type == "table_close":
        return [token, Token("html_block", "", 0, content="</div>\n")]
    return [token]


def _tamed(token: Token, instead: Mapping[str, str]) -> Token:
    if token.type == "link_open":
        here = instead.get(str(token.attrGet("href") or ""))
        if here is not None:
            token.attrSet("href", here)
            return token
        token.attrSet("rel", "noopener noreferrer nofollow")
    if token.type == "image":
        address = str(token.attrGet("src") or "")
        shown = escape(token.content or address)
        text = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{shown}</a>'
        # html_inline is what the renderer writes as it is; this text is ours.
        return Token("html_inline", "", 0, content=text if _is_safe(address) else str(shown))
    return token
