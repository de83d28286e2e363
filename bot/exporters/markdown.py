"""The postmortem as Markdown, by the built-in template or the team's own."""

from __future__ import annotations

import re
import traceback
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import TemplateSyntaxError

from bot.domain.draft import Draft
from bot.domain.export import Export
from bot.domain.postmortem import compile_draft
from bot.domain.sample import sample_facts
from bot.domain.wording import counted, escaped
from bot.exporters import BROKEN, Bounded

NAME = "md"
SUFFIX = ".md"
MEDIA_TYPE = "text/markdown; charset=utf-8"
TITLE = "Markdown"

#: What a team's template calls the built-in one, to include or extend it.
BUILTIN = "postmortem.md.j2"
#: The name by which a team's template is told apart in a traceback.
_OWN = "the team's template"
#: Bytes; a template is a page or two.
LARGEST_TEMPLATE = 256 * 1024


def write(export: Export) -> bytes:
    """The file: the revision as people have left it."""
    return export.revision.markdown.encode("utf-8")


def render(draft: Draft, template: str | None = None) -> str:
    """Write the draft out by a template's source, the built-in one for None.

    A team's template that fails on this draft never costs the draft: the built-in text comes instead, under a
    note that names the failure.
    """
    if template is None:
        return _written(draft, builtin_source(), BUILTIN)
    try:
        return _written(draft, template, _OWN)
    except BROKEN as failure:
        why = escaped(_in_words(failure)).markdown
        note = f"> The team's postmortem template failed here, so this is the built-in one: {why}"
        return f"{note}\n\n{_written(draft, builtin_source(), BUILTIN)}"


def load_template(path: Path | None) -> tuple[str | None, list[str]]:
    """Read and try a team's template (LANTERN_POSTMORTEM_TEMPLATE); None means use the built-in one.

    Gives its source and no problems, or None and a sentence for each problem with file and line. It is tried
    on a full incident and on one of which nothing is known: a close is no time to fail for the first time.
    """
    if path is None:
        return None, []
    try:
        if path.stat().st_size > LARGEST_TEMPLATE:
            return None, [_problem(path, None, f"a template has at most {LARGEST_TEMPLATE:,} bytes.")]
        source = path.read_text(encoding="utf-8")
    except OSError as failure:
        return None, [_problem(path, None, f"cannot be read ({failure.strerror}).")]
    except UnicodeDecodeError as failure:
        line = path.read_bytes()[: failure.start].count(b"\n") + 1
        return None, [_problem(path, line, "is not UTF-8 text.")]
    full = sample_facts()
    nothing = replace(
        full, entries=(), roles=(), responders=(), follow_ups=(), lessons=(), updates=(), runs=()
    )
    for facts in (full, nothing):
        try:
            _written(compile_draft(facts), source, _OWN)
        except BROKEN as failure:
            return None, [_problem(path, _line_of(failure), _in_words(failure))]
    return source, []


def summary(draft: Draft) -> str:
    """Tell the draft in a few lines of plain text (no markup; escape it for where it goes)."""
    counts = (
        counted(draft.entry_count, "entry", "entries"),
        counted(draft.dead_end_count, "dead end"),
        counted(len(draft.runs), "runbook"),
        counted(len(draft.follow_ups), "follow-up"),
        counted(len(draft.questions), "open question"),
    )
    return "\n".join(
        (
            f"{draft.slug} {draft.title.plain} ({draft.severity}, {draft.status})",
            f"Duration: {draft.duration.replace('**', '')}",
            f"Impact: {_short(draft.impact.plain)}",
            f"Root cause: {_short(draft.cause.plain)}",
            ", ".join(counts),
        )
    )


@cache
def builtin_source() -> str:
    """The built-in template, for a team to begin its own from."""
    return (files("bot.exporters") / "templates" / BUILTIN).read_text(encoding="utf-8")


def _written(draft: Draft, source: str, name: str) -> str:
    sandbox = Bounded({BUILTIN: builtin_source()}, is_own=name == BUILTIN)
    text = sandbox.write(sandbox.ready(source, name), draft=draft)
    # Empty sections leave runs of blank lines before headings; no author's text stands at a margin of 0.
    return re.sub(r"\n{3,}(?=#{1,3} )", "\n\n", text).rstrip("\n") + "\n"


def _short(text: str, longest: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _problem(path: Path, line: int | None, sentence: str) -> str:
    place = f"{path}:{line}" if line else f"{path}"
    return f"{place}: {sentence} The built-in template is used."


def _in_words(failure: BaseException) -> str:
    said = " ".join(str(failure).split()) or type(failure).__name__
    if isinstance(failure, RecursionError):
        said = "a macro or an include never ends"
    return said if said.endswith(".") else f"{said}."


def _line_of(failure: BaseException) -> int | None:
    """The line of the team's file: Jinja2 rewrites tracebacks to point into the template."""
    if isinstance(failure, TemplateSyntaxError):
        return failure.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(failure.__traceback__) if frame.filename == _OWN]
    return lines[-1] if lines else None
