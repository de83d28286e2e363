"""The steps of a runbook: what stands under its `###` headings, told apart into words, commands, check and fields."""

from __future__ import annotations

import re

from bot.domain.runbook import Check, Command, Phase, Step
from bot.runbooks.lint import read_check
from bot.runbooks.listed import listed_steps
from bot.runbooks.page import Heading, Page
from bot.runbooks.rules import Faults, did_you_mean

FIELDS = ("Expect", "If so", "If not", "Escalate", "Undo", "Changes production", "Note", "Owner")
BALANCERS = frozenset({"haproxy", "nginx", "envoy", "aws", "kubernetes", "traefik", "caddy", "gcp", "azure"})
_SHELLS = {"sh": "sh", "bash": "bash", "console": "console", "shell": "sh", "zsh": "sh"}
_LABEL = re.compile(r"(?:\*\*|__)(?P<name>[^*_:\n]{1,40})(?::(?:\*\*|__)|(?:\*\*|__):)\s*")
_NUMBER = re.compile(r"(\d{1,3})[.)](?:\s+|$)")


def read_steps(page: Page, sections: list[tuple[str, Heading]], faults: Faults) -> tuple[Step, ...]:
    """The H3s of the four sections that hold steps, in document order; a section without one is one step.

    In a file of another library the items of a section's numbered list are steps too, and so is what stands before
    the first H3: there nothing that somebody wrote may be lost.
    """
    steps: list[Step] = []
    inside: set[int] = set()
    for name, section in sections:
        if name not in list(Phase):
            continue
        end = page.after(section, 1, 2)
        for sheet, head, stop in _heads(page, name, section, end, faults):
            if sheet is page:
                inside |= set(range(head.end, stop))
            steps.append(_step(sheet, head, stop, Phase(name), steps, faults))
    for token in page.tokens:
        if token.type == "fence" and token.map and token.map[0] not in inside:
            kind = (token.info.split() or [""])[0]
            if kind in _SHELLS or token.info.split() == ["yaml", "check"]:
                faults.tell(
                    "command-outside",
                    page.file_line(token.map[0]),
                    "A command or check stands outside a step. Move it under a `###`.",
                )
    return tuple(steps)


def _heads(
    page: Page, name: str, section: Heading, end: int, faults: Faults
) -> list[tuple[Page, Heading, int]]:
    """The page, the heading and the end of every step of a section."""
    heads = [one for one in page.headings if one.level == 3 and section.end <= one.start < end]
    found = [(page, one, page.after(one, 1, 2, 3)) for one in heads]
    first = heads[0].start if heads else end
    line, before = page.file_line(section.start), page.text(section.end, first)
    if not before:
        if not heads:
            faults.tell("section-empty", line, f"`## {name}` is empty. Write `### What to do` under it.")
        return found
    if heads and not faults.is_foreign:
        sentence = f"The text under `## {name}` belongs to no step: `{before[:40]}`. Move it into one."
        faults.tell("section-untidy", line, sentence)
        return found
    if not heads:
        sentence = f"`## {name}` has no steps and is read as one. Write `### What to do` under it."
        faults.tell("section-unstepped", line, sentence)
        if faults.is_foreign and (steps := listed_steps(page, section.end, end)):
            return steps
    return [(page, section, first), *found]


def _step(page: Page, head: Heading, end: int, phase: Phase, earlier: list[Step], faults: Faults) -> Step:
    line, title, anchor = page.file_line(head.start), head.text, head.anchor
    if numbered := _NUMBER.match(title):
        if int(numbered[1]) != len(earlier) + 1:
            faults.tell(
                "step-number",
                line,
                f"This is step {len(earlier) + 1}, not {numbered[1]}. Correct the number.",
            )
        title, anchor = title[numbered.end() :].strip(), anchor.removeprefix(f"{numbered[1]}-")
    if not title:
        faults.tell("step-untitled", line, "The step has no title. Write `### What to do`.")
    if any(step.title.lower() == title.lower() for step in earlier):
        if head.level == 3:
            faults.tell("step-twice", line, f"Another step is called `{title}` too. Give each its own name.")
        anchor = f"{anchor}-{len(earlier)}"
    fields, dropped = _fields(page, head.end, end, faults)
    commands, check, fences = _fences(page, head.end, end, dropped, faults)
    prose = page.text(head.end, end, dropped + fences)
    if not (prose or fields or commands or check):
        faults.tell("step-empty", line, f"The step `{title}` says nothing. Write what to do.")
    names = {name for name, _ in fields}
    if phase is Phase.MITIGATE and "Undo" not in names:
        faults.tell("undo-missing", line, f"The step `{title}` cannot be taken back. Add `- **Undo:** how`.")
    if phase is Phase.MITIGATE and "Changes production" not in names:
        faults.tell(
            "changes-unsaid",
            line,
            f"Does the step `{title}` change anything? Add `- **Changes production:** yes` or `no`.",
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
            faults.tell("field-unknown", page.file_line(lines[0]), text)
            continue
        if not value:
            faults.tell(
                "field-empty", page.file_line(lines[0]), f"`{name}` says nothing. Write `- **{name}:** ...`."
            )
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
            faults.tell(
                "block-open",
                line,
                f"This block is never closed. End it with `{token.markup}` on a line of its own.",
            )
        if first in in_fields:
            if words and words[0] in _SHELLS:
                _command(token.content, words, line, faults)
            continue
        if words == ["yaml", "check"]:
            if check is not None:
                faults.tell("checks-two", line, "The step has two checks. Make two steps of it.")
                continue
            check = read_check(token.content, line + 1, faults)
            taken.append((first, last))
        elif words and words[0] in _SHELLS:
            commands.append(_command(token.content, words, line, faults))
            taken.append((first, last))
        elif not words:
            faults.tell(
                "block-unnamed",
                line,
                "This block has no language. Write `sh` for commands, `text` for anything else.",
            )
    return tuple(commands), check, taken


def _command(content: str, words: list[str], line: int, faults: Faults) -> Command:
    language, balancer = words[0], words[1] if len(words) > 1 else ""
    if _SHELLS[language] != language:
        faults.tell(
            "shell-name", line, f"`{language}` is read as `{_SHELLS[language]}`. Write sh, bash or console."
        )
    if balancer and balancer not in BALANCERS:
        faults.tell(
            "balancer-unknown",
            line,
            f"`{balancer}` is no balancer we know.{did_you_mean(balancer, BALANCERS)}",
        )
        balancer = ""
    if len(words) > 2:
        faults.tell(
            "block-words", line, f"`{' '.join(words[2:])}` after the balancer means nothing here. Delete it."
        )
    if not content.strip():
        faults.tell("block-empty", line, "The block is empty. Write the command or delete the block.")
    return Command(_SHELLS[language], balancer, content.rstrip("\n"))
