"""A runbook file's Markdown: its headings and lines, and the title and the sections that they mean.

Markdown is read by a parser, never by regular expressions over the whole text: headings inside fences, fences inside
lists and comments are then what GitHub shows them to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.runbooks.elsewhere import ELSEWHERE
from bot.runbooks.rules import Faults, did_you_mean

SECTIONS = ("Symptoms", "Background", "Confirm", "Mitigate", "Verify", "Prevent", "Links")
_REFERRED = re.compile(r"\[([^]\n]+)\]\[([^]\n]*)\]")


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    #: As GitHub makes it, the number included.
    anchor: str
    #: Lines of the body, from 0: the heading's first, and the first after it.
    start: int
    end: int


class Page:
    """The Markdown of one file as lines, headings and tokens."""

    def __init__(self, body: str, first_line: int) -> None:
        self.lines = body.split("\n")
        #: Line of the file on which the body begins.
        self.first_line = first_line
        known: dict[str, Any] = {}
        self.tokens = MarkdownIt("commonmark").enable("table").parse(body, known)
        #: `[1]: https://...` at the end of a file, by its name in capitals.
        self._references = {name: str(one["href"]) for name, one in known.get("references", {}).items()}
        self.headings = tuple(_headings(self.tokens))
        self.anchors = frozenset(heading.anchor for heading in self.headings)

    def file_line(self, line: int) -> int:
        """The file's line (from 1) of a line of the body (from 0)."""
        return self.first_line + line

    def between(self, start: int, end: int) -> Iterator[tuple[int, Token, tuple[int, int]]]:
        """The block tokens of some lines, with their place in `tokens` and their own lines."""
        for at, token in enumerate(self.tokens):
            if token.map and start <= token.map[0] < end and token.type != "inline":
                yield at, token, (token.map[0], min(token.map[1], end))

    def after(self, heading: Heading, *levels: int) -> int:
        """The line on which the next heading of these levels begins."""
        following = (one.start for one in self.headings if one.start >= heading.end and one.level in levels)
        return next(following, len(self.lines))

    def links(self) -> Iterator[tuple[str, int]]:
        """Every link's target, and the line of the body its paragraph begins on."""
        line = 0
        for token in self.tokens:
            line = token.map[0] if token.map else line
            for child in token.children or ():
                if child.type == "link_open":
                    yield str(child.attrGet("href") or ""), line

    def text(self, start: int, end: int, without: list[tuple[int, int]] | None = None) -> str:
        """The Markdown of some lines, without those spans of lines."""
        dropped = {line for first, last in without or [] for line in range(first, last)}
        kept = "\n".join(line for at, line in enumerate(self.lines[start:end], start) if at not in dropped)
        kept = re.sub(r"\n\s*\n(\s*\n)+", "\n\n", kept).strip()
        # The step is shown without the end of the file, where its links are explained.
        return _REFERRED.sub(self._resolved, kept) if self._references else kept

    def _resolved(self, found: re.Match[str]) -> str:
        href = self._references.get((found[2] or found[1]).upper())
        return f"[{found[1]}]({href})" if href else found[0]

    def items(self, start: int, end: int) -> Iterator[tuple[str, tuple[int, int]]]:
        """The Markdown and the lines of each bullet at the left margin."""
        for _, token, (first, last) in self.between(start, end):
            if token.type == "list_item_open" and token.level == 1:
                head, *rest = self.lines[first:last]
                indent = len(head) - len(re.sub(r"^\s*(?:[-*+]|\d+[.)])\s*", "", head))
                rest = [line[indent:] if not line[:indent].strip() else line.lstrip() for line in rest]
                yield "\n".join([head[indent:], *rest]).strip(), (first, last)


def _headings(tokens: list[Token]) -> Iterator[Heading]:
    seen: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type != "heading_open" or not token.map:
            continue
        text = "".join(
            child.content for child in inline.children or () if child.type in ("text", "code_inline")
        )
        anchor = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
        if seen[anchor]:
            anchor = f"{anchor}-{seen[anchor]}"
        if token.level == 0:
            yield Heading(int(token.tag[1]), text.strip(), anchor, token.map[0], token.map[1])


def read_title(page: Page, written: str, stem: str, faults: Faults) -> tuple[str, str]:
    """The title and what stands under it."""
    heads = [heading for heading in page.headings if heading.level == 1]
    if not heads:
        faults.tell(
            "title-missing", page.first_line, f"There is no title. Write `# {written or 'What is wrong'}`."
        )
        return written or stem, ""
    for second in heads[1:]:
        faults.tell(
            "title-twice", page.file_line(second.start), "This is a second title. Write `##` for a section."
        )
    head = heads[0]
    if written and head.text != written:
        faults.tell(
            "title-another",
            page.file_line(head.start),
            f"The heading is not the front matter's title. Write `# {written}`.",
        )
    summary = page.text(head.end, page.after(head, 1, 2, 3))
    if not summary:
        faults.tell(
            "summary-missing",
            page.file_line(head.start),
            "Nothing stands under the title. Say what it is and whom it hurts.",
        )
    return head.text or written or stem, summary


def read_sections(page: Page, faults: Faults) -> list[tuple[str, Heading]]:
    """The H2 headings with our names for them; unknown ones are told and left out."""
    sections: list[tuple[str, Heading]] = []
    for heading in (one for one in page.headings if one.level == 2):
        line, name = page.file_line(heading.start), heading.text
        if ours := ELSEWHERE.get(name.lower()):
            faults.tell("section-foreign", line, f"`## {name}` is read as {ours}. Write `## {ours}`.")
            name = ours
        elif name not in SECTIONS:
            faults.tell(
                "section-unknown",
                line,
                f"`## {name}` is not a section of a runbook.{did_you_mean(name, SECTIONS)}",
            )
            if not faults.is_foreign:
                continue
            name = "Background"
        elif name in (earlier for earlier, _ in sections):
            faults.tell("section-twice", line, f"`## {name}` stands here twice. Put both under the first.")
        elif sections and SECTIONS.index(name) < max(SECTIONS.index(earlier) for earlier, _ in sections):
            faults.tell(
                "section-order", line, f"`## {name}` comes too late. The order is {', '.join(SECTIONS)}."
            )
        sections.append((name, heading))
    if not any(name == "Confirm" for name, _ in sections):
        faults.tell(
            "confirm-missing",
            page.first_line,
            "There is no `## Confirm`. Say there how to tell that this is the cause.",
        )
    for name in ("Symptoms", "Mitigate", "Verify"):
        if not any(name == there for there, _ in sections):
            faults.tell("section-missing", page.first_line, f"There is no `## {name}`. Add it.")
    return sections
