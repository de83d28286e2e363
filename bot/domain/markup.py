"""Slack's mrkdwn as it arrives, and what it becomes: plain text, Markdown, mrkdwn that pings no channel.

Whatever a person typed is text: nothing of it may become a heading, a tag, a link to a script, or a ping.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from bot.domain.emoji import CHARACTERS
from bot.domain.when import say_moment

_BLOCK = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_ATOM = re.compile(
    r"(?:`(?P<code>[^`\n]+)`)|<(?P<angle>[^<>\n]+)>|(?<![^\W_]):(?P<emoji>[a-z0-9_+'\-]{1,80}):",
    re.IGNORECASE,
)
_ANGLE = re.compile(r"<([^<>\n]*)>")
#: Slack's styles hold only between non-letters, and their text does not begin or end with a space.
_STYLED = re.compile(r"(?<![^\W_])([*_~])(?=\S)((?:(?!\1).)+?)(?<=\S)\1(?![^\W_])")
_QUOTED = re.compile(r"(?:&gt;|>)\s?")
_USER = re.compile(r"@([UW][A-Z0-9]+)(?:\|(.*))?")
_CHANNEL = re.compile(r"#([CGD][A-Z0-9]+)(?:\|(.*))?")
_GROUP = re.compile(r"!subteam\^(S[A-Z0-9]+)(?:\|(.*))?")
_BROADCAST = re.compile(r"!(channel|here|everyone)(?:\|.*)?")
_DATE = re.compile(r"!date\^([0-9]{1,12})\^([^|]*)(?:\|(.*))?")
_LINK = re.compile(r"((?:https?://|mailto:)[^|\s]+)(?:\|(.*))?", re.IGNORECASE)
_BARE_URL = re.compile(r"\bhttps?://[^\s<>|`\"]*[^\s<>|`\".,;:!?)\]}'*_~]")
#: A line without any of these reads the same in every style.
_MARKED = re.compile(r"[`<>:*_~!&|\\\[\]\x00]")
#: Most of what people log: one line without any of these.
_PLAIN_LINE = re.compile(r"[^`<>:*_~!&|\\\[\]\x00\r\n]+")
_STRAY_AMP = re.compile(r"&(?!(?:amp|lt|gt);)")
#: Stands for an atom while styles are looked for; cannot come in a text, since text_of drops it.
_HELD = re.compile("\x00([0-9]+)\x00")


class _Style(Protocol):
    """How one target writes each thing."""

    def text(self, plain: str) -> str: ...
    def code(self, plain: str) -> str: ...
    def block(self, plain: str) -> str: ...
    def link(self, url: str, label: str) -> str: ...
    def styled(self, mark: str, inner: str) -> str: ...
    def line(self, line: str) -> str: ...
    def join(self, lines: list[tuple[bool, str]]) -> str: ...


class _Plain:
    def text(self, plain: str) -> str:
        return plain

    code = block = line = text

    def link(self, url: str, label: str) -> str:
        bare = url.removeprefix("mailto:")
        return bare if label in {"", bare, url} else f"{label} ({bare})"

    def styled(self, mark: str, inner: str) -> str:
        return inner

    def join(self, lines: list[tuple[bool, str]]) -> str:
        return "\n".join(f"> {line}" if is_quote else line for is_quote, line in lines)


class _Markdown:
    def text(self, plain: str) -> str:
        plain = re.sub(r"([\\`*\[\]|~])", r"\\\1", plain)
        # Inside a word an underscore means nothing in Markdown: auth_service stays readable.
        plain = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", plain)
        # Only an ampersand that could begin an entity, with what follows in another piece, needs escaping.
        plain = re.sub(r"&(?=#?\w+;|$)", "&amp;", plain)
        return plain.replace("<", "&lt;").replace(">", "&gt;")

    def code(self, plain: str) -> str:
        # A person's name inside code may hold a backtick, which would end the code early.
        return f"`{plain}`" if plain.strip() and "`" not in plain else self.text(plain)

    def block(self, plain: str) -> str:
        longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}\n{plain}\n{fence}"

    def link(self, url: str, label: str) -> str:
        safe = re.sub(r"[^\w\-.~:/?#@!$&'*+,;=%]", _percent, url, flags=re.ASCII)
        safe = re.sub(r"&(?=#?\w+;)", "&amp;", safe)
        return f"[{self.text(label or url.removeprefix('mailto:'))}]({safe})"

    def styled(self, mark: str, inner: str) -> str:
        around = {"*": "**", "_": "_", "~": "~~"}[mark]
        return f"{around}{inner}{around}"

    def line(self, line: str) -> str:
        line = line.strip()
        line = re.sub(r"^([0-9]{1,9})([.)])(?=\s|$)", r"\1\\\2", line)
        return re.sub(r"^(?=#|=|:[-\s]|[-+](?:[\s\-]|$))", r"\\", line)

    def join(self, lines: list[tuple[bool, str]]) -> str:
        written = ""
        for at, (is_quote, line) in enumerate(lines):
            if at:
                was_quote, before = lines[at - 1]
                # A line right after a quote would be taken into it; two spaces keep a line break elsewhere.
                written += "\n\n" if was_quote != is_quote else "  \n" if before and line else "\n"
            written += f"> {line}".rstrip() if is_quote else line
        return written


class _Html:
    def text(self, plain: str) -> str:
        return html.escape(plain, quote=False)

    def code(self, plain: str) -> str:
        return f"<code>{html.escape(plain)}</code>"

    def block(self, plain: str) -> str:
        return f"<pre>{html.escape(plain)}</pre>"

    def link(self, url: str, label: str) -> str:
        shown = html.escape(label or url.removeprefix("mailto:"))
        return f'<a href="{html.escape(url)}" rel="noopener noreferrer nofollow">{shown}</a>'

    def styled(self, mark: str, inner: str) -> str:
        name = {"*": "strong", "_": "em", "~": "del"}[mark]
        return f"<{name}>{inner}</{name}>"

    def line(self, line: str) -> str:
        return line

    def join(self, lines: list[tuple[bool, str]]) -> str:
        written = ""
        for is_quote, some in itertools.groupby(lines, key=lambda one: one[0]):
            inner = "<br>".join(line for _, line in some)
            written += f"<blockquote>{inner}</blockquote>" if is_quote else inner
        return written


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _one_line(name: str) -> str:
    # A profile's name comes as its owner wrote it: a line break in it would begin a list or a heading.
    return " ".join(name.replace("\x00", "").split())


@dataclass(frozen=True)
class _Writer:
    style: _Style
    people: Mapping[str, str]
    channels: Mapping[str, str]

    def written(self, text: str) -> str:
        if _PLAIN_LINE.fullmatch(text):
            return self.style.line(text)
        text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
        parts: list[str] = []
        for at, piece in enumerate(_BLOCK.split(text)):
            if at % 2:
                parts.append(self.style.block(self._literal(piece)))
            elif trimmed := piece.strip("\n"):
                parts.append(self._lines(trimmed))
        return "\n".join(parts)

    def _literal(self, text: str) -> str:
        """Give code as it was typed: Slack marks up links and names even there."""
        plain = _Writer(_Plain(), self.people, self.channels)
        return unescape(_ANGLE.sub(lambda match: escape(plain._angle(match[1])), text))

    def _lines(self, text: str) -> str:
        lines: list[tuple[bool, str]] = []
        rest_is_quote = False
        for line in text.split("\n"):
            if not rest_is_quote and (deep := re.match(r"(?:&gt;|>){3}", line)):
                rest_is_quote, line = True, line[deep.end() :]
            quote = _QUOTED.match(line)
            is_quote = rest_is_quote or quote is not None
            body = line[quote.end() :] if quote else line
            lines.append((is_quote, self.style.line(self._inline(body)) if body else ""))
        return self.style.join(lines)

    def _inline(self, text: str) -> str:
        if not _MARKED.search(text):
            return text
        held: list[str] = []

        def hold(match: re.Match[str]) -> str:
            written = self._atom(match)
            if written is None:
                return match[0]
            held.append(written)
            return f"\x00{len(held) - 1}\x00"

        marked = self._styled(_ATOM.sub(hold, text))
        # "!" before a link would make an image of it.
        marked = re.sub("!(?=\x00([0-9]+)\x00)", lambda m: self._bang(held[int(m[1])]), marked)
        return _HELD.sub(lambda match: held[int(match[1])], marked)

    def _bang(self, after: str) -> str:
        return self.style.text("!") if not after.startswith("[") else "\\!"

    def _atom(self, match: re.Match[str]) -> str | None:
        if match["code"]:
            return self.style.code(self._literal(match["code"]))
        if match["angle"]:
            return self._angle(match["angle"])
        character = CHARACTERS.get(match["emoji"].lower())
        return self.style.text(character) if character else None

    def _styled(self, text: str) -> str:
        written, at = "", 0
        for match in _STYLED.finditer(text):
            written += self._text(text[at : match.start()])
            written += self.style.styled(match[1], self._styled(match[2]))
            at = match.end()
        return written + self._text(text[at:])

    def _text(self, text: str) -> str:
        pieces = re.split("(\x00[0-9]+\x00)", text)
        return "".join(
            piece if at % 2 else self.style.text(unescape(piece)) for at, piece in enumerate(pieces)
        )

    def _angle(self, inside: str) -> str:
        text = self.style.text
        if match := _USER.fullmatch(inside):
            name = _one_line(self.people.get(match[1], "")) or unescape(match[2] or "") or match[1]
            return text("@" + name.removeprefix("@"))
        if match := _CHANNEL.fullmatch(inside):
            name = _one_line(self.channels.get(match[1], "")) or unescape(match[2] or "") or match[1]
            return text("#" + name.removeprefix("#"))
        if match := _GROUP.fullmatch(inside):
            return text("@" + (unescape(match[2] or "") or match[1]).removeprefix("@"))
        if match := _BROADCAST.fullmatch(inside):
            return text("@" + match[1])
        if match := _DATE.fullmatch(inside):
            return text(_date(int(match[1])) or unescape(match[3] or "") or match[1])
        if match := _LINK.fullmatch(inside):
            return self.style.link(unescape(match[1]), unescape(match[2] or ""))
        return text(f"<{unescape(inside)}>")


def _date(seconds: int) -> str | None:
    try:
        return say_moment(datetime.fromtimestamp(seconds, UTC), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def to_plain(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Write mrkdwn as plain text: names (people, channels: id -> name), dates in UTC, no style marks."""
    return _Writer(_Plain(), people, channels).written(text)


