"""Reads one runbook file, or a folder of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from bot.domain.runbook import Runbook
from bot.runbooks.elsewhere import alerts_of, is_from_elsewhere, slug
from bot.runbooks.front import read_keys, split_front_matter
from bot.runbooks.lint import link_lives, review_age, variables_known
from bot.runbooks.page import Heading, Page, read_sections, read_title
from bot.runbooks.rules import Faults, Problem
from bot.runbooks.steps import read_steps

FILE_LIMIT = 256 * 1024
STEPS_LIMIT = 50
HEADINGS_LIMIT = 200
PROBLEMS_LIMIT = 100
FILES_LIMIT = 1000

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
#: Control characters, and the marks that make text read in another order than it is copied.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def read_folder(folder: Path, *, today: date | None = None) -> tuple[dict[str, Runbook], list[Problem]]:
    """Every *.md of the folder (README.md aside) by its id, and what is wrong with them, by file and line."""
    whole = Faults(folder.name)
    if not folder.is_dir():
        whole.tell(
            "folder-missing", 1, f"There is no folder `{folder.name}`. Make it, with one runbook a file."
        )
        return {}, whole.found
    files = runbook_files(folder)
    if len(files) > FILES_LIMIT:
        sentence = (
            f"The folder holds {len(files)} files; only the first {FILES_LIMIT} are read. Move some out."
        )
        whole.tell("folder-too-many-files", 1, sentence)
    problems = whole.found
    runbooks: dict[str, Runbook] = {}
    for path in files[:FILES_LIMIT]:
        runbook, found = read_runbook(path, today=today)
        problems += found
        if runbook and runbook.id in runbooks:
            faults = Faults(f"{folder.name}/{path.name}")
            sentence = f"Another file has the id `{runbook.id}` already. Give this one a name of its own."
            faults.tell("id-twice", 1, sentence)
            problems += faults.found
        elif runbook:
            runbooks[runbook.id] = runbook
    return runbooks, problems


def runbook_files(folder: Path) -> list[Path]:
    """The files of a folder that are read as runbooks, by name. Folders inside it are not looked into."""
    return sorted(
        one
        for one in folder.glob("*.md")
        if one.name.lower() not in ("readme.md", "_index.md") and one.name[0] != "."
    )


def read_runbook(path: Path, *, today: date | None = None) -> tuple[Runbook | None, list[Problem]]:
    """One file as a Runbook, and its problems by line.  Without `today` the age of its review is not judged.

    None comes back only for what cannot be followed: not text, too long, no steps.
    """
    faults = Faults(f"{path.parent.name}/{path.name}")
    content = _content(path, faults)
    text = _text(content, faults)
    runbook = _read(path, text, content, faults, today) if text is not None else None
    problems = sorted(faults.found, key=lambda one: (not one.is_error, one.line, one.sentence))
    told, rest = problems[:PROBLEMS_LIMIT], problems[PROBLEMS_LIMIT:]
    told.sort(key=lambda one: (one.line, one.sentence))
    if rest:
        sentence = f"There are {len(rest)} problems more. Correct these first."
        told.append(Problem(faults.file, told[-1].line, sentence, rest[0].is_error, rest[0].rule))
    return runbook, told


def _content(path: Path, faults: Faults) -> bytes:
    try:
        if path.is_symlink() and path.resolve().parent != path.parent.resolve():
            faults.tell(
                "file-outside",
                1,
                "This is a link to a file outside the folder and is not read. Put the file itself here.",
            )
        elif not path.is_file():
            faults.tell("file-not-a-file", 1, "This is not a file. Put a Markdown file here.")
        elif path.stat().st_size > FILE_LIMIT:
            faults.tell(
                "file-too-long",
                1,
                f"The file is longer than {FILE_LIMIT // 1024} KB. Split it into several runbooks.",
            )
        else:
            content = path.read_bytes()
            if not content.strip():
                faults.tell("file-empty", 1, "The file is empty. Copy another runbook and change it.")
            return content
    except (OSError, RuntimeError, ValueError) as unreadable:
        reason = getattr(unreadable, "strerror", None) or "it cannot be opened"
        faults.tell("file-unreadable", 1, f"The file cannot be read: {reason}. Let the bot's user read it.")
    return b""


def _text(content: bytes, faults: Faults) -> str | None:
    if not content.strip():
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = content.count(b"\n", 0, broken.start) + 1
        faults.tell("file-not-utf8", line, "The file is not UTF-8 from here on. Save it as UTF-8.")
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for number, written in enumerate(text.split("\n"), 1):
        if hidden := _HIDDEN.search(written):
            faults.tell(
                "invisible-character",
                number,
                f"The line holds the invisible character U+{ord(hidden[0]):04X}. Delete it.",
            )
    return _HIDDEN.sub("", text)


def _read(path: Path, text: str, content: bytes, faults: Faults, today: date | None) -> Runbook | None:
    front = split_front_matter(text, faults)
    page = Page(front.body, front.body_line)
    if len(page.headings) > HEADINGS_LIMIT:
        what = f"There are {len(page.headings)} headings, more than {HEADINGS_LIMIT}. Split the runbook."
        faults.tell("headings-too-many", page.first_line, what)
        return None
    others = [heading.text for heading in page.headings if heading.level == 2]
    faults.is_foreign = is_from_elsewhere(front.values, others)
    file_id = _name_of(path, front.is_present, faults)
    known = read_keys(front, file_id, faults)
    title, summary = read_title(page, str(front.values.get("title") or ""), path.stem, faults)
    sections = read_sections(page, faults)
    steps = read_steps(page, sections, faults)
    if not 0 < len(steps) <= STEPS_LIMIT:
        faults.is_foreign = False
        if steps:
            what = f"There are {len(steps)} steps, more than {STEPS_LIMIT}. Split the runbook in two."
            faults.tell("steps-too-many", page.first_line, what)
        else:
            what = "There are no steps. Write `## Confirm` and under it `### 1. What to do`."
            faults.tell("steps-missing", page.first_line, what)
        return None
    background = _texts(page, sections, "Background")
    runbook = replace(
        known,
        id=file_id,
        title=title,
        summary=summary or background.split("\n\n")[0],
        steps=steps,
        revision=hashlib.sha256(content).hexdigest()[:12],
        symptoms=_items(page, sections, "Symptoms"),
        links=_items(page, sections, "Links"),
        background=background,
        alerts=alerts_of(path.stem) if faults.is_foreign else known.alerts,
    )
    variables_known(page.lines, page.first_line, runbook.variables, faults)
    _judge_links(page, path.parent, faults)
    if today:
        review_age(runbook, today, front.lines.get("reviewed", 1), faults)
    return runbook


def _name_of(path: Path, has_front_matter: bool, faults: Faults) -> str:
    """The id, by the file's name; what is wrong with the name is told."""
    if faults.is_foreign:
        sentence = (
            "This file is written for another library; it is read as far as it goes. "
            "Give it front matter with `id`, `owner`, `escalate_to` and `triggers` to make it one of yours."
        )
        faults.tell("file-foreign", 1, sentence)
        return slug(path.stem) or "runbook"
    if not has_front_matter:
        sentence = f"There is no front matter. Begin the file with `---`, `id: {slug(path.stem)}`, `---`."
        faults.tell("front-matter-missing", 1, sentence)
    if not ID.fullmatch(path.stem):
        sentence = "People type the file's name: use a-z, 0-9 and -, such as `lb-uneven-traffic.md`."
        faults.tell("file-name", 1, sentence)
        return slug(path.stem) or "runbook"
    return path.stem


def _texts(page: Page, sections: Iterable[tuple[str, Heading]], wanted: str) -> str:
    found = [
        page.text(heading.end, page.after(heading, 1, 2)) for name, heading in sections if name == wanted
    ]
    return "\n\n".join(filter(None, found))


def _items(page: Page, sections: Iterable[tuple[str, Heading]], wanted: str) -> tuple[str, ...]:
    spans = [(heading.end, page.after(heading, 1, 2)) for name, heading in sections if name == wanted]
    return tuple(item for start, end in spans for item, _ in page.items(start, end))


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
