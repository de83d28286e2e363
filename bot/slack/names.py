"""Channel names that Slack takes: lower case, transliterated, cut."""

from __future__ import annotations

import re

from anyascii import anyascii

from bot.domain import markup

#: Slack's limit (conversations.create).
LONGEST = 80


def slug(text: str, longest: int) -> str:
    """Letters, digits and single hyphens, at most `longest` characters, cut between words where possible."""
    plain = anyascii(markup.to_plain(text, {}, {})).lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) <= longest:
        return words
    cut = words[: longest + 1]
    whole = cut[: cut.rfind("-")] if "-" in cut else words[:longest]
    return (whole if len(whole) >= longest // 2 else words[:longest]).strip("-")


def channel_name(template: str, *, number: int, title: str, is_drill: bool, attempt: int = 0) -> str:
    """The name of an incident's channel: template "inc-{number:04d}-{title}". `attempt` > 0 makes another one."""
    prefix = "drill-" if is_drill else ""
    tail = f"-{attempt + 1}" if attempt else ""
    bare = prefix + template.format(number=number, title="")
    room = LONGEST - len(bare) - len(tail)
    made = prefix + template.format(number=number, title=slug(title, min(40, max(0, room))))
    name = re.sub(r"[^a-z0-9_-]+", "-", anyascii(made).lower())
    return name.strip("-_")[: LONGEST - len(tail)].strip("-_") + tail