def to_markdown(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Write mrkdwn as CommonMark in which typed text is inert. people and channels: id -> name.

    Several lines stay several lines: indent them to put the text into a list item.
    """
    return _Writer(_Markdown(), people, channels).written(text)


def to_html(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Write mrkdwn as HTML in which typed text is inert: no element but ours, links to the web and to mail only."""
    return _Writer(_Html(), people, channels).written(text)


def dated(moment: datetime, *, with_day: bool = True) -> str:
    """A moment that Slack shows in each reader's own zone, with UTC for whoever cannot draw it."""
    tokens = "{date_short_pretty} {time}" if with_day else "{time}"
    return f"<!date^{int(moment.timestamp())}^{tokens}|{moment:%Y-%m-%d %H:%M} UTC>"


def escape(text: str) -> str:
    """Make plain text mrkdwn: Slack asks for & < > and nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def from_plain(text: str) -> str:
    """Make mrkdwn of what was typed into a plain field (a modal, a page, a terminal): web addresses link."""
    written, at = "", 0
    for match in _BARE_URL.finditer(text):
        written += escape(text[at : match.start()]) + f"<{escape(match[0])}>"
        at = match.end()
    return written + escape(text[at:])


def to_mrkdwn_safe(text: str) -> str:
    """Give stored mrkdwn to show in Slack again: people, channels, links and dates stay, @here pings nobody.

    A mention of one person stays a mention.
    """
    written, at = "", 0
    for match in _ANGLE.finditer(text):
        written += _defused(text[at : match.start()]) + _kept(match[1])
        at = match.end()
    return written + _defused(text[at:])


def _defused(text: str) -> str:
    return _STRAY_AMP.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _kept(inside: str) -> str:
    if match := _BROADCAST.fullmatch(inside):
        return f"@{match[1]}"
    if match := _GROUP.fullmatch(inside):
        return _defused("@" + (match[2] or match[1]).removeprefix("@"))
    if match := _CHANNEL.fullmatch(inside):
        # Slack knows its name, for those who may see it.
        return f"<#{match[1]}>"
    if any(form.fullmatch(inside) for form in (_USER, _DATE, _LINK)):
        return f"<{_STRAY_AMP.sub('&amp;', inside)}>"
    return f"&lt;{_defused(inside)}&gt;"


def relabelled(text: str, channels: Mapping[str, str]) -> str:
    """Give mrkdwn in which these channels (id -> name) are called so, whatever they were called when it was typed."""

    def label(found: re.Match[str]) -> str:
        match = _CHANNEL.fullmatch(found[1])
        name = escape(_one_line(channels.get(match[1], ""))) if match else ""
        return f"<#{match[1]}|{name}>" if match and name else found[0]

    return _ANGLE.sub(label, text)


def _ids(text: str, form: Callable[[str], re.Match[str] | None]) -> list[str]:
    found = (form(match[1]) for match in _ANGLE.finditer(text))
    return list(dict.fromkeys(match[1] for match in found if match))


def mentions(text: str) -> list[str]:
    """Give the ids of the people a text names, each once, in order."""
    return _ids(text, _USER.fullmatch)


def channel_refs(text: str) -> list[str]:
    """Give the ids of the channels a text names, each once, in order."""
    return _ids(text, _CHANNEL.fullmatch)
