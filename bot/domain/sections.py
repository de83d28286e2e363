"""The sections of a postmortem: each is what was compiled, until a person writes it; then their words stay.

Compiling again refreshes what is compiled. Where a person has written, their change and the new facts are brought
together line by line; where both changed the same place, the person's words stand and they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.merge import merged
from bot.domain.refusals import Refusal

#: Key of what stands above the first heading.
HEAD = "head"
#: Characters of one section that a person writes.
LONGEST = 200_000

_HEADING = re.compile(r"## +(.+?)(?: +#+)? *$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True)
class Section:
    """One section. Texts are Markdown without the section's own heading."""

    #: Unique within the postmortem, made from the first title: "root-cause-and-resolution".
    key: str
    title: str
    #: What the facts give; None for a section that people added, or that the template has no more.
    compiled: str | None
    #: What a person wrote in its place; None while nobody has.
    human: str | None = None
    #: The compiled text that the person's words were made from, or that they have seen and settled since.
    seen: str | None = None

    @property
    def text(self) -> str:
        """What a reader gets."""
        return self.human if self.human is not None else self.compiled or ""

    @property
    def is_human(self) -> bool:
        return self.human is not None

    @property
    def is_in_question(self) -> bool:
        """Whether the facts have changed what a person has changed too, and nobody has said which stands."""
        return self.human is not None and self.compiled is not None and self.compiled != self.seen


Sections = tuple[Section, ...]


def split(markdown: str) -> Sections:
    """A compiled postmortem cut at its `##` headings; those inside of fences are text."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in markdown.splitlines():
        found = _FENCE.match(line)
        if found is not None and (not fence or (found[1].startswith(fence) and not line.strip(" `~"))):
            fence = "" if fence else found[1]
        heading = None if fence else _HEADING.match(line)
        if heading is not None:
            parts.append((heading[1], []))
        else:
            parts[-1][1].append(line)
    keys: list[str] = []
    for title, _ in parts[1:]:
        keys.append(_key(title, [HEAD, *keys]))
    return tuple(
        Section(key, title, "\n".join(lines).strip("\n"))
        for key, (title, lines) in zip([HEAD, *keys], parts, strict=True)
    )


def joined(sections: Sequence[Section]) -> str:
    """The whole postmortem. The same sections give the same bytes."""
    texts = (f"## {one.title}\n\n{one.text}" if one.key != HEAD else one.text for one in sections)
    return "\n\n".join(text.strip("\n") for text in texts if text.strip()) + "\n"


def recompiled(before: Sections, markdown: str) -> Sections:
    """The sections with newly compiled texts, every word of a person kept in its place."""
    old = {one.key: one for one in before}
    fresh = [_refreshed(old.get(one.key), one) for one in split(markdown)]
    known = {one.key for one in fresh}
    # What people wrote into sections that are not compiled any more stays, behind the section it stood behind.
    for at, one in enumerate(before):
        if one.key in known or one.human is None:
            continue
        after = next((each.key for each in reversed(before[:at]) if each.key in known), HEAD)
        place = next(index for index, each in enumerate(fresh) if each.key == after)
        fresh.insert(place + 1, replace(one, compiled=None, seen=None))
        known.add(one.key)
    return tuple(fresh)


def _refreshed(old: Section | None, new: Section) -> Section:
    if old is None or old.human is None:
        return new
    assert new.compiled is not None
    if new.compiled == old.seen:
        return replace(old, title=new.title, compiled=new.compiled)
    both = merged(old.seen, old.human, new.compiled) if old.seen is not None else None
    if both is None:
        return replace(old, title=new.title, compiled=new.compiled)
    return _written(replace(new, human=both))


def edited(sections: Sections, key: str, text: str, *, made_from: str) -> Sections:
    """The sections with a person's words in one of them.

    `made_from` is the text they had before them. When it has changed meanwhile, both changes are brought together.
    Raises Refusal for an unknown section, and when the same place was changed meanwhile.
    """
    now = find(sections, key)
    if len(text) > LONGEST:
        raise Refusal(
            f"That is {len(text):,} characters; a section holds {LONGEST:,} at most. Move a part of it into a "
            "section of its own.",
            field="text",
        )
    both = merged(_plain(made_from), _plain(text), now.text)
    if both is None:
        raise Refusal(
            f"“{now.title or 'The beginning'}” was changed by somebody else while you wrote, in the same place. "
            "Your text is below and was not saved: compare it with what stands there now, and save again.",
            field="text",
        )
    return _with(sections, _written(replace(now, human=both)))


def _written(section: Section) -> Section:
    """A section that a person has just written: what the facts give is known to them."""
    if section.human == section.compiled:
        return replace(section, human=None, seen=None)
    return replace(section, seen=section.compiled)


def settled(sections: Sections, key: str, *, is_human_kept: bool) -> Sections:
    """The sections with one question answered: the person's words stand, or what the facts give."""
    now = find(sections, key)
    if now.compiled is None:
        if is_human_kept:
            return sections
        return tuple(one for one in sections if one.key != key)
    if is_human_kept:
        return _with(sections, replace(now, seen=now.compiled))
    return _with(sections, replace(now, human=None, seen=None))


def added(sections: Sections, title: str, text: str) -> Sections:
    """The sections with one more at the end, of a person's own. Raises Refusal without a title."""
    kept = " ".join(title.split())
    if not kept or len(kept) > 120:
        raise Refusal(
            "A section needs a title of 120 characters at most, for example What we learned.", field="title"
        )
    return (*sections, Section(_key(kept, [one.key for one in sections]), kept, None, _plain(text)))


def find(sections: Sections, key: str) -> Section:
    """The section of that key. Raises Refusal."""
    for one in sections:
        if one.key == key:
            return one
    raise Refusal(
        "The postmortem has no such section any more. Load the page again to see those that it has."
    )


def in_question(sections: Sections) -> list[Section]:
    """Those that a person has to decide about."""
    return [one for one in sections if one.is_in_question]


def _with(sections: Sections, changed: Section) -> Sections:
    return tuple(changed if one.key == changed.key else one for one in sections)


def _plain(text: str) -> str:
    """Line ends as everywhere else (a browser sends CRLF), nothing that no text holds, no empty lines around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip("\n")


def _key(title: str, taken: Sequence[str]) -> str:
    made = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "section"
    key, count = made, 1
    while key in taken:
        count += 1
        key = f"{made}-{count}"
    return key
