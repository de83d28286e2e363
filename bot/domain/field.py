"""Slack's mrkdwn in a plain field, and back: what a person can read and correct without knowing Slack's marks.

Mentions, channels and links that the text held before come back as they were; everything else that is typed is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count

from bot.domain import markup

_ATOM = re.compile(r"<[^<>\n]+>")


def to_field(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What stands in the field: `@ana` for a mention (people, channels: id -> name), addresses as they are."""
    words = _words(text, people, channels)
    written, at = "", 0
    for match in _ATOM.finditer(text):
        written += _unescaped(text[at : match.start()]) + words[match[0]]
        at = match.end()
    return written + _unescaped(text[at:])


def from_field(typed: str, former: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """The mrkdwn of what was typed; `former` holds the mentions, channels and links that a word may stand for."""
    atoms = {word: one for one, word in _words(former, people, channels).items()}
    words = sorted((word for word in atoms if word.strip()), key=len, reverse=True)
    if not words:
        return markup.from_plain(typed)
    written, at = "", 0
    for match in re.finditer(rf"(?<![\w@#])(?:{'|'.join(map(re.escape, words))})(?![\w-])", typed):
        written += markup.from_plain(typed[at : match.start()]) + atoms[match[0]]
        at = match.end()
    return written + markup.from_plain(typed[at:])


def _words(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> dict[str, str]:
    """Atom -> its word in the field. Channels that are called alike are told apart: #private-channel-2."""
    words: dict[str, str] = {}
    for one in _ATOM.findall(text):
        if one not in words:
            plain = word = markup.to_plain(one, people, channels)
            numbers = count(2)
            while plain.startswith("#") and word in words.values():
                word = f"{plain}-{next(numbers)}"
            words[one] = word
    return words


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
