"""A runbook file's Markdown: its headings and lines, and the title, sections and steps that they mean.

Markdown is read by a parser, never by regular expressions over the whole text: headings inside fences, fences inside
lists and comments are then what GitHub shows them to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.runbook import Check, Command, Phase, Step
from bot.runbook_lint import Faults, did_you_mean, read_check

SECTIONS = ("Symptoms", "Background", "Confirm", "Mitigate", "Verify", "Prevent", "Links")
#: Headings of other libraries (Prometheus operator, OpenShift, GitLab) and where we read them.
ELSEWHERE = {
    "meaning": "Background",
    "impact": "Background",
    "diagnosis": "Confirm",
    "possible checks": "Confirm",
    "mitigation": "Mitigate",
    "resolution": "Mitigate",
}
FIELDS = ("Expect", "If so", "If not", "Escalate", "Undo", "Changes production", "Note", "Owner")
BALANCERS = frozenset({"haproxy", "nginx", "envoy", "aws", "kubernetes", "traefik", "caddy", "gcp", "azure"})
_SHELLS = {"sh": "sh", "bash": "bash", "console": "console", "shell": "sh", "zsh": "sh"}
_LABEL = re.compile(r"(?:\*\*|__)(?P<name>[^*_:\n]{1,40})(?::(?:\*\*|__)|(?:\*\*|__):)\s*")
_NUMBER = re.compile(r"(\d{1,3})[.)]\s+")


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
        self.tokens = MarkdownIt("commonmark").enable("table").parse(body)
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
        return re.sub(r"\n\s*\n(\s*\n)+", "\n\n", kept).strip()

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
        faults.error(page.first_line, f"There is no title. Write `# {written or 'What is wrong'}`.")
        return written or stem, ""
    for second in heads[1:]:
        faults.error(page.file_line(second.start), "This is a second title. Write `##` for a section.")
    head = heads[0]
    if written and head.text != written:
        faults.error(
            page.file_line(head.start), f"The heading is not the front matter's title. Write `# {written}`."
        )
    summary = page.text(head.end, page.after(head, 1, 2, 3))
    if not summary:
        faults.error(
            page.file_line(head.start), "Nothing stands under the title. Say what it is and whom it hurts."
        )
    return head.text or written or stem, summary


def read_sections(page: Page, faults: Faults) -> list[tuple[str, Heading]]:
    """The H2 headings with our names for them; unknown ones are told and left out."""
    sections: list[tuple[str, Heading]] = []
    for heading in (one for one in page.headings if one.level == 2):
        line, name = page.file_line(heading.start), heading.text
        if ours := ELSEWHERE.get(name.lower()):
            faults.warn(line, f"`## {name}` is read as {ours}. Write `## {ours}`.")
            name = ours
        elif name not in SECTIONS:
            faults.error(line, f"`## {name}` is not a section of a runbook.{did_you_mean(name, SECTIONS)}")
            continue
        elif name in (earlier for earlier, _ in sections):
            faults.error(line, f"`## {name}` stands here twice. Put both under the first.")
        elif sections and SECTIONS.index(name) < max(SECTIONS.index(earlier) for earlier, _ in sections):
            faults.error(line, f"`## {name}` comes too late. The order is {', '.join(SECTIONS)}.")
        sections.append((name, heading))
    if not any(name == "Confirm" for name, _ in sections):
        faults.error(
            page.first_line, "There is no `## Confirm`. Say there how to tell that this is the cause."
        )
    for name in ("Symptoms", "Mitigate", "Verify"):
        if not any(name == there for there, _ in sections):
            faults.warn(page.first_line, f"There is no `## {name}`. Add it.")
    return sections


def read_steps(page: Page, sections: list[tuple[str, Heading]], faults: Faults) -> tuple[Step, ...]:
    """The H3s of the four sections that hold steps, in document order; a section without one is one step."""
    steps: list[Step] = []
    inside: set[int] = set()
    for name, section in sections:
        if name not in list(Phase):
            continue
        end = page.after(section, 1, 2)
        heads = [one for one in page.headings if one.level == 3 and section.end <= one.start < end]
        if before := page.text(section.end, heads[0].start if heads else end):
            line = page.file_line(section.start)
            if heads:
                faults.warn(
                    line, f"The text under `## {name}` belongs to no step: `{before[:40]}`. Move it into one."
                )
            else:
                faults.error(
                    line, f"`## {name}` has no steps and is read as one. Write `### What to do` under it."
                )
                heads = [section]
        elif not heads:
            faults.error(
                page.file_line(section.start), f"`## {name}` is empty. Write `### What to do` under it."
            )
        for head in heads:
            stop = end if head is section else page.after(head, 1, 2, 3)
            inside |= set(range(head.end, stop))
            steps.append(_step(page, head, stop, Phase(name), steps, faults))
    for token in page.tokens:
        if token.type == "fence" and token.map and token.map[0] not in inside:
            kind = (token.info.split() or [""])[0]
            if kind in _SHELLS or token.info.split() == ["yaml", "check"]:
                faults.error(
                    page.file_line(token.map[0]),
                    "A command or check stands outside a step. Move it under a `###`.",
                )
    return tuple(steps)


def _step(page: Page, head: Heading, end: int, phase: Phase, earlier: list[Step], faults: Faults) -> Step:
    line, title, anchor = page.file_line(head.start), head.text, head.anchor
    if numbered := _NUMBER.match(title):
        if int(numbered[1]) != len(earlier) + 1:
            faults.warn(line, f"This is step {len(earlier) + 1}, not {numbered[1]}. Correct the number.")
        title, anchor = title[numbered.end() :].strip(), anchor.removeprefix(f"{numbered[1]}-")
    if not title:
        faults.error(line, "The step has no title. Write `### What to do`.")
    if any(step.title.lower() == title.lower() for step in earlier) and head.level == 3:
        faults.error(line, f"Another step is called `{title}` too. Give each a name of its own.")
        anchor = f"{anchor}-{len(earlier)}"
    fields, dropped = _fields(page, head.end, end, faults)
    commands, check, fences = _fences(page, head.end, end, dropped, faults)
    prose = page.text(head.end, end, dropped + fences)
    if not (prose or fields or commands or check):
        faults.error(line, f"The step `{title}` says nothing. Write what to do.")
    names = {name for name, _ in fields}
    if phase is Phase.MITIGATE and "Undo" not in names:
        faults.error(line, f"The step `{title}` cannot be taken back. Add `- **Undo:** how`.")
    if phase is Phase.MITIGATE and "Changes production" not in names:
        faults.warn(
            line, f"Does the step `{title}` change anything? Add `- **Changes production:** yes` or `no`."
        )
    return Step(anchor or f"step-{len(earlier) + 1}", title, phase, prose, commands, check, fields)


def _fields(
    page: Page, start: int, end: int, faults: Faults
) -> tuple[tuple[tuple[str, str], ...], list[tuple[int, int]]]:
    """`- **Undo:** ...` and its kind, and the lines they take. What stands inside one belongs to it."""
    fields, taken = [], []
    known = {name.lower(): name for name in FIELDS}
    for item, lines in page.items(start, end):
        label = _LABEL.match(item)
        if not label:
            continue
        name, value = known.get(label["name"].strip().lower()), item[label.end() :].strip()
        if name is None:
            text = f"`{label['name']}` is not a field of a step.{did_you_mean(label['name'], FIELDS)}"
            faults.warn(page.file_line(lines[0]), text)
            continue
        if not value:
            faults.error(page.file_line(lines[0]), f"`{name}` says nothing. Write `- **{name}:** ...`.")
            value = "(not written)"
        fields.append((name, value))
        taken.append(lines)
    return tuple(fields), taken


def _fences(
    page: Page, start: int, end: int, fields: list[tuple[int, int]], faults: Faults
) -> tuple[tuple[Command, ...], Check | None, list[tuple[int, int]]]:
    commands: list[Command] = []
    check: Check | None = None
    taken = []
    in_fields = {at for first, last in fields for at in range(first, last)}
    for _, token, (first, last) in page.between(start, end):
        if token.type != "fence":
            continue
        line, words = page.file_line(first), token.info.split()
        closing = page.lines[last - 1].strip().lstrip("> ")
        if last - first < 2 or not closing.startswith(token.markup) or closing.strip(token.markup[0]):
            faults.error(
                line, f"This block is never closed. End it with `{token.markup}` on a line of its own."
            )
        if first in in_fields:
            continue
        if words == ["yaml", "check"]:
            if check is not None:
                faults.error(line, "The step has two checks. Make two steps of it.")
                continue
            check = read_check(token.content, line + 1, faults)
            taken.append((first, last))
        elif words and words[0] in _SHELLS:
            commands.append(_command(token.content, words, line, faults))
            taken.append((first, last))
        elif not words:
            faults.warn(
                line, "This block has no language. Write `sh` for commands, `text` for anything else."
            )
    return tuple(commands), check, taken


def _command(content: str, words: list[str], line: int, faults: Faults) -> Command:
    language, balancer = words[0], words[1] if len(words) > 1 else ""
    if _SHELLS[language] != language:
        faults.warn(line, f"`{language}` is read as `{_SHELLS[language]}`. Write sh, bash or console.")
    if balancer and balancer not in BALANCERS:
        faults.error(line, f"`{balancer}` is no balancer we know.{did_you_mean(balancer, BALANCERS)}")
        balancer = ""
    if len(words) > 2:
        faults.warn(line, f"`{' '.join(words[2:])}` after the balancer means nothing here. Delete it.")
    if not content.strip():
        faults.error(line, "The block is empty. Write the command or delete the block.")
    return Command(_SHELLS[language], balancer, content.rstrip("\n"))
