"""A runbook as plain text for a terminal: what people follow when Slack is away."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from bot.domain.refusals import Refusal
from bot.domain.runbook import Check, Phase, Runbook, Step
from bot.runbooks.filling import commands_for, field_for, fill

_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})")
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
        yield from [_reads(step.check, runbook, values), ""]
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


def _reads(check: Check, runbook: Runbook, values: Mapping[str, str]) -> str:
    what = f"`/incident check` reads this in Slack, `lantern balancer check` here: {check.run}"
    backend = check.params.get("backend", "")
    what += f" of {_filled(backend, runbook, values)}" if backend else ""
    expected = ", ".join(f"{figure} {wanted}" for figure, wanted in check.expect.items())
    return f"{what}; expected: {expected}" if expected else what


def _filled(text: str, runbook: Runbook, values: Mapping[str, str]) -> str:
    try:
        return fill(text, runbook, values)
    except Refusal:
        return text


def _text(markdown: str, runbook: Runbook, values: Mapping[str, str]) -> list[str]:
    """Markdown as people read it in a terminal: links spelled out, no bold marks; blocks as they are."""
    lines, is_code = [], False
    for line in _filled(markdown, runbook, values).split("\n"):
        if _FENCE.match(line):
            is_code = not is_code
        elif is_code:
            lines.append(f"   {line}")
        else:
            lines.append(_BOLD.sub(r"\1", _LINK.sub(_spelled, line)))
    return lines


def _spelled(found: re.Match[str]) -> str:
    text, href = found[1], found[2]
    if step := re.match(r"#(\d+)-", href):
        return f"step {step[1]}" if text == step[1] else f"{text} (step {step[1]})"
    if other := re.fullmatch(r"(?:\./)?([\w.-]+)\.md(?:#.*)?", href):
        return f"{text} (lantern runbooks show {other[1]})"
    return text if href.startswith("#") else f"{text} <{href}>"


def _hung(mark: str, lines: list[str]) -> list[str]:
    room = " " * min(len(mark), 3)
    return [mark + lines[0], *((room + line).rstrip() for line in lines[1:])]
