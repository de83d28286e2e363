"""A runbook as plain text for a terminal: what people follow when Slack is away."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from bot.domain.refusals import Refusal
from bot.domain.runbook import Check, Phase, Runbook, Step
from bot.runbooks.filling import commands_for, field_for, fill

#: Columns of prose.
_WIDTH = 100
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})")
#: What begins a line of its own: an item, a table's row.
_APART = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+|\|")
_LINK = re.compile(r"!?\[([^]]+)\]\(([^)\s]+)\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def as_plain_text(runbook: Runbook, values: Mapping[str, str], kind: str = "") -> str:
    """The whole runbook with its variables filled, and the commands of one kind of balancer or of all."""
    lines = [runbook.title, "=" * len(runbook.title), ""]
    lines += [*_text(runbook.summary, runbook, values), ""]
    lines += [*_sources(runbook), ""]
    if runbook.symptoms:
        lines += ["SYMPTOMS", ""]
        for one in runbook.symptoms:
            lines += _hung("- ", _text(one, runbook, values))
        lines.append("")
    if runbook.background:
        lines += ["BACKGROUND", "", *_text(runbook.background, runbook, values), ""]
    phase: Phase | None = None
    for number, step in enumerate(runbook.steps, 1):
        if step.phase is not phase:
            phase = step.phase
            lines += [phase.value.upper(), ""]
        lines += [f"{number}. {step.title}", ""]
        lines += [f"   {line}".rstrip() for line in _step(step, runbook, values, kind)]
    if runbook.links:
        lines += ["LINKS", ""]
        for one in runbook.links:
            lines += _hung("- ", _text(one, runbook, values))
    return "\n".join(lines).rstrip() + "\n"


def _sources(runbook: Runbook) -> list[str]:
    said = [f"{runbook.id}, revision {runbook.revision}"]
    said += [f"commit {runbook.commit}"] if runbook.commit else []
    said += [f"owner {runbook.owner}"] if runbook.owner else []
    said += [f"escalate to {runbook.escalate_to}"] if runbook.escalate_to else []
    said += [f"reviewed {runbook.reviewed_on}"] if runbook.reviewed_on else []
    return textwrap.wrap(", ".join(said), 100)


def _step(step: Step, runbook: Runbook, values: Mapping[str, str], kind: str) -> Iterator[str]:
    if step.prose:
        yield from [*_text(step.prose, runbook, values), ""]
    if step.check is not None:
        yield from [_reads(step.check, values), ""]
    commands, others = commands_for(step, kind)
    for command in commands:
        yield f"{command.balancer}:" if command.balancer else "command:"
        yield from [f"   {line}" for line in _filled(command.text, runbook, values).split("\n")]
        yield ""
    if others:
        yield from [f"(also for {', '.join(others)})", ""]
    for name, value in step.fields:
        yield from _hung(f"{name}: ", _text(field_for(value, kind), runbook, values))
    if step.fields:
        yield ""


def _reads(check: Check, values: Mapping[str, str]) -> str:
    service = values.get("service", "")
    what = f"Read it: lantern balancer check{f' {service}' if service else ''}"
    expected = ", ".join(f"{figure} {wanted}" for figure, wanted in check.expect.items())
    return f"{what}  (expected: {expected})" if expected else what


def _filled(text: str, runbook: Runbook, values: Mapping[str, str]) -> str:
    try:
        return fill(text, runbook, values)
    except Refusal:
        return text


def _text(markdown: str, runbook: Runbook, values: Mapping[str, str]) -> list[str]:
    """Markdown as people read it in a terminal: links spelled out, no bold marks; blocks as they are."""
    lines: list[str] = []
    prose: list[str] = []
    is_code = False

    def end_of_prose() -> None:
        if prose:
            lines.extend(_wrapped(" ".join(prose)))
            prose.clear()

    for line in _filled(markdown, runbook, values).split("\n"):
        if _FENCE.match(line):
            end_of_prose()
            is_code = not is_code
        elif is_code:
            lines.append(f"   {line}")
        elif not line.strip() or _APART.match(line):
            end_of_prose()
            prose += [line.rstrip()] if line.strip() else []
            if not prose:
                lines.append("")
        else:
            prose.append(line.strip() if prose else line.rstrip())
    end_of_prose()
    return lines


def _wrapped(line: str) -> list[str]:
    """A paragraph or an item as lines of a terminal. A table's line stays in one piece."""
    line = _BOLD.sub(r"\1", _LINK.sub(_spelled, line))
    if line.startswith("|"):
        return [line]
    mark = _APART.match(line)
    indent = " " * (mark.end() if mark else len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _spelled(found: re.Match[str]) -> str:
    text, href = found[1], found[2]
    if step := re.match(r"#(\d+)-", href):
        return f"step {step[1]}" if text == step[1] else f"{text} (step {step[1]})"
    if other := re.fullmatch(r"(?:\./)?([\w.-]+)\.md(?:#.*)?", href):
        return f"{text} (lantern runbooks show {other[1]})"
    return text if href.startswith("#") else f"{text} <{href}>"


def _hung(mark: str, lines: list[str]) -> list[str]:
    """Lines behind a mark. Blocks stand close to the words that speak of them."""
    close = [
        line
        for at, line in enumerate(lines)
        if line or not (_is_code(lines, at - 1) or _is_code(lines, at + 1))
    ]
    first = mark.rstrip() if _is_code(close, 0) else mark + close[0]
    rest = close if _is_code(close, 0) else close[1:]
    return [first, *((" " * min(len(mark), 3) + line).rstrip() for line in rest)]


def _is_code(lines: list[str], at: int) -> bool:
    return 0 <= at < len(lines) and lines[at].startswith("   ")
