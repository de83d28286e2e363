"""Reads runbooks/*.md, and gives what is done with a runbook's text: fill, freeze, show in Slack.

Nothing in a file can make the bot run something: shell blocks are text for people, and a check is a name from a closed
list.  A bad file is told in Problems, never raised; what can be shown of it is still given, because at night a runbook
with a fault is better than none.  None comes back only for what cannot be followed: not text, too long, no steps.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from dataclasses import fields as dataclass_fields
from datetime import date
from pathlib import Path
from typing import Any

from bot.domain.refusals import Refusal
from bot.domain.runbook import Check, Command, Phase, Runbook, Step
from bot.domain.suggestion import Suggestion, closest, search, suggest
from bot.mrkdwn import to_mrkdwn
from bot.runbook_lint import (
    ID,
    VALUE,
    VARIABLE,
    Faults,
    Problem,
    link_lives,
    read_keys,
    review_age,
    split_front_matter,
    variables_known,
)
from bot.runbook_page import ELSEWHERE, Page, read_sections, read_steps, read_title

__all__ = [
    "Problem",
    "Suggestion",
    "closest",
    "fill",
    "from_dict",
    "read_folder",
    "read_runbook",
    "search",
    "suggest",
    "to_dict",
    "to_mrkdwn",
]

FILE_LIMIT = 256 * 1024
STEPS_LIMIT = 50
HEADINGS_LIMIT = 200
PROBLEMS_LIMIT = 100
FILES_LIMIT = 1000

#: Control characters, and the marks that make text read in another order than it is copied.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def read_folder(folder: Path, *, today: date | None = None) -> tuple[dict[str, Runbook], list[Problem]]:
    """Every *.md of the folder (README.md aside) by its id, and what is wrong with them, by file and line."""
    if not folder.is_dir():
        return {}, [
            Problem(folder.name, 1, f"There is no folder `{folder.name}`. Make it, with one runbook a file.")
        ]
    files = sorted(
        one for one in folder.glob("*.md") if one.name.lower() != "readme.md" and one.name[0] != "."
    )
    problems = []
    if len(files) > FILES_LIMIT:
        sentence = (
            f"The folder holds {len(files)} files; only the first {FILES_LIMIT} are read. Move some out."
        )
        problems.append(Problem(folder.name, 1, sentence))
    runbooks: dict[str, Runbook] = {}
    for path in files[:FILES_LIMIT]:
        runbook, found = read_runbook(path, today=today)
        problems += found
        if runbook and runbook.id in runbooks:
            sentence = f"Another file has the id `{runbook.id}` already. Give this one a name of its own."
            problems.append(Problem(f"{folder.name}/{path.name}", 1, sentence))
        elif runbook:
            runbooks[runbook.id] = runbook
    return runbooks, problems


def read_runbook(path: Path, *, today: date | None = None) -> tuple[Runbook | None, list[Problem]]:
    """One file as a Runbook, and its problems by line.  Without `today` the age of its review is not judged."""
    faults = Faults(f"{path.parent.name}/{path.name}")
    content = _content(path, faults)
    text = _text(content, faults)
    runbook = _read(path, text, content, faults, today) if text is not None else None
    problems = sorted(faults.found, key=lambda one: (not one.is_error, one.line, one.sentence))
    told, rest = problems[:PROBLEMS_LIMIT], problems[PROBLEMS_LIMIT:]
    told.sort(key=lambda one: (one.line, one.sentence))
    if rest:
        sentence = f"There are {len(rest)} problems more. Correct these first."
        told.append(Problem(faults.file, told[-1].line, sentence, rest[0].is_error))
    return runbook, told


def _content(path: Path, faults: Faults) -> bytes:
    try:
        if path.is_symlink() and path.resolve().parent != path.parent.resolve():
            faults.error(
                1, "This is a link to a file outside the folder and is not read. Put the file itself here."
            )
        elif not path.is_file():
            faults.error(1, "This is not a file. Put a Markdown file here.")
        elif path.stat().st_size > FILE_LIMIT:
            faults.error(
                1, f"The file is longer than {FILE_LIMIT // 1024} KB. Split it into several runbooks."
            )
        else:
            content = path.read_bytes()
            if not content.strip():
                faults.error(1, "The file is empty. Copy another runbook and change it.")
            return content
    except (OSError, RuntimeError, ValueError) as unreadable:
        reason = getattr(unreadable, "strerror", None) or "it cannot be opened"
        faults.error(1, f"The file cannot be read: {reason}. Let the bot's user read it.")
    return b""


def _text(content: bytes, faults: Faults) -> str | None:
    if not content.strip():
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = content.count(b"\n", 0, broken.start) + 1
        faults.error(line, "The file is not UTF-8 from here on. Save it as UTF-8.")
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, written in enumerate(text.split("\n"), 1):
        if hidden := _HIDDEN.search(written):
            faults.error(number, f"The line holds the invisible character U+{ord(hidden[0]):04X}. Delete it.")
    return _HIDDEN.sub("", text)


def _read(path: Path, text: str, content: bytes, faults: Faults, today: date | None) -> Runbook | None:
    front = split_front_matter(text, faults)
    page = Page(front.body, front.body_line)
    if len(page.headings) > HEADINGS_LIMIT:
        what = f"There are {len(page.headings)} headings, more than {HEADINGS_LIMIT}. Split the runbook."
        faults.error(page.first_line, what)
        return None
    names = {heading.text.lower() for heading in page.headings if heading.level == 2}
    faults.is_foreign = not front.is_present and bool(names & ELSEWHERE.keys())
    if not front.is_present:
        faults.error(
            1, "There is no front matter. Begin the file with `---`, `id: " + path.stem.lower() + "`, `---`."
        )
    if not ID.fullmatch(path.stem):
        faults.error(1, "People type the file's name: use a-z, 0-9 and -, such as `lb-uneven-traffic.md`.")
    known = read_keys(front, path.stem, faults)
    title, summary = read_title(page, str(front.values.get("title") or ""), path.stem, faults)
    sections = read_sections(page, faults)
    steps = read_steps(page, sections, faults)
    if not 0 < len(steps) <= STEPS_LIMIT:
        faults.is_foreign = False
        what = "There are no steps. Write `## Confirm` and under it `### 1. What to do`."
        if steps:
            what = f"There are {len(steps)} steps, more than {STEPS_LIMIT}. Split the runbook in two."
        faults.error(page.first_line, what)
        return None
    parts: dict[str, list[str]] = {"Symptoms": [], "Background": [], "Links": []}
    for name, heading in sections:
        if name in parts:
            end = page.after(heading, 1, 2)
            whole = [page.text(heading.end, end)]
            parts[name] += (
                whole if name == "Background" else [item for item, _ in page.items(heading.end, end)]
            )
    runbook = replace(
        known,
        id=path.stem.lower(),
        title=title,
        summary=summary,
        steps=steps,
        revision=hashlib.sha256(content).hexdigest()[:12],
        symptoms=tuple(parts["Symptoms"]),
        links=tuple(parts["Links"]),
        background="\n\n".join(parts["Background"]),
    )
    variables_known(page.lines, page.first_line, runbook.variables, faults)
    _judge_links(page, path.parent, faults)
    if today:
        review_age(runbook, today, front.lines.get("reviewed", 1), faults)
    return runbook


def _judge_links(page: Page, folder: Path, faults: Faults) -> None:
    read: dict[Path, frozenset[str]] = {}

    def elsewhere(target: Path) -> frozenset[str]:
        if target not in read:
            text = _text(_content(target, Faults("")), Faults("")) or ""
            front = split_front_matter(text, Faults(""))
            read[target] = Page(front.body, front.body_line).anchors
        return read[target]

    for href, line in page.links():
        link_lives(href, page.file_line(line), folder, page.anchors, elsewhere, faults)


def fill(text: str, runbook: Runbook, extra: Mapping[str, str]) -> str:
    """The text with each `{{ name }}` we know filled; the incident's `extra` values win over the runbook's own.

    Raises Refusal when a value could change a command's meaning. Unknown names stay as they are.
    """
    values = {**runbook.variables, "owner": runbook.owner, "escalate_to": runbook.escalate_to, **extra}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not values.get(name):
            return found[0]
        if not VALUE.fullmatch(values[name]):
            raise Refusal(
                f"I will not put that value of `{name}` into a command: it may only hold letters, digits, spaces and "
                f". / : @ _ -, at most 120 of them. Give a plain one, such as `{name}=be_auth`."
            )
        return values[name]

    return VARIABLE.sub(value, text)


def to_dict(runbook: Runbook) -> dict[str, object]:
    """The whole runbook as JSON's own types, to pin a run to the text it began with."""
    reviewed_on = runbook.reviewed_on.isoformat() if runbook.reviewed_on else None
    return {**asdict(runbook), "reviewed_on": reviewed_on}


def from_dict(frozen: Mapping[str, Any]) -> Runbook:
    """What `to_dict` froze.  Fields it does not hold keep their defaults; ones unknown here are left out."""
    names = {one.name for one in dataclass_fields(Runbook)}
    plain: dict[str, Any] = {name: _as_tuple(value) for name, value in frozen.items() if name in names}
    steps = []
    for step in frozen["steps"]:
        check = step.get("check")
        steps.append(
            Step(
                id=step["id"],
                title=step["title"],
                phase=Phase(step["phase"]),
                prose=step["prose"],
                commands=tuple(
                    Command(one["language"], one["balancer"], one["text"]) for one in step["commands"]
                ),
                check=Check(check["run"], dict(check["params"]), dict(check["expect"])) if check else None,
                fields=tuple((name, text) for name, text in step["fields"]),
            )
        )
    reviewed_on = frozen.get("reviewed_on")
    return Runbook(
        **{
            **plain,
            "steps": tuple(steps),
            "reviewed_on": date.fromisoformat(reviewed_on) if reviewed_on else None,
        }
    )


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
